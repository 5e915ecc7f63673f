//! Makes a failing plan smaller: the same kind of failure with fewer steps.

use crate::plan::Plan;
use crate::run::{Home, Outcome, play};

/// Most plays of one shrinking.
const MOST_PLAYS: usize = 4_000;

/// Whether a plan fails in the way that is looked for.
pub type Fails<'a> = dyn FnMut(&Plan) -> bool + 'a;

/// Plays a plan on a disk of its own.
#[must_use]
pub fn on_disk(plan: &Plan) -> Outcome {
    play(plan, Home::disk(plan), false)
}

/// The first words of what went wrong, without what differs from run to run.
#[must_use]
pub fn kind(wrong: &str) -> String {
    let words = wrong.split(|c: char| !c.is_alphabetic() && c != ' ');
    let words: String = words.collect();
    let words: Vec<&str> = words.split_whitespace().take(10).collect();
    words.join(" ")
}

/// Drops steps as long as the plan still fails, in ever smaller pieces.
pub fn shrink(plan: &Plan, fails: &mut Fails<'_>) -> Plan {
    let mut best = plan.clone();
    let mut piece = best.steps.len().div_ceil(2).max(1);
    let mut plays = 0;
    loop {
        let mut at = 0;
        let mut dropped = false;
        while at < best.steps.len() && plays < MOST_PLAYS {
            let mut smaller = best.clone();
            let end = (at + piece).min(smaller.steps.len());
            smaller.steps.drain(at..end);
            plays += 1;
            if fails(&smaller) {
                best = smaller;
                dropped = true;
            } else {
                at += piece;
            }
        }
        if plays >= MOST_PLAYS || piece == 1 && !dropped {
            return best;
        }
        if !dropped || piece > best.steps.len() {
            piece = (piece / 2).max(1);
        }
    }
}

/// Shrinks a plan that fails on a disk.
#[must_use]
pub fn smallest(plan: &Plan) -> Plan {
    let Some(failure) = on_disk(plan).failure else {
        return plan.clone();
    };
    let wanted = kind(&failure.wrong);
    shrink(plan, &mut |plan| {
        let failure = on_disk(plan).failure;
        failure.is_some_and(|failure| kind(&failure.wrong) == wanted)
    })
}
