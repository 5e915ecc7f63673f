//! Where open tickets stand: how many in which state, at which level. Kept at all times, so that no record is
//! read to answer it.

use std::collections::BTreeMap;
use std::sync::Arc;

use upline_core::ticket::Level;
use upline_core::{Name, Ticket};

use super::{Filter, Floor};

/// Where a ticket stands: the state and the level of each of its branches that has not ended.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing {
    workflow: Name,
    places: Vec<(Name, Level)>,
}

impl Standing {
    /// `None`: it has ended.
    fn of(ticket: &Ticket) -> Option<Self> {
        let live = ticket.positions.values().filter(|at| at.ended.is_none());
        ticket.is_open().then(|| Self {
            workflow: ticket.workflow.clone(),
            places: live.map(|at| (at.state.clone(), at.level)).collect(),
        })
    }

    /// Whether the filter's workflow is this, and its state and level are those of one branch.
    pub(super) fn fits(&self, filter: &Filter) -> bool {
        let is_there = |(state, level): &(Name, Level)| {
            filter.state.as_ref().is_none_or(|wanted| wanted == state)
                && filter.level.is_none_or(|wanted| wanted == *level)
        };
        let workflow = filter.workflow.as_ref();
        workflow.is_none_or(|wanted| *wanted == self.workflow)
            && (self.places.iter().any(is_there) || filter.is_anywhere())
    }
}

/// How many tickets stand where.
#[derive(Debug, Default)]
pub(super) struct Standings(BTreeMap<Arc<Standing>, u64>);

impl Standings {
    /// A ticket stands where it does now, and no more where it did before.
    pub(super) fn moved(
        &mut self,
        before: Option<Arc<Standing>>,
        ticket: &Ticket,
    ) -> Option<Arc<Standing>> {
        let after = Standing::of(ticket);
        if before.as_deref() == after.as_ref() {
            return before;
        }
        if let Some(before) = before
            && let Some(count) = self.0.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&before);
            }
        }
        let entry = self.0.entry(Arc::new(after?));
        let shared = Arc::clone(entry.key());
        *entry.or_default() += 1;
        Some(shared)
    }
}

/// How many open tickets are in a state at a level of its ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// Their workflow.
    pub workflow: Name,
    /// The state.
    pub state: Name,
    /// The level.
    pub level: Level,
    /// How many. A ticket with branches counts in each of their places, once.
    pub tickets: u64,
}

impl Floor {
    /// How many open tickets are where: by workflow, state, level.
    pub(crate) fn counts(&self) -> Vec<Count> {
        let mut sums: BTreeMap<(&Name, &Name, Level), u64> = BTreeMap::new();
        for (standing, tickets) in &self.standings.0 {
            let mut places: Vec<_> = standing.places.iter().collect();
            places.sort_unstable();
            places.dedup();
            for (state, level) in places {
                *sums.entry((&standing.workflow, state, *level)).or_default() += tickets;
            }
        }
        let counts = sums.into_iter();
        counts
            .map(|((workflow, state, level), tickets)| Count {
                workflow: workflow.clone(),
                state: state.clone(),
                level,
                tickets,
            })
            .collect()
    }
}
