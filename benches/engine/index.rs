//! The index of all tickets: what it costs the commands, how fast it is built, how fast it answers.
//!
//! In rounds: 128 callers who open, accept and resolve tickets without an index and with one, and how far
//! that is behind when they stop; how long the index takes to be built from nothing of that journal; and
//! questions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use upline::disk::RealDisk;
use upline::index::{Filter, Standing, State};
use upline::store::log::{LogOptions, LogStore};
use upline::vault::system_entropy;
use upline::{Archive, Engine};

use crate::answers::commands;
use crate::kit::{QUARTER, Scale, builder, folder, followed, remove, spread, started};

pub(crate) async fn run(scale: Scale) {
    for round in 1..=scale.of(3, 1) {
        self::round(round, scale).await;
    }
}

async fn round(round: u64, scale: Scale) {
    let (callers, time) = (scale.of(128, 8), scale.seconds(4.0));
    let path = folder("without");
    let engine = without_index(&path).await;
    let without = commands(&engine, callers, time).await;
    engine.stop().await.expect("it stops");
    remove(&path);

    let path = folder("with");
    let engine = started(&path, QUARTER).await;
    let with = commands(&engine, callers, time).await;
    let behind = match engine.handle().archive().expect("an index").state() {
        State::Following { behind } => behind,
        // On a new folder it counts as being built until it has caught up once.
        State::Rebuilding { commits, of } => of - commits,
        other => {
            println!("index, round {round}: it does not follow: {other:?}");
            return;
        }
    };
    println!(
        "index, round {round}: {without:.0} commands a second without an index, {with:.0} with ({:.2}), \
         which is {behind} commits behind then",
        with / without
    );
    engine.stop().await.expect("it stops");
    remove(&path.join("index"));
    built(round, &path, scale).await;
    remove(&path);
}

/// Builds the index of a folder anew, and asks it.
async fn built(round: u64, path: &Path, scale: Scale) {
    let began = Instant::now();
    let engine = started(path, QUARTER).await;
    let handle = engine.handle();
    followed(&handle).await;
    let archive = handle.archive().expect("an index");
    let took = began.elapsed().as_secs_f64();
    let ended = archive
        .counts(Standing::Ended, None, None)
        .await
        .expect("counts");
    let bytes = std::fs::metadata(path.join("index/db")).map_or(0, |data| data.len());
    let tickets = last(&archive).await;
    println!(
        "index, round {round}: {tickets} tickets ({} shown as ended in one count) built in {took:.2} s: {:.0} a \
         second, {:.0} bytes each",
        ended.by_state.values().sum::<u64>(),
        tickets as f64 / took,
        bytes as f64 / tickets as f64
    );
    ask(round, &archive, tickets, scale).await;
    engine.stop().await.expect("it stops");
}

/// How many tickets there are.
async fn last(archive: &Archive) -> u64 {
    let newest = Filter::default().newest_first();
    let page = archive.list(newest, None, 1).await.expect("a list");
    let id = page.items.first().map(|ticket| ticket.id.to_string());
    id.and_then(|id| id.parse().ok()).unwrap_or(1)
}

async fn ask(round: u64, archive: &Archive, tickets: u64, scale: Scale) {
    let mut one = Vec::new();
    let mut page = Vec::new();
    let mut past = Vec::new();
    for question in 0..scale.of(2_000, 5) {
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
        println!("index, round {round}: {what}: {}", spread(times));
    }
}

async fn without_index(path: &Path) -> Engine {
    let disk = Arc::new(RealDisk::new(path));
    let store = LogStore::open(disk, LogOptions::default(), system_entropy());
    let builder = builder(QUARTER).store(store.expect("a store"));
    builder.start().await.expect("it starts")
}
