//! A copy of the journal while it is written: what a backup takes.

use std::io;

use super::FOLDER;
use super::error::{Flaw, JournalError};
use super::mark::{Mark, Position};
use super::read::JournalReader;
use super::segment::{self, Segment};
use super::walk::Place;
use crate::disk::{Disk, DiskFile};

const DOING: &str = "copy the journal";
/// Bytes copied at once.
const CHUNK: usize = 1 << 20;

impl JournalReader {
    /// Copies the journal as it is now into another folder, which has none, and returns the mark of the last
    /// frame in the copy. The copy survives a power cut when this returns; only then should it be called one.
    ///
    /// Copying the files by other means while somebody writes is not the same: of a write that failed, and
    /// was superseded a moment later, such a copy may have the one and not the other. The bytes are copied
    /// as they are, so a copy is worth a [`verify`](super::verify()) with that mark.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Full`] with what is there of the copy left behind;
    /// [`JournalError::Removed`] if the retention rule overtook it: begin again.
    pub fn copy_to(&self, to: &dyn Disk) -> Result<Option<Mark>, JournalError> {
        let fail = JournalError::io(DOING);
        if !segment::numbers(&segment::names(to, DOING)?).is_empty() {
            let there = io::Error::new(io::ErrorKind::AlreadyExists, "it has a journal already");
            return Err(fail(there));
        }
        let (head, end) = self.head_and_end();
        to.create_folder(FOLDER).map_err(&fail)?;
        let segments = self.segments_before(end);
        for (index, segment) in segments.iter().enumerate() {
            let next = segments.get(index + 1);
            self.copy_segment(to, segment, next, end)?;
        }
        to.sync_folder(FOLDER).map_err(&fail)?;
        to.sync_folder("").map_err(&fail)?;
        Ok(head)
    }

    fn copy_segment(
        &self,
        to: &dyn Disk,
        segment: &Segment,
        next: Option<&Segment>,
        end: Position,
    ) -> Result<(), JournalError> {
        let fail = JournalError::io(DOING);
        let file = self.file(segment, DOING)?;
        let limit = segment.offset(next.map_or(end.0, |next| next.position));
        let path = segment.path();
        let unfinished = format!("{path}.tmp");
        let copy = to.create(&unfinished).map_err(&fail)?;
        // Somebody may write to the last again, and counts on its room.
        let length = if next.is_none() {
            segment.length
        } else {
            limit
        };
        copy.allocate(length).map_err(&fail)?;
        if let Some(missing) = copy_bytes(&*file, &*copy, limit).map_err(&fail)? {
            let place = Place {
                offset: missing,
                ..Place::start(segment)
            };
            let flaw = Flaw::Cut {
                found: missing,
                made: segment.length,
            };
            return Err(place.damage(segment, flaw).into());
        }
        copy.sync().map_err(&fail)?;
        to.rename(&unfinished, &path).map_err(&fail)
    }
}

/// Copies the beginning of a file; says where it ends if that is too early.
fn copy_bytes(from: &dyn DiskFile, to: &dyn DiskFile, end: u64) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; CHUNK.min(usize::try_from(end).unwrap_or(CHUNK))];
    let mut at = 0;
    while at < end {
        let count = usize::try_from(end - at).unwrap_or(CHUNK).min(bytes.len());
        let read = from.read_at(&mut bytes[..count], at)?;
        to.write_at(&bytes[..read], at)?;
        at += read as u64;
        if read < count {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
