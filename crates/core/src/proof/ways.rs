//! The ways that silence may take out of a state, and how long each of them takes.

use super::chain::Chain;

/// Most ways that are kept apart. Of more, one is made that takes no less than any of them.
const MAX_WAYS: usize = 8;

/// Where a way ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The last resort is answerable.
    LastResort,
    /// The ticket, or its branch, ends.
    End,
}

/// What must pass, at most, until the last resort is answerable, or there is an end.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) chain: Chain,
    pub(super) stop: Stop,
    /// The state that it leads to first, and which of that state's own ways it goes on by.
    pub(super) next: Option<(usize, usize)>,
    /// Where it goes on after that, one after the other, and by which of that state's whole ways: those
    /// without broken promises.
    pub(super) then: Vec<(usize, usize)>,
}

/// Each of them may be the one that is taken. Empty: there is none that comes to an end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways(Vec<Way>);

impl Ways {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Way> {
        self.0.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Way> {
        self.0.get(index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them comes to an end before the last resort is asked.
    pub(super) fn ends(&self) -> bool {
        self.0.iter().any(|way| way.stop == Stop::End)
    }

    /// Adds a way, unless another with the same stop takes no less.
    pub(super) fn add(&mut self, way: Way, day: i64) {
        let same = |other: &Way| other.stop == way.stop;
        if self
            .0
            .iter()
            .any(|other| same(other) && way.chain.fits(&other.chain))
        {
            return;
        }
        self.0
            .retain(|other| !(same(other) && other.chain.fits(&way.chain)));
        self.0.push(way);
        if self.0.len() > MAX_WAYS {
            let ways = std::mem::take(&mut self.0);
            for mut way in ways {
                way.chain.coarsen(day);
                self.add(way, day);
            }
        }
    }

    /// Adds the ways of `next`, after `chain`. `state` is where they begin.
    pub(super) fn add_after(&mut self, chain: &Chain, state: usize, next: &Self, day: i64) {
        for (index, way) in next.0.iter().enumerate() {
            let way = Way {
                chain: chain.then(&way.chain, day),
                stop: way.stop,
                next: Some((state, index)),
                then: Vec::new(),
            };
            self.add(way, day);
        }
    }

    /// Adds `way`, and after it each of the whole ways of a state.
    pub(super) fn add_on(&mut self, way: &Way, state: usize, whole: &Self, day: i64) {
        for (index, other) in whole.0.iter().enumerate() {
            let way = Way {
                chain: way.chain.then(&other.chain, day),
                stop: other.stop,
                next: way.next,
                then: way.then.iter().copied().chain([(state, index)]).collect(),
            };
            self.add(way, day);
        }
    }
}
