//! What holds for every calendar, instant and span.

use jiff::SignedDuration;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn any_week() -> impl Strategy<Value = Week> {
    // Pieces of the day in quarters of an hour, taken in pairs, so that they never overlap.
    let day = prop::collection::btree_set(0u32..=96, 0..6).prop_map(|cuts| {
        let cuts: Vec<u32> = cuts.into_iter().collect();
        let opening = |pair: &[u32]| Opening::new(pair[0] * 900, pair[1] * 900).unwrap();
        cuts.chunks_exact(2).map(opening).collect::<Vec<_>>()
    });
    prop::collection::vec(day, 7).prop_map(|days| {
        let mut week = Week::of(&[Weekday::Wednesday], &[]);
        for (day, openings) in WEEKDAYS.iter().zip(days) {
            openings
                .into_iter()
                .for_each(|opening| week.add(*day, opening));
        }
        week
    })
}

pub(crate) fn any_calendar() -> impl Strategy<Value = Calendar> {
    (any_week(), 0..ZONES.len(), 0i16..140, any::<bool>()).prop_map(
        |(mut week, zone_index, year, night)| {
            if night && week.on(Weekday::Sunday).is_empty() && week.on(Weekday::Monday).is_empty() {
                week.add(Weekday::Sunday, hours("21:00-07:00"));
            }
            if week.is_empty() {
                week.add(Weekday::Tuesday, hours("01:00-04:00"));
            }
            let holiday = Holiday::between(date(1960 + year, 3, 1), date(1960 + year, 4, 5));
            Calendar::new(CalendarParts {
                name: Name::from("any"),
                zone: zone(ZONES[zone_index]),
                week,
                holidays: vec![Holiday::yearly(12, 25), holiday],
                working_days: vec![WorkingDay::on(date(1960 + year, 3, 15))],
            })
            .unwrap()
        },
    )
}

/// From 1960 to 2100.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    (-315_619_200i64..4_102_444_800, 0i32..1_000_000_000)
        .prop_map(|(s, n)| Timestamp::new(s, n).unwrap())
}

fn any_timestamp() -> impl Strategy<Value = Timestamp> {
    let all = (
        Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
        0i32..1_000_000_000,
    )
        .prop_map(|(second, nanos)| join(second, nanos));
    let days = -25_800i64..120_800;
    let near = days.prop_map(|day| join(day * DAY, 0));
    prop_oneof![
        all,
        near,
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        any_instant()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn elapsed_is_the_inverse_of_after(
        calendar in any_calendar(), from in any_instant(), seconds in 1i64..3_000_000,
    ) {
        let due = calendar.after(from, Span::seconds(seconds)).unwrap();
        prop_assert_eq!(calendar.elapsed(from, due), seconds);
        let earlier = due - SignedDuration::from_nanos(1);
        prop_assert_eq!(calendar.elapsed(from, earlier), seconds - 1, "the first such instant");
        let sum: i64 = calendar.openings(from, due).map(|(from, to)| {
            prop_assert!(from < to && calendar.is_open(from) && !calendar.is_open(to) || to == due);
            Ok(to.duration_since(from).as_millis() as i64)
        }).sum::<Result<i64, TestCaseError>>()?;
        prop_assert!((sum - seconds * 1000).abs() <= 2, "{} {}", sum, seconds);
    }

    #[test]
    fn later_starts_and_longer_spans_are_never_due_earlier(
        calendar in any_calendar(), from in any_instant(), later in 0i64..900_000,
        seconds in 1i64..900_000, longer in 1i64..900_000, days in 1u32..40,
    ) {
        let second = from + SignedDuration::from_secs(later);
        let due = |from, span| calendar.after(from, span).unwrap();
        prop_assert!(due(from, Span::seconds(seconds)) <= due(second, Span::seconds(seconds)));
        let (short, long) = (Span::seconds(seconds), Span::seconds(seconds + longer));
        prop_assert!(due(from, short) < due(from, long));
        prop_assert!(due(from, Span::days(days)) <= due(from, Span::days(days + 1)));
        prop_assert!(from < due(from, Span::days(days)));
        let middle = calendar.elapsed(from, second);
        let end = due(second, short);
        prop_assert_eq!(calendar.elapsed(from, end), middle + seconds + i64::from(
            // Two parts of a second make one.
            calendar.elapsed(from, end) > middle + seconds));
    }

    #[test]
    fn the_ledger_covers_the_time_without_holes(
        calendar in any_calendar(), from in any_instant(), length in 1i64..5_000_000,
    ) {
        let to = from + SignedDuration::from_secs(length);
        let mut end = from;
        for stretch in calendar.ledger(from, to) {
            prop_assert_eq!(stretch.from, end);
            prop_assert!(stretch.from < stretch.to);
            prop_assert_eq!(stretch.counted, stretch.why == Why::Open);
            prop_assert_eq!(calendar.is_open(stretch.from), stretch.counted);
            end = stretch.to;
        }
        prop_assert_eq!(end, to);
    }

}

proptest! {
    // Each case may work out 400 years.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics(
        calendar in any_calendar(), from in any_timestamp(), to in any_timestamp(),
        seconds in any::<i64>(), days in any::<u32>(), percent in any::<u32>(),
    ) {
        for calendar in [&calendar, &Calendar::around_the_clock("always")] {
            prop_assert!(calendar.elapsed(from, to) >= 0);
            for span in [Span::seconds(seconds), Span::days(days), Span::days(days % 400)] {
                for span in [span, span.around_the_clock()] {
                    let due = calendar.after(from, span);
                    prop_assert!(due.is_none_or(|due| due >= from));
                    let part = calendar.after_percent(from, span, percent);
                    prop_assert!(part.is_none_or(|part| part >= from));
                }
            }
            let open = calendar.next_open(from);
            prop_assert!(open.is_none_or(|open| open >= from && calendar.is_open(open)));
            let close = calendar.next_close(from);
            prop_assert!(close.is_none_or(|close| close > from && !calendar.is_open(close)));
            prop_assert!(calendar.openings(from, to).take(50).all(|(from, to)| from < to));
            prop_assert!(calendar.ledger(from, to).take(50).all(|stretch| stretch.from < stretch.to));
        }
    }
}
