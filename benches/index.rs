//! The index of all tickets: what it costs the commands, how fast it is built, how fast it answers.
//!
//! `cargo bench -p upline --bench index` prints, in rounds: 128 callers who open, accept and resolve tickets
//! on a real disk without an index and with one, and how far that is behind when they stop; how long the
//! index takes to be built from nothing of that journal; and questions. Before that, what an open ticket
//! takes of memory. `cargo test` runs it once with a few tickets. `UPLINE_BENCH_FOLDER` says where. With
//! `UPLINE_BENCH_NO_INDEX` memory is measured without an index.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where its workload is not what it says"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use upline::core::{Actor, Wish};
use upline::disk::RealDisk;
use upline::index::{Filter, Standing, State};
use upline::store::log::{LogOptions, LogStore};
use upline::vault::system_entropy;
use upline::{Archive, Builder, Engine, Handle, Submission};

const DESK: &str = "
directory: acme
last-resort: user max
people:
  ann: { name: Ann, mail: ann@example.com }
  bob: { name: Bob, mail: bob@example.com }
  lea: { name: Lea, mail: lea@example.com }
  max: { name: Max, mail: max@example.com }
groups:
  desk: { members: [ann, bob], lead: lea, manager: max }
";

const CALL: &str = "
workflow: call
start: asked
fields:
  caller: { type: contact, label: Caller }
  problem: { type: text, label: Problem }
ladders:
  climb: [{ after: 15 min, assign: another in desk }, { after: 30 min, assign: lead of desk }]
states:
  asked:
    assign: least busy in desk
    escalate: climb
    actions: { accept: { goto: working } }
  working:
    assign: who did accept
    escalate: climb
    actions: { resolve: { goto: closed } }
  closed: { end: done }
";

/// How much of everything.
struct Size {
    rounds: u32,
    seconds: f64,
    callers: u32,
    questions: u32,
    open: u32,
}

fn folder(name: &str) -> PathBuf {
    let base = std::env::var_os("UPLINE_BENCH_FOLDER");
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    base.join(format!("upline-bench-{}-{name}", std::process::id()))
}

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let size = match measured {
        true => Size {
            rounds: 3,
            seconds: 4.0,
            callers: 128,
            questions: 2_000,
            open: 200_000,
        },
        false => Size {
            rounds: 1,
            seconds: 0.05,
            callers: 8,
            questions: 5,
            open: 50,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // First, while nothing else has had memory.
        memory(&size).await;
        for round in 1..=size.rounds {
            self::round(round, &size).await;
        }
    });
}

async fn round(round: u32, size: &Size) {
    let path = folder("without");
    let engine = without_index(&path).await;
    let without = commands(&engine, size).await;
    engine.stop().await.expect("it stops");
    std::fs::remove_dir_all(&path).expect("the folder goes");

    let path = folder("with");
    let engine = on(&path).await;
    let with = commands(&engine, size).await;
    let State::Following { behind } = engine.handle().archive().expect("an index").state() else {
        println!("round {round}: the index did not follow");
        return;
    };
    println!(
        "round {round}: {without:.0} commands a second without an index, {with:.0} with ({:.2}), which is \
         {behind} commits behind then",
        with / without
    );
    engine.stop().await.expect("it stops");
    std::fs::remove_dir_all(path.join("index")).expect("the index goes");
    built(round, &path, size).await;
    std::fs::remove_dir_all(&path).expect("the folder goes");
}

/// Builds the index of a folder anew, and asks it.
async fn built(round: u32, path: &Path, size: &Size) {
    let began = Instant::now();
    let engine = on(path).await;
    let handle = engine.handle();
    let archive = handle.archive().expect("an index");
    while !matches!(archive.state(), State::Following { behind: 0 }) {
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let took = began.elapsed().as_secs_f64();
    let ended = archive
        .counts(Standing::Ended, None, None)
        .await
        .expect("counts");
    let bytes = std::fs::metadata(path.join("index/db")).map_or(0, |data| data.len());
    let tickets = last(&archive).await;
    println!(
        "round {round}: {tickets} tickets ({} shown as ended in one count) built in {took:.2} s: {:.0} a \
         second, {:.0} bytes each",
        ended.by_state.values().sum::<u64>(),
        tickets as f64 / took,
        bytes as f64 / tickets as f64
    );
    ask(round, &archive, tickets, size).await;
    engine.stop().await.expect("it stops");
}

/// How many tickets there are.
async fn last(archive: &Archive) -> u64 {
    let newest = Filter::default().newest_first();
    let page = archive.list(newest, None, 1).await.expect("a list");
    let id = page.items.first().map(|ticket| ticket.id.to_string());
    id.and_then(|id| id.parse().ok()).unwrap_or(1)
}

async fn ask(round: u32, archive: &Archive, tickets: u64, size: &Size) {
    let mut one = Vec::new();
    let mut page = Vec::new();
    let mut past = Vec::new();
    for question in 0..u64::from(size.questions) {
        let id = (1 + question.wrapping_mul(7_919) % tickets).to_string();
        let began = Instant::now();
        archive.history(&id, None, 50).await.expect("a history");
        past.push(began.elapsed());
        let began = Instant::now();
        archive.ticket(&id).await.expect("a ticket");
        one.push(began.elapsed());
        let began = Instant::now();
        let ended = Filter::default()
            .workflow("call")
            .standing(Standing::Ended)
            .state("done");
        archive.list(ended, None, 50).await.expect("a page");
        page.push(began.elapsed());
    }
    for (what, times) in [
        ("a ticket with its fields", one),
        ("its history", past),
        ("a page of 50", page),
    ] {
        let mut times = times;
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!(
            "round {round}: {what}: p50 {:.2} ms, p99 {:.2} ms",
            at(50),
            at(99)
        );
    }
}

/// What an open ticket takes of memory.
async fn memory(size: &Size) {
    let path = folder("memory");
    let with = std::env::var_os("UPLINE_BENCH_NO_INDEX").is_none();
    let engine = match with {
        true => on(&path).await,
        false => without_index(&path).await,
    };
    let before = resident();
    let each = size.open / size.callers;
    let tasks: Vec<_> = (0..size.callers)
        .map(|_| {
            let handle = engine.handle();
            tokio::spawn(async move {
                for _ in 0..each {
                    open(&handle).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller");
    }
    let (after, open) = (resident(), each * size.callers);
    println!(
        "{open} open tickets{}: {:.0} bytes of memory each, {:.0} MiB in all",
        if with { ", with an index" } else { "" },
        (after.saturating_sub(before)) as f64 / f64::from(open),
        after as f64 / f64::from(1 << 20)
    );
    engine.stop().await.expect("it stops");
    std::fs::remove_dir_all(&path).expect("the folder goes");
}

/// Bytes of memory that the process has; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

async fn without_index(path: &Path) -> Engine {
    let disk = Arc::new(RealDisk::new(path));
    let store = LogStore::open(disk, LogOptions::default(), system_entropy());
    started(Engine::builder().store(store.expect("a store"))).await
}

async fn on(path: &Path) -> Engine {
    started(Engine::builder().folder(path).expect("a data folder")).await
}

async fn started(builder: Builder) -> Engine {
    let builder = builder.file("desk.yaml", DESK).file("call.yaml", CALL);
    builder.start().await.expect("it starts")
}

/// Commands a second of all callers.
async fn commands(engine: &Engine, size: &Size) -> f64 {
    let time = Duration::from_secs_f64(size.seconds);
    let began = Instant::now();
    let tasks: Vec<_> = (0..size.callers)
        .map(|_| tokio::spawn(work(engine.handle(), began, time)))
        .collect();
    let mut commands = 0;
    for task in tasks {
        commands += task.await.expect("a caller");
    }
    f64::from(commands) / began.elapsed().as_secs_f64()
}

async fn open(handle: &Handle) -> String {
    let fields = vec![
        ("caller".into(), "Mr Low".into()),
        ("problem".into(), "no dial tone since this morning".into()),
    ];
    let opened = handle
        .open("call", Actor::Person("max".into()), fields)
        .await;
    opened.expect("it opens").id.to_string()
}

/// One caller's day: a ticket is opened, accepted, resolved; the next one.
async fn work(handle: Handle, began: Instant, time: Duration) -> u32 {
    let mut done = 0;
    while began.elapsed() < time {
        let ticket = open(&handle).await;
        for action in ["accept", "resolve"] {
            let wish = Wish::Act {
                action: action.into(),
                fields: Vec::new(),
                note: None,
            };
            let act = Submission::new(Actor::Operator("max".into()), wish);
            handle.submit(&ticket, act).await.expect("it acts");
        }
        done += 3;
    }
    done
}
