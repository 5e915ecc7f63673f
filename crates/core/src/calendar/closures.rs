//! When a calendar is closed for long: [`Calendar::closures`].

use jiff::Timestamp;
use jiff::civil::Date;

use super::days::HolidayDays;
use super::local::{DAY, day_number, instant, join, split, wall, wall_clock};
use super::{Calendar, HORIZON_SECONDS};

/// Days between two holidays that may all be closed by the week, with one to spare.
const WEEK_DAYS: i64 = 8;

/// What is not longer than this is no closure but a week, in seconds.
const LEAST_SECONDS: i64 = (WEEK_DAYS + 1) * DAY;

/// For so many years holidays of each year are laid out: by then each has been on every weekday.
const YEARLY_YEARS: i16 = 12;

/// A closed time: from a closing instant to the next opening one; `None` if that is beyond
/// [`HORIZON_SECONDS`].
pub type Closure = (Timestamp, Option<Timestamp>);

impl Calendar {
    /// The times of at least `seconds`, and nine days, in which the calendar is closed, in order: those that
    /// are over after `from`.
    ///
    /// Takes time for the holidays, and not for the years, unless there are holidays that lie so close
    /// together that they may be such a time.
    #[must_use]
    pub fn closures(&self, from: Timestamp, seconds: i64) -> Vec<Closure> {
        let mut found: Vec<Closure> = Vec::new();
        if self.0.always {
            return found;
        }
        let least = seconds.max(LEAST_SECONDS);
        for (first, last) in self.clusters(from) {
            // The days around it may be closed by the week.
            if (last - first + 1 + 2 * WEEK_DAYS) * DAY >= least {
                self.walk(from, (first, last), least, &mut found);
            }
        }
        found
    }

    /// Days from the first to the last, in which more than a week may be closed: holidays that lie close
    /// together, or all of it if the week has no hours. In order, and apart from each other.
    fn clusters(&self, from: Timestamp) -> Vec<(i64, i64)> {
        let today = wall(self.zone(), from).div_euclid(DAY);
        let parts = self.parts();
        if parts.week.is_empty() {
            return vec![(today, today + HORIZON_SECONDS / DAY)];
        }
        let mut days: Vec<(i64, i64)> = Vec::new();
        let mut yearly: Vec<(i8, i8)> = Vec::new();
        for holiday in &parts.holidays {
            match holiday.days {
                HolidayDays::Dates { from, to } => days.push((day_number(from), day_number(to))),
                HolidayDays::Yearly { month, day } => yearly.push((month, day)),
            }
        }
        days.retain(|(_, last)| *last >= today);
        let year = wall_clock(today * DAY).map_or(0, |local| local.year());
        yearly.sort_unstable();
        yearly.dedup();
        for year in year - 1..=year.saturating_add(YEARLY_YEARS) {
            let dates = yearly
                .iter()
                .filter_map(|(month, day)| Date::new(year, *month, *day).ok());
            days.extend(dates.map(day_number).map(|day| (day, day)));
        }
        days.sort_unstable();
        let mut clusters: Vec<(i64, i64)> = Vec::new();
        for (first, last) in days {
            match clusters.last_mut() {
                Some(before) if first - before.1 <= WEEK_DAYS => before.1 = before.1.max(last),
                _ => clusters.push((first, last)),
            }
        }
        clusters
    }

    /// The long closed times that touch the days.
    fn walk(&self, from: Timestamp, days: (i64, i64), least: i64, found: &mut Vec<Closure>) {
        let at = |day: i64| join(instant(self.zone(), day * DAY), 0);
        // In the week before, the calendar was open, if the week has hours.
        let (begin, end) = (at(days.0 - WEEK_DAYS), at(days.1 + 1));
        let mut closes = match self.is_open(begin) {
            true => self.next_close(begin),
            false => Some(begin),
        };
        while let Some(close) = closes.filter(|close| *close <= end) {
            let open = self.next_open(close);
            let long = open.is_none_or(|open| split(open).0 - split(close).0 >= least);
            let ahead = open.is_none_or(|open| open > from);
            if long && ahead && found.last() != Some(&(close, open)) {
                found.push((close, open));
            }
            closes = open.and_then(|open| self.next_close(open));
        }
    }
}
