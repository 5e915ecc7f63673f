//! The engine on a real disk, in what a machine, a network and people do to it. What is told of a simulated
//! disk is in the simulator and in the store's own tests.

mod disk;
mod folders;
mod moved;
mod people;
mod poison;
mod time;

use std::path::Path;
use std::sync::Mutex;

use upline_core::Ticket;

use super::*;
use crate::clock::ManualClock;
use crate::kit::told::Told;
use crate::kit::{CALL, DESK, begin, person};

type Heard = Arc<Mutex<Vec<Incident>>>;

/// An engine on a folder, without an index, with the usual desk.
async fn on(folder: &Path, clock: &ManualClock, heard: &Heard) -> Engine {
    let store = LogStore::open(real(folder), options(), system_entropy()).unwrap();
    with(Engine::builder().store(store), clock, heard).await
}

/// The same, of a builder.
async fn with(builder: Builder, clock: &ManualClock, heard: &Heard) -> Engine {
    let heard = Arc::clone(heard);
    builder
        .clock(clock.clone())
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .on_incident(move |incident| heard.lock().unwrap().push(incident))
        .start()
        .await
        .unwrap()
}

fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 64 << 10,
        ..LogOptions::default()
    }
}

fn real(folder: &Path) -> Arc<RealDisk> {
    Arc::new(RealDisk::new(folder))
}

async fn open(handle: &Handle) -> Result<crate::floor::Done, Error> {
    let fields = vec![("caller".into(), "Mr Low".into())];
    handle.open("call", person("max"), fields).await
}

async fn ticket(handle: &Handle, id: &str) -> Ticket {
    handle.ticket(id).await.unwrap().unwrap()
}

async fn holder(handle: &Handle, id: &str) -> String {
    let ticket = ticket(handle, id).await;
    ticket.answerable().next().unwrap().1.to_string()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
