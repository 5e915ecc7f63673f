//! Appending.

use std::fmt;
use std::sync::Arc;

use super::error::JournalError;
use super::frame::{self, OVERHEAD};
use super::mark::{FolderId, Frame, Hash, Mark, Position, Remains};
use super::read::JournalReader;
use super::recover;
use super::segment::{self, Segment};
use super::shared::{Active, Shared};
use super::upkeep::{Spare, Upkeep};
use super::{FOLDER, MAX_PAYLOAD, Options};
use crate::disk::Disk;

const DOING: &str = "append to the journal";
/// Bytes of the last frame that are kept for the next, so that one large frame doesn't keep its memory.
const KEEP: usize = 1 << 20;

/// The writer of a journal. There is one for a folder: whoever opens it holds the folder's lock.
///
/// Calls block. After an error nothing was acknowledged, everything that had been is still there, and the
/// next append may carry the same payload: it goes to a new segment, and what the failed one may have left
/// on the disk is superseded by it. A process that ends instead finds the failed frame again or not; so
/// somebody who was told "failed" must be able to ask, by the id of his command, what became of it.
pub struct Journal {
    shared: Arc<Shared>,
    bytes: Vec<u8>,
    remains: Option<Remains>,
}

impl Journal {
    /// Opens a journal, or begins one: gives `each` the frames behind `after` (all of them without it), in
    /// order, each checked against its hash and the one before.
    ///
    /// When it returns, all that `each` was given survives a power cut. An error of `each` ends it. What a
    /// crash left of a frame that was never acknowledged is passed over, and told by [`Journal::remains`].
    ///
    /// # Errors
    /// [`JournalError::Damaged`] where something acknowledged is not as it was; [`JournalError::RolledBack`]
    /// if `after` is newer than the journal; [`JournalError::Removed`] if the frame of `after`, or without
    /// it the first frame, was removed; and the others of that enum. Nothing was changed then.
    pub fn open<E: From<JournalError>>(
        disk: Arc<dyn Disk>,
        options: Options,
        after: Option<&Mark>,
        each: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let (shared, remains) = recover::open(disk, options, after, each)?;
        Ok(Self {
            shared: Arc::new(shared),
            bytes: Vec::new(),
            remains,
        })
    }

    /// Adds a frame. It survives a power cut when this returns.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Io`], [`JournalError::TooLarge`], [`JournalError::Busy`].
    pub fn append(&mut self, payload: &[u8]) -> Result<Mark, JournalError> {
        self.write(payload)?.sync()
    }

    /// Writes a frame without waiting for the disk: the first half of [`Journal::append`], so that the second
    /// can run in another thread while the next commit is being decided.
    ///
    /// # Errors
    /// As [`Journal::append`]; [`JournalError::Busy`] while the frame before is not synced.
    pub fn write(&mut self, payload: &[u8]) -> Result<Unsynced, JournalError> {
        if payload.len() > MAX_PAYLOAD {
            let bytes = payload.len();
            return Err(JournalError::TooLarge { bytes });
        }
        let shared = Arc::clone(&self.shared);
        let mut end = shared.end();
        if end.flying.is_some() {
            return Err(JournalError::Busy);
        }
        let seq = end.mark.map_or(1, |mark| mark.seq + 1);
        let before = end.mark.map_or(Hash::ZERO, |mark| mark.hash);
        let position = end.position;
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        let need = (payload.len() + OVERHEAD) as u64;

        let fits = end.fits(need);
        let mut unsynced = match end.active.clone().filter(|_| fits) {
            Some(active) => Unsynced::in_segment(&self.shared, active),
            None => {
                let spare = Spare::take(&self.shared, segment::HEADER + need)?;
                let header = Segment {
                    folder: self.shared.folder,
                    first: seq,
                    position,
                    before,
                    length: spare.length,
                };
                self.bytes.extend(header.encode());
                Unsynced::in_new_segment(&self.shared, spare, header)
            }
        };
        let hash = frame::encode(
            self.shared.key,
            seq,
            position,
            before,
            payload,
            &mut self.bytes,
        );
        unsynced.mark = Mark {
            seq,
            position: Position(position),
            hash,
        };
        unsynced.behind = position + need;
        end.flying = Some(need);
        drop(end);
        unsynced.write(&self.bytes)?;
        Ok(unsynced)
    }

    /// Makes sure that the next frame finds room, if its payload is no longer than this: so a full disk shows
    /// before anything is decided. Cheap when there is room, as nearly always.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Io`].
    pub fn make_room(&mut self, payload: usize) -> Result<(), JournalError> {
        let need = (payload.min(MAX_PAYLOAD) + OVERHEAD) as u64;
        if self.shared.end().fits(need) {
            return Ok(());
        }
        Spare::keep(&self.shared, segment::HEADER + need)
    }

    /// Where the next frame will begin.
    #[must_use]
    pub fn end(&self) -> Position {
        let end = self.shared.end();
        Position(end.position + end.flying.unwrap_or(0))
    }

    /// The last frame that is synced.
    #[must_use]
    pub fn head(&self) -> Option<Mark> {
        self.shared.end().mark
    }

    /// The folder that it belongs to.
    #[must_use]
    pub fn folder(&self) -> FolderId {
        self.shared.folder
    }

    /// What opening found behind the last frame, of a write that was cut off: worth a line in a log.
    #[must_use]
    pub fn remains(&self) -> Option<&Remains> {
        self.remains.as_ref()
    }

    /// Reads while this writes.
    #[must_use]
    pub fn reader(&self) -> JournalReader {
        JournalReader::of(Arc::clone(&self.shared))
    }

    /// For the thread that does what need not hold up a commit.
    #[must_use]
    pub fn upkeep(&self) -> Upkeep {
        Upkeep::of(Arc::clone(&self.shared))
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Journal");
        debug.field("folder", &self.folder());
        debug.field("head", &self.head()).finish_non_exhaustive()
    }
}

/// A frame that is written and not synced. If it is dropped it counts as failed: it is superseded by the
/// next.
#[must_use = "a frame that is not synced is lost"]
pub struct Unsynced {
    shared: Arc<Shared>,
    active: Active,
    /// The segment that begins with this frame, and gets its name when that is synced.
    new: Option<Segment>,
    mark: Mark,
    /// The position behind it.
    behind: u64,
    synced: bool,
}

impl Unsynced {
    fn of(shared: &Arc<Shared>, active: Active, new: Option<Segment>) -> Self {
        Self {
            shared: Arc::clone(shared),
            active,
            new,
            mark: Mark {
                seq: 0,
                position: Position(0),
                hash: Hash::ZERO,
            },
            behind: 0,
            synced: false,
        }
    }

    fn in_segment(shared: &Arc<Shared>, active: Active) -> Self {
        Self::of(shared, active, None)
    }

    fn in_new_segment(shared: &Arc<Shared>, spare: Spare, header: Segment) -> Self {
        let active = Active {
            file: spare.file,
            path: spare.path,
            offset: 0,
            length: spare.length,
        };
        Self::of(shared, active, Some(header))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let written = self.active.file.write_at(bytes, self.active.offset);
        self.active.offset += bytes.len() as u64;
        written.map_err(JournalError::io(DOING))
    }

    /// The mark that the frame has once it is synced.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Waits until the frame survives a power cut, and lets readers see it.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Io`], [`JournalError::Displaced`]: the frame is not
    /// acknowledged.
    pub fn sync(mut self) -> Result<Mark, JournalError> {
        let disk = Arc::clone(&self.shared.disk);
        let fail = JournalError::io(DOING);
        self.active.file.sync().map_err(&fail)?;
        if let Some(segment) = self.new {
            let path = segment.path();
            disk.rename(&self.active.path, &path).map_err(&fail)?;
            self.active.path = path;
            disk.sync_folder(FOLDER).map_err(&fail)?;
        }
        // What nobody finds at the next start must not be acknowledged.
        self.active.is_in_place(&*disk)?;
        self.synced = true;
        self.shared.publish(self.new, self.behind);
        let mut end = self.shared.end();
        end.mark = Some(self.mark);
        end.position = self.behind;
        end.active = Some(self.active.clone());
        end.flying = None;
        let superseded = end.superseded.take();
        drop(end);
        if let Some(remains) = superseded {
            give_back(&*disk, &remains);
        }
        Ok(self.mark)
    }
}

impl Drop for Unsynced {
    fn drop(&mut self) {
        if self.synced {
            return;
        }
        let mut end = self.shared.end();
        // Also if it was a new segment that failed: it may have its name all the same, and then supersedes
        // whatever would still be written to the one before.
        end.active = None;
        end.flying = None;
        if self.new.is_some() {
            // It has no name yet, or one that the next new segment takes. If it can't be removed it is
            // removed when the journal is opened.
            let _ = self.shared.disk.remove(&self.active.path);
        } else {
            let from = self
                .active
                .offset
                .saturating_sub(self.behind - self.mark.position.0);
            end.superseded = Some(Remains {
                path: self.active.path.clone(),
                offset: from,
                bytes: 0,
            });
        }
    }
}

impl fmt::Debug for Unsynced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unsynced").field(&self.mark).finish()
    }
}

/// Cuts off what is superseded, for its room. Not being able to costs only that.
fn give_back(disk: &dyn Disk, remains: &Remains) {
    if let Ok(file) = disk.open(&remains.path) {
        let _ = file.set_len(remains.offset);
    }
}
