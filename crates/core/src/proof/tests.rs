//! Bounds of chains against calendars: no run takes longer, and one takes as long.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::PROVED_SECONDS;
use super::chain::{Chain, Hours, Item};
use super::measure::Measure;
use crate::calendar::local::join;
use crate::calendar::tests::properties::any_calendar;
use crate::calendar::tests::{ZONES, at, week, zone};
use crate::calendar::{CalendarParts, Holiday};
use crate::decide::{HOLD_SECONDS, due_in};
use crate::{Calendar, Name, Span, SpanCount};

/// A span, and whether a link without login holds the ladder after it.
type Step = (Span, bool);

fn chain(hours: Hours<'_>, steps: &[Step], day: i64) -> Chain {
    let mut chain = Chain::default();
    for (span, held) in steps {
        chain.push(hours.item(*span));
        if *held {
            chain.push(hours.hold());
        }
    }
    chain.settle(day);
    chain
}

/// What an engine makes of the steps: when they are over.
fn run(calendar: Option<&Calendar>, from: Timestamp, steps: &[Step], held: bool) -> Timestamp {
    steps.iter().fold(from, |at, (span, holds)| {
        let due = due_in(calendar, at, *span);
        match held && *holds {
            true => due + SignedDuration::from_secs(HOLD_SECONDS),
            false => due,
        }
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let seconds = prop_oneof![1i64..60, 60i64..7200, 3600i64..200_000];
    let count = prop_oneof![
        3 => seconds.prop_map(|seconds| SpanCount::Time { seconds }),
        1 => (1u32..6).prop_map(|days| SpanCount::Days { days }),
    ];
    (count, prop::bool::weighted(0.2), any::<bool>()).prop_map(|(count, around, held)| {
        let span = Span {
            count,
            around_the_clock: around,
        };
        (span, held)
    })
}

/// Instants of the year, and those at which something changes.
fn begins(calendar: &Calendar, from: Timestamp, picks: &[(u32, i64)]) -> Vec<Timestamp> {
    let year = SignedDuration::from_secs(PROVED_SECONDS);
    let mut begins = Vec::new();
    for (pick, aside) in picks {
        let at = from + year * i32::try_from(pick % 1000).unwrap() / 1000;
        let open = calendar.next_open(at).unwrap_or(at);
        let close = calendar.next_close(at).unwrap_or(at);
        for near in [at, open, close] {
            begins.push(near + SignedDuration::from_secs(*aside));
            begins.push(near);
        }
    }
    begins.retain(|at| from <= *at && *at <= from + year);
    begins
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_run_takes_longer(
        calendar in any_calendar(),
        second in -300_000_000i64..4_000_000_000,
        steps in prop::collection::vec(any_step(), 1..5),
        picks in prop::collection::vec((any::<u32>(), -100_000i64..100_000), 1..12),
    ) {
        let from = join(second, 0);
        let mut measure = Measure::new(Some(&calendar), second, second + PROVED_SECONDS);
        let chain = chain(measure.hours, &steps, measure.day);
        let Some(bound) = measure.bound(&chain) else {
            return Ok(());
        };
        let mut begins = begins(&calendar, from, &picks);
        begins.extend([bound.entered, bound.entered + SignedDuration::from_secs(1)]);
        let nano = SignedDuration::from_nanos(1);
        let begins: Vec<_> = begins.iter().flat_map(|at| [*at, *at + nano]).collect();
        for begin in begins {
            for held in [true, false] {
                let over = run(Some(&calendar), begin, &steps, held);
                let takes = over.duration_since(begin);
                prop_assert!(
                    takes <= SignedDuration::from_secs(bound.wall),
                    "from {begin} to {over}, {takes:?} over {bound:?} by {chain:?}"
                );
                let working = calendar.elapsed(begin, over);
                prop_assert!(working <= bound.working, "{working} from {begin} over {bound:?} by {chain:?}");
            }
        }
    }

    #[test]
    fn some_run_takes_as_long(
        calendar in any_calendar(),
        second in -300_000_000i64..4_000_000_000,
        steps in prop::collection::vec(any_step(), 1..4),
    ) {
        // Holds may count as open time, and days keep the later end where clocks change: they are left out.
        let steps: Vec<Step> = steps.into_iter().map(|(span, _)| (span, false)).collect();
        let mut measure = Measure::new(Some(&calendar), second, second + PROVED_SECONDS);
        let chain = chain(measure.hours, &steps, measure.day);
        if chain.items().iter().any(|item| matches!(item, Item::Days(_))) {
            return Ok(());
        }
        let Some(bound) = measure.bound(&chain) else {
            return Ok(());
        };
        let longest = [0, 1].map(|nanos| {
            let begin = bound.entered + SignedDuration::from_nanos(nanos);
            run(Some(&calendar), begin, &steps, false).duration_since(begin)
        });
        // Right after the instant, by as little as it is after it.
        let nearly = SignedDuration::from_secs(bound.wall) - SignedDuration::from_nanos(1);
        prop_assert!(longest.iter().any(|takes| *takes >= nearly), "{longest:?}, {bound:?}, {chain:?}");
    }
}

fn office() -> Calendar {
    Calendar::new(CalendarParts {
        name: Name::from("office-hours"),
        zone: zone("Asia/Shanghai"),
        week: week(0..5, &["09:00-12:00", "13:30-18:00"]),
        holidays: vec![Holiday::between(
            jiff::civil::date(2026, 10, 1),
            jiff::civil::date(2026, 10, 7),
        )],
        working_days: vec![],
    })
    .unwrap()
}

#[test]
fn the_longest_wait_begins_before_the_longest_holiday() {
    let office = office();
    let from = at("2026-03-01T00:00:00Z").as_second();
    let mut measure = Measure::new(Some(&office), from, from + PROVED_SECONDS);
    let quarter = Chain::of(Item::Open(900));
    let bound = measure.bound(&quarter).unwrap();
    // From Wednesday 17:45 to Thursday of the next week, 09:00, and a moment.
    assert_eq!(bound.entered, at("2026-09-30T09:45:00Z"));
    assert_eq!(bound.wall, 7 * 86_400 + 15 * 3600 + 900);
    assert_eq!(bound.working, 900);
    // Three working days, over the holiday and the weekend after it.
    let bound = measure.bound(&Chain::of(Item::Days(3))).unwrap();
    assert_eq!(bound.working, 3 * 27_000);
    let days = bound.wall / 86_400;
    assert_eq!(days, 12);
}

#[test]
fn a_calendar_without_a_day_off_is_physical_time() {
    for name in ZONES {
        let always = Calendar::new(CalendarParts {
            name: Name::from("always"),
            zone: zone(name),
            week: week(0..7, &["00:00-24:00"]),
            holidays: vec![],
            working_days: vec![],
        });
        let always = always.unwrap();
        let from = at("2026-03-01T00:00:00Z").as_second();
        let mut measure = Measure::new(Some(&always), from, from + PROVED_SECONDS);
        let item = measure.hours.item(Span::hours(30));
        assert_eq!(measure.bound(&Chain::of(item)).unwrap().wall, 30 * 3600);
        let days = measure.hours.item(Span::days(2));
        let wall = measure.bound(&Chain::of(days)).unwrap().wall;
        let mut begin = join(from, 0);
        while begin.as_second() <= from + PROVED_SECONDS {
            let over = always.after(begin, Span::days(2)).unwrap();
            assert!(
                over.as_second() - begin.as_second() <= wall,
                "{name} {begin}"
            );
            begin += SignedDuration::from_mins(30);
        }
    }
}

#[test]
fn after_the_last_holiday_it_may_be_open_for_ever() {
    let calendar = Calendar::new(CalendarParts {
        name: Name::from("plant"),
        zone: zone("Europe/Berlin"),
        week: week(0..7, &["00:00-24:00"]),
        holidays: vec![Holiday::on(jiff::civil::date(2026, 12, 25))],
        working_days: vec![],
    });
    let calendar = calendar.unwrap();
    let from = at("2026-03-01T00:00:00Z").as_second();
    let mut measure = Measure::new(Some(&calendar), from, from + PROVED_SECONDS);
    let bound = measure.bound(&Chain::of(Item::Open(3600))).unwrap();
    assert_eq!((bound.wall, bound.working), (25 * 3600, 3600));
    let never = measure.bound(&Chain::of(Item::Open(i64::MAX)));
    assert_eq!(never, None);
}
