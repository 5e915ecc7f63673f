//! The operating system's files.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{Disk, DiskFile, FileId};

/// Rights of new files: the owner writes, his group may read (backups), nobody else sees people's tickets.
const FILE_MODE: u32 = 0o640;
/// Rights of new folders.
const FOLDER_MODE: u32 = 0o750;
/// Bytes written at once where a file system can't reserve room and zeros have to be written.
const ZEROS: usize = 1 << 16;

/// A folder of the operating system.
///
/// It must be on a local file system: one that answers a sync before the device has the data (most network
/// file systems, a disk that lies about flushes) voids every promise made on top of it.
///
/// ```
/// use upline::disk::{Disk, RealDisk};
///
/// let folder = std::env::temp_dir().join(format!("upline-disk-example-{}", std::process::id()));
/// let disk = RealDisk::new(&folder);
/// disk.create_folder("journal")?;
/// let file = disk.create("journal/notes")?;
/// file.write_at(b"kept", 0)?;
/// file.sync()?;
/// disk.sync_folder("journal")?;
/// assert_eq!(disk.list("journal")?, ["notes"]);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// The disk below `root`, which need not be there yet: `create_folder("")` makes it.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn resolve(&self, operation: &'static str, path: &str) -> io::Result<PathBuf> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if inside {
            Ok(self.root.join(path))
        } else {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "leads out of the data folder");
            Err(named(operation, Path::new(path), error))
        }
    }

    fn opened(
        &self,
        operation: &'static str,
        path: &str,
        options: &OpenOptions,
    ) -> io::Result<(File, PathBuf)> {
        let path = self.resolve(operation, path)?;
        match options.open(&path) {
            Ok(file) => Ok((file, path)),
            Err(error) => Err(named(operation, &path, error)),
        }
    }

    fn file(
        &self,
        operation: &'static str,
        path: &str,
        options: &mut OpenOptions,
    ) -> io::Result<Arc<dyn DiskFile>> {
        // Opening a pipe that nobody writes to would wait for ever; of a file it means nothing.
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        let options = options.custom_flags(flags.cast_signed());
        let (file, path) = self.opened(operation, path, options)?;
        let data = file.metadata();
        match data.map(|data| data.is_file()) {
            Ok(true) => Ok(Arc::new(RealFile { file, path })),
            Ok(false) => Err(named(operation, &path, io::Error::other(NoFile))),
            Err(error) => Err(named(operation, &path, error)),
        }
    }
}

impl Disk for RealDisk {
    fn create_folder(&self, folder: &str) -> io::Result<()> {
        let path = self.resolve("create folder", folder)?;
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(FOLDER_MODE);
        builder
            .create(&path)
            .map_err(|error| named("create folder", &path, error))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let path = self.resolve("list", folder)?;
        let fail = |error| named("list", &path, error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            // We only make names of ASCII; a foreign one is shown as well as it can be.
            names.push(name.to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        self.file("create", path, options.mode(FILE_MODE))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.file("open", path, OpenOptions::new().read(true).write(true))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.file("open", path, OpenOptions::new().read(true))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.resolve("rename", from)?, self.resolve("rename", to)?);
        std::fs::rename(&from, &to).map_err(|error| named("rename", &from, error))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.resolve("remove", path)?;
        let fail = |error| named("remove", &path, error);
        if std::fs::symlink_metadata(&path).map_err(fail)?.is_dir() {
            std::fs::remove_dir_all(&path).map_err(fail)
        } else {
            std::fs::remove_file(&path).map_err(fail)
        }
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let (file, path) = self.opened("sync folder", folder, OpenOptions::new().read(true))?;
        file.sync_all()
            .map_err(|error| named("sync folder", &path, error))
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        let folder = self.lock_folder()?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let (file, path) = self.opened("lock", path, options.mode(FILE_MODE))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new((RealLock(file), folder))),
            Err(TryLockError::WouldBlock) => Err(taken(&path)),
            Err(TryLockError::Error(error)) => Err(named("lock", &path, error)),
        }
    }

    fn lock_folder(&self) -> io::Result<Box<dyn Send + Sync>> {
        let file = File::open(&self.root).map_err(|error| named("lock", &self.root, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock(file))),
            Err(TryLockError::WouldBlock) => Err(taken(&self.root)),
            // Some file systems lock no folders: there the file has to do.
            Err(TryLockError::Error(_)) => Ok(Box::new(())),
        }
    }

    fn id(&self, path: &str) -> io::Result<Option<FileId>> {
        let path = self.resolve("look at", path)?;
        match std::fs::metadata(&path) {
            Ok(data) => Ok(Some(id_of(&data))),
            Err(error) => Err(named("look at", &path, error)),
        }
    }
}

fn taken(path: &Path) -> io::Error {
    let error = io::Error::new(io::ErrorKind::WouldBlock, "another process has it");
    named("lock", path, error)
}

fn id_of(data: &std::fs::Metadata) -> FileId {
    let (device, number) = (data.dev(), data.ino());
    FileId { device, number }
}

/// The system frees the lock of a process that ends, also by a kill. While it lives, closing the file would
/// not be enough: a child that is just being started has a copy of it until it runs its own program.
struct RealLock(File);

impl Drop for RealLock {
    fn drop(&mut self) {
        // What fails here is freed when the file is closed.
        let _ = self.0.unlock();
    }
}

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

impl RealFile {
    fn named(&self, operation: &'static str, error: io::Error) -> io::Error {
        named(operation, &self.path, error)
    }
}

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        let data = self.file.metadata();
        data.map(|data| data.len())
            .map_err(|error| self.named("measure", error))
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(self.named("read", error)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file
            .write_all_at(bytes, at)
            .map_err(|error| self.named("write", error))
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        let had = self.len()?;
        if had >= length {
            return Ok(());
        }
        let flags = rustix::fs::FallocateFlags::empty();
        match rustix::fs::fallocate(&self.file, flags, 0, length) {
            Ok(()) => Ok(()),
            // Some file systems (ZFS, older FUSE) can't reserve: then zeros that are written are the room.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                let zeros = vec![0; ZEROS];
                let mut at = had;
                while at < length {
                    let count = (length - at).min(ZEROS as u64);
                    self.write_at(&zeros[..usize::try_from(count).unwrap_or(ZEROS)], at)?;
                    at += count;
                }
                Ok(())
            }
            Err(error) => Err(self.named("reserve room for", error.into())),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file
            .set_len(length)
            .map_err(|error| self.named("cut", error))
    }

    fn sync(&self) -> io::Result<()> {
        self.file
            .sync_data()
            .map_err(|error| self.named("sync", error))
    }

    fn id(&self) -> io::Result<Option<FileId>> {
        let data = self.file.metadata();
        let data = data.map_err(|error| self.named("look at", error))?;
        Ok(Some(id_of(&data)))
    }
}

/// A pipe, a device, a folder in the place of a file.
#[derive(Debug, thiserror::Error)]
#[error("it is no file")]
struct NoFile;

/// Whether an error says that something is in the way of looking at a file or a folder: it may not be read,
/// or is none. Of what is in it nothing is known then, and nothing says that it is damaged. (A file that was
/// listed and is not found is a link that leads nowhere.)
pub(crate) fn is_in_the_way(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let named = error.get_ref().and_then(|inner| inner.downcast_ref());
    let error = named.map_or(error, |named: &Named| &named.error);
    if error.get_ref().is_some_and(|inner| inner.is::<NoFile>()) {
        return true;
    }
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::NXIO | Errno::MFILE | Errno::NFILE | Errno::PERM) => true,
        _ => matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotFound
        ),
    }
}

/// An error that says what was done to which file, and keeps its kind.
#[derive(Debug)]
struct Named {
    operation: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.operation,
            self.path.display(),
            self.error
        )
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn named(operation: &'static str, path: &Path, error: io::Error) -> io::Error {
    let named = Named {
        operation,
        path: path.to_owned(),
        error,
    };
    io::Error::new(named.error.kind(), named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_free_again_although_a_copy_of_its_file_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        let copy = file.try_clone().unwrap();
        let disk = RealDisk::new(folder.path());
        assert!(disk.lock("lock").is_err());
        drop(RealLock(file));
        assert!(disk.lock("lock").is_ok());
        drop(copy);
    }
}
