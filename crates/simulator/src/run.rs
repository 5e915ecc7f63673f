//! A run: the engine's own code over a simulated disk, clock and peers, step by step, and all checks.

mod checks;
mod home;
mod steps;
mod time;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use upline::Incident;
use upline::drive::{Driver, OutboxOptions, Reading, Turn};
use upline::record::File;
use upline::store::StoreError;

use crate::clients::Clients;
use crate::counters::Counters;
use crate::oracle::Oracle;
use crate::oracle::fold::Wrong;
use crate::peers::Peers;
use crate::plan::{Left, Plan, Step, Text};
pub use home::Home;
use time::Clocks;

/// What went wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The step, counted from 0; the number of steps: after the last one.
    pub step: usize,
    /// What is wrong.
    pub wrong: Wrong,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "step {}: {}", self.step, self.wrong)
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What went wrong.
    pub failure: Option<Failure>,
    /// What has happened.
    pub counters: Counters,
    /// Everything that was seen, if it was to be kept.
    pub trace: String,
    /// The hash of the journal's last commit, and how many there are.
    pub head: ([u8; 32], usize),
    /// How many operations the disk has seen.
    pub operations: u64,
}

/// What happens to the process when its disk stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Kill,
    Cut(Left),
}

/// Most turns without a commit that follow each other without time passing.
const MOST_IDLE_TURNS: u32 = 40;

struct Run<'a> {
    plan: &'a Plan,
    home: Home,
    driver: Option<Driver>,
    clocks: Clocks,
    wake: Option<Duration>,
    oracle: Oracle,
    clients: Clients,
    peers: Peers,
    counters: Counters,
    end: Option<End>,
    /// No fault of the disk since the last start.
    calm: bool,
    /// The disk is full.
    full: bool,
    /// The engine's time as it was seen last.
    now: i64,
    /// The store has failed and was not opened again.
    sick: bool,
    /// It was so at the turn before: the oracle does not know yet what that one wrote.
    lags: bool,
    /// Since the last start time has passed though the engine wanted its turn at once.
    held_up: bool,
    starts: u64,
    turns: u64,
    idle: u32,
    last_incident: String,
    trace: Option<String>,
}

/// Plays a plan. With `traced` everything that is seen is kept.
#[must_use]
pub fn play(plan: &Plan, home: Home, traced: bool) -> Outcome {
    let mut run = Run {
        plan,
        home,
        driver: None,
        clocks: Clocks::new(plan.setting.begin),
        wake: None,
        oracle: Oracle::under(plan.setting.keep_history),
        clients: Clients::default(),
        peers: Peers::new(
            plan.seed ^ 0x5eed,
            millis(plan.setting.lease, 1_000),
            millis(plan.setting.give_up, 60_000),
        ),
        counters: Counters::default(),
        end: None,
        calm: true,
        full: false,
        now: 0,
        sick: false,
        lags: false,
        held_up: false,
        starts: 0,
        turns: 0,
        idle: 0,
        last_incident: String::new(),
        trace: traced.then(String::new),
    };
    let failure = run.whole().err();
    let head = (run.oracle.head(), run.oracle.commits());
    let operations = run.home.operations();
    // A driver that goes on after its disk is gone would be a leak between runs.
    run.driver = None;
    Outcome {
        failure,
        counters: run.counters,
        trace: run.trace.unwrap_or_default(),
        head,
        operations,
    }
}

fn millis(count: u64, each: i64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / each) * each
}

impl Run<'_> {
    fn whole(&mut self) -> Result<(), Failure> {
        let at = |step| move |wrong| Failure { step, wrong };
        // Faults that a plan begins with strike while the folder is being made.
        let first = self.plan.steps.iter().take_while(|step| step.is_ahead());
        let first = first.count();
        for (index, step) in self.plan.steps.iter().enumerate() {
            if index == first {
                self.begin().map_err(at(index))?;
            }
            self.say(|| format!("step {index}: {step:?}"));
            self.step(step).map_err(at(index))?;
        }
        self.recover_and_live().map_err(at(self.plan.steps.len()))
    }

    /// The first files are deployed; if the machine prevents it, again.
    fn begin(&mut self) -> Result<(), Wrong> {
        let files = self.plan.setting.files.clone();
        for _ in 0..20 {
            self.deploy(&files)?;
            if self.oracle.files > 0 {
                break;
            }
            self.time_passes(20_000);
        }
        Ok(())
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push_str(&what());
            trace.push('\n');
        }
    }

    fn reading(&self) -> Reading {
        self.clocks.reading()
    }

    /// Starts the process, if it does not run. Whether it runs.
    fn start(&mut self) -> Result<bool, Wrong> {
        if self.driver.is_some() {
            return Ok(true);
        }
        self.starts += 1;
        let mut outbox = OutboxOptions::default();
        outbox.lease = Duration::from_secs(self.plan.setting.lease);
        outbox.give_up = Duration::from_secs(self.plan.setting.give_up * 60);
        outbox.at_once = self.plan.setting.at_once;
        let seed = self.plan.seed ^ self.starts;
        let opened = self
            .home
            .store(self.plan, self.starts)
            .and_then(|store| Driver::open(store, self.clocks.begin(), outbox, seed));
        match opened {
            Ok(driver) => {
                self.driver = Some(driver);
                self.sick = false;
                self.held_up = false;
                self.idle = 0;
                self.look()?;
                self.clients.audit(&self.oracle, &mut self.counters)?;
                self.compare()?;
            }
            Err(error @ (StoreError::Io { .. } | StoreError::Full))
                if !self.calm || self.home.is_off() =>
            {
                self.say(|| format!("start failed: {error}"));
                self.counters.add("start_failed");
                self.stop_if_off()?;
            }
            Err(error) => return Err(format!("the process does not start: {error}")),
        }
        Ok(self.driver.is_some())
    }

    /// One turn of the engine, and all that can be checked after it.
    fn turn(&mut self) -> Result<(), Wrong> {
        if !self.start()? {
            return Ok(());
        }
        let reading = self.reading();
        let Some(driver) = &mut self.driver else {
            return Ok(());
        };
        self.turns += 1;
        self.lags = self.sick;
        let well = Arc::new(AtomicBool::new(!self.sick));
        if self.sick {
            let well = Arc::clone(&well);
            driver.status(move |status| well.store(status.is_ok(), Ordering::Relaxed));
        }
        let turn = driver.turn(reading);
        let failed = |incident: &Incident| matches!(incident, Incident::Store { .. });
        self.sick = turn.incidents.iter().any(failed) || !well.load(Ordering::Relaxed);
        // What is on disk after a failure may still be taken back, as long as nobody was told of it and the
        // store was not opened again.
        let before = self.sick.then(|| self.oracle.clone());
        self.seen(turn)?;
        if let Some(before) = before {
            self.oracle = before;
        }
        if self.idle > MOST_IDLE_TURNS {
            return Err(format!("it turns and turns: {}", self.last_incident));
        }
        self.stop_if_off()
    }

    fn seen(&mut self, turn: Turn) -> Result<(), Wrong> {
        self.true_of_the_outbox(&turn)?;
        let fresh = self.look()?;
        self.idle = match (fresh, turn.wake) {
            (0, Some(Duration::ZERO)) => self.idle + 1,
            _ => 0,
        };
        self.hear()?;
        self.after(turn)
    }

    /// Peers may take nothing for days, but what is told of that must be so: messages lay there. As it was
    /// before this turn, which may have sent them all after it had told.
    fn true_of_the_outbox(&self, turn: &Turn) -> Result<(), Wrong> {
        let lies = |one: &&Incident| matches!(one, Incident::Outbox { over: false, .. });
        match turn.incidents.iter().find(lies) {
            Some(told) if self.oracle.unsent() == 0 && !self.lags => {
                Err(format!("{told:?}, and none is unsent"))
            }
            _ => Ok(()),
        }
    }

    fn hear(&mut self) -> Result<(), Wrong> {
        let mut lines = Vec::new();
        let traced = self.trace.is_some();
        let mut trace = |line| {
            if traced {
                lines.push(line);
            }
        };
        let heard = self
            .clients
            .hear(&self.oracle, &mut self.counters, &mut trace);
        for line in lines {
            self.say(|| line);
        }
        heard
    }

    fn after(&mut self, turn: Turn) -> Result<(), Wrong> {
        let Turn {
            wake,
            messages,
            incidents,
            ..
        } = turn;
        self.wake = wake;
        let settled = std::mem::take(&mut self.oracle.settled);
        self.peers.audit(&settled, self.oracle.at)?;
        for (id, message) in messages {
            self.say(|| format!("message {id:?}: {} try {}", message.key, message.attempt));
            let now = self.clocks.elapsed();
            self.peers
                .send(now, id, &message, &self.oracle, &mut self.counters)?;
        }
        for incident in incidents {
            self.say(|| format!("incident: {incident:?}"));
            match incident {
                Incident::Store { why } => {
                    self.counters.add("store_failed");
                    if self.calm && !self.full && !self.home.is_off() {
                        return Err(format!("the store fails for no reason: {why}"));
                    }
                    self.last_incident = why;
                }
                Incident::Full { over: false } if self.calm && !self.full => {
                    return Err("the disk is full for no reason".to_owned());
                }
                Incident::Full { .. } => self.counters.add("disk_full_told"),
                Incident::Refused { .. } => self.counters.add("report_refused"),
                Incident::Outbox { .. } => self.counters.add("outbox_told"),
                Incident::Overdue { .. } if !self.calm || self.full || self.held_up => {
                    self.counters.add("overdue_told");
                }
                other => return Err(format!("{other:?}")),
            }
        }
        self.say(|| format!("wake {wake:?}"));
        Ok(())
    }

    /// Reads what would survive now of the journal.
    fn look(&mut self) -> Result<usize, Wrong> {
        let before = self.oracle.commits();
        self.home.look(&mut self.oracle, &mut self.counters)?;
        let fresh = self.oracle.commits() - before;
        if fresh > 0 {
            let (at, head) = (self.oracle.at, self.oracle.head());
            self.say(|| format!("+{fresh} commits at {at}: {head:02x?}"));
        }
        Ok(fresh)
    }

    fn deploy(&mut self, files: &[Text]) -> Result<(), Wrong> {
        if !self.start()? {
            return Ok(());
        }
        let Some(driver) = &mut self.driver else {
            return Ok(());
        };
        let files = files.iter().map(|file| File {
            name: file.name.as_str().into(),
            text: file.text.clone(),
        });
        let said = Arc::new(Mutex::new(None));
        let reply = Arc::clone(&said);
        driver.deploy(files.collect(), move |done| {
            *reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        });
        self.turn()?;
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.say(|| format!("deployed: {said:?}"));
        match said {
            Some(Ok(deployed)) => {
                if deployed.directory {
                    self.counters.add("directory_replaced_while_running");
                }
                if !deployed.workflows.is_empty() {
                    self.counters.add("definition_replaced_while_running");
                }
                Ok(())
            }
            Some(Err(_)) => {
                self.counters.add("deploy_refused");
                Ok(())
            }
            None => Err("a deployment was not answered".into()),
        }
    }

    /// The process ends and starts again, if its disk has stopped.
    fn stop_if_off(&mut self) -> Result<(), Wrong> {
        match self.home.is_off() {
            true => self.stop(),
            false => Ok(()),
        }
    }

    /// The process ends. Whatever it leaves must begin with what was on disk.
    fn stop(&mut self) -> Result<(), Wrong> {
        let end = self.end.take().unwrap_or(End::Kill);
        self.say(|| format!("stopped: {end:?}"));
        self.driver = None;
        self.wake = None;
        self.peers.hang_up(&mut self.counters);
        self.clients.hang_up();
        match end {
            End::Kill => self.counters.add("killed"),
            End::Cut(_) => self.counters.add("power_cut"),
        }
        self.home.stop(match end {
            End::Kill => None,
            End::Cut(keep) => Some(keep),
        });
        if self.home.has_snapshot() {
            self.counters.add("snapshot_plus_tail");
        }
        let again = self.home.read_again(&self.oracle, self.clocks.latest())?;
        if again.torn {
            self.counters.add("torn_tail_recovered");
        }
        if again.first > 1 {
            self.counters.add("old_history_removed");
        }
        if again.destroyed > 0 {
            self.counters.add("old_keys_destroyed");
        }
        self.calm = !self.full;
        Ok(())
    }

    /// Faults off: everything must come right.
    fn recover_and_live(&mut self) -> Result<(), Wrong> {
        self.say(|| "faults off".into());
        self.step(&Step::Free)?;
        self.step(&Step::Restart { keep: None })?;
        self.peers.mood = crate::plan::Mood::Well;
        self.clocks.right();
        // Whatever is behind the engine's time is caught up with by the restart; a day more for what is held.
        for hours in [0, 1, 30] {
            self.pass(hours * 3_600_000, false)?;
            self.check()?;
        }
        let unsent = self.settle()?;
        if unsent > 0 {
            return Err(format!("{unsent} messages have not come to an end"));
        }
        self.step(&Step::Restart {
            keep: Some(Left::Nothing),
        })?;
        self.check()?;
        self.home.verify()?;
        self.clients.audit(&self.oracle, &mut self.counters)
    }

    /// Time passes a little, until no message is under way, or they do not get fewer.
    fn settle(&mut self) -> Result<usize, Wrong> {
        let mut least = usize::MAX;
        let mut tries = 0;
        while tries < 60 && self.oracle.unsent() > 0 {
            self.pass(30_000, false)?;
            let unsent = self.oracle.unsent();
            tries = if unsent < least { 0 } else { tries + 1 };
            least = least.min(unsent);
        }
        Ok(self.oracle.unsent())
    }
}
