//! Mail out and mail in: what was sent is answered, and the answer is found.

use mail_parser::{Address, MessageParser};
use upline::core::Actor;

use super::kit::{Post, answer, mail};
use crate::tests::post::PostOffice;

const ANN: &str = "Ann Berg <ann@example.com>";

/// The id of a mail that was sent, and the address that its answers go to.
fn sent(raw: &str) -> (String, String) {
    let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
    let answers = mail.reply_to().and_then(Address::first).unwrap();
    let answers = answers.address().unwrap().to_owned();
    (mail.message_id().unwrap().to_owned(), answers)
}

#[test]
fn a_mail_that_was_sent_is_answered_and_the_ladder_stops_climbing() {
    let office = PostOffice::open();
    let mut post = Post::start("");
    post.send_by(office.port);
    let id = post.call();
    post.pass(0);
    let mails = office.mails(1);
    assert_eq!(mails[0].to, ["ann@example.com"]);
    let (to_ann, _) = sent(&mails[0].raw);

    // Bob answers Ann's mail, which was passed on to him; then nobody answers.
    post.take("1", answer("bob@example.com", &to_ann, "accept"));
    assert_eq!(post.aside().len(), 1);
    post.pass(15);
    assert_eq!(post.standing(&id), ("dispatched".into(), "bob".into()));
    let (_, answers) = sent(&office.mails(2)[1].raw);

    // Ann comes too late, and says so; Bob answers to the address that his mail names.
    post.take("2", answer(ANN, &to_ann, "accept\n\nsorry"));
    assert_eq!(post.standing(&id), ("dispatched".into(), "bob".into()));
    assert!(
        post.said(&id)
            .iter()
            .any(|(_, text, _)| text.contains("it was not done"))
    );
    let to = format!("X-Original-To: {answers}\r\nSubject: Re:\r\n");
    post.take("3", mail("Bob Stone <bob@example.com>", &to, "受理"));
    assert_eq!(post.standing(&id), ("working".into(), "bob".into()));

    // One that comes back to the mailbox answers nobody.
    post.take("4", &mails[0].raw);
    assert_eq!(post.aside().len(), 2);
}

/// A conversation: each is told what the other has said, and nobody what he has said himself.
#[test]
fn the_caller_and_whoever_has_his_ticket_write_to_each_other() {
    let office = PostOffice::open();
    let mut post = Post::start("");
    post.send_by(office.port);
    let id = post.call();
    let ann = || Actor::Person("ann".into());
    post.act(&id, ann(), "accept");
    post.pass(0);
    let begun = office.mails(1).len();
    assert_eq!(begun, 1);

    post.tell_caller(&id, ann(), "Which socket is it?\nThe one in the hall?");
    let mails = office.mails(2);
    assert_eq!(mails[1].to, ["low@example.com"]);
    let (letter, text) = read(&mails[1].raw);
    assert!(letter.starts_with(&format!("{id} ")), "{letter}");
    assert!(
        text.contains("Which socket is it?\nThe one in the hall?"),
        "{text}"
    );
    assert!(!text.contains("Ann"), "names nobody inside: {text}");

    let (to_caller, _) = sent(&mails[1].raw);
    post.take(
        "1",
        answer("Mr Low <low@example.com>", &to_caller, "In the kitchen."),
    );
    post.pass(0);
    let mails = office.mails(3);
    assert_eq!(mails[2].to, ["ann@example.com"]);
    let (letter, text) = read(&mails[2].raw);
    assert!(letter.contains(&id), "{letter}");
    assert!(
        text.contains("Mr Low has written") && text.contains("\n> In the kitchen.\n"),
        "{text}"
    );
    post.pass(0);
    assert_eq!(office.mails(3).len(), 3);
}

/// A caller without an address can't be answered by mail: whoever has said it learns that, once.
#[test]
fn what_does_not_reach_the_caller_is_told_to_whoever_has_the_ticket() {
    let office = PostOffice::open();
    let mut post = Post::start("");
    post.send_by(office.port);
    let id = post.call_of("+49 30 1234567");
    let ann = || Actor::Person("ann".into());
    post.act(&id, ann(), "accept");
    post.pass(0);
    assert_eq!(office.mails(1).len(), 1);
    post.tell_caller(&id, ann(), "Which socket is it?");
    post.pass(0);
    post.pass(0);
    let mails = office.mails(2);
    assert_eq!(
        (mails.len(), mails[1].to.as_slice()),
        (2, &["ann@example.com".to_owned()][..])
    );
    let (_, text) = read(&mails[1].raw);
    let told = "upline has written";
    assert!(
        text.contains(told) && text.contains("> What was said to the caller has not reached him:"),
        "{text}"
    );
    let said = post.said(&id);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[1].0, Actor::System("upline".into()));
}

/// Subject and text of a mail.
fn read(raw: &str) -> (String, String) {
    let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    (mail.subject().unwrap().to_owned(), text)
}
