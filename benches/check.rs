//! What a check costs: reading the files with every mistake at its place, the rules about their meaning,
//! and the proof.
//!
//! `cargo bench -p upline-lab --bench check` measures; `cargo test` runs each once with tiny numbers. The
//! workloads are made here: a workflow of 3 states, one of 1,000 states (5,000 lines), and a directory of
//! 1,000 people, 1,000 groups, 50 calendars, 50 schedules and 2,800 absences (5,000 lines).
#![expect(
    clippy::expect_used,
    reason = "a bench stops where its workload is not what it says"
)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use upline_core::proof::Proof;
use upline_dsl::{Loaded, check as check_files, load};

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

fn read(files: &[&str]) -> Loaded {
    let loaded = load(files.iter().map(|text| ("file.yaml", text.as_bytes())));
    assert!(!loaded.found.has_errors(), "the workload has a mistake");
    loaded
}

fn checked(files: &[&str]) -> bool {
    let from: Timestamp = "2026-03-02T08:00:00Z".parse().expect("an instant");
    let files = files.iter().map(|text| ("file.yaml", text.as_bytes()));
    let checked = check_files(files, from);
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

criterion_group!(benches, check);
criterion_main!(benches);
