//! The proof: that no ticket can be forgotten, and how long it takes until each level, and the last resort,
//! is answerable.
//!
//! [`prove`] looks at each state as if a ticket had just entered it and nobody acted any more: the directory
//! as given, the engine up, from a given instant for a year. Its bounds are never exceeded by what
//! [`decide`](crate::decide()) does; they may be longer than what a given directory really takes, as they
//! assume that each person who might be asked is, and that each is passed over at the worst moment.

mod calls;
mod chain;
mod curve;
mod days;
mod ends;
mod gaps;
mod graph;
mod hops;
mod ladder;
mod map;
mod measure;
mod served;
mod silence;
mod standin;
mod table;
#[cfg(test)]
mod tests;
mod timeline;
mod ways;

pub use calls::{SilentOutcomes, silent_outcomes};
use jiff::Timestamp;
use serde::Serialize;

use crate::calendar::local::{DAY, join, split};
use crate::decide::HOLD_SECONDS;
use crate::ticket::Level;
use crate::{Directory, Name, Place, Workflow};

/// For so long after the given instant a ticket may enter a state: a year, in seconds.
pub const PROVED_SECONDS: i64 = 366 * DAY;

/// A silence that may last for longer than this, in seconds of physical time, is hardly meant: 92 days, a
/// quarter of a year. The proof holds, and whoever checks says so.
pub const LONG_SECONDS: i64 = 92 * DAY;

/// Most states of a path in a [`Problem`] or a [`StateBound`]; a longer path is cut.
pub const MAX_PATH: usize = 64;

/// What is proved of a workflow with a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// States may be entered from here on,
    pub from: Timestamp,
    /// and before.
    pub to: Timestamp,
    /// Each working state in the author's order; one with several ladders once for each.
    pub states: Vec<StateBound>,
    /// Seconds that these bounds allow each person on a ladder beyond his time, because a link in a mail,
    /// which needs no login, may hold it that long, once ([`HOLD_SECONDS`]). 0 if there is no ladder.
    pub hold: i64,
    /// Why the workflow can't be run. Empty: every ticket gets to somebody.
    pub problems: Vec<Problem>,
    /// When somebody who might be asked is not there. No problem: the next one is asked.
    pub gaps: Vec<Gap>,
}

impl Proof {
    /// Whether every ticket reaches the last resort, or an end that silence may lead to.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

/// How long silence lasts in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateBound {
    /// The state.
    pub state: Name,
    /// The parallel state and the branch that it belongs to.
    pub within: Option<(Name, Name)>,
    /// The ladder; `None` if the state has none, or none is chosen.
    pub ladder: Option<Name>,
    /// The condition on which this ladder is chosen; `None` for one that needs none.
    pub when: Option<String>,
    /// Whom the state asks itself, and each level of the ladder.
    pub levels: Vec<LevelBound>,
    /// Until the last resort is answerable, or an end is reached that silence may lead to. `None`: not
    /// proved,
    /// and a problem says why.
    pub last_resort: Option<Bound>,
    /// The way that takes longest, if it leads out of the state: the states after this one, up to the one
    /// whose
    /// ladder reaches the last resort, or to an end.
    pub leads_to: Vec<Name>,
}

/// When a level is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelBound {
    /// Which.
    pub level: Level,
    /// Whom it asks, as its author wrote; `None` changes nobody.
    pub who: Option<Name>,
    /// How many people at most are asked on it, one after the other.
    pub hops: u32,
    /// From entering the state. `None`: not proved.
    pub bound: Option<Bound>,
    /// Where it stands.
    pub place: Place,
}

/// The longest that something can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bound {
    /// Seconds in which the workflow's calendar is open.
    pub working: i64,
    /// Seconds of physical time.
    pub wall: i64,
    /// Entered then, or a moment later, it takes the longest by the clock on the wall.
    pub entered: Timestamp,
}

/// Something because of which a ticket could be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// The states that lead to it.
    pub path: Vec<Name>,
    /// The rule that is to blame.
    pub place: Place,
    /// In a sentence.
    pub text: String,
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// Time alone leads round in a circle, before any last resort is asked.
    EndlessSilence,
    /// Time alone leads to an end that does not allow it.
    SilentEnd,
    /// Neither a ladder nor time leads out of the state.
    ForgettableState,
    /// A span in the calendar is never over, or beyond what calendars know.
    Unbounded,
    /// The workflow's calendar is not in the directory.
    UnknownCalendar,
    /// The last resort is not in the directory.
    NoLastResort,
    /// No level of the ladder ever finds anybody.
    HopelessLadder,
}

/// A phrase that finds nobody for some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Whom it asks, as its author wrote.
    pub who: Name,
    /// Where it is asked.
    pub asked: Vec<Asked>,
    /// Why nobody is found.
    pub why: GapWhy,
    /// When, from the first instant to the one after the last, in order and apart from each other. Within the
    /// workflow's open hours, in which its clocks fire; all day if one of them counts around the clock.
    pub intervals: Vec<(Timestamp, Timestamp)>,
    /// How long they are together.
    pub seconds: i64,
    /// Nobody in all of the year.
    pub always: bool,
}

/// A place where a phrase is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Asked {
    /// The state, for its own `assign`.
    pub state: Option<Name>,
    /// The ladder, for one of its levels.
    pub ladder: Option<Name>,
    /// Which level.
    pub level: Level,
    /// Where it stands.
    pub place: Place,
}

/// Why a phrase finds nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapWhy {
    /// Nobody is asked for: an empty group, a group without a lead, somebody outside.
    Nobody,
    /// None of them has the skills.
    Skills,
    /// All of them are left out by `except`.
    Excluded,
    /// None of them can be told.
    Unreachable,
    /// They are off shift, or absent without a deputy who is there.
    Away,
}

/// Proves that silence is bounded, for tickets that enter a state in the year from `from` on.
///
/// Pure: same arguments, same proof. What it costs is in the workflow's distinct ladders, not in its states.
#[must_use]
pub fn prove(workflow: &Workflow, directory: &Directory, from: Timestamp) -> Proof {
    prove_among(workflow, directory, from, &SilentOutcomes::new())
}

/// The same where it is known how the workflows that it calls can end by silence. Of one that is not known
/// any end is expected at any moment.
#[must_use]
pub fn prove_among(
    workflow: &Workflow,
    directory: &Directory,
    from: Timestamp,
    calls: &SilentOutcomes,
) -> Proof {
    let from = split(from).0;
    let to = from.saturating_add(PROVED_SECONDS);
    let (from, to) = (join(from, 0), join(to, 0));
    let mut problems = Vec::new();
    if !directory.people.contains_key(&directory.last_resort) {
        problems.push(Problem {
            kind: ProblemKind::NoLastResort,
            path: Vec::new(),
            place: workflow.place.clone(),
            text: format!(
                "the last resort `{}` is not in the directory",
                directory.last_resort
            ),
        });
    }
    let states = silence::states(workflow, directory, (from, to), calls, &mut problems);
    let gaps = gaps::gaps(workflow, directory, (from, to), &mut problems);
    let climbs = states.iter().any(|state| state.ladder.is_some());
    Proof {
        from,
        to,
        states,
        hold: if climbs { HOLD_SECONDS } else { 0 },
        problems,
        gaps,
    }
}
