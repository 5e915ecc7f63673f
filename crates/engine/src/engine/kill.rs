//! The real engine on a real disk, killed at random moments while it works: what it has answered is there, no
//! hop is doubled or left out, every message was sent.
//!
//! `UPLINE_KILL_ROUNDS=2000 cargo test --release -p upline kill` plays more rounds than the usual few.

mod rebuild;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use upline_core::Actor;

use super::{Engine, Handle};
use crate::clock::ManualClock;
use crate::disk::{Disk, RealDisk};
use crate::kit::told::Told;
use crate::kit::{CALL, DESK, begin, person};
use crate::notify::{Message, Notifier, Sending};
use crate::store::{LogOptions, LogStore};
use crate::vault::system_entropy;

const FOLDER: &str = "UPLINE_KILL_FOLDER";
const ROUNDS: &str = "UPLINE_KILL_ROUNDS";

/// Says on standard output what was done: whoever reads it knows it though this process is killed then.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent may have stopped to listen.
    let _ = writeln!(out, "\n#{line}").and_then(|()| out.flush());
}

struct Post;

impl Notifier for Post {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        say(&format!("sent {}", message.key));
        Box::pin(async { Ok(()) })
    }
}

async fn started(folder: &Path, clock: ManualClock) -> Engine {
    let options = LogOptions {
        segment_bytes: 256 << 10,
        snapshot_commits: 200,
        ..LogOptions::default()
    };
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    Engine::builder()
        .store(store)
        .clock(clock)
        .notifier(Post)
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await
        .unwrap()
}

/// Where the last process has left the time, and five minutes later.
fn later(folder: &Path) -> ManualClock {
    let last = std::fs::read_to_string(folder.with_extension("time"));
    let last = last.ok().and_then(|text| text.trim().parse().ok());
    ManualClock::at(last.unwrap_or_else(begin) + jiff::SignedDuration::from_mins(5))
}

#[test]
fn child() {
    // The test below starts this as a process of its own; by itself it has nothing to do.
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder).to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = later(&folder);
        let engine = started(&folder, clock.clone()).await;
        let workers: Vec<_> = (0..4)
            .map(|worker| tokio::spawn(work(engine.handle(), worker)))
            .collect();
        loop {
            // Five minutes pass in a moment, so that clocks fire all the time.
            clock.forward(Duration::from_secs(300));
            let now = clock.now().to_string();
            // In one step: half a time would be none, and the next process would begin in the past.
            std::fs::write(folder.with_extension("next"), now).unwrap();
            let time = folder.with_extension("time");
            std::fs::rename(folder.with_extension("next"), time).unwrap();
            engine.handle().status().await.unwrap();
            if workers.iter().all(tokio::task::JoinHandle::is_finished) {
                return;
            }
        }
    });
}

async fn work(handle: Handle, worker: u32) {
    loop {
        let fields = vec![("caller".into(), format!("Caller of {worker}"))];
        let opened = handle.open("call", person("max"), fields).await.unwrap();
        say(&format!("opened {} {}", opened.id, opened.revision));
        let act = handle.act(&opened.id, Actor::Operator("max".into()), "accept");
        if let Ok(done) = act.await {
            say(&format!("acted {} {}", done.id, done.revision));
        }
    }
}

fn disk(folder: &Path) -> Arc<dyn Disk> {
    Arc::new(RealDisk::new(folder))
}

/// What the processes have said.
#[derive(Default)]
struct Said {
    revisions: BTreeMap<u64, u64>,
    sent: BTreeSet<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("#opened" | "#acted"), Some(id), Some(revision)) => {
                let revision: u64 = revision.parse().unwrap();
                let known = self.revisions.entry(id.parse().unwrap()).or_default();
                *known = revision.max(*known);
            }
            (Some("#sent"), Some(key), None) => {
                self.sent.insert(key.to_owned());
            }
            _ => (),
        }
    }
}

/// This program again, of which only one test is wanted.
fn process(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The next random number below `end`.
fn next(random: &mut u64, end: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random % end
}

fn rounds() -> u32 {
    let rounds = std::env::var(ROUNDS).ok();
    rounds.map_or(12, |rounds| rounds.parse().unwrap())
}

fn round(folder: &Path, said: &mut Said, random: &mut u64) {
    let mut process = process("engine::kill::child", folder);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    // In every phase: while it starts, when it has just begun, while it works.
    let listen = next(random, 60);
    for line in lines.by_ref().take(usize::try_from(listen).unwrap()) {
        said.hear(&line.unwrap());
    }
    process.kill().unwrap();
    // The last line may be cut off in the middle; it is of no use then.
    lines
        .map_while(Result::ok)
        .for_each(|line| said.hear(&line));
    process.wait().unwrap();
}

#[test]
fn killed_at_any_moment_it_has_lost_and_doubled_nothing() {
    let rounds = rounds();
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let mut said = Said::default();
    let mut random = 0x9e37_79b9_7f4a_7c15;
    for number in 1..=rounds {
        round(&folder, &mut said, &mut random);
        if !folder.join("journal").exists() {
            continue;
        }
        // All rounds are looked at in the end; the whole journal after each would be too slow.
        if number % 50 == 0 || number == rounds || number < 10 {
            let told = Told::read(disk(&folder));
            for (ticket, revision) in &said.revisions {
                let kept = told.revisions.get(ticket).copied().unwrap_or(0);
                assert!(kept >= *revision, "ticket {ticket}: {kept}, not {revision}");
            }
        }
    }
    assert!(!said.revisions.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let engine = started(&folder, later(&folder)).await;
        engine.handle().settled().await.unwrap();
        let status = engine.handle().status().await.unwrap();
        assert_eq!(
            (status.unsent, status.forgotten, status.set_aside),
            (0, 0, 0)
        );
        engine.stop().await.unwrap();
    });
    let told = Told::read(disk(&folder));
    assert_eq!(told.notices, told.delivered, "every message has been sent");
    for key in &said.sent {
        let known = told.delivered.contains(key) || told.withdrawn.contains(key);
        assert!(known, "{key} was sent and is not in the journal");
    }
    println!(
        "{rounds} rounds: {} tickets, {} clocks fired, {} messages delivered, {} withdrawn",
        told.revisions.len(),
        told.fired.len(),
        told.delivered.len(),
        told.withdrawn.len()
    );
}
