//! The mappings in `examples/replay`, on the small log of the repository and on the shared one.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use upline_core::Directory;
use upline_dsl::{Found, Sources, load, render};

use super::super::*;
use super::{repository, shared_log};
use crate::world::Workflows;

fn file(name: &str) -> String {
    let path = repository().join("examples/replay").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(sources: &Sources, found: Found) -> String {
    render::texts(sources, &found.into_sorted(), render::Colour::Off)
}

pub(super) fn support() -> (Workflows, Arc<Directory>) {
    let names = ["it-support.yaml", "directory.yaml"];
    let texts = names.map(|name| (name, file(name)));
    let loaded = load(texts.iter().map(|(name, text)| (*name, text.as_bytes())));
    assert_eq!(shown(&loaded.sources, loaded.found), "");
    let workflows = loaded
        .workflows
        .into_iter()
        .map(|read| Arc::new(read.value));
    (
        Workflows::new(workflows),
        Arc::new(loaded.directory.unwrap().value),
    )
}

fn mapping(name: &str) -> Mapping {
    let mut sources = Sources::new();
    let (read, found) = Mapping::read(&mut sources, (name, &file(name)));
    assert_eq!(shown(&sources, found), "");
    let (workflows, directory) = support();
    let mapping = read.unwrap().value;
    let found = mapping.check(workflows.newest("it-support").unwrap(), &directory);
    assert_eq!(shown(&sources, found), "");
    mapping
}

fn run(log: &Log, mapping: &Mapping) -> PlayReport {
    let (workflows, directory) = support();
    play(
        log,
        mapping,
        &workflows,
        "it-support",
        &directory,
        &mut |_| {},
    )
    .unwrap()
}

#[test]
fn the_small_log_is_read_counted_and_played() {
    let mapping = mapping("small.map.yaml");
    let bytes = std::fs::read(repository().join("tests/data/small-log.csv")).unwrap();
    let log = Log::read(&bytes[..], &mapping, &mut |_| {}).unwrap();
    let bad = log.problems.bad_rows.named.iter();
    let bad: Vec<_> = bad
        .map(|row| format!("{}: {}", row.line, row.what))
        .collect();
    assert_eq!(
        bad,
        [
            "10: `Changed`: \"this morning\" is not a time like `%d.%m.%Y %H:%M`",
            "14: it has 3 columns, and the header has 8",
            "26: `Number` is empty",
            "27: a quotation mark opens here and is not closed",
        ]
    );
    assert_eq!(log.problems.unknown_statuses.named["Moved"].first_line, 24);
    assert_eq!(log.problems.unknown_levels.named["on site"].first_line, 25);
    assert_eq!(log.problems.out_of_order.named[0].line, 25);
    assert_eq!((log.problems.skipped, log.problems.twice), (1, 0));
    let facts = LogFacts::of(&log);
    assert_eq!(
        (facts.rows, facts.used_rows, facts.tickets, facts.teams),
        (26, 22, 6, 3)
    );
    assert_eq!(
        facts.moves,
        Moves {
            tickets_up: 2,
            up: 3,
            down: 1,
            highest: BTreeMap::from([(1, 4), (2, 1), (3, 1)]),
        }
    );
    assert_eq!((facts.queue.count(), facts.queue.not_ended), (8, 2));
    assert_eq!(facts.still_open, 3);

    let report = run(&log, &mapping);
    assert_eq!(
        (report.opened, report.given_up, &report.refused[..]),
        (6, None, &[][..])
    );
    let rows = report.rows;
    let all = rows.acted + rows.there_already + rows.nothing + rows.refused;
    assert_eq!(all, facts.used_rows);
    assert_eq!(report, run(&log, &mapping));
}

/// A table as text: enough to compare it.
fn drawn(tables: &[Table]) -> String {
    let mut out = String::new();
    for table in tables {
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
        out += &format!("# {}\n{}\n", table.title, table.head.join(" | "));
        for row in &table.rows {
            out += &format!("{}\n", row.join(" | "));
        }
    }
    out
}

#[test]
fn the_shared_log_is_read_counted_and_played() {
    let Some(packed) = shared_log() else { return };
    let mapping = mapping("bpi-2013.map.yaml");
    let log = Log::read(unpack(&packed[..]).unwrap(), &mapping, &mut |_| {}).unwrap();
    the_counts_of_its_description(&log);
    let play = run(&log, &mapping);
    assert_eq!(
        (play.opened, play.given_up, play.opened_besides),
        (7_554, None, 0)
    );
    let rows = play.rows;
    assert_eq!(
        rows.acted + rows.there_already + rows.nothing + rows.refused,
        65_533
    );
    // What people do to a ticket that the log had closed already: the only thing that is not possible here.
    let ended = play
        .refused
        .iter()
        .filter(|one| one.reason == "the ticket has ended in `closed`");
    assert_eq!(ended.map(|one| one.rows).sum::<u64>(), rows.refused);
    let asked = play
        .states
        .iter()
        .find(|state| state.state == *"queued")
        .unwrap();
    assert_eq!((asked.asks, asked.still_there), (true, 0));
    assert_eq!(
        asked.until_acted.longest,
        LogFacts::of(&log).queue.spread.longest
    );
    let report = ReplayReport {
        log: mapping.title,
        facts: LogFacts::of(&log),
        problems: log.problems,
        play: Some(play),
    };
    let drawn = drawn(&report.tables(&TimeZone::UTC));
    assert!(
        drawn.contains("tickets that moved up a level | 2,299 (30.4 %)"),
        "{drawn}"
    );
    assert!(
        drawn.contains("in the queue, longer than 4 h | 3,435 (29.8 %)"),
        "{drawn}"
    );
}

/// The figures that were counted from the rows by hand, with another program.
fn the_counts_of_its_description(log: &Log) {
    assert_eq!(log.problems, Problems::default());
    let facts = LogFacts::of(log);
    assert_eq!(
        (facts.rows, facts.used_rows, facts.tickets),
        (65_533, 65_533, 7_554)
    );
    // Its description says 599: it counts the empty cells of 42 rows as a team.
    assert_eq!((facts.teams, facts.people), (598, 3_163));
    assert_eq!(facts.from.unwrap().to_string(), "2010-03-31T14:59:42Z");
    assert_eq!(
        facts.moves,
        Moves {
            tickets_up: 2_299,
            up: 3_245,
            down: 1_755,
            highest: [(1, 4_546), (2, 2_468), (3, 540)].into(),
        }
    );
    let queue = &facts.queue;
    assert_eq!((queue.count(), queue.not_ended), (11_544, 0));
    assert_eq!(
        queue.longer_than,
        [(4 * 3_600, 3_435), (24 * 3_600, 1_695)].into()
    );
    let (hour, day) = (3_600, 24 * 3_600);
    assert_eq!(queue.spread.median / 60, 35);
    assert_eq!(queue.spread.p90 / hour, 55);
    assert_eq!(queue.spread.p99 / hour, 384);
    assert_eq!((queue.spread.longest + day / 2) / day, 285);
    let last = |status: &str| facts.last_status.get(status).copied();
    assert_eq!(last("Completed / Closed"), Some(5_573));
    assert_eq!(last("Completed / In Call"), Some(1_882));
    assert_eq!(last("Completed / Resolved"), Some(90));
    assert_eq!(last("Completed / Cancelled"), Some(1));
    assert_eq!(facts.still_open, 8);
}
