//! Ticket escalation workflows that forget nothing, as a library.
//!
//! A command is answered only after its events are on disk, synced. The journal is the truth; everything
//! else (timers, the outbox, task lists, the index) follows from it and can be rebuilt from it.
//!
//! # Features
//!
//! * `sled` (on by default): an engine on a folder keeps an index of all tickets there ever were, in sled,
//!   behind the journal. It answers `Handle::archive`: tickets that have ended, by id, by another system's
//!   key, by state, outcome, person and time; their history; and it erases them and remembers commands for 7
//!   days.
//!
//! Without it, or where sled can't be built, the engine runs all the same: no command ever waits for the
//! index, and no answer is decided by it. Tickets that have ended can't be found or erased then once they
//! have left memory, and of commands with an id the last 262,144 are remembered.

pub mod clock;
pub mod disk;
pub mod doctor;
pub mod drive;
mod engine;
mod error;
mod floor;
#[cfg(feature = "sled")]
pub mod index;
pub mod journal;
#[cfg(test)]
mod kit;
pub mod notify;
mod outbox;
pub mod record;
pub mod store;
pub mod vault;
mod writer;

#[cfg(feature = "sled")]
pub use engine::Archive;
pub use engine::{Builder, Engine, Handle, MAX_PAGE, MAX_WAITING, Page, StartError, Submission};
pub use error::Error;
pub use floor::{Deployed, Done, Filter, HistoryEntry, Incident, Status, Target};
pub use upline_core as core;
pub use upline_dsl as dsl;
pub use upline_lab as lab;
