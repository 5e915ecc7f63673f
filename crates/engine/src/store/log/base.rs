//! Where a journal begins whose older segments were removed: a snapshot, kept for that.
//!
//! It has the name `snapshots/<number of the frame, 20 digits>.base`, and was made like the others. What it
//! says of the tickets that were open then takes the place of all that is gone: the index is built from it,
//! a history ends at it, and the journal's chain is held against the hash in it. **It has its name, on disk,
//! before the first segment is removed**; so a journal without a beginning and without a base is damaged.

use std::io;

use super::snapshot::{Header, Snapshot, SnapshotError, list_of, path};
use crate::disk::Disk;
use crate::journal::{Base, FolderId};
use crate::record::{self, Millis};

/// The end of the name.
const END: &str = ".base";
/// More bytes than the beginning of what a snapshot knows takes, up to its time.
const PREFIX: usize = 32;

/// The path of the base at this frame.
pub(crate) fn path_of(seq: u64) -> String {
    path(seq).replace(".snap", END)
}

/// Whether this is the path of one.
pub(crate) fn is_path(path: &str) -> bool {
    path.ends_with(END)
}

/// The numbers of the frames of which there are bases, newest first: one, or two if the older one could not
/// be removed.
pub(crate) fn list(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    list_of(disk, END)
}

/// Opens a base.
pub(crate) fn open(disk: &dyn Disk, folder: FolderId, seq: u64) -> Result<Snapshot, SnapshotError> {
    Snapshot::open_at(disk, folder, seq, &path_of(seq))
}

/// The newest base that is whole, as far as its records need not be read for that.
pub(crate) fn find(disk: &dyn Disk, folder: FolderId) -> io::Result<Option<Base>> {
    for seq in list(disk)? {
        match open(disk, folder, seq).and_then(|snapshot| of(&snapshot)) {
            Ok(base) => return Ok(Some(base)),
            Err(SnapshotError::Damaged | SnapshotError::Format(_)) => (),
            // An engine at work removes it when a newer one is in its place.
            Err(SnapshotError::Io(error)) if error.kind() == io::ErrorKind::NotFound => (),
            Err(SnapshotError::Io(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Commit and time of a snapshot.
pub(super) fn of(snapshot: &Snapshot) -> Result<Base, SnapshotError> {
    Ok(Base {
        mark: snapshot.mark,
        at: time(&snapshot.known)?,
    })
}

/// Commit and time of the snapshot at a frame, of which only a few bytes are read and nothing is believed
/// that matters.
pub(super) fn peek(disk: &dyn Disk, folder: FolderId, seq: u64) -> Result<Base, SnapshotError> {
    let file = disk.open_read(&path(seq))?;
    let header = Header::read(&*file, folder)?;
    Ok(Base {
        mark: header.mark,
        at: time(&header.known::<PREFIX>(&*file)?)?,
    })
}

/// The time in what a snapshot knows: of [`Recovered`](crate::store::Recovered) the second field.
fn time(known: &[u8]) -> Result<Millis, SnapshotError> {
    let fields: Result<(u64, Millis), _> = record::decode(known);
    fields.map(|(_, at)| at).map_err(|_| SnapshotError::Damaged)
}
