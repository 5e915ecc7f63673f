//! Who wrote a word of command that was not carried out learns it by mail.

use std::net::TcpListener;

use mail_parser::MessageParser;
use upline::core::{Actor, Name};

use super::kit::{Post, answer, mail};
use crate::mailbox::MAX_REPLIES_PER_HOUR;
use crate::tests::mail::headers;
use crate::tests::post::{Caught, PostOffice};

const ANN: &str = "Ann Berg <ann@example.com>";

fn person(name: &str) -> Actor {
    Actor::Person(name.into())
}

/// The subject and the text of the replies that went out.
fn replies(office: &PostOffice) -> Vec<(Caught, String, String)> {
    let all = office.taken().into_iter().map(|caught| {
        let mail = MessageParser::default()
            .parse(caught.raw.as_bytes())
            .unwrap();
        let subject = mail.subject().unwrap_or_default().to_owned();
        let text = mail.body_text(0).unwrap_or_default().into_owned();
        (caught, subject, text)
    });
    let is_reply = |subject: &str| subject.starts_with("Not done") || subject.starts_with("未执行");
    all.filter(|(_, subject, _)| is_reply(subject)).collect()
}

/// A ticket that ann has, and a mail office that sends.
fn working() -> (PostOffice, Post, String) {
    let office = PostOffice::open();
    let mut post = Post::start("");
    post.send_by(office.port);
    let id = post.call();
    post.act(&id, person("ann"), "accept");
    (office, post, id)
}

#[test]
fn what_was_not_done_is_answered_once_to_the_address_in_the_directory() {
    let (office, post, id) = working();
    let to = post.mail_to(&id, "ann");
    // It needs fields, so it needs more than a word.
    let word = answer(ANN, &to, "resolve\nit was the cable");
    post.take("1", &word);
    let sent = replies(&office);
    let (caught, subject, text) = &sent[0];
    assert_eq!(caught.to, ["ann@example.com"]);
    assert_eq!(subject, &format!("Not done: resolve (ticket {id})"));
    assert!(text.contains("needs more than a word"), "{text}");
    for header in [
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
    ] {
        assert!(caught.raw.contains(header), "{}", caught.raw);
    }
    // Read again, it is the same mail; with a word that is done, there is none.
    post.take("2", &word);
    assert_eq!(
        replies(&office)
            .iter()
            .filter(|one| one.0.raw != caught.raw)
            .count(),
        0
    );
    let before = replies(&office).len();
    post.take("3", answer(ANN, &to, "pass-on"));
    assert_eq!(post.standing(&id).0, "dispatched");
    assert_eq!(replies(&office).len(), before);
    // She may answer the reply itself: it went to her alone.
    let reply = MessageParser::default()
        .parse(caught.raw.as_bytes())
        .unwrap();
    let own = reply.message_id().unwrap().to_owned();
    let holder = post.standing(&id).1;
    post.take(
        "4",
        answer(&format!("{holder}@example.com"), &own, "accept"),
    );
    let acted = post.standing(&id).0 == "working";
    assert_eq!(acted, holder == "ann", "only she may");
}

#[test]
fn nobody_else_is_answered_and_no_program() {
    let (office, post, id) = working();
    let (to_ann, to_bob) = (post.mail_to(&id, "ann"), post.mail_to(&id, "bob"));
    let automatic = format!("Auto-Submitted: auto-replied\r\nIn-Reply-To: <{to_ann}>\r\n");
    for (name, mail) in [
        ("1", answer("evil@else.example", &to_ann, "resolve")),
        ("2", answer(ANN, &to_bob, "resolve")),
        ("3", mail(ANN, &automatic, "resolve")),
        ("4", answer("Mr Low <low@example.com>", &to_ann, "resolve")),
    ] {
        post.take(name, mail);
    }
    assert_eq!(replies(&office).len(), 0);
    // Whoever writes without end is answered some times, and the ticket tells the rest.
    for at in 0..MAX_REPLIES_PER_HOUR + 3 {
        post.take(
            &format!("n{at}"),
            answer(ANN, &to_ann, &format!("resolve\n{at}")),
        );
    }
    assert_eq!(replies(&office).len(), MAX_REPLIES_PER_HOUR);
    post.pass(61);
    post.take("later", answer(ANN, &to_ann, "resolve\nagain"));
    assert_eq!(replies(&office).len(), MAX_REPLIES_PER_HOUR + 1);
}

#[test]
fn a_reply_waits_for_the_server_over_a_restart() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let mut post = Post::start("");
    post.send_by(port);
    let id = post.call();
    post.act(&id, person("ann"), "accept");
    let to = post.mail_to(&id, "ann");
    post.take("1", answer(ANN, &to, "resolve"));
    let waiting = post.data.path().join("mailbox.desk.replies");
    assert!(waiting.exists());
    assert_eq!(post.at("cur").len(), 1, "the mail itself is taken");
    let office = PostOffice::open();
    post.send_by(office.port);
    post.look();
    assert_eq!(replies(&office).len(), 1);
    assert!(!waiting.exists());
    post.pass(5);
    post.look();
    assert_eq!(replies(&office).len(), 1);
}

#[test]
fn it_is_told_in_the_language_of_whoever_wrote() {
    let office = PostOffice::open();
    let mut post = Post::start("");
    post.send_by(office.port);
    let fields: Vec<(Name, String)> = [("severity", "Sev 1"), ("summary", "x"), ("alert", "cpu")]
        .map(|(field, value)| (Name::from(field), value.to_owned()))
        .into();
    let handle = post.handle();
    let open = handle.open("it-incident", Actor::System("test".into()), fields);
    let id = post.runtime.block_on(open).unwrap().id;
    let (state, who) = post.standing(&id);
    assert_eq!((state.as_str(), who.as_str()), ("paged", "chen-hao"));
    let to = post.mail_to(&id, &who);
    post.take("1", answer("chen.hao@example.com", &to, "major"));
    let sent = replies(&office);
    assert_eq!(sent[0].1, format!("未执行：major（工单 {id}）"));
    assert!(sent[0].2.contains("此人目前无权执行"), "{}", sent[0].2);
    // Of what has ended too, though the mail is put aside.
    let cancel = upline::core::Wish::Cancel {
        reason: "test".into(),
    };
    let cancel = upline::Submission::new(Actor::Operator("boss".into()), cancel);
    post.runtime.block_on(handle.submit(&id, cancel)).unwrap();
    post.take("2", answer("chen.hao@example.com", &to, "acknowledge"));
    assert_eq!(post.aside().len(), 1);
    assert_eq!(replies(&office).len(), 2);
}

#[test]
fn nothing_in_a_mail_gets_into_the_headers_of_its_answer() {
    use base64::Engine as _;
    let (office, post, id) = working();
    let to = post.mail_to(&id, "ann");
    for (number, poison) in headers::poisons().iter().enumerate() {
        let before = replies(&office).len();
        let subject = base64::engine::general_purpose::STANDARD.encode(poison);
        let more = format!("In-Reply-To: <{to}>\r\nSubject: =?utf-8?B?{subject}?=\r\n");
        post.take(&number.to_string(), mail(ANN, &more, "resolve\nplease"));
        assert_eq!(replies(&office).len(), before + 1, "{poison:?}");
        // Behind a word of command stands whatever its writer likes.
        let odd = mail(ANN, &more, &format!("resolve {poison}"));
        post.take(&format!("odd{number}"), odd);
        // Of so many in an hour no more are answered.
        post.pass(61);
    }
    for mail in office.taken() {
        headers::is_sound(&mail, &["Reply-To"]);
    }
}
