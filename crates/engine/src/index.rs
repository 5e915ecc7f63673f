//! The index: every ticket there ever was, open or ended, in sled behind the journal.
//!
//! The journal is the truth. The index reads its frames one after the other and keeps, in the same batch as
//! what they change, how far it has come; so following live, catching up after a crash and building anew from
//! nothing are one and the same. It decides no answer, it may lag, and it may be deleted at any time.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::sync::Arc;
//! # use upline::disk::sim::SimDisk;
//! # use upline::journal::{FolderId, Journal, JournalError, Options};
//! # let folder = tempfile::tempdir()?;
//! # let options = Options::new(FolderId([7; 16]));
//! # let journal = Journal::open::<JournalError>(Arc::new(SimDisk::new(1)), options, None, |_| Ok(()))?;
//! use upline::index::{Filter, Index, IndexOptions, Standing};
//!
//! let reader = journal.reader();
//! let index = Index::in_folder(folder.path().join("index"), IndexOptions::default());
//! index.open(&reader)?;
//! while index.catch_up(&reader, 1024)?.behind > 0 {}
//! let mut open = Filter::default();
//! open.standing = Some(Standing::Open);
//! assert!(index.list(&open, None, 50)?.items.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What is in it
//!
//! One tree. The first byte of a key is its kind; numbers and times stand in it so that they sort.
//!
//! | key | value |
//! |---|---|
//! | ticket: number, piece | its [`Record`], without fields |
//! | state: open or ended, workflow, state or outcome, number | – |
//! | person: who is answerable, number (open ones) | – |
//! | key: workflow, another system's key, number | – |
//! | id: one that the engine has not made, number | – |
//! | due: the time of the clock that is due first, number (open ones) | – |
//! | ended: time, number | – |
//! | unsent: number (messages must still be sent) | – |
//! | set aside: number | – |
//! | contact: mark of a contact in its fields, number | – |
//! | contacts of a ticket: number, field, mark | – |
//! | field: workflow, version, a field that holds contacts | – |
//! | note: number, position of a commit that erased it, set it aside or let it go on | – |
//! | command: its id | time, hash of the wish, number, revision; kept for 7 days |
//! | command by time: time, id | – |
//! | base: nothing | with which base it was begun, or swept |
//! | how far it is built | mark of the last frame, entries of the next, the sum |
//!
//! Nothing personal is in it: the journal's events come with what is personal sealed, and no field is kept.
//! Only a mark is kept of what a field of the type `contact` holds, made with a secret that stands beside the
//! tickets' keys, so that the tickets of a caller are found ([`Filter::contact`]); it goes when the ticket is
//! erased. What counts as the same contact says [`comparable`](crate::contact::comparable).
//!
//! # Never a wrong answer
//!
//! sled 0.34.7 finds most damage itself and panics; some it does not find: of 100 damaged copies 7 were read
//! as something else. So every value has a check of its own and of its key. Keys of views hold nothing: what
//! they lead to must lead back to them. And the sum of the hashes of all keys and values stands beside the
//! position: it is compared when the folder is opened, and finds a page that is missing, or that is whole
//! and of yesterday. A folder that can't be opened, panics or fails a check is set aside, and the index is
//! built anew.
//!
//! # How sled is used, and what for
//!
//! * Exactly version 0.34.7, in one file; no type of it gets out.
//! * One thread writes. Each batch is one tree's, and is written whole or not at all.
//! * Values of at most 4 KiB; a longer record in pieces. sled puts larger ones in files that it never syncs.
//! * `snap.*.generating` is removed before opening: sled takes it for a snapshot and reports damage for ever.
//! * Panics are caught round every call. Any error or panic ends the use of the handle; after a panic it is
//!   not even closed, since closing writes. A program that is built with `panic = "abort"` has no such net.
//! * At checkpoints `flush`, then `sync_data` on its file, because `flush` is no more than `sync_file_range`.
//! * `cache_capacity` is 8 MiB, **and behind every 16 writes of a batch, which has some 4,096 of them, goes a
//!   collection of crossbeam's epochs.** sled leaves replaced pages to crossbeam-epoch, which frees them once
//!   in 128 pins of a thread; a batch pins once, however large it is.
//!
//! # Without it
//!
//! The feature `sled`, on by default, is all that this module needs; without it the engine runs as it does
//! otherwise, because the index decides no answer. What is missed then: questions about tickets that have
//! ended, erasing them later, and the memory of commands beyond what the writer holds.

mod base;
mod build;
mod clocks;
mod commands;
mod contacts;
mod desk;
mod error;
mod filter;
mod folder;
mod follow;
mod history;
mod keys;
mod query;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod verify;
mod walk;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

use crate::journal::{FolderId, Mark};
use crate::record::Millis;
#[cfg(doc)]
use crate::record::Record;
use crate::store::log::snapshot::Snapshot;
use crate::vault::Vault;
use crate::vault::contacts::{ContactMark, Secret};
use tree::Tree;

pub use build::Progress;
pub use commands::COMMANDS_MS;
pub use desk::{Event, IndexHandle, Lag, State};
pub use error::IndexError;
pub use filter::{Filter, Standing};
pub use folder::{KEPT_ASIDE, Opened, SetAside};
pub use follow::{Follower, FollowerOptions, Tell};
pub use history::{History, HistoryCursor, Step};
pub use query::{Counts, Cursor, MAX_PAGE, MAX_SCANNED, Page};
pub use verify::{Difference, MAX_DIFFERENCES, Verified};

/// How an index is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IndexOptions {
    /// Bytes that sled may keep of its pages. With the batches of this module 4 to 16 MiB are respected.
    pub cache_bytes: u64,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 8 << 20,
        }
    }
}

/// The index of one data folder. Cheap to clone; any thread may ask, while one writes.
#[derive(Clone)]
pub struct Index {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    options: IndexOptions,
    slot: RwLock<Option<Open>>,
    /// The tickets' keys, if they are the writer's too. Otherwise they are read for each piece of work.
    vault: Mutex<Option<Arc<Vault>>>,
    /// Held by whoever writes, from the first frame that it reads to the last batch.
    writer: Mutex<()>,
    /// Pairs that opening has checked, and how many there are.
    checked: AtomicU64,
    to_check: AtomicU64,
    /// How often it was opened: a question that needs several looks must have them all at one index.
    generation: AtomicU64,
    /// Opening is to break off.
    stop: AtomicBool,
    /// The base that it is being begun with.
    base: Mutex<Option<Snapshot>>,
    /// How far it is swept for a base: the base's frame, and the last key.
    swept: Mutex<Option<(u64, Vec<u8>)>>,
}

/// An open folder.
struct Open {
    tree: Tree,
    built: Built,
    /// What marks of contacts are made with.
    secret: Secret,
}

/// How far an index is built, and what it must then add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Built {
    /// The data folder that it belongs to.
    folder: FolderId,
    /// The last frame that is in it as a whole.
    mark: Option<Mark>,
    /// How many entries of the frame behind that are in it: a large commit is taken in pieces.
    entries: u32,
    /// The engine's time there.
    at: Millis,
    /// Which secret its marks of contacts were made with.
    secret: ContactMark,
    /// The sum of the hashes of all other keys and values.
    sum: u128,
    /// How many these are.
    pairs: u64,
}

impl Index {
    /// The index in a folder of its own, usually `index` in the data folder. Nothing is read yet: see
    /// [`Index::open`].
    #[must_use]
    pub fn in_folder(folder: impl Into<PathBuf>, options: IndexOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                folder: folder.into(),
                options,
                slot: RwLock::new(None),
                vault: Mutex::new(None),
                writer: Mutex::new(()),
                checked: AtomicU64::new(0),
                to_check: AtomicU64::new(0),
                generation: AtomicU64::new(0),
                stop: AtomicBool::new(false),
                base: Mutex::new(None),
                swept: Mutex::new(None),
            }),
        }
    }

    /// The last frame of the journal that is in it as a whole.
    ///
    /// # Errors
    /// [`IndexError::NotOpen`], and what has ended its use.
    pub fn mark(&self) -> Result<Option<Mark>, IndexError> {
        self.read(|open| Ok(open.built.mark))
    }

    /// The engine's time at the last commit that is in it as a whole.
    ///
    /// # Errors
    /// As [`Index::mark`].
    pub fn at(&self) -> Result<Millis, IndexError> {
        self.read(|open| Ok(open.built.at))
    }

    /// Opens what is personal with the keys that the writer has: those that it destroys are gone here too.
    pub(crate) fn use_vault(&self, vault: &Arc<Vault>) {
        *lock(&self.shared.vault) = Some(Arc::clone(vault));
    }

    /// How often it was opened.
    pub(crate) fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Acquire)
    }

    /// As if damage were found.
    #[cfg(test)]
    pub(crate) fn condemn(&self) {
        let found =
            |open: &Open| Err::<(), _>(open.tree.condemn("a page is damaged".into()).into());
        assert!(matches!(self.read(found), Err(IndexError::Broken(_))));
    }

    /// As if sled panicked.
    #[cfg(test)]
    pub(crate) fn panic_in_sled(&self) {
        let found = |open: &Open| {
            let call = open
                .tree
                .call::<()>("reading it", |_| panic!("sled has panicked"));
            call.map_err(IndexError::from)
        };
        assert!(matches!(self.read(found), Err(IndexError::Broken(_))));
    }

    fn read<T>(&self, read: impl FnOnce(&Open) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let slot = self.slot();
        let open = slot.as_ref().ok_or(IndexError::NotOpen)?;
        open.tree.sound()?;
        read(open)
    }

    fn slot(&self) -> RwLockReadGuard<'_, Option<Open>> {
        self.shared
            .slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn slot_to_write(&self) -> RwLockWriteGuard<'_, Option<Open>> {
        let slot = self.shared.slot.write();
        slot.unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        lock(&self.shared.writer)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Index");
        debug.field("folder", &self.shared.folder);
        debug.field("mark", &self.mark().ok().flatten()).finish()
    }
}

/// Nothing is half changed behind our locks when somebody panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
