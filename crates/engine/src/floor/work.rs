//! Commands: one ticket's, those that follow for others, and those of time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use upline_core::decide::{MAX_ID_BYTES, Migration, migrate};
use upline_core::{Actor, Command, Context, Event, Name, Rejection, Wish, Workflow, decide};
use upline_lab::world::{Consequence, Refusal, is_too_deep};

use super::{Done, Fault, Floor, Incident, Request, Target};
use crate::record::{Entry, Moved, Number, Record, Settled};
use crate::store::{Seen, Store, StoreError};

/// About how many bytes an event has in the journal, so that a commit stays below its limit.
const EVENT_BYTES: usize = 512;

impl Floor {
    /// Opens a ticket of the newest version of `workflow`. An empty id in the wish is filled by the engine.
    pub(crate) fn open(
        &mut self,
        store: &mut dyn Store,
        workflow: &str,
        request: &Request,
    ) -> Result<Done, Fault> {
        if let Some(done) = self.done_before(request)? {
            return Ok(done);
        }
        let done = self.open_now(store, workflow, request)?;
        self.settle(store)?;
        Ok(done)
    }

    /// What a command does to a ticket, and all that follows from it at the same instant.
    pub(crate) fn submit(
        &mut self,
        store: &mut dyn Store,
        target: &Target,
        request: &Request,
    ) -> Result<Done, Fault> {
        if let Some(done) = self.done_before(request)? {
            return Ok(done);
        }
        let number = self.find(target).ok_or_else(|| self.not_there(target))?;
        let done = self.command(store, number, request)?;
        self.settle(store)?;
        Ok(done)
    }

    /// The answer to a command that was carried out already.
    fn done_before(&mut self, request: &Request) -> Result<Option<Done>, Fault> {
        let Some((id, wish)) = request.id else {
            return Ok(None);
        };
        match self.commands.get(&id) {
            None => Ok(None),
            Some((known, _)) if known != wish => Err(Fault::OtherWish),
            Some((_, done)) => Ok(Some(done)),
        }
    }

    pub(super) fn not_there(&self, target: &Target) -> Fault {
        match target {
            Target::Id(id) if self.was_given(id) => Rejection::HasEnded.into(),
            Target::Id(_) | Target::Key { .. } => Rejection::NotOpen.into(),
        }
    }

    pub(super) fn open_now(
        &mut self,
        store: &mut dyn Store,
        workflow: &str,
        request: &Request,
    ) -> Result<Done, Fault> {
        let found = self.workflows.newest(workflow).cloned();
        let workflow = found.ok_or_else(|| Refusal::NoSuchWorkflow {
            workflow: Name::new(workflow),
        })?;
        let number = self.last_number + 1;
        let mut request = request.clone();
        let Wish::Open { ticket, key, .. } = &mut request.command.wish else {
            return Err(Rejection::NotOpen.into());
        };
        if ticket.is_empty() {
            *ticket = Name::new(number.to_string());
        } else if self.find_id(ticket).is_some() {
            return Err(Rejection::AlreadyOpen.into());
        } else if super::links::number_of(ticket).is_some() {
            let limit = MAX_ID_BYTES;
            return Err(Rejection::BadId { limit }.into());
        }
        if let Some(key) = key
            && let Some(open) = self
                .keys
                .get(&super::links::key(&workflow.name, key))
                .copied()
        {
            let ticket = self.record(store, open)?.ticket.id.clone();
            let key = key.clone();
            return Err(Refusal::SameKey { key, ticket }.into());
        }
        let events = self.decided(&Record::new(number, 0), &workflow, &request.command)?;
        let key = store.new_key().map_err(Fault::Store)?;
        self.last_number = number;
        self.hot.put(number, Box::new(Record::new(number, key)));
        self.apply(number, events, &request)
    }

    pub(super) fn command(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        request: &Request,
    ) -> Result<Done, Fault> {
        let record = self.record(store, number)?;
        if let Some(why) = &record.set_aside {
            return Err(Fault::SetAside(why.clone()));
        }
        let revision = record.ticket.revision;
        if request.expected.is_some_and(|seen| seen != revision) {
            return Err(Fault::Changed { revision });
        }
        let workflow = self.workflow_of(number)?;
        let Some(record) = self.hot.peek(&number) else {
            return Err(Rejection::NotOpen.into());
        };
        let events = self.decided(record, &workflow, &request.command);
        let events = match events {
            Err(Fault::SetAside(why)) => {
                self.set_aside(number, why.clone());
                return Err(Fault::SetAside(why));
            }
            other => other?,
        };
        self.apply(number, events, request)
    }

    pub(super) fn workflow_of(&self, number: Number) -> Result<Arc<Workflow>, Fault> {
        let record = self.hot.peek(&number);
        let ticket = &record.ok_or(Rejection::NotOpen)?.ticket;
        let found = self.workflows.version(&ticket.workflow, ticket.version);
        found.cloned().ok_or_else(|| Fault::no_version(ticket))
    }

    pub(super) fn context<'a>(&'a self, workflow: &'a Workflow) -> Result<Context<'a>, Fault> {
        Ok(Context {
            now: self.timestamp(),
            workflow,
            directory: self.directory.as_ref().ok_or(Fault::NoDirectory)?,
            workload: &self.workload,
        })
    }

    /// Decides. A decision that panics is a ticket that is set aside: all others go on.
    fn decided(
        &self,
        record: &Record,
        workflow: &Workflow,
        command: &Command,
    ) -> Result<Vec<Event>, Fault> {
        let context = self.context(workflow)?;
        let decided = catch_unwind(AssertUnwindSafe(|| {
            decide(&context, &record.ticket, command)
        }));
        match decided {
            Ok(decided) => decided.map_err(Fault::from),
            Err(panic) => Err(Fault::SetAside(said(&*panic))),
        }
    }

    /// Moves a ticket to another version of its workflow. With `dry`, says what would happen and changes
    /// nothing.
    pub(crate) fn migrate(
        &mut self,
        store: &mut dyn Store,
        target: &Target,
        version: u32,
        plan: &Migration,
        by: &Actor,
        dry: bool,
    ) -> Result<Vec<Event>, Fault> {
        let number = self.find(target).ok_or_else(|| self.not_there(target))?;
        self.fetch(store, number)?;
        let from = self.workflow_of(number)?;
        let to = self.workflows.version(&from.name, version).cloned();
        let to = to.ok_or_else(|| Refusal::NoSuchWorkflow {
            workflow: Name::new(format!("{} version {version}", from.name)),
        })?;
        let context = self.context(&from)?;
        let record = self.hot.peek(&number).ok_or(Rejection::NotOpen)?;
        let events = migrate(&context, &to, &record.ticket, plan, by)?;
        if !dry {
            let command = Command {
                by: by.clone(),
                branch: None,
                wish: Wish::Recheck,
            };
            self.apply(number, events.clone(), &Request::own(command, "migrate"))?;
            self.settle(store)?;
        }
        Ok(events)
    }

    /// Takes the events in: the ticket, the people's load, the clocks, what follows for others.
    fn apply(
        &mut self,
        number: Number,
        events: Vec<Event>,
        request: &Request,
    ) -> Result<Done, Fault> {
        let now = self.now;
        let Some(mut record) = self.hot.pop(&number) else {
            return Err(Rejection::NotOpen.into());
        };
        let before = record.ticket.revision;
        for event in &events {
            record.follow(event, now, &mut self.workload);
            self.consequences
                .extend(Consequence::of(&record.ticket, event));
        }
        let done = Done {
            number,
            id: record.ticket.id.clone(),
            revision: record.ticket.revision,
            again: false,
        };
        if events.is_empty() && request.id.is_none() {
            self.hot.put(number, record);
            return Ok(done);
        }
        let moved = Moved {
            number,
            key: record.key,
            previous: (before > 0).then_some(record.last),
            revision: before,
            command: request.id,
            origin: request.origin.clone(),
            events,
            sealed: Vec::new(),
            settled: Vec::new(),
        };
        if !record.unsent.is_empty() {
            self.unsent.push(number);
        }
        self.link(&record);
        self.hot.put(number, record);
        self.note(moved);
        if let Some((id, wish)) = request.id {
            self.remember(Seen {
                id,
                wish,
                at: now,
                number,
                ticket: done.id.clone(),
                revision: done.revision,
            });
        }
        Ok(done)
    }

    fn note(&mut self, moved: Moved) {
        self.bytes += EVENT_BYTES * (1 + moved.events.len());
        self.changed.insert(moved.number);
        self.entries.push(Entry::Moved(moved));
    }

    /// Takes in a report of a machine, whose refusal is the operator's to know.
    pub(crate) fn report(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        command: Command,
    ) -> Result<(), Fault> {
        self.tell(store, number, command, "outbox")?;
        self.settle(store)
    }

    /// Destroys the ticket's key: what is personal in it can't be read any more. Only of one that has ended,
    /// since whoever works on an open one must read it.
    pub(crate) fn erase(
        &mut self,
        store: &mut dyn Store,
        ticket: &Name,
        by: Name,
    ) -> Result<(), Fault> {
        let number = super::links::number_of(ticket);
        let number = number.or_else(|| self.find_id(ticket));
        let number = number.ok_or(Rejection::NotOpen)?;
        self.fetch(store, number)?;
        let record = self.hot.get_mut(&number).ok_or(Rejection::NotOpen)?;
        if record.ticket.is_open() {
            return Err(Fault::StillOpen);
        }
        record.ticket.fields.clear();
        store.destroy_key(record.key).map_err(Fault::Store)?;
        self.changed.insert(number);
        self.entries.push(Entry::Erased { number, by });
        Ok(())
    }

    /// The same for one that ended long ago and is in no hot table any more.
    pub(crate) fn erase_ended(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        key: u32,
        by: Name,
    ) -> Result<(), Fault> {
        if self.links.contains_key(&number) {
            return self.erase(store, &Name::new(number.to_string()), by);
        }
        store.destroy_key(key).map_err(Fault::Store)?;
        self.entries.push(Entry::Erased { number, by });
        Ok(())
    }

    /// The fates of messages became known.
    pub(crate) fn settled(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        settled: Vec<Settled>,
    ) -> Result<(), Fault> {
        self.fetch(store, number)?;
        let Some(record) = self.hot.get_mut(&number) else {
            return Ok(());
        };
        let known = |one: &Settled| {
            let mut unsent = record.unsent.iter();
            unsent.any(|unsent| unsent.notice.id == one.notice)
        };
        let settled: Vec<Settled> = settled.into_iter().filter(known).collect();
        if settled.is_empty() {
            return Ok(());
        }
        settled.iter().for_each(|one| record.settle(one));
        let moved = Moved {
            number,
            key: record.key,
            previous: Some(record.last),
            revision: record.ticket.revision,
            command: None,
            origin: Name::new_static("outbox"),
            events: Vec::new(),
            sealed: Vec::new(),
            settled,
        };
        let record = record.clone();
        self.link(&record);
        self.note(moved);
        Ok(())
    }

    /// Carries out what follows for other tickets, at the same instant, until nothing follows any more.
    pub(super) fn settle(&mut self, store: &mut dyn Store) -> Result<(), Fault> {
        while let Some(next) = self.consequences.pop_front() {
            match next {
                Consequence::Open { workflow, command } => {
                    let Wish::Open { ticket, .. } = &command.wish else {
                        continue;
                    };
                    let ticket = ticket.clone();
                    let opened = match is_too_deep(&ticket) {
                        true => Err(Refusal::TooDeep.into()),
                        false => self.open_now(store, &workflow, &Request::own(command, "call")),
                    };
                    self.heard(&ticket, opened)?;
                }
                Consequence::Tell { ticket, command } => {
                    if let Some(number) = self.find_id(&ticket) {
                        self.tell(store, number, command, "call")?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a command that nobody waits for the answer of.
    pub(super) fn tell(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        command: Command,
        origin: &'static str,
    ) -> Result<(), Fault> {
        let done = self.command(store, number, &Request::own(command, origin));
        let id = self
            .hot
            .peek(&number)
            .map(|record| record.ticket.id.clone());
        let id = id.unwrap_or_else(|| Name::new(number.to_string()));
        self.heard(&id, done)
    }

    /// A refusal that nobody waits for is the operator's to know; a store that fails ends the commit.
    pub(super) fn heard(&mut self, ticket: &Name, done: Result<Done, Fault>) -> Result<(), Fault> {
        let why = match done {
            Ok(_) => return Ok(()),
            Err(Fault::Store(StoreError::Ticket { number, why })) => {
                self.set_aside(number, why);
                return Ok(());
            }
            Err(Fault::Store(error)) => return Err(Fault::Store(error)),
            // It was told when it was set aside.
            Err(Fault::SetAside(_)) => return Ok(()),
            Err(Fault::Refused(refusal)) => refusal.to_string(),
            Err(
                Fault::Changed { .. } | Fault::OtherWish | Fault::NoDirectory | Fault::StillOpen,
            ) => return Ok(()),
        };
        let ticket = ticket.clone();
        self.incidents.push(Incident::Refused { ticket, why });
        Ok(())
    }
}

/// What a panic has said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the decision was broken off").to_owned()
}
