//! P2: the proved bounds against what the engine does when nobody acts, and the proved gaps against whom it
//! finds. Random workflows, directories, calendars, shifts and absences.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::kit::{Desk, end, state, who, work, workflow};
use super::random::{Tape, base, random_directory, random_workflow};
use crate::calendar::local::join;
use crate::calendar::tests::{ZONES, week, zone};
use crate::calendar::{CalendarParts, Holiday};
use crate::proof::{PROVED_SECONDS, Proof, prove};
use crate::schedule::{ScheduleParts, Shift, WeeklyShift};
use crate::ticket::{Branch, Holder, Level};
use crate::workflow::{Assign, Doing};
use crate::{
    Absence, Calendar, Command, Directory, Fact, Name, Place, Schedule, Span, StateKind, Wish,
    Workflow,
};

/// No silence of a test lasts for more commands than this.
const MAX_STEPS: usize = 500;

fn number(tape: &mut Tape<'_>, bound: usize) -> i64 {
    i64::try_from(tape.below(bound)).unwrap()
}

fn any_span(tape: &mut Tape<'_>) -> Span {
    let span = match tape.below(5) {
        0 => Span::seconds(1 + number(tape, 250)),
        1 | 2 => Span::seconds(60 * (1 + number(tape, 90))),
        3 => Span::seconds(3600 * (1 + number(tape, 20))),
        _ => Span::days(1 + u32::try_from(tape.below(3)).unwrap()),
    };
    match tape.below(6) {
        5 => span.around_the_clock(),
        _ => span,
    }
}

fn any_hours(tape: &mut Tape<'_>) -> crate::calendar::Week {
    const HOURS: [&[&str]; 6] = [
        &["09:00-12:00", "13:30-18:00"],
        &["08:00-16:00"],
        &["22:00-06:00"],
        &["01:15-02:45", "02:50-03:10"],
        &["10:00-10:20"],
        &["00:00-24:00"],
    ];
    let hours = HOURS[tape.below(HOURS.len())];
    match tape.below(4) {
        0 => week(0..7, hours),
        1 => week(0..1, hours),
        _ => week(0..5, hours),
    }
}

fn any_calendar(tape: &mut Tape<'_>) -> Calendar {
    let from = jiff::civil::date(2026, 3, 1) + jiff::Span::new().days(number(tape, 250));
    let to = from + jiff::Span::new().days(number(tape, 9));
    Calendar::new(CalendarParts {
        name: Name::from("hours"),
        zone: zone(ZONES[tape.below(ZONES.len())]),
        week: any_hours(tape),
        holidays: vec![Holiday::between(from, to)],
        working_days: vec![],
    })
    .unwrap()
}

fn people(directory: &Directory) -> Vec<Name> {
    directory.people.keys().cloned().collect()
}

/// Shifts, and absences of days besides those of minutes.
fn staff(tape: &mut Tape<'_>, directory: &mut Directory) {
    let all = people(directory);
    let pick = |tape: &mut Tape<'_>| all[tape.below(all.len())].clone();
    if tape.below(2) == 1 {
        let shifts = Schedule::new(ScheduleParts {
            name: "shifts".into(),
            zone: zone(ZONES[tape.below(ZONES.len())]),
            rotations: vec![],
            shifts: vec![Shift {
                who: vec![pick(tape)],
                from: Some(jiff::civil::date(2026, 3, 6).at(12, 0, 0, 0)),
                to: Some(jiff::civil::date(2026, 3, 9).at(12, 0, 0, 0)),
            }],
            weekly: vec![WeeklyShift {
                who: vec![pick(tape), pick(tape)],
                hours: week(0..7, &["08:00-20:00"]),
            }],
            overrides: vec![],
        });
        directory
            .schedules
            .insert("nobody-is".into(), shifts.clone().unwrap());
        if tape.below(2) == 1 {
            directory.schedules.insert("shifts".into(), shifts.unwrap());
            directory.groups.get_mut("desk").unwrap().schedule = Some("shifts".into());
        }
    }
    for _ in 0..tape.below(4) {
        let from = super::kit::start() + SignedDuration::from_mins(number(tape, 250) * 17);
        let who = pick(tape);
        let deputy = (tape.below(2) == 1).then(|| pick(tape));
        let absences = directory.absences.entry(who.clone()).or_default();
        absences.push(Absence {
            who,
            from,
            to: from + SignedDuration::from_mins(1 + number(tape, 250) * 11),
            deputy,
        });
        absences.sort_by_key(|absence| absence.from);
    }
}

/// The random workflow, with spans of all kinds, and each state knows its branch.
fn silent_workflow(tape: &mut Tape<'_>) -> Workflow {
    let mut workflow = random_workflow(tape);
    let mut branches: BTreeMap<String, (Name, Name)> = BTreeMap::new();
    for (name, state) in &workflow.states {
        if let StateKind::Work(work) = &state.kind
            && let Some(Doing::Parallel(parallel)) = &work.doing
        {
            for (branch, start) in &parallel.branches {
                let prefix = start.strip_suffix("s0").unwrap().to_owned();
                branches.insert(prefix, (name.clone(), branch.clone()));
            }
        }
    }
    let other = tape.below(3) > 0;
    for (name, state) in &mut workflow.states {
        let mut prefixes = branches
            .iter()
            .filter(|(prefix, _)| name.starts_with(prefix.as_str()));
        // The longest is the innermost: a map lists it last.
        state.within = prefixes.next_back().map(|(_, within)| within.clone());
        if let (StateKind::Work(work), true) = (&mut state.kind, other) {
            work.after
                .iter_mut()
                .for_each(|after| after.span = any_span(tape));
        }
    }
    for ladder in workflow.ladders.values_mut().filter(|_| other) {
        for level in &mut ladder.levels {
            level.after = any_span(tape);
        }
    }
    workflow.calendar = (tape.below(4) > 0).then(|| "hours".into());
    workflow
}

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
                _ => is_safe(&self.desk, &wait.branch),
            };
            match safe {
                true => self.measure(&wait),
                false => self.waiting.push(wait),
            }
        }
        self.waiting.reverse();
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
            "{level:?} of `{}` entered {}, at {at}: {wall} s ({working} open), proved {most} s ({work} open)\n{}",
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

/// Whether the last resort has the branch, or it has ended; of a branch that is gone, what it was a branch of.
fn is_safe(desk: &Desk, branch: &str) -> bool {
    let ticket = &desk.ticket;
    if ticket.ended.is_some() {
        return true;
    }
    let Some(position) = ticket.positions.get(branch) else {
        return is_safe(
            desk,
            branch.rsplit_once('/').map_or("", |(parent, _)| parent),
        );
    };
    match &position.holder {
        Holder::Nobody => true,
        Holder::Assignee(_) | Holder::Offer { .. } => position.level == Level::LastResort,
        Holder::Branches => {
            let inner = ticket
                .positions
                .keys()
                .filter(|other| *other != branch && crate::evolve::is_within(other, branch));
            inner
                .clone()
                .all(|other| match &ticket.positions[other].holder {
                    Holder::Branches => true,
                    _ => is_safe(desk, other),
                })
        }
    }
}

/// When the ticket is opened: somewhere in the year, mostly where the calendar or an absence changes something.
fn opening(tape: &mut Tape<'_>, directory: &Directory, from: Timestamp) -> Timestamp {
    let aside = SignedDuration::from_secs(number(tape, 250) * number(tape, 250) * 3);
    let at = match tape.below(4) {
        0 => super::kit::start() - aside,
        1 => super::kit::start() + aside,
        _ => from + SignedDuration::from_hours(number(tape, 250) * 35 + number(tape, 250)),
    };
    let near = directory
        .calendars
        .get("hours")
        .and_then(|hours| match tape.below(4) {
            0 => hours.next_close(at),
            1 => hours.next_open(at),
            _ => None,
        });
    let at = near.unwrap_or(at) + SignedDuration::from_secs(number(tape, 3) - 1);
    at.clamp(from, from + SignedDuration::from_secs(PROVED_SECONDS))
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
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proved_bounds_are_never_exceeded(bytes in prop::collection::vec(any::<u8>(), 40..400)) {
        silence_is_bounded(&bytes);
    }

    /// Whom the engine finds on opening says whether the proof's gap is one.
    #[test]
    fn gaps_are_when_nobody_is_found(bytes in prop::collection::vec(any::<u8>(), 40..200)) {
        let mut tape = Tape::new(&bytes);
        let mut directory = random_directory(&mut tape);
        staff(&mut tape, &mut directory);
        // A gap is of the year, and room of the moment.
        directory.people.values_mut().for_each(|person| person.at_most = None);
        let mut phrase = who(base(&mut tape));
        phrase.except = (tape.below(3) == 0).then(|| base(&mut tape)).into_iter().collect();
        phrase.skills = (tape.below(3) == 0).then(|| "billing".into()).into_iter().collect();
        phrase.otherwise = (tape.below(3) == 0).then(|| Box::new(base(&mut tape).into()));
        let mut first = work(None, None, vec![]);
        first.assign = Some(Assign::new(phrase, Place::default()));
        let workflow = workflow(vec![state("first", StateKind::Work(first)), end("closed")], vec![]);
        let from: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let proof = prove(&workflow, &directory, from);
        let mut edges: BTreeSet<i64> = proof
            .gaps
            .iter()
            .flat_map(|gap| &gap.intervals)
            .flat_map(|(begin, end)| [begin.as_second(), end.as_second()])
            .collect();
        let absences = directory.absences.values().flatten();
        edges.extend(absences.flat_map(|absence| [absence.from.as_second(), absence.to.as_second()]));
        edges.extend((0..8).map(|_| from.as_second() + number(&mut tape, 250) * 126_000));
        let all: Vec<i64> = edges.into_iter().take(60).collect();
        for at in all.into_iter().flat_map(|edge| [edge - 1, edge]) {
            let mut desk = Desk::new(workflow.clone(), directory.clone());
            desk.now = join(at, 0);
            let within = |gap: &(Timestamp, Timestamp)| gap.0 <= desk.now && desk.now < gap.1;
            let gap = proof.gaps.iter().flat_map(|gap| &gap.intervals).any(within);
            if !(from..proof.to).contains(&desk.now) || desk.open().is_err() {
                continue;
            }
            let passed = |event: &crate::Event| matches!(event.fact, Fact::LevelPassed { .. });
            let nobody = desk.journal.iter().any(passed);
            prop_assert!(nobody || !gap, "{} {:#?} {:#?}", desk.now, proof.gaps, desk.journal);
            // What depends on the ticket is nobody's gap.
            let phrase = workflow.work("first").and_then(|work| work.assign.as_ref());
            let text = phrase.map_or("", |assign| assign.text.as_str());
            let depends = ["assignee", "opener", "who did"].iter().any(|word| text.contains(word));
            let excludes = text.contains("except on call");
            prop_assert!(gap || !nobody || depends || excludes, "{} {text} {:#?}", desk.now, desk.journal);
        }
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
