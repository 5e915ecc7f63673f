//! Soak: half an hour in which 500 tickets a second are opened; each is answered twice or climbs. Memory and
//! speed must stay as they are.

use std::time::{Duration, Instant};

use crate::kit::{SOON, Scale, act, folder, open, remove, spread, started, status_of_process};

pub(crate) async fn run(scale: Scale) {
    let path = folder("soak");
    let engine = started(&path, SOON).await;
    let handle = engine.handle();
    let minutes = scale.of(30, 1);
    let a_minute = scale.of(30_000, 10);
    let began = Instant::now();
    for minute in 0..minutes {
        let mut set = tokio::task::JoinSet::new();
        for one in 0..a_minute {
            let due = Duration::from_millis(2 * (minute * a_minute + one));
            if began.elapsed() < due {
                tokio::time::sleep_until((began + due).into()).await;
            }
            let handle = handle.clone();
            set.spawn(async move {
                let came = Instant::now();
                let ticket = open(&handle).await;
                let took = came.elapsed();
                // One of three waits until it has climbed.
                if one % 3 == 0 {
                    tokio::time::sleep_until((came + Duration::from_secs(3)).into()).await;
                }
                act(&handle, &ticket, "accept").await;
                act(&handle, &ticket, "resolve").await;
                took
            });
        }
        let all = set.join_all().await;
        let status = handle.status().await.expect("a status");
        println!(
            "soak, minute {}: {} KB of memory, {} tickets open, {} without a person or a clock; openings {}",
            minute + 1,
            status_of_process("VmRSS"),
            status.tickets,
            status.forgotten,
            spread(all)
        );
    }
    engine.stop().await.expect("it stops");
    remove(&path);
}
