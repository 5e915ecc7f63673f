//! What holds for every schedule and every instant.

use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::calendar::tests::ZONES;

fn any_every() -> impl Strategy<Value = Every> {
    prop_oneof![
        (1u32..40).prop_map(Every::Hours),
        (1u32..9).prop_map(Every::Days),
        (1u32..4).prop_map(Every::Weeks),
        (1u32..4).prop_map(Every::Months),
    ]
}

fn any_local() -> impl Strategy<Value = DateTime> {
    let minutes = 0i64..(140 * 366 * 24 * 60);
    let start = date(1960, 1, 1).at(0, 0, 0, 0);
    minutes.prop_map(move |minutes| start + SignedDuration::from_mins(minutes))
}

fn any_names() -> impl Strategy<Value = Vec<Name>> {
    prop::collection::vec("[a-d]".prop_map(Name::from), 1..4)
}

fn any_hours() -> impl Strategy<Value = Week> {
    let opening = (0usize..7, 0u32..24, 1u32..24).prop_map(|(day, start, length)| {
        let end = (start + length) % 24 * 3600;
        (
            WEEKDAYS[day],
            crate::calendar::Opening::new(start * 3600, end).unwrap(),
        )
    });
    prop::collection::vec(opening, 1..4).prop_map(|openings| {
        let mut week = Week::default();
        for (day, opening) in openings {
            let mut more = week.clone();
            more.add(day, opening);
            if more.check().is_ok() {
                week = more;
            }
        }
        week
    })
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let rotation = (
        any_every(),
        any_local(),
        any_names(),
        prop::option::of(any_hours()),
    )
        .prop_map(|(every, from, members, hours)| Rotation {
            hours,
            ..Rotation::new(every, from, members)
        });
    let laid = (
        any_local(),
        1i64..90_000,
        "[a-e]",
        prop::option::of("[a-e]"),
    );
    let laid = laid.prop_map(|(from, minutes, on_call, instead_of)| Override {
        from,
        to: from + SignedDuration::from_mins(minutes),
        on_call: Name::from(on_call),
        instead_of: instead_of.map(Name::from),
    });
    let weekly = (any_names(), any_hours()).prop_map(|(who, hours)| WeeklyShift { who, hours });
    let layers = (
        prop::collection::vec(rotation, 0..3),
        prop::collection::vec(weekly, 0..3),
        prop::collection::vec(laid, 1..5),
    );
    (layers, 0..ZONES.len()).prop_map(|((rotations, weekly, overrides), zone_index)| {
        let parts = ScheduleParts {
            rotations,
            weekly,
            overrides,
            ..parts(ZONES[zone_index])
        };
        Schedule::new(parts).unwrap()
    })
}

/// Around what happens in a schedule, or at the ends of time.
fn instants(schedule: &Schedule) -> Vec<Timestamp> {
    let parts = schedule.parts();
    let starts = parts.rotations.iter().map(|rotation| rotation.from);
    let laid = parts.overrides.iter().flat_map(|laid| [laid.from, laid.to]);
    let near = starts
        .chain(laid)
        .filter_map(|local| parts.zone.to_timestamp(local).ok());
    near.chain([Timestamp::MIN, Timestamp::MAX]).collect()
}

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_mins(minutes))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_and_a_look_agree(schedule in any_schedule(), days in 1i64..20) {
        for start in instants(&schedule) {
            let mut on = schedule.on_duty(start);
            let mut last = start;
            for handoff in schedule.handoffs(start, later(start, days * 1440)) {
                prop_assert!(handoff.at > last || handoff.at == start);
                if handoff.at > start {
                    let before = handoff.at - SignedDuration::from_nanos(1);
                    prop_assert_eq!(&schedule.on_duty(before), &on);
                    prop_assert_ne!(&handoff.on_duty, &on);
                    let middle = last + (handoff.at.duration_since(last) / 2);
                    prop_assert_eq!(&schedule.on_duty(middle), &on);
                    prop_assert_eq!(schedule.next_change(middle), Some(handoff.at));
                }
                prop_assert_eq!(&schedule.on_duty(handoff.at), &handoff.on_duty);
                prop_assert_eq!(schedule.on_call(handoff.at), handoff.on_duty.first().cloned());
                (on, last) = (handoff.on_duty, handoff.at);
            }
        }
    }

    #[test]
    fn what_is_kept_is_what_the_layers_say(schedule in any_schedule(), minutes in 0i64..200_000) {
        let starts = instants(&schedule).into_iter();
        for start in starts.flat_map(|start| [start, later(start, minutes), later(start, -minutes)]) {
            let asked = Walk::new(&schedule, split(start).0).on_duty();
            let kept: Vec<&Name> = schedule.duty(start).iter().collect();
            prop_assert_eq!(kept, asked, "{}", start);
        }
    }

    #[test]
    fn gaps_are_where_nobody_is_on_duty(schedule in any_schedule(), hours in 1i64..400) {
        for start in instants(&schedule) {
            let end = later(start, hours * 60);
            let gaps = schedule.gaps(start, end);
            prop_assert!(gaps.windows(2).all(|pair| pair[0].1 < pair[1].0));
            for half_hour in 0..hours * 2 {
                let at = later(start, half_hour * 30);
                let gap = gaps.iter().any(|(from, to)| *from <= at && at < *to);
                prop_assert_eq!(gap, at < end && schedule.on_duty(at).is_empty(), "{}", at);
            }
        }
    }
}

proptest! {
    // Each case walks nine days in minutes.
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Asks the clock on the wall each minute: the turn is the last one whose time it has shown.
    #[test]
    fn turns_follow_the_clock_on_the_wall(
        every in prop_oneof![(1u32..30).prop_map(Every::Hours), Just(Every::Days(1))],
        minute in 0i64..1440, zone_index in 0..ZONES.len(), near in 0usize..4,
    ) {
        let zone = zone(ZONES[zone_index]);
        let near = ["2026-02-01T00:00:00Z", "2026-09-01T00:00:00Z", "2011-12-01T00:00:00Z",
            "2037-10-10T00:00:00Z"][near];
        let change = zone.following(at(near)).next().map_or(at(near), |change| change.timestamp());
        let begin = zone.to_datetime(change).date().checked_sub(jiff::Span::new().days(4)).unwrap();
        let from = begin.at(0, 0, 0, 0) + SignedDuration::from_mins(minute);
        let members: Vec<Name> = (0..1000).map(|number| Name::from(number.to_string())).collect();
        let rotations = vec![Rotation::new(every, from, members)];
        let parts = ScheduleParts { rotations, zone: zone.clone(), ..parts("UTC") };
        let schedule = Schedule::new(parts).unwrap();
        let step = match every {
            Every::Hours(hours) => SignedDuration::from_hours(i64::from(hours)),
            _ => SignedDuration::from_hours(24),
        };
        let (mut turn, mut next) = (None, from);
        let start = change - SignedDuration::from_hours(110);
        for minutes in 0..220 * 60 {
            let now = start + SignedDuration::from_mins(minutes);
            while zone.to_datetime(now) >= next {
                turn = Some(turn.map_or(0, |turn| turn + 1));
                next += step;
            }
            let on_call = schedule.on_call(now).map(|name| name.parse::<i32>().unwrap());
            prop_assert_eq!(on_call, turn, "{} {}", now, zone.to_datetime(now));
        }
    }
}
