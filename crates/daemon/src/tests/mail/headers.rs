//! Every text that can get near a header, with everything that begins another one: what the mail server has got
//! has the headers that it is to have, and no others.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{read, settings};
use crate::tests::kit::{Service, shipped_copy, trouble};
use crate::tests::post::{Caught, PostOffice};

/// Texts that would begin a header, a body, another mail or a line of their own, if anything let them.
pub(in crate::tests) fn poisons() -> Vec<String> {
    let breaks = [
        "\r", "\n", "\r\n", "\r\n\r\n", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\0",
    ];
    let mut poisons: Vec<String> = breaks
        .iter()
        .map(|between| format!("x{between}Bcc: eve@example.com{between}y"))
        .collect();
    poisons.extend([
        "Bcc: eve@example.com".to_owned(),
        "x\r\n.\r\nMAIL FROM:<eve@example.com>\r\nRCPT TO:<eve@example.com>".to_owned(),
        "x\r\n Bcc: eve@example.com".to_owned(),
        "=?utf-8?Q?x=0D=0ABcc:_eve@example.com?=".to_owned(),
        "\u{202e}moc.elpmaxe@eve\u{2066}".to_owned(),
        "a".repeat(5_000),
        "a ".repeat(2_500),
        "退款未到账".repeat(600),
    ]);
    poisons
}

/// The headers of every mail of a service without `reply-to`.
const HEADERS: [&str; 12] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "List-Id",
    "MIME-Version",
    "Message-ID",
    "References",
    "Subject",
    "To",
    "X-Auto-Response-Suppress",
];

/// Those of mails that are about no one ticket.
const ABOUT_MANY: [&str; 2] = ["In-Reply-To", "References"];

/// The headers by name, unfolded.
fn headers(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        assert!(line.len() <= 998, "RFC 5322, 2.1.1: {line}");
        let is_plain = line
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\t');
        assert!(is_plain, "{line:?}");
        match (line.strip_prefix([' ', '\t']), headers.last_mut()) {
            (Some(more), Some((_, value))) => {
                value.push(' ');
                value.push_str(more.trim_start());
            }
            _ => {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?}"));
                headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
    headers.sort();
    headers
}

/// Looks at a mail: to whom it went, and each of its headers.
pub(in crate::tests) fn is_sound(mail: &Caught, more: &[&str]) {
    let (head, _) = mail.raw.split_once("\r\n\r\n").unwrap();
    let headers = headers(head);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let is_about_many = !names.contains(&"References");
    let left_out = |name: &str| is_about_many && ABOUT_MANY.contains(&name);
    let mut expected: Vec<&str> = HEADERS.into_iter().filter(|name| !left_out(name)).collect();
    expected.extend(more);
    // A mail of one part says here how that is written.
    if head.contains("\r\nContent-Type: text/plain") {
        expected.push("Content-Transfer-Encoding");
    }
    expected.sort_unstable();
    assert_eq!(names, expected, "{head}");
    let value = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!(value("Auto-Submitted"), "auto-generated");
    assert_eq!(value("X-Auto-Response-Suppress"), "All");
    assert_eq!(value("List-Id"), "Upline <upline.example.com>");
    assert_eq!(value("MIME-Version"), "1.0");
    assert!(value("From").ends_with("<desk@example.com>"), "{head}");
    // To whom the envelope says, and to nobody else.
    let [to] = &mail.to[..] else {
        panic!("{:?}", mail.to);
    };
    assert!(!to.contains("eve"), "{to}");
    let named = value("To");
    assert!(named == to || named.ends_with(&format!("<{to}>")), "{head}");
    assert_eq!(named.matches('@').count(), 1, "{head}");
    let parsed = read(mail);
    assert!(parsed.bcc().is_none() && parsed.cc().is_none(), "{head}");
    let subject = parsed.subject().unwrap_or_default();
    assert!(
        !subject.contains(['\r', '\n', '\0', '\u{2028}', '\u{202e}']),
        "{subject:?}"
    );
}

/// A body with this in the place, and what is not taken there.
fn opening(place: &str, poison: &str) -> Value {
    let mut body = trouble();
    match place {
        "key" => body["key"] = json!(poison),
        "name" => body["fields"]["caller"] = json!(format!("{poison} <low@example.com>")),
        "address" => body["fields"]["caller"] = json!(format!("low@example.com{poison}")),
        "text" => body["fields"]["problem"] = json!(poison),
        other => panic!("{other}"),
    }
    body
}

/// Does all with a ticket that sends mail: to whom it is given, who writes, and the customer.
fn goes_round(service: &Service, id: &str, text: &str) {
    service.act("tom", id, "open", &json!({})).is(200);
    service.settle();
    let (_, holder) = service.standing(id);
    service.act(&holder, id, "accept", &json!({})).is(200);
    for (who, to_caller) in [("boss", false), (holder.as_str(), true)] {
        let body = json!({ "text": text, "to-caller": to_caller });
        let said = service.act(who, id, "comment", &body);
        // What the core does not take gets into no mail.
        assert!([200, 422].contains(&said.status), "{said:?}");
    }
    let reason = json!({ "reason": text, "to": "lea" });
    let given = service.act("boss", id, "reassign", &reason);
    assert!([200, 422].contains(&given.status), "{given:?}");
    let (_, holder) = service.standing(id);
    service.act(&holder, id, "ask", &json!({})).is(200);
    service.settle();
}

#[test]
fn nothing_in_a_ticket_gets_into_a_header() {
    for place in ["key", "name", "address", "text"] {
        let post = PostOffice::open();
        let service = Service::with_mail(shipped_copy(), &settings(post.port, "")).unwrap();
        let mut taken = 0;
        for (number, poison) in poisons().iter().enumerate() {
            let key = number.to_string();
            let body = opening(place, poison);
            let opened = service.post("tom", "/v1/tickets", &[("idempotency-key", &key)], &body);
            match opened.status {
                201 => taken += 1,
                422 => continue,
                _ => panic!("{place} {poison:?}: {opened:?}"),
            }
            let id = opened.json()["id"].as_str().unwrap().to_owned();
            goes_round(&service, &id, poison);
            // So that nothing is gathered into one mail.
            service.pass(2);
        }
        let mails = post.taken();
        for mail in &mails {
            is_sound(mail, &[]);
        }
        let to_customer = mails.iter().filter(|mail| mail.to == ["low@example.com"]);
        let to_customer = to_customer.count();
        match place {
            "address" => assert!(to_customer < mails.len(), "{place}"),
            _ => assert!(
                to_customer >= taken && taken > 3,
                "{place}: {to_customer} of {taken}"
            ),
        }
        assert!(
            mails.len() > 2 * taken,
            "{place}: {} of {taken}",
            mails.len()
        );
    }
}

/// Puts it into the places of the files where it is taken: a person's name, titles, labels.
fn poisoned(poison: &str) -> (TempDir, usize) {
    let text = serde_json::to_string(poison).unwrap();
    let places = [
        ("directory.yaml", "name: Ann Berg", format!("name: {text}")),
        (
            "trouble-ticket.yaml",
            "{ en: Trouble ticket,",
            format!("{{ en: {text},"),
        ),
        (
            "trouble-ticket.yaml",
            "{ en: Waiting for an agent,",
            format!("{{ en: {text},"),
        ),
        (
            "trouble-ticket.yaml",
            "{ en: What happened?,",
            format!("{{ en: {text},"),
        ),
        (
            "trouble-ticket.yaml",
            "{ en: I am on it,",
            format!("{{ en: {text},"),
        ),
    ];
    let folder = shipped_copy();
    let desk = folder.path().join("directory.yaml");
    let people = fs::read_to_string(&desk).unwrap();
    // All is ann's, so that it is gathered for her.
    let hers = people.replace("members: [ann, bob, cem]", "members: [ann]");
    assert_ne!(people, hers);
    fs::write(desk, hers).unwrap();
    let mut taken = 0;
    for (file, from, to) in places {
        let path = folder.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = before.replacen(from, &to, 1);
        assert_ne!(before, after, "{file}: {from}");
        fs::write(&path, after).unwrap();
        match Service::on(copy(&folder)) {
            Ok(_) => taken += 1,
            Err(_) => fs::write(&path, before).unwrap(),
        }
    }
    (folder, taken)
}

fn copy(folder: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn nothing_in_a_file_gets_into_a_header() {
    let mut taken = 0;
    for poison in poisons() {
        let (workflows, places) = poisoned(&poison);
        taken += places;
        let templates = tempfile::tempdir().unwrap();
        let subject = serde_json::to_string(&poison).unwrap();
        let template = format!("Subject: {{{{ {subject} }}}} {{{{ ticket.title }}}}\n\ntext\n");
        fs::write(templates.path().join("commented.en.txt"), template).unwrap();
        let post = PostOffice::open();
        let more = format!(
            "digest-over = 2\ndigest-wait = \"1 s\"\ntemplates = \"{}\"",
            templates.path().display()
        );
        let settings = settings(post.port, &more);
        let service = Service::with_mail(workflows, &settings).unwrap();
        // At once, so that the last are gathered into one mail.
        let ids = ["a", "b", "c", "d"].map(|key| service.call("tom", key));
        for id in ids {
            let path = format!("/v1/tickets/{id}/actions/open");
            let any = [("if-match", "*")];
            service.post("tom", &path, &any, &json!({})).is(200);
        }
        service.settle();
        service.pass(2);
        let said = json!({ "text": "hello" });
        service.act("boss", "1", "comment", &said).is(200);
        service.settle();
        let mails = post.taken();
        assert!(mails.len() >= 4, "{poison:?}: {}", mails.len());
        let digests = mails
            .iter()
            .filter(|mail| !mail.raw.contains("\r\nReferences: "));
        assert_eq!(digests.count(), 1, "{poison:?}");
        for mail in &mails {
            is_sound(mail, &[]);
            assert_eq!(mail.to, ["ann@example.com"]);
        }
    }
    // What a file may hold is checked when it is read, so most of it is refused there.
    assert!(taken >= 5, "{taken}");
}
