//! What a [`World`](super::World) is made of, and who watches it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use upline_core::{Command, Directory, Event, Name, Rejection, Ticket, Workflow};

use super::MAX_CALL_DEPTH;

/// Sees everything that happens in a [`World`](super::World), in order.
pub trait Observer {
    /// `event` has happened to `ticket`, which is shown with it.
    fn happened(&mut self, ticket: &Ticket, event: &Event);

    /// The world was asked to do something; told before it is done.
    fn asked(&mut self, _asked: impl FnOnce() -> Asked)
    where
        Self: Sized,
    {
    }

    /// The ticket is over, and all that follows from its end has happened. Told by a world that
    /// [keeps only ends](super::World::keeping_only_ends), before it lets the rest go.
    fn over(&mut self, _ticket: &Ticket) {}

    /// A clock, a child's end or an opening by the clock was refused. Commands given to
    /// [`World::submit`](super::World::submit) are not told here: their caller has the answer.
    fn refused(&mut self, _ticket: &Name, _command: &Command, _refusal: &Refusal) {}
}

/// What a world was asked to do, for whoever plays the same in another way.
#[derive(Debug, Clone)]
pub enum Asked {
    /// To open a ticket of this workflow.
    Open(Name, Command),
    /// To do something to this ticket.
    Submit(Name, Command),
    /// To let time pass.
    Until(Timestamp),
    /// To go down.
    Stop,
    /// To come back.
    Start,
    /// To go on with another directory.
    Directory(Arc<Directory>),
}

/// Forgets everything; for replays that look at the tickets only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn happened(&mut self, _ticket: &Ticket, _event: &Event) {}
}

/// Keeps the journal of all tickets, in order.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// What happened, to which ticket.
    pub entries: Vec<Entry>,
    /// What was refused to clocks, children and openings by the clock.
    pub refused: Vec<(Name, Command, Refusal)>,
    /// What the world was asked to do while it was up.
    pub asked: Vec<Asked>,
}

/// One line of a [`Log`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The ticket.
    pub ticket: Name,
    /// What happened to it.
    pub event: Event,
}

impl Log {
    /// The journal of one ticket.
    pub fn of<'a>(&'a self, ticket: &'a str) -> impl Iterator<Item = &'a Event> {
        let mine = self
            .entries
            .iter()
            .filter(move |entry| entry.ticket.as_str() == ticket);
        mine.map(|entry| &entry.event)
    }
}

impl Observer for Log {
    fn happened(&mut self, ticket: &Ticket, event: &Event) {
        self.entries.push(Entry {
            ticket: ticket.id.clone(),
            event: event.clone(),
        });
    }

    fn asked(&mut self, asked: impl FnOnce() -> Asked) {
        self.asked.push(asked());
    }

    fn refused(&mut self, ticket: &Name, command: &Command, refusal: &Refusal) {
        self.refused
            .push((ticket.clone(), command.clone(), refusal.clone()));
    }
}

/// Why a world does not do something. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The ticket's own rules refuse it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A ticket of this key is open: another system tells the same thing twice. It is one ticket; the
    /// second telling changes nothing and learns which ticket it is.
    #[error("the key `{key}` is open as ticket {ticket}")]
    SameKey {
        /// The key.
        key: Name,
        /// The ticket that has it.
        ticket: Name,
    },
    /// No such workflow.
    #[error("there is no workflow `{workflow}`")]
    NoSuchWorkflow {
        /// Which was named.
        workflow: Name,
    },
    /// Too many workflows call one another.
    #[error("workflows call one another more than {MAX_CALL_DEPTH} deep")]
    TooDeep,
    /// The engine is down: see [`World::stop`](super::World::stop).
    #[error("the engine is down")]
    Down,
}

/// All workflows that a world knows, in all their versions.
#[derive(Debug, Clone, Default)]
pub struct Workflows(Arc<BTreeMap<Name, BTreeMap<u32, Arc<Workflow>>>>);

impl Workflows {
    /// Those workflows; of two with the same name and version the later counts.
    pub fn new(workflows: impl IntoIterator<Item = Arc<Workflow>>) -> Self {
        let mut known: BTreeMap<Name, BTreeMap<u32, _>> = BTreeMap::new();
        for workflow in workflows {
            let versions = known.entry(workflow.name.clone()).or_default();
            versions.insert(workflow.version, workflow);
        }
        Self(Arc::new(known))
    }

    /// These and more.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = Arc<Workflow>>) -> Self {
        let known = self.0.values().flat_map(BTreeMap::values).cloned();
        Self::new(known.chain(more))
    }

    /// The version that new tickets get: the highest.
    pub fn newest(&self, name: &str) -> Option<&Arc<Workflow>> {
        self.0.get(name)?.values().next_back()
    }

    /// One version.
    pub fn version(&self, name: &str, version: u32) -> Option<&Arc<Workflow>> {
        self.0.get(name)?.get(&version)
    }

    /// The newest version of each.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Workflow>> {
        self.0
            .values()
            .filter_map(|versions| versions.values().next_back())
    }
}
