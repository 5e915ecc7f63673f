//! What the daemon says of itself while it is driven, and how much memory it has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Shared;
use super::drive::World;
use super::peers::Peers;
use crate::line::Request;

/// Longest that a clock may be late: what the engine calls overdue.
const MAX_LATE_SECONDS: f64 = 5.0;

/// Longest that a message may wait. A peer misbehaves for a minute, so the sixth try of a message comes when
/// it no longer does, after 5 + 10 + 20 + 40 + 80 seconds and a fifth more.
const MAX_OUTBOX_SECONDS: f64 = 600.0;

/// Most memory that the daemon may have gained in ten minutes beyond what it holds of the folder, in KB. What
/// it holds of the folder is what it has when it is started on it again: that much every ticket costs that is
/// kept, and no more than that may stay of the work.
const MAX_GAIN: f64 = 1024.0;

/// What share of a run's end its memory is the mean of: a single look has what is under way at that moment.
const END: f64 = 0.1;

/// From when on a run's memory is judged, and not only told.
const LONG_ENOUGH: Duration = Duration::from_secs(3600);

/// Figures that must stay 0.
const ALARMS: [&str; 4] = [
    "upline_tickets_forgotten",
    "upline_tickets_set_aside",
    "upline_files_broken",
    "upline_webhooks_closed",
];

/// What was seen.
pub(super) struct Watch {
    daemon: u32,
    began: Instant,
    next_look: Duration,
    next_note: Duration,
    /// Seconds since the start, and KB of memory then.
    memory: Vec<(f64, f64)>,
    worst: Arc<std::sync::Mutex<BTreeMap<&'static str, f64>>>,
}

impl Watch {
    /// Of the process of that number.
    pub(super) fn new(daemon: u32) -> Self {
        Self {
            daemon,
            began: Instant::now(),
            next_look: Duration::ZERO,
            next_note: Duration::ZERO,
            memory: Vec::new(),
            worst: Arc::default(),
        }
    }

    /// Looks, if it is time; the driver does not wait for the answers.
    pub(super) async fn look_if_due(&mut self, world: &Shared, peers: &Peers) {
        let now = self.began.elapsed();
        if now >= self.next_look {
            self.next_look = now + world.scale.look;
            let (world, worst) = (Arc::clone(world), Arc::clone(&self.worst));
            tokio::spawn(async move {
                for (name, figure) in look(&world).await {
                    let mut worst = worst
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    let known = worst.entry(name).or_default();
                    *known = known.max(figure);
                }
            });
        }
        if now >= self.next_note {
            self.next_note = now + world.scale.note;
            self.note(world, peers, now);
        }
    }

    fn note(&mut self, world: &World, peers: &Peers, now: Duration) {
        let Some(memory) = resident(self.daemon) else {
            return world.tally.wrong("the daemon is gone");
        };
        self.memory.push((now.as_secs_f64(), memory));
        println!(
            "soak: {:>3} min: {memory:.0} KB; {} tickets begun; {} mails, {} webhooks taken; {}",
            now.as_secs() / 60,
            world.begun.load(Ordering::Relaxed),
            peers.post.count(),
            peers.accepted(),
            world.tally.spread(),
        );
    }

    /// Tells of the memory and of the worst that was seen. A daemon that was started on the folder again, and
    /// does nothing, has so many KB `again`.
    pub(super) fn judge(&self, world: &World, again: f64) {
        let worst = self
            .worst
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        println!("\nsoak: the worst that was seen");
        for (name, figure) in &*worst {
            println!("  {figure:>9.1}  {name}");
        }
        println!("soak: memory, in KB, by minute");
        let all = self.memory.iter();
        let all: Vec<String> = all
            .map(|(at, memory)| format!("{:.0}:{memory:.0}", at / 60.0))
            .collect();
        println!("  {}", all.join(" "));
        let driven: Vec<(f64, f64)> = {
            let end = world.scale.time.as_secs_f64();
            let during = self.memory.iter().filter(|(at, _)| *at <= end + 1.0);
            during.copied().collect()
        };
        let at_ten = driven.iter().find(|(at, _)| *at >= 600.0);
        let gain = slope(&driven[driven.len() / 2..]) * 600.0;
        let time = world.scale.time.as_secs_f64();
        let end = driven.iter().filter(|(at, _)| *at >= time * (1.0 - END));
        let end = mean(end.map(|(_, memory)| *memory));
        let begun = world.begun.load(Ordering::Relaxed) as f64;
        println!(
            "  after 10 min {:.0}, in the end {end:.0}; in the second half {gain:+.0} in 10 min, {:.0} bytes a ticket",
            at_ten.map_or(f64::NAN, |(_, memory)| *memory),
            gain * 1024.0 / (begun / time * 600.0),
        );
        let (stayed, at_most) = (end - again, MAX_GAIN * time / 600.0);
        println!("  started on the same folder again {again:.0}; {stayed:+.0} stayed of the work");
        if world.scale.time >= LONG_ENOUGH && stayed > at_most {
            let told = format!("{stayed:.0} KB of memory stayed of the work, {at_most:.0} at most");
            world.tally.wrong(told);
        }
    }
}

/// Looks at the daemon; what is to be kept of its figures.
pub(super) async fn look(world: &World) -> Vec<(&'static str, f64)> {
    readiness(world).await;
    let Some(figures) = figures(world).await else {
        return Vec::new();
    };
    for (name, figure) in &figures {
        let is_incident = world.scale.is_timed && name.starts_with("upline_incidents");
        let is_alarm = ALARMS.contains(&name.as_str()) || is_incident;
        if is_alarm && *figure > 0.0 {
            world.tally.wrong(format!("{name} is {figure}"));
        }
    }
    let bounds = [
        ("upline_timer_lag_seconds", MAX_LATE_SECONDS),
        ("upline_notifications_oldest_seconds", MAX_OUTBOX_SECONDS),
        ("upline_notifications_unsent", f64::INFINITY),
        ("upline_tickets", f64::INFINITY),
    ];
    let of = |(name, most): (&'static str, f64)| {
        let figure = *figures.get(name)?;
        if figure > most && world.scale.is_timed {
            world
                .tally
                .wrong(format!("{name} is {figure}, {most} at most"));
        }
        Some((name, figure))
    };
    world.tally.count("looks at the daemon");
    bounds.into_iter().filter_map(of).collect()
}

/// A daemon that is not ready says why.
async fn readiness(world: &World) {
    let asked = Request::get("eye0", "/readyz".into());
    let ready = match world.lines.ask(&asked).await {
        Ok(ready) => ready,
        Err(error) => return world.tally.wrong(format!("`/readyz`: {error}")),
    };
    // A machine that stands still for seconds is no fault of what is tested.
    if !world.scale.is_timed {
        return;
    }
    let told = ready.json();
    if ready.status != 200 {
        world.tally.wrong(format!("not ready: {told}"));
    }
    for warning in told["warnings"].as_array().into_iter().flatten() {
        // A mail server that lets nobody in is one of the faults.
        match warning["code"].as_str() {
            Some("mail") => world.tally.count("looks with the warning `mail`"),
            _ => world.tally.wrong(format!("a warning: {warning}")),
        }
    }
}

/// The figures of `/metrics`, with their labels.
pub(super) async fn figures(world: &World) -> Option<BTreeMap<String, f64>> {
    let asked = Request::get("eye1", "/metrics".into());
    let answer = world.lines.ask(&asked).await;
    let answer = answer.ok().filter(|answer| answer.status == 200);
    let Some(answer) = answer else {
        world.tally.wrong("`/metrics` does not answer");
        return None;
    };
    let text = answer.text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let figures = lines.filter_map(|line| {
        let (name, figure) = line.rsplit_once(' ')?;
        Some((name.to_owned(), figure.parse().ok()?))
    });
    Some(figures.collect())
}

/// How many KB a process has in memory.
pub(crate) fn resident(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// By how much the second grows with the first, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let x = mean(points.iter().map(|point| point.0));
    let y = mean(points.iter().map(|point| point.1));
    let together: f64 = points.iter().map(|(a, b)| (a - x) * (b - y)).sum();
    let alone: f64 = points.iter().map(|(a, _)| (a - x).powi(2)).sum();
    match alone > 0.0 {
        true => together / alone,
        false => 0.0,
    }
}

fn mean(of: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = of.fold((0.0, 0.0), |(count, sum), one| (count + 1.0, sum + one));
    sum / count
}
