//! Logs played against a small workflow.

use std::sync::Arc;

use upline_core::Name;

use super::super::*;
use super::plain;
use crate::fixture;
use crate::world::{Unobserved, Workflows};

fn names(names: &[&str]) -> Vec<(Name, upline_dsl::Site)> {
    names
        .iter()
        .map(|name| (Name::new(name), upline_dsl::Site::default()))
        .collect()
}

fn act(states: &[&str], take: &[&str]) -> Act {
    Act {
        states: names(states),
        take: names(take),
        ..Act::default()
    }
}

/// What the meanings do in the small workflow.
fn small(mapping: Mapping) -> Mapping {
    let opening = Act {
        by: By {
            who: Doer::System(Name::new("log")),
            otherwise: None,
        },
        ..Act::default()
    };
    let acts = [
        (What::Queued, act(&["asked"], &[])),
        (What::Taken, act(&["working"], &["accept"])),
        (What::Solved, act(&["closed"], &["done", "accept"])),
        (What::Closed, act(&["closed"], &["done", "accept"])),
    ];
    Mapping {
        play: Some(PlayMap {
            opening,
            acts: acts.into(),
        }),
        ..mapping
    }
}

fn run(mapping: &Mapping, rows: &str) -> PlayReport {
    let text = format!("ticket,time,status\n{rows}");
    let log = Log::read(text.as_bytes(), mapping, &mut |_| {}).unwrap();
    let workflows = Workflows::new([fixture::workflow()]);
    let directory = Arc::new(fixture::directory());
    play(&log, mapping, &workflows, "small", &directory, &mut |_| {}).unwrap()
}

#[test]
fn the_ladder_asks_the_next_until_the_person_in_the_log_acts() {
    // Queued at 9:00, taken at 9:40: ann at once, bob at 9:15, cem at 9:30, then cem accepts.
    let report = run(
        &small(plain()),
        "1,2026-03-06T09:00Z,queued\n\
         1,2026-03-06T09:40Z,taken\n\
         1,2026-03-06T09:45Z,solved\n\
         1,2026-03-06T10:00Z,closed\n",
    );
    assert_eq!((report.opened, report.ended, report.open_at_end), (1, 1, 0));
    assert_eq!(
        report.rows,
        RowUse {
            acted: 2,
            there_already: 2,
            ..RowUse::default()
        }
    );
    let level = |level| {
        report
            .levels
            .iter()
            .find(|one| level_in_words(one.level) == level)
    };
    assert_eq!(level("1").unwrap().hops, 2);
    assert_eq!(level("1").unwrap().tickets, 1);
    assert!(level("2").is_none());
    assert_eq!((report.tickets_moved, report.last_resort), (1, 0));
    let asked = report
        .states
        .iter()
        .find(|state| state.state == *"asked")
        .unwrap();
    assert!(asked.asks);
    assert_eq!((asked.acted, asked.moved_before_act), (1, 1));
    assert_eq!(report.until_acted, Spread::of(vec![40 * 60]));
    let cem = report
        .people
        .iter()
        .find(|one| one.person == *"cem")
        .unwrap();
    assert_eq!((cem.given, cem.acts, cem.peak_open), (1, 2, 1));
    // He had it from 9:30 to 9:45, of the hour from 9:00 to 10:00.
    assert!((cem.mean_open - 0.25).abs() < 1e-9, "{}", cem.mean_open);
}

#[test]
fn a_solved_row_takes_the_ticket_first_and_what_is_not_possible_is_counted() {
    let report = run(
        &small(plain()),
        "1,2026-03-06T09:00Z,queued\n\
         1,2026-03-06T09:05Z,solved\n\
         1,2026-03-06T09:06Z,taken\n\
         1,2026-03-06T09:07Z,waiting\n\
         1,2026-03-06T09:08Z,queued\n",
    );
    assert_eq!(
        report.rows,
        RowUse {
            acted: 1,
            there_already: 1,
            nothing: 1,
            refused: 2,
            not_played: 0,
        }
    );
    let reasons = report
        .refused
        .iter()
        .map(|one| (one.what, one.reason.as_str(), one.first_line));
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [
            (What::Queued, "the ticket has ended in `closed`", 6),
            (What::Taken, "the ticket has ended in `closed`", 4),
        ]
    );
}

#[test]
fn nobody_ever_acting_comes_to_the_last_resort() {
    let report = run(
        &small(plain()),
        "1,2026-03-06T09:00Z,queued\n2,2026-03-06T15:30Z,queued\n",
    );
    assert_eq!((report.last_resort, report.open_at_end), (1, 2));
    // From 10:15 to 15:30, every quarter of an hour.
    assert_eq!(report.reminders, 22);
    let max = report
        .people
        .iter()
        .find(|one| one.person == *"max")
        .unwrap();
    assert_eq!(max.open_at_end, 1);
}

#[test]
fn the_logs_person_acts_if_the_directory_has_him() {
    let mut mapping = small(Mapping {
        columns: Columns {
            person: Some("person".to_owned()),
            ..plain().columns
        },
        ..plain()
    });
    let by = |otherwise| By {
        who: Doer::Person,
        otherwise,
    };
    let map = mapping.play.as_mut().unwrap();
    map.acts.get_mut(&What::Taken).unwrap().by = by(Some(Doer::Holder));
    map.acts.get_mut(&What::Solved).unwrap().by = by(None);
    let text = "ticket,time,status,person\n\
                1,2026-03-06T09:00Z,queued,\n\
                1,2026-03-06T09:01Z,taken,ann\n\
                1,2026-03-06T09:02Z,solved,zoe\n\
                2,2026-03-06T09:03Z,queued,zoe\n\
                2,2026-03-06T09:04Z,taken,zoe\n";
    let log = Log::read(text.as_bytes(), &mapping, &mut |_| {}).unwrap();
    let workflows = Workflows::new([fixture::workflow()]);
    let directory = Arc::new(fixture::directory());
    let report = play(&log, &mapping, &workflows, "small", &directory, &mut |_| {}).unwrap();
    assert_eq!(
        report.refused[0].reason,
        "the log's person is not in the directory"
    );
    assert_eq!(report.unknown_people.named["zoe"].rows, 3);
    assert_eq!(report.rows.acted, 2);
}

#[test]
fn a_log_without_a_play_or_a_workflow_is_refused() {
    let log = Log::read(&b"ticket,time,status\n"[..], &plain(), &mut |_| {}).unwrap();
    let workflows = Workflows::new([fixture::workflow()]);
    let directory = Arc::new(fixture::directory());
    let run =
        |mapping: &Mapping, name| play(&log, mapping, &workflows, name, &directory, &mut |_| {});
    assert_eq!(run(&plain(), "small").unwrap_err(), PlayError::NoPlay);
    let small = small(plain());
    let none = PlayError::NoWorkflow(Name::new("none"));
    assert_eq!(run(&small, "none").unwrap_err(), none);
    assert_eq!(run(&small, "small").unwrap().rows, RowUse::default());
}

#[test]
fn a_run_with_too_many_clocks_is_given_up_and_says_so() {
    let mapping = small(plain());
    let text = "ticket,time,status\n\
                1,2026-03-06T09:00Z,queued\n\
                2,2026-03-06T09:01Z,queued\n\
                1,2199-01-01T00:00Z,taken\n\
                2,2199-01-01T00:01Z,taken\n";
    let log = Log::read(text.as_bytes(), &mapping, &mut |_| {}).unwrap();
    let workflows = Workflows::new([fixture::workflow()]);
    let directory = Arc::new(fixture::directory());
    let setting = play::Setting {
        log: &log,
        mapping: &mapping,
        workflows: &workflows,
        workflow: "small",
        directory: &directory,
    };
    let played = play::play_within(1_000, &setting, Unobserved, &mut |_| {});
    let (report, _) = played.unwrap();
    assert_eq!((report.clocks, report.rows.not_played), (1_000, 2));
    // Two tickets, reminded every quarter of an hour: about five days.
    let until = report.given_up.unwrap();
    assert!(until < "2026-03-12T00:00Z".parse().unwrap(), "{until}");
    assert_eq!(report.last_resort, 2);
}
