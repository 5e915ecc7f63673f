//! What a virtual run found.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use upline_core::{Level, Name};

use super::{Spread, Values, What};

/// What a workflow would have made of a log.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlayReport {
    /// The workflow.
    pub workflow: Name,
    /// Its version.
    pub version: u32,
    /// The directory.
    pub directory: Name,
    /// The log's first row.
    pub from: Option<Timestamp>,
    /// The log's last row; the run ends with it.
    pub until: Option<Timestamp>,
    /// When the run was given up, because more clocks had fired than [`MAX_CLOCKS`](super::MAX_CLOCKS).
    /// Rows after it were not played.
    pub given_up: Option<Timestamp>,
    /// Tickets of the log that were opened.
    pub opened: u64,
    /// Tickets that called workflows or openings by the clock have opened besides.
    pub opened_besides: u64,
    /// Those of all that ended.
    pub ended: u64,
    /// Those of all that were open at the end.
    pub open_at_end: u64,
    /// Events in all journals.
    pub events: u64,
    /// Clocks that fell due.
    pub clocks: u64,
    /// What became of the log's rows.
    pub rows: RowUse,
    /// Rows that could not be played, by meaning and reason.
    pub refused: Vec<Refused>,
    /// What clocks, called workflows and openings by the clock were refused, by reason.
    pub refused_to_clocks: BTreeMap<String, u64>,
    /// Values of columns that the mapping translates for a field, and does not know. The field stays empty,
    /// or gets what the mapping gives instead.
    pub unknown_values: Values,
    /// Rows whose person is not in the directory, where the mapping asks for the log's person.
    pub unknown_people: Values,
    /// How each level of each ladder was used.
    pub levels: Vec<LevelUse>,
    /// How each state was used.
    pub states: Vec<StateUse>,
    /// From being asked until somebody acted, in the states that ask somebody rather than watch who has it.
    pub until_acted: Spread,
    /// Tickets that the ladder gave to somebody else before anybody acted.
    pub tickets_moved: u64,
    /// Tickets that came to the last resort.
    pub last_resort: u64,
    /// How often the last resort was reminded.
    pub reminders: u64,
    /// How the promises were kept.
    pub promises: Vec<PromiseUse>,
    /// What each person had to do.
    pub people: Vec<PersonUse>,
}

/// What became of the rows that were used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RowUse {
    /// An action was taken, or several in a row.
    pub acted: u64,
    /// The ticket was already where the row says.
    pub there_already: u64,
    /// The row's meaning does nothing in the mapping.
    pub nothing: u64,
    /// It was not possible; see [`PlayReport::refused`].
    pub refused: u64,
    /// Not played, because the run was given up before.
    pub not_played: u64,
}

/// Rows that could not be played, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What they tell.
    pub what: What,
    /// Why not.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// The line of the first of them.
    pub first_line: u64,
}

/// How a level of a ladder was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LevelUse {
    /// The ladder; empty for states without one.
    pub ladder: Name,
    /// The level.
    #[serde(serialize_with = "level")]
    pub level: Level,
    /// How often somebody was asked on it.
    pub hops: u64,
    /// For how many tickets.
    pub tickets: u64,
    /// How often it had nobody, and was passed at once.
    pub nobody: u64,
}

/// How a state was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StateUse {
    /// The state.
    pub state: Name,
    /// Whether it asks somebody, rather than watching who has the ticket already.
    pub asks: bool,
    /// How often it was entered.
    pub visits: u64,
    /// In how many of these visits somebody acted.
    pub acted: u64,
    /// In how many of those the ladder had given the ticket to somebody else before.
    pub moved_before_act: u64,
    /// How many visits ended without anybody acting.
    pub ended_by_clock: u64,
    /// How many visits had not ended at the end.
    pub still_there: u64,
    /// In how many visits the last resort was asked.
    pub last_resort: u64,
    /// From entering until somebody acted.
    pub until_acted: Spread,
    /// Seconds spent in it, of the visits that ended.
    pub held_seconds: i64,
}

impl StateUse {
    pub(super) fn over(&mut self, acted: bool, last_resort: bool) {
        self.ended_by_clock += u64::from(!acted);
        self.last_resort += u64::from(last_resort);
    }
}

/// How a promise was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PromiseUse {
    /// The promise.
    pub promise: Name,
    /// Kept in time.
    pub met: u64,
    /// Broken, and met afterwards.
    pub met_late: u64,
    /// Broken, and not met by the end of the ticket or of the run.
    pub breached: u64,
    /// Neither, because the ticket ended before.
    pub ended_before: u64,
    /// Still running or paused at the end.
    pub running: u64,
}

/// What one person had to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PersonUse {
    /// Who.
    pub person: Name,
    /// How often a ticket was given to the person.
    pub given: u64,
    /// How many actions the person took.
    pub acts: u64,
    /// Most open tickets at once.
    pub peak_open: u32,
    /// When that was first so.
    pub peak_at: Option<Timestamp>,
    /// Open tickets on average over the run.
    pub mean_open: f64,
    /// Open tickets at the end.
    pub open_at_end: u32,
}

/// A level in words: `entry`, `1`, `last resort`.
pub fn level_in_words(level: Level) -> String {
    match level {
        Level::Entry => "entry".to_owned(),
        Level::Number(number) => number.to_string(),
        Level::LastResort => "last resort".to_owned(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn level<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&level_in_words(*level))
}
