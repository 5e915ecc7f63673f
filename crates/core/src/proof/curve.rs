//! Curves: for each instant at which a chain of spans may begin, the latest at which it is over.
//!
//! Every span keeps order (whoever begins later is not over before), stands still while its calendar is
//! closed, and else goes on second by second. So a curve is a list of segments that are flat or rise by a
//! second
//! a second, with jumps upwards between them, and the longest wait begins right after a jump.

use std::collections::BTreeMap;

use super::chain::Item;
use super::days::{days_curve, most_open};
use super::timeline::Timeline;
use crate::calendar::local::DAY;
use crate::decide::HOLD_SECONDS;

/// Most segments of a curve. A calendar with more openings than that is not proved.
const MAX_SEGMENTS: usize = 1 << 20;

/// Curves of working days are made for so much longer than was asked for.
const SPARE_SECONDS: i64 = 32 * DAY;

/// From `at` on, up to the next segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// First instant, in seconds. At the instant itself the value may still be that of the segment before.
    pub(super) at: i64,
    /// When what begins then is over.
    pub(super) over: i64,
    /// Whether it rises by a second a second.
    pub(super) rises: bool,
}

/// The segments from the first instant to the last.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) segments: Vec<Segment>,
    pub(super) to: i64,
}

impl Curve {
    /// What takes no time.
    pub(super) fn start(from: i64, to: i64) -> Self {
        let first = Segment {
            at: from,
            over: from,
            rises: true,
        };
        Self {
            segments: vec![first],
            to,
        }
    }

    /// The longest that it takes, and when that begins.
    pub(super) fn longest(&self) -> (i64, i64) {
        let first = |(longest, begin): (i64, i64), segment: &Segment| {
            let takes = segment.over - segment.at;
            if takes > longest {
                (takes, segment.at)
            } else {
                (longest, begin)
            }
        };
        let begin = self.segments.first().map_or(0, |segment| segment.at);
        self.segments.iter().fold((0, begin), first)
    }

    /// Each segment, and where it ends.
    pub(super) fn spans(&self) -> impl Iterator<Item = (Segment, i64)> {
        let ends = self.segments.iter().skip(1).map(|segment| segment.at);
        let ends = ends.chain([self.to]);
        self.segments.iter().copied().zip(ends)
    }

    /// The last instant at which anything is over.
    pub(super) fn latest(&self) -> i64 {
        self.spans()
            .map(|(segment, end)| match segment.rises {
                true => segment.over + end - segment.at,
                false => segment.over,
            })
            .max()
            .unwrap_or(self.to)
    }

    fn push(&mut self, segment: Segment) -> Option<()> {
        if let Some(last) = self.segments.last_mut() {
            let goes_on = match last.rises {
                true => segment.over - last.over == segment.at - last.at,
                false => segment.over == last.over,
            };
            if goes_on && last.rises == segment.rises {
                return Some(());
            }
            if last.at == segment.at {
                *last = segment;
                return Some(());
            }
        }
        (self.segments.len() < MAX_SEGMENTS).then(|| self.segments.push(segment))
    }

    /// The curve with one more item. `None`: it is never over.
    pub(super) fn then(
        &self,
        item: Item,
        line: &mut Timeline<'_>,
        days: &mut Days,
    ) -> Option<Self> {
        match item {
            Item::Clock(seconds) => self.later(seconds),
            Item::Hold(holds) => self.later(holds.checked_mul(HOLD_SECONDS)?),
            Item::Open(seconds) => self.then_open(seconds, line),
            Item::Days(count) => self.then_curve(&days.until(count, self.latest(), line)?.curve),
        }
    }

    fn later(&self, seconds: i64) -> Option<Self> {
        let mut curve = self.clone();
        for segment in &mut curve.segments {
            segment.over = segment.over.checked_add(seconds)?;
        }
        Some(curve)
    }

    fn empty(&self) -> Self {
        Self {
            segments: Vec::with_capacity(self.segments.len() * 2),
            to: self.to,
        }
    }

    fn then_open(&self, seconds: i64, line: &mut Timeline<'_>) -> Option<Self> {
        let mut curve = self.empty();
        for (segment, end) in self.spans() {
            let over = line.open_before(segment.over)?;
            if !segment.rises {
                let over = line.when_open(over.checked_add(seconds)?)?;
                curve.push(Segment { over, ..segment })?;
                continue;
            }
            rise_open(&mut curve, segment, end, seconds, line)?;
        }
        Some(curve)
    }

    /// What is over by this curve, goes on by the next one.
    fn then_curve(&self, next: &Self) -> Option<Self> {
        let mut curve = self.empty();
        let mut place = 0;
        for (segment, end) in self.spans() {
            // Neither curve falls.
            while next
                .segments
                .get(place + 1)
                .is_some_and(|other| other.at <= segment.over)
            {
                place += 1;
            }
            let mut at = segment.at;
            loop {
                let other = next.segments.get(place)?;
                let here = segment.over + if segment.rises { at - segment.at } else { 0 };
                let over = match other.rises {
                    true => other.over + here - other.at,
                    false => other.over,
                };
                let rises = segment.rises && other.rises;
                curve.push(Segment { at, over, rises })?;
                let Some(following) = next.segments.get(place + 1).filter(|_| segment.rises) else {
                    break;
                };
                at = segment.at + following.at - segment.over;
                if at >= end {
                    break;
                }
                place += 1;
            }
        }
        Some(curve)
    }
}

/// Curves of working days, each made once as far as it is asked for.
pub(super) struct Days {
    from: i64,
    known: BTreeMap<u32, Steps>,
}

/// So many working days.
pub(super) struct Steps {
    pub(super) curve: Curve,
    /// The most open time that passes meanwhile.
    pub(super) open: i64,
}

impl Days {
    pub(super) fn new(from: i64) -> Self {
        Self {
            from,
            known: BTreeMap::new(),
        }
    }

    /// The curve for begins until an instant, or later.
    pub(super) fn until(
        &mut self,
        days: u32,
        until: i64,
        line: &mut Timeline<'_>,
    ) -> Option<&Steps> {
        let reaches = |steps: &Steps| steps.curve.to > until;
        if !self.known.get(&days).is_some_and(reaches) {
            let curve = days_curve(days, self.from, until + SPARE_SECONDS, line)?;
            let open = most_open(&curve, line)?;
            self.known.insert(days, Steps { curve, open });
        }
        self.known.get(&days)
    }
}

/// Open time after a segment that rises.
fn rise_open(
    curve: &mut Curve,
    segment: Segment,
    end: i64,
    seconds: i64,
    line: &mut Timeline<'_>,
) -> Option<()> {
    let mut at = segment.at;
    let mut here = line.at(segment.over)?;
    loop {
        let instant = segment.over + at - segment.at;
        let piece = line.piece(here)?;
        if instant < piece.start {
            // Closed: whoever begins now waits for the opening.
            let over = line.when_open(piece.before.checked_add(seconds)?)?;
            let rises = false;
            curve.push(Segment { at, over, rises })?;
            at += piece.start - instant;
        } else {
            let open = piece
                .before
                .checked_add(instant - piece.start)?
                .checked_add(seconds)?;
            // A moment later it is over in this piece, even if it would be over at a closing now.
            let target = line.beyond(open)?;
            let target = line.piece(target)?;
            let over = target.start + open - target.before;
            let rises = true;
            curve.push(Segment { at, over, rises })?;
            let left = (piece.end - instant).min(target.through() - open);
            at += left;
            if instant + left >= piece.end {
                here += 1;
            }
        }
        if at >= end {
            return Some(());
        }
    }
}
