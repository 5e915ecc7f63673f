//! The index against the journal.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::look::{LOCK, is_refused};
use crate::disk::{Disk, RealDisk, lock_there};
use crate::index::{Index, IndexError, IndexOptions, Verified};
use crate::journal::{JournalError, JournalReader};

/// Tickets that are compared at once: 1 to 4 KiB of memory each. The journal is read once for each so many.
const AT_ONCE: u64 = 100_000;

/// What became of comparing an index with its journal.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexCheck {
    /// There is none: the next start builds it.
    None,
    /// An engine has the folder open, and keeps the index itself.
    InUse,
    /// The folder can't be written, so that no engine can start on it, and the index can't be opened.
    ReadOnly,
    /// It is damaged: the next start builds it anew. Nothing is lost.
    Damaged(String),
    /// Its last commit is none of the journal's, although that is whole: it was built from another history of
    /// this folder. It has to be removed, and nothing is lost by that.
    OtherHistory,
    /// It could not be compared.
    Failed(String),
    /// It was compared; up to its last commit, since the next start goes on from there.
    Compared(Verified),
}

/// Whether an index seeks a commit where a journal that is whole has none.
pub(super) const fn is_of_another_history(error: &IndexError) -> bool {
    matches!(error, IndexError::Journal(JournalError::Damaged(_)))
}

/// Compares the index of a data folder with what its journal says, which must be whole. Nothing in the folder
/// is changed but what sled itself does to its files when it opens them. `tell` is told how many of how many
/// commits were read.
///
/// # Errors
/// [`JournalError`] if the journal can't be read.
pub fn compare_index(
    folder: &Path,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<IndexCheck, JournalError> {
    if !folder.join("index").exists() {
        return Ok(IndexCheck::None);
    }
    compare(folder, Arc::new(RealDisk::new(folder)), tell)
}

pub(super) fn compare(
    folder: &Path,
    disk: Arc<dyn Disk>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<IndexCheck, JournalError> {
    let _lock = match lock_there(&*disk, LOCK) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(IndexCheck::InUse),
        Err(error) if is_refused(error.kind()) => return Ok(IndexCheck::ReadOnly),
        Err(error) => return Ok(IndexCheck::Failed(error.to_string())),
        Ok(lock) => lock,
    };
    let reader = JournalReader::open(disk, None)?;
    let index = Index::in_folder(folder.join("index"), IndexOptions::default());
    let compared = index
        .open_as_it_is(&reader)
        .and_then(|_| index.verify(&reader, AT_ONCE, tell));
    match compared {
        Ok(verified) => Ok(IndexCheck::Compared(verified)),
        Err(IndexError::Broken(why)) => Ok(IndexCheck::Damaged(why)),
        Err(error) if is_of_another_history(&error) => Ok(IndexCheck::OtherHistory),
        Err(IndexError::Journal(error)) => Err(error),
        Err(other) => Ok(IndexCheck::Failed(other.to_string())),
    }
}
