//! `instant-loop`: states that decide at once lead to each other in a circle, with no person and no time
//! between. From the language's list of checks. And `too-many`: a way that is straight, but longer than the
//! core goes at once ([`MAX_AUTOMATIC_STEPS`]).

use upline_core::workflow::{MAX_AUTOMATIC_STEPS, StateKind};

use super::circles::members;
use super::graph::{Edge, Graph, How, parallel};
use super::subject::{MAX_ALSO, Subject, listed};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let graph = &at.graph;
    let decides = |state: usize| matches!(graph.states[state].kind, StateKind::Choose { .. });
    let is_instant = |state: usize| decides(state) || parallel(graph.states[state]).is_some();
    if !(0..graph.states.len()).any(is_instant) {
        return;
    }
    let at_once = at_once(graph);
    let circles = graph.circles(&at_once);
    let mut looped = vec![false; graph.nodes()];
    for circle in members(&circles) {
        let first = circle[0];
        let to_itself = |edge: &Edge| at_once(edge) && edge.to == first;
        if circle.len() > 1 || graph.out(first).any(to_itself) {
            circle.iter().for_each(|state| looped[*state] = true);
            found.add(|| in_a_circle(at, &circle));
        }
    }
    if !looped.contains(&true) {
        too_many(at, &circles, at_once, found);
    }
}

/// The ways that are gone as soon as a state is entered.
pub(super) fn at_once(graph: &Graph<'_>) -> impl Fn(&Edge) -> bool {
    let ends = graph.ends(|edge| matches!(edge.how, How::Case(_) | How::Otherwise));
    move |edge| match edge.how {
        How::Case(_) | How::Otherwise | How::Branch(_) => true,
        How::Join => graph.joins(edge.from, |head| ends[head]),
        _ => false,
    }
}

fn in_a_circle(at: &Subject<'_>, circle: &[usize]) -> Diagnostic {
    let names = listed(circle.iter().map(|state| at.name(*state)));
    let message = match circle.len() {
        1 => format!("{names} leads to itself at once"),
        _ => format!("{names} lead to each other at once, in a circle"),
    };
    let mut diagnostic = Diagnostic::new(Code::InstantLoop, at.state_at(circle[0]), message);
    diagnostic.label("no person and no time stands between");
    let within = |edge: &&Edge| circle.binary_search(&edge.to).is_ok();
    let ways = circle
        .iter()
        .flat_map(|state| at.graph.out(*state).filter(within));
    for edge in ways.take(MAX_ALSO) {
        diagnostic.also(at.edge_at(edge), "leads on");
    }
    diagnostic
}

/// Steps are counted as the core does: each state that is entered is one.
fn too_many(
    at: &Subject<'_>,
    circles: &[usize],
    at_once: impl Fn(&Edge) -> bool,
    found: &mut Found,
) {
    let graph = &at.graph;
    let mut order: Vec<usize> = (0..graph.states.len()).collect();
    // Without circles, whatever a state leads to has a lower number.
    order.sort_unstable_by_key(|state| circles[*state]);
    let mut steps = vec![1_usize; graph.nodes()];
    for state in order {
        let to = graph.out(state).filter(|edge| at_once(edge));
        let branches = to.clone().filter(|edge| matches!(edge.how, How::Branch(_)));
        let sum: usize = branches.map(|edge| steps[edge.to]).sum();
        let others = to.filter(|edge| !matches!(edge.how, How::Branch(_)));
        let longest = others.map(|edge| steps[edge.to]).max().unwrap_or(0);
        steps[state] = (1 + sum + longest).min(usize::MAX / (graph.nodes() + 2));
    }
    // Named where it begins, not at each state on the way.
    let begins = |state: usize| !graph.ways_to(state).any(&at_once);
    for (state, _) in at.reached() {
        if steps[state] > MAX_AUTOMATIC_STEPS && begins(state) {
            found.add(|| {
                let message = format!(
                    "from `{}` more than {MAX_AUTOMATIC_STEPS} states can be entered at once",
                    at.name(state)
                );
                let mut diagnostic = Diagnostic::new(Code::TooMany, at.state_at(state), message);
                diagnostic.label("put a state with a person or a time between");
                diagnostic
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    const FIELD: &str = "fields: { sort: { type: choice, options: [A, B] } }";

    #[test]
    fn choices_in_a_circle() {
        check(
            &format!(
                "{FIELD}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: a }} }}
  a: {{ choose: [{{ when: sort is A, goto: done }}, {{ else: b }}] }}
  b: {{ choose: [{{ when: sort is B, goto: done }}, {{ else: a }}] }}
  done: {{ end: done }}
"
            ),
            &["instant-loop `a` `a` and `b` lead to each other at once, in a circle + `b` + `a`"],
        );
    }

    #[test]
    fn a_choice_that_leads_to_itself() {
        check(
            &format!(
                "{FIELD}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: a }} }}
  a: {{ choose: [{{ when: sort is A, goto: done }}, {{ else: a }}] }}
  done: {{ end: done }}
"
            ),
            &["instant-loop `a` `a` leads to itself at once + `a`"],
        );
    }

    #[test]
    fn branches_that_end_at_once() {
        check(
            &format!(
                "{FIELD}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: both }} }}
  both:
    parallel:
      branches:
        left: {{ start: l, states: {{ l: {{ end: done }} }} }}
        right: {{ start: r, states: {{ r: {{ end: done }} }} }}
      join: all
      goto: sorted
  sorted: {{ choose: [{{ when: sort is A, goto: done }}, {{ else: both }}] }}
  done: {{ end: done, by-silence: allowed }}
"
            ),
            &[
                "instant-loop `both` `both` and `sorted` lead to each other at once, in a circle \
                 + `sorted` + `both`",
            ],
        );
    }

    #[test]
    fn a_person_between_is_enough() {
        fine(&format!(
            "{FIELD}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: a }} }}
  a: {{ choose: [{{ when: sort is A, goto: done }}, {{ else: b }}] }}
  b: {{ choose: [{{ when: sort is B, goto: done }}, {{ else: new }}] }}
  done: {{ end: done }}
"
        ));
    }

    #[test]
    fn long_chains_are_refused_before_the_core_refuses_them() {
        let chain = |length: usize| {
            let mut text = format!(
                "{FIELD}
states:
  new: {{ assign: next in desk, escalate: climb, form: [sort], actions: {{ go: c0 }} }}
"
            );
            for number in 0..length {
                let next = match number + 1 {
                    next if next == length => "done".to_owned(),
                    next => format!("c{next}"),
                };
                text += &format!(
                    "  c{number}: {{ choose: [{{ when: sort is A, goto: done }}, {{ else: {next} }}] }}\n"
                );
            }
            text + "  done: { end: done }\n"
        };
        fine(&chain(63));
        let message = "from `c0` more than 64 states can be entered at once";
        check(&chain(64), &[&format!("too-many `c0` {message}")]);
    }
}
