//! A clock has fallen due.

use crate::Rejection;
use crate::decide::ladder::{self, late};
use crate::decide::{Draft, enter, machine, notice, pause, promise};
use crate::event::{Cause, Fact, Topic};
use crate::ticket::{Clock, ClockId, ClockKind};
use crate::workflow::{CatchUp, Doing};

/// What the clock does. One that is no longer armed, or not due yet, does nothing.
pub(super) fn due(draft: &mut Draft<'_>, id: ClockId) -> Result<(), Rejection> {
    let now = draft.ctx.now;
    let Some(clock) = draft.before.clock(id).filter(|clock| clock.due <= now) else {
        return Ok(());
    };
    if draft.ctx.workflow.catch_up == CatchUp::FromDue {
        draft.base = clock.due;
    }
    let cause = Cause::Clock {
        clock: id,
        late: late(now, clock.due),
    };
    match &clock.kind {
        ClockKind::PromiseWarn { promise, .. } | ClockKind::PromiseBreach { promise } => {
            promise::due(draft, promise)
        }
        ClockKind::After { index } => after(draft, clock, *index, cause),
        ClockKind::Level { next, round } => {
            let step = ladder::Step {
                level: *next,
                round: *round,
            };
            let climb = ladder::Climb {
                cause: &cause,
                barred: None,
                left_out: Vec::new(),
            };
            let events = draft.events.len();
            ladder::climb(draft, &clock.branch, step, climb)?;
            // A level may set fields, and fields may change promises.
            let set = draft.events[events..]
                .iter()
                .any(|event| matches!(event.fact, Fact::FieldsSet { .. }));
            if set {
                promise::sync(draft);
            }
            Ok(())
        }
        ClockKind::Remind => {
            remind(draft, clock);
            Ok(())
        }
        ClockKind::Wake => {
            pause::go_on(draft, &clock.branch, cause);
            Ok(())
        }
        ClockKind::Reach { .. } => notice::use_channel(draft, clock),
        ClockKind::RunTimeout | ClockKind::RunRetry => run(draft, clock),
    }
}

fn after(draft: &mut Draft<'_>, clock: &Clock, index: u16, cause: Cause) -> Result<(), Rejection> {
    let Some(after) = draft
        .work(&clock.branch)
        .and_then(|work| work.after.get(usize::from(index)))
    else {
        return Ok(());
    };
    enter::enter(draft, &clock.branch, &after.goto, cause, None)?;
    promise::sync(draft);
    Ok(())
}

fn remind(draft: &mut Draft<'_>, clock: &Clock) {
    let workflow = draft.ctx.workflow;
    let position = draft.position(&clock.branch);
    let ladder = position.and_then(|position| workflow.ladders.get(position.ladder.as_ref()?));
    let holder = draft
        .position(&clock.branch)
        .and_then(|position| position.holder.answerable().cloned());
    let mut notices = Vec::new();
    if let Some(holder) = holder {
        draft.tell(&mut notices, &holder, &Topic::Reminded);
    }
    let next = draft.remind_clock(&clock.branch, ladder);
    let late = late(draft.ctx.now, clock.due);
    draft.push(Fact::Reminded {
        branch: clock.branch.clone(),
        late,
        notices,
        clock: next,
    });
}

fn run(draft: &mut Draft<'_>, clock: &Clock) -> Result<(), Rejection> {
    let Some(work) = draft.work(&clock.branch) else {
        return Ok(());
    };
    let Some(Doing::Run(run)) = &work.doing else {
        return Ok(());
    };
    if clock.kind == ClockKind::RunTimeout {
        return machine::try_failed(draft, &clock.branch, work, run, "no answer in time");
    }
    let attempt = draft
        .position(&clock.branch)
        .map_or(0, |position| position.attempt)
        + 1;
    machine::start(draft, &clock.branch, run, attempt);
    Ok(())
}
