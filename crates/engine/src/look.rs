//! A look into a data folder that no engine has open, or into a backup: who is answerable for a ticket, what
//! comes next, what a new version of a workflow would change. It is answered by the code that an engine runs,
//! and nothing in the folder is changed: no clock fires, nobody is told, no file is made or written.
//!
//! ```
//! use std::sync::Arc;
//!
//! use upline::Engine;
//! use upline::core::Actor;
//! use upline::disk::RealDisk;
//! use upline::look::{Folder, LookError};
//!
//! # const DESK: &str = "
//! # directory: acme
//! # last-resort: user max
//! # people: { ann: { mail: ann@example.com }, max: { mail: max@example.com } }
//! # ";
//! # const CALL: &str = "
//! # workflow: call
//! # start: asked
//! # ladders: { climb: [{ after: 15 min, assign: user max }] }
//! # states:
//! #   asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
//! #   closed: { end: done }
//! # ";
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::temp_dir().join(format!("upline-look-example-{}", std::process::id()));
//! let engine = Engine::builder().folder(&path)?.file("desk.yaml", DESK).file("call.yaml", CALL);
//! let engine = engine.start().await?;
//! engine.handle().open("call", Actor::Person("max".into()), vec![]).await?;
//! engine.stop().await?;
//!
//! let mut folder = Folder::open(Arc::new(RealDisk::new(&path)), &mut |_| ())?;
//! let ticket = folder.find("1", &mut |_, _| ())?;
//! assert_eq!(folder.explain(&ticket)?.positions[0].answerable, "ann");
//! assert!(matches!(folder.find("2", &mut |_, _| ()), Err(LookError::NoSuchTicket { .. })));
//! # std::fs::remove_dir_all(path)?;
//! # Ok(())
//! # }
//! ```
//!
//! The folder is locked as long as it is looked at, so that no engine writes to it meanwhile: drop it soon.

mod ended;
mod glass;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::{Directory, Event, Name, Ticket, Workflow};
use upline_lab::explain::{Explanation, explain};
use upline_lab::forecast::Horizon;
use upline_lab::render::{Language, Times};
use upline_lab::timeline::Timeline;

use crate::disk::Disk;
use crate::error::Error;
use crate::floor::{Fault, Floor, SetAside, millis_at};
use crate::record::Number;
use crate::store::log::identity;
use crate::store::{LogOptions, LogStore, StoreError};
use crate::vault::system_entropy;
use glass::Glass;

pub use plan::{Plan, Planned, Planning};

/// How often it is told how far the reading has come.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// What goes wrong with a look.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// The folder can't be read: another process has it, it is damaged, something else's, of another format.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There never was such a ticket.
    #[error("there is no ticket `{ticket}`")]
    NoSuchTicket {
        /// Which was named.
        ticket: Name,
        /// The last number that was given to a ticket; 0: none was.
        last: Number,
    },
    /// The ticket has ended, and its first commits were removed from the journal.
    #[error("ticket `{ticket}` has ended, and the journal does not reach back to its beginning")]
    Removed {
        /// Which.
        ticket: Name,
    },
    /// An engine would refuse it with the same words.
    #[error(transparent)]
    Refused(Box<Error>),
}

impl From<Fault> for LookError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => Self::Store(error),
            other => Self::Refused(Box::new(other.into())),
        }
    }
}

/// A ticket of the folder.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Found {
    /// Its number.
    pub number: Number,
    /// The ticket. Of one that has ended what is personal may be left out.
    pub ticket: Ticket,
    /// Why an engine does not move it, if it is set aside: an operator must look at it.
    pub set_aside: Option<String>,
    /// Of one that has left an engine's memory: what happened to it.
    history: Option<Vec<Event>>,
}

/// A data folder, or a backup, that is looked at. See the module.
pub struct Folder {
    floor: Floor,
    store: LogStore,
    last: Timestamp,
}

impl Folder {
    /// Reads what an engine reads at its start. What is asked is answered for the instant of the last commit
    /// until another one is named with [`Folder::at`]. `tell` is told how many bytes were read.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if an engine has the folder open, [`StoreError::Format`] if it is something
    /// else's or of another format, [`StoreError::Damaged`], and the system's.
    pub fn open(disk: Arc<dyn Disk>, tell: &mut dyn FnMut(u64)) -> Result<Self, StoreError> {
        // A folder without it would become a data folder.
        identity::read(&*disk)?;
        let glass = Arc::new(Glass::new(disk));
        let (done, is_done) = channel();
        std::thread::scope(|scope| {
            let opening = Arc::clone(&glass);
            // Whoever waits for it is there until it is done.
            scope.spawn(move || drop(done.send(Self::read(opening))));
            loop {
                match is_done.recv_timeout(TOLD_EVERY) {
                    Ok(read) => return read,
                    Err(RecvTimeoutError::Timeout) => tell(glass.bytes_read()),
                    // It panicked, which the scope passes on.
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(StoreError::Damaged("the reading was broken off".into()));
                    }
                }
            }
        })
    }

    fn read(glass: Arc<Glass>) -> Result<Self, StoreError> {
        let options = LogOptions {
            beside: false,
            to_look: true,
            ..LogOptions::default()
        };
        let mut store = LogStore::open(glass, options, system_entropy())?;
        let floor = Floor::recover(&mut store)?;
        let last = floor.timestamp();
        Ok(Self { floor, store, last })
    }

    /// The instant of the last commit.
    #[must_use]
    pub fn last_commit(&self) -> Timestamp {
        self.last
    }

    /// The instant that answers are for.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.floor.timestamp()
    }

    /// Answers are for this instant from now on, to the millisecond: what is due before it has not fired, and
    /// is overdue. An instant before the one that answers are for already changes nothing, since how things
    /// were is not known any more.
    pub fn at(&mut self, instant: Timestamp) {
        self.floor.now = self.floor.now.max(millis_at(instant));
    }

    /// A ticket, open or ended. For one that has ended, or never was, the whole journal may have to be read;
    /// `tell` is told how many of how many commits were.
    ///
    /// # Errors
    /// [`LookError::NoSuchTicket`], [`LookError::Removed`], and those of the store.
    pub fn find(&mut self, id: &str, tell: &mut dyn FnMut(u64, u64)) -> Result<Found, LookError> {
        if let Ok(number) = self.floor.number(id) {
            let record = self.floor.record(&mut self.store, number)?;
            return Ok(Found {
                number,
                ticket: record.ticket.clone(),
                set_aside: record.set_aside.clone(),
                history: None,
            });
        }
        self.find_ended(id, tell)
    }

    /// Tickets that are set aside, oldest first, behind the ticket number `after`: at most `limit`, and how
    /// many there are in all.
    ///
    /// # Errors
    /// Those of the store.
    pub fn set_aside(
        &mut self,
        after: Number,
        limit: usize,
    ) -> Result<(Vec<SetAside>, usize), LookError> {
        let (found, _) = self.floor.all_set_aside(&mut self.store, after, limit)?;
        Ok((found, self.floor.count_set_aside()))
    }

    /// The time zone of the calendar of this version of a workflow, else UTC.
    #[must_use]
    pub fn zone(&self, workflow: &str, version: u32) -> TimeZone {
        let workflow = self.floor.workflows.version(workflow, version);
        let calendar = workflow.and_then(|workflow| workflow.calendar.as_ref());
        let directory = self.floor.directory.as_ref();
        let calendar = calendar.and_then(|name| directory?.calendars.get(name));
        calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
    }

    /// Who is answerable for a ticket, since when, why, why not the others; see
    /// [`Handle::explain`](crate::Handle::explain). Of one that has ended: how, when, and how its promises
    /// went.
    ///
    /// # Errors
    /// [`LookError`].
    pub fn explain(&mut self, found: &Found) -> Result<Explanation, LookError> {
        let Some(history) = &found.history else {
            return Ok(self.floor.explain(&mut self.store, found.number)?);
        };
        let workflow = self.workflow(&found.ticket)?;
        let directory = self.floor.directory.clone().ok_or(Fault::NoDirectory)?;
        let now = self.now();
        Ok(explain(&found.ticket, history, &workflow, &directory, now))
    }

    /// What happens to a ticket, and when, if an engine starts at the instant that answers are for and nobody
    /// acts; see [`Handle::forecast`](crate::Handle::forecast). What is overdue happens first. Nothing
    /// happens to one that has ended.
    ///
    /// # Errors
    /// [`LookError`].
    pub fn forecast(
        &mut self,
        found: &Found,
        horizon: Horizon,
        times: Times,
        language: Language,
    ) -> Result<Timeline, LookError> {
        let now = self.now();
        if let Some(ended) = &found.ticket.ended {
            return Ok(Timeline {
                ticket: found.ticket.id.clone(),
                from: now,
                to: now,
                answerable: Vec::new(),
                outcome: Some(ended.outcome.clone()),
                last_resort: None,
                more: false,
                steps: Vec::new(),
                lines: Vec::new(),
            });
        }
        let (floor, store) = (&mut self.floor, &mut self.store);
        Ok(floor.forecast(store, found.number, horizon, times, language)?)
    }

    fn no_such(&self, id: &str) -> LookError {
        LookError::NoSuchTicket {
            ticket: Name::new(id),
            last: self.floor.last_number(),
        }
    }

    /// The people as they are now; `None`: no directory was deployed.
    #[must_use]
    pub fn directory(&self) -> Option<Arc<Directory>> {
        self.floor.directory.clone()
    }

    /// The version of its workflow that a ticket keeps.
    ///
    /// # Errors
    /// [`LookError::Refused`] if the folder does not have it.
    pub fn workflow(&self, ticket: &Ticket) -> Result<Arc<Workflow>, LookError> {
        let workflows = &self.floor.workflows;
        let found = workflows.version(&ticket.workflow, ticket.version).cloned();
        found.ok_or_else(|| {
            let workflow = Name::new(format!("{} version {}", ticket.workflow, ticket.version));
            LookError::Refused(Box::new(Error::NoSuchWorkflow { workflow }))
        })
    }
}
