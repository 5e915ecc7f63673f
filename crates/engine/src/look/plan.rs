//! What a new version of a workflow would change for the tickets that are open.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::decide::Migration;
use upline_core::{Actor, Event, Name, Ticket, evolve};

use super::{Folder, LookError};
use crate::engine::check;
use crate::error::Error;
use crate::floor::{Fault, Target};
use crate::record::{File, Number};
use crate::store::StoreError;

/// What would become of a ticket.
#[derive(Debug)]
#[non_exhaustive]
pub struct Planned {
    /// Its number.
    pub number: Number,
    /// The ticket as it is.
    pub before: Ticket,
    /// What would happen to it, and how it would be then; or why it can't move.
    pub after: Result<(Vec<Event>, Ticket), Error>,
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// How many tickets would move.
    pub movable: u64,
    /// How many can't.
    pub stuck: u64,
    /// How many have the version already.
    pub there: u64,
    /// How many open tickets, of whatever workflow, can't be read: [`doctor`](crate::doctor) says why.
    pub unreadable: u64,
}

/// A folder that is looked at as if a workflow's file had been deployed to it.
pub struct Planning {
    folder: Folder,
    workflow: Name,
    version: u32,
}

impl Planning {
    /// The workflow.
    #[must_use]
    pub fn workflow(&self) -> &Name {
        &self.workflow
    }

    /// The version that tickets would move to.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The states of that version.
    pub fn states(&self) -> impl Iterator<Item = &Name> {
        let workflows = &self.folder.floor.workflows;
        let version = workflows.version(&self.workflow, self.version);
        version
            .into_iter()
            .flat_map(|version| version.states.keys())
    }

    /// The instant that the plan is for.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.folder.now()
    }

    /// As [`Folder::at`].
    pub fn at(&mut self, instant: Timestamp) {
        self.folder.at(instant);
    }

    /// The time zone of the new version's calendar, else UTC.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.folder.zone(&self.workflow, self.version)
    }

    /// What would become of the open tickets of the workflow if they were moved to this version: by the code
    /// that [`Handle::migrate`](crate::Handle::migrate) runs. `each` is shown those that have another
    /// version, in order of their numbers, and how many of how many tickets were looked at; `only` is one
    /// ticket's id.
    ///
    /// # Errors
    /// [`LookError::NoSuchTicket`] if `only` is not open, or is another workflow's; and those of the store.
    pub fn plan(
        &mut self,
        migration: &Migration,
        by: &Actor,
        only: Option<&str>,
        each: &mut dyn FnMut(Planned, u64, u64),
    ) -> Result<Plan, LookError> {
        let numbers: Vec<Number> = match only {
            None => self.folder.floor.numbers(0).collect(),
            Some(id) => vec![self.number(id)?],
        };
        let mut plan = Plan::default();
        let of = numbers.len() as u64;
        for (done, number) in (1..).zip(numbers) {
            let before = match self.open_ticket(number) {
                Ok(Some(before)) => before,
                Ok(None) => continue,
                Err(LookError::Store(StoreError::Ticket { .. })) if only.is_none() => {
                    plan.unreadable += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if before.version == self.version {
                plan.there += 1;
                continue;
            }
            let after = self.moved(&before, migration, by)?;
            match after {
                Ok(_) => plan.movable += 1,
                Err(_) => plan.stuck += 1,
            }
            let planned = Planned {
                number,
                before,
                after,
            };
            each(planned, done, of);
        }
        Ok(plan)
    }

    /// The number of a ticket of the workflow.
    fn number(&mut self, id: &str) -> Result<Number, LookError> {
        let number = self.folder.floor.number(id).ok();
        let ticket = number.map(|number| self.open_ticket(number)).transpose()?;
        match (number, ticket.flatten()) {
            (Some(number), Some(_)) => Ok(number),
            _ => Err(self.folder.no_such(id)),
        }
    }

    /// A ticket, if it is open and of the workflow.
    fn open_ticket(&mut self, number: Number) -> Result<Option<Ticket>, LookError> {
        let (floor, store) = (&mut self.folder.floor, &mut self.folder.store);
        let ticket = &floor.record(store, number)?.ticket;
        let is_it = ticket.is_open() && ticket.workflow == self.workflow;
        Ok(is_it.then(|| ticket.clone()))
    }

    fn moved(
        &mut self,
        before: &Ticket,
        migration: &Migration,
        by: &Actor,
    ) -> Result<Result<(Vec<Event>, Ticket), Error>, LookError> {
        let target = Target::Id(before.id.clone());
        let (floor, store) = (&mut self.folder.floor, &mut self.folder.store);
        match floor.migrate(store, &target, self.version, migration, by, true) {
            Ok(events) => {
                let mut after = before.clone();
                events.iter().for_each(|event| evolve(&mut after, event));
                Ok(Ok((events, after)))
            }
            Err(Fault::Store(error)) => Err(error.into()),
            Err(other) => Ok(Err(other.into())),
        }
    }
}

impl Folder {
    /// As if this file, a workflow, had been deployed: for a plan. The file is checked together with those
    /// that hold, and takes the place of the workflow's text there, whatever its name.
    ///
    /// # Errors
    /// [`LookError::Refused`] with [`Error::Files`] if the file has mistakes, with
    /// [`Error::NoSuchWorkflow`] if it is no workflow, with [`Error::SameVersion`] if tickets may have this
    /// version with another text.
    pub fn with_workflow(mut self, file: File) -> Result<Planning, LookError> {
        let (workflow, version) = self.deploy(file)?;
        Ok(Planning {
            folder: self,
            workflow,
            version,
        })
    }

    /// Deploys the file in memory. The workflow, and its version.
    fn deploy(&mut self, file: File) -> Result<(Name, u32), LookError> {
        let refused = |error| LookError::Refused(Box::new(error));
        let itself = workflow(&file);
        let none = || Error::NoSuchWorkflow {
            workflow: file.name.clone(),
        };
        if itself.is_none() && is_directory(&file, self.now()) {
            return Err(refused(none()));
        }
        // Whatever its name here, it takes the place of the text that holds. One that can't be read would be
        // at odds with that, and its own mistakes come first.
        let other = |known: &&File| match (workflow(known), &itself) {
            (Some((known, _)), Some((name, _))) => known != *name,
            (known, _) => known.is_none(),
        };
        let known = self.floor.files().filter(other);
        let known: Vec<File> = known.cloned().collect();
        let checked = check(known, std::slice::from_ref(&file), self.now()).map_err(refused)?;
        let Some((workflow, version)) = itself.filter(|itself| checked.contains(itself)) else {
            return Err(refused(none()));
        };
        if let Some(known) = self.floor.text_of(&workflow, version)
            && known.text != file.text
        {
            return Err(refused(Error::SameVersion { workflow, version }));
        }
        self.floor.deploy(vec![file]);
        Ok((workflow, version))
    }
}

fn is_directory(file: &File, now: Timestamp) -> bool {
    let alone = upline_dsl::check([(file.name.as_str(), file.text.as_bytes())], now);
    alone.directory.is_some()
}

/// The name and the version of a workflow, if the file is one.
fn workflow(file: &File) -> Option<(Name, u32)> {
    let mut sources = upline_dsl::Sources::new();
    let (name, text) = (file.name.clone(), file.text.as_str());
    let (read, _) = upline_dsl::read_workflow(&mut sources, name, text, None);
    read.map(|read| (read.value.name, read.value.version))
}
