use super::*;
use crate::kit::{Hand, begin};
use crate::store::MemoryStore;

/// A writer with a desk, on a store in memory.
fn desk() -> Hand {
    let mut hand = Hand::open(MemoryStore::new(), begin()).unwrap();
    hand.deploy();
    hand
}

impl Hand {
    /// One turn of the writer, `seconds` later.
    fn step(&mut self, seconds: i64, inputs: Vec<Input>) -> Turn {
        self.reading.wall += seconds * 1000;
        self.reading.steady += seconds * 1000;
        self.writer.turn(self.reading, inputs)
    }

    fn status(&mut self) -> Status {
        self.ask(Input::Status).unwrap()
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn post_that_lies_for_too_long_is_told_once_and_when_it_is_over() {
    let mut hand = desk();
    hand.open_ticket("Mr Low").unwrap();
    let status = hand.status();
    assert_eq!((status.unsent, status.waiting, status.under_way), (1, 0, 1));
    // Each lease ends without an answer.
    let (mut told, mut passed) = (Vec::new(), 0);
    while told.is_empty() {
        passed += 10;
        told = hand.pass(10).incidents;
    }
    assert_eq!(passed, 600);
    let age = 600 * SECOND;
    let (unsent, over) = (1, false);
    assert_eq!(told, [Incident::Outbox { age, unsent, over }]);
    assert_eq!(hand.status().oldest_unsent_for, age);
    assert_eq!(hand.pass(60).incidents, [], "it was told");
    let (number, notice) = (1, hand.unsent(1));
    let sent = hand.step(1, vec![Input::Sent((number, notice), Ok(()))]);
    let (age, unsent, over) = (661 * SECOND, 0, true);
    match sent.incidents.as_slice() {
        [
            Incident::Outbox {
                age: most,
                unsent: left,
                over: is,
            },
        ] => assert_eq!((*left, *is, *most <= age), (unsent, over, true)),
        other => panic!("{other:?}"),
    }
    let status = hand.status();
    assert_eq!((status.unsent, status.oldest_unsent), (0, None));
}

impl Hand {
    /// The ticket's first message that is not delivered.
    fn unsent(&mut self, number: Number) -> u32 {
        let look = |reply: Reply<u32>| {
            Input::Look(Box::new(move |open: Result<_, Error>| {
                let (floor, store): (&mut Floor, &mut dyn Store) = open.unwrap();
                let record = floor.record(store, number).unwrap();
                reply(Ok(record.unsent[0].notice.id));
            }))
        };
        self.ask(look).unwrap()
    }
}

#[test]
fn whoever_waits_for_the_post_is_woken_when_it_is_too_late() {
    let mut hand = desk();
    hand.open_ticket("Mr Low").unwrap();
    let unsent = hand.unsent(1);
    let far = Some(Duration::from_secs(900));
    let busy = SendError::Temporary {
        reason: "busy".into(),
        after: far,
    };
    let turn = hand.step(0, vec![Input::Sent((1, unsent), Err(busy))]);
    assert_eq!(turn.wake, Some(600 * SECOND), "not only for the next try");
    let turn = hand.step(600, vec![]);
    assert!(matches!(
        turn.incidents[..],
        [Incident::Outbox { over: false, .. }]
    ));
    assert!(turn.wake.unwrap() > 100 * SECOND);
}

#[test]
fn clocks_that_fire_late_are_told_once_and_when_they_have_fired() {
    let mut hand = desk();
    let tickets = 3 * MAX_FIRED_PER_COMMIT + 100;
    for _ in 0..tickets {
        hand.open_ticket("Mr Low").unwrap();
    }
    // Three seconds for each commit.
    let told: Vec<_> = (0..5)
        .map(|turn| {
            let seconds = if turn == 0 { 15 * 60 } else { 3 };
            let incidents = hand.step(seconds, vec![]).incidents;
            let late = |one: &Incident| matches!(one, Incident::Overdue { .. });
            incidents.into_iter().filter(late).collect::<Vec<_>>()
        })
        .collect();
    let late = 6 * SECOND;
    let overdue = |over| vec![Incident::Overdue { late, over }];
    let expected = [vec![], vec![], overdue(false), overdue(true), vec![]];
    assert_eq!(told, expected);
    assert_eq!(hand.status().late, Duration::ZERO);
}

#[test]
fn a_start_after_an_outage_and_a_jump_of_the_clock_are_no_alarm() {
    let mut hand = desk();
    for _ in 0..MAX_FIRED_PER_COMMIT + 100 {
        hand.open_ticket("Mr Low").unwrap();
    }
    hand.reading.wall += 24 * 3600 * 1000;
    let mut told = Vec::new();
    for _ in 0..14 {
        told.extend(hand.step(10, vec![]).incidents);
    }
    let hopped = hand.status();
    assert_eq!(hopped.late, Duration::ZERO);
    assert!(hopped.now >= begin() + jiff::SignedDuration::from_hours(24));
    assert_eq!(told, [], "a day late at once, and nobody was slow");
}

#[test]
fn passes_go_on_while_commands_come_and_an_idle_engine_looks_at_nothing() {
    let mut hand = desk();
    for _ in 0..300 {
        hand.open_ticket("Mr Low").unwrap();
    }
    let first = hand.status().audit;
    assert!(first.passes >= 1, "the one at the start");
    for _ in 0..10 {
        hand.pass(1);
    }
    let idle = hand.status().audit;
    assert_eq!((idle.passes, idle.checked), (first.passes, first.checked));
    // 256 behind the first commit, the others behind the second.
    hand.step(1, vec![]);
    for number in ["1", "2"] {
        hand.reading.steady += 1_000;
        hand.reading.wall += 1_000;
        hand.act(number, if number == "1" { "ann" } else { "bob" }, "accept")
            .unwrap();
    }
    let after = hand.status().audit;
    assert_eq!(after.passes, first.passes + 1, "{after:?}");
    assert_eq!(after.last_took, Some(SECOND));
    assert_eq!(after.gaps, 0);
}
