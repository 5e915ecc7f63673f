//! How long one answer takes: of one caller, and of callers who come by chance at half of the peak. Counted
//! from when a caller comes, not from when he is let in.

use std::time::{Duration, Instant};

use upline::Handle;
use upline::core::Name;

use crate::kit::{
    QUARTER, Scale, act, arrivals, everybody, fill, folder, followed, ids, limit, remove, spread,
    started,
};

pub(crate) async fn run(scale: Scale) {
    let path = folder("latency");
    let engine = started(&path, QUARTER).await;
    let handle = engine.handle();
    fill(&handle, scale.of(20_000, 64)).await;
    let tickets = ids(&handle, scale.of(20_000, 64) as usize).await;
    let can = limit(scale.seconds(2.0));
    println!("latency: one sync of the disk takes {:.2} ms", 1000.0 / can);
    let alone = one_after_the_other(&handle, &tickets, scale.seconds(10.0)).await;
    println!("latency: one caller: {}", spread(alone));
    let peak = peak(&handle, &tickets, scale.seconds(4.0)).await;
    followed(&handle).await;
    let by_chance = by_chance(&handle, &tickets, peak / 2.0, scale.seconds(10.0)).await;
    println!(
        "latency: by chance, {:.0} a second (half of the peak): {}",
        peak / 2.0,
        spread(by_chance)
    );
    engine.stop().await.expect("it stops");
    remove(&path);
}

const TURN: [&str; 2] = ["accept", "hand-back"];

async fn one_after_the_other(handle: &Handle, tickets: &[Name], time: Duration) -> Vec<Duration> {
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        for action in TURN {
            let came = Instant::now();
            act(handle, &tickets[all.len() / 2 % tickets.len()], action).await;
            all.push(came.elapsed());
        }
    }
    all
}

async fn peak(handle: &Handle, tickets: &[Name], time: Duration) -> f64 {
    let callers = tickets.len().min(128);
    let began = Instant::now();
    let done = everybody(callers as u64, |caller| {
        let handle = handle.clone();
        let share = tickets.len() / callers;
        let own = tickets[caller as usize * share..][..share].to_vec();
        async move {
            let mut done = 0;
            while began.elapsed() < time {
                for action in TURN {
                    act(&handle, &own[done / 2 % own.len()], action).await;
                    done += 1;
                }
            }
            done as u64
        }
    });
    done.await.iter().sum::<u64>() as f64 / began.elapsed().as_secs_f64()
}

/// Each comes to a ticket of its own; a ticket comes again only long after.
async fn by_chance(handle: &Handle, tickets: &[Name], rate: f64, time: Duration) -> Vec<Duration> {
    arrivals(rate, time, |count| {
        let handle = handle.clone();
        let ticket = tickets[count % tickets.len()].clone();
        let action = TURN[count / tickets.len() % 2];
        async move { act(&handle, &ticket, action).await }
    })
    .await
}
