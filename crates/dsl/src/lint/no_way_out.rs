//! `no-way-out`: a state, or some states, from which no end can be reached. From the language's list of
//! checks.
//!
//! Of all the states that can't come to an end, only the trap itself is named: the states that lead to
//! nothing but each other. What leads there only is said with it.

use upline_core::workflow::StateKind;

use super::circles::members;
use super::graph::{Edge, How, work};
use super::subject::{MAX_ALSO, Subject, listed};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let graph = &at.graph;
    // A breach comes once, and perhaps before the ticket is here: nobody can count on it to lead out.
    let ends = graph.ends(|edge| !matches!(edge.how, How::Broken | How::Breach(_)));
    let is_state = |state: usize| graph.state(state).is_some();
    let stuck = |state: usize| !ends[state] && at.reachable[state] && is_state(state);
    // A branch that never ends does no harm where the ticket goes on all the same.
    let blamed = |state: usize| {
        let outer = std::iter::successors(graph.parent(state), |parent| graph.parent(*parent));
        stuck(state) && outer.into_iter().all(stuck)
    };
    let dead: Vec<bool> = (0..graph.nodes()).map(blamed).collect();
    if !dead.contains(&true) {
        return;
    }
    let circles = graph.circles(|edge| dead[edge.from] && dead[edge.to]);
    for circle in members(&circles) {
        let Some(&first) = circle.first().filter(|first| dead[**first]) else {
            continue;
        };
        let leads_on = |edge: &Edge| dead[edge.to] && circles[edge.to] != circles[first];
        let leads_on = |state: &usize| graph.out(*state).any(leads_on);
        if !circle.iter().any(leads_on) {
            found.add(|| diagnostic(at, &circle));
        }
    }
}

fn diagnostic(at: &Subject<'_>, circle: &[usize]) -> Diagnostic {
    let first = circle[0];
    let names = listed(circle.iter().map(|state| at.name(*state)));
    let message = format!("no end can be reached from {names}");
    let mut diagnostic = Diagnostic::new(Code::NoWayOut, at.state_at(first), message);
    let has_ways = at.graph.out(first).next().is_some();
    let is_work = at.graph.state(first).and_then(work).is_some();
    diagnostic.label(match (circle.len(), has_ways) {
        (1, false) if is_work => "nothing leads out of this state",
        (1, _) => "all that leads out of this state comes back to it",
        _ => "these states lead only to each other",
    });
    for state in circle.iter().skip(1).take(MAX_ALSO) {
        diagnostic.also(at.state_at(*state), "and this one");
    }
    let region = at.graph.parent(first);
    let is_end = |state: &usize| matches!(at.graph.states[*state].kind, StateKind::End { .. });
    let mut states = 0..at.graph.states.len();
    if !states.any(|state| at.graph.parent(state) == region && is_end(&state)) {
        let whole = region.map_or("the workflow", |_| "the branch");
        diagnostic.help(format!(
            "{whole} has no end at all: add a state such as `closed: {{ end: done }}`"
        ));
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn a_trap_is_named_and_not_what_leads_there() {
        check(
            "
states:
  new: { NEXT { fixed: closed, wait: on-hold } }
  on-hold: { LEAD { wait: a } }
  a: { LEAD { go: b } }
  b: { LEAD { go: a } }
  closed: { end: done }
",
            &["no-way-out `a` no end can be reached from `a` and `b` + `b`"],
        );
    }

    #[test]
    fn a_breach_is_no_way_out() {
        check(
            "
promises: { soon: { within: 8 h, met-in: done, breach: { goto: late } } }
states:
  new: { NEXT { go: a, fixed: done } }
  a: { LEAD { go: b } }
  b: { LEAD { go: a } }
  late: { LEAD { fixed: done, go: a } }
  done: { end: done }
",
            &["no-way-out `a` no end can be reached from `a` and `b` + `b`"],
        );
    }

    #[test]
    fn a_state_without_anything() {
        check(
            "
states:
  new: { assign: next in desk, escalate: climb }
",
            &["no-way-out `new` no end can be reached from `new`"],
        );
    }

    #[test]
    fn a_branch_that_never_ends_stops_the_ticket_where_all_are_awaited() {
        let workflow = |join: &str, after: &str| {
            format!(
                "
states:
  both:
    {after}
    parallel:
      branches:
        left: {{ start: l, states: {{ l: {{ LEAD {{ go: l }} }} }} }}
        right: {{ start: r, states: {{ r: {{ LEAD {{ go: r2 }} }}, r2: {{ end: done }} }} }}
      join: {join}
      goto: done
  done: {{ end: done, by-silence: allowed }}
"
            )
        };
        let stuck = "no-way-out `l` no end can be reached from `l`";
        check(&workflow("all", "title: Both"), &[stuck]);
        fine(&workflow("any", "title: Both"));
        fine(&workflow("all", "after: { 5 days: done }"));
    }
}
