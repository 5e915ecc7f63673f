//! What is kept of every open ticket at all times: how it is found, who has it, when it is due next.

use std::sync::Arc;

use upline_core::{Name, Ticket};
use upline_lab::world::Rank;

use super::Floor;
use super::standing::Standing;
use super::timers::Due;
use crate::record::{Number, Record};

/// What is kept of one ticket; the rest is in its record.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// Its clock that is due first.
    pub(super) due: Option<Due>,
    /// Who is answerable. Nearly always one.
    holders: Holders,
    /// Where it stands; `None`: it has ended.
    pub(super) standing: Option<Arc<Standing>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Holders {
    #[default]
    Nobody,
    One(Name),
    Many(Box<[Name]>),
}

impl Holders {
    fn of(ticket: &Ticket) -> Self {
        if ticket.ended.is_some() {
            return Self::Nobody;
        }
        let mut all = ticket.answerable().map(|(_, person)| person);
        match (all.next(), all.next()) {
            (None, _) => Self::Nobody,
            (Some(one), None) => Self::One(one.clone()),
            (Some(_), Some(_)) => {
                let all = ticket.answerable().map(|(_, person)| person.clone());
                Self::Many(all.collect())
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Name> {
        match self {
            Self::Nobody => [].iter(),
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
    }
}

impl Floor {
    /// Takes a ticket in, or what has changed of it; one that is neither open nor has messages goes out.
    pub(super) fn link(&mut self, record: &Record) {
        let number = record.number;
        let ticket = &record.ticket;
        let before = self.links.remove(&number).unwrap_or_default();
        let after = Link {
            due: Due::of(record),
            holders: Holders::of(ticket),
            standing: self.standings.moved(before.standing, ticket),
        };
        if before.holders != after.holders {
            for person in before.holders.iter() {
                if let Some(held) = self.held_by.get_mut(person) {
                    held.remove(&number);
                }
            }
            for person in after.holders.iter() {
                self.held_by
                    .entry(person.clone())
                    .or_default()
                    .insert(number);
            }
        }
        if let Some(due) = after.due
            && before.due != after.due
        {
            self.timers.arm(due);
        }
        self.link_names(number, ticket);
        match &record.set_aside {
            Some(why) if ticket.is_open() => self.set_aside.insert(number, why.clone()),
            _ => self.set_aside.remove(&number),
        };
        if record.is_hot() {
            self.links.insert(number, after);
        }
    }

    fn link_names(&mut self, number: Number, ticket: &Ticket) {
        let own = number_of(&ticket.id).is_none() && !ticket.id.is_empty();
        let key = ticket
            .key
            .as_ref()
            .map(|other| key(&ticket.workflow, other));
        if ticket.is_open() {
            if own {
                self.names.insert(hash(&ticket.id), number);
            }
            self.keys.extend(key.map(|key| (key, number)));
        } else {
            if own {
                self.names.remove(&hash(&ticket.id));
            }
            if let Some(key) = key
                && self.keys.get(&key) == Some(&number)
            {
                self.keys.remove(&key);
            }
        }
    }
}

impl Due {
    /// The clock of the ticket that is due first. A ticket that is set aside has none.
    pub(super) fn of(record: &Record) -> Option<Self> {
        if record.set_aside.is_some() || record.ticket.ended.is_some() {
            return None;
        }
        let clock = record.ticket.next_due()?;
        Some(Self::new(
            super::millis_at(clock.due),
            Rank::from(&clock.kind),
            record.number,
            clock.id,
        ))
    }
}

/// The number in an id that the engine has made.
pub(crate) fn number_of(id: &str) -> Option<Number> {
    let digits = !id.is_empty() && !id.starts_with('0') && id.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten()
}

/// A hash that two different texts do not share.
pub(super) fn hash(text: &str) -> u128 {
    shortened(&blake3::hash(text.as_bytes()))
}

/// The same for a workflow's key.
pub(super) fn key(workflow: &str, key: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(workflow.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    shortened(&hasher.finalize())
}

fn shortened(hash: &blake3::Hash) -> u128 {
    let bytes = hash.as_bytes();
    u128::from_le_bytes(std::array::from_fn(|at| bytes[at]))
}
