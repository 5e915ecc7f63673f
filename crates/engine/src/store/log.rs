//! The store on disk: the journal that a commit waits for, snapshots that make starts short, the tickets'
//! keys.
//!
//! A data folder:
//!
//! | name | what |
//! |---|---|
//! | `folder` | its identity, and the format of what is in it |
//! | `lock` | held by the process that has it open |
//! | `journal/` | the truth: every commit, chained |
//! | `keys/` | the tickets' keys; without them what is personal can't be read |
//! | `snapshots/` | the open tickets at one commit; can be made anew from the journal |
//! | `reserve` | room that is given up when the disk is full, so that the program can still stop and start |

pub mod backup;
mod identity;
mod seal;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::fold::Fold;
use super::{Batch, Recovered, Store, StoreError};
use crate::disk::Disk;
use crate::journal::{
    Frame, Journal, JournalError, JournalReader, Mark, Options, Position, Upkeep,
};
use crate::record::{self, Commit, Entry, Number, Record};
use crate::vault::{Entropy, Vault};
use snapshot::{Draft, Snapshot, SnapshotError};

pub use identity::FORMAT;

/// How a data folder is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// How long a segment of the journal is, in bytes.
    pub segment_bytes: u64,
    /// A snapshot is written when tickets that were changed since the last one take so many bytes.
    pub snapshot_bytes: usize,
    /// Or when so many commits came since the last one.
    pub snapshot_commits: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: crate::journal::SEGMENT_BYTES,
            snapshot_bytes: 64 << 20,
            snapshot_commits: 1 << 20,
        }
    }
}

/// Is shown the bytes of a record.
type Each<'a> = dyn FnMut(Number, &[u8]) -> Result<(), StoreError> + 'a;

/// See the module.
pub struct LogStore {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    entropy: Entropy,
    folder: crate::journal::FolderId,
    /// Dropped last: another process may have the folder then.
    open: Option<Open>,
    _lock: Box<dyn Send + Sync>,
}

/// What is there after [`Store::recover`].
struct Open {
    journal: Journal,
    reader: JournalReader,
    upkeep: Upkeep,
    vault: Vault,
    snapshot: Option<Snapshot>,
    /// Tickets that were changed since the snapshot; `None`: not hot any more.
    changed: BTreeMap<Number, Option<Vec<u8>>>,
    changed_bytes: usize,
    commits: u64,
    fence: u64,
}

impl LogStore {
    /// Opens a data folder, or begins one in an empty folder. What is in it is read by [`Store::recover`].
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Format`] if it is something else's folder, and the system's.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        entropy: Entropy,
    ) -> Result<Self, StoreError> {
        disk.create_folder("")
            .map_err(io("making the data folder"))?;
        let lock = disk.lock("lock").map_err(|source| match source.kind() {
            std::io::ErrorKind::WouldBlock => StoreError::Locked,
            _ => io("locking the data folder")(source),
        })?;
        let folder = identity::read_or_begin(&*disk, &entropy)?;
        Ok(Self {
            disk,
            options,
            entropy,
            folder,
            open: None,
            _lock: lock,
        })
    }

    /// The disk that it is on.
    #[must_use]
    pub fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.disk)
    }

    /// The last commit, for [`verify`](crate::journal::verify()) to be held against later.
    pub fn head(&self) -> Option<Mark> {
        self.open.as_ref().and_then(|open| open.journal.head())
    }

    fn ready(&mut self) -> Result<&mut Open, StoreError> {
        self.open.as_mut().ok_or_else(closed)
    }
}

impl Store for LogStore {
    fn recover(&mut self, each: &mut crate::store::Show<'_>) -> Result<Recovered, StoreError> {
        // What was open may be ahead of the disk.
        self.open = None;
        let mut below = u64::MAX;
        loop {
            let snapshot = newest_snapshot(&*self.disk, self.folder, below)?;
            let newest = snapshot.as_ref();
            let newest = newest.map(|one| (one.mark.seq, Arc::clone(&one.damaged)));
            let recovered = self.recover_from(snapshot, each);
            match newest {
                // Its records are read only now. Those that were shown are shown again, the same.
                Some((seq, damaged)) if recovered.is_err() && damaged.load(Ordering::Relaxed) => {
                    below = seq;
                }
                _ => return recovered,
            }
        }
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.ready()?.upkeep.prepare()?;
        Ok(())
    }

    fn next_position(&self) -> u64 {
        let open = self.open.as_ref();
        open.map_or(0, |open| open.reader.end().0)
    }

    fn new_key(&mut self) -> Result<u32, StoreError> {
        Ok(self.ready()?.vault.take()?)
    }

    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        let open = self.ready()?;
        let found = match open.changed.get(&number) {
            Some(bytes) => bytes
                .as_deref()
                .map(|bytes| seal::decode(&open.vault, bytes))
                .transpose(),
            None => load(open.snapshot.as_ref(), &open.vault, number),
        };
        found.map_err(|error| match error {
            StoreError::Damaged(why) => StoreError::Ticket { number, why },
            other => other,
        })
    }

    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        let open = self.ready()?;
        if batch.fence < open.fence {
            return Err(StoreError::Fenced);
        }
        open.fence = batch.fence;
        let mut entries = batch.entries;
        for entry in &mut entries {
            if let Entry::Moved(moved) = entry {
                seal::close_moved(&open.vault, moved)?;
            }
        }
        let commit = Commit {
            at: batch.at,
            wall: batch.wall,
            entries,
        };
        let bytes = record::encode(&commit, Vec::new()).map_err(record::Unreadable::Bytes)?;
        open.journal.append(&bytes)?;
        open.commits += 1;
        for record in batch.after {
            let number = record.number;
            let bytes = match record.is_hot() {
                true => Some(seal::encode(&open.vault, record)?),
                false => None,
            };
            open.change(number, bytes);
        }
        Ok(())
    }

    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        let open = self.open.as_ref().ok_or_else(closed)?;
        let frame = match open.reader.read(Position(position)) {
            Err(JournalError::NotYet { .. } | JournalError::Removed { .. }) => return Ok(None),
            other => other?,
        };
        let mut commit: Commit = record::decode(&frame.payload)?;
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                seal::open_moved(&open.vault, moved)?;
            }
        }
        Ok(Some(commit))
    }

    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError> {
        Ok(self.ready()?.vault.destroy(key)?)
    }

    fn between_commits(&mut self, known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        let (bytes, commits) = (self.options.snapshot_bytes, self.options.snapshot_commits);
        let open = self.ready()?;
        if open.changed_bytes >= bytes || open.commits >= commits {
            self.snapshot(&known())?;
        }
        Ok(())
    }
}

impl LogStore {
    fn recover_from(
        &mut self,
        snapshot: Option<Snapshot>,
        each: &mut crate::store::Show<'_>,
    ) -> Result<Recovered, StoreError> {
        let mut fold = Fold::default();
        if let Some(snapshot) = &snapshot {
            fold.known = record::decode(&snapshot.known)?;
        }
        let mut next_key = fold.known.next_key;
        let disk = Arc::clone(&self.disk);
        let mut vault = Vault::open(disk, self.folder.0, self.entropy.clone())?;
        let mut commits = 0;
        let after = snapshot.as_ref().map(|snapshot| snapshot.mark);
        let mut options = Options::new(self.folder);
        options.segment_bytes = self.options.segment_bytes;
        let mut frame = |frame: Frame<'_>| -> Result<(), StoreError> {
            let mut commit: Commit = record::decode(&frame.payload)?;
            for entry in &mut commit.entries {
                if let Entry::Moved(moved) = entry {
                    next_key = next_key.max(moved.key.saturating_add(1));
                    seal::open_moved(&vault, moved)?;
                }
            }
            commits += 1;
            let position = frame.mark.position.0;
            fold.commit(position, commit, &mut |number| {
                load(snapshot.as_ref(), &vault, number)
            })
        };
        let journal = Journal::open(Arc::clone(&self.disk), options, after.as_ref(), &mut frame)?;
        vault.go_on(next_key)?;
        let Fold { records, mut known } = fold;
        let mut open = Open {
            reader: journal.reader(),
            upkeep: journal.upkeep(),
            journal,
            vault,
            snapshot,
            changed: BTreeMap::new(),
            changed_bytes: 0,
            commits,
            fence: known.fence,
        };
        open.show(records, each)?;
        known.next_key = open.vault.next();
        self.open = Some(open);
        Ok(known)
    }

    /// Writes a snapshot of what is committed.
    ///
    /// # Errors
    /// [`StoreError`]; the one before stays.
    pub fn snapshot(&mut self, known: &Recovered) -> Result<(), StoreError> {
        let (disk, folder) = (Arc::clone(&self.disk), self.folder);
        let open = self.ready()?;
        let Some(mark) = open.journal.head() else {
            return Ok(());
        };
        let mut known = known.clone();
        known.next_key = open.vault.next();
        let known = record::encode(&known, Vec::new()).map_err(record::Unreadable::Bytes)?;
        let failed = io("writing a snapshot");
        let mut draft = Draft::begin(&*disk, folder, mark).map_err(&failed)?;
        open.merged(&mut |number, bytes| draft.add(number, bytes).map_err(&failed))?;
        draft.finish(&known).map_err(&failed)?;
        open.snapshot = Some(Snapshot::open(&*disk, folder, mark.seq)?);
        open.changed.clear();
        open.changed_bytes = 0;
        open.commits = 0;
        // The one before is kept, should this one turn out to be damaged.
        for old in snapshot::list(&*disk).map_err(&failed)?.iter().skip(2) {
            disk.remove(&snapshot::path(*old)).map_err(&failed)?;
        }
        Ok(())
    }
}

impl Open {
    fn change(&mut self, number: Number, bytes: Option<Vec<u8>>) {
        /// About what an entry of the map takes besides the record.
        const ENTRY: usize = 64;
        self.changed_bytes += ENTRY + bytes.as_ref().map_or(0, Vec::len);
        if let Some(before) = self.changed.insert(number, bytes) {
            let before = ENTRY + before.map_or(0, |bytes| bytes.len());
            self.changed_bytes = self.changed_bytes.saturating_sub(before);
        }
    }

    /// Takes in what the journal says behind the snapshot, and shows all tickets.
    fn show(
        &mut self,
        records: BTreeMap<Number, Record>,
        each: &mut crate::store::Show<'_>,
    ) -> Result<(), StoreError> {
        for (number, mut record) in records {
            let bytes = match record.is_hot() {
                true => Some(seal::encode(&self.vault, &mut record)?),
                false => None,
            };
            self.change(number, bytes);
        }
        self.merged(&mut |_, bytes| each(&record::decode(bytes)?))
    }

    /// All hot tickets in order of their numbers: those of the snapshot, and in place of some of them, and
    /// behind them, those that were changed since.
    fn merged(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        let mut changed = self.changed.iter().peekable();
        if let Some(snapshot) = &self.snapshot {
            snapshot.each(|number, bytes| {
                while let Some((other, newer)) = changed.next_if(|(other, _)| **other < number) {
                    if let Some(newer) = newer {
                        each(*other, newer)?;
                    }
                }
                match changed.next_if(|(other, _)| **other == number) {
                    Some((_, Some(newer))) => each(number, newer),
                    Some((_, None)) => Ok(()),
                    None => each(number, bytes),
                }
            })?;
        }
        for (number, bytes) in changed {
            if let Some(bytes) = bytes {
                each(*number, bytes)?;
            }
        }
        Ok(())
    }
}

/// The newest snapshot that is whole, of those of frames before `below`.
fn newest_snapshot(
    disk: &dyn Disk,
    folder: crate::journal::FolderId,
    below: u64,
) -> Result<Option<Snapshot>, StoreError> {
    let list = snapshot::list(disk).map_err(io("looking for snapshots"))?;
    for seq in list.into_iter().filter(|seq| *seq < below) {
        match Snapshot::open(disk, folder, seq) {
            Ok(snapshot) => return Ok(Some(snapshot)),
            Err(SnapshotError::Damaged | SnapshotError::Format(_)) => (),
            Err(SnapshotError::Io(source)) => return Err(io("reading a snapshot")(source)),
        }
    }
    Ok(None)
}

fn load(
    snapshot: Option<&Snapshot>,
    vault: &Vault,
    number: Number,
) -> Result<Option<Record>, StoreError> {
    let Some(snapshot) = snapshot else {
        return Ok(None);
    };
    let bytes = snapshot.record(number)?;
    bytes.map(|bytes| seal::decode(vault, &bytes)).transpose()
}

fn closed() -> StoreError {
    StoreError::Format("the store was not read yet".into())
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io { doing, source },
    }
}

impl From<SnapshotError> for StoreError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Io(source) => io("reading a snapshot")(source),
            SnapshotError::Damaged | SnapshotError::Format(_) => {
                Self::Damaged(format!("a snapshot: {error}"))
            }
        }
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
            other => Self::Damaged(other.to_string()),
        }
    }
}
