//! Hours: [`Opening`] and [`Week`].

use std::fmt;

use jiff::civil::Weekday;

use super::CalendarError;
use super::local::DAY;

/// A piece of a day: `09:00-12:00`, or over midnight `22:00-06:00`.
///
/// It belongs to the day on which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opening {
    start: u32,
    end: u32,
}

impl Opening {
    /// The whole day, `00:00-24:00`.
    pub const WHOLE_DAY: Self = Self {
        start: 0,
        end: DAY as u32,
    };

    /// From `start` to `end`, in seconds of the day; `end` may be 86 400, which is `24:00`. An end that is
    /// not after the start is one of the next day.
    ///
    /// # Errors
    ///
    /// [`CalendarError::NoSuchTime`] if `start` is not within the day, or `end` is after its end;
    /// [`CalendarError::EmptyOpening`] if both are the same.
    ///
    /// ```
    /// use upline_core::calendar::Opening;
    /// assert_eq!(Opening::new(22 * 3600, 6 * 3600).unwrap().to_string(), "22:00-06:00");
    /// ```
    pub fn new(start: u32, end: u32) -> Result<Self, CalendarError> {
        let day = DAY as u32;
        if start >= day || end > day {
            return Err(CalendarError::NoSuchTime {
                seconds: start.max(end),
            });
        }
        if start == end {
            return Err(CalendarError::EmptyOpening { seconds: start });
        }
        Ok(Self {
            start,
            end: if end > start { end } else { end + day },
        })
    }

    /// When it begins, in seconds of its day.
    #[must_use]
    pub const fn start(self) -> u32 {
        self.start
    }

    /// When it ends, in seconds of the day on which it begins: more than 86 400 if it runs over midnight.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.end
    }
}

/// Prints `09:00-12:00`, with seconds only if there are any.
impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY as u32 {
            self.end - DAY as u32
        } else {
            self.end
        };
        fmt_time(self.start, f)?;
        f.write_str("-")?;
        fmt_time(end, f)
    }
}

fn fmt_time(seconds: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
    if seconds.is_multiple_of(60) {
        Ok(())
    } else {
        write!(f, ":{:02}", seconds % 60)
    }
}

/// The hours of each day of the week.
///
/// ```
/// use jiff::civil::Weekday::{Friday, Monday, Saturday};
/// use upline_core::calendar::{Opening, Week};
///
/// let nine_to_five = Opening::new(9 * 3600, 17 * 3600).unwrap();
/// let mut week = Week::default();
/// week.add(Monday, nine_to_five);
/// week.add(Friday, nine_to_five);
/// assert_eq!(week.on(Friday), [nine_to_five]);
/// assert!(week.on(Saturday).is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Week([Vec<Opening>; 7]);

/// Monday to Sunday.
pub const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

impl Week {
    /// Each day from `00:00` to `24:00`.
    #[must_use]
    pub fn around_the_clock() -> Self {
        Self::of(&WEEKDAYS, &[Opening::WHOLE_DAY])
    }

    /// The same hours on each of `days`.
    #[must_use]
    pub fn of(days: &[Weekday], openings: &[Opening]) -> Self {
        let mut week = Self::default();
        for &day in days {
            for &opening in openings {
                week.add(day, opening);
            }
        }
        week
    }

    /// Adds hours to a day.
    pub fn add(&mut self, day: Weekday, opening: Opening) {
        let openings = &mut self.0[index(day)];
        let place = openings.partition_point(|other| *other < opening);
        openings.insert(place, opening);
    }

    /// The hours of a day, in order.
    #[must_use]
    pub fn on(&self, day: Weekday) -> &[Opening] {
        &self.0[index(day)]
    }

    /// Whether no day has hours.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The hours of the day with this number, counted from 1970-01-01.
    pub(crate) fn on_day(&self, day: i64) -> &[Opening] {
        &self.0[weekday_index(day)]
    }

    /// Whether each day is open from `00:00` to `24:00` in one piece.
    pub(crate) fn is_around_the_clock(&self) -> bool {
        self.0
            .iter()
            .all(|openings| openings[..] == [Opening::WHOLE_DAY])
    }

    /// The first day of the week that has hours, as an index from Monday.
    pub(crate) fn first_with_hours(&self) -> Option<&[Opening]> {
        self.0
            .iter()
            .map(Vec::as_slice)
            .find(|openings| !openings.is_empty())
    }

    /// Refuses hours that overlap, on one day or over midnight into the next.
    pub(crate) fn check(&self) -> Result<(), CalendarError> {
        for day in WEEKDAYS {
            check_openings(self.on(day), day)?;
            let Some(last) = self.on(day).last() else {
                continue;
            };
            if let Some(first) = self.on(day.next()).first()
                && last.end > first.start + DAY as u32
            {
                return Err(CalendarError::OverlappingOpenings {
                    day,
                    first: *last,
                    second: *first,
                });
            }
        }
        Ok(())
    }
}

/// Refuses hours of one day that overlap; they are in order.
pub(crate) fn check_openings(openings: &[Opening], day: Weekday) -> Result<(), CalendarError> {
    for pair in openings.windows(2) {
        if pair[0].end > pair[1].start {
            return Err(CalendarError::OverlappingOpenings {
                day,
                first: pair[0],
                second: pair[1],
            });
        }
    }
    Ok(())
}

fn index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs()) % 7
}

/// The day of the week, from Monday, of the day with this number; 1970-01-01 was a Thursday.
fn weekday_index(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}
