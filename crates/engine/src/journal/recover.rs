//! Opening: which segments there are, what is in them, and where to go on.

use std::sync::Arc;

use super::error::{Flaw, JournalError};
use super::frame::{Key, OVERHEAD};
use super::mark::{FolderId, Frame, Mark, Remains};
use super::segment::{self, Segment};
use super::shared::{Active, End, Shared};
use super::tail::{self, Tail};
use super::walk::{Place, Step, Window, step};
use super::{FOLDER, Options};
use crate::disk::Disk;

const DOING: &str = "open the journal";

/// The last frame, and what is behind it.
pub(super) struct Found {
    pub(super) last: Option<Last>,
    pub(super) remains: Option<Remains>,
}

#[derive(Clone, Copy)]
pub(super) struct Last {
    pub(super) mark: Mark,
    payload: usize,
}

impl Last {
    /// The position behind it.
    pub(super) fn end(&self) -> u64 {
        self.mark.position.0 + (self.payload + OVERHEAD) as u64
    }

    /// The place behind it.
    pub(super) fn behind(&self, segment: &Segment) -> Place {
        Place {
            offset: segment.offset(self.end()),
            seq: self.mark.seq + 1,
            position: Some(self.end()),
            before: Some(self.mark.hash),
        }
    }
}

/// Reads the headers of all segments, which must fit each other.
pub(super) fn survey(
    disk: &dyn Disk,
    names: &[String],
    folder: Option<FolderId>,
) -> Result<Vec<Segment>, JournalError> {
    let mut segments: Vec<Segment> = Vec::new();
    for number in segment::numbers(names) {
        let expected = folder.or(segments.first().map(|first| first.folder));
        let (segment, _) = segment::open(disk, number, expected, DOING)?;
        let grows = |before: &Segment| segment.position > before.position;
        if !segments.last().is_none_or(grows) {
            return Err(Place::start(&segment).damage(&segment, Flaw::Seam).into());
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Walks through segments, the last of which is the journal's last, from a place in the first of them.
pub(super) fn walk<E: From<JournalError>>(
    disk: &dyn Disk,
    key: Key,
    segments: &[Segment],
    from: Option<(Place, Last)>,
    mut each: impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<Found, E> {
    let mut found = Found {
        last: from.map(|(_, last)| last),
        remains: None,
    };
    let mut start = from.map(|(place, _)| place);
    for (index, segment) in segments.iter().enumerate() {
        let next = segments.get(index + 1);
        let mut window = window(disk, segment, next.is_none())?;
        let mut place = start.take().unwrap_or_else(|| Place::start(segment));
        let end = loop {
            if next.is_some_and(|next| next.first == place.seq) {
                break place;
            }
            match step(&mut window, key, place)? {
                Step::Frame(frame, behind) => {
                    let (mark, payload) = (frame.mark, frame.payload.len());
                    each(frame)?;
                    found.last = Some(Last { mark, payload });
                    place = behind;
                }
                Step::Flaw { flaw, .. } => {
                    let tail = tail::judge(&mut window, key, place)?;
                    if tail == Tail::Written {
                        continue;
                    }
                    found.remains = end(tail, segment, next, place, flaw)?;
                    break place;
                }
            }
        };
        if let Some(next) = next {
            fits(end, next)?;
        }
    }
    Ok(found)
}

fn window(disk: &dyn Disk, segment: &Segment, last: bool) -> Result<Window, JournalError> {
    let file = disk
        .open_read(&segment.path())
        .map_err(JournalError::io(DOING))?;
    let window = Window::new(file, DOING)?;
    // One that was superseded may have been cut to what it is used for; the last never is.
    if last && window.length < segment.length {
        let place = Place {
            offset: window.length,
            ..Place::start(segment)
        };
        let flaw = Flaw::Cut {
            found: window.length,
            made: segment.length,
        };
        return Err(place.damage(segment, flaw).into());
    }
    Ok(window)
}

/// What the flaw at a place means: the journal's end with what may be behind it, or damage.
fn end(
    tail: Tail,
    segment: &Segment,
    next: Option<&Segment>,
    place: Place,
    flaw: Flaw,
) -> Result<Option<Remains>, JournalError> {
    if let Some(next) = next {
        // Nothing was ever written here: it is not this file that is damaged, but one that is gone.
        let missing = Flaw::Missing { from: place.seq };
        return Err(match tail {
            Tail::Clean => Place::start(next).damage(next, missing).into(),
            _ => place.damage(segment, flaw).into(),
        });
    }
    match tail {
        // A segment gets its name after its first frame is synced.
        _ if place.seq == segment.first => Err(place.damage(segment, flaw).into()),
        Tail::Clean => Ok(None),
        Tail::Torn { bytes } => Ok(Some(Remains {
            path: segment.path(),
            offset: place.offset,
            bytes,
        })),
        Tail::Damaged | Tail::Written => Err(place.damage(segment, flaw).into()),
    }
}

/// Whether a segment goes on where the one before ends.
pub(super) fn fits(end: Place, next: &Segment) -> Result<(), JournalError> {
    if end.before == Some(next.before) && end.position == Some(next.position) {
        return Ok(());
    }
    let header = Place {
        offset: 0,
        ..Place::start(next)
    };
    Err(header.damage(next, Flaw::Seam).into())
}

/// Finds the frame of a mark: the number of its segment, and the place behind it. It may be the last frame of
/// those that were removed: then the walk begins at the beginning.
fn behind(
    disk: &dyn Disk,
    key: Key,
    segments: &[Segment],
    mark: &Mark,
) -> Result<(usize, Option<(Place, Last)>), JournalError> {
    let rolled_back = |end| JournalError::RolledBack {
        end,
        marked: Box::new(*mark),
    };
    let oldest = segments.first().ok_or_else(|| rolled_back(0))?;
    let after = segments.partition_point(|segment| segment.position <= mark.position.0);
    let Some(index) = after.checked_sub(1) else {
        if oldest.first == mark.seq + 1 && oldest.before == mark.hash {
            return Ok((0, None));
        }
        let oldest = oldest.first;
        return Err(JournalError::Removed { oldest });
    };
    let segment = &segments[index];
    let place = Place {
        offset: segment.offset(mark.position.0),
        seq: mark.seq,
        position: Some(mark.position.0),
        before: None,
    };
    let mut window = window(disk, segment, index + 1 == segments.len())?;
    if let Step::Frame(frame, behind) = step(&mut window, key, place)?
        && frame.mark == *mark
    {
        let payload = frame.payload.len();
        let mark = frame.mark;
        return Ok((index, Some((behind, Last { mark, payload }))));
    }
    // Not there. Is it damaged, does the journal end before it, or is it another journal?
    let rest = walk::<JournalError>(disk, key, &segments[index..], None, |_| Ok(()))?;
    let end = rest.last.map_or(segment.first, |last| last.mark.seq);
    if end < mark.seq {
        return Err(rolled_back(end));
    }
    Err(place.damage(segment, Flaw::Other).into())
}

/// Opens for writing.
pub(super) fn open<E: From<JournalError>>(
    disk: Arc<dyn Disk>,
    options: Options,
    after: Option<&Mark>,
    each: impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<(Shared, Option<Remains>), E> {
    let names = segment::names(&*disk, DOING)?;
    let segments = survey(&*disk, &names, Some(options.folder))?;
    let key = Key::new(options.folder);
    let (first, from) = match after {
        Some(mark) => behind(&*disk, key, &segments, mark)?,
        None => (0, None),
    };
    if let (None, Some(oldest)) = (after, segments.first().filter(|oldest| oldest.first > 1)) {
        let oldest = oldest.first;
        return Err(JournalError::Removed { oldest }.into());
    }
    let found = walk(&*disk, key, &segments[first..], from, each)?;
    if let Some(known) = &options.acknowledged {
        reaches(known, &segments, &found)?;
    }
    tidy(&*disk, &names).map_err(JournalError::io(DOING))?;
    let end = settle(&*disk, &segments, &found)?;
    let shared = Shared::new(disk, options.folder, options.segment_bytes, segments, end);
    Ok((shared, found.remains))
}

/// Whether a journal has what is known to have been in it.
fn reaches(known: &Mark, segments: &[Segment], found: &Found) -> Result<(), JournalError> {
    let last = found.last.map(|last| last.mark);
    match (last, segments.last()) {
        (Some(last), Some(segment)) if last.seq == known.seq && last != *known => {
            let place = Place {
                offset: segment.offset(last.position.0),
                seq: last.seq,
                position: Some(last.position.0),
                before: None,
            };
            Err(place.damage(segment, Flaw::Other).into())
        }
        (Some(last), _) if last.seq >= known.seq => Ok(()),
        _ => Err(JournalError::RolledBack {
            end: last.map_or(0, |last| last.seq),
            marked: Box::new(*known),
        }),
    }
}

/// Removes what was being made when the last process ended.
fn tidy(disk: &dyn Disk, names: &[String]) -> std::io::Result<()> {
    let mut unfinished = names.iter().filter(|name| segment::is_unfinished(name));
    unfinished.try_for_each(|name| disk.remove(&format!("{FOLDER}/{name}")))
}

/// Makes what was found survive a power cut, and says where to go on.
fn settle(disk: &dyn Disk, segments: &[Segment], found: &Found) -> Result<End, JournalError> {
    let fail = JournalError::io(DOING);
    let mut end = End {
        superseded: found.remains.clone(),
        ..End::default()
    };
    let (Some(segment), Some(last)) = (segments.last(), found.last) else {
        disk.create_folder(FOLDER).map_err(&fail)?;
        disk.sync_folder("").map_err(&fail)?;
        // The process before may have made one and taken it away again. Now that it is told that there is
        // none, it must not come back.
        disk.sync_folder(FOLDER).map_err(&fail)?;
        return Ok(end);
    };
    let behind = last.behind(segment);
    let path = segment.path();
    let file = disk.open(&path).map_err(&fail)?;
    // The process before may have ended because this frame could not be synced. Then it is read here, and is
    // not on the disk, and no sync would write it: the system takes it for written. So it is written again.
    let from = segment.offset(last.mark.position.0);
    let mut bytes = vec![0; usize::try_from(behind.offset - from).unwrap_or(0)];
    file.read_at(&mut bytes, from).map_err(&fail)?;
    file.write_at(&bytes, from).map_err(&fail)?;
    file.sync().map_err(&fail)?;
    disk.sync_folder(FOLDER).map_err(&fail)?;

    end.mark = Some(last.mark);
    end.position = last.end();
    if found.remains.is_none() {
        let length = file.len().map_err(&fail)?;
        end.active = Some(Active {
            file,
            path,
            offset: behind.offset,
            length,
        });
    }
    Ok(end)
}
