//! Following: a thread that keeps an index at the journal's end.

use std::io;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::desk::{Event, IndexHandle, State};
use super::{IndexError, lock};
use crate::journal::JournalReader;

/// How much less than others the thread is given of a busy processor: as `nice` counts.
const NICE: i32 = 10;

/// How long it goes on when it is to stop, if it is behind.
const AT_THE_END: Duration = Duration::from_secs(1);

/// How long whoever stops it waits at most: sled may take longer to open a large folder.
const STOPPED_WITHIN: Duration = Duration::from_secs(8);
/// How often it is looked meanwhile whether the thread has ended by itself.
const LOOKED_AFTER: Duration = Duration::from_millis(100);

/// How a [`Follower`] works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FollowerOptions {
    /// Looks for commits so often, told of any or not.
    pub look_every: Duration,
    /// Lets commits come together for so long, unless somebody waits for one: a hundred commits taken in at
    /// once cost little more than one.
    pub linger: Duration,
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
            look_every: Duration::from_secs(60),
            linger: Duration::from_millis(100),
            commits_at_once: 256,
            checkpoint_every: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
            retry_at_most: Duration::from_secs(600),
        }
    }
}

/// Is told what an operator should know.
pub type Tell = Box<dyn FnMut(Event) + Send>;

/// A thread that keeps an index at the journal's end. Dropping it stops it, and waits for that.
pub struct Follower {
    handle: IndexHandle,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts the thread, which waits for the journal ([`Listener::opened`](crate::store::Listener)) and then
    /// opens the index. What it finds wrong there is told by [`IndexHandle::state`], and to `tell`.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub fn start(handle: IndexHandle, options: FollowerOptions, tell: Tell) -> io::Result<Self> {
        handle.desk.show(|board| {
            board.stop = false;
            board.state = State::Opening { checked: 0, of: 0 };
        });
        handle.index.shared.stop.store(false, Ordering::Relaxed);
        let mut work = Work {
            handle: handle.clone(),
            reader: None,
            retry: options.retry_after,
            options,
            tell,
            open: false,
            anew: false,
            more: false,
            told: false,
            unsynced: None,
        };
        let thread = std::thread::Builder::new()
            .name("upline-index".into())
            .spawn(move || work.run())?;
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }

    /// Stops the thread, and waits until what it has done would survive a power cut; eight seconds at most.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let handle = &self.handle;
        handle.index.shared.stop.store(true, Ordering::Relaxed);
        lock(&handle.desk.board).stop = true;
        handle.desk.told.notify_one();
        let Some(thread) = self.thread.take() else {
            return;
        };
        let end = Instant::now() + STOPPED_WITHIN;
        let mut board = lock(&handle.desk.board);
        while board.state != State::Stopped && !thread.is_finished() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // It has nothing that the journal has not: it is left behind.
                return;
            }
            let waited = handle
                .desk
                .moved
                .wait_timeout(board, left.min(LOOKED_AFTER));
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(board);
        // It catches what panics; if it has ended all the same there is nothing to wait for.
        let _ = thread.join();
    }
}

impl Deref for Follower {
    type Target = IndexHandle;

    fn deref(&self) -> &IndexHandle {
        &self.handle
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
        debug.field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// The thread's own.
struct Work {
    handle: IndexHandle,
    /// The journal, once it is open.
    reader: Option<JournalReader>,
    options: FollowerOptions,
    tell: Tell,
    retry: Duration,
    open: bool,
    /// Whether it was begun from nothing and has not come to the end yet.
    anew: bool,
    /// Whether there is more to do although no commit is behind.
    more: bool,
    /// Whether a failure was told since it has last come to the end.
    told: bool,
    /// Since when there is something that would not survive a power cut.
    unsynced: Option<Instant>,
}

impl Work {
    fn run(&mut self) {
        // What waits for a commit has the processor first. Where the system does not do that, so be it.
        let _ = rustix::process::nice(NICE);
        while !self.wait() {
            let Some(reader) = self.reader.clone() else {
                continue;
            };
            // What panics in sled is caught there. Of this thread's own there must be nothing, but if there
            // is, nobody would be told, and everybody would wait for it.
            let done = catch_unwind(AssertUnwindSafe(|| self.work(&reader)));
            let done = done.unwrap_or_else(|_| {
                let why = "the thread that keeps it has panicked";
                Err(IndexError::Broken(why.to_owned()))
            });
            if let Err(error) = done {
                self.failed(&error);
            }
        }
        if self.open {
            self.catch_up_at_the_end();
            // If it can't, the next start has more to catch up.
            let _ = self.handle.index.checkpoint();
            self.handle.index.close();
        }
        self.handle.desk.show(|board| board.state = State::Stopped);
    }

    /// Takes in what is left, if that is soon done: the next start finds it up to date.
    fn catch_up_at_the_end(&mut self) {
        let end = Instant::now() + AT_THE_END;
        let Some(reader) = &self.reader else { return };
        while Instant::now() < end {
            let at_once = self.options.commits_at_once;
            match self.handle.index.catch_up(reader, at_once) {
                Ok(progress) if progress.behind > 0 => (),
                // What is wrong is found again by the next start.
                Ok(_) | Err(_) => break,
            }
        }
    }

    /// Does a piece of what there is to do.
    fn work(&mut self, reader: &JournalReader) -> Result<(), IndexError> {
        let (index, desk) = (&self.handle.index, &self.handle.desk);
        // What stands in the place of a folder that was moved away is another's.
        reader.is_in_place()?;
        if !self.open {
            desk.show(|board| {
                board.state = State::Opening { checked: 0, of: 0 };
                board.reached = None;
                board.synced = None;
            });
            let opened = index.open(reader)?;
            self.open = true;
            self.anew = opened.mark.is_none();
            if let Some(aside) = opened.set_aside {
                (self.tell)(Event::SetAside(aside.clone()));
                desk.show(|board| {
                    board.times_set_aside += 1;
                    board.set_aside = Some(aside);
                });
            }
        }
        let progress = index.catch_up(reader, self.options.commits_at_once)?;
        self.more = progress.more;
        if progress.commits > 0 || progress.more {
            self.unsynced.get_or_insert_with(Instant::now);
        }
        if progress.behind == 0 {
            self.anew = false;
            self.told = false;
            self.retry = self.options.retry_after;
        }
        if let Some(since) = self.unsynced
            && since.elapsed() >= self.options.checkpoint_every
        {
            index.checkpoint()?;
            self.unsynced = None;
            desk.show(|board| board.synced = progress.mark.map(|mark| mark.position));
        }
        let commits = progress.mark.map_or(0, |mark| mark.seq);
        let behind = progress.behind;
        let anew = self.anew;
        desk.show(|board| {
            board.reached = progress.mark.map(|mark| mark.position);
            board.state = match anew {
                true => State::Rebuilding {
                    commits,
                    of: commits + behind,
                },
                false => State::Following { behind },
            };
        });
        Ok(())
    }

    /// Says what is wrong.
    fn failed(&mut self, error: &IndexError) {
        if matches!(error, IndexError::Stopped) {
            return;
        }
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
                    let _ = self.handle.index.remove_set_aside();
                }
            }
            IndexError::Journal(_)
            | IndexError::Commit { .. }
            | IndexError::Trimmed { .. }
            | IndexError::Base(_)
            | IndexError::Keys(_)
            | IndexError::Stopped
            | IndexError::Cursor => (),
        }
        let why = error.to_string();
        // One that is damaged is built anew at once, which is told then.
        if !matches!(error, IndexError::Broken(_)) && !self.told {
            self.told = true;
            (self.tell)(Event::Failed { why: why.clone() });
        }
        let first = self.retry == self.options.retry_after;
        let anew = matches!(error, IndexError::Broken(_)) && first;
        if anew {
            // Should it be damaged again before it is whole, it is not tried so soon.
            self.retry = self.retry.saturating_mul(2);
        }
        self.handle.desk.show(|board| {
            board.reached = None;
            board.state = match anew {
                true => State::Opening { checked: 0, of: 0 },
                false => State::Failed { why },
            };
        });
    }

    /// How long to wait though nothing comes.
    fn rest(&mut self, state: &State) -> Duration {
        match state {
            State::Failed { .. } => {
                let rest = self.retry;
                self.retry = (rest * 2).min(self.options.retry_at_most);
                rest
            }
            State::Following { behind: 0 } if !self.more => match self.unsynced {
                Some(since) => {
                    let left = self.options.checkpoint_every;
                    left.saturating_sub(since.elapsed())
                }
                None => self.options.look_every,
            },
            State::Opening { .. } if self.reader.is_none() => self.options.look_every,
            _ => Duration::ZERO,
        }
    }

    /// Waits until there is something to do. Whether it is to stop.
    fn wait(&mut self) -> bool {
        let handle = self.handle.clone();
        let mut board = lock(&handle.desk.board);
        let failed = matches!(board.state, State::Failed { .. });
        let begun = Instant::now();
        let end = begun + self.rest(&board.state);
        loop {
            if board.stop || board.opened {
                break;
            }
            // What was committed does not shorten the wait after a failure.
            let until = match board.told && !failed {
                true if board.urgent => break,
                true => end.min(begun + self.options.linger),
                false => end,
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = handle.desk.told.wait_timeout(board, left);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if std::mem::take(&mut board.opened) {
            self.reader.clone_from(&board.reader);
        }
        board.told = false;
        board.urgent = false;
        board.stop
    }
}
