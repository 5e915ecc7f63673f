//! Replay: what a workflow would have made of the tickets of a recorded log.
//!
//! A log is a delimited text of any columns, one row per change of a ticket. A [`Mapping`] says which column
//! is what, and which values mean what. [`Log::read`] reads it all, [`LogReader`] row by row; a row that
//! can't be used is counted and named in [`Problems`], never fatal and never dropped silently.
//! [`LogFacts`] counts what the log says of itself.
//!
//! ```
//! use upline_lab::replay::{Columns, Log, LogFacts, Mapping, Means, Notation, Times, What};
//!
//! let mut means = Means::default();
//! means.add("New", What::Queued);
//! means.add("Done*", What::Closed);
//! let mapping = Mapping {
//!     title: "Two rows".to_owned(),
//!     delimiter: b';',
//!     encoding: encoding_rs::UTF_8,
//!     columns: Columns {
//!         ticket: "No".to_owned(),
//!         time: "Changed".to_owned(),
//!         status: vec!["Status".to_owned()],
//!         ..Columns::default()
//!     },
//!     times: Times { notation: Notation::Iso, zone: None },
//!     means,
//!     levels: [].into(),
//!     play: None,
//! };
//! let rows = "No;Changed;Status\n7;2026-03-06T09:00Z;New\n7;2026-03-06T09:35Z;Done at once\n";
//! let log = Log::read(rows.as_bytes(), &mapping, &mut |_| {})?;
//! let facts = LogFacts::of(&log);
//! assert_eq!((facts.tickets, facts.still_open), (1, 0));
//! assert_eq!(facts.queue.spread.longest, 35 * 60);
//! # Ok::<(), upline_lab::replay::LogError>(())
//! ```

mod counts;
mod doer;
mod fill;
mod layout;
mod log;
mod mapping;
mod mapping_file;
mod play;
mod play_file;
mod play_report;
mod problems;
mod recount;
mod report;
mod rows;
mod source;
mod spread;
mod tally;
mod texts;
mod times;
mod watched;

#[cfg(test)]
mod tests;

pub use counts::{LONG, LogFacts, Moves, Stays};
use doer::LOG;
pub use log::{Log, LogEntry, LogError, LogReader, MAX_TICKET_BYTES, Misread, ROWS_PER_PROGRESS};
pub use mapping::{
    Act, By, Columns, Doer, FieldText, MappedField, Mapping, Means, PlayMap, STATUS_SEPARATOR, What,
};
pub use mapping_file::MAX_RANK;
pub use play::{MAX_ACTIONS_PER_ROW, MAX_CLOCKS, MAX_REASONS, PlayError, play, play_observed};
pub use play_report::{
    LevelUse, PersonUse, PlayReport, PromiseUse, Refused, RowUse, StateUse, level_in_words,
};
pub use problems::{
    MAX_NAMED, MAX_NAMED_VALUES, MAX_QUOTED, Named, NamedRow, Problems, ValueRows, Values,
};
pub use recount::Recount;
pub use report::{MAX_SHOWN, ReplayReport, Table};
pub use rows::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_ROW_BYTES, MAX_ROW_LINES};
pub use source::unpack;
pub use spread::{Spread, in_words};
pub use texts::{MAX_TEXT_BYTES, Text, Texts};
pub use times::{ClockChange, FIRST_YEAR, LAST_YEAR, Notation, TimeFault, Times};
