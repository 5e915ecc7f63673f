//! What can go wrong for a caller.

use upline_core::{Name, Rejection};
use upline_lab::world::Refusal;

use crate::floor::Fault;
use crate::store::StoreError;

/// Mistakes in files that the text of an error tells; all are in the error.
const MAX_TOLD: usize = 3;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ticket's rules refuse it. Nothing has changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A ticket with this key is open. Nothing has changed.
    #[error("the key `{key}` is open as ticket {ticket}")]
    SameKey {
        /// The key.
        key: Name,
        /// The ticket that has it.
        ticket: Name,
    },
    /// No such workflow, or not in this version. Nothing has changed.
    #[error("there is no workflow `{workflow}`")]
    NoSuchWorkflow {
        /// Which was named.
        workflow: Name,
    },
    /// No directory was deployed yet.
    #[error("there is no directory yet: deploy one first")]
    NoDirectory,
    /// The ticket is open: who works on it must be able to read it. Nothing has changed.
    #[error("the ticket is still open")]
    StillOpen,
    /// The ticket has changed since the caller looked. Nothing has changed by this command.
    #[error("the ticket is at revision {revision} now")]
    Changed {
        /// Its revision.
        revision: u64,
    },
    /// The command's id was used for another command before. Nothing has changed.
    #[error("this id was used for another command")]
    OtherCommand,
    /// The ticket is set aside: an operator must look at it.
    #[error("the ticket is set aside: {why}")]
    SetAside {
        /// What is wrong.
        why: String,
    },
    /// The files have mistakes; what held before holds on. As text: the first of them, each with file, line
    /// and column.
    #[error("the files have mistakes: {}", summary(.0))]
    Files(Box<upline_dsl::Checked>),
    /// A workflow of this name and version is there with another text.
    #[error("`{workflow}` version {version} is known with another text: raise `version`")]
    SameVersion {
        /// The workflow.
        workflow: Name,
        /// The version.
        version: u32,
    },
    /// More than [`MAX_COMMAND_BYTES`](crate::MAX_COMMAND_BYTES) in one command: everybody else's clocks and
    /// commands would wait for it. Nothing has changed.
    #[error("the command has {bytes} bytes, and {limit} are the most", limit = crate::MAX_COMMAND_BYTES)]
    TooLarge {
        /// How many it has, written down as compactly as the journal does.
        bytes: usize,
    },
    /// Too many commands wait: try again in a moment. Nothing has changed.
    #[error("too many commands wait")]
    Busy,
    /// The store can't be written now. Nothing has changed.
    #[error("{0}")]
    Unavailable(String),
    /// The store failed while the command was being written: whether it was carried out is seen when it is
    /// given again with the same id.
    #[error("it is not known whether the command was carried out: {0}")]
    Unknown(String),
    /// What was asked is answered by the index of all tickets, which has not come so far: try again. It was
    /// just opened, or is being built anew. Nothing has changed.
    #[error("the index of all tickets has not come so far: {done} of {of}")]
    Indexing {
        /// Commits that are in it; while it is being opened, keys that were checked.
        done: u64,
        /// Of how many; 0: not known yet.
        of: u64,
    },
    /// What was asked is answered by the index of all tickets, and there is none, or it can't be used now.
    #[error("the index of all tickets does not answer: {0}")]
    NoIndex(String),
    /// The cursor is not of this question.
    #[error("this cursor belongs to another question")]
    Cursor,
    /// What happened up to this commit was removed by the retention rule: start again from a list.
    #[error("what happened up to commit {oldest} is kept no more")]
    TooOld {
        /// The commit.
        oldest: u64,
    },
    /// The engine's store keeps no journal that could be followed.
    #[error("this engine keeps no journal that could be followed")]
    NoFeed,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store.
    #[error("{}", match .0 {
        StoreError::Full => "the disk is full: make room, and start again".to_owned(),
        other => other.to_string(),
    })]
    Store(#[from] StoreError),
    /// The files that it was given.
    #[error(transparent)]
    Files(Box<Error>),
    /// There is no tokio runtime here to send messages on.
    #[error("an engine is started within a tokio runtime")]
    NoRuntime,
    /// The system gave no thread.
    #[error("the system gave no thread: {0}")]
    Thread(std::io::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(Refusal::Rejected(rejection)) => Self::Rejected(rejection),
            Fault::Refused(Refusal::SameKey { key, ticket }) => Self::SameKey { key, ticket },
            Fault::Refused(Refusal::NoSuchWorkflow { workflow }) => {
                Self::NoSuchWorkflow { workflow }
            }
            Fault::Refused(other @ (Refusal::TooDeep | Refusal::Down)) => {
                Self::Unavailable(other.to_string())
            }
            Fault::Changed { revision } => Self::Changed { revision },
            Fault::OtherWish => Self::OtherCommand,
            Fault::SetAside(why) => Self::SetAside { why },
            Fault::NoDirectory => Self::NoDirectory,
            Fault::StillOpen => Self::StillOpen,
            Fault::Store(error) => Self::from_store(&error),
        }
    }
}

impl Error {
    /// Of a store that failed before anything was written.
    pub(crate) fn from_store(error: &StoreError) -> Self {
        match error {
            StoreError::Ticket { why, .. } => Self::SetAside { why: why.clone() },
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// The first mistakes, each with its place, and how many more there are: one line, for a log. Warnings do
/// not keep files from holding.
fn summary(checked: &upline_dsl::Checked) -> String {
    let errors = checked.diagnostics.iter();
    let errors = errors.filter(|one| one.severity == upline_dsl::Severity::Error);
    let mut errors = errors.map(|one| {
        let (file, message) = (one.primary.file, &one.message);
        let at = checked.sources.position(file, one.primary.span.start);
        let name = checked.sources.name(file);
        let help = one.help.as_ref().map(|help| format!(" ({help})"));
        let help = help.unwrap_or_default();
        format!("{name}:{}:{}: {message}{help}", at.line, at.column)
    });
    let first: Vec<String> = errors.by_ref().take(MAX_TOLD).collect();
    let told = first.join("; ");
    match errors.count() + checked.left_out {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}
