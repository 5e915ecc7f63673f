//! A disk in memory that can lose power, fail and fill up: for tests of the engine and of embedders' stores.
//!
//! What was written and what would survive a power cut are kept apart, for each file in sectors of
//! [`SECTOR`] bytes and for each name in a folder. Everything it does follows from the seed and the calls
//! made, so a failing run can be run again.
//!
//! ```
//! use upline::disk::sim::{Fault, Keep, SimDisk};
//! use upline::disk::Disk;
//!
//! let disk = SimDisk::new(7);
//! let file = disk.create("notes")?;
//! file.write_at(b"one", 0)?;
//! file.sync()?;
//! disk.sync_folder("")?;
//! file.write_at(b"two", 0)?; // never synced
//!
//! let disk = disk.crash(Keep::Nothing);
//! assert_eq!(disk.contents("notes").as_deref(), Some(&b"one"[..]));
//! assert!(file.sync().is_err(), "the machine that had it open is off");
//!
//! disk.fail(disk.operations(), Fault::Full); // the next one
//! assert!(disk.create("more").is_err());
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SECTOR;

mod calls;
mod file;
mod names;
mod power;

use file::SimFile;
use names::Names;

/// What a power cut leaves of everything that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// Each sector and each change of a name by the toss of a coin.
    Half,
    /// All but the last write, of which any part of its sectors may be missing, but never none.
    Torn,
}

impl Keep {
    /// Every way, for tests that try each.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Everything, Self::Half, Self::Torn];
}

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An I/O error, and nothing was done. Of a sync: what was not synced is still read, and is lost with the
    /// next power cut although later syncs succeed, as Linux does it.
    Error,
    /// An I/O error, and a part was done: of a write the first bytes, of a sync some of the sectors.
    /// Everything else either fails whole or not at all: the toss of a coin.
    Part,
    /// An I/O error, although all of it was done.
    Done,
    /// The disk is full, and nothing was done.
    Full,
    /// The disk is full, and of a write the first bytes were written.
    FullInPart,
}

impl Fault {
    /// Every way, for tests that try each.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Part,
        Self::Done,
        Self::Full,
        Self::FullInPart,
    ];
}

/// A disk in memory. A clone is another handle to the same disk; [`SimDisk::copy`] makes another disk.
#[derive(Clone)]
pub struct SimDisk {
    inner: Arc<Mutex<Inner>>,
    /// How many power cuts this handle has seen: those made before the last one don't work any more.
    life: u64,
}

#[derive(Clone)]
struct Inner {
    names: Names,
    files: BTreeMap<u64, SimFile>,
    next_file: u64,
    locks: BTreeSet<String>,
    life: u64,
    random: Random,
    operations: u64,
    reads: u64,
    syncs: u64,
    faults: BTreeMap<u64, Fault>,
    read_faults: BTreeSet<u64>,
    off_at: Option<u64>,
    capacity: Option<u64>,
    used: u64,
    last: Option<Last>,
}

/// The last change that was not synced, for [`Keep::Torn`].
#[derive(Debug, Clone)]
enum Last {
    Write { file: u64, from: u64, to: u64 },
    Name,
}

impl SimDisk {
    /// An empty disk without faults, of any capacity. All that is random comes from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            names: Names::default(),
            files: BTreeMap::new(),
            next_file: 0,
            locks: BTreeSet::new(),
            life: 0,
            random: Random(seed),
            operations: 0,
            reads: 0,
            syncs: 0,
            faults: BTreeMap::new(),
            read_faults: BTreeSet::new(),
            off_at: None,
            capacity: None,
            used: 0,
            last: None,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            life: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another disk with the same content, the same faults to come and no locks, whose randomness begins with
    /// `seed`: to try several power cuts from one state. It is new to no handle of this one.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        let mut inner = self.lock().clone();
        inner.random = Random(seed);
        inner.locks.clear();
        let life = inner.life;
        Self {
            inner: Arc::new(Mutex::new(inner)),
            life,
        }
    }

    /// Cuts the power and comes back: handles, open files and locks of before are dead, faults still to come
    /// are forgotten, and of what was not synced there is what `keep` says.
    #[must_use = "handles from before the power cut don't work any more"]
    pub fn crash(&self, keep: Keep) -> Self {
        let mut inner = self.lock();
        inner.cut_power(keep);
        let life = inner.life;
        drop(inner);
        Self {
            inner: Arc::clone(&self.inner),
            life,
        }
    }

    /// Ends the process without a power cut: handles, open files and locks of before are dead, faults still
    /// to come are forgotten, and everything that was written is still read, also what a failing sync lost.
    #[must_use = "handles from before the kill don't work any more"]
    pub fn kill(&self) -> Self {
        let mut inner = self.lock();
        inner.new_life();
        let life = inner.life;
        drop(inner);
        Self {
            inner: Arc::clone(&self.inner),
            life,
        }
    }

    /// How many operations that change something (everything but lock, list, open, measure, read) have begun.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// How many lists, opens, measures and reads have begun.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    /// How many syncs of files and folders have begun.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Makes the operation of this number fail, counted from 0 as by [`SimDisk::operations`].
    pub fn fail(&self, operation: u64, fault: Fault) {
        self.lock().faults.insert(operation, fault);
    }

    /// Makes the reading of this number fail, counted from 0 as by [`SimDisk::reads`].
    pub fn fail_read(&self, read: u64) {
        self.lock().read_faults.insert(read);
    }

    /// Takes the power away before the operation of this number: it and everything after it fails, until
    /// [`SimDisk::crash`].
    pub fn power_off_at(&self, operation: u64) {
        self.lock().off_at = Some(operation);
    }

    /// Whether the power is off, or about to be with the next operation.
    #[must_use]
    pub fn is_off(&self) -> bool {
        let inner = self.lock();
        inner.alive(self.life).is_err()
    }

    /// Bytes that fit on it; `None` is any number. Less than is used makes the next write of new room fail.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// Bytes in use: for each file the room up to its last reserved or written sector.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().used
    }

    /// Turns one bit of a file over, as if the disk had rotted. Returns whether the file reaches that far.
    pub fn flip(&self, path: &str, byte: u64, bit: u8) -> bool {
        let mut inner = self.lock();
        inner
            .file_at(path)
            .is_some_and(|file| file.flip(byte, bit % 8))
    }

    /// What a file reads as now.
    #[must_use]
    pub fn contents(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().file_at(path).map(|file| file.bytes())
    }

    /// The paths below `folder` that would be there after a power cut that keeps nothing, sorted.
    #[must_use]
    pub fn surviving_names(&self, folder: &str) -> Vec<String> {
        self.lock().names.surviving(folder)
    }

    /// What a file would read as from `from` on after a power cut that keeps nothing; `None`: it would be
    /// gone.
    #[must_use]
    pub fn surviving(&self, path: &str, from: u64) -> Option<Vec<u8>> {
        let inner = self.lock();
        let file = inner.files.get(&inner.names.surviving_file(path)?)?;
        Some(file.surviving_bytes(from))
    }

    /// Puts a file there, with its folders, as if it had always been so: synced, with no operation counted.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let mut inner = self.lock();
        let id = inner.next_file;
        inner.next_file += 1;
        inner.files.insert(id, SimFile::settled(bytes));
        inner.names.settle(path, id);
        inner.count_used();
    }

    /// Takes a file away as if it had never been there: synced, with no operation counted.
    pub fn take(&self, path: &str) {
        let mut inner = self.lock();
        inner.names.unsettle(path);
        inner.count_used();
    }
}

/// What becomes of an operation.
enum Go {
    Well,
    Fault(Fault),
}

impl Inner {
    fn alive(&self, life: u64) -> io::Result<()> {
        if life == self.life && self.off_at.is_none_or(|off| self.operations < off) {
            Ok(())
        } else {
            Err(io::Error::other("the power is off"))
        }
    }

    /// Counts an operation that changes something.
    fn begin(&mut self, life: u64) -> io::Result<Go> {
        self.alive(life)?;
        let number = self.operations;
        self.operations += 1;
        Ok(self.faults.remove(&number).map_or(Go::Well, Go::Fault))
    }

    /// An operation that is done whole or not at all.
    fn whole(
        &mut self,
        life: u64,
        act: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.begin(life)? {
            Go::Well => act(self),
            Go::Fault(fault) => {
                let done = match fault {
                    Fault::Error | Fault::Full | Fault::FullInPart => false,
                    Fault::Part => self.random.coin(),
                    Fault::Done => true,
                };
                if done {
                    act(self)?;
                }
                Err(failure(fault))
            }
        }
    }

    fn read(&mut self, life: u64) -> io::Result<()> {
        self.alive(life)?;
        let number = self.reads;
        self.reads += 1;
        if self.read_faults.remove(&number) {
            return Err(failure(Fault::Error));
        }
        Ok(())
    }

    fn file_at(&mut self, path: &str) -> Option<&mut SimFile> {
        let id = self.names.file(path)?;
        self.files.get_mut(&id)
    }

    fn file(&mut self, id: u64) -> io::Result<&mut SimFile> {
        self.files
            .get_mut(&id)
            .ok_or_else(|| io::Error::other("the file is gone"))
    }

    /// Takes room for a file up to `end`, if there is so much.
    fn take_room(&mut self, id: u64, end: u64) -> io::Result<()> {
        let file = self.file(id)?;
        let sector = SECTOR as u64;
        let room = end.div_ceil(sector) * sector;
        let more = room.saturating_sub(file.room());
        if more == 0 {
            return Ok(());
        }
        if self.capacity.is_some_and(|most| self.used + more > most) {
            return Err(failure(Fault::Full));
        }
        self.used += more;
        self.file(id)?.set_room(room);
        Ok(())
    }

    /// Whole sectors that are left of the capacity, in bytes.
    fn free(&self) -> u64 {
        let free = self
            .capacity
            .map_or(u64::MAX, |most| most.saturating_sub(self.used));
        free - free % SECTOR as u64
    }

    fn count_used(&mut self) {
        let room = |id| self.files.get(&id).map_or(0, SimFile::room);
        self.used = self.names.files().map(room).sum();
    }
}

fn failure(fault: Fault) -> io::Error {
    match fault {
        Fault::Error | Fault::Part | Fault::Done => io::Error::other("Input/output error"),
        Fault::Full | Fault::FullInPart => io::Error::from(io::ErrorKind::StorageFull),
    }
}

fn named(operation: &str, path: &str) -> impl FnOnce(io::Error) -> io::Error {
    let what = format!("{operation} {path}");
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// Any number below `end`; 0 if that is 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }
}
