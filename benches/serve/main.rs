//! What the daemon does over HTTP. Callers and daemon share the machine.
//!
//! - `rate`: durable commands a second and how long one takes, by 1, 16 and 128 connections.
//! - `answers`: answers of 128 people a second, with 1,000, 100,000 and a million tickets open.
//! - `latency`: one answer, of one caller and of callers who come by chance.
//! - `idle`: what a million open tickets take while none is due.
//! - `start`: from the start of a process to its first answer, and its size; `UPLINE_BENCH_PROGRAM` names the
//!   program that is meant, such as `target/release/upline`.
//! - `soak`: two hours of a desk's life while one peer in twenty and one caller in twenty do what they must not.
//!   The daemon is a process of its own, so that the memory is its alone.
//!
//! `cargo bench -p upline-daemon --bench serve` runs all but the soak, `-- NAME` only what is named; `cargo test`
//! runs all of it with a few tickets. `UPLINE_BENCH_FOLDER` says where data folders are made; it must be on the
//! disk that is meant. `UPLINE_SOAK_MINUTES` says for how long the soak drives, 120 else.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where its workload is not what it says"
)]

mod answers;
mod desk;
mod idle;
#[path = "../engine/kit.rs"]
#[expect(dead_code, reason = "the engine's benches use more of it")]
mod kit;
mod latency;
mod line;
mod rate;
mod soak;
mod start;

use std::path::PathBuf;

use upline_daemon::tokens::hash;

/// The one of the program `upline`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Some(settings) = std::env::var_os(soak::SETTINGS) {
        return runtime.block_on(soak::daemon(&PathBuf::from(settings)));
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let named: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |name| named.contains(&name) || (named.is_empty() && name != "soak");
    let scale = kit::Scale { measured };
    let clean = runtime.block_on(async {
        if is_wanted("rate") {
            rate::run(scale).await;
        }
        if is_wanted("answers") {
            answers::run(scale).await;
        }
        if is_wanted("latency") {
            latency::run(scale).await;
        }
        if is_wanted("idle") {
            idle::run(scale).await;
        }
        if is_wanted("start") {
            start::run(scale).await;
        }
        match is_wanted("soak") || !measured {
            true => soak::run(measured).await,
            false => true,
        }
    });
    // Peers that hang have threads that nobody waits for.
    runtime.shutdown_background();
    if !clean {
        std::process::exit(1);
    }
}

/// An entry of the file of tokens. The secret is `upl_` and the name.
fn token(name: &str, role: &str, person: &str) -> String {
    let hash = hash(&format!("upl_{name}"));
    let person = match person.is_empty() {
        true => String::new(),
        false => format!("person = \"{person}\"\n"),
    };
    format!("[[token]]\nname = \"{name}\"\nhash = \"{hash}\"\nrole = \"{role}\"\n{person}")
}
