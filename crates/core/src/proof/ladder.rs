//! A ladder as chains: what must pass, at most, until each of its levels is asked.

use super::chain::{Chain, Hours, Item};
use super::hops::People;
use super::measure::Measure;
use crate::decide::REMIND_SECONDS;
use crate::ticket::Level;
use crate::workflow::{self, Ladder, Work};
use crate::{Base, Name, Place, Span};

/// A level, and what must pass until it is asked.
#[derive(Clone)]
pub(super) struct Rung {
    pub(super) level: Level,
    pub(super) who: Option<Name>,
    pub(super) place: Place,
    pub(super) hops: u32,
    pub(super) until: Chain,
}

/// What a ladder's proof needs to know.
pub(super) struct Climb<'m, 'a> {
    pub(super) work: &'a Work,
    pub(super) ladder: &'a Ladder,
    pub(super) measure: &'m mut Measure<'a>,
    pub(super) people: &'m mut People<'a>,
    /// How often somebody may have to stand in for who keeps the ticket, before the first level is asked.
    pub(super) stand_ins: u64,
}

/// How many people each level asks.
struct Hops {
    /// By level, from the first.
    all: Vec<u32>,
    /// If somebody was found on entering, he has had it, and these levels don't ask him again.
    spared: Vec<bool>,
    /// Whether it matters which of the clocks between two hops a link without login holds: not where all of
    /// them count alike. Where it does, each is taken to be held.
    mixed: bool,
}

/// How a round may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// The state's phrase finds somebody.
    Found,
    /// It finds nobody: the first level at once.
    Nobody,
    /// No less than either.
    Either,
    /// With this level, at once.
    Back(usize),
}

impl Climb<'_, '_> {
    /// Each level, and what must pass until the last resort is answerable.
    pub(super) fn chains(&mut self) -> (Vec<Rung>, Chain) {
        let hops = self.hops();
        let count = self.ladder.levels.len();
        let mut rungs = vec![Rung {
            level: Level::Entry,
            who: self.work.assign.as_ref().map(|assign| assign.text.clone()),
            place: match &self.work.assign {
                Some(assign) => assign.place.clone(),
                None => Place::default(),
            },
            hops: 1,
            until: Chain::default(),
        }];
        let rounds = self.rounds(&hops);
        for (index, level) in self.ladder.levels.iter().enumerate() {
            rungs.push(Rung {
                level: Level::Number(u16::try_from(index + 1).unwrap_or(u16::MAX)),
                who: level.assign.as_ref().map(|assign| assign.text.clone()),
                place: level.place.clone(),
                hops: self.most_hops(&hops, index),
                until: self.worst(&hops, &rounds, index),
            });
        }
        let mut all = self.worst(&hops, &rounds, count);
        if self.ladder.repeat > 0 {
            let again = match self.back_to() {
                Some(level) => self.round(&hops, Begin::Back(level), count),
                None => self.worst(&hops, &rounds, count),
            };
            all = self.repeated(&all, &again);
        }
        (rungs, all)
    }

    /// The level, from 0, that a further round begins with.
    fn back_to(&self) -> Option<usize> {
        let level = self.ladder.back_to?;
        // What is no level's number asks whom the state asks.
        u16::try_from(level).ok()?;
        level.checked_sub(1)
    }

    fn repeated(&self, first: &Chain, again: &Chain) -> Chain {
        let day = self.measure.day;
        let times = u64::from(self.ladder.repeat);
        // A few rounds keep their form; of many, what they take is counted as open time.
        let exact = times.min(4);
        let mut all = first.clone();
        if times > exact {
            let mut coarse = again.clone();
            coarse.coarsen(day);
            for item in coarse.items() {
                all.push_times(*item, None, times - exact, day);
            }
        }
        for _ in 0..exact {
            all = all.then(again, day);
        }
        all
    }

    /// How rounds that begin with the state's own phrase may begin.
    fn rounds(&self, hops: &Hops) -> Vec<Begin> {
        match self.work.assign {
            Some(_) if hops.spared.contains(&true) => vec![Begin::Found, Begin::Nobody],
            Some(_) | None => vec![Begin::Found],
        }
    }

    /// What must pass at most until a level: whichever of the ways to begin takes longer.
    fn worst(&mut self, hops: &Hops, rounds: &[Begin], level: usize) -> Chain {
        let mut worst: Option<Chain> = None;
        for begin in rounds {
            let chain = self.round(hops, *begin, level);
            worst = Some(match worst {
                None => chain,
                Some(other) if other.fits(&chain) => chain,
                Some(other) if chain.fits(&other) => other,
                Some(_) => self.round(hops, Begin::Either, level),
            });
        }
        worst.unwrap_or_default()
    }

    /// What must pass in a round until a level; for the number of levels, until the round is over.
    fn round(&mut self, hops: &Hops, begin: Begin, level: usize) -> Chain {
        let mut chain = Chain::default();
        let (hold, day) = (self.measure.hours.hold(), self.measure.day);
        let first = match begin {
            Begin::Back(first) => first,
            Begin::Nobody => 0,
            Begin::Found | Begin::Either => {
                let after = self.item(self.after(0));
                chain.push_times(after, Some(hold), self.stand_ins.saturating_add(1), day);
                0
            }
        };
        if let Begin::Back(first) = begin
            && first >= self.ladder.levels.len()
        {
            // No such level: it asks whom the state asks, for the time of the last level.
            chain.push(self.item(self.after(self.ladder.levels.len())));
            chain.push(hold);
        }
        // Who had the ticket on entering has it still, and a link of his may hold the ladder once.
        let mut unheld = begin == Begin::Nobody;
        for index in first..level {
            let spared = begin == Begin::Found && hops.spared.get(index) == Some(&true);
            let count = hops.all.get(index).copied().unwrap_or(1);
            let count = u64::from(count) - u64::from(spared).min(u64::from(count));
            self.dwell(&mut chain, index, count);
            let asks = self
                .ladder
                .levels
                .get(index)
                .map(|level| level.assign.is_some());
            if asks == Some(false) && (unheld || hops.mixed) {
                chain.push(hold);
            }
            unheld &= asks == Some(true) && count == 0;
            chain.settle(day);
        }
        chain
    }

    /// What passes on a level until the next one is asked, if `hops` people are asked.
    fn dwell(&self, chain: &mut Chain, index: usize, hops: u64) {
        let Some(level) = self.ladder.levels.get(index) else {
            return;
        };
        let next = self.item(self.after(index + 1));
        let hold = self.measure.hours.hold();
        let Some(assign) = &level.assign else {
            chain.push(next);
            return;
        };
        let otherwise = assign.who.otherwise.is_some();
        if hops == 0 && !otherwise {
            return;
        }
        if hops > 1 {
            let colleague = self.item(level.after);
            chain.push_times(colleague, Some(hold), hops - 1, self.measure.day);
        }
        chain.push(next);
        chain.push(hold);
    }

    fn item(&self, span: Span) -> Item {
        self.measure.hours.item(span)
    }

    /// How long whoever was asked before a level has; after the last level, its own time again.
    fn after(&self, index: usize) -> Span {
        let levels = &self.ladder.levels;
        levels
            .get(index)
            .or(levels.last())
            .map_or(Span::seconds(REMIND_SECONDS), |level| level.after)
    }

    fn hops(&mut self) -> Hops {
        let assign = self.work.assign.as_ref();
        let entry = assign.and_then(|assign| self.people.found(&assign.who));
        let (mut all, mut spared) = (Vec::new(), Vec::new());
        for level in &self.ladder.levels {
            let (mut hops, mut had) = (u32::from(level.assign.is_some()), false);
            if let Some(assign) = asks_another(level)
                && let Some(asked) = self.people.asked(&assign.who)
            {
                hops = u32::try_from(asked.len()).unwrap_or(u32::MAX);
                had = entry.as_ref().is_some_and(|entry| entry.is_subset(asked));
            }
            all.push(hops);
            spared.push(had);
        }
        let mut items = (0..=self.ladder.levels.len()).map(|index| self.item(self.after(index)));
        let open = items.all(|item| matches!(item, Item::Open(_)));
        let always = matches!(self.measure.hours, Hours::Always { .. });
        Hops {
            all,
            spared,
            mixed: !open && !always,
        }
    }

    /// How many people the level asks at most, in the table.
    fn most_hops(&self, hops: &Hops, index: usize) -> u32 {
        let all = hops.all.get(index).copied().unwrap_or(0);
        let otherwise = self.ladder.levels.get(index).is_some_and(|level| {
            let assign = level.assign.as_ref();
            assign.is_some_and(|assign| assign.who.otherwise.is_some())
        });
        all.max(u32::from(otherwise))
    }
}

fn asks_another(level: &workflow::Level) -> Option<&workflow::Assign> {
    level
        .assign
        .as_ref()
        .filter(|assign| matches!(assign.who.base, Base::AnotherIn(_)))
}
