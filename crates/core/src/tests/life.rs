//! What must hold for any workflow, directory and history.

use proptest::prelude::*;

use super::kit::{Desk, minutes};
use super::random::{Tape, random_command, random_directory, random_workflow};
use crate::decide::{MigratedClocks, Migration, migrate};
use crate::{Actor, ClockKind, Command, Context, Fact, Holder, Ticket, Wish, Workload, evolve};

/// P1: whoever looks at an open ticket finds a name on each position that has no branches, and a clock that
/// moves it on.
fn nobody_is_forgotten(desk: &Desk) {
    let ticket = &desk.ticket;
    if !ticket.is_open() {
        assert!(ticket.clocks.is_empty() && ticket.positions.is_empty());
        return;
    }
    assert!(
        ticket.answerable().next().is_some(),
        "nobody is answerable: {ticket:#?}"
    );
    for (branch, position) in &ticket.positions {
        match &position.holder {
            Holder::Assignee(person) | Holder::Offer { lead: person, .. } => {
                assert!(
                    desk.directory.people.contains_key(person),
                    "{person} is nobody"
                );
                let moves_on = |kind: &ClockKind| !matches!(kind, ClockKind::Reach { .. });
                let armed = ticket
                    .clocks
                    .iter()
                    .any(|clock| clock.branch == *branch && moves_on(&clock.kind));
                let of_promise = |kind: &ClockKind| {
                    matches!(
                        kind,
                        ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. }
                    )
                };
                let only_promises = ticket
                    .clocks
                    .iter()
                    .filter(|clock| clock.branch == *branch && moves_on(&clock.kind))
                    .all(|clock| of_promise(&clock.kind));
                assert!(
                    armed && !only_promises,
                    "no clock in `{branch}` of {ticket:#?}"
                );
            }
            Holder::Branches => {
                let inner = |other: &str| {
                    other != branch.as_str() && crate::evolve::is_within(other, branch)
                };
                assert!(
                    ticket.positions.keys().any(|other| inner(other)),
                    "no branch below `{branch}`"
                );
            }
            Holder::Nobody => assert!(position.ended.is_some()),
        }
    }
}

fn ids_are_used_once(desk: &Desk) {
    let mut ids: Vec<_> = desk.ticket.clocks.iter().map(|clock| clock.id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{:#?}", desk.ticket.clocks);
}

fn workload_is_the_count(desk: &Desk) {
    for (person, load) in &desk.workload.people {
        let open = desk
            .ticket
            .answerable()
            .filter(|(_, holder)| *holder == person)
            .count();
        assert_eq!(usize::try_from(load.open), Ok(open), "{person}");
    }
}

/// P7: the journal alone gives the same ticket.
fn replay_is_life(desk: &Desk) {
    let mut ticket = Ticket::default();
    let mut workload = Workload::default();
    for event in &desk.journal {
        let before = ticket.clone();
        evolve(&mut ticket, event);
        workload.follow(&before, event, &ticket);
    }
    assert_eq!((&ticket, &workload), (&desk.ticket, &desk.workload));
    let json: Vec<_> = desk.journal.iter().map(|event| event.at).collect();
    assert!(json.is_sorted(), "journal times never run back");
}

/// One command: decided twice the same, refused without a trace, and nothing forgotten afterwards.
fn play(desk: &mut Desk, command: &Command) {
    let (first, second) = (desk.decide(command), desk.decide(command));
    assert_eq!(first, second);
    let before = desk.ticket.clone();
    match desk.submit(command) {
        Ok(events) => epochs_rise(&before, desk, &events),
        Err(_) => assert_eq!(desk.ticket, before),
    }
    nobody_is_forgotten(desk);
    ids_are_used_once(desk);
    workload_is_the_count(desk);
}

/// Links and clocks carry the epoch: whoever becomes answerable has a new one.
fn epochs_rise(before: &Ticket, desk: &Desk, events: &[crate::Event]) {
    for (branch, position) in &desk.ticket.positions {
        let Some(old) = before.positions.get(branch) else {
            continue;
        };
        let changed = old.holder.answerable() != position.holder.answerable();
        let offered_on = events.iter().any(|event| match &event.fact {
            Fact::Hopped(hop) => matches!(hop.holder, Holder::Offer { .. }),
            _ => false,
        });
        if changed && position.holder.answerable().is_some() && !offered_on {
            assert!(position.epoch > old.epoch, "{old:#?} {position:#?}");
        }
    }
}

/// The ticket goes on in another workflow of the same name, if that can be done.
fn move_on(desk: &mut Desk, tape: &mut Tape<'_>) {
    let target = random_workflow(tape);
    let clocks = [
        MigratedClocks::KeepRemaining,
        MigratedClocks::Restart,
        MigratedClocks::Rebase,
    ][tape.below(3)];
    let plan = Migration {
        clocks,
        ..Migration::default()
    };
    let context = Context {
        now: desk.now,
        workflow: &desk.workflow,
        directory: &desk.directory,
        workload: &desk.workload,
    };
    let by = Actor::Operator("max".into());
    if let Ok(events) = migrate(&context, &target, &desk.ticket, &plan, &by) {
        desk.apply(&events);
        desk.workflow = target;
        nobody_is_forgotten(desk);
        ids_are_used_once(desk);
    }
}

fn history(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let workflow = random_workflow(&mut tape);
    let directory = random_directory(&mut tape);
    let mut desk = Desk::new(workflow, directory);
    if desk.open().is_err() {
        return;
    }
    nobody_is_forgotten(&desk);
    while !tape.is_over() {
        match tape.below(13) {
            12 => move_on(&mut desk, &mut tape),
            0..=3 => {
                // The next clock, sometimes late by an outage.
                let Some(clock) = desk.ticket.next_due().cloned() else {
                    break;
                };
                let late = minutes(i64::try_from(tape.below(40)).unwrap_or(0) * 10);
                desk.now = desk
                    .now
                    .max(clock.due + if tape.below(4) == 3 { late } else { minutes(0) });
                play(&mut desk, &Command::due(clock.id));
                let again = desk.decide(&Command::due(clock.id));
                assert_eq!(
                    again,
                    Ok(Vec::new()),
                    "a clock that fires twice does nothing"
                );
            }
            4..=7 => desk.now += minutes(i64::try_from(tape.below(100)).unwrap_or(0)),
            _ => {
                let command = random_command(&mut tape, &desk.ticket, desk.now);
                play(&mut desk, &command);
            }
        }
    }
    // Somebody leaves for good.
    let holder = desk
        .ticket
        .answerable()
        .next()
        .map(|(_, person)| person.clone());
    if let Some(person) = holder.filter(|person| *person != desk.directory.last_resort) {
        desk.directory.people.remove(&person);
        desk.directory.absences.remove(&person);
        let command = Command {
            by: Actor::Clock,
            branch: None,
            wish: Wish::Recheck,
        };
        play(&mut desk, &command);
    }
    replay_is_life(&desk);
}

proptest! {
    // 256 histories; `PROPTEST_CASES=100000 cargo test --release no_ticket` plays more.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_ticket_is_forgotten(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        history(&bytes);
    }
}

/// Nobody of an offer is there any more, not even the lead, and the next level only notifies: it can't stay.
#[test]
fn an_offer_whose_people_are_all_gone_does_not_stay() {
    history(&[
        21, 0, 32, 0, 95, 0, 0, 0, 0, 17, 51, 170, 4, 62, 28, 0, 20, 36, 0, 0, 20, 8, 0, 0, 16, 0,
        0, 135, 0, 0, 140, 0, 28, 0, 0, 55, 0, 0, 0, 30, 222, 0, 31, 0, 0, 51, 47, 0, 3, 0, 0, 199,
        0, 0, 51, 0, 0, 0, 0, 0, 88, 0, 84, 0, 12, 0, 76, 0, 0, 0, 0, 0, 0, 126, 55, 42, 55, 32,
        180, 44, 0, 39, 0, 0, 72, 24, 0, 169, 124, 59, 186, 1, 64, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0,
        0, 28, 0, 0, 42, 0, 159, 0, 0, 0,
    ]);
}
