//! A snapshot in the making, beside the writer or in pieces between its commits: nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::io;
use super::snapshot::{self, Draft, Snapshot};
use super::table::{Changes, Walk};
use crate::disk::Disk;
use crate::journal::{FolderId, Mark};
use crate::record;
use crate::store::{Recovered, StoreError};

/// How much less than others the thread is given of a busy processor: as `nice` counts.
const NICE: i32 = 5;

/// What a snapshot is made of: all as it was at one commit.
pub(super) struct Frozen {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: FolderId,
    pub(super) mark: Mark,
    pub(super) before: Option<Arc<Snapshot>>,
    pub(super) changes: Arc<Changes>,
    pub(super) known: Recovered,
    /// The older ones that are kept.
    pub(super) kept: Vec<u64>,
}

/// The work on one snapshot.
pub(super) struct Making {
    frozen: Frozen,
    draft: Draft,
    walk: Walk,
}

impl Making {
    pub(super) fn begin(frozen: Frozen) -> Result<Self, StoreError> {
        let draft = Draft::begin(&frozen.disk, frozen.folder, frozen.mark);
        Ok(Self {
            draft: draft.map_err(io("writing a snapshot"))?,
            frozen,
            walk: Walk::default(),
        })
    }

    /// Writes the next piece. Whether there is more.
    pub(super) fn piece(&mut self) -> Result<bool, StoreError> {
        let (before, draft) = (self.frozen.before.as_deref(), &mut self.draft);
        self.walk
            .piece(before, &self.frozen.changes, &mut |number, bytes| {
                draft.add(number, bytes).map_err(io("writing a snapshot"))
            })
    }

    /// Puts it in place, and removes the ones before the one before: that is kept, should this one turn out
    /// to be damaged.
    pub(super) fn finish(mut self) -> Result<Snapshot, StoreError> {
        let failed = io("writing a snapshot");
        // With all commands that are remembered it is large, and not there twice for longer than needed.
        let known = std::mem::take(&mut self.frozen.known);
        let bytes = record::encode(&known, Vec::new());
        drop(known);
        let bytes = bytes.map_err(record::Unreadable::Bytes)?;
        self.draft.finish(&bytes).map_err(&failed)?;
        drop(bytes);
        let disk = &*self.frozen.disk;
        let made = Snapshot::open(disk, self.frozen.folder, self.frozen.mark.seq)?;
        let older = snapshot::list(disk).map_err(&failed)?.into_iter().skip(2);
        for old in older.filter(|old| !self.frozen.kept.contains(old)) {
            snapshot::remove(disk, &snapshot::path(old)).map_err(&failed)?;
        }
        Ok(made)
    }

    /// All of it.
    pub(super) fn whole(mut self) -> Result<Snapshot, StoreError> {
        while self.piece()? {}
        self.finish()
    }
}

/// Something that is done in a thread of its own. Dropping it stops it at the next occasion and waits.
pub(super) struct Job<T> {
    thread: Option<JoinHandle<T>>,
    stop: Arc<AtomicBool>,
}

impl<T: Send + 'static> Job<T> {
    /// Starts it; `work` looks now and then whether it shall stop.
    pub(super) fn start(
        name: &str,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let builder = std::thread::Builder::new().name(name.into());
        let thread = builder.spawn(move || work(&flag))?;
        Ok(Self {
            thread: Some(thread),
            stop,
        })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for what it has come to; `None`: it has panicked.
    pub(super) fn result(mut self) -> Option<T> {
        self.thread.take()?.join().ok()
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What it has come to is not wanted any more.
            let _ = thread.join();
        }
    }
}

/// How far the next snapshot is.
pub(super) enum Next {
    /// A piece between two commits.
    Between(Box<Making>),
    /// In a thread.
    Beside(Job<Result<Snapshot, StoreError>>),
}

impl Next {
    pub(super) fn begin(frozen: Frozen, beside: bool) -> Result<Self, StoreError> {
        if !beside {
            return Ok(Self::Between(Box::new(Making::begin(frozen)?)));
        }
        let work = move |stop: &AtomicBool| {
            // As fast as others would be only matters to a start that may come. Where it is refused, it is as
            // fast as they are.
            let _ = rustix::process::nice(NICE);
            let mut making = Making::begin(frozen)?;
            while making.piece()? {
                if stop.load(Ordering::Relaxed) {
                    return Err(StoreError::Format("the snapshot was given up".into()));
                }
            }
            making.finish()
        };
        let job = Job::start("upline-snapshot", work);
        Ok(Self::Beside(job.map_err(io("starting a thread"))?))
    }

    /// Goes on with it. `Ok(Err(_))`: it is not done.
    pub(super) fn go_on(self) -> Result<Result<Snapshot, Self>, StoreError> {
        match self {
            Self::Between(mut making) => match making.piece()? {
                true => Ok(Err(Self::Between(making))),
                false => making.finish().map(Ok),
            },
            Self::Beside(job) if !job.has_ended() => Ok(Err(Self::Beside(job))),
            Self::Beside(job) => job.result().unwrap_or_else(|| Err(panicked())).map(Ok),
        }
    }

    /// Waits until it is done.
    pub(super) fn whole(self) -> Result<Snapshot, StoreError> {
        match self {
            Self::Between(making) => making.whole(),
            Self::Beside(job) => job.result().unwrap_or_else(|| Err(panicked())),
        }
    }
}

fn panicked() -> StoreError {
    StoreError::Damaged("making a snapshot has panicked".into())
}
