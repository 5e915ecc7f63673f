//! Mails that answer tickets.

use std::fs;

use upline::core::{Actor, Recipient};

use super::kit::{OPENS, Post, answer, mail};

const ANN: &str = "Ann Berg <ann@example.com>";
const LOW: &str = "Mr Low <low@example.com>";

fn person(name: &str) -> Actor {
    Actor::Person(name.into())
}

fn desk() -> Actor {
    Actor::System("mailbox desk".into())
}

fn is(state: &str, who: &str) -> (String, String) {
    (state.to_owned(), who.to_owned())
}

#[test]
fn a_word_in_an_answer_does_what_a_link_does() {
    let quoted = "\n\nOn Fri, 6 Mar 2026 at 09:10, Desk <desk@example.com> wrote:\n> accept?\n";
    for word in ["accept", "Accept.", "I am on it", "受理", "#accept"] {
        let mut post = Post::start("");
        let id = post.call();
        assert_eq!(post.standing(&id), is("dispatched", "ann"));
        let to = post.mail_to(&id, "ann");
        post.take("1", answer(ANN, &to, &format!("{word}{quoted}")));
        assert_eq!(post.standing(&id), is("working", "ann"), "{word}");
        assert_eq!(post.said(&id), [], "{word}");
        let origins = post.events(&id).len();
        // Read once more after a crash, it is the same.
        fs::rename(
            post.mail.path().join("cur/1:2,S"),
            post.mail.path().join("new/1"),
        )
        .unwrap();
        post.restart();
        post.look();
        assert_eq!(
            (post.events(&id).len(), post.at("cur").len()),
            (origins, 1),
            "{word}"
        );
    }
}

#[test]
fn what_stands_below_the_word_is_said_too() {
    let post = Post::start("");
    let id = post.call();
    let to = post.mail_to(&id, "ann");
    post.take("1", answer(ANN, &to, "受理\n\n马上到。\n-- \nAnn"));
    assert_eq!(post.standing(&id), is("working", "ann"));
    assert_eq!(post.said(&id), [(person("ann"), "马上到。".into(), false)]);
}

#[test]
fn who_declines_is_passed_over_at_once() {
    for word in ["decline", "Not me!", "不是我"] {
        let post = Post::start("");
        let id = post.call();
        let to = post.mail_to(&id, "ann");
        post.take("1", answer(ANN, &to, word));
        assert_eq!(post.standing(&id), is("dispatched", "bob"), "{word}");
    }
}

#[test]
fn what_is_no_word_is_a_comment() {
    let post = Post::start("");
    let id = post.call();
    let to = post.mail_to(&id, "ann");
    post.take(
        "1",
        answer(ANN, &to, "accept it or not, that is the question\n> quoted"),
    );
    assert_eq!(post.standing(&id), is("dispatched", "ann"));
    let text = "accept it or not, that is the question";
    assert_eq!(post.said(&id), [(person("ann"), text.into(), false)]);
    // By the address of the answer it is found too.
    let local = to.split('@').next().unwrap();
    let by_address = mail(
        ANN,
        &format!("Cc: desk+{local}@example.com\r\n"),
        "and more",
    );
    post.take("2", by_address);
    assert_eq!(post.said(&id).len(), 2);
    assert_eq!(post.aside(), [""; 0]);
}

#[test]
fn from_alone_moves_nothing() {
    let post = Post::start("");
    let id = post.call();
    let thread = post.threads().of_ticket(&id, "example.com");
    let to_ann = post.mail_to(&id, "ann");
    let to_bob = post.mail_to(&id, "bob");
    let made_up = to_ann.replace(".1-1.", ".1-2.");
    let forged = [
        answer(ANN, &thread, "accept"),
        answer(ANN, &to_bob, "accept"),
        answer(ANN, &made_up, "accept"),
        answer(ANN, "nothing@example.com", "accept"),
        answer("Bob <bob@example.com>", &to_ann, "accept"),
        answer("\"ann@example.com\" <evil@example.com>", &to_ann, "accept"),
        answer("ann@example.com.evil.example", &to_ann, "accept"),
        mail(
            ANN,
            &format!("Subject: ticket {id}\r\nReferences: <{id}@example.com>\r\n"),
            "accept",
        ),
    ];
    for (at, mail) in forged.iter().enumerate() {
        post.take(&format!("{at}"), mail);
        assert_eq!(post.standing(&id), is("dispatched", "ann"), "{mail}");
        assert_eq!(post.aside().len(), at + 1, "{mail}");
    }
    assert_eq!(post.said(&id), []);
}

#[test]
fn what_cannot_be_done_is_told_and_what_was_said_is_kept() {
    let post = Post::start("");
    let id = post.call();
    let to = post.mail_to(&id, "ann");
    post.act(&id, person("ann"), "accept");
    // It needs fields, so it needs more than a word.
    post.take("1", answer(ANN, &to, "resolve\nit was the cable"));
    assert_eq!(post.standing(&id), is("working", "ann"));
    let said = post.said(&id);
    assert_eq!(said[0], (person("ann"), "it was the cable".into(), false));
    assert_eq!(said[1].0, desk());
    assert!(
        said[1]
            .1
            .contains("ann asked for “resolve” by mail; it was not done"),
        "{said:?}"
    );

    // Three days later a word is no command any more.
    let post = Post::start("language = \"zh\"\n");
    let id = post.call();
    post.act(&id, person("ann"), "accept");
    let to = post.mail_to(&id, "ann");
    post.pass(73 * 60);
    let before = post.standing(&id);
    post.take("1", answer(ANN, &to, "pass-on"));
    assert_eq!(post.standing(&id), before);
    assert!(
        post.said(&id)[0].1.contains("所回复的邮件已超过三天"),
        "{:?}",
        post.said(&id)
    );
}

#[test]
fn a_customer_says_something_and_what_was_awaited_of_him() {
    let post = Post::start("on-answer = \"answer\"\n");
    let id = post.call();
    let thread = post.threads().of_ticket(&id, "example.com");
    // A customer gives no commands.
    post.take("1", answer(LOW, &thread, "accept"));
    assert_eq!(post.standing(&id), is("dispatched", "ann"));
    let caller = || Actor::Contact("caller".into());
    assert_eq!(post.said(&id), [(caller(), "accept".into(), true)]);

    post.act(&id, person("ann"), "accept");
    post.act(&id, person("ann"), "ask");
    assert_eq!(post.standing(&id).0, "waiting");
    let to = Recipient::Contact("caller".into());
    let to = post.threads().made(&id, post.clock.now(), &to);
    post.take(
        "2",
        answer(
            LOW,
            &to,
            "the red one\n\nAm 06.03.2026 um 09:10 schrieb Desk:\n> which?",
        ),
    );
    assert_eq!(post.standing(&id), is("working", "ann"));
    assert_eq!(post.said(&id)[1], (caller(), "the red one".into(), true));
}

#[test]
fn strangers_are_put_aside_or_heard() {
    let post = Post::start("strangers = \"comment\"\n");
    let id = post.call();
    let thread = post.threads().of_ticket(&id, "example.com");
    post.take("1", answer("Zoe <zoe@else.example>", &thread, "accept"));
    assert_eq!(post.standing(&id), is("dispatched", "ann"));
    let text = "From Zoe <zoe@else.example>, to whom no mail about this ticket went:\n\naccept";
    assert_eq!(post.said(&id), [(desk(), text.into(), false)]);
}

#[test]
fn an_answer_to_what_has_ended_is_put_aside_or_opens_anew() {
    for (section, opens) in [
        (OPENS.to_owned(), false),
        (format!("{OPENS}after-end = \"open\"\n"), true),
    ] {
        let post = Post::start(&section);
        let id = post.call();
        let to = Recipient::Contact("caller".into());
        let to = post.threads().made(&id, post.clock.now(), &to);
        let handle = post.handle();
        let cancel = upline::core::Wish::Cancel {
            reason: "test".into(),
        };
        let boss = Actor::Operator("boss".into());
        let cancel = upline::Submission::new(boss, cancel);
        post.runtime.block_on(handle.submit(&id, cancel)).unwrap();
        post.take("1", answer(LOW, &to, "it is back"));
        assert_eq!(
            (post.ticket("2").is_some(), post.aside().is_empty()),
            (opens, opens)
        );
        if let Some(ticket) = post.ticket("2") {
            let problem = ticket.fields["problem"].to_string();
            assert!(
                problem.starts_with("This answers ticket 1, which has ended."),
                "{problem}"
            );
            assert!(problem.ends_with("it is back"), "{problem}");
        }
    }
}
