//! Schedules against the scenarios of other products, tables, and a clock that walks.

mod coverage;
mod properties;

use super::*;
use crate::calendar::tests::{at, week, zone};
use crate::calendar::{WEEKDAYS, Week};

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().copied().map(Name::from).collect()
}

fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn parts(zone_name: &str) -> ScheduleParts {
    ScheduleParts {
        name: Name::from("duty"),
        zone: zone(zone_name),
        rotations: vec![],
        shifts: vec![],
        weekly: vec![],
        overrides: vec![],
    }
}

fn rotation(zone_name: &str, every: Every, from: &str, members: &[&str]) -> Schedule {
    let rotation = Rotation::new(every, local(from), names(members));
    Schedule::new(ScheduleParts {
        rotations: vec![rotation],
        ..parts(zone_name)
    })
    .unwrap()
}

/// Each change as `instant: people`.
fn handoffs(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let line = |handoff: Handoff| format!("{}: {}", handoff.at, handoff.on_duty.join(" "));
    schedule.handoffs(at(from), at(to)).map(line).collect()
}

/// E01: the handoffs of one of its cases, the first of which may be before the rotation's start.
#[track_caller]
fn e01(zone_name: &str, every: Every, start: &str, expected: &str) {
    let expected: Vec<Timestamp> = expected.split_whitespace().map(at).collect();
    let schedule = rotation(zone_name, every, start, &["a", "b"]);
    let zone = zone(zone_name);
    let turns = &schedule.parts().rotations[0];
    let first = (-9999..9999)
        .find(|turn| turns.handoff(*turn, &zone) == Some(expected[0]))
        .unwrap();
    let all: Vec<_> = (first..)
        .take(expected.len())
        .map(|turn| turns.handoff(turn, &zone).unwrap())
        .collect();
    assert_eq!(all, expected);

    // The schedule hands over at those of them that are not before its start.
    let since: Vec<Timestamp> = expected
        .iter()
        .copied()
        .filter(|at| *at >= turns.handoff(0, &zone).unwrap())
        .collect();
    let last = since[since.len() - 1];
    let found: Vec<_> = schedule
        .handoffs(since[0], last + jiff::SignedDuration::from_secs(1))
        .collect();
    assert_eq!(
        found.iter().map(|handoff| handoff.at).collect::<Vec<_>>(),
        since
    );
    for handoff in found {
        assert_eq!(handoff.comes_on, handoff.on_duty);
        assert_eq!(schedule.on_duty(handoff.at), handoff.on_duty);
    }
}

const CHICAGO: &str = "America/Chicago";

#[test]
fn e01_rotation_dst_daily_and_monthly() {
    let fall = "2020-10-29T01:30-05 2020-10-30T01:30-05 2020-10-31T01:30-05
        2020-11-01T01:30-05 2020-11-02T01:30-06 2020-11-03T01:30-06";
    e01(CHICAGO, Every::Days(1), "2020-10-30T01:30", fall);
    let spring = "2020-03-05T02:30-06 2020-03-06T02:30-06 2020-03-07T02:30-06
        2020-03-08T03:00-05 2020-03-09T02:30-05 2020-03-10T02:30-05";
    e01(CHICAGO, Every::Days(1), "2020-03-06T02:30", spring);
    let half_an_hour = "2020-10-01T02:15+10:30 2020-10-02T02:15+10:30 2020-10-03T02:15+10:30
        2020-10-04T02:30+11 2020-10-05T02:15+11 2020-10-06T02:15+11";
    e01(
        "Australia/Lord_Howe",
        Every::Days(1),
        "2020-10-02T02:15",
        half_an_hour,
    );
    let months = "2020-10-01T01:30-05 2020-11-01T01:30-05 2020-12-01T01:30-06 2021-01-01T01:30-06";
    e01(CHICAGO, Every::Months(1), "2020-10-01T01:30", months);
}

#[test]
fn e01_rotation_dst_hourly() {
    let spring = "2020-03-08T00:30-06 2020-03-08T01:30-06 2020-03-08T03:00-05
        2020-03-08T03:30-05 2020-03-08T04:30-05";
    e01(CHICAGO, Every::Hours(1), "2020-03-06T02:30", spring);
    let fall = "2020-10-31T23:30-05 2020-11-01T00:30-05 2020-11-01T01:30-05
        2020-11-01T02:30-06 2020-11-01T03:30-06 2020-11-01T04:30-06";
    e01(CHICAGO, Every::Hours(1), "2020-07-06T02:30", fall);
}

/// E04: weekly turns keep the hour on the clock, and touch each other over the change.
#[test]
fn e04_no_gap_no_overlap_over_dst() {
    let schedule = rotation(
        "US/Central",
        Every::Weeks(1),
        "2016-10-31T11:00",
        &["a", "b"],
    );
    let expected = [
        "2016-10-31T16:00:00Z: a",
        "2016-11-07T17:00:00Z: b",
        "2016-11-14T17:00:00Z: a",
    ];
    assert_eq!(
        handoffs(&schedule, "2016-10-01T00:00:00Z", "2016-11-20T00:00:00Z"),
        expected
    );
    assert_eq!(
        schedule.gaps(at("2016-10-31T16:00:00Z"), at("2026-10-31T16:00:00Z")),
        []
    );
    let before = (at("2016-10-31T15:00:00Z"), at("2016-10-31T16:00:00Z"));
    assert_eq!(
        schedule.gaps(before.0, at("2016-11-09T00:00:00Z")),
        [before],
        "nobody before the start"
    );
}

#[test]
fn e05_rotation_wrap() {
    let schedule = rotation("UTC", Every::Hours(2), "2026-03-02T08:10", &["u1", "u2"]);
    assert_eq!(schedule.on_call(at("2026-03-02T12:00:00Z")).unwrap(), "u2");
    assert_eq!(schedule.on_call(at("2026-03-02T12:20:00Z")).unwrap(), "u1");
    assert_eq!(
        schedule.next_change(at("2026-03-02T12:00:00Z")),
        Some(at("2026-03-02T12:10:00Z"))
    );
    assert_eq!(
        schedule.next_change(at("2026-03-02T12:10:00Z")),
        Some(at("2026-03-02T14:10:00Z"))
    );
}

/// E07: at a handoff the next one is on duty, and the one before no longer.
#[test]
fn e07_shifts_touch_each_other() {
    let shift = |who, from: Option<&str>, to: Option<&str>| Shift {
        who: names(&[who]),
        from: from.map(local),
        to: to.map(local),
    };
    let handoff = Some("2026-03-02T09:00");
    let shifts = vec![shift("old", None, handoff), shift("new", handoff, None)];
    let schedule = Schedule::new(ScheduleParts {
        shifts,
        ..parts("UTC")
    })
    .unwrap();
    assert_eq!(
        schedule.on_duty(at("2026-03-02T08:59:59.999Z")),
        names(&["old"])
    );
    assert_eq!(
        schedule.on_duty(at("2026-03-02T09:00:00Z")),
        names(&["new"])
    );
    assert_eq!(schedule.gaps(Timestamp::MIN, Timestamp::MAX), []);
    assert_eq!(schedule.next_change(at("2026-03-02T09:00:00Z")), None);
}

#[test]
fn e09_participant_removed_from_rotation() {
    let members = ["u1", "u2", "u3"];
    let day = |text: &str| at(&format!("2026-03-{text}T12:00:00Z"));
    let rotation = Rotation::new(Every::Days(1), local("2026-03-02T00:00"), names(&members));
    let who = |rotation: &Rotation, text: &str| {
        let rotations = vec![rotation.clone()];
        let schedule = Schedule::new(ScheduleParts {
            rotations,
            ..parts("UTC")
        })
        .unwrap();
        schedule.on_call(day(text)).unwrap().to_string()
    };
    let next =
        |rotation: &Rotation, days: [&str; 3]| days.map(|text| who(rotation, text)).join(" ");
    let utc = TimeZone::UTC;
    // u2 is on duty on the 3rd and keeps it.
    let without_u1 = rotation.without("u1", day("03"), &utc).unwrap();
    assert_eq!(next(&without_u1, ["03", "04", "05"]), "u2 u3 u2");
    let without_u2 = rotation.without("u2", day("03"), &utc).unwrap();
    assert_eq!(
        next(&without_u2, ["03", "04", "05"]),
        "u3 u1 u3",
        "the next one at once"
    );
    let without_u3 = rotation.without("u3", day("09"), &utc).unwrap();
    assert_eq!(next(&without_u3, ["09", "10", "11"]), "u2 u1 u2");
    let last = without_u1.without("u2", day("03"), &utc).unwrap();
    assert_eq!(last.members, ["u3"]);
    assert_eq!(last.without("u3", day("03"), &utc), None);
}

#[test]
fn months_end_where_they_end() {
    let schedule = rotation(
        "Europe/Berlin",
        Every::Months(1),
        "2027-12-31T09:00",
        &["a", "b", "c"],
    );
    let expected = [
        "2027-12-31T08:00:00Z: a",
        "2028-01-31T08:00:00Z: b",
        "2028-02-29T08:00:00Z: c",
        "2028-03-31T07:00:00Z: a",
        "2028-04-30T07:00:00Z: b",
    ];
    assert_eq!(
        handoffs(&schedule, "2027-01-01T00:00:00Z", "2028-05-01T00:00:00Z"),
        expected
    );
    assert_eq!(schedule.on_call(at("2028-01-31T07:59:59Z")).unwrap(), "a");
}

#[test]
fn a_rotation_in_hours_until_a_date() {
    let mut rotation = Rotation::new(
        Every::Weeks(1),
        local("2026-03-02T09:00"),
        names(&["a", "b"]),
    );
    rotation.hours = Some(week(0..5, &["09:00-18:00"]));
    rotation.until = Some(local("2026-03-10T12:00"));
    let schedule = Schedule::new(ScheduleParts {
        rotations: vec![rotation],
        ..parts("UTC")
    })
    .unwrap();
    let expected = [
        "2026-03-05T18:00:00Z: ",
        "2026-03-06T09:00:00Z: a",
        "2026-03-06T18:00:00Z: ",
        "2026-03-09T09:00:00Z: b",
        "2026-03-09T18:00:00Z: ",
        "2026-03-10T09:00:00Z: b",
        "2026-03-10T12:00:00Z: ",
    ];
    assert_eq!(
        handoffs(&schedule, "2026-03-05T18:00:00Z", "2027-01-01T00:00:00Z"),
        expected
    );
    let weekend = (at("2026-03-06T18:00:00Z"), at("2026-03-09T09:00:00Z"));
    assert_eq!(
        schedule.gaps(at("2026-03-06T12:00:00Z"), at("2026-03-09T12:00:00Z")),
        [weekend]
    );
}

#[test]
fn overrides_lie_on_top() {
    let laid = |from: &str, to: &str, on_call: &str, instead_of: Option<&str>| Override {
        from: local(&format!("2026-03-{from}")),
        to: local(&format!("2026-03-{to}")),
        on_call: Name::from(on_call),
        instead_of: instead_of.map(Name::from),
    };
    let mut parts = parts("UTC");
    let turns = Rotation::new(
        Every::Days(1),
        local("2026-03-02T00:00"),
        names(&["a", "b"]),
    );
    parts.rotations = vec![
        turns.clone(),
        Rotation {
            members: names(&["x"]),
            ..turns
        },
    ];
    parts.overrides = vec![
        laid("02T06:00", "02T12:00", "z", Some("a")),
        laid("02T10:00", "03T12:00", "z", Some("nobody")),
        laid("02T08:00", "02T09:00", "y", None),
        laid("02T08:30", "02T09:30", "b", Some("z")),
        laid("03T06:00", "03T07:00", "x", Some("b")),
        laid("01T00:00", "01T01:00", "w", None),
    ];
    let schedule = Schedule::new(parts).unwrap();
    let expected = [
        "2026-03-01T00:00:00Z: w",
        "2026-03-01T01:00:00Z: ",
        "2026-03-02T00:00:00Z: a x",
        "2026-03-02T06:00:00Z: z x",
        "2026-03-02T08:00:00Z: y z x",
        "2026-03-02T08:30:00Z: y b x",
        "2026-03-02T09:00:00Z: b x",
        "2026-03-02T09:30:00Z: z x",
        "2026-03-02T12:00:00Z: a x",
        "2026-03-03T00:00:00Z: b x",
        "2026-03-03T06:00:00Z: x",
        "2026-03-03T07:00:00Z: b x",
    ];
    assert_eq!(
        handoffs(&schedule, "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z"),
        expected
    );
    let coming = schedule
        .handoffs(at("2026-03-02T08:00:00Z"), at("2026-03-02T08:00:01Z"))
        .next();
    assert_eq!(coming.unwrap().comes_on, names(&["y"]));
}

#[test]
fn schedules_that_cannot_be_are_refused() {
    use ScheduleError as E;
    let with = |change: &dyn Fn(&mut Rotation)| {
        let mut rotation = Rotation::new(Every::Days(1), local("2026-03-02T00:00"), names(&["a"]));
        change(&mut rotation);
        Schedule::new(ScheduleParts {
            rotations: vec![rotation],
            ..parts("UTC")
        })
        .unwrap_err()
    };
    assert_eq!(Schedule::new(parts("UTC")).unwrap_err(), E::Empty);
    assert_eq!(with(&|rotation| rotation.members.clear()), E::Nobody);
    assert_eq!(
        with(&|rotation| rotation.every = Every::Hours(0)),
        E::EmptyTurn
    );
    assert_eq!(
        with(&|rotation| rotation.every = Every::Months(MAX_EVERY + 1)),
        E::TurnTooLong
    );
    assert_eq!(
        with(&|rotation| rotation.hours = Some(Week::default())),
        E::NoHours
    );
    let overlap = week(0..5, &["09:00-12:00", "11:00-13:00"]);
    assert!(matches!(
        with(&|rotation| rotation.hours = Some(overlap.clone())),
        E::Hours(_)
    ));
    let (from, to) = (local("2026-03-02T00:00"), local("2026-03-02T00:00"));
    assert_eq!(
        with(&|rotation| rotation.until = Some(to)),
        E::EndsBeforeStart { from, to }
    );
}

fn weekly(who: &[&str], hours: Week) -> WeeklyShift {
    WeeklyShift {
        who: names(who),
        hours,
    }
}

#[test]
fn so_many_who_change_so_often_are_asked_each_time() {
    let every = |number: usize| {
        let members: Vec<Name> = (0..2)
            .map(|turn| format!("p{number}-{turn}").into())
            .collect();
        let from = local("2026-01-01T00:00") + jiff::SignedDuration::from_mins(number as i64 % 60);
        Rotation::new(Every::Hours(1), from, members)
    };
    let schedule = Schedule::new(ScheduleParts {
        rotations: (0..600).map(every).collect(),
        ..parts("UTC")
    });
    let (schedule, now) = (schedule.unwrap(), at("2026-03-04T10:00:00Z"));
    assert!(matches!(schedule.duty(now), OnDuty::Asked(_)));
    assert_eq!(schedule.on_duty(now).len(), 600);
    assert_eq!(schedule.on_call(now).unwrap(), "p0-0");
}

#[test]
fn a_thousand_people_with_hours_of_their_own() {
    let person = |number: usize| {
        let who = format!("person-{number}");
        let start = 7 + number % 4;
        weekly(
            &[&who],
            week(
                number % 5..number % 5 + 3,
                &[&format!("{start:02}:00-{:02}:30", start + 8)],
            ),
        )
    };
    let mut parts = parts("Europe/Berlin");
    parts.weekly = (0..1000).map(person).collect();
    let schedule = Schedule::new(parts).unwrap();
    assert_eq!(
        schedule.on_duty(at("2026-03-04T10:00:00Z")).len(),
        600,
        "of each weekday five, three are there"
    );
    let asked = Walk::new(&schedule, at("2026-03-04T10:00:00Z").as_second()).on_duty();
    let kept = schedule.duty(at("2026-03-04T10:00:00Z"));
    assert!(kept.iter().eq(asked));
    let gaps = schedule.gaps(at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"));
    assert_eq!(
        gaps.len(),
        8,
        "the night before each day, and the one after Sunday"
    );
    assert_eq!(WEEKDAYS.len() + 1, gaps.len());
}
