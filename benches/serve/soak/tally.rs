//! What is counted, and what was wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::peers::Peers;

/// How many things that are wrong are told of in full.
const MAX_TOLD: usize = 40;

/// All counts of a soak.
#[derive(Default)]
pub(super) struct Tally {
    counts: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<(u64, Vec<String>)>,
    /// How long commands took since the last line, and all of them, in microseconds.
    took: Mutex<(Vec<u32>, Vec<u32>)>,
}

impl Tally {
    pub(super) fn count(&self, what: impl Into<String>) {
        self.add(what, 1);
    }

    pub(super) fn add(&self, what: impl Into<String>, number: u64) {
        *lock(&self.counts).entry(what.into()).or_default() += number;
    }

    /// How often that was counted.
    pub(super) fn of(&self, what: &str) -> u64 {
        lock(&self.counts).get(what).copied().unwrap_or_default()
    }

    /// Something is not as it must be.
    pub(super) fn wrong(&self, what: impl Into<String>) {
        let mut wrong = lock(&self.wrong);
        wrong.0 += 1;
        if wrong.1.len() < MAX_TOLD {
            let what = what.into();
            println!("soak: WRONG: {what}");
            wrong.1.push(what);
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        lock(&self.wrong).0 == 0
    }

    pub(super) fn took(&self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        lock(&self.took).0.push(micros);
    }

    /// The median and the worst of a hundred since the last call, in milliseconds.
    pub(super) fn spread(&self) -> String {
        let mut took = lock(&self.took);
        let mut lately = std::mem::take(&mut took.0);
        let told = spread(&mut lately);
        took.1.append(&mut lately);
        told
    }

    /// Prints it all; whether nothing was wrong.
    pub(super) fn report(&self, peers: &Peers) -> bool {
        self.spread();
        println!("\nsoak: commands took {}", spread(&mut lock(&self.took).1));
        for (what, count) in &*lock(&self.counts) {
            println!("  {count:>9}  {what}");
        }
        println!("soak: what peers did wrong");
        for (what, count) in peers.faults() {
            println!("  {count:>9}  {what}");
        }
        let wrong = lock(&self.wrong);
        match wrong.0 {
            0 => println!("soak: nothing was wrong"),
            count => println!("soak: {count} things were wrong"),
        }
        for what in &wrong.1 {
            println!("  {what}");
        }
        drop(wrong);
        self.is_clean()
    }
}

fn spread(took: &mut [u32]) -> String {
    took.sort_unstable();
    let at = |part: usize| took.get((took.len() * part / 1000).min(took.len().saturating_sub(1)));
    let [p50, p99, most] =
        [500, 990, 1000].map(|part| at(part).map_or(0.0, |micros| f64::from(*micros) / 1e3));
    format!(
        "p50 {p50:.1} ms, p99 {p99:.1} ms, most {most:.0} ms, of {}",
        took.len()
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
