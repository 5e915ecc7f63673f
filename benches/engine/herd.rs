//! A herd: many clocks due in one second. Each is a hop with a new clock, a message and an entry in the
//! journal. Beside it one person goes on answering.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use upline::Handle;
use upline::clock::ManualClock;
use upline::core::Name;
use upline::notify::{Message, Notifier, Sending};

use crate::kit::{QUARTER, Scale, act, builder, fill, folder, ids, remove, spread};

/// Counts, and tells nobody.
struct Count(Arc<AtomicU64>);

impl Notifier for Count {
    fn send<'a>(&'a self, _message: &'a Message) -> Sending<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

pub(crate) async fn run(scale: Scale) {
    for size in [scale.of(10_000, 50), scale.of(100_000, 100)] {
        for round in 1..=scale.of(3, 1) {
            one(size, round).await;
        }
    }
}

async fn one(size: u64, round: u64) {
    let path = folder("herd");
    let clock = ManualClock::at("2026-03-02T08:00:00Z".parse().expect("a time"));
    let sent = Arc::new(AtomicU64::new(0));
    let builder = builder(QUARTER).clock(clock.clone());
    let builder = builder.notifier(Count(Arc::clone(&sent)));
    let engine = builder.folder(&path).expect("a data folder").start();
    let engine = engine.await.expect("it starts");
    let handle = engine.handle();
    for part in 0..10 {
        fill(&handle, size / 10 + u64::from(part < size % 10)).await;
        clock.forward(Duration::from_millis(100));
    }
    // Those of the person who goes on answering; they are due later.
    clock.forward(Duration::from_secs(60));
    fill(&handle, 64).await;
    handle.settled().await.expect("it settles");
    let others: Vec<Name> = ids(&handle, size as usize + 64)
        .await
        .split_off(size as usize);
    sent.store(0, Ordering::Relaxed);
    let over = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn(answering(handle.clone(), others, Arc::clone(&over)));
    let began = Instant::now();
    clock.forward(Duration::from_secs(15 * 60 - 60));
    // A status says what is on disk.
    let now = clock.now();
    let is_due = |status: upline::Status| status.next_due.is_some_and(|due| due <= now);
    while is_due(handle.status().await.expect("a status")) {}
    let hopped = began.elapsed();
    while sent.load(Ordering::Relaxed) < size {
        tokio::task::yield_now().await;
    }
    let told = began.elapsed();
    over.store(true, Ordering::Relaxed);
    let (answers, own) = other.await.expect("the other person");
    println!(
        "herd, round {round}: {size} hops on disk in {:.0} ms, their messages handed over in {:.0} ms; \
         {own} answers meanwhile: {}",
        hopped.as_secs_f64() * 1000.0,
        told.as_secs_f64() * 1000.0,
        spread(answers)
    );
    engine.stop().await.expect("it stops");
    remove(&path);
}

async fn answering(
    handle: Handle,
    tickets: Vec<Name>,
    over: Arc<AtomicBool>,
) -> (Vec<Duration>, usize) {
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for action in ["accept", "hand-back"] {
            let came = Instant::now();
            act(&handle, &tickets[all.len() / 2 % tickets.len()], action).await;
            all.push(came.elapsed());
        }
    }
    let count = all.len();
    (all, count)
}
