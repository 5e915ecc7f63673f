//! Durable commands a second: 1, 16 and 128 callers who each open, accept and resolve tickets one after the
//! other, beside the disk's limit.

use std::time::Instant;

use upline::Handle;

use crate::kit::{QUARTER, Scale, act, everybody, folder, limit, open, remove, started};

pub(crate) async fn run(scale: Scale) {
    for round in 1..=scale.of(5, 1) {
        let can = limit(scale.seconds(2.0));
        println!("answers, round {round}: the disk syncs {can:.0} appends of 4 KiB a second");
        for callers in [1, 16, 128] {
            let path = folder("answers");
            let engine = started(&path, QUARTER).await;
            let (began, time) = (Instant::now(), scale.seconds(4.0));
            let done = everybody(callers, |_| work(engine.handle(), began, time)).await;
            let rate = done.iter().sum::<u64>() as f64 / began.elapsed().as_secs_f64();
            println!(
                "answers, round {round}: {callers} callers: {rate:.0} commands a second ({:.2} of the limit)",
                rate / can
            );
            engine.stop().await.expect("it stops");
            remove(&path);
        }
    }
}

/// One caller's day: a ticket is opened, accepted, resolved; the next one.
async fn work(handle: Handle, began: Instant, time: std::time::Duration) -> u64 {
    let mut done = 0;
    while began.elapsed() < time {
        let ticket = open(&handle).await;
        act(&handle, &ticket, "accept").await;
        act(&handle, &ticket, "resolve").await;
        done += 3;
    }
    done
}
