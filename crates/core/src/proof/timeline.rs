//! The open time of a calendar from the first instant of the proof on, as one list.

use crate::Calendar;
use crate::calendar::{HORIZON_SECONDS, Piece};

/// Openings in order, listed as far as was asked for.
pub(super) struct Timeline<'a> {
    pub(super) calendar: &'a Calendar,
    pieces: Vec<Piece>,
    from: i64,
    /// The calendar's block that is listed next.
    next: Option<usize>,
    /// Further than this nothing counts.
    limit: i64,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(calendar: &'a Calendar, from: i64, to: i64) -> Self {
        Self {
            calendar,
            pieces: Vec::new(),
            from,
            next: calendar.block_from(from),
            limit: to.saturating_add(HORIZON_SECONDS),
        }
    }

    /// Lists more. `false`: there is no more.
    fn extend(&mut self) -> bool {
        let block = self
            .next
            .and_then(|number| Some((number, self.calendar.block_openings(number)?)));
        let Some((number, (openings, end))) = block else {
            return false;
        };
        let first = openings.partition_point(|opening| opening.end <= self.from);
        // What touches stays apart: a closing of no length does no harm, and all pieces are complete.
        for opening in openings.iter().skip(first) {
            let start = opening.start.max(self.from);
            let before = self.pieces.last().map_or(0, |last| last.through());
            self.pieces.push(Piece {
                start,
                before,
                end: opening.end,
            });
        }
        self.next = Some(number + 1).filter(|_| end < self.limit);
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
