//! Two runs that must come to the same: of one plan twice, and of one plan in memory and on disk.

use upline::record::{Commit, Entry};

use crate::plan::Plan;
use crate::run::{Failure, Home, Outcome, play};

/// Plays a plan twice: all that is seen must be the same.
#[must_use]
pub fn twice(plan: &Plan) -> Outcome {
    let first = play(plan, Home::disk(plan), true);
    let second = play(plan, Home::disk(plan), true);
    let same = first.trace == second.trace && first.head == second.head;
    let differ = (!same).then(|| {
        let mut lines = first.trace.lines().zip(second.trace.lines());
        format!(
            "two runs differ: {:?}",
            lines.find(|(one, other)| one != other)
        )
    });
    let failure = differ.map(|wrong| Failure { step: 0, wrong });
    Outcome {
        failure: first.failure.clone().or(failure),
        trace: String::new(),
        ..first
    }
}

/// Plays a plan without faults on disk and in memory: the same must be decided.
///
/// # Errors
/// Where they differ, or what else went wrong.
pub fn both_stores(plan: &Plan) -> Result<(), Failure> {
    let plan = plan.without_faults();
    let homes = [Home::disk(&plan).recorded(), Home::memory()];
    let mut decided = Vec::new();
    for home in homes {
        let recorded = home.decided();
        if let Some(failure) = play(&plan, home, false).failure {
            return Err(failure);
        }
        let mut commits = recorded();
        commits.iter_mut().for_each(forget_places);
        decided.push(commits);
    }
    let [disk, memory] = [&decided[0], &decided[1]];
    let mut pairs = disk.iter().zip(memory).enumerate();
    let differ = pairs.find(|(_, (disk, memory))| disk != memory);
    if disk.len() == memory.len() && differ.is_none() {
        return Ok(());
    }
    let wrong = format!(
        "{} commits on disk, {} in memory, and the first that differ: {differ:?}",
        disk.len(),
        memory.len()
    );
    Err(Failure { step: 0, wrong })
}

/// Where something is kept is each store's own matter.
fn forget_places(commit: &mut Commit) {
    for entry in &mut commit.entries {
        if let Entry::Moved(moved) = entry {
            moved.key = 0;
            moved.previous = moved.previous.map(|_| 0);
        }
    }
}
