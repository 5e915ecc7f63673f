//! The last commit that was acknowledged, in a file beside the journal: by it a journal that was cut cleanly,
//! taken away or put back from an older copy is found by whoever has the folder alone.
//!
//! The file `head` has two slots of one sector, which commits write in turn: a line of text with the commit's
//! [`Mark`] and a check of it, then zeros. It is written behind the commit's sync and is not synced itself,
//! so that it costs no commit anything; after a power cut it may say an older commit, or nothing, and never
//! one that the journal does not have.
//!
//! An index keeps such a file of its own, so that it is a witness too if it alone was not put back.

use std::sync::Arc;

use crate::disk::{Disk, DiskFile, SECTOR};
use crate::journal::{FolderId, Mark};

/// The file.
pub(crate) const FILE: &str = "head";

/// The index's, in its folder.
pub(crate) const REACHED: &str = "reached";

/// Writes it. What can't be written is passed over: it is one more witness, and the journal needs none.
pub(crate) struct Head {
    folder: FolderId,
    file: Option<Arc<dyn DiskFile>>,
}

impl Head {
    /// Opens the file, or makes it.
    pub(crate) fn open(disk: &dyn Disk, path: &str, folder: FolderId) -> Self {
        let file = disk.open(path).or_else(|_| disk.create(path));
        let file = file.ok();
        Self { folder, file }
    }

    /// The commit was acknowledged, or taken in.
    pub(crate) fn note(&self, mark: &Mark) {
        let Some(file) = &self.file else {
            return;
        };
        let mut slot = [0; SECTOR];
        let text = mark.to_string();
        let line = format!("{text} {}\n", check(self.folder, &text));
        slot[..line.len()].copy_from_slice(line.as_bytes());
        let _ = file.write_at(&slot, mark.seq % 2 * SECTOR as u64);
    }
}

/// The last commit that it or the index knows of. `None`: there are no such files, or they can't be read.
pub(crate) fn read(disk: &dyn Disk, folder: FolderId) -> Option<Mark> {
    let reached = format!("index/{REACHED}");
    let both = [FILE, &reached].map(|path| read_one(disk, path, folder));
    both.into_iter().flatten().max_by_key(|mark| mark.seq)
}

fn read_one(disk: &dyn Disk, path: &str, folder: FolderId) -> Option<Mark> {
    let mut bytes = [0; 2 * SECTOR];
    let read = disk.open_read(path).ok()?.read_at(&mut bytes, 0).ok()?;
    let slots = bytes[..read].chunks(SECTOR);
    let marks = slots.filter_map(|slot| parse(folder, slot));
    marks.max_by_key(|mark| mark.seq)
}

fn parse(folder: FolderId, slot: &[u8]) -> Option<Mark> {
    let end = slot.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&slot[..end]).ok()?;
    let (text, sum) = line.split_once(' ')?;
    if sum != check(folder, text) {
        return None;
    }
    text.parse().ok()
}

/// Of another folder's it is another one.
fn check(folder: FolderId, text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&folder.0).update(text.as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}
