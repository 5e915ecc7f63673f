//! What can go wrong with an index. The journal is never affected.

use std::io;

use super::tree::Failure;
use crate::journal::{JournalError, Mark};

/// Why the index does not answer, or does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It was not opened, or is being opened.
    #[error("the index is not open yet")]
    NotOpen,
    /// What is in its folder is not what was written. It is set aside and built anew when it is opened again.
    #[error("the index is damaged and must be built anew: {0}")]
    Broken(String),
    /// The operating system. It goes on when it is opened again and that is over.
    #[error("the index can't be used: {why}")]
    Io {
        /// What kind of error.
        kind: io::ErrorKind,
        /// What was done, and what the system said.
        why: String,
    },
    /// The journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A commit of the journal can't be taken in; nothing behind it can be either.
    #[error("commit {} can't be taken into the index: {why}", mark.seq)]
    Commit {
        /// Which.
        mark: Box<Mark>,
        /// Why.
        why: String,
    },
    /// The journal's beginning was removed, and is needed to build the index.
    #[error(
        "the index can't be built: it needs commit {needed}, and the journal begins with commit {oldest}"
    )]
    Trimmed {
        /// The first commit that is needed.
        needed: u64,
        /// The first that is there.
        oldest: u64,
    },
    /// The snapshot can't be read that stands for what was removed from the journal.
    #[error("the index can't be built: the journal's base: {0}")]
    Base(String),
    /// A ticket's key, or the secret for contacts, can't be read.
    #[error("the index can't go on: {0}")]
    Keys(String),
    /// It was stopped while it was being opened.
    #[error("the index was stopped")]
    Stopped,
    /// The cursor is not of this question.
    #[error("this cursor belongs to another list")]
    Cursor,
}

impl From<Failure> for IndexError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(why) => Self::Broken(why),
            Failure::Io(kind, why) => Self::Io { kind, why },
        }
    }
}
