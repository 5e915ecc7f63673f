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
//! | `head` | the last commit that was acknowledged, so that a journal that was cut is found |
//! | `keys/` | the tickets' keys; without them what is personal can't be read |
//! | `snapshots/` | the open tickets at one commit; can be made anew from the journal, but for its base |
//! | `index/` | every ticket there ever was, if an engine keeps an index; can be made anew from the journal |

pub mod backup;
pub(crate) mod base;
mod between;
pub(crate) mod check;
pub(crate) mod head;
pub(crate) mod identity;
mod making;
mod retire;
mod seal;
pub(crate) mod snapshot;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fold::Fold;
use super::{Batch, Listener, Recovered, Store, StoreError};
use crate::disk::Disk;
use crate::feed::{Feed, Source};
use crate::journal::{
    Frame, Journal, JournalError, JournalReader, Mark, Options, Position, Upkeep,
};
use crate::record::{self, Commit, Entry, Number, Record};
use crate::vault::{Entropy, Vault};
use head::Head;
use making::{Job, Next};
use retire::Rule;
use snapshot::Snapshot;
use table::{Change, Changes, Each, Walk};

pub use identity::FORMAT;
pub use retire::MIN_HISTORY;
#[cfg(feature = "sled")]
#[cfg(test)]
pub(crate) use seal::close_moved;
pub(crate) use seal::open_moved;
#[cfg(feature = "sled")]
pub(crate) use seal::open_record;

/// How many tickets are held decoded while the journal is read at a start. Each takes 2 to 4 KiB.
const FOLDED_AT_ONCE: usize = 16_384;

/// How a data folder is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LogOptions {
    /// How long a segment of the journal is, in bytes.
    pub segment_bytes: u64,
    /// A snapshot is written when tickets that were changed since the last one take so many bytes, or when
    /// the journal has grown by half as many, and by as many as the last snapshot has.
    pub snapshot_bytes: usize,
    /// Or when so many commits came since the last one.
    pub snapshot_commits: u64,
    /// Whether snapshots and the journal's next segment are made in threads of their own, while commits go
    /// on. Without, each is made between two commits, which wait: always the same way, for simulations.
    pub beside: bool,
    /// For how long history is kept. What ended longer ago is removed: the ticket from the index, its key,
    /// and the segments of the journal that only tell of such tickets. At least [`MIN_HISTORY`], and up to a
    /// quarter longer than this, by the time of the last commit. `None`: for ever.
    pub keep_history: Option<Duration>,
    /// Nothing will be changed: then a backup will do, too.
    pub(crate) to_look: bool,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: crate::journal::SEGMENT_BYTES,
            snapshot_bytes: 64 << 20,
            snapshot_commits: 1 << 20,
            beside: true,
            keep_history: None,
            to_look: false,
        }
    }
}

/// See the module.
pub struct LogStore {
    disk: Arc<dyn Disk>,
    options: LogOptions,
    entropy: Entropy,
    folder: crate::journal::FolderId,
    listener: Option<Arc<dyn Listener>>,
    source: Source,
    /// Dropped last: another process may have the folder then.
    open: Option<Open>,
    _lock: Box<dyn Send + Sync>,
}

/// What is there after [`Store::recover`].
struct Open {
    journal: Journal,
    head: Head,
    reader: JournalReader,
    upkeep: Upkeep,
    vault: Arc<Vault>,
    rule: Rule,
    snapshot: Option<Arc<Snapshot>>,
    /// What was changed since the snapshot, and is going into the next one.
    frozen: Option<Arc<Changes>>,
    next: Option<Next>,
    /// Whether the last one could not be made.
    overdue: bool,
    /// What was changed since then.
    changed: Changes,
    /// How many commits came since the last snapshot was begun, and where the journal was then.
    commits: u64,
    tail_from: u64,
    /// The journal's next segment.
    segment: Option<Job<Result<bool, JournalError>>>,
    /// Whether the last one could not be made.
    no_segment: bool,
    /// For what is encoded.
    scratch: Vec<u8>,
    fence: u64,
}

impl LogStore {
    /// Opens a data folder, or begins one in an empty folder. What is in it is read by [`Store::recover`].
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Format`] if it is something else's folder or if history is to be
    /// kept for less than [`MIN_HISTORY`], and the system's.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: LogOptions,
        entropy: Entropy,
    ) -> Result<Self, StoreError> {
        retire::checked(options.keep_history)?;
        disk.create_folder("")
            .map_err(io("making the data folder"))?;
        // Before anything is made in it.
        identity::refuse_foreign(&*disk)?;
        if !options.to_look {
            backup::refuse(&*disk)?;
        }
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
            listener: None,
            source: Source::default(),
            open: None,
            _lock: lock,
        })
    }

    /// Tells somebody of the journal: an index that follows it.
    #[must_use]
    pub fn listener(mut self, listener: impl Listener + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
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

    /// The journal, after [`Store::recover`].
    pub(crate) fn reader(&self) -> Option<JournalReader> {
        self.open.as_ref().map(|open| open.reader.clone())
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
            let snapshot = check::newest_below(&*self.disk, self.folder, below)?;
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
        let beside = self.options.beside;
        self.ready()?.make_room(beside)
    }

    fn look_for_room(&mut self) -> Result<(), StoreError> {
        Ok(self.ready()?.vault.look_for_room()?)
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
        let snapshot = open.snapshot.as_deref();
        let found = find(open.changed(number), snapshot, &open.vault, number);
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
        let scratch = &mut open.scratch;
        let bytes = record::encode(&commit, seal::cleared(scratch));
        *scratch = bytes.map_err(record::Unreadable::Bytes)?;
        let mark = open.journal.append(scratch)?;
        open.head.note(&mark);
        open.commits += 1;
        open.rule.at = open.rule.at.max(commit.at);
        let mut encode = |record: &mut Record| seal::encode(&open.vault, record, &mut open.scratch);
        let are_many = batch.after.len() > table::YOUNG / 4;
        for record in batch.after {
            let number = record.number;
            match record.is_hot() {
                // They would be old before they are changed again.
                true if are_many => open.changed.put(number, Change::Bytes(encode(record)?)),
                true => open.changed.put_young(record, &mut encode)?,
                false => open.changed.put(number, Change::Gone),
            }
        }
        if let Some(listener) = &self.listener {
            listener.committed();
        }
        self.source.committed();
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
        if let Some(next) = open.next.take() {
            let done = next.go_on();
            return open.snapshot_done(done);
        }
        let tail = open.reader.end().0 - open.tail_from;
        let snapshot = open.snapshot.as_ref().map_or(0, |snapshot| snapshot.bytes);
        // Reading the rest of the journal at the next start must not take longer than the snapshot.
        let is_long = tail >= snapshot.max(bytes as u64 / 2);
        let is_time = open.commits > 0 && open.rule.wants_snapshot();
        let is_much = open.changed.bytes() >= bytes || open.commits >= commits || is_long;
        if is_much || is_time || open.overdue {
            return self.begin_snapshot(known(), self.options.beside);
        }
        self.retire()
    }

    fn feed(&self) -> Option<Feed> {
        Some(self.source.feed())
    }

    fn keep_history(&mut self, keep: Duration) -> Result<(), StoreError> {
        retire::checked(Some(keep))?;
        self.options.keep_history = Some(keep);
        Ok(())
    }

    fn unsealed(&self, mut record: Record) -> Result<Record, StoreError> {
        let open = self.open.as_ref().ok_or_else(closed)?;
        seal::open_record(&open.vault, &mut record)?;
        Ok(record)
    }
}

impl LogStore {
    fn recover_from(
        &mut self,
        mut snapshot: Option<Snapshot>,
        each: &mut crate::store::Show<'_>,
    ) -> Result<Recovered, StoreError> {
        let mut fold = Fold::default();
        if let Some(snapshot) = &mut snapshot {
            fold.known = record::decode(&snapshot.known)?;
            snapshot.forget_known();
        }
        let snapshot = snapshot.map(Arc::new);
        let mut next_key = fold.known.next_key;
        let disk = Arc::clone(&self.disk);
        let mut vault = Vault::open(disk, self.folder.0, self.entropy.clone())?;
        let (mut commits, mut changed, mut scratch) = (0, Changes::default(), Vec::new());
        let after = snapshot.as_ref().map(|snapshot| snapshot.mark);
        let mut options = Options::new(self.folder);
        options.segment_bytes = self.options.segment_bytes;
        options.acknowledged = head::read(&*self.disk, self.folder);
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
                find(changed.get(number), snapshot.as_deref(), &vault, number)
            })?;
            if fold.records.len() >= FOLDED_AT_ONCE {
                let records = std::mem::take(&mut fold.records);
                put_all(&mut changed, records, &vault, &mut scratch)?;
            }
            Ok(())
        };
        let journal = Journal::open(Arc::clone(&self.disk), options, after.as_ref(), &mut frame)?;
        vault.go_on(next_key)?;
        let Fold { records, mut known } = fold;
        put_all(&mut changed, records, &vault, &mut scratch)?;
        let keep = retire::checked(self.options.keep_history)?;
        let rule = Rule::begin(&*self.disk, self.folder, keep, known.at)?;
        journal.upkeep().set_base(rule.base());
        let open = Open {
            head: Head::open(&*self.disk, head::FILE, self.folder),
            reader: journal.reader(),
            upkeep: journal.upkeep(),
            journal,
            vault: Arc::new(vault),
            rule,
            snapshot,
            frozen: None,
            next: None,
            overdue: false,
            tail_from: after.map_or(0, |mark| mark.position.0),
            changed,
            commits,
            segment: None,
            no_segment: false,
            scratch,
            fence: known.fence,
        };
        open.show(each)?;
        known.next_key = open.vault.next();
        if let Some(listener) = &self.listener {
            listener.keys(&open.vault);
            listener.opened(&open.reader);
        }
        self.source.opened(&open.reader, &open.vault);
        self.open = Some(open);
        Ok(known)
    }
}

impl Open {
    /// What was changed, if this ticket was.
    fn changed(&self, number: Number) -> Option<&Change> {
        let frozen = || self.frozen.as_ref()?.get(number);
        self.changed.get(number).or_else(frozen)
    }

    /// Shows all tickets.
    fn show(&self, each: &mut crate::store::Show<'_>) -> Result<(), StoreError> {
        let each: &mut Each<'_> = &mut |_, bytes| each(&record::decode(bytes)?);
        let mut walk = Walk::default();
        while walk.piece(self.snapshot.as_deref(), &self.changed, each)? {}
        Ok(())
    }
}

/// Adds what the journal says behind the snapshot.
fn put_all(
    changed: &mut Changes,
    records: BTreeMap<Number, Record>,
    vault: &Vault,
    scratch: &mut Vec<u8>,
) -> Result<(), StoreError> {
    for (number, mut record) in records {
        let change = match record.is_hot() {
            true => Change::Bytes(seal::encode(vault, &mut record, scratch)?),
            false => Change::Gone,
        };
        changed.put(number, change);
    }
    Ok(())
}

/// A hot ticket: as it was changed, or else as the snapshot has it.
fn find(
    changed: Option<&Change>,
    snapshot: Option<&Snapshot>,
    vault: &Vault,
    number: Number,
) -> Result<Option<Record>, StoreError> {
    match changed {
        Some(Change::Gone) => Ok(None),
        Some(Change::Young(record)) => Ok(Some(Record::clone(record))),
        Some(Change::Bytes(bytes)) => seal::decode(vault, bytes).map(Some),
        None => {
            let bytes = snapshot.map(|snapshot| snapshot.record(number));
            let bytes = bytes.transpose()?.flatten();
            bytes.map(|bytes| seal::decode(vault, &bytes)).transpose()
        }
    }
}

fn closed() -> StoreError {
    StoreError::Format("the store was not read yet".into())
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => StoreError::Full,
        _ => StoreError::Io { doing, source },
    }
}
