//! When somebody else has it.

use jiff::{SignedDuration, Timestamp};
use upline_core::{Branch, Calendar, Clock, ClockKind, Directory, Span, Ticket, Workflow, ticket};

use super::is_promise;
use crate::render::Next;

/// When somebody else has a position of the ticket, or its state is left, if nobody acts. Levels that only
/// tell people are reckoned through to the next one that asks. `None`: no clock of it does, as while its
/// ladder stands still or the last resort has it. Without the workflow every level is taken for one that
/// asks; without the directory hours count around the clock.
pub fn moves(
    ticket: &Ticket,
    branch: &Branch,
    workflow: Option<&Workflow>,
    directory: Option<&Directory>,
) -> Option<Timestamp> {
    let position = ticket.positions.get(branch)?;
    let own = ticket.clocks.iter().filter(|clock| clock.branch == *branch);
    let own = own.filter(|clock| !is_promise(&clock.kind));
    let moves = own.filter_map(
        |clock| match Next::of(clock, Some(position), workflow).moves() {
            true => Some(clock.due),
            false => through(clock, position, workflow?, directory),
        },
    );
    moves.min()
}

/// When the first level after this one asks somebody, if this one only tells people.
fn through(
    clock: &Clock,
    position: &ticket::Position,
    workflow: &Workflow,
    directory: Option<&Directory>,
) -> Option<Timestamp> {
    let ClockKind::Level {
        next: ticket::Level::Number(number),
        ..
    } = clock.kind
    else {
        return None;
    };
    let ladder = workflow.ladders.get(position.ladder.as_ref()?)?;
    let calendar = workflow.calendar.as_ref();
    let calendar = calendar.and_then(|name| directory?.calendars.get(name));
    let mut at = clock.due;
    for level in ladder.levels.iter().skip(number.into()) {
        at = after(calendar, at, level.after)?;
        if level.assign.is_some() {
            return Some(at);
        }
    }
    // Behind the last level comes another round, or the last resort, after as long again.
    after(calendar, at, ladder.levels.last()?.after)
}

fn after(calendar: Option<&Calendar>, from: Timestamp, span: Span) -> Option<Timestamp> {
    let open = calendar.filter(|_| !span.around_the_clock);
    match open {
        Some(calendar) => calendar.after(from, span),
        None => {
            let seconds = span.around_the_clock().at_least_seconds();
            from.checked_add(SignedDuration::from_secs(seconds)).ok()
        }
    }
}
