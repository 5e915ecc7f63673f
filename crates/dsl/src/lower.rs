//! The tree to what it means: workflows and directories of the core.
//!
//! Definitions are collected first, then everything that refers to them is read, so that the order in a file
//! does not matter and one mistake never hides another.

mod absences;
mod actions;
mod calendars;
mod directory;
mod every;
mod fields;
mod groups;
mod hours_at;
mod ladders;
mod leaf;
mod machines;
mod moments;
mod people;
mod promises;
mod quiet;
mod schedules;
mod scope;
mod states;
mod workflow;

pub(crate) use directory::directory;
pub(crate) use scope::{Known, Scope};
pub(crate) use workflow::{is_whole, workflow};

/// How much of something a file may have.
pub mod limits {
    pub use super::machines::{
        DEFAULT_BACKOFF, DEFAULT_RETRIES, DEFAULT_TIMEOUT, MAX_BRANCHES, MAX_RETRIES,
    };
    pub use super::workflow::DEFAULT_SUSPEND;
    pub use crate::syntax::{MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES};
}
