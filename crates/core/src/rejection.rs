//! Rejections: why a wish is not possible now. Nothing has changed.

use crate::ticket::Branch;
use crate::{Name, ValueError};

/// Why a command was refused. A closed set: callers match on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is a ticket already.
    #[error("the ticket is open already")]
    AlreadyOpen,
    /// There is no ticket yet.
    #[error("there is no such ticket")]
    NotOpen,
    /// The ticket has ended.
    #[error("the ticket has ended")]
    HasEnded,
    /// Several branches are open, and the command names none.
    #[error("say which branch is meant: {}", names(branches))]
    WhichBranch {
        /// Those that are open.
        branches: Vec<Branch>,
    },
    /// No such branch is open.
    #[error("there is no open branch `{branch}`")]
    NoSuchBranch {
        /// Which was named.
        branch: Branch,
    },
    /// The state has no such action.
    #[error("`{state}` has no action `{action}`; it has: {}", names(actions))]
    NoSuchAction {
        /// The state.
        state: Name,
        /// Which was named.
        action: Name,
        /// What there is.
        actions: Vec<Name>,
    },
    /// Nothing awaits the message.
    #[error("nothing awaits the message `{message}` now")]
    NotAwaited {
        /// Which.
        message: Name,
    },
    /// Somebody else has it.
    #[error("{holder} has it now")]
    HeldBy {
        /// Who is answerable.
        holder: Name,
    },
    /// Somebody was faster.
    #[error("{by} has claimed it already")]
    AlreadyClaimed {
        /// Who.
        by: Name,
    },
    /// The operation is not for this person here.
    #[error("{operation} is not for you here")]
    NotAllowed {
        /// Which.
        operation: crate::Operation,
    },
    /// The action's `by` leaves this person out (four eyes), though he has the ticket or is meant otherwise.
    #[error("`{action}` is not for you: it says `except {except}`, and that is you")]
    Excluded {
        /// The action.
        action: Name,
        /// The part of the phrase that leaves him out, as its author wrote: `who did propose`.
        except: Name,
    },
    /// The operation makes no sense here.
    #[error("{operation} is not possible here: {because}")]
    NotPossible {
        /// Which.
        operation: crate::Operation,
        /// Why not.
        because: Because,
    },
    /// The person named is not in the directory.
    #[error("there is nobody called `{person}`")]
    NoSuchPerson {
        /// Who was named.
        person: Name,
    },
    /// The person named can't have it.
    #[error("{person} can't have it: {reason}")]
    CannotHave {
        /// Who.
        person: Name,
        /// Why.
        reason: crate::Reason,
    },
    /// The form is not right; nothing was saved.
    #[error("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Form {
        /// All that is wrong.
        faults: Vec<FieldFault>,
    },
    /// Checklist items are open.
    #[error("still to be ticked: {}", names(items))]
    NotTicked {
        /// Which.
        items: Vec<Name>,
    },
    /// The state has no such checklist item.
    #[error("there is no checklist item `{item}` here")]
    NoSuchItem {
        /// Which was named.
        item: Name,
    },
    /// The ladder has no such level.
    #[error("the ladder has {levels} levels")]
    NoSuchLevel {
        /// How many there are.
        levels: usize,
    },
    /// No such clock is running.
    #[error("that clock is not running")]
    NoSuchClock,
    /// The time lies in the past, or too far ahead.
    #[error("the time must lie after now and before {latest}")]
    BadTime {
        /// The latest that is possible.
        latest: jiff::Timestamp,
    },
    /// A text is empty or too long.
    #[error("a text of 1 to {limit} bytes is needed")]
    BadText {
        /// Longest allowed, in bytes.
        limit: usize,
    },
    /// What a ticket can't be called. An id of digits alone is a ticket's number, which the engine gives.
    #[error(
        "a ticket's id or key is one line of at most {limit} bytes, and no key is empty; an id of digits \
         alone is a ticket's number, and nobody else gives those"
    )]
    BadId {
        /// Longest allowed, in bytes.
        limit: usize,
    },
    /// The workflow runs in a circle with no person and no time between.
    #[error("`{state}` leads back to itself without a person or a clock")]
    InstantLoop {
        /// A state of the circle.
        state: Name,
    },
    /// The ticket can't go on in the other version.
    #[error("it can't leave `{state}` for the new version: {because}")]
    CannotMigrate {
        /// The state in which it is.
        state: Name,
        /// Why not.
        because: MigrationFault,
    },
    /// The ticket does not fit the workflow it was given: not the version that it was opened with.
    #[error("the workflow has no state `{state}`")]
    WrongWorkflow {
        /// The state that is missing.
        state: Name,
    },
}

/// Why an operation makes no sense where the ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Because {
    /// Nothing is offered: somebody has it.
    #[error("nothing is offered")]
    NotOffered,
    /// Nobody has taken it yet.
    #[error("nobody has taken it yet")]
    NotTaken,
    /// After the last resort there is nobody.
    #[error("the last resort has it")]
    LastResort,
    /// The ladder stands still.
    #[error("it is suspended")]
    Suspended,
    /// The ladder does not stand still.
    #[error("it is not suspended")]
    NotSuspended,
    /// The state has no ladder.
    #[error("this state has no ladder")]
    NoLadder,
    /// The author gave no limit for it, or it was used.
    #[error("the workflow does not allow it, or it was used already")]
    NotGiven,
    /// A parallel state is moved by its branches.
    #[error("its branches have it")]
    Branches,
}

/// Why a ticket can't go on in another version of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MigrationFault {
    /// The state is gone, and the plan names no other.
    #[error("the new version has no such state")]
    NoSuchState,
    /// The state is a choice or an end.
    #[error("only a state in which somebody is answerable can take a ticket over")]
    NobodyAnswerable,
    /// The state has moved into a branch, or out of it.
    #[error("it belongs to another branch in the new version")]
    OtherBranch,
    /// The ticket would have no clock.
    #[error("nothing would move it on: the new state has neither ladder nor `after`")]
    NothingWatches,
    /// The parallel state has other branches.
    #[error("its branches are others in the new version")]
    OtherBranches,
    /// The call that is under way is another's, or none.
    #[error("what it waits for is not there in the new version")]
    NothingAwaited,
}

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// The workflow has no such field.
    #[error("there is no field `{field}`")]
    Unknown {
        /// Which was named.
        field: Name,
    },
    /// The state's form does not have it.
    #[error("`{field}` is not in the form here")]
    NotInForm {
        /// Which.
        field: Name,
    },
    /// It must be filled.
    #[error("`{field}` must be filled")]
    Missing {
        /// Which.
        field: Name,
    },
    /// The value does not fit.
    #[error("`{field}` {fault}")]
    Value {
        /// Which.
        field: Name,
        /// Why.
        fault: ValueError,
    },
}

fn names(names: &[Name]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
