//! Looking for damage everywhere.

use std::io;
use std::ops::ControlFlow;

use super::error::{Damage, Flaw, JournalError};
use super::frame::{self, Key};
use super::mark::{FolderId, Mark, Remains};
use super::segment::{self, Segment};
use super::tail::{self, Tail};
use super::walk::{Place, Step, Window, search, step};
use crate::disk::{Disk, is_in_the_way};
use crate::store::log::snapshot;

pub(super) const DOING: &str = "verify the journal";
/// Places that a report lists; more are counted.
const LISTED: usize = 1_000;
/// Frames between two calls of the progress.
const FRAMES: u64 = 4_096;

/// What [`verify`](super::verify()) found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whose journal it is; `None` if there is none.
    pub folder: Option<FolderId>,
    /// The number of the first frame. More than 1: the chain is complete from there on, and what was before
    /// it was removed by the retention rule. Whoever keeps the hash of the frame before compares it with
    /// [`Report::before`].
    pub first: u64,
    /// The frame of the snapshot that stands for what the retention rule has removed.
    pub base: Option<Mark>,
    /// The hash that the chain begins behind; zeros for the first frame of all.
    pub before: Option<super::Hash>,
    /// The last whole frame.
    pub last: Option<Mark>,
    /// How many whole frames there are.
    pub frames: u64,
    /// Files that something is in the way of reading, those of snapshots too: that is no damage, and nothing
    /// is known of what is in them.
    pub unread: Vec<Unread>,
    /// Places where something is not as it was written, in order; the first 1,000.
    pub damage: Vec<Damage>,
    /// How many there are beyond those.
    pub more: u64,
    /// Bytes that are no frame and never were acknowledged: no damage.
    pub remains: Vec<Remains>,
    /// Whether the given mark's frame is in it.
    pub anchored: bool,
    /// Whether the given mark's frame is older than what the retention rule has left: that is no damage, and
    /// it can't be told any more whether the frame was the one that was marked.
    pub removed: bool,
}

impl Report {
    /// Whether every frame is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty() && !self.unread.iter().any(Unread::is_of_the_journal)
    }

    /// Whether all that is damaged here was found damaged there too.
    pub(super) fn is_no_worse_than(&self, other: &Self) -> bool {
        let known = |damage| other.damage.contains(damage);
        let unread = |one| other.unread.contains(one);
        self.more <= other.more && self.damage.iter().all(known) && self.unread.iter().all(unread)
    }

    fn add(&mut self, damage: Damage) {
        if self.damage.len() < LISTED {
            self.damage.push(damage);
        } else {
            self.more += 1;
        }
    }
}

/// A file or a folder that may not be read, or is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// Which, in the data folder.
    pub path: String,
    /// What is in the way, with its name in it, in English.
    pub why: String,
}

impl Unread {
    pub(crate) fn file(path: &str, error: &io::Error) -> Self {
        let why = format!("the file {path:?} can't be read ({error})");
        let path = path.to_owned();
        Self { path, why }
    }

    pub(crate) fn folder(path: &str, error: &io::Error) -> Self {
        let why = format!("the folder {path:?} can't be looked into ({error})");
        let path = path.to_owned();
        Self { path, why }
    }

    /// Whether it is no snapshot, which only says again what the journal does.
    #[must_use]
    pub fn is_of_the_journal(&self) -> bool {
        !self.path.starts_with(snapshot::FOLDER)
    }
}

/// How far [`verify`](super::verify()) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Segments that are done.
    pub segments: u64,
    /// How many there are.
    pub of: u64,
    /// Whole frames seen so far.
    pub frames: u64,
}

/// Reads a journal whose beginning is known, and lists every place that is not as it was written. It may
/// begin with the frame of `base`, or with one before. [`verify`](super::verify()) finds that in the data
/// folder.
///
/// # Errors
/// As [`verify`](super::verify()).
pub fn verify_behind(
    disk: &dyn Disk,
    folder: Option<FolderId>,
    base: Option<&Mark>,
    anchor: Option<&Mark>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, JournalError> {
    let marks: Vec<&Mark> = base.into_iter().collect();
    verify_against(disk, folder, base, anchor, &marks, progress)
}

pub(super) fn verify_against(
    disk: &dyn Disk,
    folder: Option<FolderId>,
    base: Option<&Mark>,
    anchor: Option<&Mark>,
    marks: &[&Mark],
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, JournalError> {
    let numbers = segment::numbers(&segment::names(disk, DOING)?);
    let mut check = Check {
        disk,
        folder,
        base,
        anchor,
        marks,
        progress,
        report: Report {
            base: base.copied(),
            ..Report::default()
        },
        done: 0,
        of: numbers.len() as u64,
        expected: None,
    };
    check.beginning(numbers.first().copied());
    for (index, number) in numbers.iter().enumerate() {
        check.segment(*number, numbers.get(index + 1).copied())?;
        check.done += 1;
        check.tell();
    }
    check.against_marks(numbers.last().copied());
    Ok(check.report)
}

struct Check<'a> {
    disk: &'a dyn Disk,
    folder: Option<FolderId>,
    base: Option<&'a Mark>,
    anchor: Option<&'a Mark>,
    /// Others whose frames must be in it.
    marks: &'a [&'a Mark],
    progress: &'a mut dyn FnMut(Progress),
    report: Report,
    done: u64,
    of: u64,
    /// What the next segment must begin with.
    expected: Option<Place>,
}

impl Check<'_> {
    fn tell(&mut self) {
        (self.progress)(Progress {
            segments: self.done,
            of: self.of,
            frames: self.report.frames,
        });
    }

    /// Frames before the first segment must be there, or a snapshot must stand for them.
    fn beginning(&mut self, first: Option<u64>) {
        let from = self.base.map_or(1, |base| base.seq + 1);
        if let Some(first) = first.filter(|first| *first > from) {
            self.report.add(Damage {
                path: segment::path(first),
                offset: 0,
                seq: first,
                flaw: Flaw::Missing { from },
            });
        }
        let oldest = first.unwrap_or(from);
        let older = |mark: &Mark| mark.seq < oldest && self.base.is_some();
        self.report.removed = self.anchor.is_some_and(older);
    }

    fn segment(&mut self, number: u64, next: Option<u64>) -> Result<(), JournalError> {
        let Some((segment, start)) = self.header(number)? else {
            return Ok(());
        };
        let unread = |offset, error: &JournalError| Damage {
            path: segment.path(),
            offset,
            seq: number,
            flaw: Flaw::Unreadable(error.to_string()),
        };
        let window = self.disk.open_read(&segment.path());
        let window = window.map_err(JournalError::io(DOING));
        let mut window = match window.and_then(|file| Window::new(file, DOING)) {
            Ok(window) => window,
            Err(JournalError::Io { source, .. }) if is_in_the_way(&source) => {
                let unread = Unread::file(&segment.path(), &source);
                self.report.unread.push(unread);
                return Ok(());
            }
            Err(error) => {
                self.report.add(unread(0, &error));
                return Ok(());
            }
        };
        if next.is_none() && window.length < segment.length {
            let flaw = Flaw::Cut {
                found: window.length,
                made: segment.length,
            };
            let cut = Place {
                offset: window.length,
                ..start
            };
            self.report.add(cut.damage(&segment, flaw));
        }
        let mut walk = Walk {
            segment,
            key: Key::new(segment.folder),
            next,
            place: start,
        };
        loop {
            match self.one(&mut walk, &mut window) {
                Ok(ControlFlow::Continue(())) => (),
                Ok(ControlFlow::Break(())) => break,
                Err(error) => {
                    // What is behind it in this file can't be told apart from it.
                    self.report.add(unread(walk.place.offset, &error));
                    walk.place = walk.place.lost();
                    break;
                }
            }
        }
        self.expected = Some(walk.place);
        Ok(())
    }

    /// Reads and checks a header. Of a damaged one, what must have been in it takes its place.
    fn header(&mut self, number: u64) -> Result<Option<(Segment, Place)>, JournalError> {
        let expected = self.expected.take();
        let flaw = match segment::open(self.disk, number, self.folder, DOING) {
            Ok((segment, _)) => {
                self.seam(&segment, expected);
                return Ok(Some((segment, Place::start(&segment))));
            }
            Err(JournalError::Foreign {
                found, expected, ..
            }) => Flaw::Foreign { found, expected },
            Err(JournalError::Damaged(damage)) => damage.flaw,
            Err(error @ (JournalError::Newer { .. } | JournalError::Older { .. })) => {
                return Err(error);
            }
            Err(JournalError::Io { source, .. }) if is_in_the_way(&source) => {
                let unread = Unread::file(&segment::path(number), &source);
                self.report.unread.push(unread);
                return Ok(None);
            }
            Err(error) => Flaw::Unreadable(error.to_string()),
        };
        let foreign = matches!(flaw, Flaw::Foreign { .. });
        let damage = Damage {
            path: segment::path(number),
            offset: 0,
            seq: number,
            flaw,
        };
        self.report.add(damage);
        self.missing(number, expected);
        let (position, before) = expected.map_or((None, None), |at| (at.position, at.before));
        Ok(self.folder.filter(|_| !foreign).map(|folder| {
            let segment = Segment {
                folder,
                first: number,
                position: position.unwrap_or(0),
                before: before.unwrap_or(super::Hash::ZERO),
                length: 0,
            };
            let start = Place {
                position,
                before,
                ..Place::start(&segment)
            };
            (segment, start)
        }))
    }

    fn seam(&mut self, segment: &Segment, expected: Option<Place>) {
        if self.folder.is_none() {
            self.folder = Some(segment.folder);
        }
        if self.report.folder.is_none() {
            self.report.folder = Some(segment.folder);
            self.report.first = segment.first;
            self.report.before = Some(segment.before);
        }
        if self.missing(segment.first, expected) {
            return;
        }
        let behind = |base: &&Mark| base.seq + 1 == segment.first && expected.is_none();
        if self
            .base
            .filter(behind)
            .is_some_and(|base| base.hash != segment.before)
        {
            let start = Place::start(segment);
            self.report.add(start.damage(segment, Flaw::Other));
            return;
        }
        let Some(place) = expected else {
            return;
        };
        let other = place.before.is_some_and(|before| before != segment.before);
        let elsewhere = place
            .position
            .is_some_and(|position| position != segment.position);
        if other || elsewhere {
            let start = Place::start(segment);
            self.report.add(start.damage(segment, Flaw::Seam));
        }
    }

    /// Whether frames are missing before a segment, which is then told.
    fn missing(&mut self, first: u64, expected: Option<Place>) -> bool {
        let gap = expected.filter(|place| place.before.is_some() && place.seq < first);
        if let Some(place) = gap {
            self.report.add(Damage {
                path: segment::path(first),
                offset: 0,
                seq: first,
                flaw: Flaw::Missing { from: place.seq },
            });
        }
        gap.is_some()
    }

    /// Looks at one place of a segment and goes on from there.
    fn one(
        &mut self,
        walk: &mut Walk,
        window: &mut Window,
    ) -> Result<ControlFlow<()>, JournalError> {
        if walk.next.is_some_and(|next| walk.place.seq >= next) {
            self.remains(walk, window)?;
            return Ok(ControlFlow::Break(()));
        }
        let (flaw, next) = match step(window, walk.key, walk.place)? {
            Step::Frame(frame, next) => {
                let (mark, place) = (frame.mark, walk.place);
                walk.place = next;
                self.frame(walk.segment, place, mark);
                return Ok(ControlFlow::Continue(()));
            }
            Step::Flaw { flaw, next, .. } => (flaw, next),
        };
        let tail = tail::judge(window, walk.key, walk.place)?;
        let begun = walk.place.seq > walk.segment.first || walk.place.before.is_none();
        match tail {
            // The frames up to the next segment are in one that is gone, which is told there.
            Tail::Clean if walk.next.is_some() => return Ok(ControlFlow::Break(())),
            Tail::Clean if begun => return Ok(ControlFlow::Break(())),
            Tail::Torn { bytes } if begun && walk.next.is_none() => {
                self.report.remains.push(walk.remains(bytes));
                return Ok(ControlFlow::Break(()));
            }
            Tail::Written => return Ok(ControlFlow::Continue(())),
            Tail::Clean | Tail::Torn { .. } | Tail::Damaged => (),
        }
        self.report.add(walk.place.damage(&walk.segment, flaw));
        let next = match next {
            Some(next) => Some(next),
            None => walk.resume(window)?,
        };
        match next {
            Some(next) => walk.place = next,
            None => {
                walk.place = walk.place.lost();
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn frame(&mut self, segment: Segment, place: Place, mark: Mark) {
        self.report.frames += 1;
        self.report.last = Some(mark);
        let same = |marked: &&Mark| marked.seq == mark.seq;
        let anchor = self.anchor.filter(same);
        self.report.anchored |= anchor == Some(&mark);
        let marks = self.marks.iter().copied().filter(same);
        let mut marked = anchor.into_iter().chain(marks);
        if marked.any(|marked| *marked != mark) {
            self.report.add(place.damage(&segment, Flaw::Other));
        }
        if self.report.frames.is_multiple_of(FRAMES) {
            self.tell();
        }
    }

    /// What is behind the frames of a segment that is not the last: superseded, or left over.
    fn remains(&mut self, walk: &Walk, window: &mut Window) -> Result<(), JournalError> {
        if let Some(end) = tail::last_set(window, walk.place.offset)? {
            let bytes = end - walk.place.offset;
            self.report.remains.push(walk.remains(bytes));
        }
        Ok(())
    }

    fn against_marks(&mut self, last: Option<u64>) {
        let ends = last.map(segment::path);
        let mut unread = self.report.unread.iter();
        if unread.any(|unread| Some(&unread.path) == ends.as_ref()) {
            return;
        }
        let end = self.report.last.map_or(0, |last| last.seq);
        let marks = self.anchor.into_iter().chain(self.marks.iter().copied());
        let newest = marks.map(|mark| mark.seq).max();
        if let Some(marked) = newest.filter(|marked| *marked > end) {
            self.report.add(Damage {
                path: segment::path(last.unwrap_or(1)),
                offset: 0,
                seq: end + 1,
                flaw: match last {
                    Some(_) => Flaw::RolledBack { marked },
                    None => Flaw::Gone { marked },
                },
            });
        }
    }
}

struct Walk {
    segment: Segment,
    key: Key,
    /// The first frame of the next segment.
    next: Option<u64>,
    place: Place,
}

impl Walk {
    fn remains(&self, bytes: u64) -> Remains {
        Remains {
            path: self.segment.path(),
            offset: self.place.offset,
            bytes,
        }
    }

    /// The next whole frame behind a place where there is none.
    fn resume(&self, window: &mut Window) -> Result<Option<Place>, JournalError> {
        let (from, to) = (self.place.offset + 1, window.length);
        let Some(offset) = search(window, self.key, from, to)? else {
            return Ok(None);
        };
        let header = frame::header(self.key, window.get(offset, frame::HEADER)?);
        Ok(header.map(|header| Place {
            offset,
            seq: header.seq,
            position: None,
            before: None,
        }))
    }
}
