//! Who is on duty: [`Schedule`].

mod coverage;
mod layer;
mod rotation;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::layer::{Laid, Layer, NEVER};
use self::rotation::Turns;
use self::table::Table;
use self::walk::Walk;
use crate::Name;
use crate::calendar::CalendarError;
use crate::calendar::local::{join, split};

pub use self::coverage::{Team, uncovered};
pub(crate) use self::layer::WeekIn;
pub use self::layer::{Override, Shift, WeeklyShift};
pub use self::rotation::{Every, MAX_EVERY, Rotation};
pub use self::walk::{Handoff, Handoffs};

/// How far [`Schedule::next_change`] looks ahead: 10 years of 366 days.
pub const HORIZON_SECONDS: i64 = 10 * 366 * 86_400;

/// What a [`Schedule`] is made of: layers, one over the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleParts {
    /// What it is called.
    pub name: Name,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// People in turn.
    pub rotations: Vec<Rotation>,
    /// People from a date to a date.
    pub shifts: Vec<Shift>,
    /// People at the same hours each week.
    pub weekly: Vec<WeeklyShift>,
    /// Exceptions from all of them.
    pub overrides: Vec<Override>,
}

/// Why a schedule can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Nobody is ever on duty: there is no rotation, no shift and no override.
    #[error("the schedule has neither a rotation nor a shift")]
    Empty,
    /// A rotation or a shift without people.
    #[error("nobody takes part")]
    Nobody,
    /// A turn of no length.
    #[error("a turn must be longer than nothing")]
    EmptyTurn,
    /// A turn of more than [`MAX_EVERY`] hours, days, weeks or months.
    #[error("a turn is at most {MAX_EVERY} hours, days, weeks or months")]
    TurnTooLong,
    /// Hours of the week without any.
    #[error("no day of the week has hours")]
    NoHours,
    /// Hours of the week that overlap.
    #[error(transparent)]
    Hours(#[from] CalendarError),
    /// Something ends when it begins, or before.
    #[error("it ends at {to}, and begins at {from}")]
    EndsBeforeStart {
        /// Its first instant.
        from: DateTime,
        /// The first instant after it.
        to: DateTime,
    },
}

/// Who is on duty when: rotations, shifts, weekly hours, and overrides over all of them.
///
/// Times are local and keep the clock on the wall; see [`Rotation`] for the nights on which clocks change.
/// Each turn and shift holds its first instant and not its last, so that at a handoff the next one is on
/// duty. Cheap to clone. Who is on duty is worked out for some days at once, and kept, which never changes
/// an answer.
///
/// ```
/// use jiff::civil::date;
/// use jiff::tz::TimeZone;
/// use upline_core::Name;
/// use upline_core::schedule::{Every, Override, Rotation, Schedule, ScheduleParts};
///
/// let members = ["lea", "max", "ida"].map(Name::from).to_vec();
/// let duty = Schedule::new(ScheduleParts {
///     name: Name::from("duty-officer"),
///     zone: TimeZone::UTC,
///     rotations: vec![Rotation::new(Every::Weeks(1), date(2026, 3, 2).at(8, 0, 0, 0), members)],
///     shifts: vec![],
///     weekly: vec![],
///     overrides: vec![Override {
///         from: date(2026, 3, 10).at(8, 0, 0, 0),
///         to: date(2026, 3, 11).at(8, 0, 0, 0),
///         on_call: Name::from("ida"),
///         instead_of: Some(Name::from("max")),
///     }],
/// })?;
/// assert_eq!(duty.on_call("2026-03-09T08:00:00Z".parse()?).unwrap(), "max");
/// assert_eq!(duty.on_call("2026-03-10T08:00:00Z".parse()?).unwrap(), "ida");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Schedule(Arc<Inner>);

struct Inner {
    parts: ScheduleParts,
    /// Rotations, shifts and weekly shifts, in this order.
    layers: Vec<Layer>,
    overrides: Vec<Laid>,
    /// When an override begins or ends, in order.
    edges: Vec<i64>,
    table: Table,
}

/// Who is on duty at an instant, in order, each once.
#[derive(Debug, Clone)]
pub(crate) enum OnDuty<'a> {
    /// Worked out before.
    Known(&'a [Name]),
    /// Worked out for this question.
    Asked(Vec<&'a Name>),
}

impl<'a> OnDuty<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Known(names) => names.len(),
            Self::Asked(names) => names.len(),
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&'a Name> {
        match self {
            Self::Known(names) => names.get(place),
            Self::Asked(names) => names.get(place).copied(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a Name> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    pub(crate) fn contains(&self, who: &Name) -> bool {
        match self {
            Self::Known(names) => names.contains(who),
            Self::Asked(names) => names.contains(&who),
        }
    }
}

impl Schedule {
    /// Checks the parts and makes a schedule of them.
    ///
    /// # Errors
    ///
    /// The first [`ScheduleError`] there is.
    pub fn new(parts: ScheduleParts) -> Result<Self, ScheduleError> {
        parts.check()?;
        let zone = &parts.zone;
        let turns =
            |rotation: &Rotation| Layer::Turns(Box::new(Turns::new(rotation.clone(), zone)));
        let mut layers: Vec<Layer> = parts.rotations.iter().map(turns).collect();
        layers.extend(
            parts
                .shifts
                .iter()
                .map(|shift| Layer::shift(shift.clone(), zone)),
        );
        layers.extend(
            parts
                .weekly
                .iter()
                .map(|shift| Layer::weekly(shift.clone(), zone)),
        );
        let laid = |laid: &Override| Laid::new(laid.clone(), zone);
        let overrides: Vec<Laid> = parts.overrides.iter().map(laid).collect();
        let mut edges: Vec<i64> = overrides
            .iter()
            .flat_map(|laid| [laid.from, laid.to])
            .collect();
        edges.sort_unstable();
        edges.dedup();
        Ok(Self(Arc::new(Inner {
            parts,
            layers,
            overrides,
            edges,
            table: Table::new(),
        })))
    }

    /// What the schedule is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.parts.name
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &ScheduleParts {
        &self.0.parts
    }

    /// Who is on duty at `at`, in order, each once: rotations, shifts and weekly shifts as they are written,
    /// with the overrides laid over them.
    #[must_use]
    pub fn on_duty(&self, at: Timestamp) -> Vec<Name> {
        self.duty(at).iter().cloned().collect()
    }

    /// As [`Schedule::on_duty`], without a list of one's own.
    pub(crate) fn duty(&self, at: Timestamp) -> OnDuty<'_> {
        let second = split(at).0;
        match self.0.table.on_duty(self, second) {
            Some(names) => OnDuty::Known(names),
            None => OnDuty::Asked(Walk::new(self, second).on_duty()),
        }
    }

    /// Whether the schedule names the person at all, be he on duty or not.
    #[must_use]
    pub fn knows(&self, person: &Name) -> bool {
        let parts = self.parts();
        let rotations = parts.rotations.iter().map(|rotation| &rotation.members);
        let shifts = parts.shifts.iter().map(|shift| &shift.who);
        let weekly = parts.weekly.iter().map(|shift| &shift.who);
        let mut teams = rotations.chain(shifts).chain(weekly);
        let mut laid = parts.overrides.iter();
        teams.any(|team| team.contains(person)) || laid.any(|laid| laid.on_call == *person)
    }

    /// Who is on call at `at`: the first of those on duty.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Option<Name> {
        self.duty(at).get(0).cloned()
    }

    /// The instants from `from` on and before `to` at which it changes who is on duty, or in which order.
    #[must_use]
    pub fn handoffs(&self, from: Timestamp, to: Timestamp) -> Handoffs<'_> {
        Handoffs::new(self, from, to)
    }

    /// The first instant after `at` at which it changes who is on duty; `None` if that is not within
    /// [`HORIZON_SECONDS`].
    #[must_use]
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let (second, nanos) = split(at);
        let after = join(second, nanos.saturating_add(1).min(999_999_999));
        let limit = join(second.saturating_add(HORIZON_SECONDS), nanos);
        self.handoffs(after, limit).next().map(|handoff| handoff.at)
    }

    /// The time from `from` to `to` in which nobody is on duty, in order and apart from each other.
    ///
    /// Takes time for each change within it, not for its length. See [`uncovered`] for absences.
    #[must_use]
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut gaps = Vec::new();
        let mut walk = Walk::new(self, split(from).0);
        let mut at = from;
        while at < to {
            let edge = walk.next_edge();
            let next = if edge == NEVER {
                to
            } else {
                join(edge, 0).min(to)
            };
            if !walk.is_covered() {
                coverage::add_gap(&mut gaps, at, next);
            }
            walk.go_to(split(next).0);
            at = next;
        }
        gaps
    }
}

impl ScheduleParts {
    fn check(&self) -> Result<(), ScheduleError> {
        if self.rotations.is_empty()
            && self.shifts.is_empty()
            && self.weekly.is_empty()
            && self.overrides.is_empty()
        {
            return Err(ScheduleError::Empty);
        }
        for rotation in &self.rotations {
            check_people(&rotation.members)?;
            check_order(Some(rotation.from), rotation.until)?;
            match rotation.every.count() {
                0 => return Err(ScheduleError::EmptyTurn),
                1..=MAX_EVERY => {}
                _ => return Err(ScheduleError::TurnTooLong),
            }
            rotation.hours.iter().try_for_each(check_hours)?;
        }
        for shift in &self.shifts {
            check_people(&shift.who)?;
            check_order(shift.from, shift.to)?;
        }
        for shift in &self.weekly {
            check_people(&shift.who)?;
            check_hours(&shift.hours)?;
        }
        self.overrides
            .iter()
            .try_for_each(|laid| check_order(Some(laid.from), Some(laid.to)))
    }
}

fn check_people(people: &[Name]) -> Result<(), ScheduleError> {
    if people.is_empty() {
        Err(ScheduleError::Nobody)
    } else {
        Ok(())
    }
}

fn check_order(from: Option<DateTime>, to: Option<DateTime>) -> Result<(), ScheduleError> {
    match (from, to) {
        (Some(from), Some(to)) if to <= from => Err(ScheduleError::EndsBeforeStart { from, to }),
        _ => Ok(()),
    }
}

fn check_hours(week: &crate::calendar::Week) -> Result<(), ScheduleError> {
    if week.is_empty() {
        return Err(ScheduleError::NoHours);
    }
    Ok(week.check()?)
}

/// Two schedules are the same if they are made of the same parts.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.parts == other.0.parts
    }
}

impl Eq for Schedule {}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.parts.fmt(f)
    }
}
