//! Who is told of what was said.

use super::kit::{Desk, minutes, trouble};
use super::ladder::say;
use crate::event::{Notice, Recipient, Topic};
use crate::{Actor, Base, Command, Fact, Wish};

fn desk() -> Desk {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    workflow.field_order = vec!["cause".into(), "caller".into()];
    let mut desk = Desk::opened(workflow);
    desk.act("ann", "accept").unwrap();
    desk
}

/// Whom the comment's messages go to, and by which way.
fn told(desk: &mut Desk, by: Actor, to_caller: bool) -> Vec<String> {
    let wish = Wish::Comment {
        text: "it is the cable".into(),
        to_caller,
    };
    let branch = None;
    let events = desk.submit(&Command { by, branch, wish }).unwrap();
    let notices = events.iter().flat_map(|event| event.fact.notices());
    let one = |notice: &Notice| {
        assert_eq!(notice.topic, Topic::Commented);
        match &notice.to {
            Recipient::Person(to) => format!("{to} by {}", notice.via),
            Recipient::Contact(field) => format!("the {field} by {}", notice.via),
        }
    };
    notices.map(one).collect()
}

fn person(id: &str) -> Actor {
    Actor::Person(id.into())
}

#[test]
fn whoever_has_it_learns_what_others_say() {
    let mut desk = desk();
    let caller = Actor::Contact("caller".into());
    assert_eq!(told(&mut desk, caller, false), ["ann by mail"]);
    assert_eq!(told(&mut desk, person("bob"), false), ["ann by mail"]);
    assert_eq!(
        told(&mut desk, Actor::System("shop".into()), false),
        ["ann by mail"]
    );
    assert_eq!(told(&mut desk, person("ann"), false), [""; 0]);
    let operator = Actor::Operator("ann".into());
    assert_eq!(told(&mut desk, operator, false), [""; 0]);
}

#[test]
fn while_it_waits_the_ladder_stands_still_and_the_comment_is_told() {
    let mut desk = desk();
    let until = desk.now + minutes(600);
    let reason = Some("the caller looks for the bill".into());
    desk.submit(&say("ann", Wish::Suspend { until, reason }))
        .unwrap();
    let caller = Actor::Contact("caller".into());
    assert_eq!(told(&mut desk, caller, false), ["ann by mail"]);
}

#[test]
fn the_caller_gets_what_is_said_to_him() {
    let mut desk = desk();
    assert_eq!(
        told(&mut desk, person("ann"), true),
        ["the caller by mail"],
        "and ann has said it herself"
    );
    assert_eq!(
        told(&mut desk, person("lea"), true),
        ["ann by mail", "the caller by mail"]
    );
    let caller = Actor::Contact("caller".into());
    assert_eq!(told(&mut desk, caller, true), ["ann by mail"]);
}

/// A colleague who has opened a ticket of his own is the caller.
#[test]
fn without_a_contact_the_opener_is_the_caller() {
    let mut desk = Desk::new(
        trouble(Base::LeastBusy("desk".into())),
        super::kit::directory(),
    );
    desk.open_with([("cause", "the chair is broken")]);
    desk.act("ann", "accept").unwrap();
    assert_eq!(told(&mut desk, person("ann"), true), ["tom by mail"]);
    assert_eq!(told(&mut desk, person("tom"), true), ["ann by mail"]);
}

#[test]
fn where_nobody_is_the_caller_nobody_is_told() {
    let mut desk = desk();
    desk.ticket.opener = Actor::System("shop".into());
    desk.ticket.fields.remove("caller");
    assert_eq!(told(&mut desk, person("ann"), true), [""; 0]);
}

/// An offer has one who answers for it, and the candidates see it when they look.
#[test]
fn of_what_nobody_has_claimed_whoever_answers_for_it_is_told() {
    let mut desk = Desk::opened(trouble(Base::AnyoneIn("desk".into())));
    let caller = Actor::Contact("caller".into());
    assert_eq!(told(&mut desk, caller, false), ["lea by mail"]);
}

/// A message about a comment that fails is no reason to pass the ticket on: its holder was reached before.
#[test]
fn a_comment_that_does_not_arrive_moves_nothing() {
    let mut desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    let asked = desk.ticket.positions[""].told[0].notice;
    let delivered = Wish::Delivered { notice: asked };
    let outbox = |wish| Command {
        by: Actor::System("outbox".into()),
        branch: None,
        wish,
    };
    desk.submit(&outbox(delivered)).unwrap();
    let holder = desk.holder().to_owned();
    let caller = Actor::Contact("caller".into());
    assert_eq!(told(&mut desk, caller, false).len(), 1);
    let notice = desk.ticket.positions[""].told.last().unwrap().notice;
    let reason = "550 no such mailbox".into();
    let failed = Wish::Undeliverable { notice, reason };
    let events = desk.submit(&outbox(failed)).unwrap();
    assert!(
        !events
            .iter()
            .any(|event| matches!(event.fact, Fact::Hopped(_)))
    );
    assert_eq!(desk.holder(), holder);
}
