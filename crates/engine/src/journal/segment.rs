//! Segments: their names, their headers, and which of them there are.

use std::io;
use std::sync::Arc;

use super::error::{Damage, Flaw, JournalError};
use super::frame::field;
use super::mark::{FolderId, Hash};
use super::{FOLDER, FORMAT};
use crate::disk::{Disk, DiskFile};

/// Bytes before the first frame: a sector of their own, which is never written again.
pub(super) const HEADER: u64 = 512;
const CHECKED: usize = 480;
/// The first byte is no text, so that no tool takes the file for one.
const MAGIC: [u8; 8] = *b"\x89UPLJRN\n";
/// The oldest format that can be read.
const OLDEST: u32 = 1;

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) folder: FolderId,
    /// The number of its first frame.
    pub(super) first: u64,
    /// The position of its first frame.
    pub(super) position: u64,
    /// The hash of the frame before that.
    pub(super) before: Hash,
    /// The length that the file was made with.
    pub(super) length: u64,
}

pub(super) fn path(first: u64) -> String {
    format!("{FOLDER}/{first:020}.log")
}

/// The number in a segment's name.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// What is being made and has no name yet, or was when the power went.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.ends_with(".tmp")
}

impl Segment {
    pub(super) fn path(&self) -> String {
        path(self.first)
    }

    /// Where in the file the frame at `position` begins.
    pub(super) fn offset(&self, position: u64) -> u64 {
        HEADER + position.saturating_sub(self.position)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(512_u32.to_le_bytes());
        bytes.extend(self.folder.0);
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.position.to_le_bytes());
        bytes.extend(self.before.0);
        bytes.extend(self.length.to_le_bytes());
        bytes.resize(CHECKED, 0);
        let check = blake3::hash(&bytes);
        bytes.extend(check.as_bytes());
        bytes
    }

    /// Reads a header. Magic, format and check are at the same place in every format.
    fn decode(bytes: &[u8]) -> Result<Self, Unread> {
        if bytes.len() < 512 || field(bytes, 0) != MAGIC {
            return Err(Unread::Flaw(Flaw::Header));
        }
        if blake3::hash(&bytes[..CHECKED]) != field(bytes, CHECKED) {
            return Err(Unread::Flaw(Flaw::Header));
        }
        match u32::from_le_bytes(field(bytes, 8)) {
            OLDEST..=FORMAT => (),
            found => return Err(Unread::Format(found)),
        }
        Ok(Self {
            folder: FolderId(field(bytes, 16)),
            first: u64::from_le_bytes(field(bytes, 32)),
            position: u64::from_le_bytes(field(bytes, 40)),
            before: Hash(field(bytes, 48)),
            length: u64::from_le_bytes(field(bytes, 80)),
        })
    }
}

enum Unread {
    Flaw(Flaw),
    Format(u32),
}

/// The names in the journal's folder; none if it is not there.
pub(super) fn names(disk: &dyn Disk, doing: &'static str) -> Result<Vec<String>, JournalError> {
    match disk.list(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(JournalError::io(doing)),
    }
}

/// The numbers of the segments that there are, in order.
pub(super) fn numbers(names: &[String]) -> Vec<u64> {
    names.iter().filter_map(|name| number(name)).collect()
}

/// Opens a segment for reading and reads its header.
pub(super) fn open(
    disk: &dyn Disk,
    first: u64,
    folder: Option<FolderId>,
    doing: &'static str,
) -> Result<(Segment, Arc<dyn DiskFile>), JournalError> {
    let path = path(first);
    let file = disk.open_read(&path).map_err(JournalError::io(doing))?;
    let mut bytes = [0; 512];
    let count = file
        .read_at(&mut bytes, 0)
        .map_err(JournalError::io(doing))?;
    let damaged = |flaw| {
        let seq = first;
        Err(JournalError::from(Damage {
            path: path.clone(),
            offset: 0,
            seq,
            flaw,
        }))
    };
    let segment = match Segment::decode(&bytes[..count]) {
        Ok(segment) => segment,
        Err(Unread::Flaw(flaw)) => return damaged(flaw),
        Err(Unread::Format(found)) if found < OLDEST => {
            return Err(JournalError::Older { path, found });
        }
        Err(Unread::Format(found)) => return Err(JournalError::Newer { path, found }),
    };
    if let Some(expected) = folder.filter(|folder| *folder != segment.folder) {
        let found = segment.folder;
        return damaged(Flaw::Foreign { found, expected });
    }
    if segment.first != first {
        return damaged(Flaw::Name {
            named: first,
            first: segment.first,
        });
    }
    Ok((segment, file))
}
