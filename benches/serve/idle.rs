//! Idle: many tickets open, and none is due for an hour.

use std::time::Instant;

use crate::desk::daemon;
use crate::kit::{LATER, Scale, fill, followed, processor, remove};

pub(crate) async fn run(scale: Scale) {
    let (daemon, folder) = daemon("idle", LATER).await;
    let handle = daemon.handle();
    let count = scale.of(1_000_000, 100);
    fill(&handle, count).await;
    handle.settled().await.expect("it settles");
    followed(&handle).await;
    let position = || async { handle.status().await.expect("a status").position };
    let (time, before, used) = (scale.seconds(30.0), position().await, processor());
    tokio::time::sleep_until((Instant::now() + time).into()).await;
    let used = processor() - used;
    println!(
        "idle: {count} open, {:.0} s: {:.3} % of a core, {} bytes committed",
        time.as_secs_f64(),
        100.0 * used / time.as_secs_f64(),
        position().await - before
    );
    daemon.stop().await.expect("it stops");
    remove(&folder);
}
