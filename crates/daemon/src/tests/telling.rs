//! What somebody would be told, and whether it would reach him: letters that nobody gets, and test messages.

use serde_json::{Value, json};

use super::kit::{Answer, Service, shipped_copy};
use super::mail::{dispatched, read, service, settings};
use super::peer::{Peer, Reaction};
use super::post::{Deed, PostOffice, Step};
use crate::settings::{Given, Settings};

fn test(service: &Service, who: &str, body: &Value) -> Answer {
    service.post(who, "/v1/notify-tests", &[], body)
}

#[test]
fn a_preview_is_the_letter_that_he_got_and_sends_nothing() {
    let post = PostOffice::open();
    let service = service(post.port, "");
    let id = dispatched(&service);
    let got = read(&post.mails(1)[0]);
    let path = format!("/v1/tickets/{id}/preview?topic=assigned");
    let ticket = service.get("eye", &format!("/v1/tickets/{id}")).text;
    let letter = service.get("lea", &path).is(200).json();
    assert_eq!(got.subject(), letter["subject"].as_str());
    assert_eq!(letter["to"], json!({ "kind": "person", "name": "ann" }));
    assert_eq!(letter["language"], "en");
    let text = letter["text"].as_str().unwrap();
    assert!(
        text.contains("no dial tone") && !text.contains("/a/"),
        "{text}"
    );
    assert!(
        letter["html"].as_str().unwrap().contains("<html"),
        "{letter}"
    );
    let other = format!("{path}&person=max&lang=zh");
    let letter = service.get("boss", &other).is(200).json();
    assert_eq!(letter["to"]["name"], "max");
    let text = letter["text"].as_str().unwrap();
    assert!(text.contains("工单") || text.contains("负责"), "{text}");
    let customer = format!("/v1/tickets/{id}/preview?topic=customer");
    let letter = service.get("boss", &customer).is(200).json();
    assert_eq!(letter["to"], json!({ "kind": "contact", "name": "caller" }));
    for who in ["ann", "eye", "pbx"] {
        service.get(who, &path).refuses(403, "not-allowed");
    }
    let wrong = format!("{path}&person=anne");
    let refused = service.get("lea", &wrong).refuses(422, "no-such-person");
    assert_eq!(refused["hint"], "did you mean `ann`?");
    let nothing = format!("/v1/tickets/{id}/preview?topic=nothing");
    service.get("lea", &nothing).refuses(400, "query-wrong");
    let lang = format!("{path}&lang=xx");
    service.get("lea", &lang).refuses(400, "query-wrong");
    service.settle();
    assert_eq!(post.taken().len(), 1);
    assert_eq!(
        service.get("eye", &format!("/v1/tickets/{id}")).text,
        ticket
    );
}

#[test]
fn a_test_goes_by_each_channel_and_says_what_became_of_it() {
    let post = PostOffice::open();
    let peer = Peer::start(vec![Reaction::ok()]);
    let folder = tempfile::tempdir().unwrap();
    let key = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n";
    std::fs::write(folder.path().join("key"), key).unwrap();
    let text = format!(
        "data = \"d\"\nworkflows = \"w\"\n[mail]\n{}[webhook.duty-phone]\nurl = \"{}\"\n\
         allow-private = true\nsecret = {{ file = \"key\" }}\n",
        settings(post.port, ""),
        peer.url()
    );
    let given = Given::default().text(folder.path().join("upline.toml"), text);
    let settings = Settings::read(&given).unwrap();
    let (mail, webhooks) = (settings.mail, settings.webhooks);
    let started = Service::with(shipped_copy(), move |start| {
        start.mail(mail.clone()).webhooks(webhooks.clone())
    });
    let service = started.unwrap();
    let all = test(&service, "boss", &json!({ "person": "max" })).is(200);
    let expected = json!([
        { "via": "mail", "state": "delivered", "to": "max@example.com", "why": null },
        { "via": "webhook:duty-phone", "state": "delivered", "to": "127.0.0.1", "why": null },
    ]);
    assert_eq!(all.json()["results"], expected);
    assert_eq!(post.taken()[0].to, ["max@example.com"]);
    assert!(String::from_utf8_lossy(&peer.seen()[0].body).contains("test"));
    let one = json!({ "via": "webhook:duty-phone" });
    let one = test(&service, "boss", &one).is(200).json();
    assert_eq!(one["results"][0]["state"], "delivered");
    post.fails(Step::To, Deed::Says("550 5.1.1 no such user"), 1);
    let refused = json!({ "person": "ann", "via": "mail" });
    let refused = test(&service, "boss", &refused).is(200).json();
    let refused = &refused["results"][0];
    assert_eq!(
        (&refused["state"], &refused["to"]),
        (&"failed".into(), &Value::Null)
    );
    assert!(refused["why"].as_str().unwrap().contains("no such user"));
    assert_eq!(peer.seen().len(), 2);
    assert_eq!(post.taken().len(), 1);
}

#[test]
fn only_an_admin_sends_tests_and_not_many() {
    let service = Service::start();
    let ann = json!({ "person": "ann" });
    for who in ["lea", "ann", "eye", "pbx"] {
        test(&service, who, &ann).refuses(403, "not-allowed");
    }
    let nobody = json!({ "person": "anna" });
    test(&service, "boss", &nobody).refuses(422, "no-such-person");
    test(&service, "boss", &json!({ "via": "mail" })).refuses(422, "body-wrong");
    let answer = test(&service, "boss", &ann).is(200).json();
    let why = &answer["results"][0]["why"];
    assert_eq!(why, "the channel `mail` is not set up here");
    // One more comes free every six seconds.
    let answers = (0..30).map(|_| test(&service, "boss", &ann));
    let refused = answers.into_iter().find(|answer| answer.status == 429);
    let refused = refused.expect("30 tests were sent");
    let after: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    refused.refuses(429, "too-many-requests");
}
