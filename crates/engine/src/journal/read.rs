//! Reading, while somebody writes or nobody does.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::error::JournalError;
use super::frame::{self, Key};
use super::mark::{Base, FolderId, Frame, Mark, Position};
use super::recover;
use super::segment::{self, Segment};
use super::shared::{End, Shared};
use super::walk::{Place, Step, Window, step};
use crate::disk::{Disk, DiskFile};
use crate::store::log::base;

const DOING: &str = "read the journal";
/// Bytes read at once for a single frame: most are shorter.
const ONE: usize = 1 << 12;
/// Bytes read at once for many.
const MANY: usize = 1 << 18;

/// Reads the frames of a journal: any thread, as many as needed, also while it is written. It never gives
/// out a frame that is not synced, and none that does not match its hash.
#[derive(Clone)]
pub struct JournalReader {
    shared: Arc<Shared>,
}

/// A file of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its path in the data folder.
    pub path: String,
    /// How many of its bytes are a header and synced frames. What is behind them never was acknowledged.
    pub bytes: u64,
    /// How long it was made; the rest of it is zeros.
    pub length: u64,
}

impl JournalReader {
    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Reads a folder that need not be writable, as far as it goes now. `folder` may be left out to read
    /// whatever is there. Nothing is changed.
    ///
    /// # Errors
    /// As [`Journal::open`](super::Journal::open), of which it only does what the last segment needs.
    pub fn open(disk: Arc<dyn Disk>, folder: Option<FolderId>) -> Result<Self, JournalError> {
        let names = segment::names(&*disk, DOING)?;
        let segments = recover::survey(&*disk, &names, folder)?;
        let mut end = End::default();
        let mut whose = folder.unwrap_or(FolderId([0; 16]));
        if let Some(segment) = segments.last() {
            whose = segment.folder;
            let key = Key::new(whose);
            let one = std::slice::from_ref(segment);
            let found = recover::walk::<JournalError>(&*disk, key, one, None, |_| Ok(()))?;
            end.mark = found.last.map(|last| last.mark);
            end.position = found.last.map_or(0, |last| last.end());
        }
        let base = base::find(&*disk, whose).map_err(JournalError::io(DOING))?;
        let shared = Shared::new(disk, whose, 0, segments, end);
        shared.set_base(base);
        Ok(Self::of(Arc::new(shared)))
    }

    /// Whether the journal that is written to still stands where it was opened. Of one that nobody writes to
    /// here there is nothing to say.
    pub(crate) fn is_in_place(&self) -> Result<(), JournalError> {
        self.shared.is_in_place()
    }

    /// Where it begins, if the retention rule has removed what was before, or is about to. It moves on while
    /// the rule is at work.
    #[must_use]
    pub fn base(&self) -> Option<Base> {
        self.shared.base()
    }

    /// The disk that it is on.
    #[cfg(feature = "sled")]
    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.shared.disk
    }

    /// The last frame.
    #[must_use]
    pub fn head(&self) -> Option<Mark> {
        self.shared.end().mark
    }

    /// The folder that it belongs to.
    #[must_use]
    pub fn folder(&self) -> FolderId {
        self.shared.folder
    }

    /// Where the next frame will begin: every frame before it is synced.
    #[must_use]
    pub fn end(&self) -> Position {
        Position(self.shared.synced())
    }

    /// The number of the oldest frame that is still there, and where it is.
    #[must_use]
    pub fn oldest(&self) -> Option<(u64, Position)> {
        let segments = self.shared.segments();
        let oldest = segments.first();
        oldest.map(|segment| (segment.first, Position(segment.position)))
    }

    /// The files that hold the frames, oldest first, and how far each of them is synced.
    #[must_use]
    pub fn files(&self) -> Vec<SegmentFile> {
        let end = self.end().0;
        let segments = self.shared.segments();
        let next = segments.iter().skip(1).map(|segment| segment.position);
        let ends = next.chain(std::iter::once(end));
        let files = segments.iter().zip(ends);
        files
            .map(|(segment, end)| SegmentFile {
                path: segment.path(),
                bytes: segment.offset(end),
                length: segment.length,
            })
            .collect()
    }

    /// Reads the frame at a position that [`Mark::position`] told.
    ///
    /// # Errors
    /// [`JournalError::NotYet`], [`JournalError::Removed`], [`JournalError::Io`]; [`JournalError::Damaged`],
    /// also if no frame begins there.
    pub fn read(&self, position: Position) -> Result<Frame<'static>, JournalError> {
        let end = self.end();
        if position >= end {
            return Err(JournalError::NotYet { position, end });
        }
        let (segment, next) = self.segment_at(position)?;
        let limit = segment.offset(next.map_or(end.0, |next| next.position));
        let mut window = Window::of(self.shared.file(&segment, DOING)?, DOING, limit, ONE);
        let mut place = Place {
            offset: segment.offset(position.0),
            seq: 0,
            position: Some(position.0),
            before: None,
        };
        let key = self.shared.key;
        if let Some(header) = frame::header(key, window.get(place.offset, frame::HEADER)?) {
            place.seq = header.seq;
        }
        match step(&mut window, key, place)? {
            Step::Frame(frame, _) => Ok(Frame {
                mark: frame.mark,
                payload: Cow::Owned(frame.payload.into_owned()),
            }),
            Step::Flaw { flaw, .. } => Err(place.damage(&segment, flaw).into()),
        }
    }

    /// The frames from this number on, in order. What comes before it in its segment is read to get there. A
    /// number that is not there yet is no error: the scan begins with it once it is.
    ///
    /// # Errors
    /// [`JournalError::Removed`].
    pub fn scan_from(&self, seq: u64) -> Result<Scan, JournalError> {
        let oldest = self.oldest().map_or(1, |(oldest, _)| oldest);
        if seq.max(1) < oldest {
            return Err(JournalError::Removed { oldest });
        }
        Ok(Scan {
            reader: self.clone(),
            from: seq,
            at: None,
        })
    }

    /// The frames from this position on, in order: that of a frame, or where the next one will begin.
    ///
    /// # Errors
    /// As [`JournalReader::read`].
    pub fn scan_at(&self, position: Position) -> Result<Scan, JournalError> {
        if position == self.end() {
            return self.scan_from(self.head().map_or(1, |mark| mark.seq + 1));
        }
        let first = self.read(position)?.mark;
        let (segment, _) = self.segment_at(position)?;
        let place = Place {
            offset: segment.offset(position.0),
            seq: first.seq,
            position: Some(position.0),
            before: None,
        };
        let file = self.shared.file(&segment, DOING)?;
        Ok(Scan {
            reader: self.clone(),
            from: first.seq,
            at: Some(Reading::new(segment, file, place)),
        })
    }

    /// The last frame, and the position behind that one.
    pub(super) fn head_and_end(&self) -> (Option<Mark>, Position) {
        let end = self.shared.end();
        (end.mark, Position(end.position))
    }

    /// The segments that have frames before a position.
    pub(super) fn segments_before(&self, end: Position) -> Vec<Segment> {
        let segments = self.shared.segments();
        let before = segments.iter().filter(|segment| segment.position < end.0);
        before.copied().collect()
    }

    pub(super) fn file(
        &self,
        segment: &Segment,
        doing: &'static str,
    ) -> Result<Arc<dyn DiskFile>, JournalError> {
        self.shared.file(segment, doing)
    }

    /// The segment in which a position is, and the one behind it.
    fn segment_at(&self, position: Position) -> Result<(Segment, Option<Segment>), JournalError> {
        let segments = self.shared.segments();
        let after = segments.partition_point(|segment| segment.position <= position.0);
        match after.checked_sub(1) {
            Some(index) => Ok((segments[index], segments.get(after).copied())),
            None => Err(JournalError::Removed {
                oldest: segments.first().map_or(1, |segment| segment.first),
            }),
        }
    }

    /// The segment in which a frame is, or would be.
    fn segment_of(&self, seq: u64) -> Option<Segment> {
        let segments = self.shared.segments();
        let after = segments.partition_point(|segment| segment.first <= seq.max(1));
        after.checked_sub(1).map(|index| segments[index])
    }

    /// The segment behind one that is still there.
    fn next(&self, segment: &Segment) -> Result<Option<Segment>, JournalError> {
        let segments = self.shared.segments();
        let after = segments.partition_point(|other| other.first <= segment.first);
        match segments.first() {
            Some(oldest) if after == 0 => Err(JournalError::Removed {
                oldest: oldest.first,
            }),
            _ => Ok(segments.get(after).copied()),
        }
    }
}

impl fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JournalReader");
        debug.field("end", &self.end()).finish_non_exhaustive()
    }
}

/// Frames in order, up to the last that is synced; asked again later it goes on.
pub struct Scan {
    reader: JournalReader,
    /// The first frame that is given out.
    from: u64,
    at: Option<Reading>,
}

struct Reading {
    segment: Segment,
    window: Window,
    place: Place,
}

impl Reading {
    fn new(segment: Segment, file: Arc<dyn DiskFile>, place: Place) -> Self {
        // Nothing of it is looked at before it is known how far it is synced.
        let window = Window::of(file, DOING, 0, MANY);
        Self {
            segment,
            window,
            place,
        }
    }
}

impl Scan {
    /// The next frame, or `None` if there is none yet.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Io`], and [`JournalError::Removed`] if a segment went that
    /// was not read yet. The next call tries the same again.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, JournalError> {
        let key = self.reader.shared.key;
        while self.stand()? {
            let Some(at) = &mut self.at else { break };
            if at.place.seq >= self.from {
                break;
            }
            match step(&mut at.window, key, at.place)? {
                Step::Frame(_, next) => at.place = next,
                Step::Flaw { flaw, .. } => return Err(at.place.damage(&at.segment, flaw).into()),
            }
        }
        let Some(at) = self
            .at
            .as_mut()
            .filter(|at| at.place.offset < at.window.length)
        else {
            return Ok(None);
        };
        match step(&mut at.window, key, at.place)? {
            Step::Frame(frame, next) => {
                at.place = next;
                self.from = next.seq;
                Ok(Some(frame))
            }
            Step::Flaw { flaw, .. } => Err(at.place.damage(&at.segment, flaw).into()),
        }
    }

    /// Goes to where the next frame is, which may be another segment; says whether it is synced. An error
    /// forgets where it stood, and the next call finds it again.
    fn stand(&mut self) -> Result<bool, JournalError> {
        // Read before the segments: all that is before it is in those that are found then.
        let synced = self.reader.shared.synced();
        let mut at = match self.at.take() {
            Some(at) => at,
            None => match self.reader.segment_of(self.from) {
                Some(segment) => {
                    let file = self.reader.shared.file(&segment, DOING)?;
                    Reading::new(segment, file, Place::start(&segment))
                }
                None => return Ok(false),
            },
        };
        let mut next = self.reader.next(&at.segment)?;
        if let Some(segment) = next.filter(|next| next.first == at.place.seq) {
            recover::fits(at.place, &segment)?;
            let file = self.reader.shared.file(&segment, DOING)?;
            at = Reading::new(segment, file, Place::start(&segment));
            next = self.reader.next(&segment)?;
        }
        let end = next.map_or(synced, |next| next.position.min(synced));
        at.window.extend(at.segment.offset(end));
        let there = at.place.offset < at.window.length;
        self.at = Some(at);
        Ok(there)
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.at.as_ref().map_or(self.from, |at| at.place.seq);
        f.debug_struct("Scan")
            .field("next", &next)
            .finish_non_exhaustive()
    }
}
