//! Commands a second by connections that stay open.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use upline_daemon::tokens::Tokens;
use upline_daemon::{Daemon, Start};

use crate::token;

/// How many people the desk has.
const PEOPLE: usize = 20;
const ROUNDS: usize = 3;

const CALL: &str = "
workflow: call
start: asked
fields:
  caller: { type: contact, label: Caller }
  problem: { type: text, label: Problem }
ladders:
  climb:
    - { after: 15 min, assign: another in desk }
    - { after: 2 h, assign: lead of desk }
states:
  asked:
    assign: least busy in desk
    escalate: climb
    actions: { accept: { goto: working } }
  working:
    assign: who did accept
    escalate: climb
    actions: { resolve: { goto: closed } }
  closed: { end: done }
";

/// All rounds, or a moment of each.
pub(crate) fn run(runtime: &tokio::runtime::Runtime, measured: bool) {
    let (rounds, time) = match measured {
        true => (ROUNDS, Duration::from_secs(4)),
        false => (1, Duration::from_millis(50)),
    };
    for round in 1..=rounds {
        for callers in [1, 16, 128] {
            let mut took = runtime.block_on(served(callers, time));
            took.sort_unstable();
            let rate = took.len() as f64 / time.as_secs_f64();
            let at = |part: usize| took.get((took.len() * part / 1000).min(took.len() - 1));
            let [p50, p99] =
                [500, 990].map(|part| at(part).expect("an answer").as_secs_f64() * 1e3);
            println!(
                "serve, round {round}: {callers} connections: {rate:.0} commands a second; an answer takes \
                 p50 {p50:.2} ms, p99 {p99:.2} ms"
            );
        }
    }
}

/// How long each command took.
async fn served(callers: usize, time: Duration) -> Vec<Duration> {
    let (daemon, folder) = daemon().await;
    let (address, began) = (daemon.address(), Instant::now());
    let mut all = JoinSet::new();
    for caller in 0..callers {
        all.spawn(async move { day(address, caller, began, time).await });
    }
    let took = all.join_all().await.concat();
    daemon.stop().await.expect("it stops");
    std::fs::remove_dir_all(folder).expect("it is removed");
    took
}

async fn daemon() -> (Daemon, PathBuf) {
    let base = std::env::var_os("UPLINE_BENCH_FOLDER");
    let base = base.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = base.join(format!("upline-bench-serve-{}", std::process::id()));
    let workflows = folder.join("workflows");
    std::fs::create_dir_all(&workflows).expect("a folder");
    let (mut desk, mut tokens) = (String::new(), token("pbx", "integration", ""));
    for one in 0..PEOPLE {
        let id = format!("p{one}");
        desk += &format!("  {id}: {{ name: Agent {id}, mail: {id}@example.com }}\n");
        tokens += &token(&id, "lead", &id);
    }
    let members: Vec<String> = (0..PEOPLE).map(|one| format!("p{one}")).collect();
    let desk = format!(
        "directory: acme\nlast-resort: user p0\npeople:\n{desk}groups:\n  desk: {{ members: [{}], lead: p0 }}\n",
        members.join(", ")
    );
    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");
    write(&workflows.join("desk.yaml"), &desk);
    write(&workflows.join("call.yaml"), CALL);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let start = Start::new(folder.join("data"), workflows, listen);
    let start = start.tokens(Tokens::read(&tokens).expect("tokens"));
    let start = start.requests_per_second(std::num::NonZeroU32::MAX);
    (Daemon::start(start).await.expect("it starts"), folder)
}

/// One caller's day: a ticket is opened, accepted, resolved; the next one.
async fn day(address: SocketAddr, caller: usize, began: Instant, time: Duration) -> Vec<Duration> {
    let mut line = TcpStream::connect(address).await.expect("a connection");
    line.set_nodelay(true).expect("no delay");
    let mut took = Vec::new();
    let mut ticket = 0;
    while began.elapsed() < time {
        ticket += 1;
        let body = "{\"workflow\":\"call\",\"fields\":{\"problem\":\"no dial tone\"}}";
        let key = format!("idempotency-key: {caller}-{ticket}");
        let opened = timed(&mut line, "/v1/tickets", "pbx", &key, body, &mut took).await;
        let id = after(&opened, "\"id\":\"");
        let person = after(&opened, "\"answerable\":\"");
        for action in ["accept", "resolve"] {
            let path = format!("/v1/tickets/{id}/actions/{action}");
            timed(&mut line, &path, person, "if-match: *", "{}", &mut took).await;
        }
    }
    took
}

/// The text behind this, up to the next quotation mark.
fn after<'a>(answer: &'a str, mark: &str) -> &'a str {
    let (_, rest) = answer
        .split_once(mark)
        .expect("an answer tells of the ticket");
    rest.split('"').next().unwrap_or_default()
}

async fn timed(
    line: &mut TcpStream,
    path: &str,
    who: &str,
    header: &str,
    body: &str,
    took: &mut Vec<Duration>,
) -> String {
    let began = Instant::now();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer upl_{who}\r\n{header}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let answer = answer(line).await;
    took.push(began.elapsed());
    assert!(
        answer.starts_with("HTTP/1.1 20"),
        "{path} by {who}: {answer}"
    );
    answer
}

/// An answer as it comes, with its head.
async fn answer(line: &mut TcpStream) -> String {
    let mut bytes = Vec::with_capacity(8192);
    loop {
        let read = line.read_buf(&mut bytes).await.expect("an answer");
        assert!(read > 0, "the daemon has hung up");
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let length: usize = length.expect("its length is told");
        if body.len() >= length {
            return text.into_owned();
        }
    }
}
