//! Idle: many tickets open, and none is due for an hour.

use std::time::{Duration, Instant};

use crate::kit::{
    LATER, Scale, fill, folder, followed, processor, remove, started, status_of_process,
};

pub(crate) async fn run(scale: Scale) {
    let path = folder("idle");
    let engine = started(&path, LATER).await;
    let handle = engine.handle();
    let count = scale.of(1_000_000, 100);
    fill(&handle, count).await;
    handle.settled().await.expect("it settles");
    followed(&handle).await;
    let before = (
        processor(),
        handle.status().await.expect("a status").position,
    );
    let waits = status_of_process("voluntary_ctxt_switches");
    let time = scale.seconds(30.0);
    tokio::time::sleep_until((Instant::now() + time).into()).await;
    let used = processor() - before.0;
    let waited = status_of_process("voluntary_ctxt_switches") - waits;
    let after = handle.status().await.expect("a status").position;
    println!(
        "idle: {count} open, {:.0} s: {:.3} % of a core, {} bytes committed, {waited} waits of this thread",
        time.as_secs_f64(),
        100.0 * used / time.max(Duration::from_millis(1)).as_secs_f64(),
        after - before.1
    );
    engine.stop().await.expect("it stops");
    remove(&path);
}
