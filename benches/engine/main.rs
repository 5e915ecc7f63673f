//! What the engine does on a real disk, beside what the disk itself can do.
//!
//! `cargo bench -p upline --bench engine` prints all workloads but `soak`; `-- NAME ...` only those named:
//! `answers`, `latency`, `open`, `herd`, `late`, `idle`, `disk`, `index`, `soak`. `cargo test` runs each with a few
//! tickets. `UPLINE_BENCH_FOLDER` says where data folders are made; it must be on the disk that is meant.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where its workload is not what it says"
)]

mod answers;
mod disk;
mod herd;
mod idle;
mod index;
mod kit;
mod late;
mod latency;
mod open;
mod soak;

use kit::Scale;

/// The one of the program `upline`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // A caller that panics is a bench whose workload is not what it says.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        std::process::exit(101);
    }));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let scale = Scale {
        measured: arguments.iter().any(|argument| argument == "--bench"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    if let Some(job) = open::Job::of_child() {
        return runtime.block_on(open::child(job));
    }
    let named: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |name| named.contains(&name) || (named.is_empty() && name != "soak");
    runtime.block_on(async {
        if is_wanted("answers") {
            answers::run(scale).await;
        }
        if is_wanted("latency") {
            latency::run(scale).await;
        }
        if is_wanted("open") {
            open::run(scale).await;
        }
        if is_wanted("herd") {
            herd::run(scale).await;
        }
        if is_wanted("late") {
            late::run(scale).await;
        }
        if is_wanted("idle") {
            idle::run(scale).await;
        }
        if is_wanted("disk") {
            disk::run(scale).await;
        }
        if is_wanted("index") {
            index::run(scale).await;
        }
        if is_wanted("soak") || !scale.measured {
            soak::run(scale).await;
        }
    });
}
