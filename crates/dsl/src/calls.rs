//! What workflows that call each other need of each other.

use std::collections::BTreeMap;

use upline_core::workflow::{Call, Doing, StateKind};
use upline_core::{Name, State, Work, Workflow};

use crate::{Code, FileId, Found, Read};

/// Reports calls of workflows that are not there, do not have the fields, or end in a way that leads nowhere.
/// Of those that are `broken` nothing is known but their names.
pub(crate) fn check_calls(
    workflows: &[Read<Workflow>],
    broken: &BTreeMap<Name, FileId>,
    found: &mut Found,
) {
    let mut ends = BTreeMap::new();
    for read in workflows {
        for state in read.value.states.values() {
            if let StateKind::Work(work) = &state.kind
                && let Some(Doing::Call(call)) = &work.doing
                && !broken.contains_key(&call.workflow)
            {
                check_call(workflows, read, state, work, call, &mut ends, found);
            }
        }
    }
}

/// The workflows that a workflow calls.
pub(crate) fn calls(workflow: &Workflow) -> impl Iterator<Item = &Name> {
    let states = workflow.states.values();
    states.filter_map(|state| match &state.kind {
        StateKind::Work(work) => match &work.doing {
            Some(Doing::Call(call)) => Some(&call.workflow),
            _ => None,
        },
        StateKind::Choose { .. } | StateKind::End { .. } => None,
    })
}

fn check_call<'w>(
    workflows: &'w [Read<Workflow>],
    read: &Read<Workflow>,
    state: &State,
    work: &Work,
    call: &Call,
    ends: &mut BTreeMap<&'w Name, Vec<&'w Name>>,
    found: &mut Found,
) {
    let at = |rest: &[&str]| read.spans.in_state(&read.value, &state.name, rest);
    let site = || at(&["call", "workflow"]);
    let all = workflows.iter().map(|one| &one.value);
    let Some(called) = all.clone().find(|other| other.name == call.workflow) else {
        let names: Vec<&str> = all.map(|one| one.name.as_str()).collect();
        found.unknown_workflow(site(), &call.workflow, names);
        return;
    };
    let names: Vec<&str> = called.fields.keys().map(Name::as_str).collect();
    for (theirs, _) in &call.with {
        if !called.fields.contains_key(theirs) {
            found.unknown_field(at(&["call", "with", theirs]), theirs, names.clone());
        }
    }
    for (ours, theirs) in &call.take {
        if !called.fields.contains_key(theirs) {
            found.unknown_field(at(&["call", "take", ours]), theirs, names.clone());
        }
    }
    let outcomes = ends.entry(&called.name).or_insert_with(|| outcomes(called));
    for outcome in outcomes.iter() {
        if work.action(outcome).is_none() {
            let workflow = &call.workflow;
            let message =
                format!("`{workflow}` can end with `{outcome}`, and no action is called so");
            let label = format!("add `{outcome}: {{ goto: STATE }}` to the actions");
            found.report_with(Code::UnknownAction, site(), message, label);
        }
    }
}

/// The outcomes with which a workflow can end, each once.
fn outcomes(workflow: &Workflow) -> Vec<&Name> {
    let own = workflow.states.values().filter(|end| end.within.is_none());
    let outcomes = own.filter_map(|end| match &end.kind {
        StateKind::End { outcome, .. } => Some(outcome),
        StateKind::Work(_) | StateKind::Choose { .. } => None,
    });
    let mut outcomes: Vec<&Name> = outcomes.collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    outcomes
}
