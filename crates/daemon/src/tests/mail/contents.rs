//! What is in mails, and what must not be; and what became of each.

use serde_json::{Value, json};

use super::{dispatched, read, service, settings, timeline};
use crate::tell::is_digest;
use crate::tests::kit::{Service, shipped_copy};
use crate::tests::post::{Deed, PostOffice, Step};

#[test]
fn without_an_address_the_next_person_is_asked_and_the_reason_is_told() {
    let workflows = shipped_copy();
    let directory = workflows.path().join("directory.yaml");
    let text = std::fs::read_to_string(&directory).unwrap();
    let wrong = text.replace("mail: ann@example.com", "mail: ann@exam_ple..com");
    std::fs::write(&directory, wrong).unwrap();
    let post = PostOffice::open();
    let service = Service::with_mail(workflows, &settings(post.port, "")).unwrap();
    let id = dispatched(&service);
    assert_eq!(service.standing(&id).1, "bob");
    let told = timeline(&service, &id);
    assert!(told.contains("is no mail address"), "{told}");
    post.mails(1);
}

#[test]
fn a_broken_template_is_an_alarm_and_loses_no_message() {
    let post = PostOffice::open();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("assigned.en.txt");
    // It passes where there is no such field: only a message finds it out.
    let text = "Subject: mine\n\n{% if fields|length > 1 %}{{ fields[0].valu }}{% endif %}\n";
    std::fs::write(&own, text).unwrap();
    let service = service(
        post.port,
        &format!("templates = \"{}\"", folder.path().display()),
    );
    let templates = |service: &Service| {
        let ready = service.send("GET", "/readyz", &[], b"").is(200).json();
        let warnings = ready["warnings"].as_array().unwrap().clone();
        warnings.into_iter().find(|one| one["code"] == "templates")
    };
    assert_eq!(templates(&service), None);
    dispatched(&service);
    let mail = read(&post.mails(1)[0]);
    assert_eq!(
        mail.subject(),
        Some("[15 min] 1 Trouble ticket: no dial tone"),
        "the shipped one"
    );
    let told = templates(&service).unwrap()["detail"].to_string();
    assert!(
        told.contains("assigned.en.txt:3: undefined value"),
        "{told}"
    );
    // Mended, and read again.
    std::fs::write(&own, "Subject: mine\n\nPlease.\n").unwrap();
    service.runtime.block_on(service.daemon().reload()).unwrap();
    assert_eq!(templates(&service), None);
    service.pass(15);
    assert_eq!(read(&post.mails(2)[1]).subject(), Some("mine"));
}

#[test]
fn what_became_of_each_message_can_be_asked() {
    let post = PostOffice::open();
    let service = service(post.port, "");
    let told = |who: &str, query: &str| {
        let path = format!("/v1/tickets/1/messages{query}");
        service.get(who, &path).is(200).json()
    };
    let shown = |answer: &Value| -> Vec<[String; 5]> {
        let messages = answer["messages"].as_array().unwrap().iter();
        let of = |one: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let tries = one["tries"].to_string();
            [
                text(&one["to"]["name"]),
                text(&one["topic"]),
                text(&one["state"]),
                tries,
                text(&one["why"]),
            ]
        };
        messages.map(of).collect()
    };
    // Ann's mail can't go now; then it is over, because bob has the ticket.
    post.fails(Step::To, Deed::Says("450 4.2.0 come again"), 100);
    let id = dispatched(&service);
    let row = |row: [&str; 5]| row.map(str::to_owned);
    let why = "the mail server `127.0.0.1` refuses the recipient: 450 4.2.0 come again";
    assert_eq!(
        shown(&told("ann", "")),
        [row(["ann", "assigned", "waiting", "1", why])]
    );
    post.fails(Step::To, Deed::Says("450"), 0);
    service
        .clock
        .forward(std::time::Duration::from_secs(15 * 60));
    service.settle();
    let answer = told("eye", "");
    assert_eq!(shown(&answer)[0][2], "withdrawn", "{answer}");
    assert_eq!(
        shown(&answer)[1],
        row(["bob", "assigned", "delivered", "1", ""])
    );
    // A customer who left no address, and a person whom the server does not know.
    let bob = service.standing(&id).1;
    service.act(&bob, &id, "accept", &json!({})).is(200);
    service.settle();
    post.fails(Step::To, Deed::Says("550 5.1.1 who?"), 1);
    service.act(&bob, &id, "ask", &json!({})).is(200);
    service.settle();
    let answer = told("eye", "");
    let last = shown(&answer).pop().unwrap();
    assert_eq!(
        last[..4],
        row(["caller", "informed", "failed", "1", ""])[..4],
        "{answer}"
    );
    assert!(last[4].contains("550 5.1.1 who?"), "{answer}");
    let (key, settled) = (
        &answer["messages"][1]["key"],
        &answer["messages"][1]["settled"],
    );
    assert_eq!(
        (key, settled),
        (&json!("1-2"), &json!("2026-03-06T01:25:00Z"))
    );
    // By pieces it is the same; and not for everybody.
    let first = told("eye", "?limit=1");
    assert_eq!((shown(&first).len(), &first["next"]), (1, &json!(1)));
    assert_eq!(shown(&told("eye", "?after=1")), shown(&answer)[1..]);
    service
        .get("rosa", "/v1/tickets/1/messages")
        .refuses(404, "no-such-ticket");
    service
        .get("eye", "/v1/tickets/1/messages?limit=0")
        .refuses(400, "query-wrong");
}

#[test]
fn a_storm_is_one_mail_and_the_fate_of_each_message_is_known() {
    let workflows = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(workflows.path().join(name), text).unwrap();
    file(
        "desk.yaml",
        "directory: acme\nlast-resort: user max\n\
         people: { ann: { name: Ann, mail: ann@example.com }, max: { mail: max@example.com } }\n",
    );
    file(
        "call.yaml",
        "workflow: call\nstart: asked\nladders: { climb: [{ after: 15 min, assign: user max }] }\n\
         states:\n  asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }\n  \
         closed: { end: done }\n",
    );
    let post = PostOffice::open();
    let mail = settings(post.port, "digest-over = 2\ndigest-wait = \"5 s\"");
    let service = Service::with_mail(workflows, &mail).unwrap();
    let storm = |from: usize| {
        for number in from..from + 6 {
            let key = format!("k{number}");
            let body = json!({ "workflow": "call", "fields": {} });
            service
                .post("pbx", "/v1/tickets", &[("idempotency-key", &key)], &body)
                .is(201);
        }
        service.settle();
    };
    let states = |from: usize| -> Vec<Value> {
        let state = |id| {
            let path = format!("/v1/tickets/{id}/messages");
            service.get("eye", &path).is(200).json()["messages"][0]["state"].clone()
        };
        (from..from + 6).map(state).collect()
    };
    storm(1);
    let mails = post.mails(3);
    let digest = read(&mails[2]);
    assert_eq!(digest.subject(), Some("4 messages"));
    assert!(is_digest(digest.message_id().unwrap()));
    let text = super::text(&digest);
    for said in [
        "Nobody reads an answer to it",
        "these 4 messages are in one mail",
        "\n1. [15 min] 3 call\n",
        "4. [15 min] 6 call",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(text.matches("You have ticket").count() == 4, "{text}");
    assert_eq!(states(1), ["delivered"; 6]);
    // One that the server does not take now: all of it waits, and comes again.
    post.fails(Step::Content, Deed::Says("451 later"), 1);
    storm(7);
    assert_eq!(states(7), ["waiting"; 6]);
    service.pass(1);
    let mails = post.mails(4);
    assert_eq!(read(&mails[3]).subject(), Some("6 messages"));
    assert_eq!(states(7), ["delivered"; 6]);
}
