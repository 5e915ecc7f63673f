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
    moves_to(ticket, branch, workflow, directory).map(|(at, _)| at)
}

/// The same, and what happens then.
pub fn moves_to(
    ticket: &Ticket,
    branch: &Branch,
    workflow: Option<&Workflow>,
    directory: Option<&Directory>,
) -> Option<(Timestamp, Next)> {
    let position = ticket.positions.get(branch)?;
    let own = ticket.clocks.iter().filter(|clock| clock.branch == *branch);
    let own = own.filter(|clock| !is_promise(&clock.kind));
    let moves = own.filter_map(|clock| {
        let next = Next::of(clock, Some(position), workflow);
        match next.moves() {
            true => Some((clock.due, next)),
            false => through(clock, position, workflow?, directory),
        }
    });
    moves.min_by_key(|(at, _)| *at)
}

/// When the first level after this one asks somebody, if this one only tells people.
fn through(
    clock: &Clock,
    position: &ticket::Position,
    workflow: &Workflow,
    directory: Option<&Directory>,
) -> Option<(Timestamp, Next)> {
    let ClockKind::Level {
        next: ticket::Level::Number(number),
        round,
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
        if let Some(assign) = &level.assign {
            return Some((at, Next::Ask(assign.text.clone())));
        }
    }
    // Behind the last level comes another round, or the last resort, after as long again.
    let at = after(calendar, at, ladder.levels.last()?.after)?;
    if round > ladder.repeat {
        return Some((at, Next::LastResort));
    }
    let again = ladder.back_to.and_then(|level| level.checked_sub(1));
    let again = again.and_then(|index| ladder.levels.get(index)?.assign.as_ref());
    let next = again.map_or(Next::Round(round.saturating_add(1)), |assign| {
        Next::Ask(assign.text.clone())
    });
    Some((at, next))
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
