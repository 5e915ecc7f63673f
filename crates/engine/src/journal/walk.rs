//! Going through the frames of a segment, checking each.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::{Damage, Flaw, JournalError};
use super::frame::{self, Key};
use super::mark::{Frame, Hash, Mark, Position};
use super::segment::{self, Segment};
use crate::disk::DiskFile;

/// Bytes read at once.
const READ: usize = 1 << 18;

/// A file of which a part is in memory.
pub(super) struct Window {
    file: Arc<dyn DiskFile>,
    doing: &'static str,
    /// Bytes read at once, unless more are asked for.
    ahead: usize,
    /// Nothing behind this is looked at.
    pub(super) length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn new(file: Arc<dyn DiskFile>, doing: &'static str) -> Result<Self, JournalError> {
        let length = file.len().map_err(JournalError::io(doing))?;
        Ok(Self::of(file, doing, length, READ))
    }

    /// A window that looks at no more than `length` bytes of the file.
    pub(super) fn of(
        file: Arc<dyn DiskFile>,
        doing: &'static str,
        length: u64,
        ahead: usize,
    ) -> Self {
        Self {
            file,
            doing,
            ahead,
            length,
            start: 0,
            bytes: Vec::new(),
        }
    }

    /// `count` bytes from `at` on; fewer only where the file ends.
    pub(super) fn get(&mut self, at: u64, count: usize) -> Result<&[u8], JournalError> {
        let inside = at
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok());
        let held = inside.is_some_and(|skip| skip.saturating_add(count) <= self.bytes.len());
        if !held {
            let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
            self.start = at;
            self.bytes.resize(count.max(self.ahead).min(left), 0);
            let read = self.file.read_at(&mut self.bytes, at);
            let read = read.inspect_err(|_| self.bytes.clear());
            let read = read.map_err(JournalError::io(self.doing))?;
            self.bytes.truncate(read);
        }
        let skip = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        let held = self.bytes.get(skip..).unwrap_or_default();
        Ok(&held[..count.min(held.len())])
    }

    /// Forgets what was read: it may have been written since.
    pub(super) fn forget(&mut self) {
        self.bytes.clear();
    }

    /// Looks further, at what may have been written in the meantime.
    pub(super) fn extend(&mut self, length: u64) {
        if length != self.length {
            self.length = length;
            self.bytes.clear();
        }
    }
}

/// Where a walk stands, and what must come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Where in the file.
    pub(super) offset: u64,
    /// The number of the frame that must be there.
    pub(super) seq: u64,
    /// Its position; `None` behind damage, where it can't be known.
    pub(super) position: Option<u64>,
    /// The hash of the frame before; `None` likewise.
    pub(super) before: Option<Hash>,
}

impl Place {
    pub(super) fn start(segment: &Segment) -> Self {
        Self {
            offset: segment::HEADER,
            seq: segment.first,
            position: Some(segment.position),
            before: Some(segment.before),
        }
    }

    /// The same place when what is before it is not known any more.
    pub(super) fn lost(self) -> Self {
        Self {
            position: None,
            before: None,
            ..self
        }
    }

    pub(super) fn damage(&self, segment: &Segment, flaw: Flaw) -> Damage {
        Damage {
            path: segment.path(),
            offset: self.offset,
            seq: self.seq,
            flaw,
        }
    }
}

/// What is at a place.
pub(super) enum Step<'a> {
    /// The frame that must be there, and where the walk goes on.
    Frame(Frame<'a>, Place),
    /// Something else. If it has the header of a frame at least, `next` is where that ends.
    Flaw { flaw: Flaw, next: Option<Place> },
}

/// Looks at one place of a segment.
pub(super) fn step<'a>(
    window: &'a mut Window,
    key: Key,
    place: Place,
) -> Result<Step<'a>, JournalError> {
    let Some(header) = frame::header(key, window.get(place.offset, frame::HEADER)?) else {
        return Ok(Step::Flaw {
            flaw: Flaw::NoFrame,
            next: None,
        });
    };
    let end = place.offset.saturating_add(header.frame());
    let flawed = |flaw, next| Ok(Step::Flaw { flaw, next });
    if end > window.length {
        return flawed(Flaw::Length, None);
    }
    let behind = |before| Place {
        offset: end,
        seq: header.seq.saturating_add(1),
        position: Some(header.position.saturating_add(header.frame())),
        before,
    };
    let length = usize::try_from(header.frame()).unwrap_or(usize::MAX);
    let Some((payload, hash)) = frame::content(key, window.get(place.offset, length)?) else {
        return flawed(Flaw::Content, Some(behind(None)));
    };
    let next = behind(Some(hash));
    if let Some(found) = header.newer() {
        return flawed(Flaw::Newer { found }, Some(next));
    }
    if header.seq != place.seq {
        let found = header.seq;
        return flawed(Flaw::Sequence { found }, Some(next));
    }
    if place
        .position
        .is_some_and(|position| position != header.position)
    {
        let found = Position(header.position);
        return flawed(Flaw::Misplaced { found }, Some(next));
    }
    if place.before.is_some_and(|before| before != header.before) {
        return flawed(Flaw::Chain, Some(next));
    }
    let mark = Mark {
        seq: header.seq,
        position: Position(header.position),
        hash,
    };
    let payload = Cow::Borrowed(payload);
    Ok(Step::Frame(Frame { mark, payload }, next))
}

/// Where the next whole frame begins at or behind `from`, whichever it is. Looks at every byte, because
/// damage may have taken the lengths that lead there.
pub(super) fn search(
    window: &mut Window,
    key: Key,
    from: u64,
    to: u64,
) -> Result<Option<u64>, JournalError> {
    let mut at = from;
    while at < to {
        let bytes = window.get(at, READ)?;
        if bytes.len() < frame::HEADER {
            return Ok(None);
        }
        let places = bytes.len() - frame::HEADER + 1;
        let headers = bytes.windows(frame::HEADER);
        let found = (0..)
            .zip(headers)
            .find_map(|(skip, bytes)| Some((skip, frame::header(key, bytes)?)));
        let Some((skip, header)) = found else {
            at += places as u64;
            continue;
        };
        at += skip;
        let length = usize::try_from(header.frame()).unwrap_or(usize::MAX);
        let inside = at.saturating_add(header.frame()) <= window.length;
        if at < to && inside && frame::content(key, window.get(at, length)?).is_some() {
            return Ok(Some(at));
        }
        at += 1;
    }
    Ok(None)
}
