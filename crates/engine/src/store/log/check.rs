//! Whether a data folder, or a copy of one, has all that a start needs.

use std::io;
use std::sync::Arc;

use super::base;
use super::snapshot::{self, Snapshot, SnapshotError};
use crate::disk::Disk;
use crate::journal::{self, Base, FolderId, JournalReader, Mark, Unread};
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
fn newest(disk: &dyn Disk, folder: FolderId) -> io::Result<Option<Snapshot>> {
    for (seq, path) in files(disk)? {
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

/// The newest snapshot that is whole, as far as they can be read, and the newest base; of all others that are
/// newer and can't be read, which and why.
pub(crate) struct Readable {
    pub(crate) newest: Option<Snapshot>,
    pub(crate) base: Option<Base>,
    pub(crate) unread: Vec<Unread>,
}

impl Readable {
    pub(crate) fn of(disk: &dyn Disk, folder: FolderId) -> Self {
        let mut found = Self {
            newest: None,
            base: None,
            unread: Vec::new(),
        };
        let all = match files(disk) {
            Ok(all) => all,
            Err(error) => {
                found.unread.push(Unread::folder(snapshot::FOLDER, &error));
                return found;
            }
        };
        for (seq, path) in all {
            let is_base = path == base::path_of(seq);
            if found.newest.is_some() && (!is_base || found.base.is_some()) {
                continue;
            }
            match Snapshot::open_at(disk, folder, seq, &path) {
                Ok(snapshot) => {
                    if is_base && found.base.is_none() {
                        found.base = base::of(&snapshot).ok();
                    }
                    found.newest.get_or_insert(snapshot);
                }
                // An engine at work removes old ones; one that is still listed is a link that leads nowhere.
                Err(SnapshotError::Io(error))
                    if error.kind() != io::ErrorKind::NotFound || is_listed(disk, &path) =>
                {
                    found.unread.push(Unread::file(&path, &error));
                }
                Err(_) => (),
            }
        }
        found
    }

    /// The commit of the newest snapshot. The journal must have it: it is made of what was committed.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.newest.as_ref().map(|newest| newest.mark)
    }
}

fn is_listed(disk: &dyn Disk, path: &str) -> bool {
    let files = files(disk).unwrap_or_default();
    files.iter().any(|(_, one)| one == path)
}

/// All snapshots, those too with which a journal begins, newest first.
fn files(disk: &dyn Disk) -> io::Result<Vec<(u64, String)>> {
    let snapshots = snapshot::list(disk)?.into_iter();
    let bases = base::list(disk)?.into_iter();
    let snapshots = snapshots.map(|seq| (seq, snapshot::path(seq)));
    let bases = bases.map(|seq| (seq, base::path_of(seq)));
    let mut all: Vec<(u64, String)> = snapshots.chain(bases).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all)
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
    let newest = Readable::of(&**disk, folder).newest;
    let last = reader.ok();
    last.and_then(|reader| last_key(&reader, newest.as_ref()))
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
    if let Some(unread) = report.unread.first() {
        return Err(failed(io::Error::other(unread.why.clone())));
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
