//! `promise-before-help`: a promise is due before the ladder comes to its second level. From the language's
//! list of checks; a warning, because somebody may want to be told of breaches only.
//!
//! Whoever a state asks is the first level, so the second is the first of the ladder. Only spans of which
//! one is plainly longer are compared.

use upline_core::workflow::{Ladder, Promise, Since, Work};
use upline_core::{Span, SpanCount};

use super::dead_branch::is_sooner;
use super::graph::work;
use super::logic::Cases;
use super::subject::Subject;
use crate::{Code, Diagnostic, Found, Site};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let promises = at.workflow.promises.iter();
    let mut promises = promises
        .filter(|promise| promise.since == Since::Opening)
        .peekable();
    if promises.peek().is_none() {
        return;
    }
    let watches: Vec<Watch<'_>> = watches(at).collect();
    for promise in promises {
        let runs = runs(at, promise);
        let exceptions = promise.except.iter().map(|(_, span)| *span).enumerate();
        let exceptions = exceptions.map(|(number, span)| (Some(number), span));
        for (exception, within) in std::iter::once((None, promise.within)).chain(exceptions) {
            let late = |watch: &&Watch<'_>| {
                runs[watch.state]
                    && is_before(at, promise, within, watch.second)
                    && can_meet(at, promise, exception, watch)
            };
            if let Some(watch) = watches.iter().find(late) {
                found.add(|| diagnostic(at, promise, exception, within, watch));
            }
        }
    }
}

/// The states in which the promise runs: those that can come before it is met, but for pauses.
fn runs(at: &Subject<'_>, promise: &Promise) -> Vec<bool> {
    let met = |state: usize| promise.met_in.contains(at.name(state));
    let mut runs = vec![false; at.graph.nodes()];
    let mut left = vec![at.graph.start];
    while let Some(state) = left.pop() {
        if !met(state) && !std::mem::replace(&mut runs[state], true) {
            left.extend(at.graph.out(state).map(|edge| edge.to));
        }
    }
    for (state, runs) in runs.iter_mut().enumerate() {
        *runs &= !promise.paused_in.contains(at.name(state));
    }
    runs
}

/// A ladder of a state, and when it comes to the second level.
struct Watch<'w> {
    state: usize,
    work: &'w Work,
    choice: usize,
    ladder: &'w Ladder,
    second: Span,
}

/// The ladders of the states, but for those that are left by themselves before.
fn watches<'a>(at: &Subject<'a>) -> impl Iterator<Item = Watch<'a>> {
    let works = at.reached();
    let works = works.filter_map(|(number, state)| Some((number, work(state)?)));
    works.flat_map(move |(state, work)| {
        let ladders = work.escalate.iter().enumerate();
        ladders.filter_map(move |(choice, chosen)| {
            let ladder = at.workflow.ladders.get(&chosen.ladder)?;
            let second = ladder.levels.first()?.after;
            let left = work.after.first();
            let left = left.is_some_and(|after| !is_sooner(second, after.span));
            (!left).then_some(Watch {
                state,
                work,
                choice,
                ladder,
                second,
            })
        })
    })
}

/// Whether a ticket for which this span counts can have this ladder.
fn can_meet(
    at: &Subject<'_>,
    promise: &Promise,
    exception: Option<usize>,
    watch: &Watch<'_>,
) -> bool {
    let exceptions = promise.except.iter().map(|(when, _)| when);
    let earlier = exceptions.clone().take(exception.unwrap_or(usize::MAX));
    let this = exceptions.clone().nth(exception.unwrap_or(usize::MAX));
    let choices = watch.work.escalate.iter();
    let choices = choices.filter_map(|choice| choice.when.as_ref());
    let first = choices.clone().take(watch.choice);
    let chosen = watch.work.escalate.get(watch.choice);
    let chosen = chosen.and_then(|choice| choice.when.as_ref());
    let others = earlier.chain(first).map(|when| (when, false));
    let mut cases = Cases::all(&at.workflow.fields);
    for (when, holds) in others.chain(this.into_iter().chain(chosen).map(|when| (when, true))) {
        match cases.that(when, holds) {
            Some(fewer) => cases = fewer,
            None => return false,
        }
    }
    cases.are_possible()
}

fn diagnostic(
    at: &Subject<'_>,
    promise: &Promise,
    exception: Option<usize>,
    within: Span,
    watch: &Watch<'_>,
) -> Diagnostic {
    let message = format!(
        "in the state `{}`, `{}` is due before anybody else is asked",
        at.name(watch.state),
        promise.name
    );
    let site = within_at(at, promise, exception);
    let mut diagnostic = Diagnostic::new(Code::PromiseBeforeHelp, site, message);
    diagnostic.label(format!(
        "{within}, but the second level comes after {}",
        watch.second
    ));
    let level = at.level_node(&watch.ladder.name, 0).find(&["after"]);
    diagnostic.also(level.at, "the second level");
    diagnostic
}

/// Whether a promise's span is over before a ladder's, wherever both begin, as far as that is plain.
fn is_before(at: &Subject<'_>, promise: &Promise, within: Span, after: Span) -> bool {
    let ours = at.workflow.calendar.as_ref();
    let theirs = promise.calendar.as_ref().or(ours);
    let physical = |span: Span, calendar: Option<_>| span.around_the_clock || calendar.is_none();
    let both = (physical(within, theirs), physical(after, ours));
    match (within.count, after.count) {
        // A span of open time takes at least as long as the same span of physical time.
        (SpanCount::Time { seconds: within }, SpanCount::Time { seconds: after }) => {
            within < after && (both.0 || !both.1 && ours == theirs)
        }
        (SpanCount::Days { days: within }, SpanCount::Days { days: after }) => {
            within < after && (both == (true, true) || both == (false, false) && ours == theirs)
        }
        _ if both == (true, true) => {
            let seconds = |span: Span| span.around_the_clock().at_least_seconds();
            seconds(within) < seconds(after)
        }
        _ => false,
    }
}

fn within_at(at: &Subject<'_>, promise: &Promise, exception: Option<usize>) -> Site {
    let node = at.node(&["promises", &promise.name]);
    match exception {
        Some(number) => node.find(&["except"]).item(number).find(&["within"]).at,
        None => node.find(&["within"]).at,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    fn workflow(promise: &str, level: &str, state: &str) -> String {
        format!(
            "
calendar: office-hours
fields: {{ sort: {{ type: choice, options: [A, B] }} }}
promises:
  soon: {{ {promise}, met-in: done }}
ladders:
  slow: [{{ after: {level}, assign: lead of desk }}]
states:
  new: {{ assign: next in desk, escalate: slow, form: [sort], actions: {{ go: done, wait: paused }}{state} }}
  paused: {{ escalate: climb, actions: {{ go: done }} }}
  done: {{ end: done }}
"
        )
    }

    #[test]
    fn the_promise_is_broken_first() {
        let wrong = |span: &str, level: &str, state: &str, promise: &str| {
            let text = format!(
                "promise-before-help `{span}` in the state `new`, `soon` is due before anybody else is \
                 asked + `{level}`"
            );
            check(&workflow(promise, level, state), &[&text]);
        };
        wrong("30 min", "4 h", "", "within: 30 min");
        wrong("1 day", "2 days", "", "within: 1 day");
        wrong(
            "2 h",
            "4 h",
            "",
            "within: 8 h, except: { when: sort is A, within: 2 h }",
        );
        wrong(
            "2 h around the clock",
            "4 h",
            "",
            "within: 2 h around the clock",
        );
        wrong("2 h", "4 h", ", after: { 5 h: paused }", "within: 2 h");
    }

    #[test]
    fn what_is_met_before_or_never_meets_is_fine() {
        fine(
            "
fields: { sort: { type: choice, options: [A, B] } }
promises:
  soon: { within: 1 h, except: { when: sort is A, within: 10 min }, met-in: then }
ladders:
  fast: [{ after: 5 min, assign: lead of desk }]
  slow: [{ after: 1 h, assign: lead of desk }]
  later: [{ after: 3 days, assign: lead of desk }]
states:
  new:
    assign: next in desk
    form: [sort]
    escalate: [{ when: sort is A, ladder: fast }, { else: slow }]
    actions: { go: then }
  then: { assign: lead of desk, escalate: later, actions: { go: last, back: new } }
  last: { assign: lead of desk, escalate: later, actions: { go: done } }
  done: { end: done }
",
        );
    }

    #[test]
    fn help_comes_in_time_or_it_is_not_plain() {
        fine(&workflow("within: 4 h", "4 h", ""));
        fine(&workflow("within: 1 day", "10 h", ""));
        fine(&workflow("within: 2 h", "1 day", ""));
        fine(&workflow("within: 2 h", "4 h around the clock", ""));
        fine(&workflow("within: 2 h", "4 h", ", after: { 1 h: paused }"));
        fine(&workflow("within: 2 h, paused-in: new", "4 h", ""));
        fine(&workflow("within: 2 h, since: caller", "4 h", ""));
    }
}
