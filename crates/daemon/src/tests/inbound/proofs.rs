//! Who may post: a token, a signature, the right time.

use hmac_sha256::HMAC;
use standardwebhooks::Webhook;

use super::*;
use crate::limits::MAX_GUESSES;

const KEY: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const OLD_KEY: &str = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4";

fn signed() -> Inbound {
    let secrets = tempfile::tempdir().unwrap();
    let standard = SourceSettings {
        secret: Some(kept(&secrets, "key", KEY)),
        previous_secret: Some(kept(&secrets, "old", OLD_KEY)),
        ..SourceSettings::new("alertmanager")
    };
    let hub = SourceSettings {
        secret: Some(kept(&secrets, "hub", "a secret of some length")),
        signature: Signature::Hub,
        ..SourceSettings::new("alertmanager")
    };
    let sources = BTreeMap::from([("signed".to_owned(), standard), ("hub".to_owned(), hub)]);
    let service = started(sources).unwrap();
    Inbound { service, secrets }
}

fn body() -> String {
    group(&[alert("f1", "firing", MORNING)]).to_string()
}

impl Inbound {
    fn with_headers(&self, source: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let path = format!("/v1/hooks/{source}");
        self.service.send("POST", &path, headers, body.as_bytes())
    }

    /// Signed for so many seconds from now, and what was signed may be other than what is sent.
    fn at(&self, key: &str, seconds: i64, signed: &str, sent: &str) -> Answer {
        let time = jiff::Timestamp::now().as_second() + seconds;
        let signature = Webhook::new(key)
            .unwrap()
            .sign("m1", time, signed.as_bytes())
            .unwrap();
        let time = time.to_string();
        let headers = [
            ("webhook-id", "m1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        self.with_headers("signed", &headers, sent)
    }
}

#[test]
fn a_signature_of_standard_webhooks_proves_a_message_for_five_minutes() {
    let inbound = signed();
    let body = body();
    let first = inbound.at(KEY, 0, &body, &body).is(200).json();
    assert_eq!(first["results"][0]["outcome"], "opened");
    // Sent again within the time, it is the same message.
    let again = inbound.at(KEY, -200, &body, &body).is(200).json();
    assert_eq!(again["results"][0]["outcome"], "known");
    inbound.at(OLD_KEY, 200, &body, &body).is(200);
    let wrong = "whsec_enp6enp6enp6enp6enp6enp6enp6enp6";
    inbound
        .at(wrong, 0, &body, &body)
        .refuses(401, "not-proved");
    let other = body.replace("f1", "f2");
    inbound.at(KEY, 0, &body, &other).refuses(401, "not-proved");
    for seconds in [-400, 400, -100_000_000] {
        let said = inbound
            .at(KEY, seconds, &body, &body)
            .refuses(401, "not-proved");
        assert!(
            said["detail"].as_str().unwrap().contains("five minutes"),
            "{said}"
        );
    }
    for time in [
        "",
        "now",
        "-9223372036854775808",
        "9223372036854775807",
        "1e3",
    ] {
        let headers = [
            ("webhook-id", "m1"),
            ("webhook-timestamp", time),
            ("webhook-signature", "v1,AAAA"),
        ];
        inbound
            .with_headers("signed", &headers, &body)
            .refuses(401, "not-proved");
    }
    inbound
        .with_headers("signed", &[], &body)
        .refuses(401, "not-proved");
    let token = format!("Bearer {TOKEN}");
    let token = [("authorization", token.as_str())];
    inbound
        .with_headers("signed", &token, &body)
        .refuses(401, "not-proved");
    assert_eq!(inbound.tickets(), 1);
    assert!(
        inbound
            .figure("upline_inbound_messages_total{source=\"signed\",outcome=\"not-proved\"} 12")
    );
    drop(inbound.secrets);
}

#[test]
fn a_signature_of_the_body_alone_is_taken_where_it_is_set() {
    let inbound = signed();
    let body = body();
    let sign = |body: &str| {
        let mac = HMAC::mac(body.as_bytes(), b"a secret of some length");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256={hex}")
    };
    let right = sign(&body);
    inbound
        .with_headers("hub", &[("x-hub-signature-256", &right)], &body)
        .is(200);
    let other = body.replace("f1", "f2");
    inbound
        .with_headers("hub", &[("x-hub-signature-256", &right)], &other)
        .refuses(401, "not-proved");
    for wrong in [
        "",
        "sha256=",
        "sha1=00",
        &right[7..],
        &right[..right.len() - 2],
    ] {
        let headers = [("x-hub-signature-256", wrong)];
        inbound
            .with_headers("hub", &headers, &body)
            .refuses(401, "not-proved");
    }
    assert_eq!(inbound.tickets(), 1);
}

#[test]
fn a_token_must_be_the_sources_own() {
    let inbound = Inbound::with(&[("am", "alertmanager")]);
    let body = body();
    for wrong in [
        "Bearer a-token-of-some-lengtH",
        "Bearer ",
        "Bearer",
        "Basic YW5uOmI=",
        "a-token-of-some-length",
        // A token of the API is none of a source.
        "Bearer upl_boss",
    ] {
        inbound
            .with_headers("am", &[("authorization", wrong)], &body)
            .refuses(401, "not-proved");
    }
    inbound
        .with_headers("am", &[], &body)
        .refuses(401, "not-proved");
    // And the other way round.
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    inbound
        .service
        .send("GET", "/v1/tickets", &headers, b"")
        .refuses(401, "no-token");
    assert_eq!(inbound.tickets(), 0);
}

#[test]
fn guesses_at_the_token_of_a_source_are_slowed_and_its_own_messages_are_taken() {
    let inbound = Inbound::with(&[("am", "alertmanager")]);
    let body = body();
    let guess = |number: u32| {
        let token = format!("Bearer a-guess-at-the-token-{number}");
        inbound.with_headers("am", &[("authorization", &token)], &body)
    };
    for number in 0..MAX_GUESSES.get() {
        guess(number).refuses(401, "not-proved");
    }
    // One a second is given back, and the guesses so far may have taken some.
    let late = (0..30).find(|number| guess(1000 + number).status == 429);
    assert!(late.is_some(), "guesses are not slowed");
    let alert = alert("f1", "firing", MORNING);
    let (outcome, _) = inbound.outcome("am", &group(&[alert]));
    assert_eq!(outcome, "opened");
}
