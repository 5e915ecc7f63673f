//! What the daemon does over HTTP.
//!
//! - `rate`: durable commands a second and how long one takes, by 1, 16 and 128 connections that stay open, each
//!   of which opens, accepts and resolves tickets one after the other. Callers and daemon share the machine.
//! - `soak`: two hours of a desk's life while one peer in twenty and one caller in twenty do what they must not.
//!   The daemon is a process of its own, so that the memory is its alone.
//!
//! `cargo bench -p upline-daemon --bench serve` prints the first, `-- soak` the second; `cargo test` runs both
//! with a few tickets. `UPLINE_BENCH_FOLDER` says where data folders are made; it must be on the disk that is
//! meant. `UPLINE_SOAK_MINUTES` says for how long the soak drives, 120 else.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where its workload is not what it says"
)]

mod line;
mod rate;
mod soak;

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
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    if !measured || named("rate") || !named("soak") {
        rate::run(&runtime, measured);
    }
    let clean = match !measured || named("soak") {
        true => runtime.block_on(soak::run(measured)),
        false => true,
    };
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
