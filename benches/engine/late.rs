//! Lateness: 1,000 clocks a second, from the instant when each is due until its message is handed over.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use upline::notify::{Message, Notifier, Sending};

use crate::kit::{Scale, builder, folder, open, remove, spread};

/// Keeps how late each message of a hop is.
#[derive(Clone, Default)]
struct Lateness(Arc<Mutex<Vec<Duration>>>);

const AFTER: Duration = Duration::from_secs(2);

impl Notifier for Lateness {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let due = message.ticket.opened.as_millisecond() + AFTER.as_millis() as i64;
        let late = Timestamp::now().as_millisecond() - due;
        // The message about the opening comes long before.
        if let Ok(late) = u64::try_from(late) {
            let mut all = self.0.lock().expect("nobody panicked");
            all.push(Duration::from_millis(late));
        }
        Box::pin(async { Ok(()) })
    }
}

pub(crate) async fn run(scale: Scale) {
    let path = folder("late");
    let lateness = Lateness::default();
    let builder = builder("2 s").notifier(lateness.clone());
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
    println!(
        "late: {count} clocks, 1,000 a second, told after they were due: {}",
        spread(all)
    );
    engine.stop().await.expect("it stops");
    remove(&path);
}
