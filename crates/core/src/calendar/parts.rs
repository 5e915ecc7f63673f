//! What a calendar is made of, and why it can't be.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::days::{Holiday, WorkingDay};
use super::week::{Opening, Week};
use crate::Name;

/// What a [`Calendar`](super::Calendar) is made of.
///
/// A working day beats a holiday, and a holiday beats the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarParts {
    /// What it is called.
    pub name: Name,
    /// Where its clock hangs.
    pub zone: TimeZone,
    /// The hours of each weekday.
    pub week: Week,
    /// Days without hours.
    pub holidays: Vec<Holiday>,
    /// Days with hours whatever week and holidays say.
    pub working_days: Vec<WorkingDay>,
}

/// Why a calendar can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// No weekday has hours, and no date is worked.
    #[error("the calendar is never open")]
    NeverOpen,
    /// A time of day after 24:00.
    #[error("a day has no second {seconds}")]
    NoSuchTime {
        /// In seconds of the day.
        seconds: u32,
    },
    /// An opening that ends when it begins.
    #[error("the opening ends when it begins; the whole day is 00:00-24:00")]
    EmptyOpening {
        /// When, in seconds of the day.
        seconds: u32,
    },
    /// Two openings of a weekday, or of a weekday and the next, that overlap.
    #[error("{first} and {second} overlap on {day:?}")]
    OverlappingOpenings {
        /// The weekday of the first.
        day: Weekday,
        /// The one that begins first.
        first: Opening,
        /// The one that begins before the first is over.
        second: Opening,
    },
    /// A holiday whose last day is before its first.
    #[error("the holiday ends on {to}, before it begins on {from}")]
    HolidayEndsBeforeStart {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// A date that no year has, such as 30 February.
    #[error("no year has a day {day} in month {month}")]
    NoSuchDay {
        /// The month as given.
        month: i8,
        /// The day as given.
        day: i8,
    },
    /// A date is worked, but neither it nor the week has hours.
    #[error("{date} is a working day without hours")]
    WorkingDayWithoutHours {
        /// The date.
        date: Date,
    },
    /// A date is worked twice.
    #[error("{date} is a working day twice")]
    WorkingDayTwice {
        /// The date.
        date: Date,
    },
}
