//! `upline-sim`: plays seeds or plans and says what went wrong.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use upline_simulator::{Counters, Home, Outcome, Plan, every, generate, play, shrink};

/// Each so-manieth seed is played twice and compared, and as often against the store in memory.
const TWICE: u64 = 50;

/// Plays tickets with crashes, faults and wrong clocks, and looks for anything forgotten.
#[derive(Parser)]
#[command(version, about)]
struct Options {
    /// Seeds to play, as FROM..TO.
    #[arg(long, value_parser = range, default_value = "0..1000")]
    seeds: (u64, u64),
    /// A plan to play instead.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Print everything that is seen (with one plan or seed).
    #[arg(long)]
    trace: bool,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Where the shrunken plan of a failing seed is written.
    #[arg(long, default_value = "crates/simulator/plans")]
    keep: PathBuf,
    /// Stop at the first failure without shrinking it: for planted bugs.
    #[arg(long)]
    quick: bool,
    /// Of so many of the seeds' plans, strike each operation of the disk with each fault.
    #[arg(long, default_value_t = 0)]
    every: u64,
    /// Fail if something that must happen has not.
    #[arg(long)]
    counters: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text} is not FROM..TO");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    Ok((number(from)?, number(to)?))
}

/// What the workers have in common.
struct Shared {
    next: AtomicU64,
    end: u64,
    stop: AtomicBool,
    failures: Mutex<Vec<(u64, String)>>,
    counters: Mutex<Counters>,
    steps: AtomicU64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A pipe that is closed is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn run(options: &Options) -> Result<bool, String> {
    if let Some(path) = &options.plan {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let plan: Plan = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        return Ok(one(&plan, options.trace));
    }
    let (from, to) = options.seeds;
    if options.trace && to == from + 1 {
        return Ok(one(&generate::plan(from), true));
    }
    seeds(options)
}

fn one(plan: &Plan, trace: bool) -> bool {
    let outcome = play(plan, Home::disk(plan), trace);
    if trace {
        say(&outcome.trace);
    }
    match outcome.failure {
        Some(failure) => {
            say(&format!("FAILED at {failure}"));
            false
        }
        None => {
            say(&format!("fine, {} commits", outcome.head.1));
            true
        }
    }
}

fn seeds(options: &Options) -> Result<bool, String> {
    let began = Instant::now();
    let (from, to) = options.seeds;
    let shared = Shared {
        next: AtomicU64::new(from),
        end: to,
        stop: AtomicBool::new(false),
        failures: Mutex::default(),
        counters: Mutex::default(),
        steps: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| worker(&shared, options.quick));
        }
    });
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    let played = shared.next.load(Ordering::Relaxed).min(to) - from;
    let counters = shared.counters.into_inner().map_err(|_| "a worker died")?;
    let mut failures = shared.failures.into_inner().map_err(|_| "a worker died")?;
    failures.sort();
    for (what, times) in counters.iter() {
        say(&format!("  {what:34} {times}"));
    }
    say(&format!(
        "{played} seeds in {seconds:.1} s, {:.0} a minute; {} steps; {} failed",
        played as f64 * 60.0 / seconds,
        shared.steps.load(Ordering::Relaxed),
        failures.len()
    ));
    for (seed, wrong) in failures.iter().take(20) {
        say(&format!("seed {seed}: {wrong}"));
    }
    if let Some((seed, _)) = failures.first().filter(|_| !options.quick) {
        keep(options, *seed)?;
    }
    if !every(options)? {
        return Ok(false);
    }
    let missing = counters.missing();
    if options.counters && !missing.is_empty() {
        say(&format!("never happened: {}", missing.join(", ")));
        return Ok(false);
    }
    Ok(failures.is_empty())
}

/// Each fault at each operation.
fn every(options: &Options) -> Result<bool, String> {
    let (from, to) = options.seeds;
    for seed in from..to.min(from.saturating_add(options.every)) {
        match every::operation(&generate::plan(seed), u64::MAX, 1) {
            Ok(played) => say(&format!("seed {seed}: {played} times struck, all fine")),
            Err(failed) => {
                let (plan, failure) = *failed;
                say(&format!("seed {seed}, {:?}: {failure}", plan.steps[0]));
                write(options, &format!("every-{seed}"), &plan)?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn keep(options: &Options, seed: u64) -> Result<(), String> {
    let plan = generate::plan(seed);
    write(options, &format!("seed-{seed}"), &plan)
}

/// Shrinks a failing plan and writes it down.
fn write(options: &Options, name: &str, plan: &Plan) -> Result<(), String> {
    let plan = shrink::smallest(plan);
    let failure = shrink::on_disk(&plan).failure;
    let path = options.keep.join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(&plan).map_err(|error| error.to_string())?;
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    say(&format!(
        "shrunk to {} steps in {}: {}",
        plan.steps.len(),
        path.display(),
        failure
            .map(|failure| failure.to_string())
            .unwrap_or_default()
    ));
    Ok(())
}

fn worker(shared: &Shared, quick: bool) {
    let mut counters = Counters::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        if seed >= shared.end {
            break;
        }
        let plan = generate::plan(seed);
        let steps = plan.steps.len() as u64;
        shared.steps.fetch_add(steps, Ordering::Relaxed);
        let outcome = checked(seed, &plan);
        counters.merge(&outcome.counters);
        if let Some(failure) = outcome.failure {
            if let Ok(mut failures) = shared.failures.lock() {
                failures.push((seed, failure.to_string()));
            }
            if quick {
                shared.stop.store(true, Ordering::Relaxed);
            }
        }
    }
    if let Ok(mut all) = shared.counters.lock() {
        all.merge(&counters);
    }
}

/// Plays a plan; some twice, which must be the same, and some in memory too.
fn checked(seed: u64, plan: &Plan) -> Outcome {
    if seed % TWICE != TWICE - 1 {
        return play(plan, Home::disk(plan), false);
    }
    let mut outcome = upline_simulator::twice(plan);
    if outcome.failure.is_none() {
        outcome.failure = upline_simulator::both_stores(plan).err();
    }
    outcome
}
