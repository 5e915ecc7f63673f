//! What need not hold up a commit: the next segment, and removing old ones.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::JournalError;
use super::mark::{Base, Position};
use super::shared::{Shared, lock};
use super::{FOLDER, segment};
use crate::disk::DiskFile;

/// A segment that is made while a commit waits for it is zeroed so far, and no more. It costs a millisecond;
/// commits behind that are as slow as in a file that grows.
const ZEROED_AT_ONCE: u64 = 1 << 20;
/// A segment is not made shorter than this because the disk is full, unless the options say so.
const SHORTEST: u64 = 1 << 20;
/// Zeros written at once.
const ZEROS: usize = 1 << 18;
/// Zeros after which the disk gets time to write them, so that a commit in between does not wait for all.
const SYNC_EVERY: u64 = 1 << 22;

/// A file that can become a segment.
pub(super) struct Spare {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) path: String,
    pub(super) length: u64,
}

impl Spare {
    /// The one that was prepared, or a new one: with room for `need` bytes.
    pub(super) fn take(shared: &Shared, need: u64) -> Result<Self, JournalError> {
        // Whoever prepares one just now is not waited for.
        let prepared = shared.spare.try_lock().ok();
        let prepared = prepared.and_then(|mut slot| slot.take_if(|spare| spare.length >= need));
        match prepared {
            Some(spare) => Ok(spare),
            None => Self::make(shared, need, ZEROED_AT_ONCE, "append to the journal"),
        }
    }

    /// Makes sure that there is one for [`Spare::take`].
    pub(super) fn keep(shared: &Shared, need: u64) -> Result<(), JournalError> {
        let mut slot = lock(&shared.spare);
        if slot.as_ref().is_none_or(|spare| spare.length < need) {
            if let Some(short) = slot.take() {
                // If this fails, it is removed when the journal is opened.
                let _ = shared.disk.remove(&short.path);
            }
            let made = Self::make(shared, need, ZEROED_AT_ONCE, "make room in the journal")?;
            *slot = Some(made);
        }
        Ok(())
    }

    /// Makes one; a shorter one if there is no room for a whole one.
    fn make(
        shared: &Shared,
        need: u64,
        zeroed: u64,
        doing: &'static str,
    ) -> Result<Self, JournalError> {
        let mut length = shared.segment_bytes.max(need);
        loop {
            let shortest = length <= need.max(SHORTEST);
            match Self::of_length(shared, length, zeroed) {
                Err(error) if error.kind() == io::ErrorKind::StorageFull && !shortest => {
                    length = (length / 2).max(need);
                }
                made => return made.map_err(JournalError::io(doing)),
            }
        }
    }

    fn of_length(shared: &Shared, length: u64, zeroed: u64) -> io::Result<Self> {
        let number = shared.next_spare.fetch_add(1, Ordering::Relaxed);
        let path = format!("{FOLDER}/next-{number}.tmp");
        let file = shared.disk.create(&path)?;
        let filled = file
            .allocate(length)
            .and_then(|()| zero(&*file, length.min(zeroed)));
        if let Err(error) = filled {
            // If this fails too, it is removed when the journal is opened.
            let _ = shared.disk.remove(&path);
            return Err(error);
        }
        Ok(Self { file, path, length })
    }
}

/// Writes zeros where zeros are read already. Room that is only reserved makes a sync no cheaper than a file
/// that grows (0.22 ms, against 0.13 to 0.16 ms; ext4, medians), since its first write changes the extents.
fn zero(file: &dyn DiskFile, length: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut at = 0;
    while at < length {
        let count = (length - at).min(ZEROS as u64);
        file.write_at(&zeros[..usize::try_from(count).unwrap_or(ZEROS)], at)?;
        at += count;
        if at % SYNC_EVERY == 0 {
            file.sync()?;
        }
    }
    Ok(())
}

/// A handle for a background thread. Without it everything works; a commit that needs a new segment then
/// waits until it is made.
#[derive(Clone)]
pub struct Upkeep {
    shared: Arc<Shared>,
}

impl Upkeep {
    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes the next segment if the current one is half full and there is none yet. Says whether it did.
    /// Cheap to ask, so call it after each commit, or every second.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Io`]: the journal itself is as good as before. A full disk is
    /// told here first, long before a commit fails.
    pub fn prepare(&self) -> Result<bool, JournalError> {
        if !self.is_half_full() {
            return Ok(false);
        }
        let mut slot = lock(&self.shared.spare);
        if slot.is_some() {
            return Ok(false);
        }
        let doing = "prepare the journal's next segment";
        let spare = Spare::make(&self.shared, 0, u64::MAX, doing)?;
        spare.file.sync().map_err(JournalError::io(doing))?;
        *slot = Some(spare);
        Ok(true)
    }

    /// Whether [`Upkeep::prepare`] would make one. Does not wait for one that is being made.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        let spare = self.shared.spare.try_lock();
        self.is_half_full() && spare.is_ok_and(|spare| spare.is_none())
    }

    /// Whether frames of so many bytes still go into the current segment.
    #[must_use]
    pub fn has_room(&self, bytes: u64) -> bool {
        self.shared.end().fits(bytes)
    }

    fn is_half_full(&self) -> bool {
        let end = self.shared.end();
        let active = end.active.as_ref();
        active.is_some_and(|active| active.offset >= active.length / 2)
    }

    /// Where the oldest frame is that is still there, and its number.
    #[must_use]
    pub fn oldest(&self) -> Option<(u64, Position)> {
        let segments = self.shared.segments();
        segments
            .first()
            .map(|segment| (segment.first, Position(segment.position)))
    }

    /// Tells the readers where the journal begins: its snapshot is on disk.
    pub fn set_base(&self, base: Option<Base>) {
        self.shared.set_base(base);
    }

    /// Whether [`Upkeep::remove_before`] would remove anything.
    #[must_use]
    pub fn has_before(&self, position: Position) -> bool {
        let segments = self.shared.segments();
        segments
            .get(1)
            .is_some_and(|next| next.position <= position.0)
    }

    /// Removes the oldest segments, as many as have only frames before `position`. The chain then begins with
    /// the oldest that is left. Returns how many were removed.
    ///
    /// # Errors
    /// [`JournalError::Io`]: some are removed, in order, and the rest can be removed later.
    pub fn remove_before(&self, position: Position) -> Result<usize, JournalError> {
        let fail = JournalError::io("remove an old segment of the journal");
        let mut removed = 0;
        loop {
            let oldest = match self.shared.segments()[..] {
                [oldest, next, ..] if next.position <= position.0 => oldest,
                _ => return Ok(removed),
            };
            match self.shared.disk.remove(&segment::path(oldest.first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
                _ => (),
            }
            // One by one: with two removals on their way a power cut could leave a gap.
            self.shared.disk.sync_folder(FOLDER).map_err(&fail)?;
            self.shared.forget(oldest.first);
            removed += 1;
        }
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").finish_non_exhaustive()
    }
}
