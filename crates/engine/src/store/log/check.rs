//! Whether a data folder, or a copy of one, has all that a start needs.

use std::io;
use std::sync::Arc;

use super::base;
use super::snapshot::{self, Snapshot, SnapshotError};
use crate::disk::Disk;
use crate::journal::{self, FolderId, JournalReader, Mark};
use crate::record::{self, Commit, Entry};
use crate::store::{Recovered, StoreError};
use crate::vault;

/// The newest snapshot that is whole, of those of frames before `below`.
pub(super) fn newest_below(
    disk: &dyn Disk,
    folder: FolderId,
    below: u64,
) -> Result<Option<Snapshot>, StoreError> {
    let failed = super::io("looking for snapshots");
    let bases = base::list(disk).map_err(&failed)?;
    let mut list = snapshot::list(disk).map_err(&failed)?;
    list.extend(&bases);
    list.sort_unstable_by(|a, b| b.cmp(a));
    for seq in list.into_iter().filter(|seq| *seq < below) {
        let opened = match bases.contains(&seq) {
            true => base::open(disk, folder, seq),
            false => Snapshot::open(disk, folder, seq),
        };
        match opened {
            Ok(snapshot) => return Ok(Some(snapshot)),
            Err(SnapshotError::Damaged | SnapshotError::Format(_)) => (),
            Err(SnapshotError::Io(source)) => return Err(super::io("reading a snapshot")(source)),
        }
    }
    Ok(None)
}

/// The newest snapshot that a start would use: one of the journal's beginning is one too.
pub(crate) fn newest(disk: &dyn Disk, folder: FolderId) -> io::Result<Option<Snapshot>> {
    let snapshots = snapshot::list(disk)?.into_iter();
    let bases = base::list(disk)?.into_iter();
    let snapshots = snapshots.map(|seq| (seq, snapshot::path(seq)));
    let bases = bases.map(|seq| (seq, base::path_of(seq)));
    let mut all: Vec<(u64, String)> = snapshots.chain(bases).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    for (seq, path) in all {
        match Snapshot::open_at(disk, folder, seq, &path) {
            Ok(snapshot) => return Ok(Some(snapshot)),
            // An engine at work removes old ones.
            Err(SnapshotError::Io(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            Err(_) => (),
        }
    }
    Ok(None)
}

/// The commit of the newest snapshot. The journal must have it: a snapshot is made of what was committed.
pub(crate) fn newest_mark(disk: &dyn Disk, folder: FolderId) -> io::Result<Option<Mark>> {
    Ok(newest(disk, folder)?.map(|newest| newest.mark))
}

/// The last key that a ticket has, by what a start would read: the newest snapshot, and the journal from
/// there. `None`: these can't be read.
pub(crate) fn last_key(reader: &JournalReader, newest: Option<&Snapshot>) -> Option<u32> {
    let known = newest.map(|newest| record::decode(&newest.known));
    let known: Recovered = known.transpose().ok()?.unwrap_or_default();
    let mut last = known.next_key.saturating_sub(1);
    let from = newest.map_or(1, |newest| newest.mark.seq + 1);
    let mut scan = reader.scan_from(from).ok()?;
    while let Ok(Some(frame)) = scan.next_frame() {
        let Ok(commit) = record::decode::<Commit>(&frame.payload) else {
            break;
        };
        for entry in commit.entries {
            if let Entry::Moved(moved) = entry {
                last = last.max(moved.key);
            }
        }
    }
    Some(last)
}

/// The last key that a ticket of a folder has; 0 if that can't be read.
pub(crate) fn last_key_in(disk: &Arc<dyn Disk>, folder: FolderId) -> u32 {
    let reader = JournalReader::open(Arc::clone(disk), Some(folder));
    let newest = newest(&**disk, folder);
    let last = reader.ok().zip(newest.ok());
    last.and_then(|(reader, newest)| last_key(&reader, newest.as_ref()))
        .unwrap_or(0)
}

/// Looks whether a copy is whole: its journal up to `head` and no less than its newest snapshot says, and
/// the keys of all its tickets. `reader` reads the same journal, or the one that it was copied from.
pub(super) fn copy(
    disk: &dyn Disk,
    folder: FolderId,
    reader: &JournalReader,
    head: Option<&Mark>,
) -> Result<(), StoreError> {
    let failed = super::io("checking the copy");
    let report = journal::verify(disk, Some(folder), head, &mut |_| ())?;
    if let Some(damage) = report.damage.first() {
        let places = report.damage.len() as u64 + report.more;
        return Err(StoreError::Damaged(format!(
            "the journal is not whole, in {places} places; the first: {damage}"
        )));
    }
    if report.last.as_ref() != head {
        return Err(StoreError::Damaged(
            "the copy of the journal does not end where the journal does".into(),
        ));
    }
    let newest = newest(disk, folder).map_err(&failed)?;
    let last = last_key(reader, newest.as_ref()).unwrap_or(0);
    let (files, wrong) = vault::examine(disk, folder.0, last).map_err(&failed)?;
    if let Some((_, wrong)) = wrong.first() {
        return Err(StoreError::Damaged(wrong.to_string()));
    }
    if head.is_none() && files > 0 {
        return Err(StoreError::Damaged(
            "there are tickets' keys, but the journal is missing: put it back".into(),
        ));
    }
    Ok(())
}
