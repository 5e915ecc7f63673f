//! A disk that can be read only, where a test decides what each read sees, or what happens before it.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};

/// What a test puts between a disk and whoever reads it.
pub(crate) trait Between: Send + Sync + Sized + 'static {
    /// What it knows of an open file.
    type File: Send + Sync;

    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    fn open(&self, path: &str) -> io::Result<Self::File>;

    fn len(&self, file: &Self::File) -> io::Result<u64>;

    fn read_at(&self, file: &Self::File, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        refused()
    }
}

/// The disk: whatever would change it is refused.
pub(crate) struct ReadsOf<B>(Arc<B>);

impl<B: Between> ReadsOf<B> {
    pub(crate) fn new(between: B) -> Arc<Self> {
        Arc::new(Self(Arc::new(between)))
    }

    pub(crate) fn between(&self) -> &B {
        &self.0
    }
}

struct FileOf<B: Between> {
    between: Arc<B>,
    file: B::File,
}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl<B: Between> Disk for ReadsOf<B> {
    fn create_folder(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }

    fn create(&self, _: &str) -> io::Result<Arc<dyn DiskFile>> {
        refused()
    }

    fn open(&self, _: &str) -> io::Result<Arc<dyn DiskFile>> {
        refused()
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(FileOf {
            file: self.0.open(path)?,
            between: Arc::clone(&self.0),
        }))
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn lock(&self, _: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.0.lock()
    }
}

impl<B: Between> DiskFile for FileOf<B> {
    fn len(&self) -> io::Result<u64> {
        self.between.len(&self.file)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.between.read_at(&self.file, buffer, at)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        refused()
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn sync(&self) -> io::Result<()> {
        refused()
    }
}
