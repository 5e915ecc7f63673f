//! The proved gaps against whom the engine finds.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::made::{number, staff};
use crate::calendar::local::join;
use crate::proof::prove;
use crate::tests::kit::{Desk, end, state, who, work, workflow};
use crate::tests::random::{Tape, base, random_directory};
use crate::workflow::Assign;
use crate::{Fact, Place, StateKind};

proptest! {
    #![proptest_config(super::config())]

    /// Whom the engine finds on opening says whether the proof's gap is one.
    #[test]
    fn gaps_are_when_nobody_is_found(bytes in prop::collection::vec(any::<u8>(), 40..200)) {
        let mut tape = Tape::new(&bytes);
        let mut directory = random_directory(&mut tape);
        staff(&mut tape, &mut directory);
        // A gap is of the year, and room of the moment.
        directory.people.values_mut().for_each(|person| person.at_most = None);
        let mut phrase = who(base(&mut tape));
        phrase.except = (tape.below(3) == 0).then(|| base(&mut tape)).into_iter().collect();
        phrase.skills = (tape.below(3) == 0).then(|| "billing".into()).into_iter().collect();
        phrase.otherwise = (tape.below(3) == 0).then(|| Box::new(base(&mut tape).into()));
        let mut first = work(None, None, vec![]);
        first.assign = Some(Assign::new(phrase, Place::default()));
        let workflow = workflow(vec![state("first", StateKind::Work(first)), end("closed")], vec![]);
        let from: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let proof = prove(&workflow, &directory, from);
        let mut edges: BTreeSet<i64> = proof
            .gaps
            .iter()
            .flat_map(|gap| &gap.intervals)
            .flat_map(|(begin, end)| [begin.as_second(), end.as_second()])
            .collect();
        let absences = directory.absences.values().flatten();
        edges.extend(absences.flat_map(|absence| [absence.from.as_second(), absence.to.as_second()]));
        edges.extend((0..8).map(|_| from.as_second() + number(&mut tape, 250) * 126_000));
        let all: Vec<i64> = edges.into_iter().take(60).collect();
        for at in all.into_iter().flat_map(|edge| [edge - 1, edge]) {
            let mut desk = Desk::new(workflow.clone(), directory.clone());
            desk.now = join(at, 0);
            let within = |gap: &(Timestamp, Timestamp)| gap.0 <= desk.now && desk.now < gap.1;
            let gap = proof.gaps.iter().flat_map(|gap| &gap.intervals).any(within);
            if !(from..proof.to).contains(&desk.now) || desk.open().is_err() {
                continue;
            }
            let passed = |event: &crate::Event| matches!(event.fact, Fact::LevelPassed { .. });
            let nobody = desk.journal.iter().any(passed);
            prop_assert!(nobody || !gap, "{} {:#?} {:#?}", desk.now, proof.gaps, desk.journal);
            // What depends on the ticket is nobody's gap.
            let phrase = workflow.work("first").and_then(|work| work.assign.as_ref());
            let text = phrase.map_or("", |assign| assign.text.as_str());
            let words = ["assignee", "opener", "who did", "expert", "cause"];
            let depends = words.iter().any(|word| text.contains(word));
            let excludes = text.contains("except on call");
            prop_assert!(gap || !nobody || depends || excludes, "{} {text} {:#?}", desk.now, desk.journal);
        }
    }
}
