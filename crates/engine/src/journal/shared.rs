//! What writer, readers and upkeep of one journal have in common.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::error::JournalError;
use super::frame::Key;
use super::mark::{Base, FolderId, Mark, Remains};
use super::segment::{self, Segment};
use super::upkeep::Spare;
use crate::disk::{Disk, DiskFile};

/// Open files that are kept for reading.
const OPEN_FILES: usize = 16;

pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: FolderId,
    pub(super) key: Key,
    pub(super) segment_bytes: u64,
    /// The position behind the last synced frame. Set last, so that whoever reads it finds the rest.
    synced: AtomicU64,
    /// Sorted. A segment is in here once its first frame is synced.
    segments: RwLock<Vec<Segment>>,
    /// By first frame, the last used at the end.
    files: Mutex<Vec<(u64, Arc<dyn DiskFile>)>>,
    pub(super) spare: Mutex<Option<Spare>>,
    pub(super) next_spare: AtomicU64,
    end: Mutex<End>,
    base: Mutex<Option<Base>>,
}

/// Where the writer goes on.
#[derive(Default)]
pub(super) struct End {
    /// The last synced frame.
    pub(super) mark: Option<Mark>,
    /// The position behind it.
    pub(super) position: u64,
    /// The segment that the next frame goes to; `None` if that must be a new one.
    pub(super) active: Option<Active>,
    /// How long the frame is that is written and not synced yet.
    pub(super) flying: Option<u64>,
    /// What the next segment supersedes, whose room can then be given back.
    pub(super) superseded: Option<Remains>,
}

#[derive(Clone)]
pub(super) struct Active {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) path: String,
    /// Where in the file the next frame begins; everything from there on is zero.
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Active {
    /// Whether the file still stands where the next start looks for it.
    pub(super) fn is_in_place(&self, disk: &dyn Disk) -> Result<(), JournalError> {
        let displaced = || JournalError::Displaced {
            path: self.path.clone(),
        };
        match (self.file.id(), disk.id(&self.path)) {
            (Ok(ours), Ok(there)) if ours == there => Ok(()),
            (_, Err(error)) if !is_missing(&error) => {
                Err(JournalError::io("looking after the journal")(error))
            }
            (Err(error), _) => Err(JournalError::io("looking after the journal")(error)),
            _ => Err(displaced()),
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == io::ErrorKind::NotFound || kind == io::ErrorKind::NotADirectory
}

impl End {
    /// Whether a frame of this length still fits behind what is written.
    pub(super) fn fits(&self, frame: u64) -> bool {
        let written = self.flying.unwrap_or(0);
        let fits = |active: &Active| active.offset + written + frame <= active.length;
        self.active.as_ref().is_some_and(fits)
    }
}

/// Nobody panics while he holds one of our locks; should it happen, what is behind it is whole all the same,
/// because each is changed by single assignments.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        folder: FolderId,
        segment_bytes: u64,
        segments: Vec<Segment>,
        end: End,
    ) -> Self {
        Self {
            disk,
            folder,
            key: Key::new(folder),
            segment_bytes,
            synced: AtomicU64::new(end.position),
            segments: RwLock::new(segments),
            files: Mutex::new(Vec::new()),
            spare: Mutex::new(None),
            next_spare: AtomicU64::new(0),
            end: Mutex::new(end),
            base: Mutex::new(None),
        }
    }

    /// Whether what is written to still stands where it was opened.
    pub(super) fn is_in_place(&self) -> Result<(), JournalError> {
        // Nobody has to wait for the system's answer.
        let active = self.end().active.clone();
        match active {
            Some(active) => active.is_in_place(&*self.disk),
            None => Ok(()),
        }
    }

    pub(super) fn base(&self) -> Option<Base> {
        *lock(&self.base)
    }

    pub(super) fn set_base(&self, base: Option<Base>) {
        *lock(&self.base) = base;
    }

    pub(super) fn end(&self) -> MutexGuard<'_, End> {
        lock(&self.end)
    }

    pub(super) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Lets readers see a frame, after its segment.
    pub(super) fn publish(&self, segment: Option<Segment>, position: u64) {
        if let Some(segment) = segment {
            let mut segments = self
                .segments
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            segments.push(segment);
        }
        self.synced.store(position, Ordering::Release);
    }

    pub(super) fn segments(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a segment that was removed out of sight.
    pub(super) fn forget(&self, first: u64) {
        let mut segments = self
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        segments.retain(|segment| segment.first != first);
    }

    /// A file for reading, opened if it isn't open.
    pub(super) fn file(
        &self,
        segment: &Segment,
        doing: &'static str,
    ) -> Result<Arc<dyn DiskFile>, JournalError> {
        let mut files = lock(&self.files);
        let held = files.iter().position(|(first, _)| *first == segment.first);
        let entry = match held {
            Some(index) => files.remove(index),
            None => {
                let file = self.disk.open_read(&segment::path(segment.first));
                let file = file.map_err(|error| self.removed_or(segment, error, doing))?;
                (segment.first, file)
            }
        };
        if files.len() >= OPEN_FILES {
            files.remove(0);
        }
        let file = Arc::clone(&entry.1);
        files.push(entry);
        Ok(file)
    }

    /// What it means that a segment can't be opened that was there a moment ago.
    fn removed_or(&self, segment: &Segment, error: io::Error, doing: &'static str) -> JournalError {
        let oldest = self.segments().first().map_or(1, |oldest| oldest.first);
        if oldest > segment.first {
            return JournalError::Removed { oldest };
        }
        JournalError::io(doing)(error)
    }
}
