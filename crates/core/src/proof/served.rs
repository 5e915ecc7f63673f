//! When a member can be asked: himself, or whoever stands in for him.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::hops::is_fit;
use crate::directory::MAX_DEPUTY_CHAIN;
use crate::{Directory, Name, Schedule, Who};

/// A time from its first instant to the one after its last.
pub(super) type Interval = (Timestamp, Timestamp);

/// When somebody can be asked within the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Served {
    /// All of it.
    Always,
    /// None of it.
    Never,
    /// These times, in order and apart from each other.
    At(Vec<Interval>),
}

/// Those whom a phrase may ask, each looked at once.
pub(super) struct Line<'a> {
    directory: &'a Directory,
    who: &'a Who,
    year: Interval,
    known: BTreeMap<&'a Name, Known<'a>>,
}

/// When a person can be asked, and who it is then.
struct Known<'a> {
    served: Served,
    /// Only for one for whom somebody stands in.
    there: Vec<(Interval, &'a Name)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(directory: &'a Directory, who: &'a Who, year: Interval) -> Self {
        Self {
            directory,
            who,
            year,
            known: BTreeMap::new(),
        }
    }

    /// When the phrase finds this person, or whoever stands in for him.
    pub(super) fn served(&mut self, person: &'a Name) -> &Served {
        self.known(person)
            .map_or(&Served::Never, |known| &known.served)
    }

    /// The same of a member of a group in a shift. A deputy whom the schedule knows must be on shift, too.
    pub(super) fn on_shift(
        &mut self,
        person: &'a Name,
        schedule: &Schedule,
        on_duty: &[Name],
    ) -> Served {
        let Some(known) = self.known(person) else {
            return Served::Never;
        };
        let binds =
            |there: &Name| there != person && !on_duty.contains(there) && schedule.knows(there);
        if !known.there.iter().any(|(_, there)| binds(there)) {
            return known.served.clone();
        }
        let mut times = Vec::new();
        let there = known.there.iter().filter(|(_, there)| !binds(there));
        there.for_each(|(interval, _)| add(&mut times, *interval));
        match times.is_empty() {
            true => Served::Never,
            false => Served::At(times),
        }
    }

    fn known(&mut self, person: &'a Name) -> Option<&Known<'a>> {
        if !self.known.contains_key(person) {
            let known = self.work_out(person);
            self.known.insert(person, known);
        }
        self.known.get(person)
    }

    fn fits(&self, person: &Name) -> bool {
        let person = self.directory.people.get(person);
        person.is_some_and(|person| is_fit(self.directory, self.who, person))
    }

    fn work_out(&self, person: &'a Name) -> Known<'a> {
        let mut there: Vec<(Interval, &'a Name)> = Vec::new();
        if self.directory.people.contains_key(person) {
            let (from, to) = self.year;
            let edges = self.edges(person);
            let begins: Vec<Timestamp> = [from].into_iter().chain(edges).collect();
            for (number, begin) in begins.iter().enumerate() {
                let end = begins.get(number + 1).copied().unwrap_or(to);
                there.extend(self.there(person, *begin).map(|who| ((*begin, end), who)));
            }
        }
        let mut times: Vec<Interval> = Vec::new();
        there
            .iter()
            .for_each(|(interval, _)| add(&mut times, *interval));
        let served = match times[..] {
            [] => Served::Never,
            [all] if all == self.year => Served::Always,
            _ => Served::At(times),
        };
        if there.iter().all(|(_, who)| *who == person) {
            there.clear();
        }
        Known { served, there }
    }

    /// Whom the phrase finds when it looks at this person.
    fn there(&self, person: &'a Name, at: Timestamp) -> Option<&'a Name> {
        let there = self.directory.stand_in(person, at);
        there.filter(|there| self.fits(there))
    }

    /// When it may change who stands in for a person.
    fn edges(&self, person: &'a Name) -> BTreeSet<Timestamp> {
        let (from, to) = self.year;
        let mut edges = BTreeSet::new();
        let mut seen = BTreeSet::from([person]);
        let mut ahead = vec![person];
        for _ in 0..=MAX_DEPUTY_CHAIN {
            let mut deputies = Vec::new();
            for person in ahead {
                let absences = self.directory.absences.get(person);
                for absence in absences.into_iter().flatten() {
                    if absence.to <= from || to <= absence.from {
                        continue;
                    }
                    let within = [absence.from, absence.to].into_iter();
                    edges.extend(within.filter(|edge| from < *edge && *edge < to));
                    deputies.extend(&absence.deputy);
                }
            }
            deputies.retain(|deputy| seen.insert(deputy));
            ahead = deputies;
        }
        edges
    }
}

/// Adds an interval after the others; one that touches the last makes it longer.
pub(super) fn add(intervals: &mut Vec<Interval>, next: Interval) {
    if next.0 >= next.1 {
        return;
    }
    match intervals.last_mut() {
        Some(last) if last.1 >= next.0 => last.1 = last.1.max(next.1),
        _ => intervals.push(next),
    }
}

/// What is left of intervals without others; both in order and apart from each other.
pub(super) fn without(intervals: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    for (from, to) in intervals {
        let mut at = *from;
        let first = others.partition_point(|other| other.1 <= *from);
        for other in others.iter().skip(first).take_while(|other| other.0 < *to) {
            add(&mut left, (at, other.0));
            at = at.max(other.1);
        }
        add(&mut left, (at, *to));
    }
    left
}

/// What intervals have in common; both in order and apart from each other.
pub(super) fn common(intervals: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut both = Vec::new();
    for (from, to) in intervals {
        let first = others.partition_point(|other| other.1 <= *from);
        for other in others.iter().skip(first).take_while(|other| other.0 < *to) {
            add(&mut both, (other.0.max(*from), other.1.min(*to)));
        }
    }
    both
}
