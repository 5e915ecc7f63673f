//! How a program tests its own workflow: the real engine, in memory, and a clock that is moved by hand.
//!
//! `cargo run --example test_your_workflow`
#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::time::Duration;

use upline::clock::ManualClock;
use upline::core::Actor;
use upline::{Engine, Handle};

const DESK: &str = "
directory: acme
last-resort: user max
people:
  ann: { mail: ann@example.com }
  bob: { mail: bob@example.com }
  lea: { mail: lea@example.com }
  max: { mail: max@example.com }
groups: { desk: { members: [ann, bob], lead: lea } }
";
const CALL: &str = "
workflow: call
start: asked
ladders:
  climb: [{ after: 15 min, assign: another in desk }, { after: 15 min, assign: lead of desk }]
states:
  asked: { assign: next in desk, escalate: climb, actions: { done: { goto: closed } } }
  closed: { end: done }
";

async fn answerable(handle: &Handle, ticket: &str) -> Result<String, Box<dyn Error>> {
    let explained = handle.explain(ticket).await?;
    let position = explained.positions.first().ok_or("it is nowhere")?;
    Ok(position.answerable.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::at("2026-03-06T09:00:00Z".parse()?);
    let engine = Engine::builder()
        .clock(clock.clone())
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await?;
    let handle = engine.handle();
    let ticket = handle
        .open("call", Actor::Person("max".into()), vec![])
        .await?
        .id;
    for expected in ["ann", "bob", "lea", "max"] {
        assert_eq!(answerable(&handle, &ticket).await?, expected);
        println!("{}: {expected}", clock.now());
        clock.forward(Duration::from_secs(15 * 60));
        handle.settled().await?;
    }
    Ok(engine.stop().await?)
}
