//! Following: a thread that keeps an index at the journal's end.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::folder::SetAside;
use super::{Index, IndexError, lock};
use crate::journal::{JournalReader, Position};

/// How a [`Follower`] works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowerOptions {
    /// Looks for commits so often, told of any or not.
    pub look_every: Duration,
    /// Commits that are taken in before it is looked whether it is to stop.
    pub commits_at_once: usize,
    /// What was taken in is made to survive a power cut so often; also when it stops.
    pub checkpoint_every: Duration,
    /// How long it waits after a first failure; twice as long after each further one.
    pub retry_after: Duration,
    /// But never longer than this.
    pub retry_at_most: Duration,
}

impl Default for FollowerOptions {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            commits_at_once: 256,
            checkpoint_every: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
            retry_at_most: Duration::from_secs(600),
        }
    }
}

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

/// A thread that keeps an index at the journal's end. Dropping it stops it, and waits for that.
pub struct Follower {
    desk: Arc<Desk>,
    index: Index,
    thread: Option<JoinHandle<()>>,
}

/// Tells a [`Follower`] that something was committed. Cheap to clone, and to call after every commit.
#[derive(Clone)]
pub struct Waker {
    desk: Arc<Desk>,
}

impl Waker {
    /// Something was committed.
    pub fn wake(&self) {
        let mut board = lock(&self.desk.board);
        if !board.told {
            board.told = true;
            self.desk.told.notify_one();
        }
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}

/// Where the thread and the others meet.
struct Desk {
    board: Mutex<Board>,
    /// Something was committed, or it is to stop.
    told: Condvar,
    /// It has come further, or to a halt.
    moved: Condvar,
}

struct Board {
    told: bool,
    stop: bool,
    state: State,
    /// Where the last commit begins that is in it.
    reached: Option<Position>,
    set_aside: Option<SetAside>,
    times_set_aside: u64,
}

impl Follower {
    /// Starts the thread, which opens the index first. What it finds wrong there is told by
    /// [`Follower::state`].
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(
        index: Index,
        reader: JournalReader,
        options: FollowerOptions,
    ) -> io::Result<Self> {
        let desk = Arc::new(Desk {
            board: Mutex::new(Board {
                told: false,
                stop: false,
                state: State::Opening { checked: 0, of: 0 },
                reached: None,
                set_aside: None,
                times_set_aside: 0,
            }),
            told: Condvar::new(),
            moved: Condvar::new(),
        });
        let mut work = Work {
            desk: Arc::clone(&desk),
            index: index.clone(),
            reader,
            retry: options.retry_after,
            options,
            open: false,
            anew: false,
            unsynced: None,
        };
        let thread = std::thread::Builder::new()
            .name("upline-index".into())
            .spawn(move || work.run())?;
        Ok(Self {
            desk,
            index,
            thread: Some(thread),
        })
    }

    /// The index, to ask it.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// For whoever commits.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker {
            desk: Arc::clone(&self.desk),
        }
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

    /// Waits until the commit that begins at a position is in the index: then what is found is not older than
    /// that. Wakes the thread.
    ///
    /// # Errors
    /// [`Lag`].
    pub fn wait(&self, position: Position, timeout: Duration) -> Result<(), Lag> {
        self.waker().wake();
        let end = Instant::now() + timeout;
        let mut board = lock(&self.desk.board);
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

    /// Stops the thread, and waits until what it has done would survive a power cut.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        lock(&self.desk.board).stop = true;
        self.desk.told.notify_one();
        if let Some(thread) = self.thread.take() {
            // It catches what panics; if it has ended all the same there is nothing to wait for.
            let _ = thread.join();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Follower");
        debug.field("state", &self.state()).finish_non_exhaustive()
    }
}

/// The thread's own.
struct Work {
    desk: Arc<Desk>,
    index: Index,
    reader: JournalReader,
    options: FollowerOptions,
    retry: Duration,
    open: bool,
    /// Whether it was begun from nothing and has not come to the end yet.
    anew: bool,
    /// Since when there is something that would not survive a power cut.
    unsynced: Option<Instant>,
}

impl Work {
    fn run(&mut self) {
        loop {
            let rest = match self.work() {
                Ok(true) => Duration::ZERO,
                Ok(false) => self.options.look_every,
                Err(error) => self.failed(&error),
            };
            if self.wait(rest) {
                break;
            }
        }
        if self.open {
            // If it can't, the next start has more to catch up.
            let _ = self.index.checkpoint();
        }
        self.show(|board| board.state = State::Stopped);
    }

    /// Does a piece of what there is to do. Whether there is more.
    fn work(&mut self) -> Result<bool, IndexError> {
        if !self.open {
            self.show(|board| board.state = State::Opening { checked: 0, of: 0 });
            let opened = self.index.open(&self.reader)?;
            self.open = true;
            self.anew = opened.mark.is_none();
            self.show(|board| {
                board.times_set_aside += u64::from(opened.set_aside.is_some());
                if opened.set_aside.is_some() {
                    board.set_aside = opened.set_aside;
                }
            });
        }
        let progress = self
            .index
            .catch_up(&self.reader, self.options.commits_at_once)?;
        if progress.commits > 0 {
            self.unsynced.get_or_insert_with(Instant::now);
        }
        if progress.behind == 0 {
            self.anew = false;
            self.retry = self.options.retry_after;
        }
        if let Some(since) = self.unsynced
            && since.elapsed() >= self.options.checkpoint_every
        {
            self.index.checkpoint()?;
            self.unsynced = None;
        }
        let commits = progress.mark.map_or(0, |mark| mark.seq);
        let behind = progress.behind;
        let anew = self.anew;
        self.show(|board| {
            board.reached = progress.mark.map(|mark| mark.position);
            board.state = match anew {
                true => State::Rebuilding {
                    commits,
                    of: commits + behind,
                },
                false => State::Following { behind },
            };
        });
        Ok(behind > 0)
    }

    /// Says what is wrong. How long to wait before it is tried again.
    fn failed(&mut self, error: &IndexError) -> Duration {
        let full = |kind: &io::ErrorKind| {
            matches!(
                kind,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        };
        match error {
            IndexError::Broken(_) | IndexError::NotOpen => self.open = false,
            IndexError::Io { kind, .. } => {
                self.open = false;
                if full(kind) {
                    // Theirs is the room that nobody needs most. What can't be removed stays.
                    let _ = self.index.remove_set_aside();
                }
            }
            IndexError::Journal(_)
            | IndexError::Commit { .. }
            | IndexError::Trimmed { .. }
            | IndexError::Cursor => (),
        }
        let rest = self.retry;
        self.retry = (rest * 2).min(self.options.retry_at_most);
        self.show(|board| {
            board.state = State::Failed {
                why: error.to_string(),
            };
        });
        rest
    }

    fn show(&self, change: impl FnOnce(&mut Board)) {
        change(&mut lock(&self.desk.board));
        self.desk.moved.notify_all();
    }

    /// Waits until there is something to do. Whether it is to stop.
    fn wait(&self, rest: Duration) -> bool {
        let mut board = lock(&self.desk.board);
        let failed = matches!(board.state, State::Failed { .. });
        let end = Instant::now() + rest;
        // What was committed does not shorten the wait after a failure.
        while !board.stop && (failed || !board.told) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.desk.told.wait_timeout(board, left);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        board.told = false;
        board.stop
    }
}
