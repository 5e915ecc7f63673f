//! Where the engine keeps its tickets in a run: a simulated disk, or memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use upline::disk::sim::SimDisk;
use upline::journal::verify_folder;
use upline::record::{Commit, Number, Record};
use upline::store::{Batch, LogOptions, LogStore, MemoryStore, Recovered, Store, StoreError};

use crate::counters::Counters;
use crate::oracle::fold::Wrong;
use crate::oracle::journal::Files;
use crate::oracle::{Again, Oracle};
use crate::plan::{Left, Plan};
use crate::random::Random;

/// Commits as the writer has decided them.
type Decided = Arc<Mutex<Vec<Commit>>>;

/// Where the tickets are: on a disk, or in memory.
#[derive(Clone, Default)]
pub struct Home {
    pub(super) disk: Option<SimDisk>,
    decided: Option<Decided>,
}

impl Home {
    /// A new disk for this plan.
    #[must_use]
    pub fn disk(plan: &Plan) -> Self {
        Self {
            disk: Some(SimDisk::new(plan.seed)),
            decided: None,
        }
    }

    /// Memory, where restarts and faults of the disk do nothing.
    #[must_use]
    pub fn memory() -> Self {
        Self::default().recorded()
    }

    /// The same, and each commit is written down as it was decided.
    #[must_use]
    pub fn recorded(mut self) -> Self {
        self.decided = Some(Decided::default());
        self
    }

    /// Gives what is written down, when it is called.
    pub fn decided(&self) -> impl FnOnce() -> Vec<Commit> + use<> {
        let decided = self.decided.clone().unwrap_or_default();
        move || std::mem::take(&mut *lock(&decided))
    }

    pub(super) fn store(&self, plan: &Plan, start: u64) -> Result<AnyStore, StoreError> {
        let decided = self.decided.clone();
        match &self.disk {
            Some(disk) => {
                let mut options = LogOptions::default();
                options.beside = false;
                options.segment_bytes = plan.setting.segment_bytes;
                options.snapshot_commits = plan.setting.snapshot_commits;
                let days = plan.setting.keep_history;
                options.keep_history = days.map(|days| Duration::from_secs(days * 86_400));
                let random = Mutex::new(Random::new(plan.seed ^ start << 32));
                let entropy = move |bytes: &mut [u8]| {
                    let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
                    bytes
                        .iter_mut()
                        .for_each(|byte| *byte = random.number() as u8);
                    Ok(())
                };
                let disk = Arc::new(disk.clone());
                let store = LogStore::open(disk, options, Arc::new(entropy))?;
                Ok(AnyStore(Box::new(store), decided))
            }
            None => Ok(AnyStore(Box::new(MemoryStore::new()), decided)),
        }
    }

    pub(super) fn look(&self, oracle: &mut Oracle, counters: &mut Counters) -> Result<(), Wrong> {
        match (&self.disk, &self.decided) {
            (Some(disk), _) => oracle.read_on(&Surviving(disk), counters).map(|_| ()),
            (None, None) => Ok(()),
            (None, Some(decided)) => {
                let decided = lock(decided);
                let fresh = decided.iter().skip(oracle.commits());
                let fresh: Result<Vec<_>, postcard::Error> = fresh
                    .map(|commit| postcard::from_bytes(&postcard::to_stdvec(commit)?))
                    .collect();
                oracle.take(fresh.map_err(|error| error.to_string())?, counters)
            }
        }
    }

    pub(super) fn read_again(&self, oracle: &Oracle, now: i64) -> Result<Again, Wrong> {
        match &self.disk {
            Some(disk) => oracle.read_again(&Surviving(disk), now),
            None => Ok(Again::default()),
        }
    }

    /// What the engine itself says of the journal, read by whoever has nothing to do with it.
    pub(super) fn verify(&self) -> Result<(), Wrong> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        // Of a copy: the reads of a plan's disk are counted.
        let report = verify_folder(&disk.copy(0), None, &mut |_| ());
        let report = report.map_err(|error| format!("the journal can't be verified: {error}"))?;
        match report.damage.first() {
            Some(damage) => Err(format!("the journal does not verify: {damage}")),
            None => Ok(()),
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.disk.as_ref().is_some_and(SimDisk::is_off)
    }

    /// Whether it is one of several that must come to the same: none of them has faults of the machine.
    pub(super) fn is_compared(&self) -> bool {
        self.decided.is_some()
    }

    /// The process ends, with a power cut or without.
    pub(super) fn stop(&mut self, keep: Option<Left>) {
        if let Some(disk) = &mut self.disk {
            *disk = match keep {
                Some(keep) => disk.crash(keep.into()),
                None => disk.kill(),
            };
        }
    }

    pub(super) fn operations(&self) -> u64 {
        self.disk.as_ref().map_or(0, SimDisk::operations)
    }

    pub(super) fn has_snapshot(&self) -> bool {
        !self.snapshots().is_empty()
    }

    pub(super) fn snapshots(&self) -> Vec<String> {
        match &self.disk {
            Some(disk) => {
                let names = disk.surviving_names("snapshots");
                let snapshots = names.into_iter().filter(|name| name.ends_with(".snap"));
                snapshots.collect()
            }
            None => Vec::new(),
        }
    }
}

fn lock(decided: &Decided) -> std::sync::MutexGuard<'_, Vec<Commit>> {
    decided.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files of a disk as they would survive a power cut.
struct Surviving<'a>(&'a SimDisk);

impl Files for Surviving<'_> {
    fn names(&self, folder: &str) -> Vec<String> {
        self.0.surviving_names(folder)
    }

    fn bytes(&self, path: &str, from: u64) -> Option<Vec<u8>> {
        self.0.surviving(path, from)
    }
}

/// A store of either kind that writes down what it was given.
pub(super) struct AnyStore(Box<dyn Store>, Option<Decided>);

impl Store for AnyStore {
    fn recover(&mut self, each: &mut upline::store::Show<'_>) -> Result<Recovered, StoreError> {
        self.0.recover(each)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.0.make_room()
    }

    fn next_position(&self) -> u64 {
        self.0.next_position()
    }

    fn new_key(&mut self) -> Result<u32, StoreError> {
        self.0.new_key()
    }

    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        self.0.ticket(number)
    }

    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        let commit = Commit {
            at: batch.at,
            wall: batch.wall,
            entries: batch.entries.clone(),
        };
        self.0.commit(batch)?;
        if let Some(decided) = &self.1 {
            lock(decided).push(commit);
        }
        Ok(())
    }

    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        self.0.read(position)
    }

    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError> {
        self.0.destroy_key(key)
    }

    fn between_commits(&mut self, known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        self.0.between_commits(known)
    }
}
