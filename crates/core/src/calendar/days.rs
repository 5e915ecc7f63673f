//! Days that are unlike the others of their weekday: [`Holiday`] and [`WorkingDay`].

use jiff::civil::{Date, Weekday};

use super::local::{DAY, day_number, wall_clock};
use super::week::{Opening, Week, check_openings};
use super::{CalendarError, CalendarParts};
use crate::Name;

/// A day, or several, without hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// What it is called, for the one who asks why a clock stands still.
    pub name: Option<Name>,
    /// When it is.
    pub days: HolidayDays,
}

/// When a [`Holiday`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolidayDays {
    /// From a date to a date, both included.
    Dates {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The same date each year. 29 February is a holiday in leap years only.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// The day of the month, from 1.
        day: i8,
    },
}

impl Holiday {
    /// One day.
    #[must_use]
    pub const fn on(date: Date) -> Self {
        Self::between(date, date)
    }

    /// From a date to a date, both included.
    #[must_use]
    pub const fn between(from: Date, to: Date) -> Self {
        Self {
            name: None,
            days: HolidayDays::Dates { from, to },
        }
    }

    /// The same date each year.
    #[must_use]
    pub const fn yearly(month: i8, day: i8) -> Self {
        Self {
            name: None,
            days: HolidayDays::Yearly { month, day },
        }
    }

    /// The same holiday with a name.
    #[must_use]
    pub fn named(self, name: impl Into<Name>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    fn holds(&self, date: Date) -> bool {
        match self.days {
            HolidayDays::Dates { from, to } => from <= date && date <= to,
            HolidayDays::Yearly { month, day } => (month, day) == (date.month(), date.day()),
        }
    }

    fn check(&self) -> Result<(), CalendarError> {
        match self.days {
            HolidayDays::Dates { from, to } if to < from => {
                Err(CalendarError::HolidayEndsBeforeStart { from, to })
            }
            // 2000 is a leap year.
            HolidayDays::Yearly { month, day } if Date::new(2000, month, day).is_err() => {
                Err(CalendarError::NoSuchDay { month, day })
            }
            HolidayDays::Dates { .. } | HolidayDays::Yearly { .. } => Ok(()),
        }
    }
}

/// A date that is worked whatever its weekday or a holiday says, such as a Saturday made up for a bridge day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDay {
    /// The date.
    pub date: Date,
    /// Its hours.
    pub hours: WorkingHours,
}

/// The hours of a [`WorkingDay`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkingHours {
    /// Those of its own weekday; if that has none, of the first weekday from Monday that has.
    Usual,
    /// Those of another weekday.
    Like(Weekday),
    /// These.
    Own(Vec<Opening>),
}

impl WorkingDay {
    /// A day with the usual hours.
    #[must_use]
    pub const fn on(date: Date) -> Self {
        Self {
            date,
            hours: WorkingHours::Usual,
        }
    }

    fn openings<'a>(&'a self, week: &'a Week) -> &'a [Opening] {
        let of_weekday = match &self.hours {
            WorkingHours::Own(openings) => return openings,
            WorkingHours::Like(day) => week.on(*day),
            WorkingHours::Usual => week.on(self.date.weekday()),
        };
        if of_weekday.is_empty() {
            week.first_with_hours().unwrap_or_default()
        } else {
            of_weekday
        }
    }

    fn check(&self, week: &Week) -> Result<(), CalendarError> {
        let openings = self.openings(week);
        if openings.is_empty() {
            return Err(CalendarError::WorkingDayWithoutHours { date: self.date });
        }
        check_openings(openings, self.date.weekday())
    }
}

/// What a calendar says of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayRule<'a> {
    Hours(&'a [Opening]),
    DayOff,
    Holiday(Option<&'a Name>),
}

impl<'a> DayRule<'a> {
    pub(crate) fn openings(self) -> &'a [Opening] {
        match self {
            Self::Hours(openings) => openings,
            Self::DayOff | Self::Holiday(_) => &[],
        }
    }
}

impl CalendarParts {
    /// Checks the days, and sorts what is looked up.
    pub(crate) fn settle(&mut self) -> Result<(), CalendarError> {
        self.week.check()?;
        self.holidays.iter().try_for_each(Holiday::check)?;
        for day in &mut self.working_days {
            if let WorkingHours::Own(openings) = &mut day.hours {
                openings.sort_unstable();
            }
        }
        self.working_days
            .iter()
            .try_for_each(|day| day.check(&self.week))?;
        self.working_days.sort_by_key(|day| day.date);
        if let Some(pair) = self
            .working_days
            .windows(2)
            .find(|pair| pair[0].date == pair[1].date)
        {
            return Err(CalendarError::WorkingDayTwice { date: pair[0].date });
        }
        if self.week.is_empty() && self.working_days.is_empty() {
            return Err(CalendarError::NeverOpen);
        }
        Ok(())
    }

    /// What holds on the day with this number, counted from 1970-01-01: a working day beats a holiday, and a
    /// holiday beats the week.
    pub(crate) fn rule(&self, day: i64) -> DayRule<'_> {
        let Some(date) = wall_clock(day * DAY).map(|local| local.date()) else {
            return DayRule::DayOff;
        };
        if let Ok(found) = self
            .working_days
            .binary_search_by_key(&date, |day| day.date)
        {
            return DayRule::Hours(self.working_days[found].openings(&self.week));
        }
        if let Some(holiday) = self.holidays.iter().find(|holiday| holiday.holds(date)) {
            return DayRule::Holiday(holiday.name.as_ref());
        }
        debug_assert_eq!(day_number(date), day);
        match self.week.on_day(day) {
            [] => DayRule::DayOff,
            openings => DayRule::Hours(openings),
        }
    }
}
