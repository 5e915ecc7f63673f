//! From the start of a process to its first durable answer, on an empty folder; how large the program is, and
//! what it has in memory when it is empty.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::desk::{give, opening, write};
use crate::kit::{LATER, Scale, folder, limit, remove};
use crate::line::Lines;
use crate::soak::{SETTINGS, free_port, resident};

/// The program that is measured. Without it this program is, as the daemon that the soak starts.
const PROGRAM: &str = "UPLINE_BENCH_PROGRAM";

pub(crate) async fn run(scale: Scale) {
    let program = std::env::var_os(PROGRAM).map(PathBuf::from);
    let own = std::env::current_exe().expect("this program");
    let size = std::fs::metadata(program.as_ref().unwrap_or(&own)).expect("the program");
    let named = match &program {
        Some(_) => "",
        None => ", which is this bench, not stripped: UPLINE_BENCH_PROGRAM names another one",
    };
    println!(
        "start: the program has {:.1} MB{named}",
        size.len() as f64 / 1e6
    );
    let can = limit(scale.seconds(2.0));
    println!("start: one sync of the disk takes {:.2} ms", 1000.0 / can);
    let mut all: Vec<(Duration, f64)> = Vec::new();
    for _ in 0..scale.of(20, 1) {
        all.push(once(program.as_deref(), scale.seconds(5.0)).await);
    }
    all.sort_unstable_by_key(|(took, _)| *took);
    let of = |index: usize| all[index].0.as_secs_f64() * 1000.0;
    let most = all.iter().map(|(_, memory)| *memory).fold(0.0, f64::max);
    println!(
        "start: to the first durable answer: median {:.0} ms, {:.0} to {:.0} ms of {}; then {most:.0} KB of memory at most",
        of(all.len() / 2),
        of(0),
        of(all.len() - 1),
        all.len()
    );
}

/// One start: when the first ticket was answered, and the memory of the process after it has rested.
async fn once(program: Option<&Path>, rest: Duration) -> (Duration, f64) {
    let folder = folder("start");
    write(&folder, LATER);
    let port = free_port();
    let settings = folder.join("upline.toml");
    let text = format!(
        "data = \"data\"\nworkflows = \"workflows\"\ntokens = \"tokens.toml\"\nlog = \"warn\"\n\
         listen = \"127.0.0.1:{port}\"\n"
    );
    std::fs::write(&settings, text).expect("a file");
    let began = Instant::now();
    let mut daemon = started(program, &settings);
    let lines = Lines::to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let mut beat = tokio::time::interval(Duration::from_millis(1));
    while lines.fresh().await.is_err() {
        beat.tick().await;
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it does not listen"
        );
    }
    give(&lines, &opening("first")).await;
    let took = began.elapsed();
    tokio::time::sleep_until((Instant::now() + rest).into()).await;
    let memory = resident(daemon.id()).expect("it runs");
    daemon.kill().expect("it is killed");
    daemon.wait().expect("it ends");
    remove(&folder);
    (took, memory)
}

fn started(program: Option<&Path>, settings: &Path) -> Child {
    let mut command = match program {
        Some(program) => Command::new(program),
        None => Command::new(std::env::current_exe().expect("this program")),
    };
    match program {
        Some(_) => command.args(["serve", "--config"]).arg(settings),
        None => command.env(SETTINGS, settings),
    };
    command
        .stdin(Stdio::null())
        .spawn()
        .expect("the daemon starts")
}
