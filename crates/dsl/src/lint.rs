//! Checks on the meaning: what is said after the files were read without a mistake.
//!
//! One module a rule. Each goes over the workflow's graph once; none stops another.

mod circles;
mod coverage_gap;
mod dead_branch;
mod deputy_cycle;
mod empty_group;
mod facts;
mod forgettable_state;
mod four_eyes;
mod graph;
mod hopeless_ladder;
mod instant_loop;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod large;
mod logic;
mod long_closure;
mod long_silence;
mod missing_translation;
mod mixed_clocks;
mod never_asked;
mod never_done;
mod no_way_out;
mod nobody_answerable;
mod phrases;
mod promise_before_help;
#[cfg(test)]
mod random;
mod self_call;
mod silence;
mod subject;
mod team;
mod unreachable_person;
mod unreachable_state;
mod unused_field;
mod unused_ladder;

use jiff::Timestamp;
use upline_core::proof::{Proof, SilentOutcomes, prove_among, silent_outcomes};

use self::subject::Subject;
use crate::calls::calls;
use crate::{Diagnostic, Found, Loaded};

/// A rule about one workflow.
type Rule = fn(&Subject<'_>, &mut Found);

/// The rules about one workflow. What they find is sorted by its place.
const RULES: &[Rule] = &[
    coverage_gap::check,
    dead_branch::check,
    empty_group::check,
    forgettable_state::check,
    four_eyes::check,
    hopeless_ladder::check,
    instant_loop::check,
    long_closure::check,
    long_silence::check,
    missing_translation::check,
    mixed_clocks::check,
    never_asked::check,
    never_done::check,
    no_way_out::check,
    nobody_answerable::check,
    promise_before_help::check,
    silence::check,
    unreachable_state::check,
    unused_field::check,
    unused_ladder::check,
];

/// What is wrong with the meaning of the files that were read, by file and place. Mistakes in their text are
/// in [`Loaded::found`]; a file with such mistakes is not looked at here.
///
/// Absences and shifts are looked at from `from` on, for a year.
pub fn lint(loaded: &Loaded, from: Timestamp) -> Vec<Diagnostic> {
    find(loaded, &proofs(loaded, from), from).into_sorted()
}

/// The proof of each workflow; none without a directory.
pub(crate) fn proofs(loaded: &Loaded, from: Timestamp) -> Vec<Option<Proof>> {
    let directory = loaded.directory.as_ref().map(|read| &read.value);
    let workflows = loaded.workflows.iter().map(|read| &read.value);
    let silent = silent_ends(loaded);
    workflows
        .map(|workflow| directory.map(|directory| prove_among(workflow, directory, from, &silent)))
        .collect()
}

/// How each workflow can end by silence. Grows until nothing is added: what one workflow calls may itself end
/// by the silence of another. One that was not read is refused where it is called.
fn silent_ends(loaded: &Loaded) -> SilentOutcomes {
    let mut known = SilentOutcomes::new();
    let workflows = || loaded.workflows.iter().map(|read| &read.value);
    for called in workflows().flat_map(calls) {
        known.entry(called.clone()).or_default();
    }
    loop {
        let mut grown = false;
        for workflow in workflows() {
            let outcomes = silent_outcomes(workflow, &known);
            if let Some(before) = known.get_mut(&workflow.name)
                && *before != outcomes
            {
                *before = outcomes;
                grown = true;
            }
        }
        if !grown {
            return known;
        }
    }
}

/// What all rules find, not sorted yet.
pub(crate) fn find(loaded: &Loaded, proofs: &[Option<Proof>], from: Timestamp) -> Found {
    let mut found = Found::new();
    if let Some(directory) = &loaded.directory {
        deputy_cycle::check(directory, &loaded.sources, &mut found);
        unreachable_person::check(directory, &loaded.workflows, &mut found);
    }
    self_call::check(&loaded.workflows, &mut found);
    for (read, proof) in loaded.workflows.iter().zip(proofs) {
        let subject = Subject::new(loaded, read, proof.as_ref(), from);
        let before = found.errors();
        for rule in RULES {
            rule(&subject, &mut found);
        }
        if found.errors() == before {
            silence::refuse(&subject, &mut found);
        }
    }
    found
}
