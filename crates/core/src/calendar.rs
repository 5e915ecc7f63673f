//! Open hours: what a [`Span`] counts in.

mod block;
mod closures;
mod days;
mod ledger;
pub(crate) mod local;
mod parts;
#[cfg(test)]
pub(crate) mod tests;
mod week;

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use self::block::Piece;
use self::block::{BLOCK_DAYS, Block, block_count, first_day, on_day};
use self::local::{DAY, instant, join, split, wall};
use crate::{Name, Span, SpanCount};

pub use self::block::YEARS;
pub use self::closures::Closure;
pub(crate) use self::days::DayRule;
pub use self::days::{Holiday, HolidayDays, WorkingDay, WorkingHours};
pub use self::ledger::{Ledger, Openings, Stretch, Why};
pub use self::parts::{CalendarError, CalendarParts};
pub use self::week::{Opening, WEEKDAYS, Week};

/// How far a calendar looks ahead: 40 years of 366 days. What lies beyond counts as never.
pub const HORIZON_SECONDS: i64 = 40 * 366 * DAY;

/// Open hours in a time zone, with holidays and make-up working days.
///
/// Cheap to clone. What has been worked out once is kept (see [`Calendar::after`] for what that costs), which
/// never changes an answer.
///
/// Openings hold their first instant, and not their last: at 18:00 a desk that is open until 18:00 is closed.
/// A deadline is another matter: one that falls exactly on closing time is the closing instant.
///
/// A local time that a zone skips means the first instant after the skip; one that it has twice means the
/// first. Open time is physical time: on the night when the clocks go back, a night shift is an hour longer.
///
/// ```
/// use jiff::Timestamp;
/// use jiff::tz::TimeZone;
/// use upline_core::calendar::{Calendar, CalendarParts, Opening, WEEKDAYS, Week};
/// use upline_core::{Name, Span};
///
/// let nine_to_six = Opening::new(9 * 3600, 18 * 3600)?;
/// let desk = Calendar::new(CalendarParts {
///     name: Name::from("office-hours"),
///     zone: TimeZone::UTC,
///     week: Week::of(&WEEKDAYS[..5], &[nine_to_six]),
///     holidays: vec![],
///     working_days: vec![],
/// })?;
/// let friday: Timestamp = "2026-03-06T17:50:00Z".parse()?;
/// let due = desk.after(friday, Span::minutes(15)).unwrap();
/// assert_eq!(due.to_string(), "2026-03-09T09:05:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Calendar(Arc<Inner>);

struct Inner {
    parts: CalendarParts,
    /// Open around the clock, with no day off ever.
    always: bool,
    blocks: Box<[OnceLock<Block>]>,
}

impl Calendar {
    /// Checks the parts and makes a calendar of them.
    ///
    /// # Errors
    ///
    /// The first [`CalendarError`] there is.
    pub fn new(mut parts: CalendarParts) -> Result<Self, CalendarError> {
        parts.settle()?;
        let always = parts.week.is_around_the_clock()
            && parts.holidays.is_empty()
            && parts.working_days.is_empty();
        let blocks = if always { 0 } else { block_count() };
        let blocks = (0..blocks).map(|_| OnceLock::new()).collect();
        Ok(Self(Arc::new(Inner {
            parts,
            always,
            blocks,
        })))
    }

    /// A calendar in which every second counts, and a day is 24 hours.
    #[must_use]
    pub fn around_the_clock(name: impl Into<Name>) -> Self {
        let parts = CalendarParts {
            name: name.into(),
            zone: TimeZone::UTC,
            week: Week::around_the_clock(),
            holidays: Vec::new(),
            working_days: Vec::new(),
        };
        Self(Arc::new(Inner {
            parts,
            always: true,
            blocks: Box::default(),
        }))
    }

    /// What the calendar is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.parts.name
    }

    /// Where its clock hangs.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.0.parts.zone
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &CalendarParts {
        &self.0.parts
    }

    /// Whether it is open around the clock, on every day.
    #[must_use]
    pub fn is_always_open(&self) -> bool {
        self.0.always
    }

    /// Whether time counts at `at`.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.0.always || self.piece(at).is_some_and(|piece| split(at).0 < piece.end)
    }

    /// `at` if it is open then, else the next instant at which it opens. `None` if that is beyond
    /// [`HORIZON_SECONDS`].
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        self.open_within(at, horizon(at))
    }

    /// When the opening ends that holds `at`; if it is closed at `at`, when the next one ends. `None` if that
    /// is beyond [`HORIZON_SECONDS`].
    #[must_use]
    pub fn next_close(&self, at: Timestamp) -> Option<Timestamp> {
        let limit = horizon(at);
        let open = self.open_within(at, limit)?;
        Some(self.close_within(open, limit)).filter(|close| *close < limit)
    }

    /// When a span that begins at `from` is over: the first instant at which so much of the calendar has
    /// passed.
    ///
    /// - Time counts while it is open. A span that is over exactly at closing time is over at the closing
    ///   instant, not at the next opening.
    /// - Days are steps from working day to working day, at the same time of day; a working day is one with
    ///   hours, and an opening over midnight belongs to the day on which it begins. A start outside of the
    ///   hours counts from the next open instant. If the day arrived at is closed at that time of day, the
    ///   span is over at the next open instant (at 18:00 of a day that closes at 18:00: at 18:00).
    /// - A span around the clock ignores the calendar, and its days have 24 hours.
    /// - A span that is not positive is over at `from`.
    ///
    /// `None` if that is beyond [`HORIZON_SECONDS`], as in a calendar that is closed for ever.
    ///
    /// Takes tens of nanoseconds; the first question about a stretch of 512 days takes some 100 µs once.
    #[must_use]
    pub fn after(&self, from: Timestamp, span: Span) -> Option<Timestamp> {
        match span.count {
            SpanCount::Time { seconds } if seconds <= 0 => Some(from),
            SpanCount::Days { days: 0 } => Some(from),
            SpanCount::Time { seconds } if span.around_the_clock || self.0.always => {
                physical(from, seconds)
            }
            SpanCount::Days { days } if span.around_the_clock => {
                physical(from, i64::from(days) * DAY)
            }
            SpanCount::Time { seconds } => self.after_seconds(from, seconds),
            SpanCount::Days { days } => self.after_days(from, days),
        }
    }

    /// When so many percent of a span that begins at `from` are over: for warnings before a promise is due.
    ///
    /// Of working days it is the share of the open time up to the end of the span. Rounded down to a second.
    #[must_use]
    pub fn after_percent(&self, from: Timestamp, span: Span, percent: u32) -> Option<Timestamp> {
        let part = |seconds: i64| {
            let part = i128::from(seconds) * i128::from(percent) / 100;
            i64::try_from(part).unwrap_or(i64::MAX)
        };
        match span.count {
            SpanCount::Days { .. } if !span.around_the_clock => {
                let whole = self.elapsed(from, self.after(from, span)?);
                self.after(from, Span::seconds(part(whole)))
            }
            SpanCount::Days { .. } => self.after(
                from,
                Span::seconds(part(span.at_least_seconds())).around_the_clock(),
            ),
            SpanCount::Time { seconds } => self.after(
                from,
                Span {
                    count: SpanCount::Time {
                        seconds: part(seconds),
                    },
                    ..span
                },
            ),
        }
    }

    /// How many whole seconds were open between two instants; 0 if `to` is not after `from`.
    #[must_use]
    pub fn elapsed(&self, from: Timestamp, to: Timestamp) -> i64 {
        if to <= from {
            return 0;
        }
        let (from, to) = (split(from), split(to));
        let (start, end) = if self.0.always {
            (from, to)
        } else {
            let (Some(first), Some(last)) = (self.block_from(from.0), self.block_to(to.0)) else {
                return 0;
            };
            let between = |number| self.block(number).map_or(0, |block| block.total);
            let whole: i64 = (first..last).map(between).sum();
            let open = |number, at| {
                self.block(number)
                    .map_or((0, 0), |block| block.open_before(at))
            };
            let (start, end) = (open(first, from), open(last, to));
            (start, (whole + end.0, end.1))
        };
        end.0 - start.0 - i64::from(end.1 < start.1)
    }

    fn after_seconds(&self, from: Timestamp, seconds: i64) -> Option<Timestamp> {
        let at = split(from);
        let limit = at.0.saturating_add(HORIZON_SECONDS);
        let mut number = self.block_from(at.0)?;
        let mut block = self.block(number)?;
        // Most spans are over before the desk closes.
        if let Some((_, piece)) = block.at(at.0)
            && (at.0.checked_add(seconds)?, at.1) <= (piece.end, 0)
        {
            return Timestamp::new(at.0 + seconds, at.1).ok();
        }
        let open = block.open_before(at);
        let mut target = (open.0.checked_add(seconds)?, open.1);
        while target > (block.total, 0) {
            target.0 -= block.total;
            if block.end > limit {
                return None;
            }
            number += 1;
            block = self.block(number)?;
        }
        let due = block.when_open(target)?;
        (due <= (limit, at.1)).then(|| join(due.0, due.1))
    }

    fn after_days(&self, from: Timestamp, days: u32) -> Option<Timestamp> {
        let start = self.next_open(from)?;
        let (day, seconds) = self.working_time(start);
        let day = if self.0.always {
            day.checked_add(i64::from(days))?
        } else {
            self.step_days(day, days)?
        };
        let at = join(instant(self.zone(), day * DAY + seconds), split(start).1);
        let closing = |at: Timestamp| {
            self.piece_before(at)
                .is_some_and(|piece| split(at) == (piece.end, 0))
        };
        let due = if self.is_open(at) || closing(at) {
            at
        } else {
            self.next_open(at)?
        };
        Some(due).filter(|due| *due <= horizon(from))
    }

    /// The working day that an open instant belongs to, and the time on the clock since that day's midnight.
    pub(crate) fn working_time(&self, open: Timestamp) -> (i64, i64) {
        let wall = wall(self.zone(), open);
        let (day, seconds) = (wall.div_euclid(DAY), wall.rem_euclid(DAY));
        let yesterday = if self.0.always {
            &[]
        } else {
            self.0.parts.rule(day - 1).openings()
        };
        let runs_over = yesterday.iter().any(|opening| {
            i64::from(opening.end()) > DAY
                && split(open).0 < on_day(self.zone(), day - 1, opening.end())
                && split(open).0 >= on_day(self.zone(), day - 1, opening.start())
        });
        if runs_over {
            (day - 1, seconds + DAY)
        } else {
            (day, seconds)
        }
    }

    /// The `count`-th working day after a day.
    pub(crate) fn step_days(&self, day: i64, count: u32) -> Option<i64> {
        let place = day + 1 - first_day();
        let mut number = usize::try_from(place.div_euclid(BLOCK_DAYS)).ok()?;
        let mut from = place.rem_euclid(BLOCK_DAYS);
        let mut left = count;
        loop {
            match self.block(number)?.working_day(from, left) {
                Ok(found) => return Some(first_day() + number as i64 * BLOCK_DAYS + found),
                Err(passed) => left -= passed,
            }
            (number, from) = (number + 1, 0);
        }
    }

    /// The first open instant from `at` on and before `limit`.
    fn open_within(&self, at: Timestamp, limit: Timestamp) -> Option<Timestamp> {
        if self.0.always {
            return Some(at).filter(|at| *at < limit);
        }
        let second = split(at).0;
        let mut number = self.block_from(second)?;
        let mut next = match self.block(number)?.at(second) {
            Some((_, piece)) if second < piece.end => return Some(at).filter(|at| *at < limit),
            Some((last, _)) => last + 1,
            None => 0,
        };
        loop {
            let block = self.block(number)?;
            if let Some(piece) = block.pieces.get(next) {
                return Some(join(piece.start, 0)).filter(|open| *open < limit);
            }
            if join(block.end, 0) >= limit {
                return None;
            }
            (number, next) = (number + 1, 0);
        }
    }

    /// When the opening that holds `open` ends, or `limit` if that comes first.
    fn close_within(&self, open: Timestamp, limit: Timestamp) -> Timestamp {
        let second = split(open).0;
        let (Some(mut number), Some(piece)) = (self.block_from(second), self.piece(open)) else {
            return limit;
        };
        let mut end = piece.end;
        while let Some(block) = self.block(number)
            && end == block.end
            && join(end, 0) < limit
        {
            number += 1;
            match self.block(number).and_then(|next| next.pieces.first()) {
                Some(next) if next.start == end => end = next.end,
                _ => break,
            }
        }
        join(end, 0).min(limit)
    }

    /// The last piece that begins at or before an instant, in the block that holds it.
    fn piece(&self, at: Timestamp) -> Option<Piece> {
        let (second, _) = split(at);
        let number = self.block_from(second)?;
        self.block(number)?.at(second).map(|(_, piece)| piece)
    }

    /// The last piece that begins before an instant, be it in the block before.
    fn piece_before(&self, at: Timestamp) -> Option<Piece> {
        self.piece(join(split(at).0 - 1, 0))
    }

    /// The block that holds `second`, or the first one if that is before all of them.
    pub(crate) fn block_from(&self, second: i64) -> Option<usize> {
        let place = second.div_euclid(DAY) - first_day();
        // Local midnight is up to 26 hours from that of UTC, so that the neighbours are asked too.
        let guess = usize::try_from(place.div_euclid(BLOCK_DAYS)).unwrap_or(0);
        let guess = guess.min(self.0.blocks.len().checked_sub(1)?);
        let block = self.block(guess)?;
        if second < block.begin {
            Some(guess.saturating_sub(1))
        } else if second >= block.end {
            Some(guess + 1).filter(|next| *next < self.0.blocks.len())
        } else {
            Some(guess)
        }
    }

    /// The block that holds `second`, or the last one if that is after all of them.
    fn block_to(&self, second: i64) -> Option<usize> {
        self.block_from(second)
            .or_else(|| self.0.blocks.len().checked_sub(1))
    }

    /// The openings of the block with this number, and where the block ends, in seconds. For those who want
    /// all of them in order: the numbers begin with that of [`Self::block_from`].
    pub(crate) fn block_openings(&self, number: usize) -> Option<(&[Piece], i64)> {
        self.block(number).map(|block| (&*block.pieces, block.end))
    }

    fn block(&self, number: usize) -> Option<&Block> {
        let block = self.0.blocks.get(number)?;
        Some(block.get_or_init(|| Block::build(&self.0.parts, number)))
    }
}

/// Two calendars are the same if they are made of the same parts.
impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.parts == other.0.parts
    }
}

impl Eq for Calendar {}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.parts.fmt(f)
    }
}

/// So many seconds later by the clock of physics.
fn physical(from: Timestamp, seconds: i64) -> Option<Timestamp> {
    let (second, nanos) = split(from);
    Timestamp::new(second.checked_add(seconds)?, nanos)
        .ok()
        .filter(|due| *due <= horizon(from))
}

/// The last instant that a calendar looks ahead to.
fn horizon(from: Timestamp) -> Timestamp {
    let (second, nanos) = split(from);
    join(second.saturating_add(HORIZON_SECONDS), nanos)
}
