//! Long closed times, by hand and against a clock that walks.

use jiff::civil::date;
use proptest::prelude::*;

use super::{at, parts, zone};
use crate::calendar::local::{DAY, join};
use crate::calendar::{Calendar, CalendarParts, Closure, Holiday, WorkingDay, WorkingHours};

const FROM: &str = "2026-03-02T08:00:00Z";

fn closed(parts: CalendarParts, days: i64) -> Vec<Closure> {
    Calendar::new(parts).unwrap().closures(at(FROM), days * DAY)
}

fn office(holidays: Vec<Holiday>) -> CalendarParts {
    CalendarParts {
        holidays,
        ..parts("UTC", 0..5, &["09:00-17:00"])
    }
}

fn from_to(from: &str, to: &str) -> Closure {
    (at(from), Some(at(to)))
}

#[test]
fn ranges_that_touch_are_one_closed_time() {
    let years = [2028, 2029, 2030];
    let ranges = years.map(|year| Holiday::between(date(year, 1, 1), date(year, 12, 31)));
    let three_years = from_to("2027-12-31T17:00:00Z", "2031-01-01T09:00:00Z");
    assert_eq!(closed(office(ranges.to_vec()), 366), [three_years]);
    // Between the ranges lies a weekend.
    let weekend = vec![
        Holiday::between(date(2027, 1, 1), date(2027, 3, 19)),
        Holiday::between(date(2027, 3, 22), date(2027, 5, 28)),
    ];
    let both = from_to("2026-12-31T17:00:00Z", "2027-05-31T09:00:00Z");
    assert_eq!(closed(office(weekend.clone()), 92), [both]);
    // And one day of it is worked.
    let worked = CalendarParts {
        working_days: vec![WorkingDay::on(date(2027, 3, 20))],
        ..office(weekend)
    };
    assert_eq!(closed(worked, 92), []);
}

#[test]
fn a_year_has_its_days_again() {
    let mondays = CalendarParts {
        holidays: (1..=12)
            .flat_map(|month| (1..=31).map(move |day| (month, day)))
            .filter(|(month, day)| date(2000, *month, 1).days_in_month() >= *day && *month < 6)
            .map(|(month, day)| Holiday::yearly(month, day))
            .collect(),
        ..parts("UTC", 0..1, &["10:00-11:00"])
    };
    let found = closed(mondays, 92);
    let spring = from_to("2025-12-29T11:00:00Z", "2026-06-01T10:00:00Z");
    assert_eq!(found[0], spring);
    assert_eq!(
        found[1],
        from_to("2026-12-28T11:00:00Z", "2027-06-07T10:00:00Z")
    );
}

#[test]
fn days_that_are_worked_and_nothing_else() {
    let worked = |days: &[jiff::civil::Date]| CalendarParts {
        week: crate::calendar::Week::default(),
        working_days: days
            .iter()
            .map(|date| WorkingDay {
                date: *date,
                hours: WorkingHours::Own(vec![super::hours("10:00-11:00")]),
            })
            .collect(),
        ..office(Vec::new())
    };
    let days = [date(2026, 5, 1), date(2026, 6, 1), date(2027, 6, 1)];
    let found = closed(worked(&days), 92);
    assert_eq!(
        found[0],
        from_to("2026-06-01T11:00:00Z", "2027-06-01T10:00:00Z")
    );
    assert_eq!(found[1..], [(at("2027-06-01T11:00:00Z"), None)]);
    let over = closed(worked(&[date(2020, 5, 1)]), 92);
    assert!(matches!(over[..], [(_, None)]), "{over:?}");
}

#[test]
fn what_is_over_and_what_is_short_is_left_out() {
    let past = Holiday::between(date(2020, 1, 1), date(2020, 12, 31));
    let summer = Holiday::between(date(2026, 7, 1), date(2026, 8, 31));
    assert_eq!(closed(office(vec![past, summer]), 92), []);
    assert_eq!(closed(parts("UTC", 0..1, &["09:00-09:01"]), 1), []);
    assert_eq!(closed(parts("UTC", 0..7, &["00:00-24:00"]), 1), []);
}

/// Each day looked at on its own.
fn walked(calendar: &Calendar, days: std::ops::Range<i64>, least: i64) -> Vec<Closure> {
    let mut found = Vec::new();
    let mut now = join(days.start * DAY, 0);
    while let Some(close) = calendar
        .next_close(now)
        .filter(|close| *close < join(days.end * DAY, 0))
    {
        let open = calendar.next_open(close);
        if open.is_none_or(|open| open.as_second() - close.as_second() >= least) {
            found.push((close, open));
        }
        match open {
            Some(open) => now = open,
            None => break,
        }
    }
    found
}

proptest! {
    #[test]
    fn closures_are_those_of_a_walk(
        ranges in prop::collection::vec((0i64..1500, 0i64..60), 0..30),
        yearly in prop::collection::vec((1i8..=12, 1i8..=28), 0..20),
        worked in prop::collection::btree_set(0i64..1500, 0..4),
        weekdays in 1usize..=7,
        least in 9i64..40,
    ) {
        let day = |day: i64| date(2026, 3, 12) + jiff::Span::new().days(day);
        let mut holidays: Vec<Holiday> = ranges
            .into_iter()
            .map(|(from, length)| Holiday::between(day(from), day(from + length)))
            .collect();
        holidays.extend(yearly.into_iter().map(|(month, day)| Holiday::yearly(month, day)));
        let calendar = Calendar::new(CalendarParts {
            zone: zone("Europe/Berlin"),
            holidays,
            working_days: worked.into_iter().map(|number| WorkingDay::on(day(number))).collect(),
            ..parts("UTC", 0..weekdays, &["09:00-17:00"])
        })
        .unwrap();
        let from = at(FROM);
        // What was closed before is not compared.
        let first = from.as_second() / DAY;
        let later = |closure: &Closure| closure.0 > from && closure.0 < at("2030-06-01T00:00:00Z");
        let mut expected = walked(&calendar, first..first + 1700, least * DAY);
        let mut found = calendar.closures(from, least * DAY);
        expected.retain(later);
        found.retain(later);
        prop_assert_eq!(found, expected);
    }
}
