//! Times as authors write them, and what they mean.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::deed::{Day, When};
use super::player::Fault;

/// What a time means now. One that clocks skip is the first after the skip, one that comes twice the first.
pub(super) fn instant(
    when: &When,
    now: Option<Timestamp>,
    zone: &TimeZone,
) -> Result<Timestamp, Fault> {
    let local = match (when.day, now) {
        (Day::Date(date), _) => date.to_datetime(when.time),
        (_, None) => {
            return Err((
                when.site,
                "the first time needs a date: `2026-03-06 17:20`".to_owned(),
            ));
        }
        (day, Some(now)) => coming(day, when, zone.to_datetime(now)),
    };
    upline_dsl::instant(zone, local).ok_or_else(|| {
        (
            when.site,
            "the time lies outside of what can be computed".to_owned(),
        )
    })
}

/// The next such time of day, at the day that is meant.
fn coming(day: Day, when: &When, now: DateTime) -> DateTime {
    let mut date = now.date();
    for _ in 0..8 {
        let fits = match day {
            Day::Weekday(weekday) => date.weekday() == weekday,
            Day::Date(_) | Day::Next => true,
        };
        if fits && date.to_datetime(when.time) >= now {
            break;
        }
        date = date.saturating_add(1.day());
    }
    date.to_datetime(when.time)
}
