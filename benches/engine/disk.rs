//! What the disk pays: bytes written and kept for each transition, and syncs for each command.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use upline::disk::{Disk, DiskFile, RealDisk};
use upline::store::{LogOptions, LogStore};
use upline::vault::system_entropy;

use crate::kit::{QUARTER, Scale, act, builder, everybody, folder, open, remove, size, written};

pub(crate) async fn run(scale: Scale) {
    for (callers, commands) in [(1, scale.of(30_000, 30)), (128, scale.of(1_000_000, 600))] {
        let path = folder("disk");
        let syncs = Arc::new(AtomicU64::new(0));
        let disk = Counting {
            real: Arc::new(RealDisk::new(&path)),
            syncs: Arc::clone(&syncs),
        };
        let store = LogStore::open(Arc::new(disk), LogOptions::default(), system_entropy());
        let engine = builder(QUARTER)
            .store(store.expect("a data folder"))
            .start();
        let engine = engine.await.expect("it starts");
        let before = (written(), syncs.load(Ordering::Relaxed));
        let share = commands / callers / 3;
        everybody(callers, |_| {
            let handle = engine.handle();
            async move {
                for _ in 0..share {
                    let ticket = open(&handle).await;
                    act(&handle, &ticket, "accept").await;
                    act(&handle, &ticket, "resolve").await;
                }
            }
        })
        .await;
        let done = (share * callers * 3) as f64;
        let syncs = syncs.load(Ordering::Relaxed) - before.1;
        engine.stop().await.expect("it stops");
        println!(
            "disk: {callers} callers, {done} transitions: {:.0} bytes written and {:.0} kept for each, \
             {:.3} syncs a command",
            (written() - before.0) as f64 / done,
            size(&path) as f64 / done,
            syncs as f64 / done
        );
        remove(&path);
    }
}

/// A real disk whose syncs are counted.
struct Counting {
    real: Arc<dyn Disk>,
    syncs: Arc<AtomicU64>,
}

impl Counting {
    fn file(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(CountingFile {
            real: file,
            syncs: Arc::clone(&self.syncs),
        })
    }
}

impl Disk for Counting {
    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.real.create_folder(folder)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.real.list(folder)
    }
    fn create(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(self.real.create(path)?))
    }
    fn open(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(self.real.open(path)?))
    }
    fn open_read(&self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.real.open_read(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.real.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.real.remove(path)
    }
    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.real.sync_folder(folder)
    }
    fn lock(&self, path: &str) -> io::Result<Box<dyn Send + Sync>> {
        self.real.lock(path)
    }
}

struct CountingFile {
    real: Arc<dyn DiskFile>,
    syncs: Arc<AtomicU64>,
}

impl DiskFile for CountingFile {
    fn len(&self) -> io::Result<u64> {
        self.real.len()
    }
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.real.read_at(buffer, at)
    }
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.real.write_at(bytes, at)
    }
    fn allocate(&self, length: u64) -> io::Result<()> {
        self.real.allocate(length)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.real.set_len(length)
    }
    fn sync(&self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.real.sync()
    }
}
