//! Where the thread that keeps an index, the store whose journal it reads and those who ask meet.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::folder::SetAside;
use super::{Index, lock};
use crate::journal::{JournalReader, Position};
use crate::store::Listener;
use crate::vault::Vault;

/// How it stands with the index.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is being opened and checked.
    Opening {
        /// Keys that were checked.
        checked: u64,
        /// Of how many.
        of: u64,
    },
    /// It is being built from nothing: nothing can be found in it that was committed later than this.
    Rebuilding {
        /// Commits that are in it.
        commits: u64,
        /// Of how many.
        of: u64,
    },
    /// It answers, and is behind the journal by so many commits.
    Following {
        /// How many.
        behind: u64,
    },
    /// It does not go on, and is tried again.
    Failed {
        /// What is wrong.
        why: String,
    },
    /// It was stopped.
    Stopped,
}

/// A position was not reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lag {
    /// Not in time.
    #[error("the index has not come so far in time")]
    Behind,
    /// The index does not go on.
    #[error("the index does not go on: {0}")]
    Failed(String),
}

/// Something about an index that an operator should know. What it tells costs no ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Its folder could not be used; it was set aside, and the index is being built anew.
    SetAside(SetAside),
    /// It does not go on, and is tried again. Told once until it has caught up.
    Failed {
        /// What is wrong.
        why: String,
    },
}

/// An index that a [`Follower`](super::Follower) keeps: for the store, which tells it of commits, and for
/// those who ask. Cheap to clone.
#[derive(Clone)]
pub struct IndexHandle {
    pub(super) desk: Arc<Desk>,
    pub(super) index: Index,
}

pub(super) struct Desk {
    pub(super) board: Mutex<Board>,
    /// Something was committed, or it is to stop.
    pub(super) told: Condvar,
    /// It has come further, or to a halt.
    pub(super) moved: Condvar,
}

pub(super) struct Board {
    /// The journal, once it is open.
    pub(super) reader: Option<JournalReader>,
    /// The journal was opened, for the first time or again.
    pub(super) opened: bool,
    /// Something was committed.
    pub(super) told: bool,
    /// Somebody waits for it.
    pub(super) urgent: bool,
    pub(super) stop: bool,
    pub(super) state: State,
    /// Where the last commit begins that is in it.
    pub(super) reached: Option<Position>,
    /// The same, as it would be after a power cut.
    pub(super) synced: Option<Position>,
    pub(super) set_aside: Option<SetAside>,
    pub(super) times_set_aside: u64,
}

impl Desk {
    pub(super) fn show(&self, change: impl FnOnce(&mut Board)) {
        change(&mut lock(&self.board));
        self.moved.notify_all();
    }
}

impl IndexHandle {
    /// Of an index that is in no use yet.
    #[must_use]
    pub fn new(index: Index) -> Self {
        let board = Board {
            reader: None,
            opened: false,
            told: false,
            urgent: false,
            stop: false,
            state: State::Opening { checked: 0, of: 0 },
            reached: None,
            synced: None,
            set_aside: None,
            times_set_aside: 0,
        };
        let desk = Arc::new(Desk {
            board: Mutex::new(board),
            told: Condvar::new(),
            moved: Condvar::new(),
        });
        Self { desk, index }
    }

    /// The index, to ask it.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The journal that it follows; `None`: none was opened yet.
    #[must_use]
    pub fn reader(&self) -> Option<JournalReader> {
        lock(&self.desk.board).reader.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> State {
        let state = lock(&self.desk.board).state.clone();
        match state {
            State::Opening { .. } => State::Opening {
                checked: self.index.shared.checked.load(Ordering::Relaxed),
                of: self.index.shared.to_check.load(Ordering::Relaxed),
            },
            other => other,
        }
    }

    /// The last folder that had to be set aside since the start, and how many that were.
    #[must_use]
    pub fn set_aside(&self) -> Option<(SetAside, u64)> {
        let board = lock(&self.desk.board);
        let last = board.set_aside.clone();
        last.map(|last| (last, board.times_set_aside))
    }

    /// Waits until the commit that begins at a position is in the index: then what is found is not older
    /// than that. Wakes the thread.
    ///
    /// # Errors
    /// [`Lag`].
    pub fn wait(&self, position: Position, timeout: Duration) -> Result<(), Lag> {
        let end = Instant::now() + timeout;
        let mut board = lock(&self.desk.board);
        if board.reached < Some(position) {
            board.told = true;
            board.urgent = true;
            self.desk.told.notify_one();
        }
        loop {
            if board.reached >= Some(position) {
                return Ok(());
            }
            match &board.state {
                State::Failed { why } => return Err(Lag::Failed(why.clone())),
                State::Stopped => return Err(Lag::Failed("it was stopped".to_owned())),
                _ => (),
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lag::Behind);
            }
            let waited = self.desk.moved.wait_timeout(board, left);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Listener for IndexHandle {
    fn keys(&self, vault: &Arc<Vault>) {
        self.index.use_vault(vault);
    }

    fn opened(&self, reader: &JournalReader) {
        let mut board = lock(&self.desk.board);
        board.reader = Some(reader.clone());
        board.opened = true;
        self.desk.told.notify_one();
    }

    fn committed(&self) {
        let mut board = lock(&self.desk.board);
        if !board.told {
            board.told = true;
            self.desk.told.notify_one();
        }
    }

    fn needs(&self) -> Option<Position> {
        let synced = lock(&self.desk.board).synced;
        Some(synced.unwrap_or(Position(0)))
    }
}

impl std::fmt::Debug for IndexHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("IndexHandle");
        debug.field("state", &self.state()).finish_non_exhaustive()
    }
}
