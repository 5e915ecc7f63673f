//! Durable commands a second: 1, 16 and 128 callers who each open, accept and resolve tickets one after the
//! other, beside the disk's limit.

use std::time::{Duration, Instant};

use upline::{Engine, Handle};

use crate::kit::{QUARTER, Scale, act, everybody, folder, limit, open, remove, started};

pub(crate) async fn run(scale: Scale) {
    for round in 1..=scale.of(5, 1) {
        let can = limit(scale.seconds(2.0));
        println!("answers, round {round}: the disk syncs {can:.0} appends of 4 KiB a second");
        for callers in [1, 16, 128] {
            let path = folder("answers");
            let engine = started(&path, QUARTER).await;
            let rate = commands(&engine, callers, scale.seconds(4.0)).await;
            println!(
                "answers, round {round}: {callers} callers: {rate:.0} commands a second ({:.2} of the limit)",
                rate / can
            );
            engine.stop().await.expect("it stops");
            remove(&path);
        }
    }
}

/// Commands a second of so many callers.
pub(crate) async fn commands(engine: &Engine, callers: u64, time: Duration) -> f64 {
    let began = Instant::now();
    let done = everybody(callers, |_| work(engine.handle(), began, time)).await;
    done.iter().sum::<u64>() as f64 / began.elapsed().as_secs_f64()
}

/// One caller's day: a ticket is opened, accepted, resolved; the next one.
async fn work(handle: Handle, began: Instant, time: Duration) -> u64 {
    let mut done = 0;
    while began.elapsed() < time {
        let ticket = open(&handle).await;
        act(&handle, &ticket, "accept").await;
        act(&handle, &ticket, "resolve").await;
        done += 3;
    }
    done
}
