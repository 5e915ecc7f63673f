//! Callers that misbehave: they send half a request, nonsense, or go before the answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Shared;
use super::drive::World;
use crate::line::{Request, answer};

/// How long half a request is left standing.
const STANDS: Duration = Duration::from_secs(2);

/// Bodies that are not what a ticket is opened with.
const BODIES: [&str; 6] = [
    "{\"workflow\":",
    "\u{0}\u{1}\u{2}",
    "[]",
    "{\"workflow\":\"call-0\",\"fields\":{\"no-such\":7}}",
    "{\"workflow\":\"no-such\",\"fields\":{}}",
    "{\"workflow\":\"call-0\",\"feilds\":{}}",
];

/// What the caller of that number does; nobody waits for it.
pub(super) fn act(world: &Shared, number: usize) {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        let done = match number % 6 {
            1 => half(&world).await,
            3 => nonsense(&world, number / 6).await,
            5 => noise(&world).await,
            // Its turn is to go before an answer: see [`drop_the_answer`].
            _ => Ok(()),
        };
        if let Err(error) = done {
            world.tally.count(format!("rude callers: {error}"));
        }
    });
}

/// Gives a command and goes before it has read the answer: at once, so that the daemon may not even have begun,
/// or when the answer is there, so that all is done and nobody knows.
pub(super) async fn drop_the_answer(world: &World, request: &Request, at_once: bool) {
    world.tally.count(match at_once {
        true => "rude callers: gone at once",
        false => "rude callers: gone without reading the answer",
    });
    // One that can't even connect has gone too.
    let Ok(mut line) = world.lines.fresh().await else {
        return;
    };
    let sent = line.write_all(&request.bytes()).await.is_ok();
    if sent && !at_once {
        let _ = tokio::time::timeout(STANDS, line.readable()).await;
    }
}

fn opening(body: &str) -> Request {
    Request {
        method: "POST",
        path: "/v1/tickets".to_owned(),
        who: "pbx".to_owned(),
        headers: "idempotency-key: rude\r\n".to_owned(),
        body: body.to_owned(),
    }
}

/// An opening that would be good, of which half the body comes.
async fn half(world: &World) -> std::io::Result<()> {
    let body = "{\"workflow\":\"call-0\",\"fields\":{\"problem\":\"half\"}}";
    let bytes = opening(body).bytes();
    let mut line = world.lines.fresh().await?;
    line.write_all(&bytes[..bytes.len() - body.len() / 2])
        .await?;
    world.tally.count("rude callers: half a request");
    let mut answered = [0; 1];
    let read = tokio::time::timeout(STANDS, line.read(&mut answered)).await;
    if matches!(read, Ok(Ok(1))) {
        world.tally.wrong("half a request was answered");
    }
    Ok(())
}

async fn nonsense(world: &World, number: usize) -> std::io::Result<()> {
    let answer = world
        .lines
        .ask(&opening(BODIES[number % BODIES.len()]))
        .await?;
    let code = answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let (status, text) = (answer.status, answer.text());
    world
        .tally
        .count(format!("rude callers: nonsense is {status} {code}"));
    if !(400..=422).contains(&status) && status != 503 || code.is_empty() {
        world
            .tally
            .wrong(format!("nonsense is answered {status}: {text}"));
    }
    Ok(())
}

/// What is not HTTP.
async fn noise(world: &World) -> std::io::Result<()> {
    let mut line = world.lines.fresh().await?;
    line.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")
        .await?;
    world.tally.count("rude callers: noise");
    if let Ok(Ok((answer, _))) = tokio::time::timeout(STANDS, answer(&mut line)).await
        && answer.status != 400
    {
        let status = answer.status;
        world.tally.wrong(format!("noise is answered {status}"));
    }
    Ok(())
}
