//! Many open tickets: how fast people are answered among them, what they take of memory and disk, and how
//! long a start takes after the process was killed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use upline::core::Name;
use upline::{Engine, Handle};

use crate::kit::{
    LATER, Numbers, Scale, act, everybody, fill, folder, ids, remove, size, started,
    status_of_process,
};

/// What a child of this process does.
pub(crate) enum Job {
    /// Opens tickets, answers, and then goes on answering until it is killed.
    Work(PathBuf, u64),
    /// Starts on what is there, and answers once.
    Start(PathBuf),
}

const VARIABLE: &str = "UPLINE_BENCH_CHILD";

impl Job {
    pub(crate) fn of_child() -> Option<Self> {
        let job = std::env::var(VARIABLE).ok()?;
        let (count, path) = job.split_once(' ')?;
        Some(match count.parse().ok()? {
            0 => Self::Start(path.into()),
            count => Self::Work(path.into(), count),
        })
    }
}

fn spawn(path: &Path, count: u64, scale: Scale) -> (Child, BufReader<std::process::ChildStdout>) {
    let own = std::env::current_exe().expect("this program");
    let mut command = Command::new(own);
    command.env(VARIABLE, format!("{count} {}", path.display()));
    if scale.measured {
        command.arg("--bench");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a child");
    let out = child.stdout.take().expect("its output");
    (child, BufReader::new(out))
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line of the child");
    line.trim().to_owned()
}

pub(crate) async fn run(scale: Scale) {
    for count in [
        scale.of(1_000, 20),
        scale.of(100_000, 50),
        scale.of(1_000_000, 100),
    ] {
        let path = folder("open");
        let (mut child, mut out) = spawn(&path, count, scale);
        println!("open, {count}: {}", line(&mut out));
        println!("open, {count}: {}", line(&mut out));
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        println!(
            "open, {count}: {:.0} bytes on disk for each",
            size(&path) as f64 / count as f64
        );
        for _ in 0..scale.of(3, 1) {
            let began = Instant::now();
            let (mut child, mut out) = spawn(&path, 0, scale);
            let said = line(&mut out);
            println!(
                "open, {count}: after SIGKILL, {:.2} s from the start of the process to the first durable \
                 answer; {said}",
                began.elapsed().as_secs_f64()
            );
            child.kill().expect("it is killed");
            child.wait().expect("it ends");
        }
        remove(&path);
    }
}

pub(crate) async fn child(job: Job) {
    match job {
        Job::Start(path) => {
            let engine = Engine::builder().folder(path).expect("a data folder");
            let engine = engine.start().await.expect("it starts");
            crate::kit::open(&engine.handle()).await;
            say(&format!("{} KB of memory then", status_of_process("VmRSS")));
            std::future::pending().await
        }
        Job::Work(path, count) => {
            let engine = started(&path, LATER).await;
            let handle = engine.handle();
            let began = Instant::now();
            fill(&handle, count).await;
            say(&format!(
                "{:.0} opened a second by 1,024 callers; {} KB of memory",
                count as f64 / began.elapsed().as_secs_f64(),
                status_of_process("VmRSS")
            ));
            let tickets = ids(&handle, usize::try_from(count).expect("a count")).await;
            let full = std::env::args().any(|argument| argument == "--bench");
            let time = Scale { measured: full }.seconds(8.0);
            let (rate, callers) = answers(&handle, &tickets, time).await;
            say(&format!(
                "{rate:.0} answers a second by {callers} callers, each at tickets by chance; {} KB of memory",
                status_of_process("VmRSS")
            ));
            // Until the end comes without warning.
            answers(&handle, &tickets, Duration::from_secs(3600)).await;
        }
    }
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("the parent listens");
}

/// Each caller has tickets of his own, and takes one of them by chance: accepted, and handed back.
async fn answers(handle: &Handle, tickets: &[Name], time: Duration) -> (f64, usize) {
    let callers = tickets.len().min(128);
    let share = tickets.len() / callers;
    let began = Instant::now();
    let done = everybody(callers as u64, |caller| {
        let handle = handle.clone();
        let own = tickets[caller as usize * share..][..share].to_vec();
        async move {
            let (mut numbers, mut done) = (Numbers(caller), 0_u64);
            while began.elapsed() < time {
                let ticket = &own[(numbers.next() % own.len() as u64) as usize];
                act(&handle, ticket, "accept").await;
                act(&handle, ticket, "hand-back").await;
                done += 2;
            }
            done
        }
    });
    let rate = done.await.iter().sum::<u64>() as f64 / began.elapsed().as_secs_f64();
    (rate, callers)
}
