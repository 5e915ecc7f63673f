//! What a step of a transcript does.

use jiff::civil::{Date, Time, Weekday};
use upline_core::{Actor, Name, Typed};
use upline_dsl::Site;

/// What a step does, with all names resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The clock is moved.
    At(When),
    /// A ticket is opened.
    Open {
        by: Actor,
        workflow: Name,
        ticket: Name,
        key: Option<Name>,
        fields: Typed,
    },
    /// Somebody wishes something of a ticket.
    Wish {
        target: Target,
        by: Actor,
        verb: Verb,
    },
    /// What became of the latest message to somebody.
    Delivery {
        target: Target,
        via: Name,
        to: Name,
        arrives: bool,
        detail: String,
    },
    /// What a machine answered.
    Run { target: Target, answer: Answer },
    /// The engine goes down, or is back.
    Engine { up: bool },
    /// The clock that fired last is delivered once more.
    ClockAgain,
    /// The directory changes.
    Directory { who: Name, change: Change },
}

/// Which ticket, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Target {
    /// Its name, or its key, by which another system finds it.
    pub(super) ticket: Name,
    pub(super) by_key: bool,
    pub(super) branch: Option<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Act {
        action: Name,
        fields: Typed,
        note: Option<String>,
    },
    Message {
        message: Name,
        fields: Typed,
    },
    Claim,
    Decline(Option<String>),
    Release(Option<String>),
    Delegate(Name, Option<String>),
    Reassign(Name, Option<String>),
    Escalate(Option<u16>, Option<String>),
    Suspend(When, Option<String>),
    Resume,
    Comment {
        text: String,
        to_caller: bool,
    },
    Save(Typed),
    Tick(Name, bool),
    AnswerBy(When),
    Move {
        clock: ClockWord,
        to: When,
        reason: String,
    },
    Hold,
    Cancel(String),
}

/// Which running clock is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockWord {
    /// The ladder's.
    Level,
    /// The state's `after`.
    After,
    /// The wake-up of a suspension.
    Wake,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(Typed),
    Failed { reason: String, retry: bool },
}

/// What happens to a person in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Is no longer in it.
    Leaves,
    /// Is away from now until then, with or without a deputy.
    Away { until: When, deputy: Option<Name> },
    /// Is back.
    Back,
}

/// A time as an author writes it; what it means depends on now and on the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    pub(super) day: Day,
    pub(super) time: Time,
    pub(super) site: Site,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// This day.
    Date(Date),
    /// The next such day, or today if the time is still to come.
    Weekday(Weekday),
    /// Today, or tomorrow if the time is over.
    Next,
}
