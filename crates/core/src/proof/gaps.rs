//! Coverage: when a phrase finds nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::hops::{fixed, is_excluded, members};
use super::served::{Interval, Line, Served, add, common, without};
use super::{Asked, Gap, GapWhy, Problem, ProblemKind};
use crate::ticket::Level;
use crate::workflow::{Assign, Ladder};
use crate::{Base, Calendar, Directory, Name, Person, Schedule, Who, Workflow};

/// Where one phrase is asked.
struct Phrase<'a> {
    assign: &'a Assign,
    asked: Vec<Asked>,
    /// Whether it is asked outside of the open hours, too.
    all_day: bool,
}

/// When nobody is found, and why.
struct Missing {
    why: GapWhy,
    times: Vec<Interval>,
}

/// The gaps of all phrases that ask somebody, in the order in which the author asks them.
pub(super) fn gaps(
    workflow: &Workflow,
    directory: &Directory,
    year: Interval,
    problems: &mut Vec<Problem>,
) -> Vec<Gap> {
    let calendar = workflow
        .calendar
        .as_ref()
        .and_then(|name| directory.calendars.get(name));
    let mut gaps = Vec::new();
    for phrase in phrases(workflow) {
        let Some(missing) = missing(directory, &phrase.assign.who, year) else {
            continue;
        };
        let always = missing.times == [year];
        let hours = calendar.filter(|calendar| !phrase.all_day && !calendar.is_always_open());
        let intervals = match hours {
            None => missing.times,
            Some(calendar) => open_hours(calendar, &missing.times),
        };
        let length = |(from, to): &Interval| to.as_second() - from.as_second();
        let seconds = intervals.iter().map(length).sum();
        if seconds > 0 || always {
            let who = phrase.assign.text.clone();
            let (asked, why) = (phrase.asked, missing.why);
            let intervals = if always { vec![year] } else { intervals };
            gaps.push(Gap {
                who,
                asked,
                why,
                intervals,
                seconds,
                always,
            });
        }
    }
    hopeless(workflow, &gaps, problems);
    gaps
}

/// Each phrase once, with all places where it is asked.
fn phrases(workflow: &Workflow) -> Vec<Phrase<'_>> {
    let mut phrases = Phrases::default();
    let mut ladders = BTreeSet::new();
    for name in &workflow.state_order {
        let Some(work) = workflow.work(name) else {
            continue;
        };
        if let Some(assign) = &work.assign {
            let asked = Asked {
                state: Some(name.clone()),
                ladder: None,
                level: Level::Entry,
                place: assign.place.clone(),
            };
            phrases.add(assign, false, asked);
        }
        for choice in &work.escalate {
            let Some(ladder) = workflow.ladders.get(&choice.ladder) else {
                continue;
            };
            if !ladders.insert(&choice.ladder) {
                continue;
            }
            // A clock around the clock may pass several levels at night.
            let all_day = ladder
                .levels
                .iter()
                .any(|level| level.after.around_the_clock);
            for (assign, asked) in levels(ladder) {
                phrases.add(assign, all_day, asked);
            }
        }
    }
    phrases.list
}

#[derive(Default)]
struct Phrases<'a> {
    list: Vec<Phrase<'a>>,
    known: BTreeMap<(&'a Name, bool), usize>,
}

impl<'a> Phrases<'a> {
    fn add(&mut self, assign: &'a Assign, all_day: bool, asked: Asked) {
        let number = *self
            .known
            .entry((&assign.text, all_day))
            .or_insert(self.list.len());
        match self.list.get_mut(number) {
            Some(phrase) => phrase.asked.push(asked),
            None => self.list.push(Phrase {
                assign,
                asked: vec![asked],
                all_day,
            }),
        }
    }
}

fn levels(ladder: &Ladder) -> impl Iterator<Item = (&Assign, Asked)> {
    let levels = ladder.levels.iter().enumerate();
    levels.filter_map(|(number, level)| {
        let assign = level.assign.as_ref()?;
        let asked = Asked {
            state: None,
            ladder: Some(ladder.name.clone()),
            level: Level::Number(u16::try_from(number + 1).unwrap_or(u16::MAX)),
            place: assign.place.clone(),
        };
        Some((assign, asked))
    })
}

/// Ladders on which nobody is ever found.
fn hopeless(workflow: &Workflow, gaps: &[Gap], problems: &mut Vec<Problem>) {
    let mut lost: BTreeMap<&Name, usize> = BTreeMap::new();
    let asked = gaps
        .iter()
        .filter(|gap| gap.always)
        .flat_map(|gap| &gap.asked);
    for ladder in asked.filter_map(|asked| asked.ladder.as_ref()) {
        *lost.entry(ladder).or_default() += 1;
    }
    for (name, lost) in lost {
        let Some(ladder) = workflow.ladders.get(name) else {
            continue;
        };
        if levels(ladder).count() == lost {
            problems.push(Problem {
                kind: ProblemKind::HopelessLadder,
                path: Vec::new(),
                place: ladder.place.clone(),
                text: format!("no level of the ladder `{name}` ever finds anybody"),
            });
        }
    }
}

fn open_hours(calendar: &Calendar, times: &[Interval]) -> Vec<Interval> {
    let mut open = Vec::new();
    for (from, to) in times {
        for opening in calendar.openings(*from, *to) {
            add(&mut open, opening);
        }
    }
    open
}

/// When the phrase, with all its alternatives, finds nobody. `None`: never, or it depends on the ticket.
fn missing(directory: &Directory, who: &Who, year: Interval) -> Option<Missing> {
    let mut all: Option<Missing> = None;
    let mut phrase = Some(who);
    while let Some(who) = phrase {
        let missing = missing_one(directory, who, year)?;
        let times = match &all {
            None => missing.times,
            Some(all) => common(&all.times, &missing.times),
        };
        if times.is_empty() {
            return None;
        }
        let why = all.map_or(missing.why, |all| all.why);
        all = Some(Missing { why, times });
        phrase = who.otherwise.as_deref();
    }
    all
}

fn missing_one(directory: &Directory, who: &Who, year: Interval) -> Option<Missing> {
    let mut line = Line::new(directory, who, year);
    let lost = |why| {
        let times = vec![year];
        Some(Missing { why, times })
    };
    let (asked, schedule): (Vec<&Name>, Option<&Name>) = match &who.base {
        Base::Assignee | Base::Opener | Base::WhoDid(_) | Base::Named(_) => return None,
        Base::Contact(_) => return lost(GapWhy::Nobody),
        Base::OnCall(schedule) => (directory.people.keys().collect(), Some(schedule)),
        base => match members(directory, base) {
            Some(members) => {
                let group = base.group().and_then(|group| directory.groups.get(group));
                let schedule = group.and_then(|group| group.schedule.as_ref());
                (members.iter().collect(), schedule)
            }
            None => (fixed(directory, base).into_iter().collect(), None),
        },
    };
    let Some(schedule) = schedule else {
        let mut times = vec![year];
        for person in &asked {
            match line.served(person) {
                Served::Always => return None,
                Served::Never => (),
                Served::At(served) => times = without(&times, served),
            }
        }
        let why = why(directory, who, &asked);
        return (!times.is_empty()).then_some(Missing { why, times });
    };
    let Some(schedule) = directory.schedules.get(schedule) else {
        return lost(GapWhy::Nobody);
    };
    let shifts = members(directory, &who.base).is_some();
    let times = off_duty(schedule, &asked, shifts, &mut line, year);
    let why = match times == [year] {
        true => why(directory, who, &asked),
        false => GapWhy::Away,
    };
    (!times.is_empty()).then_some(Missing { why, times })
}

/// When none of those on duty can be asked; of a group, none of those on shift.
fn off_duty<'a>(
    schedule: &Schedule,
    asked: &[&'a Name],
    shifts: bool,
    line: &mut Line<'a>,
    (from, to): Interval,
) -> Vec<Interval> {
    let asked: BTreeSet<&'a Name> = asked.iter().copied().collect();
    let mut gaps = Vec::new();
    let mut shift = |on_duty: &[Name], shift: Interval| {
        let mut left = vec![shift];
        for person in on_duty {
            let Some(person) = asked.get(person) else {
                continue;
            };
            let served = match shifts {
                true => line.on_shift(person, schedule, on_duty),
                false => line.served(person).clone(),
            };
            match served {
                Served::Always => return,
                Served::Never => (),
                Served::At(served) => left = without(&left, &served),
            }
        }
        left.into_iter().for_each(|gap| add(&mut gaps, gap));
    };
    let (mut on_duty, mut begin) = (schedule.on_duty(from), from);
    for handoff in schedule.handoffs(from, to) {
        shift(&on_duty, (begin, handoff.at.max(from)));
        (on_duty, begin) = (handoff.on_duty, handoff.at.max(from));
    }
    shift(&on_duty, (begin, to));
    gaps
}

/// What it is that leaves nobody.
fn why(directory: &Directory, who: &Who, asked: &[&Name]) -> GapWhy {
    let people: Vec<&Person> = asked
        .iter()
        .filter_map(|person| directory.people.get(*person))
        .collect();
    let skilled = |person: &&Person| who.skills.iter().all(|skill| person.skills.contains(skill));
    let wanted = |person: &&Person| !is_excluded(directory, who, &person.id);
    let told = |person: &&Person| !person.channels.is_empty();
    let mut left = people;
    if left.is_empty() {
        return GapWhy::Nobody;
    }
    left.retain(skilled);
    if left.is_empty() {
        return GapWhy::Skills;
    }
    left.retain(wanted);
    if left.is_empty() {
        return GapWhy::Excluded;
    }
    left.retain(told);
    if left.is_empty() {
        return GapWhy::Unreachable;
    }
    GapWhy::Away
}
