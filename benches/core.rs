//! The core alone: what one hop costs, a journal's replay, and a year of virtual time.
//!
//! `cargo bench -p upline-lab --bench core` measures; `cargo test` runs each once with tiny numbers.
//! The workload is the shipped trouble ticket in its shipped directory, nobody acting: colleague, colleague,
//! lead, manager, last resort, in office hours.
#![expect(
    clippy::expect_used,
    reason = "a bench stops where its workload is not what it says"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use upline_core::{
    ClockKind, Command, Context, Directory, Event, Fact, Name, Ticket, Wish, Workflow, Workload,
    decide, evolve,
};
use upline_lab::world::{Unobserved, Workflows, World};

const WORKFLOW: &str = include_str!("../workflows/trouble-ticket.yaml");
const DIRECTORY: &str = include_str!("../workflows/directory.yaml");

struct Shipped {
    workflow: Arc<Workflow>,
    directory: Arc<Directory>,
}

fn shipped() -> Shipped {
    let files = [
        ("directory.yaml", DIRECTORY.as_bytes()),
        ("trouble-ticket.yaml", WORKFLOW.as_bytes()),
    ];
    let mut loaded = upline_dsl::load(files);
    let directory = loaded
        .directory
        .take()
        .expect("the shipped directory is read");
    let workflow = loaded
        .workflows
        .pop()
        .expect("the shipped workflow is read");
    Shipped {
        workflow: Arc::new(workflow.value),
        directory: Arc::new(directory.value),
    }
}

/// A Monday morning, in office hours of Shanghai.
fn monday() -> Timestamp {
    "2026-03-09T02:00:00Z".parse().expect("an instant")
}

fn opener(shipped: &Shipped) -> Name {
    let group = shipped.directory.groups.values().next().expect("a group");
    group.members[0].clone()
}

fn fields() -> Vec<(Name, String)> {
    vec![
        ("caller".into(), "Mr Low".into()),
        ("problem".into(), "no dial tone".into()),
    ]
}

fn open(ticket: &str) -> Wish {
    Wish::Open {
        ticket: ticket.into(),
        key: None,
        parent: None,
        fields: fields(),
    }
}

/// One ticket that was just dispatched.
fn dispatched(shipped: &Shipped) -> (Ticket, Workload) {
    let (mut ticket, mut workload) = (Ticket::default(), Workload::default());
    let act = Wish::Act {
        action: "open".into(),
        fields: fields(),
        note: None,
    };
    for wish in [open("t1"), act] {
        let command = Command::person(opener(shipped), wish);
        for event in step(shipped, &ticket, &workload, monday(), &command) {
            let before = ticket.clone();
            evolve(&mut ticket, &event);
            workload.follow(&before, &event, &ticket);
        }
    }
    (ticket, workload)
}

fn step(
    shipped: &Shipped,
    ticket: &Ticket,
    workload: &Workload,
    now: Timestamp,
    command: &Command,
) -> Vec<Event> {
    let context = Context {
        now,
        workflow: &shipped.workflow,
        directory: &shipped.directory,
        workload,
    };
    decide(&context, ticket, command).expect("the command is possible")
}

/// Fires the ticket's next clock at its time. `None`: it has none.
fn fire(shipped: &Shipped, ticket: &mut Ticket, workload: &Workload) -> Option<Vec<Event>> {
    let (id, due) = ticket.next_due().map(|clock| (clock.id, clock.due))?;
    let events = step(shipped, ticket, workload, due, &Command::due(id));
    events.iter().for_each(|event| evolve(ticket, event));
    Some(events)
}

/// Fires the ladder's clocks one after the other. Returns how many hops that made.
fn climb(shipped: &Shipped, mut ticket: Ticket, workload: &Workload, count: usize) -> usize {
    let mut hops = 0;
    for _ in 0..count {
        for event in fire(shipped, &mut ticket, workload).into_iter().flatten() {
            hops += usize::from(matches!(event.fact, Fact::Hopped(_)));
        }
    }
    black_box(&ticket);
    hops
}

fn hop(criterion: &mut Criterion) {
    let shipped = shipped();
    let (mut ticket, workload) = dispatched(&shipped);
    // The promises' clocks would come in between: a hop is measured, not a warning.
    ticket
        .clocks
        .retain(|clock| matches!(clock.kind, ClockKind::Level { .. }));
    let hops = climb(&shipped, ticket.clone(), &workload, 4);
    assert_eq!(hops, 4, "two colleagues, the lead, the manager");
    let mut group = criterion.benchmark_group("core");
    group.throughput(Throughput::Elements(4));
    group.bench_function(
        "hop: decide and evolve, 4 hops of the trouble ticket",
        |bencher| {
            bencher.iter_batched(
                || ticket.clone(),
                |ticket| climb(&shipped, ticket, &workload, 4),
                BatchSize::SmallInput,
            );
        },
    );
    group.finish();
}

/// A journal of a ticket that nobody took: hops, then reminders.
fn journal(shipped: &Shipped) -> Vec<Event> {
    let (mut ticket, workload) = dispatched(shipped);
    let mut journal = Vec::new();
    while journal.len() < 200 {
        match fire(shipped, &mut ticket, &workload) {
            Some(events) => journal.extend(events),
            None => break,
        }
    }
    journal
}

fn replay(criterion: &mut Criterion) {
    let shipped = shipped();
    let (ticket, _) = dispatched(&shipped);
    let journal = journal(&shipped);
    let mut group = criterion.benchmark_group("core");
    group.throughput(Throughput::Elements(journal.len() as u64));
    let title = format!("replay: evolve over a journal of {} events", journal.len());
    group.bench_function(title, |bencher| {
        bencher.iter_batched(
            || ticket.clone(),
            |mut ticket| {
                journal.iter().for_each(|event| evolve(&mut ticket, event));
                ticket
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Opens tickets and lets time pass, nobody acting. Returns how many events there were.
fn simulate(shipped: &Shipped, tickets: u32, days: i64) -> u64 {
    let workflows = Workflows::new([shipped.workflow.clone()]);
    let directory = shipped.directory.clone();
    let mut world = World::observed(monday(), workflows, directory, Unobserved);
    for number in 0..tickets {
        let command = Command::person(opener(shipped), open(&format!("t{number}")));
        world
            .open(&shipped.workflow.name, &command)
            .expect("it opens");
    }
    world.advance_to(monday() + SignedDuration::from_hours(24 * days));
    world.tickets().map(|ticket| ticket.revision).sum()
}

fn year(criterion: &mut Criterion) {
    let shipped = shipped();
    // `cargo test` runs this once: a week is enough to see that it works.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (tickets, days) = if measured { (200, 365) } else { (3, 7) };
    let events = simulate(&shipped, tickets, days);
    assert!(
        events > u64::from(tickets) * 20,
        "each is passed on and reminded: {events}"
    );
    let mut group = criterion.benchmark_group("core");
    group
        .throughput(Throughput::Elements(events))
        .sample_size(10);
    let title = format!("simulation: {tickets} tickets, {days} days, {events} events");
    group.bench_function(title, |bencher| {
        bencher.iter(|| simulate(&shipped, tickets, days))
    });
    group.finish();
}

criterion_group!(benches, hop, replay, year);
criterion_main!(benches);
