//! Calendars against tables, against the scenarios of other products, and against a clock that walks.

mod closures;
pub(crate) mod properties;
mod walk;

use jiff::civil::{Weekday, date};

use super::*;

pub(crate) const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/Chicago",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Asia/Shanghai",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
];

#[expect(
    clippy::disallowed_methods,
    reason = "tests look zones up; the core is given them"
)]
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn hours(text: &str) -> Opening {
    let time = |text: &str| -> u32 {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 3600 + minute.parse::<u32>().unwrap() * 60
    };
    let (from, to) = text.split_once('-').unwrap();
    Opening::new(time(from), time(to)).unwrap()
}

pub(crate) fn week(days: std::ops::Range<usize>, openings: &[&str]) -> Week {
    let openings: Vec<_> = openings.iter().map(|text| hours(text)).collect();
    Week::of(&WEEKDAYS[days], &openings)
}

fn parts(zone_name: &str, days: std::ops::Range<usize>, openings: &[&str]) -> CalendarParts {
    CalendarParts {
        name: Name::from("hours"),
        zone: zone(zone_name),
        week: week(days, openings),
        holidays: vec![],
        working_days: vec![],
    }
}

fn calendar(zone_name: &str, days: std::ops::Range<usize>, openings: &[&str]) -> Calendar {
    Calendar::new(parts(zone_name, days, openings)).unwrap()
}

/// The design's office hours: a lunch break, a holiday week, a Saturday that makes up for it.
fn shanghai() -> Calendar {
    Calendar::new(CalendarParts {
        holidays: vec![
            Holiday::between(date(2026, 10, 1), date(2026, 10, 7)).named("National Day"),
            Holiday::yearly(1, 1),
        ],
        working_days: vec![WorkingDay::on(date(2026, 10, 10))],
        ..parts("Asia/Shanghai", 0..5, &["09:00-12:00", "13:30-18:00"])
    })
    .unwrap()
}

#[track_caller]
fn due(calendar: &Calendar, from: &str, span: Span, expected: &str) {
    let due = calendar.after(at(from), span);
    assert_eq!(due, Some(at(expected)), "{span} after {from}");
}

#[test]
fn f05_working_time_sums() {
    let split = ["08:00-13:00", "14:00-18:00"];
    let desk = calendar("Europe/Berlin", 0..5, &split);
    due(
        &desk,
        "2016-02-01T12:25:30+01:00",
        Span::hours(5),
        "2016-02-02T08:25:30+01:00",
    );
    due(
        &desk,
        "2015-03-27T11:00:00Z",
        Span::hours(15),
        "2015-03-31T07:00:00Z",
    );
    let long = Span::seconds(45 * 3600 + 25 * 60 + 30);
    due(
        &desk,
        "2016-01-31T12:25:30+01:00",
        long,
        "2016-02-08T08:25:30+01:00",
    );

    let christmas = Calendar::new(CalendarParts {
        holidays: vec![Holiday::between(date(2015, 12, 24), date(2015, 12, 26))],
        ..parts("Europe/Berlin", 0..5, &split)
    });
    let christmas = christmas.unwrap();
    due(
        &christmas,
        "2015-12-22T16:24:49+01:00",
        Span::hours(20),
        "2015-12-29T08:24:49+01:00",
    );

    let always = calendar("Australia/Sydney", 0..7, &["00:00-24:00"]);
    due(
        &always,
        "2016-04-02T12:00:00+11:00",
        Span::hours(41),
        "2016-04-04T04:00:00+10:00",
    );

    let plain = calendar("Europe/Berlin", 0..5, &["08:00-18:00"]);
    due(
        &plain,
        "2013-03-16T10:00:00+01:00",
        Span::minutes(1),
        "2013-03-18T08:01:00+01:00",
    );
    due(
        &plain,
        "2016-01-31T12:25:30+01:00",
        Span::hours(5),
        "2016-02-01T13:00:00+01:00",
    );
    due(
        &plain,
        "2016-02-01T16:59:30+01:00",
        Span::minutes(210),
        "2016-02-02T10:29:30+01:00",
    );
}

/// F03 `long_pause_reaches_end_of_day`: two hours are used up exactly at closing time. Ours is the closing
/// instant, where that product reports the next opening.
#[test]
fn f03_a_deadline_exactly_at_closing_time_is_the_closing_instant() {
    let desk = calendar("Europe/Berlin", 0..7, &["09:00-18:00"]);
    let before = desk.elapsed(at("2013-06-04T09:00:00Z"), at("2013-06-04T10:00:00Z"));
    due(
        &desk,
        "2013-06-04T15:00:00Z",
        Span::seconds(7200 - before),
        "2013-06-04T16:00:00Z",
    );
    assert!(!desk.is_open(at("2013-06-04T16:00:00Z")));
    due(
        &desk,
        "2013-06-04T15:00:00Z",
        Span::seconds(3601),
        "2013-06-05T07:00:01Z",
    );
    let (from, percent_75) = (at("2013-06-04T09:00:00Z"), Some(at("2013-06-04T12:00:00Z")));
    assert_eq!(desk.after_percent(from, Span::hours(4), 75), percent_75);
}

/// F03 `elapsed_net_of_pause` and F01: what was open between two instants.
#[test]
fn f01_f03_elapsed_counts_open_time_only() {
    let desk = calendar("Europe/Berlin", 0..5, &["08:00-18:00"]);
    let table = [
        ("2013-03-21T09:30:00Z", "2013-03-21T14:00:00Z", 270),
        ("2013-03-21T16:30:00Z", "2013-03-22T07:30:00Z", 60),
        ("2013-03-22T16:30:00Z", "2013-03-25T08:00:00Z", 90),
        ("2013-03-23T00:00:00Z", "2013-03-24T23:59:59Z", 0),
        ("2013-03-21T14:00:00Z", "2013-03-21T09:30:00Z", 0),
    ];
    for (from, to, minutes) in table {
        assert_eq!(
            desk.elapsed(at(from), at(to)),
            minutes * 60,
            "{from} to {to}"
        );
    }
}

#[test]
fn days_are_steps_from_working_day_to_working_day() {
    let desk = shanghai();
    let table = [
        // Wednesday; Thursday to the next Wednesday are holidays, Saturday the 10th is worked.
        ("2026-09-30T10:00:00+08", 1, "2026-10-08T10:00:00+08"),
        ("2026-09-30T10:00:00+08", 3, "2026-10-10T10:00:00+08"),
        ("2026-09-30T10:00:00+08", 4, "2026-10-12T10:00:00+08"),
        // Before opening, in the break, after closing, on a holiday: from the next open instant.
        ("2026-03-02T05:00:00+08", 1, "2026-03-03T09:00:00+08"),
        ("2026-03-02T12:00:00+08", 1, "2026-03-03T13:30:00+08"),
        ("2026-03-06T20:00:00+08", 1, "2026-03-10T09:00:00+08"),
        ("2026-10-03T10:00:00+08", 1, "2026-10-09T09:00:00+08"),
        ("2026-12-31T17:59:59+08", 1, "2027-01-04T17:59:59+08"),
    ];
    for (from, days, expected) in table {
        due(&desk, from, Span::days(days), expected);
    }
    due(
        &desk,
        "2026-09-30T10:00:00+08",
        Span::days(3).around_the_clock(),
        "2026-10-03T10:00:00+08",
    );
    due(
        &desk,
        "2026-10-03T10:00:00+08",
        Span::hours(2).around_the_clock(),
        "2026-10-03T12:00:00+08",
    );
}

#[test]
fn a_day_that_is_shorter_than_the_time_of_day() {
    let mut parts = parts("Europe/Berlin", 0..4, &["09:00-18:00"]);
    parts.week.add(Weekday::Friday, hours("10:00-13:00"));
    let desk = Calendar::new(parts).unwrap();
    let table = [
        ("2026-03-05T09:15:00+01", "2026-03-06T10:00:00+01"), // before its opening
        ("2026-03-05T13:00:00+01", "2026-03-06T13:00:00+01"), // exactly at its closing
        ("2026-03-05T16:00:00+01", "2026-03-09T09:00:00+01"), // after it
    ];
    for (from, expected) in table {
        due(&desk, from, Span::days(1), expected);
    }
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_it_begins() {
    let nights = calendar("Europe/Berlin", 0..5, &["22:00-06:00"]);
    assert!(
        nights.is_open(at("2026-03-07T05:59:59+01")),
        "Saturday morning, Friday's night"
    );
    assert!(!nights.is_open(at("2026-03-07T06:00:00+01")));
    assert!(
        !nights.is_open(at("2026-03-02T03:00:00+01")),
        "Monday morning, Sunday's night"
    );
    due(
        &nights,
        "2026-03-06T03:00:00+01",
        Span::days(1),
        "2026-03-07T03:00:00+01",
    );
    due(
        &nights,
        "2026-03-07T03:00:00+01",
        Span::days(1),
        "2026-03-10T03:00:00+01",
    );
    due(
        &nights,
        "2026-03-06T23:00:00+01",
        Span::hours(8),
        "2026-03-09T23:00:00+01",
    );
    // The night on which Berlin goes back is an hour longer, the one on which it goes forward shorter.
    let saturdays = calendar("Europe/Berlin", 5..6, &["22:00-06:00"]);
    assert_eq!(
        saturdays.elapsed(at("2026-10-24T00:00:00Z"), at("2026-10-26T00:00:00Z")),
        9 * 3600
    );
    assert_eq!(
        saturdays.elapsed(at("2026-03-28T00:00:00Z"), at("2026-03-30T00:00:00Z")),
        7 * 3600
    );
}

#[test]
fn working_days_take_hours_and_beat_holidays() {
    let mut parts = parts("UTC", 1..5, &["09:00-17:00"]);
    parts.week.add(Weekday::Friday, hours("18:00-19:00"));
    parts.holidays = vec![Holiday::between(date(2026, 12, 20), date(2027, 1, 3))];
    parts.working_days = vec![
        WorkingDay {
            date: date(2027, 1, 2),
            hours: WorkingHours::Like(Weekday::Friday),
        },
        WorkingDay {
            date: date(2026, 12, 24),
            hours: WorkingHours::Own(vec![hours("08:00-12:00")]),
        },
        WorkingDay::on(date(2026, 12, 25)),
        WorkingDay::on(date(2026, 12, 26)),
    ];
    let desk = Calendar::new(parts).unwrap();
    let openings: Vec<String> = desk
        .openings(at("2026-12-19T00:00:00Z"), at("2027-01-05T10:00:00Z"))
        .map(|(from, to)| format!("{} {}", from.strftime("%d %H"), to.strftime("%H")))
        .collect();
    let expected = [
        "24 08 12", "25 09 17", "25 18 19", "26 09 17", "02 09 17", "02 18 19", "05 09 10",
    ];
    assert_eq!(openings, expected);
}

#[test]
fn the_ledger_says_why() {
    let desk = shanghai();
    let (from, to) = (at("2026-09-30T17:00:00+08"), at("2026-10-10T10:00:00+08"));
    let lines: Vec<String> = desk
        .ledger(from, to)
        .map(|stretch| {
            let local =
                |at: Timestamp| desk.zone().to_datetime(at).strftime("%d %H:%M").to_string();
            format!(
                "{} - {} {}",
                local(stretch.from),
                local(stretch.to),
                stretch.why
            )
        })
        .collect();
    let expected = "\
30 17:00 - 30 18:00 open
30 18:00 - 01 00:00 outside hours
01 00:00 - 08 00:00 holiday: National Day
08 00:00 - 08 09:00 outside hours
08 09:00 - 08 12:00 open
08 12:00 - 08 13:30 outside hours
08 13:30 - 08 18:00 open
08 18:00 - 09 09:00 outside hours
09 09:00 - 09 12:00 open
09 12:00 - 09 13:30 outside hours
09 13:30 - 09 18:00 open
09 18:00 - 10 09:00 outside hours
10 09:00 - 10 10:00 open";
    assert_eq!(lines.join("\n"), expected);
    let weekend: Vec<Why> = desk
        .ledger(at("2026-03-07T00:00:00+08"), at("2026-03-09T00:00:00+08"))
        .map(|s| s.why)
        .collect();
    assert_eq!(
        weekend,
        [Why::DayOff],
        "Saturday and Sunday are one stretch"
    );
    let old: Vec<Why> = desk
        .ledger(Timestamp::MIN, at("1900-01-01T00:00:00Z"))
        .map(|s| s.why)
        .collect();
    assert_eq!(
        old,
        [Why::UnknownYear, Why::Holiday(None)],
        "the first of January by the clock in Shanghai"
    );
}

#[test]
fn calendars_that_cannot_be_are_refused() {
    use CalendarError as E;
    let whole = |parts: CalendarParts| Calendar::new(parts).unwrap_err();
    let base = || parts("UTC", 0..5, &["09:00-17:00"]);
    assert_eq!(
        Opening::new(86_400, 0),
        Err(E::NoSuchTime { seconds: 86_400 })
    );
    assert_eq!(
        Opening::new(0, 86_401),
        Err(E::NoSuchTime { seconds: 86_401 })
    );
    assert_eq!(Opening::new(60, 60), Err(E::EmptyOpening { seconds: 60 }));
    assert_eq!(
        whole(CalendarParts {
            week: Week::default(),
            ..base()
        }),
        E::NeverOpen
    );
    let mut overlap = base();
    overlap.week.add(Weekday::Monday, hours("16:00-18:00"));
    assert!(matches!(
        whole(overlap),
        E::OverlappingOpenings {
            day: Weekday::Monday,
            ..
        }
    ));
    let mut over_midnight = base();
    over_midnight
        .week
        .add(Weekday::Sunday, hours("22:00-09:01"));
    let error = whole(over_midnight);
    assert_eq!(
        error.to_string(),
        "22:00-09:01 and 09:00-17:00 overlap on Sunday"
    );
}

#[test]
fn holidays_and_working_days_that_cannot_be_are_refused() {
    use CalendarError as E;
    let whole = |parts: CalendarParts| Calendar::new(parts).unwrap_err();
    let base = || parts("UTC", 0..5, &["09:00-17:00"]);
    let backwards = Holiday::between(date(2026, 1, 2), date(2026, 1, 1));
    let holidays = |holiday| CalendarParts {
        holidays: vec![holiday],
        ..base()
    };
    assert!(matches!(
        whole(holidays(backwards)),
        E::HolidayEndsBeforeStart { .. }
    ));
    assert_eq!(
        whole(holidays(Holiday::yearly(2, 30))),
        E::NoSuchDay { month: 2, day: 30 }
    );
    assert!(Calendar::new(holidays(Holiday::yearly(2, 29))).is_ok());
    let worked = WorkingDay::on(date(2026, 1, 3));
    let working_days = vec![worked.clone()];
    let only = CalendarParts {
        week: Week::default(),
        working_days,
        ..base()
    };
    assert_eq!(
        whole(only),
        E::WorkingDayWithoutHours {
            date: date(2026, 1, 3)
        }
    );
    let twice = CalendarParts {
        working_days: vec![worked.clone(), worked],
        ..base()
    };
    assert_eq!(
        whole(twice),
        E::WorkingDayTwice {
            date: date(2026, 1, 3)
        }
    );
}

#[test]
fn a_calendar_that_is_closed_for_ever_has_no_next() {
    let once = WorkingDay {
        date: date(2026, 3, 2),
        hours: WorkingHours::Own(vec![hours("09:00-10:00")]),
    };
    let parts = parts("UTC", 0..0, &[]);
    let fair = Calendar::new(CalendarParts {
        working_days: vec![once],
        ..parts
    })
    .unwrap();
    let before = at("2026-01-01T00:00:00Z");
    assert_eq!(fair.next_open(before), Some(at("2026-03-02T09:00:00Z")));
    assert_eq!(fair.next_close(before), Some(at("2026-03-02T10:00:00Z")));
    assert_eq!(
        fair.after(before, Span::hours(1)),
        Some(at("2026-03-02T10:00:00Z"))
    );
    assert_eq!(fair.after(before, Span::seconds(3601)), None);
    assert_eq!(fair.after(before, Span::days(1)), None);
    assert_eq!(fair.next_open(at("2026-03-02T10:00:00Z")), None);
    assert_eq!(fair.elapsed(Timestamp::MIN, Timestamp::MAX), 3600);
    assert_eq!(fair.openings(Timestamp::MIN, Timestamp::MAX).count(), 1);
}

#[test]
fn around_the_clock_is_physical_time() {
    let always = Calendar::around_the_clock("always");
    let from = at("2026-03-28T12:00:00Z");
    assert_eq!(
        always.after(from, Span::days(3)),
        Some(at("2026-03-31T12:00:00Z"))
    );
    assert_eq!(always.next_open(from), Some(from));
    assert_eq!(always.next_close(from), None);
    assert_eq!(always.elapsed(from, at("2036-03-28T12:00:00Z")), 3653 * DAY);
    // In a zone, a day of a calendar that never closes still keeps the time on the clock.
    let berlin = calendar("Europe/Berlin", 0..7, &["00:00-24:00"]);
    assert!(berlin.is_always_open());
    due(
        &berlin,
        "2026-03-28T12:00:00+01:00",
        Span::days(1),
        "2026-03-29T12:00:00+02:00",
    );
    due(
        &berlin,
        "2026-03-28T12:00:00+01:00",
        Span::hours(24),
        "2026-03-29T13:00:00+02:00",
    );
}
