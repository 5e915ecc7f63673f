//! Facts across tickets: who holds how many, whose turn it is. A fold over the journal, like the tickets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Event, Fact, Name, Ticket};

/// What `least busy`, `longest idle`, `next in` and capacities need to know.
///
/// There is one writer, so these facts are consistent at every decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// By person; who is not in it holds nothing and never did.
    pub people: BTreeMap<Name, Load>,
    /// By group: who was served last by its round robin.
    pub turns: BTreeMap<Name, Name>,
}

/// What one person holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Positions of open tickets that the person is answerable for.
    pub open: u32,
    /// When the person was last made answerable for one.
    #[serde(with = "crate::instant::option", default)]
    pub last_given: Option<Timestamp>,
}

impl Workload {
    /// What the person holds.
    pub fn of(&self, person: &str) -> Load {
        self.people.get(person).copied().unwrap_or_default()
    }

    /// Follows one event: `before` and `after` are the ticket without and with it.
    pub fn follow(&mut self, before: &Ticket, event: &Event, after: &Ticket) {
        if let Fact::Hopped(hop) = &event.fact
            && let (Some(group), Some(person)) = (&hop.turn_of, hop.holder.answerable())
        {
            self.turns.insert(group.clone(), person.clone());
        }
        for (branch, person) in before.answerable() {
            let kept = after
                .positions
                .get(branch)
                .and_then(|position| position.holder.answerable());
            if kept != Some(person) {
                let load = self.people.entry(person.clone()).or_default();
                load.open = load.open.saturating_sub(1);
            }
        }
        for (branch, person) in after.answerable() {
            let had = before
                .positions
                .get(branch)
                .and_then(|position| position.holder.answerable());
            if had != Some(person) {
                let load = self.people.entry(person.clone()).or_default();
                load.open += 1;
                load.last_given = Some(event.at);
            }
        }
    }
}
