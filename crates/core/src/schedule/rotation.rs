//! People in turn: [`Rotation`].

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::layer::{NEVER, Turn, WeekIn};
use crate::Name;
use crate::calendar::Week;
use crate::calendar::local::{DAY, instant, split, wall, wall_clock, wall_seconds};

/// The longest turn, in the units of [`Every`].
pub const MAX_EVERY: u32 = 10_000;

/// How long a turn of a [`Rotation`] is, by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// So many hours.
    Hours(u32),
    /// So many days.
    Days(u32),
    /// So many weeks.
    Weeks(u32),
    /// So many months, always on the day of the month of the first turn; in a shorter month on its last day.
    Months(u32),
}

impl Every {
    pub(crate) fn count(self) -> u32 {
        let (Self::Hours(count) | Self::Days(count) | Self::Weeks(count) | Self::Months(count)) =
            self;
        count
    }
}

/// Members who take turns, beginning with the first at `from`; nobody is on duty before.
///
/// Turns keep the clock on the wall: a weekly turn that begins on Monday at 08:00 always does. A handoff at a
/// time that the zone skips is at the first instant after the skip, and one at a time that it has twice
/// is at the first of them. So an hourly turn over that night is an hour longer or is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// How long a turn is.
    pub every: Every,
    /// When the first turn begins.
    pub from: DateTime,
    /// When the rotation is over, if ever.
    pub until: Option<DateTime>,
    /// Who takes turns, in order.
    pub members: Vec<Name>,
    /// Where its clock hangs, if not where the schedule's does.
    pub zone: Option<TimeZone>,
    /// On duty in these hours only; turns are handed over outside of them too.
    pub hours: Option<Week>,
}

impl Rotation {
    /// Members who take turns around the clock, from `from` on.
    #[must_use]
    pub const fn new(every: Every, from: DateTime, members: Vec<Name>) -> Self {
        Self {
            every,
            from,
            until: None,
            members,
            zone: None,
            hours: None,
        }
    }

    /// When turn number `turn` begins, counted from 0 at `from`, by a clock in `zone`. A negative number
    /// counts back, as though the rotation had always been. `None` if there is no such time.
    #[must_use]
    pub fn handoff(&self, turn: i64, zone: &TimeZone) -> Option<Timestamp> {
        let wall = self
            .wall_of(turn)
            .filter(|wall| wall_clock(*wall).is_some())?;
        Timestamp::from_second(instant(zone, wall)).ok()
    }

    /// The same rotation without a member, such that whoever has the turn at `at` keeps it, and the others
    /// follow in their order. If it is the turn of the one who leaves, the next one has it from now on.
    /// `None` if nobody is left.
    ///
    /// Only the order of the members changes, so that handoffs stay where they are; who was on duty before
    /// `at` can't be asked of the new rotation.
    #[must_use]
    pub fn without(&self, who: &str, at: Timestamp, zone: &TimeZone) -> Option<Self> {
        let (turn, _) = self.turn_at(split(at).0, self.zone.as_ref().unwrap_or(zone));
        let turn = turn.max(0);
        let place = place(turn, self.members.len())?;
        let (before, from_now) = self.members.split_at(place);
        let mut members: Vec<Name> = from_now
            .iter()
            .chain(before)
            .filter(|member| *member != who)
            .cloned()
            .collect();
        let place = self::place(turn, members.len())?;
        members.rotate_right(place);
        Some(Self {
            members,
            ..self.clone()
        })
    }

    /// When turn number `turn` begins, by the clock on the wall.
    fn wall_of(&self, turn: i64) -> Option<i64> {
        let first = wall_seconds(self.from);
        let units = turn.checked_mul(i64::from(self.every.count()))?;
        match self.every {
            Every::Hours(_) => units.checked_mul(3600)?.checked_add(first),
            Every::Days(_) => units.checked_mul(DAY)?.checked_add(first),
            Every::Weeks(_) => units.checked_mul(7 * DAY)?.checked_add(first),
            Every::Months(_) => {
                let months = month_number(self.from.date()).checked_add(units)?;
                let year = i16::try_from(months.div_euclid(12)).ok()?;
                let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
                let last = Date::new(year, month, 1).ok()?.days_in_month();
                let date = Date::new(year, month, self.from.day().min(last)).ok()?;
                Some(wall_seconds(date.to_datetime(self.from.time())))
            }
        }
    }

    /// When turn number `turn` begins, in seconds since 1970; [`NEVER`] if that is after all time.
    fn second_of(&self, turn: i64, zone: &TimeZone) -> i64 {
        match self.wall_of(turn) {
            Some(wall) if wall < Timestamp::MAX.as_second() - DAY => instant(zone, wall),
            _ => NEVER,
        }
    }

    /// The number of the last turn that begins at or before `second`, and when the next one begins.
    fn turn_at(&self, second: i64, zone: &TimeZone) -> (i64, i64) {
        let now = wall(zone, crate::calendar::local::join(second, 0));
        let count = i64::from(self.every.count().max(1));
        let passed = now - wall_seconds(self.from);
        let mut turn = match self.every {
            Every::Hours(_) => passed.div_euclid(3600 * count),
            Every::Days(_) => passed.div_euclid(DAY * count),
            Every::Weeks(_) => passed.div_euclid(7 * DAY * count),
            Every::Months(_) => {
                let today = wall_clock(now).map_or(self.from.date(), |local| local.date());
                let turn = (month_number(today) - month_number(self.from.date())).div_euclid(count);
                turn - i64::from(self.wall_of(turn).is_some_and(|wall| wall > now))
            }
        };
        // A clock that has gone back shows a time again whose handoff is over.
        loop {
            let next = self.second_of(turn + 1, zone);
            if second < next {
                return (turn, next);
            }
            turn += 1;
        }
    }
}

/// A rotation with its times worked out.
#[derive(Debug)]
pub(super) struct Turns {
    rotation: Rotation,
    zone: TimeZone,
    from: i64,
    until: i64,
    hours: Option<WeekIn>,
    /// All turns are the same person's.
    alone: bool,
}

impl Turns {
    pub(super) fn new(rotation: Rotation, zone: &TimeZone) -> Self {
        let zone = rotation.zone.as_ref().unwrap_or(zone).clone();
        Self {
            from: instant(&zone, wall_seconds(rotation.from)),
            until: rotation
                .until
                .map_or(NEVER, |until| instant(&zone, wall_seconds(until))),
            hours: rotation.hours.clone().map(|week| WeekIn {
                week,
                zone: zone.clone(),
            }),
            alone: rotation.members.windows(2).all(|pair| pair[0] == pair[1]),
            rotation,
            zone,
        }
    }

    pub(super) fn turn(&self, second: i64) -> Turn<'_> {
        if second < self.from {
            return Turn {
                on: &[],
                until: self.from,
            };
        }
        if second >= self.until {
            return Turn {
                on: &[],
                until: NEVER,
            };
        }
        let (on, until) = self
            .hours
            .as_ref()
            .map_or((true, NEVER), |hours| hours.turn(second));
        let until = until.min(self.until);
        if !on {
            return Turn { on: &[], until };
        }
        if self.alone {
            return Turn {
                on: self.rotation.members.get(..1).unwrap_or_default(),
                until,
            };
        }
        let (turn, next) = self.rotation.turn_at(second, &self.zone);
        let place = place(turn, self.rotation.members.len()).unwrap_or(0);
        Turn {
            on: self.rotation.members.get(place..=place).unwrap_or_default(),
            until: until.min(next),
        }
    }
}

/// The place of a turn's member; `None` if there are no members.
fn place(turn: i64, members: usize) -> Option<usize> {
    let members = i64::try_from(members).ok().filter(|members| *members > 0)?;
    usize::try_from(turn.rem_euclid(members)).ok()
}

fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}
