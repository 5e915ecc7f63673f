//! A notifier of one's own: prints what a pager would be sent, and is busy at first.
//!
//! `cargo run --example custom_notifier`
#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use upline::Engine;
use upline::clock::ManualClock;
use upline::core::Actor;
use upline::notify::{Message, Notifier, SendError, Sending};

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

/// A pager whose line is engaged at the first call.
#[derive(Default)]
struct Pager {
    calls: AtomicU32,
}

impl Notifier for Pager {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move {
            if self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err(SendError::Temporary {
                    reason: "the line is engaged".into(),
                    after: Some(Duration::from_secs(10)),
                });
            }
            // The key is the same for every try: a pager that knows it shows the message once.
            println!(
                "{}: {:?} for {}",
                message.key,
                message.topic,
                message.to.name()
            );
            Ok(())
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::at("2026-03-06T09:00:00Z".parse()?);
    let engine = Engine::builder()
        .clock(clock.clone())
        .notifier(Pager::default())
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await?;
    let handle = engine.handle();
    handle
        .open("call", Actor::Person("max".into()), vec![])
        .await?;
    // The line is free again after some seconds; after a quarter of an hour it is max's turn.
    for seconds in [15, 15 * 60] {
        handle.settled().await?;
        clock.forward(Duration::from_secs(seconds));
    }
    handle.settled().await?;
    Ok(engine.stop().await?)
}
