//! A fault of each kind at each operation of the disk, one at a time: what chance may leave out.

use crate::plan::{Failure as Fault, Left, Plan, Step};
use crate::run::{Failure, Home, play};

/// Most steps of a plan that is played so often.
const MOST_STEPS: usize = 30;

/// What can happen at an operation.
const FAULTS: [fn(u64) -> Step; 10] = [
    |operation| Step::Kill { operation },
    |operation| cut(operation, Left::Nothing),
    |operation| cut(operation, Left::Everything),
    |operation| cut(operation, Left::Half),
    |operation| cut(operation, Left::Torn),
    |operation| fail(operation, Fault::Error),
    |operation| fail(operation, Fault::Part),
    |operation| fail(operation, Fault::Done),
    |operation| fail(operation, Fault::Full),
    |operation| fail(operation, Fault::FullInPart),
];

fn cut(operation: u64, keep: Left) -> Step {
    Step::Cut { operation, keep }
}

fn fail(operation: u64, fault: Fault) -> Step {
    Step::Fail { operation, fault }
}

/// Plays the beginning of a plan without its own faults, with each fault at each of its first `operations`
/// operations, of which every `stride`-th is taken. How often it was played.
///
/// # Errors
/// The plan that failed, and what went wrong.
pub fn operation(plan: &Plan, operations: u64, stride: usize) -> Result<u64, Box<(Plan, Failure)>> {
    let mut plan = plan.without_faults();
    plan.steps.truncate(MOST_STEPS);
    plan.steps.insert(
        0,
        Step::Kill {
            operation: u64::MAX >> 1,
        },
    );
    let most = play(&plan, Home::disk(&plan), false).operations;
    let mut played = 0;
    for at in (0..most.min(operations)).step_by(stride.max(1)) {
        for fault in FAULTS {
            plan.steps[0] = fault(at);
            played += 1;
            if let Some(failure) = play(&plan, Home::disk(&plan), false).failure {
                return Err(Box::new((plan, failure)));
            }
        }
    }
    Ok(played)
}
