//! Promises: budgets with a ledger. They run from their own start, and nothing that people do with a ticket
//! restarts them.

use jiff::Timestamp;

use crate::decide::ladder::{self, late};
use crate::decide::{Draft, due_in, enter};
use crate::event::{Cause, Fact, Notice, PromiseChange, Topic};
use crate::ticket::{Branch, Clock, ClockKind, Holder, Ledger, PromiseState, Ticket};
use crate::workflow::{Promise, Since, Workflow};
use crate::{Calendar, Name, Rejection, Span, SpanCount};

/// How a promise should stand, given where the ticket is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Running,
    Paused,
    Met,
}

fn wanted(ticket: &Ticket, promise: &Promise) -> Wanted {
    let mut states = ticket
        .positions
        .values()
        .filter(|position| position.ended.is_none());
    if states
        .clone()
        .any(|position| promise.met_in.contains(&position.state))
    {
        return Wanted::Met;
    }
    match states.any(|position| promise.paused_in.contains(&position.state)) {
        true => Wanted::Paused,
        false => Wanted::Running,
    }
}

impl<'a> Draft<'a> {
    fn promise_calendar(&self, promise: &Promise, span: Span) -> Option<&'a Calendar> {
        let name = promise
            .calendar
            .as_ref()
            .or(self.ctx.workflow.calendar.as_ref());
        self.calendar(name).filter(|_| !span.around_the_clock)
    }

    /// The span that counts for the ticket's fields now.
    fn target(&mut self, promise: &Promise) -> Span {
        let ctx = self.ctx;
        let ticket = self.ticket();
        let mut cases = promise.except.iter();
        let case = cases.find(|(when, _)| when.holds(ticket, ctx.directory, ctx.now));
        case.map_or(promise.within, |(_, span)| *span)
    }
}

/// A span as seconds of its calendar. Working days have no length of their own: they are measured where they
/// begin, once, so that a pause can be added in seconds.
fn budget(calendar: Option<&Calendar>, span: Span, from: Timestamp) -> i64 {
    match span.count {
        SpanCount::Time { seconds } => seconds,
        SpanCount::Days { .. } => elapsed(calendar, from, due_in(calendar, from, span)),
    }
}

fn elapsed(calendar: Option<&Calendar>, from: Timestamp, to: Timestamp) -> i64 {
    match calendar {
        Some(calendar) => calendar.elapsed(from, to),
        None => to.as_second().saturating_sub(from.as_second()),
    }
}

fn consumed(calendar: Option<&Calendar>, ledger: &Ledger, now: Timestamp) -> i64 {
    let running = ledger
        .running
        .map_or(0, |since| elapsed(calendar, since, now));
    ledger.consumed.saturating_add(running)
}

/// Brings all promises in line with where the ticket is and what its fields say.
pub(super) fn sync(draft: &mut Draft<'_>) {
    if !draft.ticket().is_open() {
        return;
    }
    for promise in &draft.ctx.workflow.promises {
        let wanted = wanted(draft.ticket(), promise);
        let ledger = draft.ticket().promises.get(&promise.name).cloned();
        match (ledger, promise.since) {
            (None, Since::Opening) => {
                start(draft, promise);
                // The first state may be one in which it is met or stands still already.
                if let Some(ledger) = draft.ticket().promises.get(&promise.name).cloned() {
                    follow(draft, promise, &ledger, wanted);
                }
            }
            (None, Since::Caller) => (),
            (Some(ledger), _) => follow(draft, promise, &ledger, wanted),
        }
    }
}

fn start(draft: &mut Draft<'_>, promise: &Promise) {
    let now = draft.ctx.now;
    let span = draft.target(promise);
    let budget = budget(draft.promise_calendar(promise, span), span, now);
    let clocks = clocks(draft, promise, span, now, budget, 0, 0);
    change(
        draft,
        promise,
        PromiseChange::Started { budget },
        clocks,
        Vec::new(),
    );
}

fn change(
    draft: &mut Draft<'_>,
    promise: &Promise,
    change: PromiseChange,
    clocks: Vec<Clock>,
    notices: Vec<Notice>,
) {
    draft.push(Fact::Promise {
        promise: promise.name.clone(),
        change,
        clocks,
        notices,
    });
}

/// The promise stands still or is met: no clocks.
fn stop(draft: &mut Draft<'_>, promise: &Name, change: PromiseChange) {
    draft.push(Fact::Promise {
        promise: promise.clone(),
        change,
        clocks: Vec::new(),
        notices: Vec::new(),
    });
}

/// The warnings that lie ahead, and the breach, from `from` on.
fn clocks(
    draft: &mut Draft<'_>,
    promise: &Promise,
    span: Span,
    from: Timestamp,
    budget: i64,
    consumed: i64,
    warned: u8,
) -> Vec<Clock> {
    let calendar = draft.promise_calendar(promise, span);
    let at = |mark: i64| match mark.saturating_sub(consumed) {
        left if left > 0 => due_in(calendar, from, left_span(left, calendar)),
        _ => from,
    };
    let mut clocks = Vec::new();
    for warn in &promise.warn {
        let mark = share(budget, warn.percent);
        // A changed target or a pause leaves out the warnings that lie behind.
        if warn.percent > warned && mark > consumed {
            let kind = ClockKind::PromiseWarn {
                promise: promise.name.clone(),
                percent: warn.percent,
            };
            let due = at(mark);
            clocks.push(draft.clock(&Branch::default(), kind, due, None));
        }
    }
    let kind = ClockKind::PromiseBreach {
        promise: promise.name.clone(),
    };
    let due = at(budget);
    clocks.push(draft.clock(&Branch::default(), kind, due, Some(span)));
    clocks
}

fn left_span(seconds: i64, calendar: Option<&Calendar>) -> Span {
    let span = Span::seconds(seconds);
    if calendar.is_some() {
        span
    } else {
        span.around_the_clock()
    }
}

fn share(budget: i64, percent: u8) -> i64 {
    i64::try_from(i128::from(budget) * i128::from(percent) / 100).unwrap_or(i64::MAX)
}

/// Whether the ticket is in a state again that comes before those in which the promise is met.
fn went_back(draft: &mut Draft<'_>, promise: &Promise) -> bool {
    let workflow = draft.ctx.workflow;
    let positions = draft.ticket().positions.values();
    let mut open = positions.filter(|position| position.ended.is_none());
    open.any(|position| workflow.comes_before(&position.state, &promise.met_in))
}

/// Follows the position and the target.
fn follow(draft: &mut Draft<'_>, promise: &Promise, ledger: &Ledger, wanted: Wanted) {
    let now = draft.ctx.now;
    let span = draft.target(promise);
    let calendar = draft.promise_calendar(promise, span);
    let target = budget(calendar, span, ledger.started);
    let used = consumed(calendar, ledger, now);
    let open = ledger.breached.is_none();
    match (ledger.state, wanted) {
        (PromiseState::Running | PromiseState::Paused, Wanted::Met) => {
            stop(draft, &promise.name, PromiseChange::Met { consumed: used });
        }
        (PromiseState::Met, Wanted::Running | Wanted::Paused)
            if promise.once || !went_back(draft, promise) =>
        {
            return;
        }
        // What the caller has not spoken of since is answered.
        (PromiseState::Met, _) if promise.since == Since::Caller => return,
        (PromiseState::Paused | PromiseState::Met, Wanted::Running) => {
            let warned = ledger.warned;
            let clocks = match open {
                true => clocks(draft, promise, span, now, target, used, warned),
                false => Vec::new(),
            };
            change(draft, promise, PromiseChange::Resumed, clocks, Vec::new());
        }
        (PromiseState::Running | PromiseState::Met, Wanted::Paused) => {
            stop(
                draft,
                &promise.name,
                PromiseChange::Paused { consumed: used },
            );
        }
        (PromiseState::Running, Wanted::Running)
        | (PromiseState::Paused, Wanted::Paused)
        | (PromiseState::Met, Wanted::Met) => (),
    }
    if target == ledger.budget || wanted == Wanted::Met || !open {
        return;
    }
    let clocks = match wanted {
        Wanted::Running => clocks(draft, promise, span, now, target, used, 0),
        _ => Vec::new(),
    };
    change(
        draft,
        promise,
        PromiseChange::Retargeted { budget: target },
        clocks,
        Vec::new(),
    );
}

/// Another version of the workflow counts from now on: promises that it no longer makes stand still for good,
/// the others get its targets, warnings and calendar.
pub(super) fn rearm(draft: &mut Draft<'_>, old: &Workflow) {
    let now = draft.ctx.now;
    let ledgers: Vec<_> = draft.ticket().promises.clone().into_iter().collect();
    for (name, ledger) in ledgers
        .into_iter()
        .filter(|(_, ledger)| ledger.running.is_some())
    {
        let mut made = old.promises.iter();
        // What was used up until now was used up by the old version's calendar.
        let used = match made.find(|promise| promise.name == name) {
            Some(before) => {
                let span = draft.target(before);
                consumed(draft.promise_calendar(before, span), &ledger, now)
            }
            None => ledger.consumed,
        };
        stop(draft, &name, PromiseChange::Paused { consumed: used });
    }
}

/// The caller has written: a promise that counts from his word runs from the oldest unanswered one.
pub(super) fn caller_spoke(draft: &mut Draft<'_>) {
    for promise in draft
        .ctx
        .workflow
        .promises
        .iter()
        .filter(|promise| promise.since == Since::Caller)
    {
        let state = draft
            .ticket()
            .promises
            .get(&promise.name)
            .map(|ledger| ledger.state);
        if state.is_none_or(|state| state == PromiseState::Met && !promise.once) {
            start(draft, promise);
        }
    }
    sync(draft);
}

/// The caller was answered.
pub(super) fn caller_answered(draft: &mut Draft<'_>) {
    let now = draft.ctx.now;
    for promise in draft
        .ctx
        .workflow
        .promises
        .iter()
        .filter(|promise| promise.since == Since::Caller)
    {
        let ledger = draft.ticket().promises.get(&promise.name).cloned();
        if let Some(ledger) = ledger.filter(|ledger| ledger.state != PromiseState::Met) {
            let span = draft.target(promise);
            let consumed = consumed(draft.promise_calendar(promise, span), &ledger, now);
            stop(draft, &promise.name, PromiseChange::Met { consumed });
        }
    }
}

/// The ticket ends in `state`: what is not met there stops where it stands.
pub(super) fn close(draft: &mut Draft<'_>, state: &str) {
    let now = draft.ctx.now;
    for promise in &draft.ctx.workflow.promises {
        let Some(ledger) = draft.ticket().promises.get(&promise.name).cloned() else {
            continue;
        };
        if ledger.state == PromiseState::Met {
            continue;
        }
        let span = draft.target(promise);
        let consumed = consumed(draft.promise_calendar(promise, span), &ledger, now);
        let how = match promise.met_in.contains(state) {
            true => PromiseChange::Met { consumed },
            false if ledger.state == PromiseState::Paused => continue,
            false => PromiseChange::Paused { consumed },
        };
        stop(draft, &promise.name, how);
    }
}

/// A promise's clock is due. After an outage only the highest due warning is given, and none beside a breach.
pub(super) fn due(draft: &mut Draft<'_>, name: &Name) -> Result<(), Rejection> {
    let now = draft.ctx.now;
    let workflow = draft.ctx.workflow;
    let Some(promise) = workflow
        .promises
        .iter()
        .find(|promise| promise.name == *name)
    else {
        return Ok(());
    };
    let of_promise: Vec<Clock> = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| is_of(clock, name))
        .cloned()
        .collect();
    let is_breach = |clock: &&Clock| matches!(clock.kind, ClockKind::PromiseBreach { .. });
    if let Some(clock) = of_promise
        .iter()
        .filter(is_breach)
        .find(|clock| clock.due <= now)
    {
        return breach(draft, promise, clock);
    }
    let given = of_promise.iter().filter(|clock| clock.due <= now);
    let highest = given.filter_map(|clock| Some((percent(clock)?, clock.due)));
    let Some((percent, fell_due)) = highest.max() else {
        return Ok(());
    };
    let ahead = of_promise
        .iter()
        .filter(|clock| clock.due > now)
        .cloned()
        .collect();
    let notices = match promise.warn.iter().find(|warn| warn.percent == percent) {
        Some(warn) => tell(
            draft,
            &warn.notify,
            &Topic::PromiseWarned {
                promise: name.clone(),
                percent,
            },
        ),
        None => Vec::new(),
    };
    let warned = PromiseChange::Warned {
        percent,
        late: late(now, fell_due),
    };
    change(draft, promise, warned, ahead, notices);
    Ok(())
}

fn is_of(clock: &Clock, name: &Name) -> bool {
    match &clock.kind {
        ClockKind::PromiseWarn { promise, .. } | ClockKind::PromiseBreach { promise } => {
            promise == name
        }
        _ => false,
    }
}

fn percent(clock: &Clock) -> Option<u8> {
    match clock.kind {
        ClockKind::PromiseWarn { percent, .. } => Some(percent),
        _ => None,
    }
}

fn breach(draft: &mut Draft<'_>, promise: &Promise, clock: &Clock) -> Result<(), Rejection> {
    let topic = Topic::PromiseBreached {
        promise: promise.name.clone(),
    };
    let notices = tell(draft, &promise.breach.notify, &topic);
    let breached = PromiseChange::Breached {
        late: late(draft.ctx.now, clock.due),
    };
    change(draft, promise, breached, Vec::new(), notices);
    draft.set_fields(&promise.breach.set);
    let cause = Cause::Breach {
        promise: promise.name.clone(),
    };
    if promise.breach.escalate {
        let holders: Vec<Branch> = draft
            .ticket()
            .answerable()
            .map(|(branch, _)| branch.clone())
            .collect();
        for branch in holders {
            let position = draft.position(&branch);
            let climbs = position.is_some_and(|position| {
                position.ladder.is_some()
                    && position.suspended.is_none()
                    && position.level != crate::Level::LastResort
            });
            if climbs {
                ladder::next_level(draft, &branch, &cause)?;
            }
        }
    }
    if let Some(goto) = &promise.breach.goto {
        enter::enter(draft, &Branch::default(), goto, cause, None)?;
    }
    sync(draft);
    Ok(())
}

/// Messages about the ticket as a whole: `assignee` means each who has a branch of it.
fn tell(draft: &mut Draft<'_>, phrases: &[crate::Who], topic: &Topic) -> Vec<Notice> {
    let positions: Vec<_> = draft.ticket().positions.values().cloned().collect();
    let mut notices = Vec::new();
    for position in positions
        .iter()
        .filter(|position| !matches!(position.holder, Holder::Branches | Holder::Nobody))
    {
        draft.tell_all(&mut notices, position, &position.holder, phrases, topic);
    }
    notices
}
