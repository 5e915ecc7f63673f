//! What a schedule is laid over each other from: turns, shifts, overrides.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::rotation::Turns;
use crate::Name;
use crate::calendar::Week;
use crate::calendar::local::{DAY, instant, join, wall, wall_seconds};

/// After the last second of all time.
pub(super) const NEVER: i64 = i64::MAX;

/// People on duty from a date and time to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Who, in order.
    pub who: Vec<Name>,
    /// Its first instant; `None` is since ever.
    pub from: Option<DateTime>,
    /// The first instant after it; `None` is for ever.
    pub to: Option<DateTime>,
}

/// People on duty at the same hours each week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyShift {
    /// Who, in order.
    pub who: Vec<Name>,
    /// When.
    pub hours: Week,
}

/// Somebody who is on call for a time, whatever the rest of the schedule says.
///
/// With `instead_of` he takes that person's place while that person is on duty, and is not asked while that
/// person is not. Without it he comes before everybody who is on duty. Of several, the last one written is
/// laid on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its first instant.
    pub from: DateTime,
    /// The first instant after it.
    pub to: DateTime,
    /// Who comes on.
    pub on_call: Name,
    /// Whose place he takes.
    pub instead_of: Option<Name>,
}

/// Who is on duty by one layer, and until when that is so: later than the instant asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) on: &'a [Name],
    pub(super) until: i64,
}

/// One layer of a schedule, with its times in seconds since 1970.
#[derive(Debug)]
pub(super) enum Layer {
    Turns(Box<Turns>),
    Shift { who: Vec<Name>, from: i64, to: i64 },
    Weekly { who: Vec<Name>, hours: WeekIn },
}

impl Layer {
    pub(super) fn shift(shift: Shift, zone: &TimeZone) -> Self {
        let second = |local: DateTime| instant(zone, wall_seconds(local));
        let (from, to) = (
            shift.from.map_or(i64::MIN, second),
            shift.to.map_or(NEVER, second),
        );
        Self::Shift {
            who: shift.who,
            from,
            to,
        }
    }

    pub(super) fn weekly(shift: WeeklyShift, zone: &TimeZone) -> Self {
        Self::Weekly {
            who: shift.who,
            hours: WeekIn {
                week: shift.hours,
                zone: zone.clone(),
            },
        }
    }

    pub(super) fn turn(&self, second: i64) -> Turn<'_> {
        match self {
            Self::Turns(turns) => turns.turn(second),
            Self::Shift { from, .. } if second < *from => Turn {
                on: &[],
                until: *from,
            },
            Self::Shift { who, to, .. } if second < *to => Turn {
                on: who,
                until: *to,
            },
            Self::Shift { .. } => Turn {
                on: &[],
                until: NEVER,
            },
            Self::Weekly { who, hours } => {
                let (on, until) = hours.turn(second);
                Turn {
                    on: if on { who } else { &[] },
                    until,
                }
            }
        }
    }
}

/// The hours of a week, by a clock on a wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WeekIn {
    pub(crate) week: Week,
    pub(crate) zone: TimeZone,
}

impl WeekIn {
    /// Whether `second` is within the hours, and until when that is so.
    ///
    /// Not a [`Calendar`](crate::Calendar): each of a thousand people may have his own hours, and would pay
    /// for a calendar's tables.
    pub(crate) fn turn(&self, second: i64) -> (bool, i64) {
        let today = wall(&self.zone, join(second, 0)).div_euclid(DAY);
        // The hours of yesterday may run over midnight; clocks that skip time may leave a day without hours.
        for day in today - 1..today + 10 {
            for opening in self.week.on_day(day) {
                if day < today && i64::from(opening.end()) <= DAY {
                    continue;
                }
                let at = |seconds: u32| instant(&self.zone, day * DAY + i64::from(seconds));
                let start = at(opening.start());
                if second < start {
                    return (false, start);
                }
                let end = at(opening.end());
                if second < end {
                    return (true, end);
                }
            }
        }
        (false, NEVER)
    }
}

/// An override with its times in seconds since 1970.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) on_call: Name,
    pub(super) instead_of: Option<Name>,
}

impl Laid {
    pub(super) fn new(laid: Override, zone: &TimeZone) -> Self {
        let second = |local: DateTime| instant(zone, wall_seconds(local));
        Self {
            from: second(laid.from),
            to: second(laid.to),
            on_call: laid.on_call,
            instead_of: laid.instead_of,
        }
    }

    pub(super) fn holds(&self, second: i64) -> bool {
        self.from <= second && second < self.to
    }
}
