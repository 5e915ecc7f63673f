//! `never-done`: a phrase asks who did an action that nobody can have taken by then.

use std::collections::BTreeMap;

use upline_core::{Base, Name};

use super::facts::Facts;
use super::graph::{How, work};
use super::phrases::{Asked, Role, bases};
use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let mut actions: BTreeMap<&Name, usize> = BTreeMap::new();
    for action in at.phrases.iter().flat_map(|asked| whose(asked)) {
        let number = actions.len();
        actions.entry(action).or_insert(number);
    }
    if actions.is_empty() {
        return;
    }
    let facts = Facts::flow(
        &at.graph,
        actions.len(),
        |_, _| (),
        |edge, visit| {
            let work = at.graph.state(edge.from).and_then(work);
            if let (How::Action(number), Some(work)) = (edge.how, work)
                && let Some(fact) = work.actions.get(number).map(|action| &action.name)
            {
                actions.get(fact).into_iter().for_each(|fact| visit(*fact));
            }
        },
    );
    let users = users(at);
    for asked in &at.phrases {
        let own;
        let states: &[usize] = match asked.role {
            Role::Assign(state) | Role::Informed(state, _) | Role::By(state, ..) => {
                own = [state];
                &own
            }
            Role::Level(ladder, _) | Role::LevelInformed(ladder, ..) => {
                users.get(ladder).map_or(&[], Vec::as_slice)
            }
            Role::Warned(..) | Role::Breached(..) => continue,
        };
        let mut states = states
            .iter()
            .filter(|state| at.reachable[**state])
            .peekable();
        // What is never asked at all is said by others.
        if states.peek().is_none() {
            continue;
        }
        for action in whose(asked) {
            let fact = actions.get(action).copied().unwrap_or_default();
            if !states.clone().any(|state| facts.has(*state, fact)) {
                found.add(|| {
                    let site = at.word_at(at.phrase_at(asked), action);
                    let message = format!("nobody can have done `{action}` before this");
                    let mut diagnostic = Diagnostic::new(Code::NeverDone, site, message);
                    diagnostic.label("this action is taken later, if at all");
                    diagnostic
                });
            }
        }
    }
}

/// The actions that a phrase asks after.
fn whose<'w>(asked: &Asked<'w>) -> impl Iterator<Item = &'w Name> + use<'w> {
    bases(asked.who).filter_map(|base| match base {
        Base::WhoDid(action) => Some(action),
        _ => None,
    })
}

/// The states that use a ladder.
fn users<'a>(at: &Subject<'a>) -> BTreeMap<&'a str, Vec<usize>> {
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, state) in at.graph.states.iter().enumerate() {
        for choice in work(state).map_or(&[][..], |work| &work.escalate) {
            users.entry(&choice.ladder).or_default().push(number);
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn an_action_that_comes_later() {
        check(
            "
ladders:
  back: [{ after: 1 h, assign: who did accept }]
states:
  new: { assign: \"who did accept, else lead of desk\", escalate: back, actions: { go: working } }
  working: { assign: lead of desk except who did close, escalate: climb, actions: { accept: then } }
  then:
    assign: who did accept
    escalate: back
    notify: [who did close, who did go]
    actions: { close: done }
  done: { end: done, notify: who did close }
",
            &[
                "never-done `accept` nobody can have done `accept` before this",
                "never-done `close` nobody can have done `close` before this",
                "never-done `close` nobody can have done `close` before this",
            ],
        );
    }

    #[test]
    fn it_may_come_by_a_circle_or_another_branch() {
        fine(
            "
states:
  new: { assign: \"who did back, else lead of desk\", escalate: climb, actions: { go: both } }
  both:
    parallel:
      branches:
        left:
          start: l
          states:
            l: { LEAD { sign: { goto: l2, by: next in desk except who did check } } }
            l2: { end: done }
        right: { start: r, states: { r: { LEAD { check: r2 } }, r2: { end: done } } }
      join: all
      goto: after
  after: { assign: who did sign, escalate: climb, actions: { back: new, close: done } }
  done: { end: done, notify: [who did close, who did check] }
",
        );
    }
}
