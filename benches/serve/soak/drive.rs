//! The open loop: a command at each beat, whether or not those before are answered.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::life::{Life, Then};
use super::peers::{ONE_IN, Peers};
use super::tally::Tally;
use super::watch::Watch;
use super::{Scale, Shared, rude};
use crate::line::{Answer, Lines};

/// Before the same command is given again.
const SOON: Duration = Duration::from_millis(300);

/// The codes by which one learns that the ticket has moved on meanwhile.
const LATE: [&str; 8] = [
    "held-by-another",
    "already-claimed",
    "not-allowed",
    "not-possible",
    "no-such-ticket",
    "no-such-action",
    "moved-on",
    "changed",
];

/// A ticket with which the driver has finished.
pub(super) struct Driven {
    pub(super) id: String,
    pub(super) number: u64,
    /// The state in which it must end.
    pub(super) ends: &'static str,
    /// How many commands were answered with success.
    pub(super) done: u32,
}

/// Lives that wait for their next command, in the order of their time.
#[derive(Default)]
struct Waiting {
    times: BinaryHeap<Reverse<(Instant, u64)>>,
    lives: BTreeMap<u64, Life>,
}

/// What all parts of the driver share.
pub(super) struct World {
    pub(super) lines: Lines,
    pub(super) scale: Scale,
    pub(super) tally: Tally,
    waiting: Mutex<Waiting>,
    driven: Mutex<Vec<Driven>>,
    /// Lives that have begun and not finished.
    living: AtomicU64,
    pub(super) begun: AtomicU64,
}

impl World {
    pub(super) fn new(address: SocketAddr, scale: Scale) -> Shared {
        Arc::new(Self {
            lines: Lines::to(address),
            scale,
            tally: Tally::default(),
            waiting: Mutex::default(),
            driven: Mutex::default(),
            living: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        })
    }

    /// Waits until requests are answered.
    pub(super) async fn until_ready(&self) {
        let began = Instant::now();
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        while self.lines.fresh().await.is_err() {
            beat.tick().await;
            let soon = began.elapsed() < Duration::from_secs(60);
            assert!(
                soon,
                "the daemon does not listen; its folder has `daemon.log`"
            );
        }
    }

    /// The life whose next command is due, or a new one if none is.
    fn next(&self, is_over: bool) -> Option<Life> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = waiting.times.peek().map(|Reverse(first)| *first);
        if let Some((at, number)) = first
            && at <= Instant::now()
        {
            waiting.times.pop();
            return waiting.lives.remove(&number);
        }
        drop(waiting);
        if is_over {
            return None;
        }
        self.living.fetch_add(1, Ordering::Relaxed);
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        Some(Life::new(number, &self.scale))
    }

    fn then(&self, life: Life, then: Then) {
        match then {
            Then::Wait(time) => {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let at = (Instant::now() + time, life.number);
                waiting.times.push(Reverse(at));
                waiting.lives.insert(life.number, life);
            }
            Then::Ends(ends) => {
                let mut driven = self.driven.lock().unwrap_or_else(PoisonError::into_inner);
                driven.push(Driven {
                    id: life.id,
                    number: life.number,
                    ends,
                    done: life.done,
                });
                self.living.fetch_sub(1, Ordering::Relaxed);
            }
            Then::Wrong(what) => {
                self.tally.wrong(format!("{}: {what}", life.name()));
                self.living.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// Drives for its time, then until no ticket has a command left; all tickets.
pub(super) async fn drive(world: &Shared, watch: &mut Watch, peers: &Peers) -> Vec<Driven> {
    let began = tokio::time::Instant::now();
    let beat = Duration::from_secs(1) / world.scale.rate;
    let longest = world.scale.time + world.scale.patience;
    let mut number = 0;
    while began.elapsed() < longest {
        let due = began + beat * number;
        tokio::time::sleep_until(due).await;
        number += 1;
        watch.look_if_due(world, peers).await;
        let is_over = began.elapsed() >= world.scale.time;
        if is_over && world.living.load(Ordering::Relaxed) == 0 {
            break;
        }
        let is_rude = (number as usize).is_multiple_of(ONE_IN);
        if is_rude && !is_over {
            rude::act(world, number as usize / ONE_IN);
        }
        if let Some(life) = world.next(is_over) {
            let goes = (number as usize / ONE_IN).is_multiple_of(2);
            let drops = is_rude && goes && life.done > 0;
            tokio::spawn(turn(Arc::clone(world), life, due.into_std(), drops));
        }
    }
    let living = world.living.load(Ordering::Relaxed);
    if living > 0 {
        world
            .tally
            .wrong(format!("{living} tickets have commands left"));
    }
    std::mem::take(&mut *world.driven.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One command of a life, that was due then.
async fn turn(world: Shared, mut life: Life, due: Instant, drops: bool) {
    if life.looks {
        let seen = match world.lines.ask(&life.look()).await {
            Ok(answer) if answer.status == 200 => life.seen(&answer.json(), &world.scale),
            other => Some(unanswered(&world, &mut life, other.as_ref())),
        };
        if let Some(then) = seen {
            return world.then(life, then);
        }
    }
    let request = life.request();
    if drops {
        let at_once = life.number.is_multiple_of(2);
        rude::drop_the_answer(&world, &request, at_once).await;
        let then = life.again(false, SOON);
        return world.then(life, then);
    }
    let answer = world.lines.ask(&request).await;
    let then = match &answer {
        Ok(answer) if answer.status / 100 == 2 => {
            world.tally.took(due.elapsed());
            world.tally.count(format!("answers {}", answer.status));
            if answer.is_replay {
                world.tally.count("answers that were given before");
            }
            life.acknowledged(&answer.json(), answer.is_replay, &world.scale)
        }
        Ok(answer) => refused(&world, &mut life, answer),
        Err(_) => unanswered(&world, &mut life, answer.as_ref()),
    };
    world.then(life, then);
}

fn refused(world: &World, life: &mut Life, answer: &Answer) -> Then {
    let problem = answer.json();
    let code = problem["code"].as_str().unwrap_or_default();
    world
        .tally
        .count(format!("answers {} {code}", answer.status));
    if answer.status == 503 {
        return life.again(false, SOON);
    }
    if code == "has-ended" || LATE.contains(&code) {
        return life.again(true, Duration::from_millis(50));
    }
    Then::Wrong(format!("{}: {}", answer.status, answer.text()))
}

/// A look that failed, or a connection that broke: it is asked again.
fn unanswered(world: &World, life: &mut Life, answer: Result<&Answer, &std::io::Error>) -> Then {
    let why = match answer {
        Ok(answer) if answer.status == 503 => "answers 503 to a look".to_owned(),
        Ok(answer) => {
            return Then::Wrong(format!("a look: {}: {}", answer.status, answer.text()));
        }
        Err(error) => format!("without an answer: {error}"),
    };
    world.tally.count(why);
    let looks = life.looks;
    let then = life.again(false, SOON);
    life.looks = looks;
    then
}
