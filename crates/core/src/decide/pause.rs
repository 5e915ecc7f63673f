//! Clocks changed by people: suspend, resume, answer by, change clock, hold.

use jiff::{SignedDuration, Timestamp};

use crate::decide::{Draft, fields, ladder, roles};
use crate::event::{Cause, ClockMove, Fact, Topic};
use crate::span::MAX_SPAN_SECONDS;
use crate::ticket::{Actor, Branch, Clock, ClockId, ClockKind, Position};
use crate::{Because, Operation, Rejection};

/// For how long a link without login holds the ladder, in seconds of physical time.
pub const HOLD_SECONDS: i64 = 5 * 60;

/// Refuses a time that is not after now, or is after `latest`.
fn within(now: Timestamp, at: Timestamp, latest: Timestamp) -> Result<(), Rejection> {
    match now < at && at <= latest {
        true => Ok(()),
        false => Err(Rejection::BadTime { latest }),
    }
}

pub(super) fn suspend(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    until: Timestamp,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Suspend, by, None)?;
    let latest = draft.due(draft.ctx.now, draft.ctx.workflow.suspend_at_most);
    within(draft.ctx.now, until, latest)?;
    let reason = fields::note(reason)?;
    let clock = draft.clock(&branch, ClockKind::Wake, until, None);
    draft.push(Fact::Suspended {
        branch,
        by: by.clone(),
        reason,
        clock,
    });
    Ok(())
}

pub(super) fn resume(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Resume, by, None)?;
    let cause = Cause::Person {
        operation: Operation::Resume,
        by: by.clone(),
        reason: None,
    };
    go_on(draft, &branch, cause);
    Ok(())
}

/// The ladder goes on after a suspension: same level, its clock anew, and the holder is told.
pub(super) fn go_on(draft: &mut Draft<'_>, branch: &Branch, cause: Cause) {
    let clock = ladder::same_level_clock(draft, branch);
    let holder = draft
        .position(branch)
        .and_then(|position| position.holder.answerable().cloned());
    let mut notices = Vec::new();
    let by_himself = matches!(&cause, Cause::Person { by, .. } if by.person() == holder.as_ref());
    if let Some(holder) = holder.filter(|_| !by_himself) {
        draft.tell(&mut notices, &holder, &Topic::Reminded);
    }
    draft.push(Fact::Resumed {
        branch: branch.clone(),
        cause,
        clock,
        notices,
    });
}

/// The clock of the ladder's next step.
pub(super) fn level_clock(draft: &mut Draft<'_>, branch: &Branch) -> Option<Clock> {
    let clocks = &draft.ticket().clocks;
    let mut levels = clocks
        .iter()
        .filter(|clock| matches!(clock.kind, ClockKind::Level { .. }));
    levels.find(|clock| clock.branch == *branch).cloned()
}

fn move_clock(draft: &mut Draft<'_>, clock: &Clock, due: Timestamp, by: &Actor, how: ClockMove) {
    let mut new = draft.clock(&clock.branch, clock.kind.clone(), due, None);
    new.armed = clock.armed;
    let (branch, old) = (clock.branch.clone(), clock.id);
    draft.push(Fact::ClockMoved {
        branch,
        old,
        new,
        by: by.clone(),
        how,
    });
}

pub(super) fn answer_by(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    at: Timestamp,
) -> Result<(), Rejection> {
    let operation = Operation::AnswerBy;
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, operation, by, None)?;
    let workflow = draft.ctx.workflow;
    let position = draft.position(&branch);
    let has_used = |position: &Position| {
        let mut person = by.person().into_iter();
        person.any(|person| position.answered_by.contains(person))
    };
    let used = position.is_none_or(has_used);
    let ladder = position.and_then(|position| workflow.ladders.get(position.ladder.as_ref()?));
    let limit = ladder.and_then(|ladder| ladder.answer_by).filter(|_| !used);
    let (Some(limit), Some(clock)) = (limit, level_clock(draft, &branch)) else {
        return Err(Rejection::NotPossible {
            operation,
            because: Because::NotGiven,
        });
    };
    let latest = draft.due(draft.ctx.now, limit);
    within(draft.ctx.now, at, latest)?;
    move_clock(draft, &clock, at, by, ClockMove::AnswerBy);
    Ok(())
}

pub(super) fn change_clock(
    draft: &mut Draft<'_>,
    by: &Actor,
    id: ClockId,
    due: Timestamp,
    reason: &str,
) -> Result<(), Rejection> {
    let Some(clock) = draft.ticket().clock(id).cloned() else {
        return Err(Rejection::NoSuchClock);
    };
    let branch = clock.branch.clone();
    // A promise is the ticket's, not a position's: only the operator may move it.
    let of_promise = matches!(
        clock.kind,
        ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. }
    );
    if of_promise && !matches!(by, Actor::Operator(_)) {
        return Err(Rejection::NotAllowed {
            operation: Operation::ChangeClock,
        });
    }
    if !of_promise {
        roles::guard(draft, &branch, Operation::ChangeClock, by, None)?;
    }
    let reason = fields::reason(reason)?;
    let latest = draft
        .ctx
        .now
        .checked_add(SignedDuration::from_secs(MAX_SPAN_SECONDS))
        .unwrap_or(Timestamp::MAX);
    within(draft.ctx.now, due, latest)?;
    move_clock(draft, &clock, due, by, ClockMove::Changed { reason });
    Ok(())
}

/// A link without login doesn't prove a person: it puts the ladder off for a moment instead of ending it.
pub(super) fn hold(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
) -> Result<(), Rejection> {
    let operation = Operation::Hold;
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, operation, by, None)?;
    let used = draft.position(&branch).is_none_or(|position| position.held);
    let Some(clock) = level_clock(draft, &branch).filter(|_| !used) else {
        return Err(Rejection::NotPossible {
            operation,
            because: Because::NotGiven,
        });
    };
    let held = draft
        .ctx
        .now
        .checked_add(SignedDuration::from_secs(HOLD_SECONDS))
        .unwrap_or(Timestamp::MAX);
    let due = clock.due.max(held);
    move_clock(draft, &clock, due, by, ClockMove::Held);
    Ok(())
}
