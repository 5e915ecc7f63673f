//! "I answer by three o'clock."

use super::kit::{Desk, minutes, trouble};
use super::ladder::say;
use crate::{Actor, Base, Command, Wish};

fn desk() -> Desk {
    Desk::opened(trouble(Base::LeastBusy("desk".into())))
}

fn comment(desk: &mut Desk, who: &str) {
    let (text, to_caller) = ("nearly".to_owned(), false);
    let comment = say(who, Wish::Comment { text, to_caller });
    desk.submit(&comment).unwrap();
}

/// Once for each who has it, while the ticket is in the state: neither a comment nor a detour gives it back.
#[test]
fn answering_by_a_time_is_said_once_in_a_visit() {
    let mut desk = desk();
    let answers = |desk: &mut Desk, who: &str| {
        let at = desk.now + minutes(60);
        desk.submit(&say(who, Wish::AnswerBy { at })).is_ok()
    };
    let takes = |desk: &mut Desk, by: Actor| {
        let to = by.person().unwrap().clone();
        let wish = Wish::Reassign { to, reason: None };
        desk.submit(&Command {
            by,
            branch: None,
            wish,
        })
        .unwrap();
    };
    desk.act("ann", "accept").unwrap();
    assert!(answers(&mut desk, "ann"));
    comment(&mut desk, "ann");
    assert!(
        !answers(&mut desk, "ann"),
        "a comment only arms the ladder anew"
    );
    takes(&mut desk, Actor::Person("lea".into()));
    assert!(
        answers(&mut desk, "lea"),
        "the next one has a word of his own"
    );
    takes(&mut desk, Actor::Operator("ann".into()));
    assert!(
        !answers(&mut desk, "ann"),
        "back with the first one, and said already"
    );
    desk.act("ann", "pass").unwrap();
    let holder = desk.holder().to_owned();
    desk.act(&holder, "accept").unwrap();
    assert!(answers(&mut desk, &holder), "another visit");
}

/// Whoever has said by when he answers has until then; from then on words count again.
#[test]
fn a_word_never_brings_a_time_forward_that_somebody_has_set() {
    let mut desk = desk();
    desk.act("ann", "accept").unwrap();
    let at = desk.now + minutes(300);
    desk.submit(&say("ann", Wish::AnswerBy { at })).unwrap();
    let due = |desk: &Desk| desk.ticket.next_due().unwrap().due;
    desk.until(10);
    comment(&mut desk, "ann");
    assert_eq!(due(&desk), at);
    desk.until(100);
    comment(&mut desk, "ann");
    assert_eq!(due(&desk), desk.now + minutes(240));
}
