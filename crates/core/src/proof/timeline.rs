//! The open time of a calendar from the first instant of the proof on, as one list.

use crate::Calendar;
use crate::calendar::HORIZON_SECONDS;
use crate::calendar::local::{DAY, join, split};

/// Opening hours are listed so many seconds at a time.
const STEP: i64 = 128 * DAY;

/// An opening, and what was open before it. All in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Open seconds before `start`.
    pub(super) before: i64,
}

impl Piece {
    /// Open seconds before `end`.
    pub(super) fn through(&self) -> i64 {
        self.before + self.end - self.start
    }
}

/// Openings in order, listed as far as was asked for.
pub(super) struct Timeline<'a> {
    pub(super) calendar: &'a Calendar,
    pieces: Vec<Piece>,
    /// Up to here they are listed.
    until: i64,
    /// Further than this nothing counts.
    limit: i64,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(calendar: &'a Calendar, from: i64, to: i64) -> Self {
        Self {
            calendar,
            pieces: Vec::new(),
            until: from,
            limit: to.saturating_add(HORIZON_SECONDS),
        }
    }

    /// Lists more. `false`: there is no more.
    fn extend(&mut self) -> bool {
        if self.until >= self.limit {
            return false;
        }
        let to = (self.until + STEP).min(self.limit);
        let openings = self
            .calendar
            .openings(join(self.until, 0), join(to, 0))
            .map(|(open, close)| (split(open).0, split(close).0));
        // What touches stays apart: a closing of no length does no harm, and all pieces are complete.
        for (start, end) in openings {
            let before = self.pieces.last().map_or(0, Piece::through);
            self.pieces.push(Piece { start, end, before });
        }
        self.until = to;
        true
    }

    /// The piece with this number.
    pub(super) fn piece(&mut self, number: usize) -> Option<Piece> {
        while self.pieces.len() <= number {
            if !self.extend() {
                return None;
            }
        }
        self.pieces.get(number).copied()
    }

    /// The number of the first piece that ends after `at`.
    pub(super) fn at(&mut self, at: i64) -> Option<usize> {
        self.find(|piece| piece.end <= at)
    }

    /// The number of the first piece through which more than `open` seconds have passed.
    pub(super) fn beyond(&mut self, open: i64) -> Option<usize> {
        self.find(|piece| piece.through() <= open)
    }

    /// The number of the first piece of which `over` does not hold; it holds of those before it only.
    fn find(&mut self, over: impl Fn(&Piece) -> bool) -> Option<usize> {
        loop {
            let found = self.pieces.partition_point(&over);
            if found < self.pieces.len() {
                return Some(found);
            }
            if !self.extend() {
                return None;
            }
        }
    }

    /// Open seconds before an instant.
    pub(super) fn open_before(&mut self, at: i64) -> Option<i64> {
        let found = self.at(at)?;
        let piece = self.piece(found)?;
        Some(piece.before + (at - piece.start).max(0))
    }

    /// The first instant at which so many seconds have been open.
    pub(super) fn when_open(&mut self, open: i64) -> Option<i64> {
        if open <= 0 {
            let first = self.piece(0)?;
            return Some(first.start);
        }
        let found = self.find(|piece| piece.through() < open)?;
        let piece = self.piece(found)?;
        Some(piece.start + open - piece.before)
    }

    /// The instant itself if it is open or a closing, else the next opening.
    pub(super) fn open_at(&mut self, at: i64) -> Option<i64> {
        let found = self.find(|piece| piece.end < at)?;
        let piece = self.piece(found)?;
        Some(at.max(piece.start))
    }

    /// The longest that so much open time takes, begun from `from` to `to`, and the begin right after which
    /// that is so.
    ///
    /// The wait is longest right after an instant from which it would be over at a closing: a moment later
    /// the
    /// rest of it must wait for the next opening. The other candidate is the first begin.
    pub(super) fn longest(&mut self, open: i64, from: i64, to: i64) -> Option<(i64, i64)> {
        let first = self.open_before(from)?.checked_add(open)?;
        let mut longest = (self.when_open(first)? - from, from);
        let mut closing = self.find(|piece| piece.through() < first)?;
        let mut begin = self.at(from)?;
        loop {
            let level = self.piece(closing)?.through() - open;
            while self.piece(begin)?.through() <= level {
                begin += 1;
            }
            let piece = self.piece(begin)?;
            let at = piece.start + level - piece.before;
            if at > to {
                return Some(longest);
            }
            closing += 1;
            let takes = self.piece(closing)?.start - at;
            if takes > longest.0 {
                longest = (takes, at);
            }
        }
    }

    /// The most open time within a window of so many physical seconds that begins from `from` to `to`.
    pub(super) fn most_open_within(&mut self, window: i64, from: i64, to: i64) -> Option<i64> {
        let mut most = self.open_between(from, from + window)?;
        let mut number = self.at(from)?;
        loop {
            let piece = self.piece(number)?;
            if piece.start > to.saturating_add(window) {
                return Some(most);
            }
            // It begins with an opening, or ends with one.
            for start in [piece.start, piece.end - window] {
                if (from..=to).contains(&start) {
                    most = most.max(self.open_between(start, start + window)?);
                }
            }
            number += 1;
        }
    }

    fn open_between(&mut self, from: i64, to: i64) -> Option<i64> {
        Some(self.open_before(to)? - self.open_before(from)?)
    }
}
