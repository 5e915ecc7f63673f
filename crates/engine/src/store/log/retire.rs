//! The rule on old history: what ended long ago goes, for good, and the folder does not grow for ever.
//!
//! While the rule is on, snapshots are made in regular steps and some old ones are kept. The newest of them
//! that is older than the rule's edge becomes the journal's [base](super::base). What only the commits before
//! it tell is not needed any more: the keys of the tickets that had ended by then are destroyed, and the
//! segments before it are removed. In this order, each step on disk before the next, so that a crash leaves a
//! whole journal with more in it than it needs; what is left over goes the next time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::making::Job;
use super::snapshot::{self, Snapshot};
use super::{LogStore, Open, base, io as failed};
use crate::disk::Disk;
use crate::journal::{Base, FolderId, JournalReader, Upkeep};
use crate::record::{self, Millis, Record};
use crate::store::{Recovered, StoreError};
use crate::vault::Vault;

/// The shortest time for which history can be kept: commands with an id are remembered so long.
pub const MIN_HISTORY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// In so many steps the beginning of the journal follows the rule's edge: so history is kept a quarter longer
/// than the rule says at most, and about as many snapshots more than without it.
const STEPS: Millis = 4;

/// Snapshots that a start may need.
const NEWEST: usize = 2;

/// A time for which history is kept, in milliseconds.
///
/// # Errors
/// [`StoreError::Format`] if it is shorter than [`MIN_HISTORY`].
pub(super) fn checked(keep: Option<Duration>) -> Result<Option<Millis>, StoreError> {
    match keep {
        Some(keep) if keep < MIN_HISTORY => Err(StoreError::Format(
            "history can't be kept for less than 7 days: for so long commands with an id are remembered"
                .into(),
        )),
        keep => Ok(keep.map(|keep| Millis::try_from(keep.as_millis()).unwrap_or(Millis::MAX))),
    }
}

/// How it stands with the rule.
pub(super) struct Rule {
    keep: Option<Millis>,
    /// The time of the last commit.
    pub(super) at: Millis,
    base: Option<Base>,
    /// The snapshots that there are, oldest first; only while the rule is on.
    snapshots: Vec<Base>,
    job: Option<Job<Result<Retired, StoreError>>>,
    /// The snapshot that was found to be damaged last.
    unusable: Option<u64>,
}

/// What became of moving the beginning on.
enum Retired {
    /// The journal begins here now.
    Begins(Base),
    /// This snapshot can't be used.
    Unusable(Base),
}

impl Rule {
    /// As the folder is found.
    pub(super) fn begin(
        disk: &dyn Disk,
        folder: FolderId,
        keep: Option<Millis>,
        at: Millis,
    ) -> Result<Self, StoreError> {
        let failed = failed("looking for snapshots");
        let base = base::find(disk, folder).map_err(&failed)?;
        let mut seqs = match keep {
            Some(_) => snapshot::list(disk).map_err(&failed)?,
            None => Vec::new(),
        };
        seqs.reverse();
        // What can't be read is as good as not there.
        let snapshots = seqs
            .into_iter()
            .filter_map(|seq| base::peek(disk, folder, seq).ok());
        Ok(Self {
            keep,
            at,
            base,
            snapshots: snapshots.collect(),
            job: None,
            unusable: None,
        })
    }

    pub(super) fn base(&self) -> Option<Base> {
        self.base
    }

    /// Whether it is time for a snapshot that may be kept.
    pub(super) fn wants_snapshot(&self) -> bool {
        let last = self.snapshots.last();
        self.keep.is_some_and(|keep| {
            last.is_none_or(|last| self.at.saturating_sub(last.at) >= keep / STEPS)
        })
    }

    /// The snapshots that are kept although newer ones are there. The same ones as before, as long as they
    /// are not older than the base: it is begun with the oldest.
    pub(super) fn kept(&self) -> Vec<u64> {
        let Some(keep) = self.keep else {
            return Vec::new();
        };
        let first = self.base.map_or(0, |base| base.mark.seq);
        let mut last = self.base.map(|base| base.at);
        let newer = self.snapshots.iter().filter(|one| one.mark.seq > first);
        let mut kept = Vec::new();
        for one in newer {
            if last.is_none_or(|last| one.at.saturating_sub(last) >= keep / STEPS) {
                kept.push(one.mark.seq);
                last = Some(one.at);
            }
        }
        kept
    }

    /// A snapshot was made, and those that are not needed were removed.
    pub(super) fn made(&mut self, snapshot: &Snapshot) {
        if self.keep.is_none() {
            return;
        }
        self.snapshots.extend(base::of(snapshot));
        let kept = self.kept();
        let old = self.snapshots.len().saturating_sub(NEWEST);
        let mut index = 0;
        self.snapshots.retain(|one| {
            index += 1;
            index > old || kept.contains(&one.mark.seq)
        });
    }

    /// Where the journal shall begin, if the rule is on.
    fn target(&self, upkeep: &Upkeep) -> Option<Base> {
        let edge = self.at.saturating_sub(self.keep?);
        let old = self.snapshots.len().saturating_sub(NEWEST);
        let mut beyond = self.snapshots[..old].iter().rev();
        let next = beyond.find(|one| one.at <= edge).copied();
        let first = self.base.map_or(0, |base| base.mark.seq);
        match next.filter(|next| next.mark.seq > first) {
            Some(next) => Some(next),
            // What a crash or an error has left over.
            None => self.base.filter(|base| {
                self.unusable != Some(base.mark.seq) && upkeep.has_before(base.mark.position)
            }),
        }
    }
}

impl LogStore {
    /// Sees to the rule: begins what it wants done, or looks how far that is.
    pub(super) fn retire(&mut self) -> Result<(), StoreError> {
        let beside = self.options.beside;
        let (disk, folder) = (Arc::clone(&self.disk), self.folder);
        let listener = self.listener.clone();
        let open = self.ready()?;
        if let Some(job) = open.rule.job.take() {
            if !job.has_ended() {
                open.rule.job = Some(job);
                return Ok(());
            }
            let panicked = || {
                Err(StoreError::Damaged(
                    "removing old history has panicked".into(),
                ))
            };
            return open.retired(job.result().unwrap_or_else(panicked));
        }
        let Some(target) = open.rule.target(&open.upkeep) else {
            return Ok(());
        };
        let needed = listener.and_then(|listener| listener.needs());
        if needed.is_some_and(|needed| needed < target.mark.position) {
            return Ok(());
        }
        let work = Work {
            disk,
            folder,
            reader: open.reader.clone(),
            upkeep: open.upkeep.clone(),
            vault: Arc::clone(&open.vault),
            target,
        };
        if beside {
            let job = Job::start("upline-history", move |stop| work.run(stop));
            open.rule.job = Some(job.map_err(failed("starting a thread"))?);
            return Ok(());
        }
        let done = work.run(&AtomicBool::new(false));
        open.retired(done)
    }
}

impl Open {
    fn retired(&mut self, done: Result<Retired, StoreError>) -> Result<(), StoreError> {
        let rule = &mut self.rule;
        match done? {
            Retired::Begins(base) => {
                rule.base = Some(base);
                rule.snapshots.retain(|one| one.mark.seq > base.mark.seq);
            }
            // Another one will do, now or later; until then there is more than is needed, and no harm.
            Retired::Unusable(one) => {
                rule.unusable = Some(one.mark.seq);
                rule.snapshots
                    .retain(|other| other.mark.seq != one.mark.seq);
            }
        }
        Ok(())
    }
}

/// What is done when the beginning moves on, in a thread of its own.
struct Work {
    disk: Arc<dyn Disk>,
    folder: FolderId,
    reader: JournalReader,
    upkeep: Upkeep,
    vault: Arc<Vault>,
    target: Base,
}

impl Work {
    fn run(self, stop: &AtomicBool) -> Result<Retired, StoreError> {
        let Some((known, keys)) = self.put_in_place(stop)? else {
            return Ok(Retired::Unusable(self.target));
        };
        self.upkeep.set_base(Some(self.target));
        self.vault.destroy_but(&keys, known.next_key, stop)?;
        go_on(stop)?;
        self.upkeep.remove_before(self.target.mark.position)?;
        Ok(Retired::Begins(self.target))
    }

    /// What the snapshot knows, and the keys of its tickets, sorted: if it is whole and of this journal.
    fn read(&self, is_base: bool, stop: &AtomicBool) -> Result<(Recovered, Vec<u32>), StoreError> {
        let (disk, seq) = (&*self.disk, self.target.mark.seq);
        let snapshot = match is_base {
            true => base::open(disk, self.folder, seq)?,
            false => Snapshot::open(disk, self.folder, seq)?,
        };
        let frame = self.reader.read(self.target.mark.position)?;
        if base::of(&snapshot)? != self.target || frame.mark != self.target.mark {
            let why = format!("the snapshot of commit {seq} is not of this journal");
            return Err(StoreError::Damaged(why));
        }
        let known = record::decode(&snapshot.known)?;
        let mut keys = Vec::new();
        snapshot.each(|bytes| {
            keys.push(record::decode::<Record>(bytes)?.key);
            go_on(stop)
        })?;
        keys.sort_unstable();
        Ok((known, keys))
    }

    /// Makes the snapshot the base. What it knows, and the keys of its tickets; `None`: it can't be used.
    fn put_in_place(&self, stop: &AtomicBool) -> Result<Option<(Recovered, Vec<u32>)>, StoreError> {
        let failed = failed("putting the journal's base in place");
        let disk = &*self.disk;
        let seq = self.target.mark.seq;
        let is_base = base::list(disk).map_err(&failed)?.contains(&seq);
        let known = match self.read(is_base, stop) {
            Err(StoreError::Damaged(_) | StoreError::Format(_)) => return Ok(None),
            other => other?,
        };
        if !is_base {
            let (from, to) = (snapshot::path(seq), base::path_of(seq));
            disk.rename(&from, &to).map_err(&failed)?;
        }
        // Also if it had its name: the process before may have ended before this.
        disk.sync_folder(snapshot::FOLDER).map_err(&failed)?;
        let bases = base::list(disk).map_err(&failed)?.into_iter();
        let older = snapshot::list(disk).map_err(&failed)?.into_iter();
        let bases = bases.filter(|one| *one < seq).map(base::path_of);
        for old in bases.chain(older.filter(|one| *one < seq).map(snapshot::path)) {
            snapshot::remove(disk, &old).map_err(&failed)?;
        }
        Ok(Some(known))
    }
}

fn go_on(stop: &AtomicBool) -> Result<(), StoreError> {
    match stop.load(Ordering::Relaxed) {
        true => {
            let stopped = io::Error::new(io::ErrorKind::Interrupted, "it was stopped");
            Err(failed("removing old history")(stopped))
        }
        false => Ok(()),
    }
}
