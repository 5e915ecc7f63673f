//! When a team has nobody.

use std::collections::BTreeMap;

use jiff::civil::Weekday;

use super::*;
use crate::calendar::tests::hours;
use crate::calendar::{Calendar, CalendarParts};
use crate::{Absence, Directory, Group};

fn desk() -> Directory {
    let mut late = week(0..5, &["13:00-20:00"]);
    late.add(Weekday::Saturday, hours("22:00-02:00"));
    let shifts = ScheduleParts {
        weekly: vec![
            weekly(&["ann", "zoe"], week(0..5, &["08:00-16:00"])),
            weekly(&["bob"], late),
        ],
        ..parts("UTC")
    };
    let absence = |who: &str, from: &str, to: &str, deputy: Option<&str>| Absence {
        who: Name::from(who),
        from: at(from),
        to: at(to),
        deputy: deputy.map(Name::from),
    };
    let absences = [
        absence("ann", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z", None),
        absence(
            "bob",
            "2026-03-04T18:00:00Z",
            "2026-03-05T00:00:00Z",
            Some("cem"),
        ),
        absence("cem", "2026-03-04T19:00:00Z", "2026-03-05T00:00:00Z", None),
    ];
    let group = Group {
        id: Name::from("service-desk"),
        members: names(&["ann", "bob"]),
        schedule: Some(Name::from("duty")),
        ..Group::default()
    };
    Directory {
        name: Name::from("acme"),
        last_resort: Name::from("max"),
        people: BTreeMap::new(),
        groups: BTreeMap::from([(group.id.clone(), group)]),
        calendars: BTreeMap::new(),
        schedules: BTreeMap::from([(Name::from("duty"), Schedule::new(shifts).unwrap())]),
        absences: absences
            .into_iter()
            .map(|absence| (absence.who.clone(), vec![absence]))
            .collect(),
    }
}

fn spans(gaps: Vec<(Timestamp, Timestamp)>) -> Vec<String> {
    gaps.iter()
        .map(|(from, to)| format!("{}-{}", from.strftime("%a %H:%M"), to.strftime("%H:%M")))
        .collect()
}

#[test]
fn a_team_without_anybody() {
    let directory = desk();
    let team = Team::of_group(&directory, &directory.groups["service-desk"]);
    let open = Calendar::new(CalendarParts {
        name: Name::from("hours"),
        zone: TimeZone::UTC,
        week: week(0..6, &["08:00-12:00", "12:30-23:00"]),
        holidays: vec![],
        working_days: vec![],
    });
    let open = open.unwrap();
    let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-09T00:00:00Z"));
    let gaps = uncovered(&directory, team, Some(&open), from, to);
    let expected = [
        "Mon 20:00-23:00",
        "Tue 08:00-12:00", // zoe is on shift, but not in the group
        "Tue 12:30-13:00",
        "Tue 20:00-23:00",
        "Wed 19:00-23:00", // bob has a deputy until that one goes too
        "Thu 20:00-23:00",
        "Fri 20:00-23:00",
        "Sat 08:00-12:00",
        "Sat 12:30-22:00",
    ];
    assert_eq!(spans(gaps), expected);

    let on_call = Team::on_call(team.schedule.unwrap());
    let gaps = uncovered(&directory, on_call, None, from, at("2026-03-04T00:00:00Z"));
    assert_eq!(
        spans(gaps),
        ["Mon 00:00-08:00", "Mon 20:00-08:00", "Tue 20:00-00:00"]
    );

    let always = Team {
        schedule: None,
        ..team
    };
    assert_eq!(uncovered(&directory, always, None, from, to), []);
    let ann = Team {
        members: Some(&team.members.unwrap()[..1]),
        schedule: None,
    };
    assert_eq!(
        spans(uncovered(&directory, ann, None, from, to)),
        ["Tue 00:00-00:00"]
    );
    let nobody = Team {
        members: Some(&[]),
        schedule: None,
    };
    assert_eq!(uncovered(&directory, nobody, None, from, to), [(from, to)]);
    assert_eq!(uncovered(&directory, nobody, None, to, from), []);
}

/// Looks each quarter of an hour, as the resolving of a level would.
#[test]
fn gaps_are_where_a_look_finds_nobody() {
    let directory = desk();
    let group = &directory.groups["service-desk"];
    let team = Team::of_group(&directory, group);
    let (from, to) = (at("2026-03-01T00:07:00Z"), at("2026-03-09T00:00:00Z"));
    let gaps = uncovered(&directory, team, None, from, to);
    let mut nobody = 0;
    for now in from
        .series(jiff::Span::new().minutes(15))
        .take_while(|now| *now < to)
    {
        let on_duty = directory.schedules["duty"].on_duty(now);
        let there = |name: &Name| group.has(name) && directory.stand_in(name, now).is_some();
        let gap = gaps.iter().any(|(from, to)| *from <= now && now < *to);
        assert_eq!(gap, !on_duty.iter().any(there), "{now}");
        nobody += usize::from(gap);
    }
    let length: i64 = gaps
        .iter()
        .map(|(from, to)| to.as_second() - from.as_second())
        .sum();
    assert!(nobody.abs_diff(usize::try_from(length / 900).unwrap()) <= gaps.len());
    assert!(gaps.windows(2).all(|pair| pair[0].1 < pair[1].0));
}
