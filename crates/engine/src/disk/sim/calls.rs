//! A simulated disk as the engine calls it.

use std::io;
use std::sync::Arc;

use super::file::{Handle, SimFile};
use super::{Inner, Last, SimDisk, named};
use crate::disk::{Disk, DiskFile};

impl SimDisk {
    fn open_file(&self, path: &str, read_only: bool) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.lock();
        inner.read(self.life)?;
        let id = inner.names.open(path)?;
        Ok(self.handle(id, path, read_only))
    }

    fn handle(&self, id: u64, path: &str, read_only: bool) -> Arc<dyn DiskFile> {
        Arc::new(Handle {
            disk: self.clone(),
            id,
            path: path.to_owned(),
            read_only,
        })
    }
}

impl Disk for SimDisk {
    fn create_folder(&self, folder: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let act = |inner: &mut Inner| inner.names.create_folder(folder);
        inner
            .whole(self.life, act)
            .map_err(named("create folder", folder))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut inner = self.lock();
        let read = inner.read(self.life);
        read.and_then(|()| inner.names.list(folder))
            .map_err(named("list", folder))
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.lock();
        let id = inner.next_file;
        let act = |inner: &mut Inner| {
            inner.names.create(path, id)?;
            inner.next_file += 1;
            inner.files.insert(id, SimFile::default());
            inner.last = Some(Last::Name);
            Ok(())
        };
        inner.whole(self.life, act).map_err(named("create", path))?;
        Ok(self.handle(id, path, false))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_file(path, false).map_err(named("open", path))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_file(path, true).map_err(named("open", path))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let act = |inner: &mut Inner| {
            inner.names.rename(from, to)?;
            inner.last = Some(Last::Name);
            inner.count_used();
            Ok(())
        };
        inner.whole(self.life, act).map_err(named("rename", from))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut inner = self.lock();
        let act = |inner: &mut Inner| {
            inner.names.remove(path)?;
            inner.last = Some(Last::Name);
            inner.count_used();
            Ok(())
        };
        inner.whole(self.life, act).map_err(named("remove", path))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.syncs += 1;
        // The names stay as they were, to be synced again: a file system whose own journal fails stops.
        let act = |inner: &mut Inner| inner.names.sync(folder);
        inner
            .whole(self.life, act)
            .map_err(named("sync folder", folder))
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let mut inner = self.lock();
        inner.alive(self.life).map_err(named("lock", path))?;
        if !inner.locks.insert(path.to_owned()) {
            let taken = io::Error::new(io::ErrorKind::WouldBlock, "another process has it");
            return Err(named("lock", path)(taken));
        }
        Ok(Box::new(Locked {
            disk: self.clone(),
            path: path.to_owned(),
        }))
    }
}

/// A lock that is free again when this is dropped.
struct Locked {
    disk: SimDisk,
    path: String,
}

impl Drop for Locked {
    fn drop(&mut self) {
        let mut inner = self.disk.lock();
        // A power cut has freed it, and somebody else may have it by now.
        if inner.life == self.disk.life {
            inner.locks.remove(&self.path);
        }
    }
}
