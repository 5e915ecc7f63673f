//! A disk that runs full, and one that can't be written.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::*;
use crate::disk::{Disk, DiskFile};

/// A real disk with so much room, that can be read only.
#[derive(Clone)]
struct Scarce {
    inner: RealDisk,
    room: Arc<AtomicI64>,
    read_only: Arc<AtomicBool>,
}

impl Scarce {
    fn new(folder: &Path, room: i64) -> Self {
        Self {
            inner: RealDisk::new(folder),
            room: Arc::new(AtomicI64::new(room)),
            read_only: Arc::default(),
        }
    }

    fn writable(&self) -> io::Result<()> {
        match self.read_only.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            false => Ok(()),
        }
    }

    fn of(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let room = Arc::clone(&self.room);
        Arc::new(ScarceFile { file, room })
    }
}

impl Disk for Scarce {
    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.inner.create_folder(folder)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }

    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.writable()?;
        Ok(self.of(self.inner.create(path)?))
    }

    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.writable()?;
        Ok(self.of(self.inner.open(path)?))
    }

    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.inner.open_read(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.writable()?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.writable()?;
        self.inner.remove(path)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.inner.sync_folder(folder)
    }

    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.writable()?;
        self.inner.lock(path)
    }
}

struct ScarceFile {
    file: Arc<dyn DiskFile>,
    room: Arc<AtomicI64>,
}

impl ScarceFile {
    /// Takes what the file grows by.
    fn grow(&self, length: u64) -> io::Result<()> {
        let more = length.saturating_sub(self.file.len()?) as i64;
        let left = |room: i64| (more <= room).then_some(room - more);
        let order = Ordering::Relaxed;
        let taken = self.room.fetch_update(order, order, left);
        taken
            .map(drop)
            .map_err(|_| io::ErrorKind::StorageFull.into())
    }
}

impl DiskFile for ScarceFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.grow(at + bytes.len() as u64)?;
        self.file.write_at(bytes, at)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.grow(length)?;
        self.file.allocate(length)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_when_there_is_room_again_it_goes_on_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let disk = Scarce::new(home.path(), 1 << 20);
    let room = Arc::clone(&disk.room);
    let store = LogStore::open(Arc::new(disk), options(), system_entropy()).unwrap();
    let engine = with(Engine::builder().store(store), &clock, &heard).await;
    let handle = engine.handle();
    let mut kept = BTreeMap::new();
    let refused = loop {
        match open(&handle).await {
            Ok(done) => kept.insert(done.number, done.revision),
            Err(refused) => break refused,
        };
    };
    assert!(kept.len() > 20, "{kept:?}");
    // Nobody is kept waiting meanwhile, and questions are answered.
    for _ in 0..4 {
        let unavailable = |one: &Error| matches!(one, Error::Unavailable(_));
        assert!(unavailable(&refused), "{refused}");
        let again = open(&handle).await.unwrap_err();
        assert!(unavailable(&again), "{again}");
        assert!(again.to_string().contains("full"), "{again}");
        if let Ok(status) = handle.status().await {
            assert!(status.disk_full);
            assert_eq!(holder(&handle, "1").await, "ann");
        }
        clock.forward(Duration::from_secs(7));
    }
    room.fetch_add(64 << 20, Ordering::Relaxed);
    let mut waited = 0;
    while let Err(error) = open(&handle)
        .await
        .map(|done| kept.insert(done.number, done.revision))
    {
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        waited += 1;
        assert!(waited <= 30, "30 s after there is room");
        clock.forward(Duration::from_secs(1));
    }
    clock.forward(minutes(16));
    handle.settled().await.unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.late, status.unsent), (Duration::ZERO, 0));
    assert!(!status.disk_full);
    let full = |one: &Incident| match one {
        Incident::Full { over } => Some(*over),
        _ => None,
    };
    let full: Vec<bool> = heard.lock().unwrap().iter().filter_map(full).collect();
    assert_eq!(full, [false, true], "told once each way");
    assert_eq!(status.tickets, kept.len(), "what was refused is not there");
    engine.stop().await.unwrap();
    let told = Told::read(real(home.path()));
    for (number, revision) in &kept {
        assert!(told.revisions[number] >= *revision, "ticket {number}");
    }
    assert_eq!(told.fired.len(), kept.len(), "each clock once");
    let engine = on(home.path(), &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, kept.len());
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_can_only_be_read_is_not_begun_and_one_that_turns_so_is_told() {
    let home = tempfile::tempdir().unwrap();
    let disk = Scarce::new(home.path(), i64::MAX);
    let read_only = Arc::clone(&disk.read_only);
    let on_it = || LogStore::open(Arc::new(disk.clone()), options(), system_entropy());
    read_only.store(true, Ordering::Relaxed);
    let refused = on_it().err().unwrap();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    read_only.store(false, Ordering::Relaxed);
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let store = on_it().unwrap();
    let engine = with(Engine::builder().store(store), &clock, &heard).await;
    let handle = engine.handle();
    // What is open already goes on until a new file is needed.
    read_only.store(true, Ordering::Relaxed);
    let mut kept = 0;
    while open(&handle).await.is_ok() {
        kept += 1;
    }
    let refused = open(&handle).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    let told = |one: &Incident| matches!(one, Incident::Store { why } if !why.is_empty());
    assert!(heard.lock().unwrap().iter().any(told));
    read_only.store(false, Ordering::Relaxed);
    let mut waited = 0;
    while open(&handle).await.is_err() {
        waited += 1;
        assert!(waited <= 30, "30 s after it can be written again");
        clock.forward(Duration::from_secs(1));
    }
    assert_eq!(handle.status().await.unwrap().tickets, kept + 1);
    engine.stop().await.unwrap();
}
