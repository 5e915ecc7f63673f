//! `dead-branch`: a condition that can't be true, or whatever stands behind one that always is. From the
//! language's list of checks. Also an `after` that a shorter one always precedes.

use std::collections::BTreeSet;

use upline_core::workflow::{After, StateKind};
use upline_core::{Condition, Span, SpanCount};

use super::graph::work;
use super::logic::Cases;
use super::subject::Subject;
use crate::syntax::Node;
use crate::{Code, Diagnostic, Found, Site};

/// Most conditions of a list that are compared with each other; further ones must at least not be the same.
const MAX_COMPARED: usize = 64;

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    for (number, state) in at.graph.states.iter().enumerate() {
        let node = || at.state_node(number);
        match &state.kind {
            StateKind::Choose { cases, .. } => {
                let conditions: Vec<&Condition> = cases.iter().map(|(when, _)| when).collect();
                list(at, found, &conditions, || node().find(&["choose"]));
            }
            StateKind::Work(work) => {
                let choices = work.escalate.iter();
                let conditions: Vec<&Condition> =
                    choices.filter_map(|choice| choice.when.as_ref()).collect();
                list(at, found, &conditions, || node().find(&["escalate"]));
            }
            StateKind::End { .. } => (),
        }
        too_late(at, found, number);
    }
    for promise in &at.workflow.promises {
        let conditions: Vec<&Condition> = promise.except.iter().map(|(when, _)| when).collect();
        let node = || at.node(&["promises", &promise.name, "except"]);
        list(at, found, &conditions, node);
    }
}

/// The first condition that holds counts; `node` has them in order.
fn list<'n>(
    at: &Subject<'_>,
    found: &mut Found,
    conditions: &[&Condition],
    node: impl Fn() -> &'n Node,
) {
    let when = |number: usize| node().item(number).find(&["when"]).at;
    let fields = &at.workflow.fields;
    let mut left = Cases::all(fields);
    let mut said = BTreeSet::new();
    for (number, condition) in conditions.iter().enumerate() {
        let alone = Cases::all(fields).that(condition, true);
        if alone.is_some_and(|alone| !alone.are_possible()) {
            found.add(|| {
                let site = when(number);
                let mut diagnostic =
                    Diagnostic::new(Code::DeadBranch, site, "this condition can't be true");
                diagnostic.label("so what it leads to never happens");
                diagnostic
            });
            continue;
        }
        let seen = conditions.len() > 1 && !said.insert(condition.to_string());
        let here = left.that(condition, true);
        if seen || here.is_some_and(|here| !here.are_possible()) {
            let before = &conditions[..number.min(MAX_COMPARED)];
            let covering = before.iter().position(|before| *before == *condition);
            let covering = covering.or_else(|| covered_by(at, before, condition));
            found.add(|| covered(when(number), covering.map(&when)));
            continue;
        }
        if number < MAX_COMPARED
            && let Some(rest) = left.that(condition, false)
        {
            if !rest.are_possible() {
                found.add(|| always(when(number), number == 0));
                return;
            }
            left = rest;
        }
    }
}

/// The first condition that holds whenever this one does.
fn covered_by(at: &Subject<'_>, before: &[&Condition], condition: &Condition) -> Option<usize> {
    let fields = &at.workflow.fields;
    before.iter().position(|other| {
        let here = Cases::all(fields).that(condition, true);
        let without = here.as_ref().and_then(|here| here.that(other, false));
        without.is_some_and(|without| !without.are_possible())
    })
}

fn covered(site: Site, by: Option<Site>) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(Code::DeadBranch, site, "this condition is never looked at");
    match by {
        Some(by) => {
            diagnostic.label("whenever it is true, an earlier one is");
            diagnostic.also(by, "this one comes first");
        }
        None => {
            diagnostic.label("whenever it is true, one of the earlier ones is");
        }
    }
    diagnostic
}

fn always(site: Site, alone: bool) -> Diagnostic {
    let message = if alone {
        "this condition is always true"
    } else {
        "when it comes to this condition, it is always true"
    };
    let mut diagnostic = Diagnostic::new(Code::DeadBranch, site, message);
    diagnostic.label("so nothing behind it is ever looked at");
    diagnostic
}

/// The first `after` leads out of the state, so a later one never comes.
fn too_late(at: &Subject<'_>, found: &mut Found, number: usize) {
    let all = work(at.graph.states[number]).map_or(&[][..], |work| &work.after);
    for (later, after) in all.iter().enumerate().skip(1) {
        let sooner = |other: &After| is_sooner(other.span, after.span);
        let Some(first) = all[..later].iter().position(sooner) else {
            continue;
        };
        found.add(|| {
            let (key, _) = at.after_at(number, later);
            let message = format!("{} never pass in this state", after.span);
            let mut diagnostic = Diagnostic::new(Code::DeadBranch, key, message);
            diagnostic.label(format!("after {} it is left already", all[first].span));
            diagnostic.also(at.after_at(number, first).0, "by this");
            diagnostic
        });
    }
}

/// Whether the one span is over before the other wherever both begin, as far as that is plain.
pub(super) fn is_sooner(one: Span, other: Span) -> bool {
    one.around_the_clock == other.around_the_clock
        && match (one.count, other.count) {
            (SpanCount::Time { seconds: one }, SpanCount::Time { seconds: other }) => one < other,
            (SpanCount::Days { days: one }, SpanCount::Days { days: other }) => one < other,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    fn choose(cases: &str) -> String {
        format!(
            "
fields:
  sort: {{ type: choice, options: [A, B, C] }}
  count: {{ type: number }}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort, count], actions: {{ go: sorted }} }}
  sorted: {{ choose: [{cases}, {{ else: done }}] }}
  other: {{ NEXT {{ go: sorted }} }}
  done: {{ end: done }}
"
        )
    }

    #[test]
    fn conditions_that_are_never_true_or_never_looked_at() {
        for (cases, wrong) in [
            (
                "{ when: sort is A and sort is B, goto: other }, { when: sort is A, goto: other }",
                "`sort is A and sort is B` this condition can't be true",
            ),
            (
                "{ when: sort is A, goto: other }, { when: sort is A and count is 3, goto: done }",
                "`sort is A and count is 3` this condition is never looked at + `sort is A`",
            ),
            (
                "{ when: sort is A, goto: other }, { when: sort is A, goto: done }",
                "`sort is A` this condition is never looked at + `sort is A`",
            ),
            (
                "{ when: sort is A, goto: other }, { when: sort is B, goto: done }, \
                 { when: \"sort is one of [A, B]\", goto: done }",
                "`\"sort is one of [A, B]\"` this condition is never looked at",
            ),
            (
                "{ when: count is over 5 or count is not over 5, goto: other }, \
                 { when: sort is A, goto: done }",
                "`count is over 5 or count is not over 5` this condition is always true",
            ),
            (
                "{ when: sort is A, goto: other }, { when: sort is not A, goto: done }",
                "`sort is not A` when it comes to this condition, it is always true",
            ),
        ] {
            check(&choose(cases), &[&format!("dead-branch {wrong}")]);
        }
    }

    #[test]
    fn conditions_that_overlap_are_fine() {
        for cases in [
            "{ when: sort is A and count is over 5, goto: other }, { when: sort is A, goto: done }",
            "{ when: sort is A, goto: other }, { when: \"sort is one of [A, B]\", goto: done }",
            "{ when: count is over 5, goto: other }, { when: count is over 3, goto: done }, \
             { when: count is under 4, goto: other }",
            "{ when: sort is A, goto: other }, { when: sort is B, goto: other }, \
             { when: sort is C, goto: other }",
        ] {
            fine(&choose(cases));
        }
    }

    #[test]
    fn ladders_promises_and_times() {
        check(
            "
fields: { sort: { type: choice, options: [A, B] } }
promises:
  soon:
    within: 8 h
    except: [{ when: sort is A, within: 4 h }, { when: sort is A, within: 5 h }]
    met-in: done
ladders:
  other: [{ after: 1 h, assign: lead of desk }]
states:
  new:
    assign: next in desk
    form: [sort]
    escalate: [{ when: sort is A and sort is B, ladder: other }, { else: climb }]
    actions: { go: done }
    after: { 3 h: then, 2 h: then, 1 day: then }
  then: { LEAD { go: done } }
  done: { end: done }
",
            &[
                "dead-branch `sort is A` this condition is never looked at + `sort is A`",
                "dead-branch `sort is A and sort is B` this condition can't be true",
                "dead-branch `3 h` 3 h never pass in this state + `2 h`",
            ],
        );
    }
}
