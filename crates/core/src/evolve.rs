//! `evolve`: what a fact does to a ticket.

mod ledger;

use std::collections::BTreeSet;

use crate::event::{Cause, Event, Fact, Hop, MigratedPosition, Notice, Recipient};
use crate::ticket::{
    Branch, Clock, ClockId, ClockKind, Delivery, Ended, Holder, Level, MAX_TOLD, Position,
    Suspension, Ticket, Told, Why,
};
use crate::{ClockMove, Name, Operation};

/// Applies a fact. Total, and never sees the workflow: replay can't fail, nor change when a workflow is
/// edited.
///
/// A fact about something that is not there (a journal that is not this ticket's) changes nothing but the
/// revision.
pub fn evolve(ticket: &mut Ticket, event: &Event) {
    ticket.revision += 1;
    match &event.fact {
        Fact::Opened {
            ticket: id,
            workflow,
            version,
            by,
            key,
            parent,
        } => {
            ticket.id = id.clone();
            ticket.workflow = workflow.clone();
            ticket.version = *version;
            ticket.opener = by.clone();
            ticket.key = key.clone();
            ticket.parent = parent.clone();
            ticket.opened = event.at;
        }
        Fact::FieldsSet { values, .. } => {
            for (field, value) in values {
                match value {
                    Some(value) => ticket.fields.insert(field.clone(), value.clone()),
                    None => ticket.fields.remove(field),
                };
            }
        }
        Fact::Acted { action, by, .. } => {
            if let Some(person) = by.person() {
                ticket.did.insert(action.clone(), person.clone());
            }
        }
        Fact::Migrated {
            version, positions, ..
        } => {
            ticket.version = *version;
            positions
                .iter()
                .for_each(|position| migrated(ticket, position));
        }
        Fact::Promise {
            promise,
            change,
            clocks,
            notices,
        } => {
            ledger::promise_changed(ticket, event, promise, change);
            ticket
                .clocks
                .retain(|clock| !is_of_promise(&clock.kind, promise));
            arm(ticket, clocks);
            count(ticket, notices);
        }
        Fact::Ended {
            state,
            outcome,
            notices,
            ..
        } => {
            count(ticket, notices);
            ticket.positions.clear();
            ticket.clocks.clear();
            ticket.ended = Some(Ended {
                at: event.at,
                state: state.clone(),
                outcome: outcome.clone(),
            });
        }
        Fact::Entered { .. }
        | Fact::Hopped(_)
        | Fact::LevelReached { .. }
        | Fact::LevelPassed { .. }
        | Fact::BranchEnded { .. } => moved(ticket, event),
        _ => in_place(ticket, event),
    }
}

/// Facts that change the state, the holder or the level of a position.
fn moved(ticket: &mut Ticket, event: &Event) {
    match &event.fact {
        Fact::Entered {
            branch,
            state,
            visit,
            clocks,
            holder,
            taken,
            ..
        } => {
            enter(ticket, event, branch, state, *visit, holder, *taken);
            arm(ticket, clocks);
        }
        Fact::Hopped(hop) => hopped(ticket, event, hop),
        Fact::LevelReached {
            branch,
            ladder,
            level,
            round,
            cause,
            notices,
            clock,
        } => {
            let activity = *cause == Cause::Activity;
            ticket.clocks.retain(|clock| {
                let acted_in_time = matches!(
                    clock.kind,
                    ClockKind::Reach {
                        unless_acted: true,
                        ..
                    }
                );
                clock.branch != *branch || !(is_of_ladder(&clock.kind) || activity && acted_in_time)
            });
            if let Some(position) = ticket.positions.get_mut(branch) {
                if *round > position.round {
                    position.had = position.holder.answerable().cloned().into_iter().collect();
                }
                position.ladder = Some(ladder.clone());
                position.level = *level;
                position.round = *round;
            }
            arm(ticket, clock);
            note(ticket, branch, notices);
        }
        Fact::BranchEnded {
            branch,
            state,
            outcome,
            notices,
        } => {
            ticket
                .clocks
                .retain(|clock| is_of_ticket(&clock.kind) || !is_within(&clock.branch, branch));
            count(ticket, notices);
            // A branch that was a parallel state itself may end while some of its own branches are open.
            ticket
                .positions
                .retain(|other, _| other == branch || !is_within(other, branch));
            if let Some(position) = ticket.positions.get_mut(branch) {
                position.state = state.clone();
                position.holder = Holder::Nobody;
                position.ended = Some(outcome.clone());
                position.suspended = None;
            }
        }
        _ => (),
    }
}

fn enter(
    ticket: &mut Ticket,
    event: &Event,
    branch: &Branch,
    state: &Name,
    visit: u32,
    holder: &Holder,
    taken: bool,
) {
    ticket
        .clocks
        .retain(|clock| is_of_ticket(&clock.kind) || !is_within(&clock.branch, branch));
    let before = ticket.positions.remove(branch);
    ticket
        .positions
        .retain(|other, _| !is_within(other, branch));
    let same = before
        .as_ref()
        .is_some_and(|before| before.holder.answerable() == holder.answerable());
    // Whoever keeps the ticket keeps his epoch; anybody else's links and clocks are void.
    if !same {
        ticket.last_epoch += 1;
    }
    let kept = before.filter(|_| same);
    ticket.visits = ticket.visits.max(visit);
    ticket.positions.insert(
        branch.clone(),
        Position {
            state: state.clone(),
            visit,
            entered: event.at,
            had: holder_alone(holder),
            holder: holder.clone(),
            since: kept.as_ref().map_or(event.at, |kept| kept.since),
            epoch: kept.as_ref().map_or(ticket.last_epoch, |kept| kept.epoch),
            why: kept.map_or_else(Why::default, |kept| kept.why),
            ladder: None,
            level: Level::Entry,
            round: 1,
            taken,
            delegated_by: None,
            answered_by: BTreeSet::new(),
            unreachable: BTreeSet::new(),
            held: false,
            suspended: None,
            ticked: BTreeSet::new(),
            stand_ins: Vec::new(),
            told: Vec::new(),
            attempt: 0,
            ended: None,
        },
    );
}

fn hopped(ticket: &mut Ticket, event: &Event, hop: &Hop) {
    disarm(ticket, &hop.branch, |kind| {
        is_of_ladder(kind) || matches!(kind, ClockKind::Reach { .. } | ClockKind::Wake)
    });
    ticket.last_epoch = ticket.last_epoch.max(hop.epoch);
    if let Some(position) = ticket.positions.get_mut(&hop.branch) {
        // Entering gave it to whom it was before, until this hop: he has not had it in this round.
        let first = position.ladder.is_none() && hop.cause == Cause::Entered;
        if first || hop.round > position.round {
            position.had.clear();
        }
        if let Holder::Assignee(person) = &hop.holder
            && !position.had.contains(person)
        {
            position.had.push(person.clone());
        }
        match &hop.cause {
            Cause::Undeliverable => position.unreachable.extend(hop.from.clone()),
            Cause::Person {
                operation: Operation::Delegate,
                by,
                ..
            } => position.delegated_by = by.person().cloned(),
            Cause::Person {
                operation: Operation::Reassign | Operation::Claim | Operation::Release,
                ..
            } => {
                position.delegated_by = None;
            }
            _ => (),
        }
        position.holder = hop.holder.clone();
        position.since = event.at;
        // An offer to fewer people is the same hop: it is held once, not once for each who leaves.
        position.held &= hop.epoch == position.epoch;
        position.epoch = hop.epoch;
        position.why = hop.why.clone();
        position.ladder.clone_from(&hop.ladder);
        position.level = hop.level;
        position.round = hop.round;
        position.taken = hop.taken;
        position.suspended = None;
        position.told.clear();
        position.stand_ins.clone_from(&hop.stand_ins);
        note_at(position, &hop.notices);
    }
    arm(ticket, hop.clock.iter().chain(&hop.reach));
    count(ticket, &hop.notices);
}

/// Facts that leave state, holder and level as they are.
fn in_place(ticket: &mut Ticket, event: &Event) {
    match &event.fact {
        Fact::Reminded {
            branch,
            notices,
            clock,
            ..
        } => {
            disarm(ticket, branch, |kind| *kind == ClockKind::Remind);
            arm(ticket, [clock]);
            note(ticket, branch, notices);
        }
        Fact::Notified {
            branch,
            notices,
            clock,
        } => {
            ticket.clocks.retain(|other| Some(other.id) != *clock);
            note(ticket, branch, notices);
        }
        Fact::Delivery {
            branch,
            notice,
            state,
            ..
        } => {
            let told = ticket
                .positions
                .get_mut(branch)
                .map(|position| &mut position.told);
            if let Some(told) = told
                .into_iter()
                .flatten()
                .find(|told| told.notice == *notice)
            {
                told.state = *state;
            }
        }
        Fact::Suspended {
            branch, by, clock, ..
        } => {
            disarm(ticket, branch, |kind| {
                is_of_ladder(kind) || matches!(kind, ClockKind::Reach { .. })
            });
            arm(ticket, [clock]);
            if let Some(position) = ticket.positions.get_mut(branch) {
                position.suspended = Some(Suspension {
                    until: clock.due,
                    by: by.clone(),
                });
            }
        }
        Fact::Resumed {
            branch,
            clock,
            notices,
            ..
        } => {
            disarm(ticket, branch, |kind| *kind == ClockKind::Wake);
            arm(ticket, clock);
            note(ticket, branch, notices);
            if let Some(position) = ticket.positions.get_mut(branch) {
                position.suspended = None;
            }
        }
        Fact::ClockMoved {
            branch,
            old,
            new,
            by,
            how,
        } => {
            replace(ticket, *old, new);
            if let Some(position) = ticket.positions.get_mut(branch) {
                if *how == ClockMove::AnswerBy {
                    position.answered_by.extend(by.person().cloned());
                }
                position.held |= *how == ClockMove::Held;
            }
        }
        Fact::Ticked {
            branch, item, done, ..
        } => {
            if let Some(position) = ticket.positions.get_mut(branch) {
                match done {
                    true => position.ticked.insert(item.clone()),
                    false => position.ticked.remove(item),
                };
            }
        }
        Fact::RunStarted {
            branch,
            attempt,
            clock,
            ..
        } => {
            disarm(ticket, branch, is_of_run);
            arm(ticket, [clock]);
            if let Some(position) = ticket.positions.get_mut(branch) {
                position.attempt = *attempt;
            }
        }
        Fact::RunFailed { branch, clock, .. } => {
            disarm(ticket, branch, is_of_run);
            arm(ticket, clock);
        }
        _ => (),
    }
}

fn migrated(ticket: &mut Ticket, moved: &MigratedPosition) {
    disarm(ticket, &moved.branch, |kind| {
        is_of_ladder(kind) || matches!(kind, ClockKind::After { .. })
    });
    if let Some(position) = ticket.positions.get_mut(&moved.branch) {
        position.state = moved.state.clone();
        position.ladder.clone_from(&moved.ladder);
        position.level = moved.level;
    }
    arm(ticket, &moved.clocks);
}

/// Whether `branch` is `of` or one of its branches.
pub(crate) fn is_within(branch: &str, of: &str) -> bool {
    of.is_empty()
        || branch
            .strip_prefix(of)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Clocks that a hop replaces.
pub(crate) fn is_of_ladder(kind: &ClockKind) -> bool {
    matches!(kind, ClockKind::Level { .. } | ClockKind::Remind)
}

fn is_of_run(kind: &ClockKind) -> bool {
    matches!(kind, ClockKind::RunTimeout | ClockKind::RunRetry)
}

fn is_of_ticket(kind: &ClockKind) -> bool {
    matches!(
        kind,
        ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. }
    )
}

fn is_of_promise(kind: &ClockKind, name: &str) -> bool {
    match kind {
        ClockKind::PromiseWarn { promise, .. } | ClockKind::PromiseBreach { promise } => {
            promise.as_str() == name
        }
        _ => false,
    }
}

fn holder_alone(holder: &Holder) -> Vec<Name> {
    match holder {
        Holder::Assignee(person) => vec![person.clone()],
        Holder::Offer { .. } | Holder::Branches | Holder::Nobody => Vec::new(),
    }
}

fn arm<'a>(ticket: &mut Ticket, clocks: impl IntoIterator<Item = &'a Clock>) {
    for clock in clocks {
        ticket.last_clock = ticket.last_clock.max(clock.id);
        ticket.clocks.push(clock.clone());
    }
}

fn disarm(ticket: &mut Ticket, branch: &Branch, which: impl Fn(&ClockKind) -> bool) {
    ticket
        .clocks
        .retain(|clock| !which(&clock.kind) || clock.branch != *branch);
}

fn replace(ticket: &mut Ticket, old: ClockId, new: &Clock) {
    ticket.clocks.retain(|clock| clock.id != old);
    arm(ticket, [new]);
}

fn count(ticket: &mut Ticket, notices: &[Notice]) {
    for notice in notices {
        ticket.last_notice = ticket.last_notice.max(notice.id);
    }
}

/// Counts the notices, and keeps those to the holder.
fn note(ticket: &mut Ticket, branch: &Branch, notices: &[Notice]) {
    count(ticket, notices);
    if let Some(position) = ticket.positions.get_mut(branch) {
        note_at(position, notices);
    }
}

/// Keeps the notices to the holder: whether any channel reaches him decides the next hop.
fn note_at(position: &mut Position, notices: &[Notice]) {
    for notice in notices {
        if let Recipient::Person(to) = &notice.to
            && position.holder.answerable() == Some(to)
        {
            position.told.push(Told {
                notice: notice.id,
                to: to.clone(),
                via: notice.via.clone(),
                state: Delivery::Queued,
            });
        }
    }
    let old = position.told.len().saturating_sub(MAX_TOLD);
    position.told.drain(..old);
}
