//! How long a chain takes at most, whenever it begins.

use std::collections::BTreeMap;

use super::Bound;
use super::chain::{Chain, Hours, Item};
use super::curve::{Curve, Days};
use super::timeline::Timeline;
use crate::Calendar;
use crate::calendar::HORIZON_SECONDS;
use crate::calendar::local::{DAY, join};
use crate::decide::HOLD_SECONDS;

/// For so long after the last begin the changes of the clocks are looked at.
const SWING_SECONDS: i64 = 3 * 366 * DAY;

/// Measures chains, each once.
pub(super) struct Measure<'a> {
    pub(super) hours: Hours<'a>,
    /// Open seconds of the longest working day, to spare.
    pub(super) day: i64,
    from: i64,
    to: i64,
    line: Option<Timeline<'a>>,
    days: Days,
    known: BTreeMap<Chain, Option<Bound>>,
}

impl<'a> Measure<'a> {
    /// For begins from `from` to `to`, in a calendar, or around the clock.
    pub(super) fn new(calendar: Option<&'a Calendar>, from: i64, to: i64) -> Self {
        let hours = match calendar {
            None => Hours::Always { longer: 0 },
            Some(calendar) if calendar.is_always_open() => Hours::Always {
                longer: 2 * swing(calendar, from, to),
            },
            Some(calendar) => Hours::In(calendar),
        };
        let line = match hours {
            Hours::In(calendar) => Some(Timeline::new(calendar, from, to)),
            Hours::Always { .. } => None,
        };
        // A change of the clocks makes a night longer; no zone has ever gone back by more than a day.
        let day = line
            .as_ref()
            .map_or(DAY, |line| longest_day(line.calendar) + DAY);
        Self {
            hours,
            day,
            from,
            to,
            line,
            days: Days::new(from),
            known: BTreeMap::new(),
        }
    }

    /// The longest that the chain takes. `None`: for ever, or beyond what calendars know.
    pub(super) fn bound(&mut self, chain: &Chain) -> Option<Bound> {
        if let Some(known) = self.known.get(chain) {
            return *known;
        }
        let bound = self.work_out(chain);
        self.known.insert(chain.clone(), bound);
        bound
    }

    /// Whether `chain` is over before `other` whenever they begin, as far as can be told.
    pub(super) fn is_before(&mut self, chain: &Chain, other: &Chain) -> bool {
        if chain.is_before(other) {
            return true;
        }
        let least = other.at_least();
        chain.at_least() < least && self.bound(chain).is_some_and(|bound| bound.wall < least)
    }

    fn work_out(&mut self, chain: &Chain) -> Option<Bound> {
        let (from, to) = (self.from, self.to);
        let Some(line) = &mut self.line else {
            let all = chain.items().iter().map(|item| match item {
                Item::Open(seconds) | Item::Clock(seconds) => *seconds,
                Item::Hold(holds) => holds.saturating_mul(HOLD_SECONDS),
                Item::Days(days) => i64::from(*days) * DAY,
            });
            let all = all.fold(0, i64::saturating_add);
            return within(all, all, from);
        };
        let (before, open, after) = match *chain.items() {
            [] => return within(0, 0, from),
            [Item::Open(open)] => (0, open, Item::Hold(0)),
            [Item::Open(open), after @ (Item::Hold(_) | Item::Clock(_))] => (0, open, after),
            [Item::Clock(before), Item::Open(open)] => (before, open, Item::Hold(0)),
            [Item::Clock(all)] => {
                let working = line.most_open_within(all.min(HORIZON_SECONDS), from, to)?;
                return within(all, working, from);
            }
            _ => return curve(chain, line, &mut self.days, from, to),
        };
        let (wall, begin) =
            line.longest(open, from.checked_add(before)?, to.checked_add(before)?)?;
        let wall = wall.checked_add(before)?;
        let (held, working) = match after {
            Item::Clock(seconds) => {
                let seconds = seconds.min(HORIZON_SECONDS);
                let working = line.most_open_within(seconds, from, to.checked_add(wall)?)?;
                (seconds, working)
            }
            Item::Hold(holds) => [holds.checked_mul(HOLD_SECONDS)?; 2].into(),
            Item::Open(_) | Item::Days(_) => (0, 0),
        };
        let working = match before {
            0 => working,
            _ => working.checked_add(line.most_open_within(before, from, to)?)?,
        };
        within(
            wall.checked_add(held)?,
            open.checked_add(working)?,
            begin - before,
        )
    }
}

fn within(wall: i64, working: i64, begin: i64) -> Option<Bound> {
    (wall <= HORIZON_SECONDS).then(|| Bound {
        working: working.min(wall),
        wall,
        entered: join(begin, 0),
    })
}

fn curve(
    chain: &Chain,
    line: &mut Timeline<'_>,
    days: &mut Days,
    from: i64,
    to: i64,
) -> Option<Bound> {
    let mut curve = Curve::start(from, to);
    let mut working: i64 = 0;
    for item in chain.items() {
        let latest = curve.latest();
        let most = match *item {
            Item::Open(seconds) => seconds,
            Item::Clock(seconds) if seconds > HORIZON_SECONDS => return None,
            Item::Clock(seconds) => line.most_open_within(seconds, from, latest)?,
            Item::Hold(holds) => holds.checked_mul(HOLD_SECONDS)?,
            Item::Days(count) => days.until(count, latest, line)?.open,
        };
        working = working.checked_add(most)?;
        curve = curve.then(*item, line, days)?;
    }
    let (wall, begin) = curve.longest();
    within(wall, working, begin)
}

/// The open seconds of the longest day, holidays and changes of the clocks aside.
fn longest_day(calendar: &Calendar) -> i64 {
    let parts = calendar.parts();
    let of_week = crate::calendar::WEEKDAYS
        .iter()
        .map(|day| parts.week.on(*day));
    let own = parts.working_days.iter().map(|day| match &day.hours {
        crate::calendar::WorkingHours::Own(openings) => openings.as_slice(),
        _ => &[],
    });
    let length = |openings: &[crate::calendar::Opening]| {
        openings
            .iter()
            .map(|opening| i64::from(opening.end() - opening.start()))
            .sum()
    };
    of_week.chain(own).map(length).max().unwrap_or(DAY)
}

/// By how much the calendar's zone changes its clocks in the time.
fn swing(calendar: &Calendar, from: i64, to: i64) -> i64 {
    let zone = calendar.zone();
    let offset = |at: i64| i64::from(zone.to_offset(join(at, 0)).seconds());
    let changes = zone
        .following(join(from.saturating_sub(2 * DAY), 0))
        .map(|change| change.timestamp().as_second())
        .take_while(|change| *change <= to.saturating_add(SWING_SECONDS));
    let offsets: Vec<i64> = changes
        .flat_map(|change| [offset(change - 1), offset(change)])
        .collect();
    let (low, high) = (offsets.iter().min(), offsets.iter().max());
    match (low, high) {
        (Some(low), Some(high)) => high - low,
        _ => 0,
    }
}
