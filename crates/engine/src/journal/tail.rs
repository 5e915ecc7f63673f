//! What is behind the last whole frame of the last segment: nothing, a write that was cut off, or damage.

use super::error::JournalError;
use super::frame::{self, Key};
use super::walk::{Place, Step, Window, search, step};
use crate::disk::SECTOR;

/// Bytes looked at in one go.
const CHUNK: usize = 1 << 18;
/// How often a place that looks damaged is looked at. Once more is enough for the race that it is for; the
/// next one is for a write that was seen in the middle.
const LOOKS: usize = 3;

/// What is at the end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Zeros: the next frame can be written here.
    Clean,
    /// A write that a crash or an error cut off; so many bytes. Nobody was told of it.
    Torn { bytes: u64 },
    /// Something was here that is not any more.
    Damaged,
    /// The frame that must be here: it was written while this was read. The place can be read again.
    Written,
}

/// Judges what begins at a place where no whole frame that fits was found.
///
/// Another process may be writing. Then this place was read before a frame came there, and what is behind it
/// was read after the next ones came. Frames are written one after the other: whoever has seen a later one
/// finds this one too when he looks again. Damage is what is still the same then.
pub(super) fn judge(window: &mut Window, key: Key, place: Place) -> Result<Tail, JournalError> {
    for _ in 0..LOOKS {
        match judge_once(window, key, place.offset)? {
            Tail::Damaged => window.forget(),
            tail => return Ok(tail),
        }
        if matches!(step(window, key, place)?, Step::Frame(..)) {
            return Ok(Tail::Written);
        }
    }
    Ok(Tail::Damaged)
}

/// One frame at most was not synced when the power went, and everything behind the last synced byte was zero
/// before. So the remains of a write are one frame's, and at least one of its sectors, or its end, is still
/// zero. What can't have come about so is damage.
fn judge_once(window: &mut Window, key: Key, at: u64) -> Result<Tail, JournalError> {
    let Some(last) = last_set(window, at)? else {
        return Ok(Tail::Clean);
    };
    if search(window, key, at, last)?.is_some() {
        return Ok(Tail::Damaged);
    }
    let header = frame::header(key, window.get(at, frame::HEADER)?);
    let length = header.map_or(frame::HEADER as u64, |header| header.frame());
    let end = at.saturating_add(length);
    let written = match header {
        // Nothing was ever written behind the one frame that was not synced.
        Some(_) if last > end || end > window.length => return Ok(Tail::Damaged),
        Some(_) => last == end,
        None => last > end,
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let gap = missing_sector(window.get(at, length)?, at);
    if written && !gap {
        return Ok(Tail::Damaged);
    }
    let bytes = last - at;
    Ok(Tail::Torn { bytes })
}

/// The end of the last byte from `at` on that is not zero.
pub(super) fn last_set(window: &mut Window, at: u64) -> Result<Option<u64>, JournalError> {
    let mut from = at;
    let mut last = None;
    while from < window.length {
        let bytes = window.get(from, CHUNK)?;
        if bytes.is_empty() {
            break;
        }
        // Asked first, because it is ten times as fast and nearly always all there is to know.
        let set = bytes.iter().fold(0, |set, byte| set | byte) != 0;
        let index = set.then(|| bytes.iter().rposition(|byte| *byte != 0));
        if let Some(index) = index.flatten() {
            last = Some(from + index as u64 + 1);
        }
        from += bytes.len() as u64;
    }
    Ok(last)
}

/// Whether one of the sectors that these bytes lie in has only zeros of them.
fn missing_sector(bytes: &[u8], at: u64) -> bool {
    let sector = SECTOR as u64;
    let first = usize::try_from(sector - at % sector).unwrap_or(SECTOR);
    let (head, rest) = bytes.split_at(first.min(bytes.len()));
    let zeros = |part: &[u8]| part.iter().all(|byte| *byte == 0);
    (!head.is_empty() && zeros(head)) || rest.chunks(SECTOR).any(zeros)
}
