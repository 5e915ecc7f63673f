//! Lateness: 1,000 clocks a second, from the instant when each is due until it has hopped, and until the
//! message of that is handed over: then it is on disk.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use upline::core::Topic;
use upline::notify::{Message, Notifier, Sending};

use crate::kit::{SOON, Scale, builder, folder, open, remove, spread, syncs};

/// Keeps how late each hop was decided, and its message handed over.
#[derive(Clone, Default)]
struct Lateness(Arc<Mutex<Vec<(Duration, Duration)>>>);

const AFTER: Duration = Duration::from_secs(2);

impl Notifier for Lateness {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let due = message.ticket.opened.as_millisecond() + AFTER.as_millis() as i64;
        let late = |at: Timestamp| u64::try_from(at.as_millisecond() - due).ok();
        // The message about the opening was written long before.
        if let (Topic::Assigned, Some(hop)) = (&message.topic, late(message.written)) {
            // The engine's time can be a little ahead of a clock on the wall that is being slowed down.
            let told = late(Timestamp::now()).unwrap_or_default();
            let mut all = self.0.lock().expect("nobody panicked");
            all.push((Duration::from_millis(hop), Duration::from_millis(told)));
        }
        Box::pin(async { Ok(()) })
    }
}

pub(crate) async fn run(scale: Scale) {
    let bare = || spread(syncs(scale.seconds(5.0)));
    println!(
        "late: a bare append of 4 KiB and its sync, before: {}",
        bare()
    );
    let path = folder("late");
    let lateness = Lateness::default();
    let builder = builder(SOON).notifier(lateness.clone());
    let engine = builder.folder(&path).expect("a data folder").start();
    let engine = engine.await.expect("it starts");
    let handle = engine.handle();
    let count = scale.of(60_000, 20);
    let began = Instant::now();
    let mut set = tokio::task::JoinSet::new();
    for one in 0..count {
        let due = Duration::from_millis(one);
        let wait = due.saturating_sub(began.elapsed());
        if !wait.is_zero() {
            tokio::time::sleep_until((began + due).into()).await;
        }
        let handle = handle.clone();
        set.spawn(async move { open(&handle).await });
    }
    set.join_all().await;
    while (lateness.0.lock().expect("nobody panicked").len() as u64) < count {
        tokio::time::sleep_until((Instant::now() + Duration::from_millis(20)).into()).await;
    }
    let all = std::mem::take(&mut *lateness.0.lock().expect("nobody panicked"));
    let (hops, told): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    println!(
        "late: {count} clocks, 1,000 a second: hopped after they were due: {}",
        spread(hops)
    );
    println!("late: the same, on disk and handed over: {}", spread(told));
    engine.stop().await.expect("it stops");
    remove(&path);
    println!("late: a bare append and its sync, afterwards: {}", bare());
}
