//! Mail from a real daemon to a real mail server.

mod contents;
mod flood;
pub(super) mod headers;
mod operator;
mod tls;

use std::net::TcpListener;

use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};

use super::kit::{Service, shipped_copy};
use crate::thread::Threads;

use super::post::{Caught, Deed, PostOffice, Step};

pub(super) fn settings(port: u16, more: &str) -> String {
    format!(
        "server = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n\
         from = \"Service Desk <desk@example.com>\"\n{more}"
    )
}

pub(super) fn service(port: u16, more: &str) -> Service {
    Service::with_mail(shipped_copy(), &settings(port, more)).unwrap()
}

pub(super) fn read(caught: &Caught) -> Message<'static> {
    MessageParser::default()
        .parse(caught.raw.as_bytes())
        .unwrap()
        .into_owned()
}

pub(super) fn header<'a>(mail: &'a Message<'static>, name: &'static str) -> &'a str {
    mail.header_raw(name).unwrap_or_default().trim()
}

pub(super) fn text(mail: &Message<'static>) -> String {
    mail.body_text(0).unwrap().replace("\r\n", "\n")
}

/// A trouble ticket that the desk has; ann is asked first.
pub(super) fn dispatched(service: &Service) -> String {
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    service.settle();
    id
}

pub(super) fn timeline(service: &Service, id: &str) -> String {
    service
        .get("eye", &format!("/v1/tickets/{id}/timeline"))
        .is(200)
        .text
}

pub(super) fn alarms(service: &Service) -> Vec<Value> {
    let ready = service.send("GET", "/readyz", &[], b"").is(200).json();
    let warnings = ready["warnings"].as_array().unwrap().iter();
    warnings
        .filter(|one| one["code"] == "mail")
        .cloned()
        .collect()
}

#[test]
fn whoever_is_asked_gets_a_mail_that_says_all() {
    let post = PostOffice::open();
    let service = service(post.port, "reply-to = \"Answers <desk@example.com>\"");
    let id = dispatched(&service);
    service.pass(15);
    let mails = post.mails(2);
    assert_eq!(
        (mails[0].from.as_str(), &mails[0].to[..]),
        ("desk@example.com", &["ann@example.com".to_owned()][..])
    );
    assert_eq!(mails[1].to, ["bob@example.com"]);

    let first = read(&mails[0]);
    assert_eq!(
        first.subject(),
        Some("[15 min] 1 Trouble ticket: no dial tone")
    );
    assert_eq!(
        header(&first, "From"),
        "\"Service Desk\" <desk@example.com>"
    );
    assert_eq!(header(&first, "To"), "\"Ann Berg\" <ann@example.com>");
    let answers = header(&first, "Reply-To");
    assert!(answers.starts_with("Answers <desk+up.t1.1-1."), "{answers}");
    let mark = Threads::read(answers.split_once(' ').unwrap().1).unwrap();
    assert_eq!(
        (mark.ticket.as_str(), mark.told.unwrap().key.as_str()),
        (id.as_str(), "1-1")
    );
    assert_eq!(header(&first, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&first, "List-Id"), "Upline <upline.example.com>");
    assert_eq!(header(&first, "Date"), "Fri, 06 Mar 2026 01:10:00 +0000");
    let text = text(&first);
    for said in [
        "You have ticket 1 now: Trouble ticket, Waiting for an agent.",
        "If nobody acts by Fri 2026-03-06 09:25 +08:00 (in 15 min), it passes to another person in service-desk.",
        "Who has it:  Ann Berg (you)",
        "Why you:     the least busy in service-desk",
        "You can:     I am on it · decline it: not me",
        "Caller:\nMr Low <low@example.com>",
        "What happened?\nno dial tone",
        "Times are those of Asia/Shanghai.",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let html = first.body_html(0).unwrap();
    assert!(
        html.contains("<p>You have ticket 1 now: Trouble ticket, Waiting for an agent.</p>"),
        "{html}"
    );
    assert!(html.contains("Mr Low &lt;low@example.com&gt;"), "{html}");

    // All mails about a ticket are one thread, and each is itself.
    let second = read(&mails[1]);
    let thread = header(&first, "References");
    assert!(
        thread.starts_with("<up.t1.") && thread.ends_with("@example.com>"),
        "{thread}"
    );
    for mail in [&first, &second] {
        assert_eq!(
            (header(mail, "References"), header(mail, "In-Reply-To")),
            (thread, thread)
        );
    }
    assert_ne!(header(&first, "Message-ID"), header(&second, "Message-ID"));
    assert!(
        second.subject().unwrap().starts_with("[L1 · 15 min] 1 "),
        "{:?}",
        second.subject()
    );
    assert!(alarms(&service).is_empty());
}

#[test]
fn each_reads_his_own_language_and_time_zone() {
    let post = PostOffice::open();
    let service = service(post.port, "");
    let body = json!({
        "workflow": "complaint",
        "fields": { "customer": "陈女士 <chen@example.com>", "complaint": "退款 <b>未到账</b>" },
    });
    let opened = service
        .post("pbx", "/v1/tickets", &[("idempotency-key", "a")], &body)
        .is(201);
    assert_eq!(opened.json()["positions"][0]["answerable"], "wang-fang");
    service.settle();
    let mail = read(&post.mails(1)[0]);
    assert_eq!(
        mail.subject(),
        Some("[2 小时] 1 投诉与退款：退款 <b>未到账</b>")
    );
    let text = text(&mail);
    for said in [
        "工单 1 现由您处理：投诉与退款，收到投诉。",
        "若 2026-03-06 周五 11:10 +08:00 前（还有 2 小时）无人处理，将转给 complaints 的另一位同事。",
        "处理人：  王芳 (Wang Fang)（您）",
        "投诉内容：\n退款 <b>未到账</b>",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let html = mail.body_html(0).unwrap();
    assert!(
        html.contains("退款 &lt;b&gt;未到账&lt;&#x2f;b&gt;") && !html.contains("<b>未"),
        "{html}"
    );
    assert!(html.contains("<html lang=\"zh-CN\">"), "{html}");
}

#[test]
fn a_customer_learns_what_concerns_him_and_nothing_of_the_inside() {
    let post = PostOffice::open();
    let service = service(post.port, "");
    let id = dispatched(&service);
    service.act("ann", &id, "accept", &json!({})).is(200);
    service.act("ann", &id, "ask", &json!({})).is(200);
    service.settle();
    let mails = post.mails(2);
    assert_eq!(mails[1].to, ["low@example.com"]);
    let mail = read(&mails[1]);
    assert_eq!(
        mail.subject(),
        Some("1 Trouble ticket: Waiting for the caller")
    );
    assert_eq!(header(&mail, "To"), "\"Mr Low\" <low@example.com>");
    let (text, html) = (text(&mail), mail.body_html(0).unwrap());
    assert!(
        text.contains("Dear Mr Low,\n\nthis is about your request 1 (Trouble ticket)."),
        "{text}"
    );
    for inside in [
        "ann",
        "Ann",
        "service-desk",
        "L1",
        "level",
        "lea",
        "nobody acts",
        "decline",
    ] {
        assert!(
            !text.contains(inside) && !html.contains(inside),
            "{inside}\n{text}\n{html}"
        );
    }
}

#[test]
fn what_the_server_refuses_for_good_goes_to_the_next_person_at_once() {
    for (step, answer) in [
        (Step::To, "550 5.1.1 no such user"),
        (Step::Content, "554 5.7.1 looks like spam"),
    ] {
        let post = PostOffice::open();
        let service = service(post.port, "");
        post.fails(step, Deed::Says(answer), 1);
        let id = dispatched(&service);
        assert_eq!(service.standing(&id).1, "bob", "{answer}");
        assert_eq!(post.mails(1)[0].to, ["bob@example.com"]);
        let told = timeline(&service, &id);
        assert!(told.contains(answer), "{told}");
        assert!(alarms(&service).is_empty(), "{answer}");
        let figures = service.get("eye", "/metrics").is(200).text;
        let failed = "\nupline_notification_failures_total{channel=\"mail\"} 1\n";
        assert!(figures.contains(failed), "{figures}");
    }
}

#[test]
fn what_the_operator_must_mend_waits_for_him() {
    let says = Deed::Says;
    for (step, deed, told) in [
        (
            Step::Greeting,
            says("554 5.3.2 no service for you"),
            "554 5.3.2 no service for you",
        ),
        (Step::Hello, says("550 go away"), "550 go away"),
        (
            Step::From,
            says("553 5.7.1 not your address"),
            "does not take our sender: 553",
        ),
        (
            Step::From,
            says("530 5.7.0 log in first"),
            "530 5.7.0 log in first",
        ),
        (
            Step::To,
            says("554 5.7.1 Relay access denied"),
            "Relay access denied",
        ),
        (
            Step::To,
            says("530 5.7.0 Authentication required"),
            "Authentication required",
        ),
        (Step::Greeting, Deed::Drops, "can't be reached"),
        (Step::Greeting, Deed::Hangs, "took longer than 1 s"),
        (Step::Content, Deed::Hangs, "took longer than 1 s"),
    ] {
        let post = PostOffice::open();
        let service = service(post.port, "timeout = \"1 s\"");
        post.fails(step, deed, 1);
        let id = dispatched(&service);
        assert_eq!(service.standing(&id).1, "ann", "{deed:?}");
        let alarm = alarms(&service);
        let why = alarm[0]["detail"].as_str().unwrap();
        assert!(why.contains(told), "{deed:?}: {why}");
        // The next try, and all is well.
        service.pass(1);
        assert_eq!(post.mails(1)[0].to, ["ann@example.com"], "{deed:?}");
        assert!(alarms(&service).is_empty(), "{deed:?}");
    }
}

#[test]
fn what_passes_is_tried_again_and_is_nobodys_fault() {
    for (step, deed) in [
        (Step::Greeting, Deed::Says("421 4.3.2 too busy")),
        (Step::To, Deed::Says("450 4.2.0 greylisted")),
        (Step::To, Deed::Drops),
        (Step::Data, Deed::Says("451 4.3.0 later")),
        (Step::Content, Deed::Says("452 4.3.1 no room")),
        (Step::Content, Deed::Drops),
    ] {
        let post = PostOffice::open();
        let service = service(post.port, "");
        post.fails(step, deed, 2);
        let id = dispatched(&service);
        service.pass(1);
        assert_eq!(service.standing(&id).1, "ann", "{deed:?}");
        assert!(alarms(&service).is_empty(), "{deed:?}");
        service.pass(1);
        assert_eq!(
            post.mails(1)[0].to,
            ["ann@example.com"],
            "{step:?} {deed:?}"
        );
        assert!(timeline(&service, &id).contains("mail delivered"));
    }
}

#[test]
fn a_mail_whose_answer_was_lost_comes_again_as_the_same_mail() {
    let post = PostOffice::open();
    let service = service(post.port, "");
    post.fails(Step::Content, Deed::TakesAndDrops, 1);
    dispatched(&service);
    post.mails(1);
    service.pass(1);
    let mails = post.mails(2);
    let [first, second] = [read(&mails[0]), read(&mails[1])];
    let id = first.message_id().unwrap();
    assert!(id.starts_with("up.t1.1-1."), "{id}");
    assert_eq!(second.message_id(), Some(id));
    assert_eq!(header(&first, "Date"), header(&second, "Date"));
}

#[test]
fn a_server_that_is_not_there_is_an_alarm_until_it_is() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let service = service(port, "");
    let id = dispatched(&service);
    let why = alarms(&service)[0]["detail"].as_str().unwrap().to_owned();
    assert!(
        why.contains("can't be reached") && why.contains("refused"),
        "{why}"
    );
    assert_eq!(service.standing(&id).1, "ann");
}

#[test]
fn a_login_is_used_and_a_wrong_one_is_the_operators_to_mend() {
    let post = PostOffice::closed();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "simsalabim\n").unwrap();
    let more = format!(
        "user = \"upline\"\npassword = {{ file = \"{}\" }}",
        password.display()
    );
    let service = service(post.port, &more);
    let id = dispatched(&service);
    let why = alarms(&service)[0]["detail"].as_str().unwrap().to_owned();
    assert!(
        why.contains("does not let us in: 535") && !why.contains("simsalabim"),
        "{why}"
    );
    assert_eq!(service.standing(&id).1, "ann");
    // The file is read anew: nobody needs to start the daemon again.
    std::fs::write(&password, "sesame\n").unwrap();
    service.pass(1);
    post.mails(1);
    assert_eq!(post.logins(), ["upline:simsalabim", "upline:sesame"]);
    assert!(alarms(&service).is_empty());
}

#[test]
fn without_tls_where_it_was_asked_for_nothing_is_sent() {
    for (security, told) in [
        ("starttls", "has no STARTTLS: nothing is sent"),
        ("tls", "can't be reached"),
    ] {
        let post = PostOffice::open();
        let more = "user = \"upline\"\npassword = { env = \"PATH\" }\ntimeout = \"5 s\"";
        let settings = settings(post.port, more).replace("\"none\"", &format!("\"{security}\""));
        let service = Service::with_mail(shipped_copy(), &settings).unwrap();
        let id = dispatched(&service);
        let why = alarms(&service)[0]["detail"].as_str().unwrap().to_owned();
        assert!(why.contains(told), "{security}: {why}");
        assert_eq!(service.standing(&id).1, "ann");
        assert!(post.mails(0).is_empty() && post.logins().is_empty());
    }
}

#[test]
fn what_the_section_names_and_can_not_be_had_starts_nothing() {
    for (more, told) in [
        (
            "user = \"a\"\npassword = { file = \"nowhere\" }",
            "`password`: file `nowhere`",
        ),
        (
            "user = \"a\"\npassword = { env = \"UPLINE_NOT_SET\" }",
            "is not set",
        ),
    ] {
        let started = Service::with_mail(shipped_copy(), &settings(25, more));
        let error = started.err().unwrap().to_string();
        assert!(
            error.starts_with("`[mail]`: ") && error.contains(told),
            "{error}"
        );
    }
    let tls = settings(25, "ca = \"nowhere.pem\"").replace("\"none\"", "\"tls\"");
    let error = Service::with_mail(shipped_copy(), &tls)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("`ca`: `nowhere.pem`"), "{error}");
}
