//! What the engine does in a second on a real disk: tickets opened, accepted and resolved, every answer synced.
//!
//! `cargo bench -p upline --bench engine` prints rounds of: the disk's limit (4 KiB appended to a prepared file
//! and synced, one at a time), then 1, 16 and 128 callers who each open, accept and resolve tickets one after
//! the other, answered when the commit is on disk. `cargo test` runs it once with a few tickets.
//! `UPLINE_BENCH_FOLDER` says where; it must be on the disk that is meant.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where its workload is not what it says"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use upline::core::{Actor, Wish};
use upline::{Engine, Handle, Submission};

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

fn folder(name: &str) -> PathBuf {
    let base = std::env::var_os("UPLINE_BENCH_FOLDER");
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    base.join(format!("upline-bench-{}-{name}", std::process::id()))
}

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let (rounds, seconds) = if measured { (3, 4.0) } else { (1, 0.05) };
    for round in 1..=rounds {
        let limit = appends(Duration::from_secs_f64(seconds / 2.0));
        println!("round {round}: limit {limit:.0} appends a second");
        for callers in [1, 16, 128] {
            let each = Duration::from_secs_f64(seconds);
            let (commands, took) = runtime.block_on(commands(callers, each));
            let rate = f64::from(commands) / took.as_secs_f64();
            println!(
                "round {round}: {callers} callers: {rate:.0} commands a second ({:.2} of the limit)",
                rate / limit
            );
        }
    }
}

/// 4 KiB appended and synced, in a file whose room was written before.
fn appends(time: Duration) -> f64 {
    use std::os::unix::fs::FileExt;
    let path = folder("limit");
    let file = std::fs::File::create(&path).expect("a file");
    let room = 64 << 20;
    file.write_all_at(&vec![0; room], 0).expect("room");
    file.sync_all().expect("a sync");
    let (began, mut count) = (Instant::now(), 0_u64);
    while began.elapsed() < time {
        let at = (count * 4096) % room as u64;
        file.write_all_at(&[7; 4096], at).expect("a write");
        file.sync_data().expect("a sync");
        count += 1;
    }
    let rate = count as f64 / began.elapsed().as_secs_f64();
    drop(file);
    std::fs::remove_file(&path).expect("the file goes");
    rate
}

async fn commands(callers: u32, time: Duration) -> (u32, Duration) {
    let path = folder("engine");
    let engine = started(&path).await;
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| tokio::spawn(work(engine.handle(), began, time)))
        .collect();
    let mut commands = 0;
    for task in tasks {
        commands += task.await.expect("a caller");
    }
    let took = began.elapsed();
    engine.stop().await.expect("it stops");
    std::fs::remove_dir_all(&path).expect("the folder goes");
    (commands, took)
}

async fn started(path: &Path) -> Engine {
    Engine::builder()
        .folder(path)
        .expect("a data folder")
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await
        .expect("it starts")
}

/// One caller's day: a ticket is opened, accepted, resolved; the next one.
async fn work(handle: Handle, began: Instant, time: Duration) -> u32 {
    let max = || Actor::Person("max".into());
    let mut done = 0;
    while began.elapsed() < time {
        let fields = vec![
            ("caller".into(), "Mr Low".into()),
            ("problem".into(), "no dial tone since this morning".into()),
        ];
        let opened = handle.open("call", max(), fields).await.expect("it opens");
        for action in ["accept", "resolve"] {
            let wish = Wish::Act {
                action: action.into(),
                fields: Vec::new(),
                note: None,
            };
            let act = Submission::new(Actor::Operator("max".into()), wish);
            handle.submit(&opened.id, act).await.expect("it acts");
        }
        done += 3;
    }
    done
}
