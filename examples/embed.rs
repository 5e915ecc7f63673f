//! An engine in a few lines: a ticket is kept in a folder, and somebody acts on it.
//!
//! `cargo run --example embed`
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it shows what it does"
)]

use std::error::Error;

use upline::core::Actor;
use upline::{Engine, Incident};

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("upline-embed-{}", std::process::id()));
    let engine = Engine::builder()
        .folder(&folder)?
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .on_incident(|incident: Incident| eprintln!("{incident:?}"))
        .start()
        .await?;
    let handle = engine.handle();
    let opened = handle
        .open("call", Actor::Person("max".into()), vec![])
        .await?;
    let who = handle.explain(&opened.id).await?;
    println!(
        "ticket {} is with {}",
        opened.id, who.positions[0].answerable
    );
    handle
        .act(&opened.id, Actor::Person("ann".into()), "done")
        .await?;
    engine.stop().await?;
    Ok(std::fs::remove_dir_all(folder)?)
}
