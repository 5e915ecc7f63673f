//! How long one answer takes: of one caller, and of callers who come by chance at half of the peak. Counted
//! from when a caller comes, not from when he is let in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use upline::core::Name;

use crate::desk::{acting, daemon, give};
use crate::kit::{QUARTER, Scale, arrivals, everybody, fill, followed, ids, limit, remove, spread};
use crate::line::Lines;

const TURN: [&str; 2] = ["accept", "hand-back"];

pub(crate) async fn run(scale: Scale) {
    let (daemon, folder) = daemon("latency", QUARTER).await;
    let handle = daemon.handle();
    let count = scale.of(20_000, 64);
    fill(&handle, count).await;
    let tickets: Arc<[Name]> = ids(&handle, count as usize).await.into();
    let lines = Arc::new(Lines::to(daemon.address()));
    for round in 1..=scale.of(3, 1) {
        followed(&handle).await;
        let can = limit(scale.seconds(2.0));
        println!(
            "latency, round {round}: one sync of the disk takes {:.2} ms",
            1000.0 / can
        );
        let alone = one_after_the_other(&lines, &tickets, scale.seconds(10.0)).await;
        println!("latency, round {round}: one caller: {}", spread(alone));
        let peak = peak(&lines, &tickets, scale.seconds(4.0)).await;
        followed(&handle).await;
        let by_chance = by_chance(&lines, &tickets, peak / 2.0, scale.seconds(10.0)).await;
        println!(
            "latency, round {round}: by chance, {:.0} a second (half of the peak): {}",
            peak / 2.0,
            spread(by_chance)
        );
    }
    daemon.stop().await.expect("it stops");
    remove(&folder);
}

async fn one_after_the_other(lines: &Lines, tickets: &[Name], time: Duration) -> Vec<Duration> {
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        for action in TURN {
            let came = Instant::now();
            give(
                lines,
                &acting(&tickets[all.len() / 2 % tickets.len()], action, "max"),
            )
            .await;
            all.push(came.elapsed());
        }
    }
    all
}

async fn peak(lines: &Arc<Lines>, tickets: &Arc<[Name]>, time: Duration) -> f64 {
    let callers = tickets.len().min(128);
    let (began, share) = (Instant::now(), tickets.len() / callers);
    let done = everybody(callers as u64, |caller| {
        let (lines, tickets) = (Arc::clone(lines), Arc::clone(tickets));
        async move {
            let own = &tickets[caller as usize * share..][..share];
            let mut done = 0;
            while began.elapsed() < time {
                for action in TURN {
                    give(&lines, &acting(&own[done / 2 % own.len()], action, "max")).await;
                    done += 1;
                }
            }
            done as u64
        }
    });
    done.await.iter().sum::<u64>() as f64 / began.elapsed().as_secs_f64()
}

/// Each comes to a ticket of its own; a ticket comes again only long after.
async fn by_chance(
    lines: &Arc<Lines>,
    tickets: &Arc<[Name]>,
    rate: f64,
    time: Duration,
) -> Vec<Duration> {
    let (lines, tickets) = (Arc::clone(lines), Arc::clone(tickets));
    arrivals(rate, time, move |count| {
        let (lines, ticket) = (Arc::clone(&lines), tickets[count % tickets.len()].clone());
        let action = TURN[count / tickets.len() % 2];
        async move {
            give(&lines, &acting(&ticket, action, "max")).await;
        }
    })
    .await
}
