//! A clock that walks over the changes of the clocks, minute by minute.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::*;
use crate::calendar::local::wall_seconds;

/// Walks the minutes around a change of the clocks, and asks the clock on the wall each time.
fn walk(zone_name: &str, change: &str, openings: &[&str]) {
    let calendar = calendar(zone_name, 0..7, openings);
    check_ledger(&calendar, change);
    let (from, to) = (
        at(change) - SignedDuration::from_hours(60),
        at(change) + SignedDuration::from_hours(60),
    );
    let minutes: Vec<Timestamp> = from
        .series(jiff::Span::new().minutes(1))
        .take_while(|at| *at < to)
        .collect();
    let wall: Vec<DateTime> = minutes
        .iter()
        .map(|at| zone(zone_name).to_datetime(*at))
        .collect();
    let first = |local: DateTime| {
        wall.iter()
            .position(|wall| *wall >= local)
            .unwrap_or(wall.len())
    };
    let mut open = vec![false; minutes.len()];
    let mut day = wall[0].date().yesterday().unwrap();
    while day <= wall[wall.len() - 1].date() {
        let midnight = wall_seconds(day.at(0, 0, 0, 0));
        for opening in openings.iter().map(|text| hours(text)) {
            let local = |seconds: u32| local::wall_clock(midnight + i64::from(seconds)).unwrap();
            open[first(local(opening.start()))..first(local(opening.end()))].fill(true);
        }
        day = day.tomorrow().unwrap();
    }
    let mut elapsed = 0;
    for (place, minute) in minutes.iter().enumerate() {
        assert_eq!(
            calendar.is_open(*minute),
            open[place],
            "{zone_name} {minute} {}",
            wall[place]
        );
        assert_eq!(
            calendar.elapsed(from, *minute),
            elapsed,
            "{zone_name} {minute}"
        );
        elapsed += 60 * i64::from(open[place]);
        let next = open[place..]
            .iter()
            .position(|open| *open)
            .map(|later| minutes[place + later]);
        assert!(
            next.is_none() || calendar.next_open(*minute) == next,
            "{zone_name} {minute}"
        );
    }
}

#[test]
fn a_walk_over_each_change_of_the_clocks() {
    let changes = [
        (
            "Europe/Berlin",
            ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"],
        ),
        (
            "America/Chicago",
            ["2026-03-08T08:00:00Z", "2037-11-01T07:00:00Z"],
        ),
        (
            "Australia/Lord_Howe",
            ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"],
        ),
        (
            "Australia/Sydney",
            ["2026-04-04T16:00:00Z", "2037-10-03T16:00:00Z"],
        ),
        (
            "Pacific/Apia",
            ["2011-12-30T10:00:00Z", "1970-01-03T00:00:00Z"],
        ),
        (
            "America/St_Johns", // at one minute past midnight, back into the day before
            ["2006-10-29T02:31:00Z", "2006-04-02T03:31:00Z"],
        ),
        (
            "America/Havana",
            ["2026-11-01T05:00:00Z", "2026-03-08T05:00:00Z"],
        ),
    ];
    let hours: [&[&str]; 4] = [
        &["09:00-18:00"],
        &["01:30-02:15", "02:20-02:45", "23:30-00:30"],
        &["02:30-04:00", "22:00-01:45"],
        &["00:00-02:00", "02:00-24:00"],
    ];
    for (zone, changes) in changes {
        for change in changes {
            hours.iter().for_each(|hours| walk(zone, change, hours));
        }
    }
}

fn check_ledger(calendar: &Calendar, change: &str) {
    let (from, to) = (
        at(change) - SignedDuration::from_hours(30),
        at(change) + SignedDuration::from_hours(30),
    );
    let mut end = from;
    for stretch in calendar.ledger(from, to) {
        assert!(
            stretch.from == end && stretch.from < stretch.to,
            "{stretch:?}"
        );
        assert_eq!(calendar.is_open(stretch.from), stretch.counted);
        end = stretch.to;
    }
    assert_eq!(end, to);
}

/// The tables of a calendar end somewhere, in the middle of a night shift or of a year without closing.
#[test]
fn tables_that_touch_each_other() {
    let nights = calendar("Europe/Berlin", 0..7, &["20:00-07:00"]);
    let closed_once = vec![Holiday::on(jiff::civil::date(2026, 1, 1))];
    let parts = parts("Europe/Berlin", 0..7, &["00:00-24:00"]);
    let open = Calendar::new(CalendarParts {
        holidays: closed_once,
        ..parts
    })
    .unwrap();
    for number in 90..110 {
        let midnight = block::first_day() * DAY + number * BLOCK_DAYS * DAY;
        let midnight = join(instant(nights.zone(), midnight), 0);
        let hour = SignedDuration::from_hours;
        let (evening, morning) = (midnight - hour(4), midnight + hour(7));
        let whole = nights
            .openings(evening - hour(1), morning + hour(1))
            .collect::<Vec<_>>();
        assert_eq!(whole, [(evening, morning)]);
        assert!(
            nights.is_open(midnight + hour(3)),
            "the morning belongs to the night before"
        );
        assert_eq!(nights.next_close(evening - hour(1)), Some(morning));
        assert_eq!(nights.elapsed(evening, morning + hour(2)), 11 * 3600);
        assert_eq!(nights.after(evening, Span::hours(11)), Some(morning));
        assert_eq!(
            nights.after(midnight + hour(1), Span::days(1)),
            Some(midnight + hour(25))
        );
        let week = SignedDuration::from_hours(7 * 24);
        assert_eq!(open.openings(midnight - week, midnight + week).count(), 1);
        assert_eq!(open.ledger(midnight - week, midnight + week).count(), 1);
    }
    let last = (at("2025-12-31T23:00:00Z"), at("2026-01-01T23:00:00Z"));
    assert_eq!(open.next_close(at("2020-01-01T00:00:00Z")), Some(last.0));
    assert_eq!(open.next_open(last.0), Some(last.1));
}
