//! P2: the proved bounds against what the engine does when nobody acts, in random workflows, directories,
//! calendars, shifts and absences.

mod gaps;
mod made;

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::kit::Desk;
use super::random::{Tape, random_directory};
use crate::proof::{Proof, prove};
use crate::ticket::{Branch, Holder, Level};
use crate::{Command, Fact, Name, Wish};

use self::made::{any_calendar, opening, silent_workflow, staff};

/// No silence of a test lasts for more commands than this.
const MAX_STEPS: usize = 500;

/// A ticket from its opening on, while nobody acts.
struct Silence<'p> {
    desk: Desk,
    proof: &'p Proof,
    tape: Tape<'p>,
    /// Absences that begin later.
    absences: Vec<Timestamp>,
    /// Entered states of which the end is still awaited.
    waiting: Vec<Wait>,
    /// Visits, and the levels that were asked in them.
    reached: BTreeSet<(u32, Level)>,
    checked: usize,
}

struct Wait {
    visit: u32,
    branch: Branch,
    /// Of a parallel state: the visits with which its branches began.
    begins: Vec<u32>,
    state: Name,
    entered: Timestamp,
    ladder: Option<Name>,
}

impl Silence<'_> {
    /// Each state that was entered is awaited; what has come is measured.
    fn look(&mut self, events: &[crate::Event]) {
        let before = self.waiting.len();
        for event in events {
            match &event.fact {
                Fact::Entered {
                    branch,
                    state,
                    visit,
                    ..
                } if self.desk.workflow.work(state).is_some() => {
                    let parent = branch.rsplit_once('/').map_or("", |(parent, _)| parent);
                    let (_, new) = self.waiting.split_at_mut(before);
                    let around = new.iter_mut().rev().find(|wait| *wait.branch == *parent);
                    if let Some(around) = around.filter(|_| !branch.is_empty()) {
                        around.begins.push(*visit);
                    }
                    self.waiting.push(Wait {
                        visit: *visit,
                        branch: branch.clone(),
                        begins: Vec::new(),
                        state: state.clone(),
                        entered: event.at,
                        ladder: None,
                    });
                }
                Fact::Hopped(hop) if hop.round == 1 => self.level(&hop.branch, hop.level, event.at),
                Fact::LevelReached {
                    branch,
                    level,
                    round: 1,
                    ..
                } => self.level(branch, *level, event.at),
                Fact::LevelPassed { branch, level, .. } => self.passed(branch, *level, event.at),
                _ => (),
            }
        }
        // What began last is looked at first: branches before the state that they are branches of.
        let waiting = std::mem::take(&mut self.waiting);
        for mut wait in waiting.into_iter().rev() {
            let position = self.desk.ticket.positions.get(&wait.branch);
            let position = position.filter(|position| position.visit == wait.visit);
            if let Some(position) = position {
                wait.ladder = position.ladder.clone();
            }
            let safe = match position.map(|position| &position.holder) {
                // The last resort has had each of the branches, be it at different times.
                Some(Holder::Branches) => {
                    let mut waiting = self.waiting.iter();
                    !waiting.any(|other| wait.begins.contains(&other.visit))
                }
                _ => self.is_safe(&wait.branch),
            };
            match safe {
                true => self.measure(&wait),
                false => self.waiting.push(wait),
            }
        }
        self.waiting.reverse();
    }

    /// Whether the last resort has the branch, or it has ended. Of a branch that is gone: the one around it.
    fn is_safe(&self, branch: &str) -> bool {
        let ticket = &self.desk.ticket;
        if ticket.ended.is_some() {
            return true;
        }
        let Some(position) = ticket.positions.get(branch) else {
            return self.is_safe(branch.rsplit_once('/').map_or("", |(parent, _)| parent));
        };
        match &position.holder {
            Holder::Nobody => true,
            Holder::Assignee(_) | Holder::Offer { .. } => position.level == Level::LastResort,
            // It was entered later, and is waited for on its own.
            Holder::Branches => {
                let mut waiting = self.waiting.iter();
                !waiting.any(|wait| wait.visit == position.visit)
            }
        }
    }

    fn takes(&self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        let wall = to.duration_since(from).as_secs();
        let calendar = self.desk.workflow.calendar.as_ref();
        let working = match calendar.and_then(|name| self.desk.directory.calendars.get(name)) {
            Some(calendar) => calendar.elapsed(from, to),
            None => wall,
        };
        (wall, working)
    }

    fn measure(&mut self, wait: &Wait) {
        let (wall, working) = self.takes(wait.entered, self.desk.now);
        let states = self
            .proof
            .states
            .iter()
            .filter(|bound| bound.state == wait.state);
        let cases: Vec<_> = states.filter(|bound| bound.ladder == wait.ladder).collect();
        let states = self
            .proof
            .states
            .iter()
            .filter(|bound| bound.state == wait.state);
        // Asked at once, a ladder is not always written down.
        let cases = if cases.is_empty() {
            states.collect()
        } else {
            cases
        };
        if cases.iter().any(|case| case.last_resort.is_none()) {
            return;
        }
        let bounds = cases.iter().filter_map(|case| case.last_resort);
        let most = bounds.clone().map(|bound| bound.wall).max().unwrap();
        let work = bounds.map(|bound| bound.working).max().unwrap();
        assert!(
            wall <= most && working <= work,
            "`{}` entered {}, safe {}: {wall} s ({working} open), proved {most} s ({work} open)\n{}",
            wait.state,
            wait.entered,
            self.desk.now,
            short(&self.desk)
        );
        self.checked += 1;
    }

    fn passed(&mut self, branch: &Branch, level: Level, at: Timestamp) {
        let round = self
            .desk
            .ticket
            .positions
            .get(branch)
            .map(|position| position.round);
        if round == Some(1) {
            self.level(branch, level, at);
        }
    }

    fn level(&mut self, branch: &Branch, level: Level, at: Timestamp) {
        let Some(position) = self.desk.ticket.positions.get(branch) else {
            return;
        };
        // Colleagues of the same level come later.
        if !self.reached.insert((position.visit, level)) {
            return;
        }
        let (wall, working) = self.takes(position.entered, at);
        let states = self
            .proof
            .states
            .iter()
            .filter(|bound| bound.state == position.state);
        let bounds: Vec<_> = states
            .flat_map(|bound| &bound.levels)
            .filter(|bound| bound.level == level && level != Level::Entry)
            .map(|bound| bound.bound)
            .collect();
        if bounds.is_empty() || bounds.contains(&None) {
            return;
        }
        let most = bounds
            .iter()
            .flatten()
            .map(|bound| bound.wall)
            .max()
            .unwrap();
        let work = bounds
            .iter()
            .flatten()
            .map(|bound| bound.working)
            .max()
            .unwrap();
        assert!(
            wall <= most && working <= work,
            "{level:?} of `{}` entered {}: {wall} s ({working} open), proved {most} s ({work} open)\n{}",
            position.state,
            position.entered,
            short(&self.desk)
        );
        self.checked += 1;
    }

    fn submit(&mut self, command: &Command) -> bool {
        match self.desk.submit(command) {
            Ok(events) => {
                self.look(&events);
                true
            }
            Err(_) => false,
        }
    }

    /// What comes next, be it a clock, an absence that begins, a mail that comes back or a link that is used.
    fn step(&mut self) -> bool {
        let Some(clock) = self.desk.ticket.next_due().cloned() else {
            return false;
        };
        if let Some(absent) = self.absences.first().copied()
            && (absent < clock.due || absent == clock.due && self.tape.below(2) == 1)
        {
            self.absences.remove(0);
            self.desk.now = self.desk.now.max(absent);
            self.submit(&Command::person("zoe", Wish::Recheck));
            return true;
        }
        self.desk.now = self.desk.now.max(clock.due);
        let answerable: Vec<(Branch, Name)> = self
            .desk
            .ticket
            .answerable()
            .map(|(branch, person)| (branch.clone(), person.clone()))
            .collect();
        match self.tape.below(12) {
            0..=4 => {
                for (branch, person) in answerable {
                    let mut hold = Command::person(person, Wish::Hold);
                    hold.branch = Some(branch);
                    self.submit(&hold);
                }
            }
            5 => {
                let notice = self.desk.ticket.last_notice;
                let reason = "550".to_owned();
                self.submit(&Command::person(
                    "zoe",
                    Wish::Undeliverable { notice, reason },
                ));
            }
            6 => {
                let (visit, reason) = (self.desk.ticket.visits, "503".to_owned());
                let wish = Wish::RunFailed {
                    visit,
                    attempt: 1,
                    reason,
                    retry: self.tape.below(2) == 1,
                };
                self.submit(&Command::person("zoe", wish));
            }
            _ => (),
        }
        if self.desk.ticket.clock(clock.id).is_some() {
            return self.submit(&Command::due(clock.id));
        }
        true
    }
}

/// The last hundred lines of the journal, a line each.
fn short(desk: &Desk) -> String {
    let events = desk.journal.iter().rev().take(100).rev();
    let line = |event: &crate::Event| {
        let fact = format!("{:?}", event.fact);
        format!(
            "{} {}\n",
            event.at,
            fact.chars().take(200).collect::<String>()
        )
    };
    events.map(line).collect()
}

/// A case takes some milliseconds, so they are few; `PROPTEST_CASES=3000 cargo test --release silence` plays more.
fn config() -> ProptestConfig {
    const USUAL: u32 = 256;
    let asked = ProptestConfig::default();
    let cases = if asked.cases == USUAL {
        24
    } else {
        asked.cases
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..asked
    }
}

fn silence_is_bounded(bytes: &[u8]) -> usize {
    let mut tape = Tape::new(bytes);
    let mut directory = random_directory(&mut tape);
    staff(&mut tape, &mut directory);
    directory
        .calendars
        .insert("hours".into(), any_calendar(&mut tape));
    let mut workflow = silent_workflow(&mut tape);
    let from = "2026-03-01T00:00:00Z".parse().unwrap();
    let proof = prove(&workflow, &directory, from);
    assert_eq!(
        proof,
        prove(&workflow, &directory, from),
        "same arguments, same proof"
    );
    let starts: Vec<Name> = workflow
        .state_order
        .iter()
        .filter(|name| workflow.states[*name].within.is_none())
        .cloned()
        .collect();
    let mut checked = 0;
    for start in starts {
        workflow.start = start;
        let mut desk = Desk::new(workflow.clone(), directory.clone());
        desk.now = opening(&mut tape, &directory, from);
        if tape.below(3) == 0 {
            let load = desk.workload.people.entry("ann".into()).or_default();
            load.open = 100;
        }
        let mut absences: Vec<Timestamp> = directory
            .absences
            .values()
            .flatten()
            .map(|absence| absence.from)
            .filter(|begin| *begin >= desk.now)
            .collect();
        absences.sort_unstable();
        let mut silence = Silence {
            desk,
            proof: &proof,
            tape: Tape::new(bytes.get(40..).unwrap_or_default()),
            absences,
            waiting: Vec::new(),
            reached: BTreeSet::new(),
            checked: 0,
        };
        let Ok(events) = silence.desk.open() else {
            continue;
        };
        silence.look(&events);
        let mut steps = 0;
        while steps < MAX_STEPS && !silence.waiting.is_empty() && silence.step() {
            steps += 1;
        }
        // What is not safe yet must not be late either.
        for wait in std::mem::take(&mut silence.waiting) {
            silence.measure(&wait);
        }
        checked += silence.checked;
    }
    checked
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn proved_bounds_are_never_exceeded(bytes in prop::collection::vec(any::<u8>(), 40..400)) {
        silence_is_bounded(&bytes);
    }
}

#[test]
fn random_workflows_are_proved_often_enough_to_mean_something() {
    let mut seed = 7u32;
    let mut checked = 0;
    for _ in 0..40 {
        let bytes: Vec<u8> = (0..300)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                u8::try_from(seed >> 24).unwrap()
            })
            .collect();
        checked += silence_is_bounded(&bytes);
    }
    assert!(checked > 60, "{checked}");
}

/// A branch that the last resort has had ends by silence at the same moment as the other one, which nobody
/// watches: the ticket goes on, and somebody else is asked.
#[test]
fn a_branch_that_the_last_resort_has_may_end_all_the_same() {
    silence_is_bounded(&[
        128, 0, 0, 0, 0, 6, 0, 138, 4, 0, 0, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0, 11, 12, 0, 4, 0, 0,
        59, 0, 47, 0, 0, 0, 30, 246, 0, 0, 0, 199, 95, 0, 0, 0, 0, 0, 0, 0, 103, 59, 0, 0, 0, 0, 0,
        0, 47, 212, 7, 0, 10, 0, 0, 0, 0, 0, 0, 84, 0, 83, 0, 0, 0, 60, 0, 11, 0, 11, 0, 0, 3, 30,
        150, 0, 0, 0, 0, 5, 0, 135, 0, 0, 45, 0, 0, 123, 12, 0, 28, 128, 0, 14, 45, 0, 134, 0, 30,
        0, 45, 0, 0, 132, 12, 30, 44, 179, 14, 89, 0, 90, 0, 0, 0, 0, 0, 0,
    ]);
}

/// A branch that was a parallel state itself ends while one of its own branches is still asked.
#[test]
fn a_branch_that_ends_leaves_nobody_behind() {
    silence_is_bounded(&[
        103, 0, 0, 104, 56, 24, 8, 0, 0, 8, 71, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 8, 0, 20, 0, 105,
        0, 0, 0, 0, 0, 88, 0, 0, 12, 47, 0, 0, 0, 30, 119, 53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 187, 0,
        0, 0, 43, 0, 0, 27, 50, 24, 151, 0, 35, 0, 0, 0, 0, 0, 31, 179, 0, 0, 171, 0, 8, 187, 0, 0,
        0, 0, 135, 0, 0, 123, 192, 0, 12, 101, 0, 0, 0, 0, 24, 83, 0, 0, 0, 0, 5, 0, 0, 123, 3, 0,
        0, 119, 0, 60, 0, 3, 0, 0, 165, 0, 2, 0, 45, 0, 0, 0, 36, 0, 56, 4, 0, 12, 146, 0, 94, 9,
        0, 7, 121, 0, 71, 0, 55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 96, 0, 0, 0, 71, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 88, 0, 36, 0, 0, 0, 86, 0, 0, 0, 109, 0, 104, 0, 15, 0, 0, 0, 72,
        0, 0, 31, 0, 10, 3, 0, 7, 7, 0, 0, 0, 0, 34, 0, 0, 0, 4, 0, 0, 0, 11, 0, 56, 0, 0, 65, 0,
        0, 51, 29, 0, 174, 0, 0, 0, 103, 0, 126, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 87, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
}
