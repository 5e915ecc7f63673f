//! A recorded log against a workflow: reading, counting, playing, and the memory that all of it takes.
//!
//! `cargo bench -p upline-lab --bench replay` measures; `cargo test` runs each once. The log is the shared
//! one (65,533 rows, 7,554 tickets) if `UPLINE_SHARED_DATA` names its folder, else one of the same layout and
//! as many rows made up here; tests make up a few. The workflow is the one in `examples/replay`.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a bench stops where its workload is not what it says, and says what it measured"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use upline_core::Directory;
use upline_dsl::Sources;
use upline_lab::replay::{Log, LogFacts, Mapping, PlayReport, play, unpack};
use upline_lab::world::Workflows;

const MAPPING: &str = include_str!("../examples/replay/bpi-2013.map.yaml");
const WORKFLOW: &str = include_str!("../examples/replay/it-support.yaml");
const DIRECTORY: &str = include_str!("../examples/replay/directory.yaml");

/// `cargo test` passes no `--bench`: then everything is tiny.
fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn mapping() -> Mapping {
    let (read, _) = Mapping::read(&mut Sources::new(), ("bpi-2013.map.yaml", MAPPING));
    read.expect("the mapping is read").value
}

fn support() -> (Workflows, Arc<Directory>) {
    let mut loaded = upline_dsl::load([
        ("directory.yaml", DIRECTORY.as_bytes()),
        ("it-support.yaml", WORKFLOW.as_bytes()),
    ]);
    let directory = loaded.directory.take().expect("the directory is read");
    let workflow = loaded.workflows.pop().expect("the workflow is read");
    let workflows = Workflows::new([Arc::new(workflow.value)]);
    (workflows, Arc::new(directory.value))
}

fn log_file() -> (&'static str, Vec<u8>) {
    if !measuring() {
        return ("made up, tiny", made_up(20).into_bytes());
    }
    let folder = std::env::var_os("UPLINE_SHARED_DATA");
    let path = folder.map(|folder| Path::new(&folder).join("volvo-it-incidents-2013.csv.gz"));
    match path.and_then(|path| std::fs::read(path).ok()) {
        Some(bytes) => ("shared", bytes),
        None => ("made up", made_up(7_554).into_bytes()),
    }
}

/// Tickets that are queued, taken, passed up, waited for, solved and closed, one every seven minutes.
fn made_up(tickets: i64) -> String {
    let columns = "SR Number,Change Date+Time,Status,Sub Status,Involved ST 2,ST Level,\
                   SR Latest Impact,Product,Owner Country,Resource\n";
    let steps = [
        (0, "Queued,Awaiting Assignment", "L1"),
        (35, "Accepted,In Progress", "L1"),
        (80, "Queued,Awaiting Assignment", "L2"),
        (1_500, "Accepted,In Progress", "L2"),
        (1_510, "Accepted,Wait - User", "L2"),
        (4_000, "Accepted,In Progress", "L2"),
        (4_030, "Accepted,Assigned", "L3"),
        (4_060, "Completed,Resolved", "L3"),
        (9_000, "Completed,Closed", "L3"),
    ];
    let start: Timestamp = "2012-01-02T07:00:00Z".parse().expect("an instant");
    let mut text = columns.to_owned();
    for ticket in 0..tickets {
        for (minutes, status, level) in steps {
            let at = start + SignedDuration::from_mins(ticket * 7 + minutes);
            let (team, product) = (ticket % 60, ticket % 700);
            let person = (ticket + minutes) % 300;
            let _ = writeln!(
                text,
                "1-{ticket},{at},{status},T{team},{level},Low,PROD{product},se,se-{person}"
            );
        }
    }
    text
}

fn whole(bytes: &[u8], mapping: &Mapping, support: &(Workflows, Arc<Directory>)) -> PlayReport {
    let source = unpack(bytes).expect("the log is unpacked");
    let log = Log::read(source, mapping, &mut |_| {}).expect("the log is read");
    black_box(LogFacts::of(&log));
    let (workflows, directory) = support;
    let report = play(
        &log,
        mapping,
        workflows,
        "it-support",
        directory,
        &mut |_| {},
    );
    report.expect("the log is played")
}

fn replay(bench: &mut Criterion) {
    let (name, bytes) = log_file();
    let (mapping, support) = (mapping(), support());
    let started = std::time::Instant::now();
    let report = whole(&bytes, &mapping, &support);
    let first = started.elapsed();
    let source = unpack(&bytes[..]).expect("the log is unpacked");
    let log = Log::read(source, &mapping, &mut |_| {}).expect("the log is read");
    eprintln!(
        "{name} log: {} rows, {} tickets, {} events, {} clocks; once: {first:?}; peak memory: {}",
        log.rows,
        report.opened,
        report.events,
        report.clocks,
        peak_memory()
    );
    let mut group = bench.benchmark_group("replay");
    group.sample_size(10);
    group.throughput(Throughput::Elements(log.rows));
    group.bench_function("read", |bench| {
        bench.iter(|| {
            let source = unpack(&bytes[..]).expect("the log is unpacked");
            Log::read(source, &mapping, &mut |_| {}).expect("the log is read")
        });
    });
    group.bench_function("count", |bench| bench.iter(|| LogFacts::of(&log)));
    group.bench_function("read, count and play", |bench| {
        bench.iter(|| whole(&bytes, &mapping, &support));
    });
    group.finish();
}

/// The most memory that the process ever had; Linux only.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

criterion_group!(benches, replay);
criterion_main!(benches);
