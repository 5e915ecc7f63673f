//! Durable commands a second by connections that stay open: each opens, accepts and resolves tickets one after
//! the other.

use std::time::Instant;

use crate::desk::{acting, daemon, give, opening};
use crate::kit::{QUARTER, Scale, everybody, limit, remove, spread};
use crate::line::Lines;

pub(crate) async fn run(scale: Scale) {
    for round in 1..=scale.of(3, 1) {
        let can = limit(scale.seconds(2.0));
        println!("rate, round {round}: the disk syncs {can:.0} appends of 4 KiB a second");
        for callers in [1, 16, 128] {
            let (daemon, folder) = daemon("rate", QUARTER).await;
            let (address, began) = (daemon.address(), Instant::now());
            let time = scale.seconds(4.0);
            let day = |caller| async move {
                // A caller has one connection.
                let (lines, mut took, mut tickets) = (Lines::to(address), Vec::new(), 0);
                while began.elapsed() < time {
                    tickets += 1;
                    let came = Instant::now();
                    let ticket = give(&lines, &opening(&format!("{caller}-{tickets}"))).await;
                    took.push(came.elapsed());
                    let id = ticket["id"].as_str().expect("its id").to_owned();
                    let person = ticket["positions"][0]["answerable"].as_str();
                    let person = person.expect("somebody is answerable");
                    for action in ["accept", "resolve"] {
                        let came = Instant::now();
                        give(&lines, &acting(&id, action, person)).await;
                        took.push(came.elapsed());
                    }
                }
                took
            };
            let took = everybody(callers, day).await.concat();
            println!(
                "rate, round {round}: {callers} connections: {:.0} commands a second; an answer takes {}",
                took.len() as f64 / began.elapsed().as_secs_f64(),
                spread(took)
            );
            daemon.stop().await.expect("it stops");
            remove(&folder);
        }
    }
}
