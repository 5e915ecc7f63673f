//! The only place that knows sled. Everything that is measured about it is respected here: see the module
//! above for the rules and their reasons.

use std::any::Any;
use std::fs::{self, File};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Replaced pages are collected once for so many writes. A collection frees up to 512 objects, and a write
/// leaves at most 16 or so.
const COLLECTED_WRITES: usize = 16;

/// Writes of the page with one key when the file has grown: about as many as it takes to move what is still
/// needed out of one segment.
const SWEEPS: usize = 8192;

/// For how long opening waits for the lock on the folder: a thread of sled's may hold it a moment longer than
/// the handle that was closed.
pub(super) const LOCKED: Duration = Duration::from_secs(5);

/// One write: a key, and its value; `None` removes it.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// Is shown a key and what it holds, and may break off.
pub(super) type Each<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Why the tree is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// What is in the folder is not what was written, or sled has panicked.
    Broken(String),
    /// The operating system.
    Io(io::ErrorKind, String),
}

/// An open folder of sled's. After the first failure it fails for ever.
pub(super) struct Tree {
    /// `None` only while it is dropped.
    db: Option<sled::Db>,
    /// One key that says nothing: see [`Tree::clean`].
    broom: sled::Tree,
    /// Bytes of the file when it was last looked at.
    length: AtomicU64,
    folder: PathBuf,
    failed: OnceLock<Failure>,
}

impl Tree {
    /// Opens the folder, or makes it. Waits so long for whoever has it open.
    pub(super) fn open(folder: &Path, cache_bytes: u64, wait: Duration) -> Result<Self, Failure> {
        remove_half_snapshots(folder).map_err(|error| system("opening it", &error))?;
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            .mode(sled::Mode::LowSpace)
            // No thread of its own: it is flushed at checkpoints.
            .flush_every_ms(None);
        let until = Instant::now() + wait;
        let db = loop {
            match guarded("opening it", || config.open()) {
                Err(Failure::Io(_, why)) if why.contains("lock") && Instant::now() < until => {
                    thread::sleep(Duration::from_millis(5));
                }
                other => break other?,
            }
        };
        let broom = guarded("opening it", || db.open_tree("broom"))?;
        Ok(Self {
            db: Some(db),
            broom,
            length: AtomicU64::new(0),
            folder: folder.to_owned(),
            failed: OnceLock::new(),
        })
    }

    /// Says that what is in it is wrong.
    pub(super) fn condemn(&self, why: String) -> Failure {
        self.failed.get_or_init(|| Failure::Broken(why)).clone()
    }

    /// Fails if anything has failed before.
    pub(super) fn sound(&self) -> Result<(), Failure> {
        self.failed
            .get()
            .map_or(Ok(()), |failed| Err(failed.clone()))
    }

    pub(super) fn call<T>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&sled::Db) -> sled::Result<T>,
    ) -> Result<T, Failure> {
        self.sound()?;
        let Some(db) = &self.db else {
            return Err(Failure::Broken("it is closed".to_owned()));
        };
        guarded(doing, || call(db)).map_err(|failure| self.failed.get_or_init(|| failure).clone())
    }

    /// What a key holds.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.call("reading it", |db| {
            Ok(db.get(key)?.map(|value| value.to_vec()))
        })
    }

    /// Whether there is such a key.
    pub(super) fn has(&self, key: &[u8]) -> Result<bool, Failure> {
        self.call("reading it", |db| db.contains_key(key))
    }

    /// Shows the pairs between the bounds, in order or against it, until `each` breaks off.
    pub(super) fn scan(
        &self,
        range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
        backwards: bool,
        each: &mut Each<'_>,
    ) -> Result<(), Failure> {
        self.call("reading it", |db| {
            let mut pairs = db.range::<Vec<u8>, _>(range);
            loop {
                let pair = match backwards {
                    true => pairs.next_back(),
                    false => pairs.next(),
                };
                let Some(pair) = pair else { return Ok(()) };
                let (key, value) = pair?;
                if each(&key, &value).is_break() {
                    return Ok(());
                }
            }
        })
    }

    /// Writes all of them or none.
    pub(super) fn write(&self, writes: Vec<Write>) -> Result<(), Failure> {
        let collections = 1 + writes.len() / COLLECTED_WRITES;
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let written = self.call("writing it", |db| db.apply_batch(batch));
        for _ in 0..collections {
            crossbeam_epoch::pin().flush();
        }
        written
    }

    /// Has sled clean up, if its file has grown and is larger than so many bytes.
    ///
    /// sled moves what is still needed out of a segment that is mostly garbage, and then uses it again; but
    /// only one page each time that another is written anew, which is every tenth write of a page. Bulk work
    /// leaves garbage faster than that. Writes of a page that has one key make it move the pages of others.
    pub(super) fn clean(&self, at_most: u64) -> Result<(), Failure> {
        let length = fs::metadata(self.folder.join("db")).map_or(0, |data| data.len());
        let grown = length > self.length.swap(length, Ordering::Relaxed);
        if !grown || length <= at_most {
            return Ok(());
        }
        for sweep in 0..SWEEPS {
            // What is there already is not written again.
            let other = if sweep % 2 == 0 { b"0" } else { b"1" };
            self.call("cleaning it", |_| self.broom.insert(b"", other).map(drop))?;
            if sweep % COLLECTED_WRITES == 0 {
                crossbeam_epoch::pin().flush();
            }
        }
        Ok(())
    }

    /// Makes all that was written survive a power cut.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        self.call("flushing it", |db| db.flush().map(drop))?;
        let synced = File::open(self.folder.join("db")).and_then(|file| file.sync_data());
        synced.map_err(|error| {
            let failure = system("syncing it", &error);
            self.failed.get_or_init(|| failure).clone()
        })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        match self.failed.get() {
            // Closing flushes: what has panicked or read damage must not write, and may not even end.
            Some(Failure::Broken(_)) => std::mem::forget(db),
            // It has nothing that the journal hasn't.
            Some(Failure::Io(..)) | None => {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(db)));
            }
        }
    }
}

/// Its own words for it tell a reader nothing.
const DAMAGED: &str = "what was read from the index's file is damaged";

fn guarded<T>(doing: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(sled::Error::Io(error))) => Err(system(doing, &error)),
        Ok(Err(sled::Error::Corruption { .. })) => Err(Failure::Broken(DAMAGED.to_owned())),
        Ok(Err(error)) => Err(Failure::Broken(format!("{doing}: {error}"))),
        Err(panic) => Err(Failure::Broken(match said(&*panic) {
            text if text.to_lowercase().contains("corrupt") => DAMAGED.to_owned(),
            text => format!("{doing}: {text}"),
        })),
    }
}

fn system(doing: &'static str, error: &io::Error) -> Failure {
    let text = format!("{doing}: {error}");
    match error.kind() {
        // What the system says when sled asks it for something that damage has made up.
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::NotFound
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::WriteZero => Failure::Broken(text),
        kind => Failure::Io(kind, text),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it was broken off")
}

/// sled takes a snapshot that a kill has cut off for the newest one, and then refuses to open for ever.
fn remove_half_snapshots(folder: &Path) -> io::Result<()> {
    let names = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for name in names {
        let path = name?.path();
        if path.extension().is_some_and(|end| end == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_in_words_of_our_own() {
        let damage = || sled::Error::Corruption { at: None, bt: () };
        let told = |call: fn() -> sled::Result<()>| match guarded("reading it", call) {
            Err(Failure::Broken(why)) => why,
            other => panic!("{other:?}"),
        };
        let refused = guarded("reading it", || Err::<(), _>(damage()));
        assert!(matches!(refused, Err(Failure::Broken(why)) if why == DAMAGED));
        let panics = || panic!("{}", sled::Error::Corruption { at: None, bt: () });
        assert_eq!(told(panics), DAMAGED);
        assert_eq!(told(|| panic!("so")), "reading it: so");
    }
}
