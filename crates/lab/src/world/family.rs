//! What one ticket's events mean for others, and what happens to tickets without anybody's command.

use std::sync::Arc;

use jiff::Timestamp;
use upline_core::ticket::Parent;
use upline_core::{Actor, Branch, Command, Event, Fact, Name, Ticket, Typed, Wish};

use super::{Observer, Refusal, World};

/// Longest chain of workflows that call one another. `check` refuses workflows that call themselves, so
/// the bound is met only by workflows that were not checked.
pub const MAX_CALL_DEPTH: usize = 16;

/// What one ticket's event means for another ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// A called workflow is to be opened.
    Open {
        /// The workflow.
        workflow: Name,
        /// What opens it; its wish is [`Wish::Open`].
        command: Command,
    },
    /// A ticket that waits is to learn the end of the one that it waits for.
    Tell {
        /// The ticket that waits.
        ticket: Name,
        /// What tells it.
        command: Command,
    },
}

impl Consequence {
    /// What follows for another ticket from an event; `ticket` is shown with it.
    pub fn of(ticket: &Ticket, event: &Event) -> Option<Self> {
        match &event.fact {
            Fact::Called {
                branch,
                visit,
                workflow,
                fields,
            } => Some(called(ticket, branch, *visit, workflow, typed(fields))),
            Fact::Ended { outcome, .. } => {
                let parent = ticket.parent.clone()?;
                Some(Self::Tell {
                    ticket: parent.ticket,
                    command: Command {
                        by: Actor::System(Name::new("call")),
                        branch: Some(parent.branch),
                        wish: Wish::ChildEnded {
                            visit: parent.visit,
                            outcome: outcome.clone(),
                            fields: typed(&ticket.fields),
                        },
                    },
                })
            }
            _ => None,
        }
    }
}

/// Whoever has the calling step opens the other ticket, so that its `opener` is a person.
fn called(
    ticket: &Ticket,
    branch: &Branch,
    visit: u32,
    workflow: &Name,
    fields: Typed,
) -> Consequence {
    let holder = ticket.positions.get(branch);
    let holder = holder.and_then(|position| position.holder.answerable());
    let by = match holder {
        Some(person) => Actor::Person(person.clone()),
        None => Actor::System(ticket.workflow.clone()),
    };
    let parent = Parent {
        ticket: ticket.id.clone(),
        branch: branch.clone(),
        visit,
    };
    Consequence::Open {
        workflow: workflow.clone(),
        command: Command {
            by,
            branch: None,
            wish: Wish::Open {
                // Unique, and the same when the same visit is told twice.
                ticket: Name::new(format!("{}.{visit}", ticket.id)),
                key: None,
                parent: Some(parent),
                fields,
            },
        },
    }
}

/// Whether the id is of a ticket at the end of a chain of calls that is longer than [`MAX_CALL_DEPTH`].
pub fn is_too_deep(called: &str) -> bool {
    called.matches('.').count() > MAX_CALL_DEPTH
}

impl<O: Observer> World<O> {
    /// Keeps what the world knows about its tickets in step with one event.
    pub(super) fn follow(&mut self, index: usize, event: &Event) {
        let ticket = &self.tickets[index].ticket;
        let key = ticket.key.as_ref();
        let key = key.map(|key| (ticket.workflow.clone(), key.clone()));
        match (&event.fact, key) {
            (Fact::Opened { .. }, Some(key)) => {
                self.keys.insert(key, index);
            }
            (Fact::Ended { .. }, Some(key)) => {
                self.keys.remove(&key);
            }
            _ => (),
        }
        self.consequences.extend(Consequence::of(ticket, event));
        if let (Fact::Ended { .. }, Some(over)) = (&event.fact, &mut self.over) {
            over.push(index);
        }
    }

    /// Carries out what follows for other tickets, at the same instant, until nothing follows any more.
    pub(super) fn settle(&mut self) {
        while let Some(next) = self.consequences.pop_front() {
            match next {
                Consequence::Open { workflow, command } => self.open_child(&workflow, &command),
                Consequence::Tell { ticket, command } => {
                    if let Some(index) = self.names.get(&ticket).copied() {
                        self.tell(index, &command);
                    }
                }
            }
        }
        for index in self.over.as_mut().map(std::mem::take).unwrap_or_default() {
            let ticket = &mut self.tickets[index].ticket;
            self.observer.over(ticket);
            *ticket = Ticket {
                id: std::mem::take(&mut ticket.id),
                workflow: std::mem::take(&mut ticket.workflow),
                version: ticket.version,
                opened: ticket.opened,
                ended: ticket.ended.take(),
                revision: ticket.revision,
                ..Ticket::default()
            };
        }
    }

    fn open_child(&mut self, workflow: &Name, command: &Command) {
        let Wish::Open { ticket, .. } = &command.wish else {
            return;
        };
        let opened = match is_too_deep(ticket) {
            true => Err(Refusal::TooDeep),
            false => self.open_now(workflow, command),
        };
        if let Err(refusal) = opened {
            self.observer.refused(ticket, command, &refusal);
        }
    }

    /// Gives a command that nobody waits for the answer of.
    pub(super) fn tell(&mut self, index: usize, command: &Command) {
        if let Err(refusal) = self.command(index, command) {
            let ticket = &self.tickets[index].ticket.id;
            self.observer.refused(ticket, command, &refusal);
        }
    }

    /// Whoever is away from `from` on loses his tickets now.
    pub(super) fn absence_begins(&mut self, from: Timestamp) {
        let directory = Arc::clone(&self.directory);
        let begins = directory.absences.values().flatten();
        let gone = begins.filter(|absence| absence.from == from);
        let gone: Vec<&Name> = gone.map(|absence| &absence.who).collect();
        for index in 0..self.tickets.len() {
            let ticket = &self.tickets[index].ticket;
            if ticket.is_open() && ticket.answerable().any(|(_, who)| gone.contains(&who)) {
                self.recheck(index);
            }
        }
    }

    /// Whether the holders of all tickets are still there, if another directory has come.
    pub(crate) fn recheck_all(&mut self) {
        if !std::mem::take(&mut self.unchecked) {
            return;
        }
        for index in 0..self.tickets.len() {
            if self.tickets[index].ticket.is_open() {
                self.recheck(index);
            }
        }
        self.settle_now();
    }

    pub(super) fn recheck(&mut self, index: usize) {
        let recheck = Command {
            by: Actor::Clock,
            branch: None,
            wish: Wish::Recheck,
        };
        self.tell(index, &recheck);
    }

    /// Opens the ticket of an `every`. Those that an outage has swallowed are one ticket: the last one.
    pub(super) fn open_by_itself(&mut self, index: usize, due: Timestamp) {
        let mut due = due;
        while let Some(next) = self.openings.next(index, due)
            && next <= self.now
        {
            due = next;
        }
        let (workflow, command) = self.openings.command(index, due);
        if let Err(refusal) = self.open_now(&workflow, &command) {
            let name = &self.openings.name(index);
            self.observer.refused(name, &command, &refusal);
        }
        self.queue_opening(index, due);
    }
}

/// Values as a person would type them.
fn typed<'a, V: ToString + 'a>(values: impl IntoIterator<Item = impl Pair<'a, V>>) -> Typed {
    let values = values.into_iter().map(Pair::pair);
    values
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

/// An entry of a map or of a list.
trait Pair<'a, V> {
    fn pair(self) -> (&'a Name, &'a V);
}

impl<'a, V> Pair<'a, V> for (&'a Name, &'a V) {
    fn pair(self) -> (&'a Name, &'a V) {
        self
    }
}

impl<'a, V> Pair<'a, V> for &'a (Name, V) {
    fn pair(self) -> (&'a Name, &'a V) {
        (&self.0, &self.1)
    }
}
