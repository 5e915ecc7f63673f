//! The mailbox of the document: its tickets go to a desk, and a customer who answers lets them go on.

use std::path::Path;

use upline::core::{Actor, Recipient};

use super::kit::{Post, answer, mail, mailboxes};

const LOW: &str = "Mr Low <low@example.com>";

/// What the section says besides where the mail is.
fn documented() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mail-in.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = text.split("```toml\n[mailbox.desk]\n").nth(1).unwrap();
    let lines = block.split("```").next().unwrap().lines();
    let place = ["server", "user", "password"];
    let rest = lines.filter(|line| !place.iter().any(|field| line.starts_with(field)));
    rest.map(|line| format!("{line}\n")).collect()
}

fn person(name: &str) -> Actor {
    Actor::Person(name.into())
}

/// The customer answers the last mail that he got.
fn answered(post: &Post, name: &str, text: &str) -> (String, String) {
    let to = Recipient::Contact("sender".into());
    let to = post.threads().made("1", post.clock.now(), &to);
    post.take(name, answer(LOW, &to, text));
    post.standing("1")
}

#[test]
fn a_mail_goes_to_the_desk_and_answers_let_it_go_on_and_open_it_again() {
    let post = Post::start(&documented());
    post.take("1", mail(LOW, "Subject: hello\r\n", "no signal"));
    assert_eq!(post.aside(), [""; 0]);
    let is = |state: &str, who: &str| (state.to_owned(), who.to_owned());
    assert_eq!(post.standing("1"), is("asked", "ann"));

    // While somebody works on it, it is something that he says and no more.
    post.act("1", person("ann"), "accept");
    assert_eq!(
        answered(&post, "2", "in the east wing"),
        is("working", "ann")
    );
    post.act("1", person("ann"), "ask");
    assert_eq!(
        answered(&post, "3", "the second floor"),
        is("working", "ann")
    );
    post.act("1", person("ann"), "resolve");
    assert_eq!(post.standing("1").0, "resolved");
    assert_eq!(answered(&post, "4", "not yet").0, "asked");
    let said: Vec<String> = post
        .said("1")
        .into_iter()
        .map(|(_, text, _)| text)
        .collect();
    assert_eq!(said, ["in the east wing", "the second floor", "not yet"]);
}

#[test]
fn what_an_answer_stands_for_is_a_name_or_several() {
    let section = |on_answer: &str| {
        let text = format!("[mailbox.desk]\nfolder = \"m\"\non-answer = {on_answer}\n");
        mailboxes(&text).map(|all| all["desk"].on_answer.clone().unwrap().names().to_vec())
    };
    assert_eq!(section("\"answer\"").unwrap(), ["answer"]);
    assert_eq!(section("[\"b\", \"a\"]").unwrap(), ["b", "a"]);
    let faults = section("3").unwrap_err();
    assert!(faults[0].contains("a name, or several"), "{faults:?}");
}

#[test]
fn what_is_not_the_customers_is_passed_over_for_the_next() {
    // `resolve` is the agent's, and `accept` too.
    let post = Post::start("on-answer = [\"accept\", \"resolve\", \"reopen\", \"answer\"]\n");
    let id = post.call();
    let low = |name: &str| {
        let to = Recipient::Contact("caller".into());
        let to = post.threads().made(&id, post.clock.now(), &to);
        post.take(name, answer(LOW, &to, &format!("again {name}")));
        post.standing(&id).0
    };
    assert_eq!(low("1"), "dispatched");
    post.act(&id, person("ann"), "accept");
    assert_eq!(low("2"), "working");
    post.act(&id, person("ann"), "ask");
    assert_eq!(low("3"), "working");
}
