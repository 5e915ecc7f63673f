//! Where tickets are kept: what the engine asks of a store, whatever it is made of.

pub(crate) mod fold;
pub mod log;
mod memory;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use upline_core::{Name, Workload};

use crate::disk::is_in_the_way;
use crate::feed::Feed;
use crate::journal::{JournalError, JournalReader, Position};
use crate::record::{CommandId, Commit, Entry, File, Millis, Number, Record, Unreadable};
use crate::vault::{Vault, VaultError};

pub use log::{LogOptions, LogStore};
pub use memory::MemoryStore;

/// Is shown a ticket.
pub type Show<'a> = dyn FnMut(&Record) -> Result<(), StoreError> + 'a;

/// A durable home for tickets.
///
/// One writer calls it, from one thread at a time. **The contract: what [`Store::commit`] has answered
/// survives the loss of power.** After an error of `commit` the outcome is unknown to the writer; it drops
/// all that it holds in memory, calls [`Store::recover`] again and goes on from what that says.
///
/// Nothing here assumes a single process: a store that several writers share refuses a [`Batch`] whose
/// `fence` is older than the newest that it has seen, with [`StoreError::Fenced`].
pub trait Store: Send {
    /// Reads all that the writer needs in order to go on: each open ticket, and each ended one with messages
    /// still to be sent, is shown, its fields left out; then the rest is answered. One may be shown again,
    /// the same, if what it was read from turns out to be damaged and there is another way.
    ///
    /// # Errors
    /// [`StoreError`].
    fn recover(&mut self, each: &mut Show<'_>) -> Result<Recovered, StoreError>;

    /// Makes sure that the next commit of at most [`MAX_COMMIT_BYTES`] finds room, so that a full disk is
    /// noticed before anything was decided.
    ///
    /// # Errors
    /// [`StoreError::Full`].
    fn make_room(&mut self) -> Result<(), StoreError>;

    /// Looks whether there is room for what is written beside the journal, such as keys: asked for now and
    /// then after something was refused for want of room. A store that knows of nothing such has room.
    ///
    /// # Errors
    /// [`StoreError::Full`], or why it is not known.
    fn look_for_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Where the next commit will be.
    fn next_position(&self) -> u64;

    /// A key for a ticket that is about to be opened: its place in the vault.
    ///
    /// # Errors
    /// [`StoreError`].
    fn new_key(&mut self) -> Result<u32, StoreError>;

    /// A ticket, its fields too. `None`: there is none, or it ended and is in no hot table any more.
    ///
    /// # Errors
    /// [`StoreError::Ticket`] if this one can't be read although others can.
    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError>;

    /// Writes all of the batch or nothing. On disk when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; see the trait.
    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError>;

    /// One commit of the journal, with what is personal in it as far as its keys are there.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError>;

    /// Destroys the key of a ticket.
    ///
    /// # Errors
    /// [`StoreError`].
    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError>;

    /// Called between commits with what the writer knows: a store that wants to write a snapshot does.
    ///
    /// # Errors
    /// [`StoreError`]; the next commits are not affected.
    fn between_commits(&mut self, known: &dyn Fn() -> Recovered) -> Result<(), StoreError>;

    /// Told before [`Store::recover`]: what ended longer ago than this may be removed for good.
    ///
    /// # Errors
    /// [`StoreError::Format`] if the store keeps all there ever was, as it does unless it says otherwise, or
    /// if the time is too short.
    fn keep_history(&mut self, keep: Duration) -> Result<(), StoreError> {
        let days = keep.as_secs() / 86_400;
        Err(StoreError::Format(format!(
            "this store has no rule that removes history, here after {days} days"
        )))
    }

    /// The numbers of all tickets, also of those that ended long ago, that are lower than `below`: the
    /// highest first, so many at most. `None`: the store knows only those that are open, as it does unless
    /// it says otherwise, and an index has the others.
    ///
    /// # Errors
    /// [`StoreError`].
    fn all(&mut self, below: Number, limit: usize) -> Result<Option<Vec<Number>>, StoreError> {
        let _ = (below, limit);
        Ok(None)
    }

    /// Where what is committed can be followed from outside. A store that keeps no journal for that has none.
    fn feed(&self) -> Option<Feed> {
        None
    }

    /// A record that was kept beside the journal, with what was sealed in it as far as its key is there. A
    /// store that seals nothing has nothing to do.
    ///
    /// # Errors
    /// [`StoreError`].
    fn unsealed(&self, record: Record) -> Result<Record, StoreError> {
        Ok(record)
    }
}

/// Is told of a journal by the store that writes it, in the writer's thread: it must return at once.
pub trait Listener: Send + Sync {
    /// The journal was opened, perhaps again after a failure. Earlier readers see nothing new.
    fn opened(&self, reader: &JournalReader);

    /// Something was committed.
    fn committed(&self);

    /// The tickets' keys, told before each [`Listener::opened`]: for whoever opens what is sealed.
    fn keys(&self, vault: &Arc<Vault>) {
        let _ = vault;
    }

    /// The first position that it may still read the journal from, also after a power cut: what is before it
    /// may be removed. `None`: it asks for nothing.
    fn needs(&self) -> Option<Position> {
        None
    }
}

/// Most bytes of one commit.
pub const MAX_COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// What a writer goes on from, besides the tickets.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recovered {
    /// The highest fence that a commit bore.
    pub fence: u64,
    /// The time of the last commit.
    pub at: Millis,
    /// The last number given to a ticket.
    pub last_number: Number,
    /// The first key that no ticket has.
    pub next_key: u32,
    /// Who holds how many, and whose turn it is.
    pub workload: Workload,
    /// The files that hold: by name, each in the text that came last; and of workflows all texts that came,
    /// since tickets keep their version.
    pub files: Vec<File>,
    /// The latest commands that bore an id, oldest first.
    pub commands: VecDeque<Seen>,
}

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// Its id.
    pub id: CommandId,
    /// A hash of what it wished.
    pub wish: u64,
    /// When.
    pub at: Millis,
    /// The ticket that it moved.
    pub number: Number,
    /// The ticket's id.
    pub ticket: Name,
    /// The ticket's revision after it.
    pub revision: u64,
}

/// What the writer has decided since the last commit.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The writer's right to write: raised whenever another writer takes over.
    pub fence: u64,
    /// The engine's time.
    pub at: Millis,
    /// What the machine's clock showed.
    pub wall: Millis,
    /// What happened, in order. Events are whole, and nothing is sealed: that is the store's part.
    pub entries: Vec<Entry>,
    /// Each ticket that was changed, as it is after all of them.
    pub after: Vec<&'a mut Record>,
}

/// What went wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is full. Nothing was lost; it goes on when there is room.
    #[error(
        "the disk is full: make room; an engine at work then goes on by itself, and anything else must be \
         started again"
    )]
    Full,
    /// The operating system.
    #[error("{doing}: {source}{}", way_out(source))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What is on disk is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// One ticket can't be read; others can.
    #[error("ticket number {number} can't be read: {why}")]
    Ticket {
        /// Which.
        number: Number,
        /// Why.
        why: String,
    },
    /// The folder is not this program's, or of another time.
    #[error("{0}")]
    Format(String),
    /// Another process has the folder.
    #[error("this data folder is open already, in another process or in this one: stop that first")]
    Locked,
    /// Another writer has taken over.
    #[error("another writer has taken over: this one must stop")]
    Fenced,
    /// The ticket was changed by somebody else.
    #[error("ticket number {number} is at revision {is}, not {expected}")]
    Conflict {
        /// Which.
        number: Number,
        /// Its revision.
        is: u64,
        /// The one expected.
        expected: u64,
    },
    /// More was decided at once than a commit may hold.
    #[error("a commit of {0} bytes is too large")]
    TooLarge(usize),
}

/// What to do about what is in the way. Of other errors the system's words have to do.
fn way_out(error: &io::Error) -> &'static str {
    match is_in_the_way(error) {
        true => "; nothing is known to be lost: see to its rights, or to what stands in its place",
        false => "",
    }
}

impl From<JournalError> for StoreError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full { .. } => Self::Full,
            JournalError::Io { doing, source } => Self::Io { doing, source },
            JournalError::TooLarge { bytes } => Self::TooLarge(bytes),
            JournalError::Newer { .. } | JournalError::Older { .. } => {
                Self::Format(error.to_string())
            }
            JournalError::MovedOn => Self::Io {
                doing: "reading the journal",
                source: io::Error::other(error),
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Io(source) if source.kind() == io::ErrorKind::StorageFull => Self::Full,
            VaultError::Io(source) => Self::Io {
                doing: "using the tickets' keys",
                source,
            },
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Form(_) => Self::Format(error.to_string()),
            Unreadable::Bytes(_) | Unreadable::Empty => Self::Damaged(error.to_string()),
        }
    }
}
