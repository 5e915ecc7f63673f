//! The handle: commands and questions to a running engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::Sender;

use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot};
use upline_core::decide::Migration;

#[cfg(feature = "sled")]
use upline_core::Rejection;
use upline_core::{Actor, Event, Name, Ticket, Typed, Wish};

#[cfg(feature = "sled")]
use super::Archive;
use super::submission::{is_actor, is_who, must_fit};
use super::{Mail, NOTHING_FORGOTTEN, Submission};
use upline_lab::explain::Explanation;
use upline_lab::forecast::Horizon;
use upline_lab::render::{Language, Times};
use upline_lab::timeline::Timeline;

use crate::clock::ManualClock;
use crate::error::Error;
use crate::feed::Feed;
use crate::floor::{Count, Deployed, Done, Filter, Floor, HistoryEntry, Request, Status, Target};
#[cfg(feature = "sled")]
use crate::index::IndexHandle;
use crate::record::{File, Number};
use crate::store::Store;
use crate::writer::{Input, Reply};

/// Most tickets on one page of an answer.
pub const MAX_PAGE: usize = 200;

/// Commands and questions to a running engine. Cheap to clone; may outlive the engine, and says so then.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) writer: Sender<Mail>,
    /// Bounds what waits.
    pub(super) room: Arc<Semaphore>,
    /// Until when the writer may have forgotten commands.
    pub(super) recall: Arc<AtomicI64>,
    pub(super) feed: Option<Feed>,
    #[cfg(feature = "sled")]
    pub(super) index: Option<IndexHandle>,
}

/// A page of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C = Number> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask with for the next page; `None`: this is the last.
    pub next: Option<C>,
}

impl Handle {
    /// Opens a ticket of the newest version of a workflow. Answered when it is on disk.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn open(&self, workflow: &str, by: Actor, fields: Typed) -> Result<Done, Error> {
        let wish = Wish::Open {
            ticket: Name::default(),
            key: None,
            parent: None,
            fields,
        };
        self.open_with(workflow, Submission::new(by, wish)).await
    }

    /// The same with all that can be said; the wish is [`Wish::Open`]. An empty id in it is filled with the
    /// ticket's number. Any other is one line of at most 256 bytes that no open ticket has, and not of digits
    /// alone, since those are numbers: it is refused as [`Rejection::BadId`](upline_core::Rejection::BadId).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn open_with(&self, workflow: &str, submission: Submission) -> Result<Done, Error> {
        let submission = submission.within_limits(workflow)?;
        let workflow = Name::new(workflow);
        let request = submission.opening(&workflow);
        if let Some(done) = self.done_before(&request).await? {
            return Ok(done);
        }
        self.ask(|reply| Input::Open(workflow, request, reply))
            .await
    }

    /// Does something to a ticket. Answered when it is on disk.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn submit(&self, ticket: &str, submission: Submission) -> Result<Done, Error> {
        self.submit_to(Target::Id(Name::new(ticket)), submission)
            .await
    }

    /// The same for a ticket that is named in another way.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn submit_to(&self, target: Target, submission: Submission) -> Result<Done, Error> {
        let at = match &target {
            Target::Id(name) | Target::Key { key: name, .. } => name,
        };
        let request = submission.within_limits(at)?.moving(&target);
        if let Some(done) = self.done_before(&request).await? {
            return Ok(done);
        }
        self.ask(|reply| Input::Submit(target, request, reply))
            .await
    }

    /// Takes an action of the ticket's state.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn act(&self, ticket: &str, by: Actor, action: &str) -> Result<Done, Error> {
        let wish = Wish::Act {
            action: Name::new(action),
            fields: Vec::new(),
            note: None,
        };
        self.submit(ticket, Submission::new(by, wish)).await
    }

    /// Moves a ticket to another version of its workflow, and answers with what that was. Who may do so is
    /// for the program to say that calls this: no rule of a workflow is asked. Given again it changes nothing
    /// more, but if the plan says that clocks begin anew, they do so each time.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn migrate(
        &self,
        ticket: &str,
        version: u32,
        plan: Migration,
        by: Actor,
    ) -> Result<Vec<Event>, Error> {
        self.migrate_or_plan(ticket, version, plan, by, false).await
    }

    /// What [`Handle::migrate`] would do; nothing is done.
    ///
    /// # Errors
    /// [`Error`], as the migration would answer.
    pub async fn plan_migration(
        &self,
        ticket: &str,
        version: u32,
        plan: Migration,
        by: Actor,
    ) -> Result<Vec<Event>, Error> {
        self.migrate_or_plan(ticket, version, plan, by, true).await
    }

    async fn migrate_or_plan(
        &self,
        ticket: &str,
        version: u32,
        plan: Migration,
        by: Actor,
        dry: bool,
    ) -> Result<Vec<Event>, Error> {
        let states: Vec<(&Name, &Name)> = plan.states.iter().collect();
        must_fit(&(ticket, &by, states))?;
        is_actor(&by)?;
        let target = Target::Id(Name::new(ticket));
        self.ask(|reply| Input::Migrate(target, version, plan, by, dry, reply))
            .await
    }

    /// Workflows and the directory that hold from now on. They are checked together with what holds already;
    /// with a mistake in them nothing changes. Open tickets keep the version of their workflow; new ones get
    /// the highest that ever came. So a workflow is not withdrawn by giving its file another content: deploy
    /// a higher version, and whoever opens tickets must stop doing so.
    ///
    /// A file takes the place of the one that has its *name*, and all that hold stand together. So a new
    /// version of a workflow comes under the name that the file of the old one has: under another name it
    /// would be a second file with the same workflow, which is a mistake (`duplicate-name`), as is a second
    /// directory.
    ///
    /// # Errors
    /// [`Error::Files`] with all mistakes; [`Error::SameVersion`].
    pub async fn deploy(&self, files: Vec<File>) -> Result<Deployed, Error> {
        let (known, now) = self
            .look(|floor, _| {
                let known: Vec<File> = floor.files().cloned().collect();
                (known, floor.timestamp())
            })
            .await?;
        let given = files.clone();
        let checked = super::aside(move || check(known, &given, now)).await;
        checked.ok_or(Error::Stopped)??;
        let given = files.clone();
        let changed = self
            .look(move |floor, _| floor.same_version(&given))
            .await?;
        if let Some((workflow, version)) = changed {
            return Err(Error::SameVersion { workflow, version });
        }
        self.ask(|reply| Input::Deploy(files, reply)).await
    }

    /// The ticket as it is; `None`: no such ticket is open. One that has ended is there until the last of its
    /// messages is settled; its `ended` says so.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ticket(&self, id: &str) -> Result<Option<Ticket>, Error> {
        let target = Target::Id(Name::new(id));
        self.look(move |floor, store| {
            let Some(number) = floor.find(&target) else {
                return Ok(None);
            };
            let record = floor.record(store, number)?;
            Ok(Some(record.ticket.clone()))
        })
        .await?
    }

    /// The tickets that a person is answerable for, oldest first, behind the ticket number `after`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn tasks(&self, person: &str, after: Number) -> Result<Page<Ticket>, Error> {
        let filter = Filter {
            person: Some(Name::new(person)),
            ..Filter::default()
        };
        self.tickets(filter, after).await
    }

    /// How the engine is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn status(&self) -> Result<Status, Error> {
        let status = self.ask(Input::Status).await?;
        #[cfg(feature = "sled")]
        let status = {
            let index = self.index.as_ref().map(IndexHandle::state);
            Status { index, ..status }
        };
        Ok(status)
    }

    /// Open tickets that fit, oldest first, behind the ticket number `after`. A page may be short, or empty,
    /// and have a next one all the same: so many tickets were looked at that did not fit.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn tickets(&self, filter: Filter, after: Number) -> Result<Page<Ticket>, Error> {
        let found = self
            .look(move |floor, store| floor.list(store, &filter, after, MAX_PAGE))
            .await?;
        let (items, next) = found?;
        Ok(Page { items, next })
    }

    /// How many open tickets are in which state, at which level: by workflow, state and level. No ticket is
    /// read for it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn counts(&self) -> Result<Vec<Count>, Error> {
        self.look(|floor, _| floor.counts()).await
    }

    /// What happened to an open ticket, newest first: the commits before the one at `before`, or the latest.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn history(
        &self,
        ticket: &str,
        before: Option<u64>,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let ticket = Name::new(ticket);
        let found = self
            .look(move |floor, store| {
                let number = floor.number(&ticket)?;
                floor.history(store, number, before, MAX_PAGE)
            })
            .await?;
        Ok(found?)
    }

    /// Who is answerable for an open ticket, since when, why, why not the others. One that has ended is no
    /// longer here: what happened to it is told by `Archive::history`, and how it was by `upline explain`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn explain(&self, ticket: &str) -> Result<Explanation, Error> {
        let ticket = Name::new(ticket);
        let found = self
            .look(move |floor, store| {
                let number = floor.number(&ticket)?;
                floor.explain(store, number)
            })
            .await?;
        Ok(found?)
    }

    /// What happens to a ticket next, and when, if nobody acts.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn forecast(
        &self,
        ticket: &str,
        horizon: Horizon,
        times: Times,
        language: Language,
    ) -> Result<Timeline, Error> {
        let ticket = Name::new(ticket);
        let found = self
            .look(move |floor, store| {
                let number = floor.number(&ticket)?;
                floor.forecast(store, number, horizon, times, language)
            })
            .await?;
        Ok(found?)
    }

    /// Answers when nothing is due and no message is under way: for tests that move a
    /// [`ManualClock`](crate::clock::ManualClock).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn settled(&self) -> Result<(), Error> {
        self.ask(Input::Settled).await
    }

    /// Lets time pass on the engine's clock as it passes in life: from each clock that falls due to the next,
    /// and each is worked off before the next one comes. For tests that play days in a moment;
    /// [`ManualClock::forward`] in one step is an outage instead, after which a ladder is caught up with.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn pass(&self, clock: &ManualClock, time: std::time::Duration) -> Result<(), Error> {
        let to = clock.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        loop {
            self.settled().await?;
            let now = clock.now();
            let next = self.status().await?.next_due;
            match next.filter(|next| *next > now && *next < to) {
                Some(next) => clock.forward_to(next),
                None => break,
            }
        }
        clock.forward_to(to);
        self.settled().await
    }

    /// An operator says that the machine's clock is right, though it has jumped.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn believe_clock(&self) -> Result<(), Error> {
        self.send(Mail::Input(Box::new(Input::Believe)))
    }

    /// Destroys the key of a ticket that has ended, however long ago: its fields, and what people wrote,
    /// can't be read any more. The journal still verifies.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn erase(&self, ticket: &str, by: &str) -> Result<(), Error> {
        must_fit(&(ticket, by))?;
        is_who(by)?;
        let (id, by) = (Name::new(ticket), Name::new(by));
        let erased = self.ask(|reply| Input::Erase(id, by.clone(), reply)).await;
        #[cfg(feature = "sled")]
        if let Err(Error::Rejected(Rejection::NotOpen)) = erased
            && let Ok(archive) = self.archive()
        {
            return archive.erase(ticket, by).await;
        }
        erased
    }

    /// The answer to a command with an id that was carried out so long ago that the writer may not remember.
    async fn done_before(&self, request: &Request) -> Result<Option<Done>, Error> {
        let until = self.recall.load(Ordering::Acquire);
        if request.id.is_none() || until == NOTHING_FORGOTTEN {
            return Ok(None);
        }
        #[cfg(feature = "sled")]
        if let (Some(id), Ok(archive)) = (request.id, self.archive()) {
            return archive.done_before(id, until).await;
        }
        Ok(None)
    }

    /// All tickets there ever were, also those that have ended.
    ///
    /// # Errors
    /// [`Error::NoIndex`] if the engine keeps no index.
    #[cfg(feature = "sled")]
    pub fn archive(&self) -> Result<Archive, Error> {
        let index = self.index.clone();
        let none = || Error::NoIndex("this engine keeps none".to_owned());
        let index = index.ok_or_else(none)?;
        Ok(Archive::new(self.clone(), index))
    }

    pub(super) fn send(&self, mail: Mail) -> Result<(), Error> {
        self.writer.send(mail).map_err(|_| Error::Stopped)
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        input: impl FnOnce(Reply<T>) -> Input,
    ) -> Result<T, Error> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room = room.map_err(|_| Error::Busy)?;
        let (answer, answered) = oneshot::channel();
        let reply = Box::new(move |done| {
            drop(room);
            // Whoever asked may have gone.
            let _ = answer.send(done);
        });
        self.send(Mail::Input(Box::new(input(reply))))?;
        answered.await.unwrap_or(Err(Error::Stopped))
    }

    /// Looks at what is on disk.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Floor, &mut dyn Store) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.ask(|reply: Reply<T>| {
            Input::Look(Box::new(move |open| {
                reply(open.map(|(floor, store)| look(floor, store)));
            }))
        })
        .await
    }
}

/// Checks the files together with those that hold already. The versions of the workflows that came.
pub(crate) fn check(
    known: Vec<File>,
    given: &[File],
    now: Timestamp,
) -> Result<Vec<(Name, u32)>, Error> {
    let replaced = |file: &File| given.iter().any(|other| other.name == file.name);
    let all = known.iter().filter(|file| !replaced(file)).chain(given);
    let all: Vec<(&str, &[u8])> = all
        .map(|file| (file.name.as_str(), file.text.as_bytes()))
        .collect();
    let checked = upline_dsl::check(all, now);
    if !checked.is_fine() {
        return Err(Error::Files(Box::new(checked)));
    }
    let workflows = checked.workflows.iter();
    Ok(workflows
        .map(|read| (read.value.name.clone(), read.value.version))
        .collect())
}
