//! The curve of a span of working days.

use jiff::tz::TimeZone;

use super::curve::{Curve, Segment};
use super::timeline::Timeline;
use crate::calendar::local::{Clocks, DAY, instant, join, wall};

/// The curve of so many working days for each begin from `from` to `to`, never falling. `None`: it
/// is never over.
///
/// A step keeps the time of day, so that on a night in which the clocks go back a later begin can be over
/// earlier; the curve keeps the later end, which is all that a bound needs.
pub(super) fn days_curve(days: u32, from: i64, to: i64, line: &mut Timeline<'_>) -> Option<Curve> {
    let calendar = line.calendar;
    let zone = calendar.zone();
    let mut walk = Walk {
        days,
        // As far as the days lead where every day is a working day; further on, zones are asked each time.
        clocks: Clocks::new(zone, from - 2 * DAY, to + (i64::from(days) * 2 + 14) * DAY),
        changes: Changes::new(from),
        curve: Rising {
            segments: Vec::new(),
            last: i64::MIN,
        },
    };
    let mut at = from;
    // The opening that holds the first instant may have begun the day before.
    let mut day = wall(zone, join(from, 0)).div_euclid(DAY) - 1;
    let mut number = line.at(from)?;
    // One second more, so that the last begin has a segment, too.
    while at <= to {
        let piece = line.piece(number)?;
        if at < piece.start {
            let over = walk.over(piece.start, line)?;
            walk.curve.flat(at, over);
            at = piece.start;
        }
        while at < piece.end && at <= to {
            let next = match walk.plain(at, &mut day, line) {
                Some((next, target)) => {
                    let next = next.min(piece.end);
                    let first = walk.clocks.instant(target);
                    walk.even(at, first, next - at, line)?;
                    next
                }
                None => {
                    let next = walk.next_break(at, line).min(piece.end);
                    walk.open(at, next, line)?;
                    next
                }
            };
            at = next;
        }
        number += 1;
    }
    Some(Curve {
        segments: walk.curve.segments,
        to: to + 1,
    })
}

/// When the clocks change, and what a clock on the wall shows then by the offset before and by the one after.
struct Changes {
    list: Vec<(i64, [i64; 2])>,
    /// Up to here they are listed.
    until: i64,
}

impl Changes {
    fn new(from: i64) -> Self {
        Self {
            list: Vec::new(),
            until: from - 2 * DAY,
        }
    }

    /// Those from `from` to `to`, with a day to spare on both sides.
    fn around(&mut self, from: i64, to: i64, zone: &TimeZone) -> &[(i64, [i64; 2])] {
        let (from, to) = (from - DAY, to.saturating_add(DAY));
        if to > self.until {
            let until = to.saturating_add(366 * DAY);
            let offset = |at: i64| i64::from(zone.to_offset(join(at, 0)).seconds());
            let more = zone
                .following(join(self.until, 0))
                .map(|change| change.timestamp().as_second())
                .take_while(|change| *change <= until)
                .map(|change| (change, [change - 1, change].map(|at| change + offset(at))));
            self.list.extend(more);
            self.until = until;
        }
        let first = self.list.partition_point(|change| change.0 < from);
        let last = self.list.partition_point(|change| change.0 <= to);
        self.list.get(first..last).unwrap_or_default()
    }
}

struct Walk<'a> {
    days: u32,
    clocks: Clocks<'a>,
    changes: Changes,
    curve: Rising,
}

impl Walk<'_> {
    /// If no clocks change around the opening that holds `at`, nor where it leads to: the end of the opening,
    /// and what the clock on the wall shows where `at` leads to. `day` is the one looked at last.
    fn plain(&self, at: i64, day: &mut i64, line: &Timeline<'_>) -> Option<(i64, i64)> {
        let calendar = line.calendar;
        loop {
            for opening in calendar.parts().rule(*day).openings() {
                let begin = *day * DAY + i64::from(opening.start());
                let length = i64::from(opening.end() - opening.start());
                let offset = self.clocks.offset(begin)?;
                let begins = begin - offset;
                if at >= begins + length {
                    continue;
                }
                if at < begins || self.clocks.offset(begin + length)? != offset {
                    return None;
                }
                let target = calendar.step_days(*day, self.days)? * DAY + at + offset - *day * DAY;
                self.clocks.offset(target)?;
                self.clocks.offset(target + length)?;
                return Some((begins + length, target));
            }
            // No day begins more than two days after the instants that it is made of.
            if *day * DAY > at + 2 * DAY {
                return None;
            }
            *day += 1;
        }
    }

    /// The first instant after `at`, at which its day, or its distance from the clock on the wall,
    /// may change.
    fn next_break(&mut self, at: i64, line: &Timeline<'_>) -> i64 {
        let zone = line.calendar.zone();
        let (day, seconds) = line.calendar.working_time(join(at, 0));
        let mut next = at + DAY - seconds.rem_euclid(DAY);
        if seconds >= DAY {
            for opening in line.calendar.parts().rule(day).openings() {
                let end = instant(zone, day * DAY + i64::from(opening.end()));
                if end > at {
                    next = next.min(end);
                }
            }
        }
        let changes = self.changes.around(at, next, zone);
        let change = changes.iter().map(|(change, _)| *change);
        change.filter(|change| *change > at).fold(next, i64::min)
    }

    /// The clock on the wall that the days lead to.
    fn target(&self, at: i64, line: &Timeline<'_>) -> Option<i64> {
        let (day, seconds) = line.calendar.working_time(join(at, 0));
        Some(line.calendar.step_days(day, self.days)? * DAY + seconds)
    }

    fn over(&self, at: i64, line: &mut Timeline<'_>) -> Option<i64> {
        let target = self.target(at, line)?;
        line.open_at(self.clocks.instant(target))
    }

    /// Begins from `at` to `end`, in which the day is the same and the clock goes on evenly.
    fn open(&mut self, at: i64, end: i64, line: &mut Timeline<'_>) -> Option<()> {
        let zone = line.calendar.zone();
        let target = self.target(at, line)?;
        let last = target + end - at;
        let landing = instant(zone, target);
        let around = self.changes.around(landing, landing + end - at, zone);
        let mut walls: Vec<i64> = around
            .iter()
            .flat_map(|(_, walls)| walls)
            .filter(|wall| target < **wall && **wall < last)
            .copied()
            .collect();
        walls.extend([target, last]);
        walls.sort_unstable();
        walls.dedup();
        for pair in walls.windows(2) {
            let [begin, end] = [pair[0], pair[1]];
            let (first, final_one) = (instant(zone, begin), instant(zone, end - 1));
            let at = at + begin - target;
            if final_one - first == end - 1 - begin {
                self.even(at, first, end - begin, line)?;
            } else {
                // The local times that a zone skips are all the instant after the skip.
                let over = line.open_at(final_one)?;
                self.curve.flat(at, over);
            }
        }
        Some(())
    }

    /// Begins from `at` on that lead to the instants from `first` on, for so many seconds.
    fn even(&mut self, at: i64, first: i64, seconds: i64, line: &mut Timeline<'_>) -> Option<()> {
        let mut done = 0;
        let mut number = line.at(first)?;
        while done < seconds {
            let piece = line.piece(number)?;
            let to = first + done;
            if to < piece.start {
                self.curve.flat(at + done, piece.start);
                done += piece.start - to;
            } else {
                self.curve.rising(at + done, to);
                done += piece.end - to;
                number += 1;
            }
        }
        Some(())
    }
}

/// Segments that never fall.
struct Rising {
    segments: Vec<Segment>,
    /// The highest value so far.
    last: i64,
}

impl Rising {
    fn flat(&mut self, at: i64, over: i64) {
        self.close(at);
        let over = over.max(self.last);
        self.add(at, over, false);
        self.last = over;
    }

    fn rising(&mut self, at: i64, over: i64) {
        self.close(at);
        if over < self.last {
            // It stands still until it has caught up.
            self.add(at, self.last, false);
            self.add(at + self.last - over, self.last, true);
        } else {
            self.add(at, over, true);
        }
    }

    /// The value that the last segment ends with.
    fn close(&mut self, at: i64) {
        while let Some(last) = self.segments.last() {
            // It may have been meant to catch up later than it lasted.
            if last.at >= at && self.segments.len() > 1 {
                self.segments.pop();
                continue;
            }
            if last.rises && at > last.at {
                self.last = self.last.max(last.over + at - last.at);
            }
            return;
        }
    }

    fn add(&mut self, at: i64, over: i64, rises: bool) {
        self.segments.push(Segment { at, over, rises });
    }
}

/// The most open time between a begin and its end, over all begins of the curve.
pub(super) fn most_open(curve: &Curve, line: &mut Timeline<'_>) -> Option<i64> {
    let mut most = 0;
    for (segment, end) in curve.spans() {
        let rise = if segment.rises { end - segment.at } else { 0 };
        for (at, over) in [(segment.at, segment.over), (end, segment.over + rise)] {
            most = most.max(line.open_before(over)? - line.open_before(at)?);
        }
    }
    Some(most)
}
