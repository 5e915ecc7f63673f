//! The files of one data folder, as the engine uses them: few operations, each with a stated meaning after a
//! crash, so that a simulated disk ([`sim::SimDisk`]) can be put in the place of the real one ([`RealDisk`]).

use std::io;
use std::sync::Arc;

mod real;
pub mod sim;
#[cfg(test)]
mod tests;

pub use real::RealDisk;
pub(crate) use real::is_in_the_way;

/// What a disk writes whole or not at all, in bytes.
pub const SECTOR: usize = 512;

/// The files below one folder. Paths are relative to it, with `/` between names; `""` is the folder itself. A
/// path that leads out of it is [`io::ErrorKind::InvalidInput`].
///
/// Errors are the system's, and their text begins with the operation and the file's path, so that whoever
/// passes them on need not add them.
///
/// What survives a power cut: the bytes of a file that were written before its last [`DiskFile::sync`]
/// returned, and the names that were there when [`Disk::sync_folder`] of their folder returned. Everything
/// newer may be there, be missing, or be there in part, in any order.
pub trait Disk: Send + Sync {
    /// Makes a folder, and those above it, if they are not there. Needs [`Disk::sync_folder`] of the folder
    /// above each.
    ///
    /// # Errors
    /// The system's.
    fn create_folder(&self, folder: &str) -> io::Result<()>;

    /// Names of the files and folders in `folder`, sorted.
    ///
    /// # Errors
    /// The system's; a folder that is not there is [`io::ErrorKind::NotFound`].
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a new, empty file for reading and writing. Needs [`Disk::sync_folder`] of its folder.
    ///
    /// # Errors
    /// The system's; a file that is there is [`io::ErrorKind::AlreadyExists`].
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// The system's; a file that is not there is [`io::ErrorKind::NotFound`].
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading only; works on a read-only file system.
    ///
    /// # Errors
    /// As [`Disk::open`].
    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name in the place of whatever has that name. Needs [`Disk::sync_folder`].
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file, or a folder with all that is in it. Needs [`Disk::sync_folder`] of the folder above.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder survive a power cut.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// Keeps every other process out until the answer is dropped: by [`Disk::lock_folder`], and by a lock on
    /// this file, which is made if it is not there.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if somebody has it.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>>;

    /// Keeps every other process out by a lock on the folder itself, without any file: whoever removes or
    /// replaces files in it takes nobody's lock away. Where there are no such locks it is given to all.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if somebody has it.
    fn lock_folder(&self) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }

    /// Which file stands at `path`. `None` on a disk whose files can't be moved from outside.
    ///
    /// # Errors
    /// The system's; a file that is not there is [`io::ErrorKind::NotFound`].
    fn id(&self, path: &str) -> io::Result<Option<FileId>> {
        let _ = path;
        Ok(None)
    }
}

/// What tells an open file from all others of the machine, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    /// The device.
    pub device: u64,
    /// The file's number on it.
    pub number: u64,
}

/// Takes the lock of a folder, without making a file for it, be it only where a link leads.
pub(crate) fn lock_there(disk: &dyn Disk, path: &str) -> io::Result<Box<dyn Send + Sync>> {
    let listed = disk.list("")?.iter().any(|name| name == path);
    match disk.open_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && listed => Err(error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.lock_folder(),
        _ => disk.lock(path),
    }
}

/// One open file. Writes go to a stated place, so that nothing depends on a cursor.
pub trait DiskFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system's.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// The system's.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` from `at` on; fewer bytes only at the file's end.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `at`. After an error any part of them may be written.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Reserves room up to `length`, reading as zeros: later writes within it need no more space. A sync of
    /// what is then written is only cheaper if the room has been written before (on ext4 the first write of
    /// reserved room changes the file's extents, which costs as much as growing it): see
    /// `docs/journal-format.md`.
    ///
    /// # Errors
    /// The system's; a full disk is [`io::ErrorKind::StorageFull`].
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros that are not reserved.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Makes everything written so far survive a power cut. **An error is final**: what was written may be
    /// lost although a later sync succeeds, so the file must not be written to again.
    ///
    /// # Errors
    /// The system's.
    fn sync(&self) -> io::Result<()>;

    /// Which file it is; see [`Disk::id`].
    ///
    /// # Errors
    /// The system's.
    fn id(&self) -> io::Result<Option<FileId>> {
        Ok(None)
    }
}
