//! `unreachable-state`: no way from the start leads to the state. From the language's list of checks.
//!
//! Of states that are reached from each other only, the first is named, and the others with it.

use super::subject::{MAX_ALSO, Subject};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let graph = &at.graph;
    // What is in the branches of an unreachable parallel state follows from it.
    let outer = |state: &usize| {
        let parent = graph.parent(*state);
        parent.is_none_or(|parent| at.reachable[parent])
    };
    let states = 0..graph.states.len();
    let lost = states.filter(|state| !at.reachable[*state]).filter(outer);
    let has_way_in = |state: &usize| graph.ways_to(*state).any(|edge| edge.from != *state);
    // First those that nothing leads to, then what is left: circles.
    let (led_to, roots): (Vec<usize>, Vec<usize>) = lost.partition(has_way_in);
    let mut seen = at.reachable.clone();
    for root in roots.into_iter().chain(led_to) {
        if seen[root] {
            continue;
        }
        let mut with = graph.flood(root, &mut seen);
        with.retain(|state| *state != root && graph.state(*state).is_some());
        with.sort_unstable();
        found.add(|| diagnostic(at, root, &with));
    }
}

fn diagnostic(at: &Subject<'_>, root: usize, with: &[usize]) -> Diagnostic {
    let name = at.name(root);
    let message = format!("no way leads to the state `{name}`");
    let mut diagnostic = Diagnostic::new(Code::UnreachableState, at.state_at(root), message);
    diagnostic.label("no `goto` of a state that can be reached names it");
    for state in with.iter().take(MAX_ALSO) {
        let text = format!("reached from `{name}` only");
        diagnostic.also(at.state_at(*state), text);
    }
    for promise in &at.workflow.promises {
        if promise.met_in.len() == 1 && promise.met_in.contains(name) {
            let text = "so this promise is never met";
            diagnostic.also(at.defined_at("promises", &promise.name), text);
        }
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn states_that_nothing_leads_to() {
        check(
            "
states:
  new: { NEXT { fixed: closed } }
  paused: { LEAD { back: new, go: waiting } }
  waiting: { LEAD { back: paused } }
  closed: { end: done }
",
            &["unreachable-state `paused` no way leads to the state `paused` + `waiting`"],
        );
    }

    #[test]
    fn circles_are_named_once() {
        check(
            "
promises: { soon: { within: 8 h, met-in: b } }
states:
  new: { NEXT { fixed: closed } }
  a: { LEAD { go: b } }
  b: { LEAD { go: a, fixed: closed } }
  closed: { end: done }
",
            &["unreachable-state `a` no way leads to the state `a` + `b`"],
        );
    }

    #[test]
    fn every_kind_of_way_counts() {
        fine(
            "
fields: { sort: { type: choice, options: [A, B] } }
promises: { soon: { within: 8 h, met-in: done, breach: { goto: late } } }
states:
  new: { form: [sort], NEXT { go: sorted }, after: { 2 days: asleep } }
  asleep: { LEAD { go: sorted } }
  sorted: { choose: [{ when: sort is A, goto: both }, { else: late }] }
  late: { LEAD { go: both } }
  both:
    parallel:
      branches:
        left: { start: l, states: { l: { LEAD { go: l2 } }, l2: { end: done } } }
        right: { start: r, states: { r: { LEAD { go: r2 } }, r2: { end: done } } }
      join: all
      goto: done
  done: { end: done }
",
        );
    }
}
