//! Machines: calls that a state makes on entry, and other workflows that it waits for.

use jiff::SignedDuration;

use crate::command::Typed;
use crate::decide::{Draft, act, due_in, fields};
use crate::event::Fact;
use crate::ticket::{Actor, Branch, ClockKind};
use crate::workflow::{BodyValue, Call, Doing, Run, Work};
use crate::{Name, Rejection, Value};

/// The action of a `run` state when the machine has answered.
pub const DONE: &str = "done";

/// The action of a `run` state when the last try has failed.
pub const FAILED: &str = "failed";

/// Longest wait between two tries, in seconds, however often it was doubled.
pub const MAX_BACKOFF_SECONDS: i64 = 6 * 3600;

/// Who a machine's outcome comes from, as journals name it.
const MACHINE: &str = "machine";

/// Starts a try of the call.
pub(super) fn start(draft: &mut Draft<'_>, branch: &Branch, run: &Run, attempt: u32) {
    let ticket = draft.ticket();
    let value = |value: &BodyValue| match value {
        BodyValue::Literal(value) => Some(value.clone()),
        BodyValue::Field(field) => ticket.fields.get(field).cloned(),
    };
    let body = run
        .body
        .iter()
        .filter_map(|(name, from)| Some((name.clone(), value(from)?)));
    let body: Vec<(Name, Value)> = body.collect();
    let due = due_in(None, draft.base, run.timeout);
    let clock = draft.clock(branch, ClockKind::RunTimeout, due, Some(run.timeout));
    draft.push(Fact::RunStarted {
        branch: branch.clone(),
        webhook: run.webhook.clone(),
        attempt,
        body,
        clock,
    });
}

/// Asks for the other workflow's ticket.
pub(super) fn call(draft: &mut Draft<'_>, branch: &Branch, call: &Call) {
    let ticket = draft.ticket();
    let visit = ticket
        .positions
        .get(branch)
        .map_or(0, |position| position.visit);
    let field =
        |(theirs, ours): &(Name, Name)| Some((theirs.clone(), ticket.fields.get(ours)?.clone()));
    let fields = call.with.iter().filter_map(field).collect();
    draft.push(Fact::Called {
        branch: branch.clone(),
        visit,
        workflow: call.workflow.clone(),
        fields,
    });
}

/// The position of this visit, if it is still there.
fn waiting<'a>(draft: &mut Draft<'a>, visit: u32) -> Option<(Branch, &'a Work)> {
    let workflow = draft.ctx.workflow;
    let mut positions = draft.ticket().positions.iter();
    let (branch, position) = positions.find(|(_, position)| position.visit == visit)?;
    Some((branch.clone(), workflow.work(&position.state)?))
}

pub(super) fn run_done(draft: &mut Draft<'_>, visit: u32, answer: &Typed) -> Result<(), Rejection> {
    let Some((branch, work)) = waiting(draft, visit) else {
        return Ok(());
    };
    let Some(Doing::Run(run)) = &work.doing else {
        return Ok(());
    };
    let taken = taken_fields(answer, &run.take);
    // An answer that doesn't fit the fields is a failure of the machine, not of the ticket.
    let values = fields::read_any(draft.ctx.workflow, &taken);
    match (values, work.action(DONE)) {
        (Ok(values), Some(action)) => {
            let by = Actor::System(run.webhook.clone());
            act::take(draft, &branch, work, action, &by, values, None)
        }
        (Err(fault), _) => failed(draft, &branch, work, run, &fault.to_string()),
        (Ok(_), None) => Ok(()),
    }
}

/// The answer's values under our fields' names.
fn taken_fields(answer: &Typed, take: &[(Name, Name)]) -> Typed {
    let find = |theirs: &Name| {
        answer
            .iter()
            .find(|(name, _)| name == theirs)
            .map(|(_, text)| text.clone())
    };
    take.iter()
        .filter_map(|(ours, theirs)| Some((ours.clone(), find(theirs)?)))
        .collect()
}

pub(super) fn run_failed(
    draft: &mut Draft<'_>,
    visit: u32,
    attempt: u32,
    reason: &str,
    retry: bool,
) -> Result<(), Rejection> {
    let Some((branch, work)) = waiting(draft, visit) else {
        return Ok(());
    };
    let under_way = draft
        .position(&branch)
        .is_some_and(|position| position.attempt == attempt);
    let timing = draft
        .ticket()
        .clocks
        .iter()
        .any(|clock| clock.branch == branch && clock.kind == ClockKind::RunTimeout);
    let Some(Doing::Run(run)) = work.doing.as_ref().filter(|_| under_way && timing) else {
        return Ok(());
    };
    match retry {
        true => try_failed(draft, &branch, work, run, reason),
        false => failed(draft, &branch, work, run, reason),
    }
}

/// One try has failed: the next after a while, or the end of it.
pub(super) fn try_failed(
    draft: &mut Draft<'_>,
    branch: &Branch,
    work: &Work,
    run: &Run,
    reason: &str,
) -> Result<(), Rejection> {
    let attempt = draft
        .position(branch)
        .map_or(1, |position| position.attempt);
    if attempt > run.retries {
        return failed(draft, branch, work, run, reason);
    }
    let first = run.backoff.around_the_clock().at_least_seconds();
    let doubled = first
        .checked_shl(attempt.saturating_sub(1).min(40))
        .unwrap_or(i64::MAX);
    let wait = doubled.clamp(1, MAX_BACKOFF_SECONDS.max(first));
    let due = draft
        .base
        .checked_add(SignedDuration::from_secs(wait))
        .unwrap_or(jiff::Timestamp::MAX);
    let clock = Some(draft.clock(branch, ClockKind::RunRetry, due, None));
    let reason = fields::clip(reason);
    draft.push(Fact::RunFailed {
        branch: branch.clone(),
        attempt,
        reason,
        clock,
    });
    Ok(())
}

/// The call has failed for good: failure is never silent, it is an action.
fn failed(
    draft: &mut Draft<'_>,
    branch: &Branch,
    work: &Work,
    run: &Run,
    reason: &str,
) -> Result<(), Rejection> {
    let attempt = draft
        .position(branch)
        .map_or(1, |position| position.attempt);
    let reason = fields::clip(reason);
    draft.push(Fact::RunFailed {
        branch: branch.clone(),
        attempt,
        reason,
        clock: None,
    });
    match work.action(FAILED) {
        Some(action) => {
            let by = Actor::System(run.webhook.clone());
            act::take(draft, branch, work, action, &by, Vec::new(), None)
        }
        None => Ok(()),
    }
}

pub(super) fn child_ended(
    draft: &mut Draft<'_>,
    visit: u32,
    outcome: &Name,
    typed: &Typed,
) -> Result<(), Rejection> {
    let Some((branch, work)) = waiting(draft, visit) else {
        return Ok(());
    };
    let Some(Doing::Call(call)) = &work.doing else {
        return Ok(());
    };
    // What the child's fields say is checked by our own field types; what doesn't fit is left out.
    let mut values = Vec::new();
    for typed in taken_fields(typed, &call.take) {
        if let Ok(value) = fields::read_any(draft.ctx.workflow, &vec![typed]) {
            values.extend(value);
        }
    }
    let action = work
        .action(outcome)
        .or_else(|| work.action(DONE))
        .or_else(|| work.actions.first());
    match action {
        Some(action) => {
            let by = Actor::System(Name::new(MACHINE));
            act::take(draft, &branch, work, action, &by, values, None)
        }
        None => Ok(()),
    }
}
