//! `self-call`: a workflow that calls itself, directly or by others. From the list of bad input.

use std::collections::HashMap;

use upline_core::Workflow;
use upline_core::workflow::Doing;

use super::circles::{components, members};
use super::graph::work;
use super::subject::MAX_ALSO;
use crate::{Code, Diagnostic, Found, Read, Site};

/// A call: who calls, in which state, and whom.
struct Call<'w> {
    from: usize,
    state: &'w str,
    to: usize,
}

pub(super) fn check(workflows: &[Read<Workflow>], found: &mut Found) {
    let names = workflows.iter().enumerate();
    let numbers: HashMap<&str, usize> = names
        .map(|(number, read)| (read.value.name.as_str(), number))
        .collect();
    let mut calls = Vec::new();
    for (from, read) in workflows.iter().enumerate() {
        for state in read.value.states.values() {
            if let Some(Doing::Call(call)) = work(state).and_then(|work| work.doing.as_ref())
                && let Some(&to) = numbers.get(call.workflow.as_str())
            {
                let state = &state.name;
                calls.push(Call { from, state, to });
            }
        }
    }
    if calls.is_empty() {
        return;
    }
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); workflows.len()];
    calls.iter().for_each(|call| of[call.from].push(call.to));
    let circles = components(workflows.len(), |from, visit| {
        of[from].iter().for_each(|to| visit(*to));
    });
    for circle in members(&circles) {
        let number = circles[circle[0]];
        let within = |call: &&Call<'_>| circles[call.from] == number && circles[call.to] == number;
        let mut calls = calls.iter().filter(within);
        let Some(first) = calls.next() else { continue };
        found.add(|| {
            let name = &workflows[first.from].value.name;
            let message = match circle.len() {
                1 => format!("`{name}` calls itself"),
                _ => format!("`{name}` calls itself by way of others"),
            };
            let mut diagnostic =
                Diagnostic::new(Code::SelfCall, call_at(workflows, first), message);
            diagnostic.label("each ticket would open another one, without end");
            for call in calls.take(MAX_ALSO) {
                diagnostic.also(call_at(workflows, call), "and on");
            }
            diagnostic
        });
    }
}

fn call_at(workflows: &[Read<Workflow>], call: &Call<'_>) -> Site {
    let Read { value, spans, .. } = &workflows[call.from];
    spans.in_state(value, call.state, &["call", "workflow"])
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, states};

    fn calls(name: &str, other: &str) -> String {
        let body = format!(
            "
  new: {{ NEXT {{ go: order }} }}
  order: {{ call: {{ workflow: {other} }}, escalate: climb, actions: {{ done: done }} }}
  done: {{ end: done }}
"
        );
        states(name, &body)
    }

    #[test]
    fn itself_and_by_way_of_others() {
        check_files(&[&calls("a", "a")], &["self-call `a` `a` calls itself"]);
        check_files(
            &[&calls("a", "b"), &calls("b", "c"), &calls("c", "a")],
            &["self-call `b` `a` calls itself by way of others + `c` + `a`"],
        );
    }

    #[test]
    fn one_with_mistakes_is_not_missing() {
        let broken = states(
            "b",
            "\n  new: { assign: next in desk, after: { 1 h: wrong } }\n",
        );
        check_files(
            &[&calls("a", "b"), &broken],
            &["unknown-state `wrong` there is no state `wrong`"],
        );
    }

    #[test]
    fn one_that_calls_another_is_fine() {
        let last = states(
            "c",
            "
  new: { NEXT { go: done } }
  done: { end: done }
",
        );
        check_files(&[&calls("a", "b"), &calls("b", "c"), &last], &[]);
    }
}
