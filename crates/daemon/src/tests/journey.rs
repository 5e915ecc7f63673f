//! A trouble ticket from the call to its close, with everything real: HTTP, a mail server, a mailbox, folders.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::kit::{Service, shipped_copy};
use super::mail::{header, read, settings, text, timeline};
use super::post::PostOffice;
use crate::mailbox::MailboxSettings;
use crate::tell::{Language, MailSettings};

/// A daemon that sends to this server and reads this mailbox.
fn service(office: &PostOffice, mailbox: &Path) -> Service {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(mailbox.join(part)).unwrap();
    }
    let mail: MailSettings = toml::from_str(&settings(office.port, "")).unwrap();
    let section = format!(
        "folder = \"{}\"\non-answer = \"answer\"\n",
        mailbox.display()
    );
    let section: MailboxSettings = toml::from_str(&section).unwrap();
    Service::with(shipped_copy(), move |start| {
        let public = "https://tickets.example.com/".parse().unwrap();
        start
            .mail(Some(mail.clone()))
            .links(public, Default::default(), Language::En)
            .mailboxes([("desk".to_owned(), section.clone())].into())
    })
    .unwrap()
}

/// The last mail that went to this address.
fn last(office: &PostOffice, to: &str) -> mail_parser::Message<'static> {
    let mails = office.taken();
    let own = mails
        .iter()
        .rev()
        .find(|mail| mail.to.iter().any(|one| one == to));
    read(own.unwrap_or_else(|| panic!("no mail went to {to}: {mails:#?}")))
}

/// The link of this label in a mail: its path, and the number beside it.
fn link(mail: &mail_parser::Message<'static>, label: &str) -> (String, String) {
    let text = text(mail);
    let (_, rest) = text
        .split_once(&format!("{label} (number to type: "))
        .unwrap();
    let (number, rest) = rest.split_once("):\n").unwrap();
    let address = rest.lines().next().unwrap();
    let path = address.strip_prefix("https://tickets.example.com").unwrap();
    (path.to_owned(), number.to_owned())
}

/// Somebody answers a mail from his own mail program.
fn answers(
    service: &Service,
    mailbox: &Path,
    from: &str,
    to: &mail_parser::Message<'static>,
    said: &str,
) {
    let id = header(to, "Message-ID");
    let own = blake3::hash(said.as_bytes()).to_hex();
    let mail = format!(
        "From: {from}\r\nTo: desk@example.com\r\nMessage-ID: <{own}@client.example.com>\r\n\
         In-Reply-To: {id}\r\nReferences: {} {id}\r\nSubject: Re: it\r\n\
         Date: Fri, 6 Mar 2026 09:00:00 +0800\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{said}\r\n\r\n> what stood there\r\n",
        header(to, "References"),
    );
    fs::write(mailbox.join("new").join(&own[..8]), mail).unwrap();
    service.runtime.block_on(service.daemon().take_mail());
    service.settle();
}

fn press(service: &Service, (path, number): &(String, String)) {
    let page = service.send("GET", path, &[], b"").is(200);
    assert!(page.text.contains("no dial tone"), "{}", page.text);
    service.clock.forward(Duration::from_secs(10));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let form = format!("number={number}");
    service
        .send("POST", path, &headers, form.as_bytes())
        .is(200);
    service.settle();
}

#[test]
fn a_call_is_solved_by_people_who_only_read_their_mail() {
    let (office, mailbox) = (PostOffice::open(), tempfile::tempdir().unwrap());
    let mailbox = mailbox.path();
    let mut service = service(&office, mailbox);
    let id = service.call("tom", "call-4711");
    service.act("tom", &id, "open", &json!({})).is(200);
    service.settle();
    let is = |service: &Service, state: &str, who: &str| {
        service.settle();
        assert_eq!(service.standing(&id), (state.to_owned(), who.to_owned()));
    };
    is(&service, "dispatched", "ann");
    let first = last(&office, "ann@example.com");

    // Nobody acts: two colleagues, over a restart in the middle of the wait.
    service.pass(15);
    is(&service, "dispatched", "bob");
    service.pass(7);
    service.restart();
    is(&service, "dispatched", "bob");
    service.pass(8);
    is(&service, "dispatched", "cem");
    // The next is due while nothing runs: it happens at the start.
    service.stop();
    service.clock.forward(Duration::from_secs(20 * 60));
    service.start_again();
    is(&service, "dispatched", "lea");

    // The lead takes it by the link; the link of the first one asked is void.
    let lost = link(&first, "I am on it");
    service.send("GET", &lost.0, &[], b"").is(410);
    press(
        &service,
        &link(&last(&office, "lea@example.com"), "I am on it"),
    );
    is(&service, "working", "lea");

    // She asks the caller, who answers his mail.
    service.act("lea", &id, "ask", &json!({})).is(200);
    is(&service, "waiting", "lea");
    let asked = last(&office, "low@example.com");
    answers(
        &service,
        mailbox,
        "Mr Low <low@example.com>",
        &asked,
        "The red lamp is on.",
    );
    is(&service, "working", "lea");
    let fields = json!({ "fields": { "cause": "Hardware", "solution": "new cable" } });
    service.act("lea", &id, "resolve", &fields).is(200);
    service.act("boss", &id, "confirm", &json!({})).is(200);
    is(&service, "learning", "lea");
    service.act("lea", &id, "skip", &json!({})).is(200);

    let ended = service
        .get("eye", &format!("/v1/tickets/{id}"))
        .is(200)
        .json();
    assert_eq!(ended["ended"]["outcome"], "done");
    let told = timeline(&service, &id);
    for expected in [
        "The red lamp is on.",
        "link",
        "mailbox desk",
        "to bob",
        "to cem",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    // All mails to one person are one conversation.
    let threads = office.taken();
    let threads = threads
        .iter()
        .map(|mail| header(&read(mail), "References").to_owned());
    let threads: std::collections::BTreeSet<String> = threads.collect();
    assert_eq!(threads.len(), 1, "{threads:?}");
}
