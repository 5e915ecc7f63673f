//! What a clock in a calendar has counted, and why not the rest: [`Ledger`].

use std::fmt;

use jiff::Timestamp;

use super::block::{end_day, first_day, on_day};
use super::local::{DAY, join, split, wall};
use super::{Calendar, DayRule};
use crate::Name;

/// The openings of a calendar within a time, in order: see [`Calendar::openings`].
#[derive(Debug, Clone)]
pub struct Openings<'a> {
    calendar: &'a Calendar,
    at: Timestamp,
    to: Timestamp,
}

impl Iterator for Openings<'_> {
    type Item = (Timestamp, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        let open = self.calendar.open_within(self.at, self.to)?;
        let close = self.calendar.close_within(open, self.to);
        self.at = close;
        Some((open, close))
    }
}

/// A piece of time that is counted, or not, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// Whether it counts.
    pub counted: bool,
    /// Why it does, or does not.
    pub why: Why,
}

/// Why time counts in a calendar, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It is open.
    Open,
    /// The day has hours, but not these: night, or a break.
    OutsideHours,
    /// The day of the week has no hours.
    DayOff,
    /// The day is a holiday.
    Holiday(Option<Name>),
    /// Calendars do not know the year: see [`YEARS`](super::YEARS).
    UnknownYear,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::OutsideHours => f.write_str("outside hours"),
            Self::DayOff => f.write_str("day off"),
            Self::Holiday(None) => f.write_str("holiday"),
            Self::Holiday(Some(name)) => write!(f, "holiday: {name}"),
            Self::UnknownYear => f.write_str("unknown year"),
        }
    }
}

/// All of a time, in stretches that count or do not: see [`Calendar::ledger`].
#[derive(Debug, Clone)]
pub struct Ledger<'a> {
    calendar: &'a Calendar,
    at: Timestamp,
    to: Timestamp,
    /// The opening that is not over yet.
    opening: Option<(Timestamp, Timestamp)>,
    openings: Openings<'a>,
}

impl Calendar {
    /// The openings from `from` to `to`, cut to that time. Openings that touch each other are one.
    #[must_use]
    pub fn openings(&self, from: Timestamp, to: Timestamp) -> Openings<'_> {
        Openings {
            calendar: self,
            at: from,
            to,
        }
    }

    /// All of the time from `from` to `to`: what counts, what does not, and why. Neighbours differ in the
    /// reason.
    #[must_use]
    pub fn ledger(&self, from: Timestamp, to: Timestamp) -> Ledger<'_> {
        let mut openings = self.openings(from, to);
        Ledger {
            calendar: self,
            at: from,
            to,
            opening: openings.next(),
            openings,
        }
    }

    /// Why it is closed at an instant at which it is, and until when at most that is the reason.
    fn why_closed(&self, at: Timestamp) -> (Why, Timestamp) {
        let mut day = wall(self.zone(), at).div_euclid(DAY);
        let why = if day < first_day() {
            return (
                Why::UnknownYear,
                join(on_day(self.zone(), first_day(), 0), 0),
            );
        } else if day >= end_day() {
            return (Why::UnknownYear, Timestamp::MAX);
        } else {
            match self.parts().rule(day) {
                DayRule::Hours(_) => Why::OutsideHours,
                DayRule::DayOff => Why::DayOff,
                DayRule::Holiday(name) => Why::Holiday(name.cloned()),
            }
        };
        // Clocks that go back over midnight show the end of a day again when its next day has begun already.
        loop {
            day += 1;
            let end = on_day(self.zone(), day, 0);
            if end > split(at).0 {
                return (why, join(end, 0));
            }
        }
    }
}

impl Iterator for Ledger<'_> {
    type Item = Stretch;

    fn next(&mut self) -> Option<Stretch> {
        if self.at >= self.to {
            return None;
        }
        let from = self.at;
        if let Some((open, close)) = self.opening
            && open <= from
        {
            self.opening = self.openings.next();
            self.at = close;
            return Some(Stretch {
                from,
                to: close,
                counted: true,
                why: Why::Open,
            });
        }
        let closed_until = self.opening.map_or(self.to, |(open, _)| open);
        let (why, mut end) = self.calendar.why_closed(from);
        while end < closed_until {
            let (next, later) = self.calendar.why_closed(end);
            if next != why {
                break;
            }
            end = later;
        }
        self.at = end.min(closed_until);
        Some(Stretch {
            from,
            to: self.at,
            counted: false,
            why,
        })
    }
}
