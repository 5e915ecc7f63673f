//! How other workflows that are called can end while nobody acts.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::{DONE, FAILED};
use crate::workflow::{Call, Doing, StateKind, Work};
use crate::{Action, Name, Workflow};

/// By workflow: the outcomes that silence can lead to, as [`silent_outcomes`] finds them. One that is not in
/// it may end in any way.
pub type SilentOutcomes = BTreeMap<Name, BTreeSet<Name>>;

/// The outcomes with which a ticket of this workflow can end although nobody acts: by clocks, choices, broken
/// promises, machines that fail, joins, and the silent ends of what it calls, as far as they are known.
///
/// What a machine does well is an act.
#[must_use]
pub fn silent_outcomes(workflow: &Workflow, known: &SilentOutcomes) -> BTreeSet<Name> {
    let mut outcomes = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let breaches = workflow.promises.iter();
    let mut ahead: Vec<&Name> = breaches
        .filter_map(|promise| promise.breach.goto.as_ref())
        .collect();
    ahead.push(&workflow.start);
    while let Some(name) = ahead.pop() {
        let Some(state) = workflow.states.get(name).filter(|_| seen.insert(name)) else {
            continue;
        };
        match &state.kind {
            StateKind::End { outcome, .. } if state.within.is_none() => {
                outcomes.insert(outcome.clone());
            }
            StateKind::End { .. } => (),
            StateKind::Choose { cases, otherwise } => {
                ahead.extend(cases.iter().map(|(_, goto)| goto));
                ahead.push(otherwise);
            }
            StateKind::Work(work) => leads_to(work, known, &mut ahead),
        }
    }
    outcomes
}

fn leads_to<'a>(work: &'a Work, known: &SilentOutcomes, ahead: &mut Vec<&'a Name>) {
    ahead.extend(work.after.iter().map(|after| &after.goto));
    match &work.doing {
        Some(Doing::Run(_)) => ahead.extend(work.action(FAILED).map(|action| &action.goto)),
        Some(Doing::Call(call)) => {
            let actions = silent_actions(work, call, known);
            ahead.extend(actions.into_iter().map(|action| &action.goto));
        }
        Some(Doing::Parallel(parallel)) => {
            ahead.extend(parallel.branches.iter().map(|(_, start)| start));
            ahead.push(&parallel.goto);
        }
        None => (),
    }
}

/// The actions by which the called workflow's silence moves the caller on; decided like
/// [`Wish::ChildEnded`](crate::Wish::ChildEnded).
pub(super) fn silent_actions<'a>(
    work: &'a Work,
    call: &Call,
    known: &SilentOutcomes,
) -> Vec<&'a Action> {
    let Some(outcomes) = known.get(&call.workflow) else {
        return work.actions.iter().collect();
    };
    let taken = outcomes.iter().filter_map(|outcome| {
        let named = work.action(outcome).or_else(|| work.action(DONE));
        named.or_else(|| work.actions.first())
    });
    taken.collect()
}
