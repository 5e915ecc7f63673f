//! Answers by people among many open tickets: 128 connections, each of which accepts a ticket by chance and
//! hands it back, again and again.

use std::time::Instant;

use upline_daemon::Daemon;

use crate::desk::{acting, daemon, give};
use crate::kit::{LATER, Numbers, Scale, everybody, fill, followed, ids, remove, spread};
use crate::line::Lines;

const CALLERS: usize = 128;

pub(crate) async fn run(scale: Scale) {
    let (daemon, folder) = daemon("answers", LATER).await;
    let mut open = 0;
    for count in [
        scale.of(1_000, 20),
        scale.of(100_000, 30),
        scale.of(1_000_000, 40),
    ] {
        fill(&daemon.handle(), count - open).await;
        open = count;
        followed(&daemon.handle()).await;
        for round in 1..=scale.of(3, 1) {
            println!(
                "answers, {count} open, round {round}: {}",
                answered(&daemon, scale).await
            );
            followed(&daemon.handle()).await;
        }
    }
    daemon.stop().await.expect("it stops");
    remove(&folder);
}

async fn answered(daemon: &Daemon, scale: Scale) -> String {
    let tickets = ids(&daemon.handle(), usize::MAX).await;
    let callers = tickets.len().min(CALLERS);
    let share = tickets.len() / callers;
    let (address, time) = (daemon.address(), scale.seconds(6.0));
    let began = Instant::now();
    let took = everybody(callers as u64, |caller| {
        let own = tickets[caller as usize * share..][..share].to_vec();
        async move {
            let (lines, mut numbers, mut took) = (Lines::to(address), Numbers(caller), Vec::new());
            while began.elapsed() < time {
                let ticket = &own[(numbers.next() % own.len() as u64) as usize];
                for action in ["accept", "hand-back"] {
                    let came = Instant::now();
                    give(&lines, &acting(ticket, action, "max")).await;
                    took.push(came.elapsed());
                }
            }
            took
        }
    });
    let took = took.await.concat();
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    format!(
        "{rate:.0} answers a second by {callers} callers; one takes {}",
        spread(took)
    )
}
