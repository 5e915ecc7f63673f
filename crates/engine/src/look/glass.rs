//! A disk behind glass: everything can be read, nothing can be changed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{Disk, DiskFile, lock_there};

/// How much of a write is compared at a time with what is there.
const COMPARED: usize = 1 << 16;

/// Reads from a disk. What would change nothing is done by doing nothing: to write the bytes that are there,
/// to sync, to make a folder that is there. Removing does nothing either: at its start a store throws away
/// what nobody needs. Everything else is refused.
pub(super) struct Glass {
    disk: Arc<dyn Disk>,
    read: Arc<AtomicU64>,
}

impl Glass {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            read: Arc::default(),
        }
    }

    /// How many bytes were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

impl Disk for Glass {
    fn create_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Err(refused(path))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_read(path)
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(Pane {
            file: self.disk.open_read(path)?,
            path: path.to_owned(),
            read: Arc::clone(&self.read),
        }))
    }

    fn rename(&self, from: &str, _: &str) -> io::Result<()> {
        Err(refused(from))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Where there is no such file, as in a backup, none is made: nobody has ever had it. On a disk that
    /// can't be written nobody has it open.
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        if !self.disk.list("")?.iter().any(|name| name == path) {
            return Ok(Box::new(()));
        }
        match lock_there(&*self.disk, path) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(Box::new(())),
            other => other,
        }
    }
}

/// A file behind it.
struct Pane {
    file: Arc<dyn DiskFile>,
    path: String,
    read: Arc<AtomicU64>,
}

impl DiskFile for Pane {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let read = self.file.read_at(buffer, at)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut there = [0; COMPARED];
        let mut at = at;
        for part in bytes.chunks(COMPARED) {
            let there = &mut there[..part.len()];
            if self.file.read_at(there, at)? != part.len() || there != part {
                return Err(refused(&self.path));
            }
            at += part.len() as u64;
        }
        Ok(())
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        match self.len()? >= length {
            true => Ok(()),
            false => Err(refused(&self.path)),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        match self.len()? == length {
            true => Ok(()),
            false => Err(refused(&self.path)),
        }
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn refused(path: &str) -> io::Error {
    let text = format!("{path:?} is only looked at, and not changed");
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, text)
}
