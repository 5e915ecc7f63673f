//! Snapshots: all open tickets at one frame of the journal, so that a start need not read the journal from
//! its beginning, and so that tickets that nobody touches need no memory.
//!
//! A file `snapshots/<number of the frame, 20 digits>.snap`, all numbers little-endian:
//!
//! | what | bytes |
//! |---|---|
//! | magic `UPLNSNAP`, format version (1), zero | 8, 4, 4 |
//! | folder | 16 |
//! | the frame's number, its position, its hash | 8, 8, 32 |
//! | how many tickets, where the table begins, length of what else is known | 8, 8, 8 |
//! | hash of the above | 32 |
//! | each ticket in order of its number: check, record | 8, … |
//! | the table; of each ticket its number, where its check begins, length of the record | 8, 8, 4 |
//! | what else is known | … |
//! | hash of the table and what else is known | 32 |
//!
//! The same file as `<number of the frame>.base` is where the journal begins: see [`base`](super::base).
//!
//! A check is the first 8 bytes of the record's BLAKE3 hash. A snapshot that is damaged is passed over: the
//! one before, or the journal's beginning, says the same.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::disk::{Disk, DiskFile};
use crate::journal::{FolderId, Hash, Mark, Position};
use crate::record::Number;

/// The folder of the snapshots, in the data folder.
pub(crate) const FOLDER: &str = "snapshots";

const MAGIC: &[u8; 8] = b"UPLNSNAP";
pub(crate) const FORMAT: u32 = 1;
const HEADER: usize = 136;
const CHECK: usize = 8;
const ROW: usize = 20;
/// How much is read and written at a time.
const CHUNK: usize = 1 << 20;
/// How much is written before the disk gets time for it, so that a commit in between does not wait for all.
const SYNC_EVERY: u64 = 1 << 22;

/// Where a ticket's record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    number: Number,
    at: u64,
    length: u32,
}

impl Row {
    /// Of the record and its check.
    fn size(self) -> usize {
        CHECK + self.length as usize
    }
}

/// Records that lie behind each other.
pub(super) struct Chunk {
    /// Their rows in the table.
    pub(super) rows: Range<usize>,
    /// The last ticket of them.
    pub(super) last: Number,
    bytes: usize,
}

/// An open snapshot.
pub(crate) struct Snapshot {
    file: Arc<dyn DiskFile>,
    pub(crate) mark: Mark,
    rows: Vec<Row>,
    /// How long it is.
    pub(crate) bytes: u64,
    /// What else is known, encoded; empty once it was [forgotten](Snapshot::forget_known).
    pub(crate) known: Vec<u8>,
    /// Whether one of its records has turned out to be damaged.
    pub(crate) damaged: Arc<AtomicBool>,
}

/// Why a snapshot can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it has the format {0}, and this program knows {FORMAT}")]
    Format(u32),
}

pub(crate) fn path(seq: u64) -> String {
    format!("{FOLDER}/{seq:020}.snap")
}

/// The numbers of the frames of which there are snapshots, newest first.
pub(crate) fn list(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    list_of(disk, ".snap")
}

/// The numbers in the names that end so, highest first.
pub(super) fn list_of(disk: &dyn Disk, end: &str) -> io::Result<Vec<u64>> {
    let names = match disk.list(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let seqs = names
        .iter()
        .filter_map(|name| name.strip_suffix(end)?.parse().ok());
    let mut seqs: Vec<u64> = seqs.collect();
    seqs.sort_unstable_by(|a, b| b.cmp(a));
    Ok(seqs)
}

/// Removes one, which somebody else may have done.
pub(super) fn remove(disk: &dyn Disk, path: &str) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl Snapshot {
    /// Opens a snapshot and reads its table.
    pub(crate) fn open(disk: &dyn Disk, folder: FolderId, seq: u64) -> Result<Self, SnapshotError> {
        Self::open_at(disk, folder, seq, &path(seq))
    }

    /// Opens one that has this path.
    pub(super) fn open_at(
        disk: &dyn Disk,
        folder: FolderId,
        seq: u64,
        path: &str,
    ) -> Result<Self, SnapshotError> {
        let file = disk.open_read(path)?;
        let Header {
            mark,
            count,
            table,
            known,
        } = Header::read(&*file, folder)?;
        let end = file.len()?;
        let length = count.checked_mul(ROW as u64);
        let length = length.and_then(|rows| rows.checked_add(known)?.checked_add(32));
        if mark.seq != seq || length.and_then(|length| table.checked_add(length)) != Some(end) {
            return Err(SnapshotError::Damaged);
        }
        let tail = usize::try_from(end - table).map_err(|_| SnapshotError::Damaged)?;
        let mut bytes = vec![0; tail];
        if file.read_at(&mut bytes, table)? != tail {
            return Err(SnapshotError::Damaged);
        }
        let hash = bytes.split_off(tail - 32);
        if blake3::hash(&bytes).as_bytes() != &*hash {
            return Err(SnapshotError::Damaged);
        }
        let rows = usize::try_from(count).map_err(|_| SnapshotError::Damaged)?;
        let table = rows * ROW;
        let rows = bytes[..table].chunks_exact(ROW).map(|row| Row {
            number: u64::from_le_bytes(part(row, 0)),
            at: u64::from_le_bytes(part(row, 8)),
            length: u32::from_le_bytes(part(row, 16)),
        });
        let rows = rows.collect();
        bytes.drain(..table);
        Ok(Self {
            file,
            mark,
            rows,
            bytes: end,
            known: bytes,
            damaged: Arc::default(),
        })
    }

    /// Forgets what else is known: it has all commands that are remembered, 12 MB of them. Whoever goes on
    /// from it has read it, and those who only read tickets do not ask.
    pub(super) fn forget_known(&mut self) {
        self.known = Vec::new();
    }

    /// The tickets from the one behind this number on, at most so many.
    #[cfg(feature = "sled")]
    pub(crate) fn numbers(&self, behind: Option<Number>, at_most: usize) -> Vec<Number> {
        let behind = |row: &Row| behind.is_some_and(|behind| row.number <= behind);
        let rows = &self.rows[self.rows.partition_point(behind)..];
        rows.iter().take(at_most).map(|row| row.number).collect()
    }

    /// Shows all records, in order of their numbers.
    pub(crate) fn each<E: From<SnapshotError>>(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut row, mut buffer) = (0, Vec::new());
        while let Some(chunk) = self.chunk(row) {
            self.read(&chunk, &mut buffer, |_, bytes| each(bytes))?;
            row = chunk.rows.end;
        }
        Ok(())
    }

    /// The record of a ticket.
    pub(crate) fn record(&self, number: Number) -> Result<Option<Vec<u8>>, SnapshotError> {
        let Ok(index) = self.rows.binary_search_by_key(&number, |row| row.number) else {
            return Ok(None);
        };
        let row = self.rows[index];
        let mut bytes = vec![0; row.size()];
        if self.file.read_at(&mut bytes, row.at)? != bytes.len() {
            return Err(self.damage());
        }
        self.checked(&bytes)?;
        bytes.drain(..CHECK);
        Ok(Some(bytes))
    }

    /// The records from this row on that are read at once; `None`: there are no more.
    pub(super) fn chunk(&self, row: usize) -> Option<Chunk> {
        let rest = self.rows.get(row..)?;
        let (mut bytes, mut count, mut last) = (0, 0, None);
        for row in rest {
            if count > 0 && bytes + row.size() > CHUNK {
                break;
            }
            bytes += row.size();
            count += 1;
            last = Some(row.number);
        }
        Some(Chunk {
            rows: row..row + count,
            last: last?,
            bytes,
        })
    }

    /// Shows these records, in order of their numbers.
    pub(super) fn read<E: From<SnapshotError>>(
        &self,
        chunk: &Chunk,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(Number, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = &self.rows[chunk.rows.clone()];
        buffer.resize(chunk.bytes, 0);
        let at = rows.first().map_or(0, |row| row.at);
        let read = self.file.read_at(buffer, at);
        if read.map_err(SnapshotError::Io)? != chunk.bytes {
            return Err(self.damage().into());
        }
        let mut rest = buffer.as_slice();
        for row in rows {
            let (record, after) = rest.split_at(row.size());
            each(row.number, self.checked(record)?)?;
            rest = after;
        }
        Ok(())
    }

    fn checked<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], SnapshotError> {
        let (check, record) = bytes
            .split_at_checked(CHECK)
            .ok_or(SnapshotError::Damaged)?;
        match &blake3::hash(record).as_bytes()[..CHECK] == check {
            true => Ok(record),
            false => Err(self.damage()),
        }
    }

    fn damage(&self) -> SnapshotError {
        self.damaged.store(true, Ordering::Relaxed);
        SnapshotError::Damaged
    }
}

/// What stands at the front.
pub(super) struct Header {
    pub(super) mark: Mark,
    count: u64,
    table: u64,
    known: u64,
}

impl Header {
    pub(super) fn read(file: &dyn DiskFile, folder: FolderId) -> Result<Self, SnapshotError> {
        let header: [u8; HEADER] = read(file, 0)?;
        if !header.starts_with(MAGIC) {
            return Err(SnapshotError::Damaged);
        }
        let format = u32::from_le_bytes(part(&header, 8));
        if format != FORMAT {
            return Err(SnapshotError::Format(format));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header[..HEADER - 32]);
        let whole = hasher.finalize().as_bytes() == &part::<32>(&header, HEADER - 32);
        if !whole || part::<16>(&header, 16) != folder.0 {
            return Err(SnapshotError::Damaged);
        }
        let long = |at| u64::from_le_bytes(part(&header, at));
        Ok(Self {
            mark: Mark {
                seq: long(32),
                position: Position(long(40)),
                hash: Hash(part(&header, 48)),
            },
            count: long(80),
            table: long(88),
            known: long(96),
        })
    }

    /// The first bytes of what else is known, at most `N`; unchecked.
    pub(super) fn known<const N: usize>(&self, file: &dyn DiskFile) -> io::Result<Vec<u8>> {
        let mut bytes = [0; N];
        let rows = self.count.saturating_mul(ROW as u64);
        let read = file.read_at(&mut bytes, self.table.saturating_add(rows))?;
        let known = usize::try_from(self.known).unwrap_or(N);
        Ok(bytes[..read.min(known)].to_vec())
    }
}

/// Writes a snapshot, and puts it in place when it is whole and on disk.
pub(crate) struct Draft {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    folder: FolderId,
    mark: Mark,
    pending: Vec<u8>,
    written: u64,
    synced: u64,
    rows: Vec<Row>,
}

impl Draft {
    pub(crate) fn begin(disk: &Arc<dyn Disk>, folder: FolderId, mark: Mark) -> io::Result<Self> {
        disk.create_folder(FOLDER)?;
        disk.sync_folder("")?;
        let path = draft_path();
        match disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        Ok(Self {
            file: disk.create(&path)?,
            disk: Arc::clone(disk),
            folder,
            mark,
            pending: vec![0; HEADER],
            written: 0,
            synced: 0,
            rows: Vec::new(),
        })
    }

    /// Adds a ticket; their numbers must ascend.
    pub(crate) fn add(&mut self, number: Number, record: &[u8]) -> io::Result<()> {
        let length = u32::try_from(record.len());
        let length = length.map_err(|_| io::Error::other("a record is too long"))?;
        self.rows.push(Row {
            number,
            at: self.written + self.pending.len() as u64,
            length,
        });
        self.pending
            .extend(&blake3::hash(record).as_bytes()[..CHECK]);
        self.pending.extend(record);
        match self.pending.len() >= CHUNK {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.pending, self.written)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        if self.written - self.synced >= SYNC_EVERY {
            self.file.sync()?;
            self.synced = self.written;
        }
        Ok(())
    }

    /// Writes the rest, syncs it, gives it its name.
    pub(crate) fn finish(mut self, known: &[u8]) -> io::Result<()> {
        self.flush()?;
        let table = self.written;
        for row in &self.rows {
            self.pending.extend(row.number.to_le_bytes());
            self.pending.extend(row.at.to_le_bytes());
            self.pending.extend(row.length.to_le_bytes());
        }
        self.pending.extend(known);
        let hash = blake3::hash(&self.pending);
        self.pending.extend(hash.as_bytes());
        self.flush()?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend(FORMAT.to_le_bytes());
        header.extend([0; 4]);
        header.extend(self.folder.0);
        header.extend(self.mark.seq.to_le_bytes());
        header.extend(self.mark.position.0.to_le_bytes());
        header.extend(self.mark.hash.0);
        header.extend((self.rows.len() as u64).to_le_bytes());
        header.extend(table.to_le_bytes());
        header.extend((known.len() as u64).to_le_bytes());
        let hash = blake3::hash(&header);
        header.extend(hash.as_bytes());
        self.file.write_at(&header, 0)?;
        self.file.sync()?;
        self.disk.rename(&draft_path(), &path(self.mark.seq))?;
        self.disk.sync_folder(FOLDER)
    }
}

fn draft_path() -> String {
    format!("{FOLDER}/draft")
}

fn read<const N: usize>(file: &dyn DiskFile, at: u64) -> Result<[u8; N], SnapshotError> {
    let mut bytes = [0; N];
    match file.read_at(&mut bytes, at)? == N {
        true => Ok(bytes),
        false => Err(SnapshotError::Damaged),
    }
}

/// `N` bytes from `at` on; the caller knows that they are there.
fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}
