//! A store round another store: counts what every commit costs, and hands everything on.
//!
//! `cargo run --example custom_store`
#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use upline::Engine;
use upline::core::Actor;
use upline::record::{Commit, Number, Record};
use upline::store::{Batch, MemoryStore, Recovered, Store, StoreError};

const DESK: &str = "
directory: acme
last-resort: user max
people: { ann: { mail: ann@example.com }, max: { mail: max@example.com } }
";
const CALL: &str = "
workflow: call
start: asked
ladders: { climb: [{ after: 15 min, assign: user max }] }
states:
  asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
  closed: { end: done }
";

/// Counts commits.
struct Counted<S> {
    inner: S,
    commits: Arc<AtomicU64>,
}

impl<S: Store> Store for Counted<S> {
    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.inner.commit(batch)
    }

    fn recover(&mut self, each: &mut upline::store::Show<'_>) -> Result<Recovered, StoreError> {
        self.inner.recover(each)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.inner.make_room()
    }

    fn next_position(&self) -> u64 {
        self.inner.next_position()
    }

    fn new_key(&mut self) -> Result<u32, StoreError> {
        self.inner.new_key()
    }

    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        self.inner.ticket(number)
    }

    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        self.inner.read(position)
    }

    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError> {
        self.inner.destroy_key(key)
    }

    fn between_commits(&mut self, known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        self.inner.between_commits(known)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let commits = Arc::new(AtomicU64::new(0));
    let store = Counted {
        inner: MemoryStore::new(),
        commits: Arc::clone(&commits),
    };
    let engine = Engine::builder()
        .store(store)
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await?;
    let handle = engine.handle();
    for _ in 0..3 {
        handle
            .open("call", Actor::Person("max".into()), vec![])
            .await?;
    }
    handle.settled().await?;
    engine.stop().await?;
    let commits = commits.load(Ordering::Relaxed);
    println!("three tickets were opened and their people told in {commits} commits");
    Ok(())
}
