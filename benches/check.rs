//! What a check costs: reading the files with every mistake at its place, the rules about their meaning,
//! the proof, and a year's coverage.
//!
//! `cargo bench -p upline-lab --bench check` measures; `cargo test` runs each once with tiny numbers. The
//! workloads are made here: a workflow of 3 states, one of 1,000 states (5,000 lines), a directory of
//! 1,000 people, 1,000 groups, 50 calendars, 50 schedules and 2,800 absences (5,000 lines), and a service of
//! 1,000 people in 50 teams with a schedule each and a workflow that asks them all (5,000 lines together).
//!
//! Must not be exceeded on 2 cores: 3 states 100 µs, 1,000 states 20 ms, the large service 200 ms (all of
//! them read and checked), a year's coverage of 50 schedules 1 s.
#![expect(
    clippy::expect_used,
    reason = "a bench stops where its workload is not what it says"
)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use upline_core::proof::Proof;
use upline_core::{Directory, schedule};
use upline_dsl::{Loaded, check as check_files, load};

/// A year's coverage is asked for this many days.
const YEAR_DAYS: i64 = 366;

const DESK: &str = "directory: desk
last-resort: user max
people:
  ann: { name: Ann Berg, mail: ann@example.com }
  max: { name: Max Roth, mail: max@example.com }
groups:
  desk: { members: [ann], lead: max }
";

const THREE_STATES: &str = "workflow: small
ladders:
  calls:
    - { after: 15 min, assign: lead of desk }
start: new
states:
  new:
    assign: anyone in desk
    escalate: calls
    actions: { take: { label: Take it, goto: working } }
  working:
    assign: who did take
    escalate: calls
    actions: { solve: { label: Solved, goto: done } }
  done: { end: done }
";

/// States in a row, five lines each.
fn row_of_states(count: usize) -> String {
    let mut text = String::from("workflow: large\nladders:\n  calls:\n");
    text += "    - { after: 15 min, assign: lead of desk }\nstart: s0\nstates:\n";
    for n in 0..count {
        let next = n + 1;
        let _ = writeln!(
            text,
            "  s{n}:
    assign: least busy in desk, else lead of desk
    escalate: calls
    actions: {{ go: {{ label: Go on, goto: s{next} }}, stop: {{ goto: s{count} }} }}
    notify: [assignee]",
        );
    }
    let _ = writeln!(text, "  s{count}: {{ end: done }}");
    text
}

/// People who stand in for each other in August.
fn crowd(people: usize) -> String {
    let mut text = String::from("directory: crowd\nlast-resort: user p0\npeople:\n");
    for n in 0..people {
        let _ = writeln!(
            text,
            "  p{n}: {{ name: Person {n}, mail: p{n}@example.com, skills: [billing], at-most: 8 tickets }}"
        );
    }
    text += "groups:\n";
    for n in 0..people {
        let next = (n + 1) % people;
        let _ = writeln!(text, "  g{n}: {{ members: [p{n}, p{next}], lead: p0 }}");
    }
    text += "calendars:\n";
    for n in 0..people.div_ceil(20) {
        let hours = "hours: { mon-fri: \"09:00-17:00\" }, holidays: [12-25, 12-26]";
        let _ = writeln!(text, "  c{n}: {{ time-zone: Europe/Berlin, {hours} }}");
    }
    text += "schedules:\n";
    for n in 0..people.div_ceil(20) {
        let turns = "every: 1 week, from: 2026-03-02, members: [p0, p1]";
        let _ = writeln!(text, "  s{n}: {{ rotation: {{ {turns} }} }}");
    }
    text += "absences:\n";
    for n in 0..people * 14 / 5 {
        let (who, deputy) = (n % people, (n + 1) % people);
        let month = 1 + n / people;
        let days = format!("from: 2026-0{month}-01, to: 2026-0{month}-21");
        let _ = writeln!(text, "  - {{ who: p{who}, {days}, deputy: p{deputy} }}");
    }
    text
}

/// People in teams of 20. Each team has a schedule of its own: a rotation that is handed on twice a day and
/// some days on which others stand in; each person is away for two weeks, at another time of the year.
fn service(people: usize) -> String {
    let mut text = String::from("directory: service\nlast-resort: user p0\npeople:\n");
    for n in 0..people {
        let _ = writeln!(
            text,
            "  p{n}: {{ name: Person {n}, mail: p{n}@example.com, at-most: 8 tickets }}"
        );
    }
    text += "calendars:\n  office:\n    time-zone: Europe/Berlin\n";
    text += "    hours: { mon-fri: [\"09:00-12:00\", \"13:00-18:00\"] }\n    holidays: [12-25, 12-26]\n";
    let teams: Vec<Vec<String>> = (0..people)
        .map(|n| format!("p{n}"))
        .collect::<Vec<_>>()
        .chunks(20)
        .map(<[String]>::to_vec)
        .collect();
    text += "groups:\n";
    for (team, members) in teams.iter().enumerate() {
        let (members, lead) = (members.join(", "), &members[0]);
        let _ = writeln!(
            text,
            "  t{team}: {{ members: [{members}], lead: {lead}, manager: p0, schedule: s{team} }}"
        );
    }
    text += "schedules:\n";
    for (team, members) in teams.iter().enumerate() {
        let turns = members.join(", ");
        let last = &members[members.len() - 1];
        let _ = writeln!(
            text,
            "  s{team}:
    time-zone: Europe/Berlin
    rotation: {{ every: 12 h, from: \"2026-01-01 08:00\", members: [{turns}] }}
    overrides:"
        );
        for month in 1..=9 {
            let days = format!("from: \"2026-0{month}-10 08:00\", to: \"2026-0{month}-11 08:00\"");
            let _ = writeln!(text, "      - {{ {days}, on-call: {last} }}");
        }
    }
    text += "absences:\n";
    for n in 0..people {
        let month = 1 + n % 9;
        let days = format!("from: 2026-0{month}-01, to: 2026-0{month}-14");
        let _ = writeln!(text, "  - {{ who: p{n}, {days} }}");
    }
    text
}

/// States in a row, four lines each, that ask each of the teams in turn.
fn served(states: usize, teams: usize) -> String {
    let mut text = String::from("workflow: served\ncalendar: office\nladders:\n");
    for team in 0..teams {
        let _ = writeln!(
            text,
            "  up{team}:
    - {{ after: 15 min, assign: another in t{team} }}
    - {{ after: 1 h, assign: on call for s{team} }}
    - {{ after: 2 h, assign: lead of t{team}, notify: [manager of t{team}] }}"
        );
    }
    text += "start: s0\nstates:\n";
    for n in 0..states {
        let (next, team) = (n + 1, n % teams);
        let _ = writeln!(
            text,
            "  s{n}:
    assign: least busy in t{team}
    escalate: up{team}
    actions: {{ go: s{next}, stop: s{states} }}"
        );
    }
    let _ = writeln!(text, "  s{states}: {{ end: done }}");
    text
}

fn read(files: &[&str]) -> Loaded {
    let loaded = load(files.iter().map(|text| ("file.yaml", text.as_bytes())));
    assert!(!loaded.found.has_errors(), "the workload has a mistake");
    loaded
}

fn from() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("an instant")
}

fn checked(files: &[&str]) -> bool {
    let files = files.iter().map(|text| ("file.yaml", text.as_bytes()));
    let checked = check_files(files, from());
    checked.is_fine() && checked.proofs.iter().flatten().all(Proof::holds)
}

fn check(criterion: &mut Criterion) {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (states, people) = if measured { (999, 1_000) } else { (20, 20) };
    let (row, crowd) = (row_of_states(states), crowd(people));
    assert!(checked(&[THREE_STATES, DESK]) && checked(&[&row, DESK]));
    let mut group = criterion.benchmark_group("check");
    group.sample_size(20);
    group.bench_function("3 states: read", |bencher| {
        bencher.iter(|| black_box(read(&[THREE_STATES, DESK])))
    });
    group.bench_function("3 states: read and checked", |bencher| {
        bencher.iter(|| checked(&[THREE_STATES, DESK]))
    });
    let lines = row.lines().count();
    group.bench_function(
        format!("{} states, {lines} lines: read", states + 1),
        |bencher| bencher.iter(|| black_box(read(&[&row, DESK]))),
    );
    group.bench_function(
        format!("{} states, {lines} lines: read and checked", states + 1),
        |bencher| bencher.iter(|| checked(&[&row, DESK])),
    );
    let lines = crowd.lines().count();
    group.bench_function(format!("{people} people, {lines} lines: read"), |bencher| {
        bencher.iter(|| black_box(read(&[&crowd])))
    });
    group.finish();
}

/// When nobody of a team is there, for all teams of the directory.
fn uncovered(directory: &Directory) -> usize {
    let calendar = directory.calendars.get("office");
    let to = from() + SignedDuration::from_hours(YEAR_DAYS * 24);
    let gaps = directory.groups.values().map(|group| {
        let team = schedule::Team::of_group(directory, group);
        schedule::uncovered(directory, team, calendar, from(), to).len()
    });
    gaps.sum()
}

fn coverage(criterion: &mut Criterion) {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (states, people) = if measured { (500, 1_000) } else { (10, 40) };
    let teams = people / 20;
    let (workflow, directory) = (served(states, teams), service(people));
    let lines = workflow.lines().count() + directory.lines().count();
    let mut group = criterion.benchmark_group("coverage");
    group.sample_size(20);
    group.bench_function(
        format!("{teams} schedules of {people} people in a year, 12 h turns, {people} absences"),
        |bencher| {
            // Schedules keep what they have worked out: each run gets a directory that knows nothing yet.
            bencher.iter_batched(
                || read(&[&directory]).directory.expect("it is right").value,
                |directory| assert!(uncovered(&directory) > 0, "absences leave gaps"),
                criterion::BatchSize::LargeInput,
            );
        },
    );
    let title = format!("{lines} lines, {people} people, {teams} schedules, a year");
    group.bench_function(format!("{title}: read"), |bencher| {
        bencher.iter(|| black_box(read(&[&workflow, &directory])))
    });
    group.bench_function(format!("{title}: read and checked"), |bencher| {
        bencher.iter(|| assert!(checked(&[&workflow, &directory])))
    });
    group.finish();
}

criterion_group!(benches, check, coverage);
criterion_main!(benches);
