//! Wall clocks and instants, both as whole seconds.
//!
//! One rule holds for every local time of an author: a time that a zone skips means the first instant after
//! the skip, and a time that a zone has twice means the first of the two. In one sentence: a local time means
//! the first instant at which the clock on the wall shows that time or a later one. The rule never goes
//! backwards, so intervals given in local times can't overlap or turn around by a change of the clocks.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Seconds in a day of 24 hours.
pub(crate) const DAY: i64 = 86_400;

/// An instant as whole seconds since 1970, rounded down, and the nanoseconds above them.
pub(crate) fn split(at: Timestamp) -> (i64, i32) {
    let (seconds, nanos) = (at.as_second(), at.subsec_nanosecond());
    if nanos < 0 {
        (seconds - 1, nanos + 1_000_000_000)
    } else {
        (seconds, nanos)
    }
}

/// The instant that `seconds` and `nanos` (0 to 999 999 999) stand for; the last one, or the first one, if
/// there is no such instant.
pub(crate) fn join(seconds: i64, nanos: i32) -> Timestamp {
    let end = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::new(seconds, nanos).unwrap_or(end)
}

/// Seconds that a wall clock has shown since the midnight of 1970-01-01 on the same clock.
pub(crate) fn wall_seconds(local: DateTime) -> i64 {
    let time = local.time();
    day_number(local.date()) * DAY
        + i64::from(time.hour()) * 3600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

/// The reverse of [`wall_seconds`]: `None` outside of the years −9999 to 9999.
pub(crate) fn wall_clock(seconds: i64) -> Option<DateTime> {
    let at = Timestamp::from_second(seconds).ok()?;
    Some(Offset::UTC.to_datetime(at))
}

/// Days since 1970-01-01.
pub(crate) fn day_number(date: Date) -> i64 {
    // Years begin in March, so that the leap day is the last of its year; 400 years have 146 097 days.
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// The first instant at which a clock in `zone` shows `wall` seconds or more, as seconds since 1970.
/// Beyond the first and last instant there are: that one.
pub(crate) fn instant(zone: &TimeZone, wall: i64) -> i64 {
    let Some(local) = wall_clock(wall) else {
        return if wall < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        }
        .as_second();
    };
    let at = |offset: Offset| wall - i64::from(offset.seconds());
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Fold { before, .. } => at(before),
        // The clocks are changed after the instant by the new offset, and not after the one by the old.
        AmbiguousOffset::Gap { before, after } => {
            let change = zone.following(join(at(after), 0)).next();
            change.map_or(at(before), |change| {
                change.timestamp().as_second().min(at(before))
            })
        }
    }
}

/// [`instant`] for many local times of some days: the changes of the clocks are looked up once.
pub(crate) struct Clocks<'a> {
    zone: &'a TimeZone,
    /// The offset before the first change.
    first: i64,
    /// When the clocks change, and the offset from then on.
    changes: Vec<(i64, i64)>,
    /// The local times for which they were looked up.
    known: RangeInclusive<i64>,
}

impl<'a> Clocks<'a> {
    /// Offsets are less than 26 hours: so far from a change a local time is neither skipped nor there twice.
    const FAR: i64 = 2 * DAY;

    /// For local times from `from` to `to`.
    pub(crate) fn new(zone: &'a TimeZone, from: i64, to: i64) -> Self {
        let begin = join(from - 2 * Self::FAR, 0);
        let offset = |at: Timestamp| i64::from(zone.to_offset(at).seconds());
        let changes = zone.following(begin).map(|change| {
            let at = change.timestamp();
            (at.as_second(), offset(at))
        });
        Self {
            zone,
            known: from..=to,
            first: offset(begin),
            changes: changes
                .take_while(|change| change.0 <= to + 2 * Self::FAR)
                .collect(),
        }
    }

    /// See [`instant`].
    pub(crate) fn instant(&self, wall: i64) -> i64 {
        match self.offset(wall) {
            Some(offset) => wall - offset,
            None => instant(self.zone, wall),
        }
    }

    /// The offset at a local time that is far from every change, and within what the changes were
    /// looked up for.
    pub(crate) fn offset(&self, wall: i64) -> Option<i64> {
        let next = self
            .changes
            .partition_point(|change| change.0 + Self::FAR <= wall);
        let near = |change: &(i64, i64)| change.0 - Self::FAR <= wall;
        if !self.known.contains(&wall) || self.changes.get(next).is_some_and(near) {
            return None;
        }
        let last = next.checked_sub(1).and_then(|last| self.changes.get(last));
        Some(last.map_or(self.first, |change| change.1))
    }
}

/// What the clock on the wall in `zone` shows at `at`, as [`wall_seconds`].
pub(crate) fn wall(zone: &TimeZone, at: Timestamp) -> i64 {
    split(at).0 + i64::from(zone.to_offset(at).seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_what_the_zone_shows() {
        for name in crate::calendar::tests::ZONES {
            let zone = crate::calendar::tests::zone(name);
            for year in [1905, 1942, 1970, 2011, 2026, 2037, 2038, 2290] {
                let from = day_number(Date::new(year, 1, 1).unwrap()) * DAY;
                let clocks = Clocks::new(&zone, from, from + 400 * DAY);
                for step in 0..400 * 48 {
                    let wall = from + step * 1800 + step % 7;
                    assert_eq!(clocks.instant(wall), instant(&zone, wall), "{name} {wall}");
                }
            }
        }
    }

    #[test]
    fn days_are_numbered_from_1970() {
        for (date, number) in [
            (Date::constant(1970, 1, 1), 0),
            (Date::constant(1969, 12, 31), -1),
            (Date::constant(2000, 2, 29), 11_016),
            (Date::constant(2000, 3, 1), 11_017),
            (Date::MIN, -4_371_587),
            (Date::MAX, 2_932_896),
        ] {
            assert_eq!(day_number(date), number, "{date}");
        }
        let mut date = Date::constant(1890, 1, 1);
        let mut number = day_number(date);
        while date.year() < 2310 {
            assert_eq!(day_number(date), number);
            assert_eq!(wall_clock(number * DAY).unwrap().date(), date);
            date = date.tomorrow().unwrap();
            number += 1;
        }
    }
}
