//! The open time of 512 days, worked out once.
//!
//! A calendar is asked the same few weeks over and over. Each [`Block`] holds the openings of 512 days as
//! sorted instants with running sums, so that "is it open", "when are 15 minutes over" and "how much of it
//! was open" are each one binary search and no zone lookup; and ten years are eight blocks.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::CalendarParts;
use super::local::{Clocks, DAY, day_number, instant};

/// Days in a block.
pub(crate) const BLOCK_DAYS: i64 = 512;
const WORDS: usize = (BLOCK_DAYS / 64) as usize;

/// The first and the last year that calendars know; outside of them every calendar but one that is open
/// around the clock is closed.
pub const YEARS: (i16, i16) = (1900, 2299);

/// The number of the first day that calendars know.
pub(crate) fn first_day() -> i64 {
    day_number(Date::constant(YEARS.0, 1, 1))
}

/// The number of the first day after those that calendars know.
pub(crate) fn end_day() -> i64 {
    day_number(Date::constant(YEARS.1 + 1, 1, 1))
}

/// How many blocks there are.
pub(crate) fn block_count() -> usize {
    ((end_day() - first_day() + BLOCK_DAYS - 1) / BLOCK_DAYS).unsigned_abs() as usize
}

/// An opening in instants, and what was open in its block before it. All in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Open seconds of the block before `start`.
    pub(crate) before: i64,
}

impl Piece {
    /// Open seconds of the block before `end`.
    pub(crate) fn through(self) -> i64 {
        self.before + self.end - self.start
    }
}

/// What is open from `begin` to `end`.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) begin: i64,
    pub(crate) end: i64,
    /// In order, apart from each other, within `begin..end`.
    pub(crate) pieces: Box<[Piece]>,
    /// Open seconds in all.
    pub(crate) total: i64,
    /// For each 24 hours since `begin`: how many pieces begin before them. The search for a piece begins with
    /// it, and is over at once where a day has two or three.
    days: Box<[u32]>,
    /// One bit a day: whether it has hours.
    working: [u64; WORDS],
}

impl Block {
    /// Works out the block with this number.
    pub(crate) fn build(parts: &CalendarParts, number: usize) -> Self {
        let first = first_day() + number as i64 * BLOCK_DAYS;
        let after = (first + BLOCK_DAYS).min(end_day());
        let clocks = Clocks::new(&parts.zone, (first - 2) * DAY, (after + 2) * DAY);
        let (begin, end) = (clocks.instant(first * DAY), clocks.instant(after * DAY));
        let mut block = Self {
            begin,
            end,
            pieces: Box::default(),
            total: 0,
            days: Box::default(),
            working: [0; WORDS],
        };
        let mut pieces: Vec<Piece> = Vec::new();
        // The day before may run over midnight into this block; the last one is cut where the next begins.
        for day in first - 1..after {
            let openings = if day < first_day() {
                &[]
            } else {
                parts.rule(day).openings()
            };
            if day >= first && !openings.is_empty() {
                let bit = (day - first).unsigned_abs() as usize;
                block.working[bit / 64] |= 1 << (bit % 64);
            }
            for opening in openings {
                let on_day = |seconds: u32| clocks.instant(day * DAY + i64::from(seconds));
                let (start, close) = (on_day(opening.start()), on_day(opening.end()));
                push(&mut pieces, start.max(begin), close.min(end));
            }
        }
        block.total = pieces.last().map_or(0, |piece| piece.through());
        let starts = (begin..end + DAY).step_by(DAY as usize);
        let mut before = 0;
        let count = |start| {
            let more = pieces.iter().skip(before as usize);
            before += more.take_while(|piece| piece.start < start).count() as u32;
            before
        };
        block.days = starts.map(count).collect();
        block.pieces = pieces.into_boxed_slice();
        block
    }

    /// The last piece that begins at or before `second`.
    pub(crate) fn at(&self, second: i64) -> Option<(usize, Piece)> {
        let day = usize::try_from((second - self.begin).div_euclid(DAY)).ok()?;
        let (Some(from), Some(to)) = (self.days.get(day), self.days.get(day + 1)) else {
            let last = self.pieces.len().checked_sub(1)?;
            return Some((last, self.pieces[last]));
        };
        let of_day = self.pieces.get(*from as usize..*to as usize)?;
        let next = *from as usize + of_day.partition_point(|piece| piece.start <= second);
        next.checked_sub(1).map(|last| (last, self.pieces[last]))
    }

    /// Open time of the block before an instant, as seconds and nanoseconds.
    pub(crate) fn open_before(&self, (second, nanos): (i64, i32)) -> (i64, i32) {
        match self.at(second) {
            None => (0, 0),
            Some((_, piece)) if second < piece.end => (piece.before + second - piece.start, nanos),
            Some((_, piece)) => (piece.through(), 0),
        }
    }

    /// The first instant before which so much was open, which must not be more than [`Block::total`].
    pub(crate) fn when_open(&self, (seconds, nanos): (i64, i32)) -> Option<(i64, i32)> {
        let found = self
            .pieces
            .partition_point(|piece| (piece.through(), 0) < (seconds, nanos));
        let piece = self.pieces.get(found)?;
        Some((piece.start + seconds - piece.before, nanos))
    }

    /// The `count`-th day with hours from the day with this place in the block on; or how many there are, if
    /// they are fewer. `count` begins with 1.
    pub(crate) fn working_day(&self, from: i64, count: u32) -> Result<i64, u32> {
        let mut left = count;
        let from = from.clamp(0, BLOCK_DAYS).unsigned_abs() as usize;
        for (number, word) in self.working.iter().enumerate().skip(from / 64) {
            let mut bits = if number == from / 64 {
                word & (u64::MAX << (from % 64))
            } else {
                *word
            };
            if bits.count_ones() < left {
                left -= bits.count_ones();
                continue;
            }
            for _ in 1..left {
                bits &= bits - 1;
            }
            return Ok(number as i64 * 64 + i64::from(bits.trailing_zeros()));
        }
        Err(count - left)
    }
}

/// The instant at which the day's clock shows so many seconds.
pub(crate) fn on_day(zone: &TimeZone, day: i64, seconds: u32) -> i64 {
    instant(zone, day * DAY + i64::from(seconds))
}

/// Adds an opening after the others; what touches or overlaps becomes one piece.
fn push(pieces: &mut Vec<Piece>, start: i64, end: i64) {
    if let Some(last) = pieces.last_mut()
        && start <= last.end
    {
        last.end = last.end.max(end);
    } else if start < end {
        let before = pieces.last().map_or(0, |piece| piece.through());
        pieces.push(Piece { start, end, before });
    }
}
