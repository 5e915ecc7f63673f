//! The writer: the one place where time enters, commands become events, and events become durable.
//!
//! It has no thread and no clock of its own: [`Writer::turn`] is given what the clocks show and what has come
//! in since, and does one commit. The engine's thread calls it, and so does the simulator.

mod post;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::VecDeque;
use std::time::Duration;

use upline_core::decide::Migration;
use upline_core::{Actor, Event, Name};

use crate::clock::{Reading, TimeKeeper, millis};
use crate::error::Error;
use crate::floor::{Deployed, Done, Fault, Floor, Incident, Request, Status, Target};
use crate::notify::{Message, SendError};
use crate::outbox::{MessageId, Outbox, OutboxOptions};
use crate::record::{File, Millis, Number};
use crate::store::{MAX_COMMIT_BYTES, Store, StoreError};
use watch::Watch;

pub use watch::OVERDUE;

/// Most clocks that fire in one commit: between two, other people's commands have their turn.
pub(crate) const MAX_FIRED_PER_COMMIT: usize = 512;

/// Most commands in one commit.
pub(crate) const MAX_COMMANDS_PER_COMMIT: usize = 1024;

/// How long a store that failed is left alone before it is opened again: the n-th time in a row.
const REOPEN_AFTER: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// How often a full disk is tried again.
const FULL_AGAIN: Duration = Duration::from_secs(5);

/// Where an answer goes.
pub(crate) type Reply<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// A look at the floor between two commits, when everything on it is on disk.
pub(crate) type Look = Box<dyn FnOnce(Result<(&mut Floor, &mut dyn Store), Error>) + Send>;

/// What comes in.
pub(crate) enum Input {
    /// Open a ticket of this workflow.
    Open(Name, Request, Reply<Done>),
    /// Do something to a ticket.
    Submit(Target, Request, Reply<Done>),
    /// Move a ticket to another version; with `true`, only say what would happen.
    Migrate(Target, u32, Migration, Actor, bool, Reply<Vec<Event>>),
    /// These files hold from now on. They were checked.
    Deploy(Vec<File>, Reply<Deployed>),
    /// What became of a message.
    Sent(MessageId, Result<(), SendError>),
    /// Destroy a ticket's key.
    Erase(Name, Name, Reply<()>),
    /// Destroy the key of a ticket that ended long ago: its number, its key.
    #[cfg_attr(
        not(feature = "sled"),
        expect(dead_code, reason = "only the index knows such tickets")
    )]
    EraseEnded(Number, u32, Name, Reply<()>),
    /// Let a ticket go on that was set aside.
    Release(Target, Name, Reply<()>),
    /// Look at something.
    Look(Look),
    /// How everything is.
    Status(Reply<Status>),
    /// The clock on the wall is right.
    Believe,
    /// To be answered when nothing is due and no message is under way.
    Settled(Reply<()>),
}

/// An answer that waits for its commit.
type Answer = Box<dyn FnOnce(&Outcome) + Send>;

/// What became of a commit.
enum Outcome {
    Done,
    NotWritten(String),
    Unknown(String),
}

/// What a turn has come to.
pub(crate) struct Turn {
    /// When the next one is needed though nothing comes in; engine's time, and what it is now.
    pub(crate) wake: Option<Duration>,
    /// Messages that must be sent now.
    pub(crate) messages: Vec<(MessageId, Message)>,
    /// For the operator.
    pub(crate) incidents: Vec<Incident>,
}

/// How the store is.
enum Health {
    /// It can be written.
    Good,
    /// It has failed, perhaps only for want of room, and is opened again at this steady time.
    Failed { again: Millis, full: bool },
    /// It is of no use to try again.
    Broken(String),
}

/// See the module.
pub(crate) struct Writer {
    store: Box<dyn Store>,
    floor: Floor,
    time: TimeKeeper,
    outbox: Outbox,
    health: Health,
    /// How often the store has failed since a commit went well.
    failures: usize,
    /// When the store is asked again for what it wants to do between commits, and how often that has failed.
    upkeep: (Millis, usize),
    full: Option<Millis>,
    waiting: VecDeque<Input>,
    answers: Vec<Answer>,
    settling: Vec<Reply<()>>,
    incidents: Vec<Incident>,
    watch: Watch,
    last: Reading,
    /// How many commands are remembered here.
    remembered: usize,
    /// No message is begun any more.
    quiet: bool,
}

impl Writer {
    pub(crate) fn open(
        mut store: Box<dyn Store>,
        reading: Reading,
        outbox: OutboxOptions,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let floor = Floor::recover(&mut *store)?;
        let time = TimeKeeper::begin(reading, floor.now);
        let mut writer = Self {
            store,
            floor,
            time,
            outbox: Outbox::new(outbox, seed),
            health: Health::Good,
            failures: 0,
            upkeep: (Millis::MIN, 0),
            full: None,
            waiting: VecDeque::new(),
            answers: Vec::new(),
            settling: Vec::new(),
            incidents: Vec::new(),
            watch: Watch::default(),
            last: reading,
            remembered: usize::MAX,
            quiet: false,
        };
        writer.take_messages()?;
        Ok(writer)
    }

    /// Remembers no more commands than so many.
    pub(crate) fn remember_at_most(&mut self, commands: usize) {
        self.remembered = commands;
        self.floor.remember_at_most(commands);
    }

    /// The time of the last command that is not remembered here any more.
    pub(crate) fn forgotten_until(&self) -> Option<Millis> {
        self.floor.forgotten_until
    }

    /// Goes on with these, which stand in no file.
    #[cfg(test)]
    pub(crate) fn define(
        &mut self,
        workflows: upline_lab::world::Workflows,
        directory: std::sync::Arc<upline_core::Directory>,
    ) {
        self.floor.define(workflows, directory);
    }

    /// Takes in what has come, lets due clocks fire, commits, answers.
    pub(crate) fn turn(
        &mut self,
        reading: Reading,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Turn {
        self.last = reading;
        self.waiting.extend(inputs);
        let now = self.time.observe(reading);
        if self.is_open(reading) {
            let done = self.decide(now);
            self.finish(done, reading);
        }
        self.refuse_or_keep();
        let messages = match self.health {
            Health::Good if self.quiet => Vec::new(),
            Health::Good => self.messages(now),
            Health::Failed { .. } | Health::Broken(_) => Vec::new(),
        };
        self.look_out(reading, now);
        let mut incidents = std::mem::take(&mut self.incidents);
        incidents.append(&mut self.floor.incidents);
        let wake = self.wake(reading, now);
        let idle = messages.is_empty() && self.outbox.is_idle() && wake != Some(Duration::ZERO);
        if idle {
            let settled = std::mem::take(&mut self.settling);
            settled.into_iter().for_each(|reply| reply(Ok(())));
        }
        Turn {
            wake,
            messages,
            incidents,
        }
    }

    /// The files that hold.
    pub(crate) fn files(&self) -> Vec<File> {
        self.floor.files().cloned().collect()
    }

    /// The engine's time.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.floor.timestamp()
    }

    /// Whether commands wait that the last turn had no room for.
    pub(crate) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the store can be written. One that has failed is opened again when its time has come.
    fn is_open(&mut self, reading: Reading) -> bool {
        if let Health::Failed { again, .. } = self.health {
            if reading.steady < again {
                return false;
            }
            match Floor::recover(&mut *self.store) {
                Ok(mut floor) => {
                    floor.auditor.go_on_from(&self.floor.auditor);
                    self.floor = floor;
                    self.floor.remember_at_most(self.remembered);
                    self.floor.now = self.floor.now.max(0);
                    self.health = Health::Good;
                    self.outbox.forget();
                    if let Err(error) = self.take_messages() {
                        self.failed(&error, reading);
                        return false;
                    }
                }
                Err(error) => {
                    self.failed(&error, reading);
                    return false;
                }
            }
        }
        if matches!(self.health, Health::Broken(_)) {
            return false;
        }
        if self.full.is_some_and(|again| reading.steady < again) {
            return false;
        }
        match self.store.make_room() {
            Ok(()) => {
                self.full = None;
                true
            }
            Err(StoreError::Full) => {
                self.full = Some(reading.steady + millis(FULL_AGAIN));
                false
            }
            Err(error) => {
                self.failed(&error, reading);
                false
            }
        }
    }

    /// Decides what has come in and what is due. An error is the store's.
    fn decide(&mut self, now: Millis) -> Result<(), StoreError> {
        self.floor.now = self.floor.now.max(now);
        let mut taken = 0;
        while taken < MAX_COMMANDS_PER_COMMIT && self.floor.pending_bytes() < MAX_COMMIT_BYTES / 2 {
            let Some(input) = self.waiting.pop_front() else {
                break;
            };
            // A look sees only what is on disk.
            if matches!(input, Input::Look(_) | Input::Status(_)) && self.floor.is_changed() {
                self.waiting.push_front(input);
                break;
            }
            self.input(input)?;
            taken += 1;
        }
        let fired = self.floor.tick(&mut *self.store, now, MAX_FIRED_PER_COMMIT);
        match fired {
            Err(Fault::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn input(&mut self, input: Input) -> Result<(), StoreError> {
        let (floor, store) = (&mut self.floor, &mut *self.store);
        match input {
            Input::Open(workflow, request, reply) => {
                let done = floor.open(store, &workflow, &request);
                self.answer(done, reply)
            }
            Input::Submit(target, request, reply) => {
                let done = floor.submit(store, &target, &request);
                self.answer(done, reply)
            }
            Input::Migrate(target, version, plan, by, dry, reply) => {
                let done = floor.migrate(store, &target, version, &plan, &by, dry);
                self.answer(done, reply)
            }
            Input::Deploy(files, reply) => {
                let done = floor.deploy(files);
                self.answer(Ok(done), reply)
            }
            Input::Sent(id, result) => self.sent(id, result),
            Input::Erase(ticket, by, reply) => {
                let done = floor.erase(store, &ticket, by);
                self.answer(done, reply)
            }
            Input::EraseEnded(number, key, by, reply) => {
                let done = floor.erase_ended(store, number, key, by);
                self.answer(done, reply)
            }
            Input::Release(ticket, by, reply) => {
                let done = floor.release(store, &ticket, by);
                self.answer(done, reply)
            }
            Input::Look(look) => {
                look(Ok((floor, store)));
                Ok(())
            }
            Input::Believe => {
                self.time.believe(self.last);
                Ok(())
            }
            Input::Settled(reply) => {
                self.settling.push(reply);
                Ok(())
            }
            Input::Status(reply) => {
                reply(Ok(self.status()));
                Ok(())
            }
        }
    }

    /// Keeps the answer until what it says is on disk. A fault of the store ends the commit.
    fn answer<T: Send + 'static>(
        &mut self,
        done: Result<T, Fault>,
        reply: Reply<T>,
    ) -> Result<(), StoreError> {
        let (done, fatal) = match done {
            Err(Fault::Store(error)) if !matches!(error, StoreError::Ticket { .. }) => {
                (Err(Error::from_store(&error)), Some(error))
            }
            other => (other.map_err(Error::from), None),
        };
        self.answers.push(Box::new(move |outcome| {
            reply(match outcome {
                Outcome::Done => done,
                Outcome::NotWritten(why) => Err(Error::Unavailable(why.clone())),
                Outcome::Unknown(why) => Err(Error::Unknown(why.clone())),
            });
        }));
        fatal.map_or(Ok(()), Err)
    }

    /// Commits, and answers all whose commands are in it.
    fn finish(&mut self, decided: Result<(), StoreError>, reading: Reading) {
        let changed = self.floor.is_changed();
        let (outcome, error) = match decided {
            Err(error) => (Outcome::NotWritten(error.to_string()), Some(error)),
            Ok(()) => match self.floor.commit(&mut *self.store, reading.wall) {
                Ok(()) => {
                    self.floor.remember_at_most(self.remembered);
                    (Outcome::Done, None)
                }
                Err(error) => (Outcome::Unknown(error.to_string()), Some(error)),
            },
        };
        for answer in std::mem::take(&mut self.answers) {
            answer(&outcome);
        }
        if let Some(error) = error {
            return self.failed(&error, reading);
        }
        if changed {
            self.failures = 0;
        }
        if let Err(error) = self.take_messages() {
            return self.failed(&error, reading);
        }
        self.keep_up(reading);
        if changed && let Err(error) = self.floor.audit_some(&mut *self.store) {
            self.failed(&error, reading);
        }
    }

    /// Lets the store do what can wait. If it can't, for want of room or because what it reads is damaged,
    /// commits go on all the same, and it is not asked again at once.
    fn keep_up(&mut self, reading: Reading) {
        let (again, times) = self.upkeep;
        if reading.steady < again {
            return;
        }
        let floor = &self.floor;
        self.upkeep = match self.store.between_commits(&|| floor.known()) {
            Ok(()) => (Millis::MIN, 0),
            Err(error) => {
                let why = error.to_string();
                self.incidents.push(Incident::Store { why });
                (reading.steady + again_after(times + 1), times + 1)
            }
        };
    }

    /// What the writer holds in memory may be ahead of the disk: it is read again from there.
    fn failed(&mut self, error: &StoreError, reading: Reading) {
        let why = error.to_string();
        let hopeless = match error {
            StoreError::Damaged(_)
            | StoreError::Format(_)
            | StoreError::Fenced
            | StoreError::Conflict { .. }
            | StoreError::Locked => true,
            StoreError::Full
            | StoreError::Io { .. }
            | StoreError::Ticket { .. }
            | StoreError::TooLarge(_) => false,
        };
        self.health = match hopeless {
            true => Health::Broken(why.clone()),
            false => Health::Failed {
                again: reading.steady + again_after(self.failures),
                full: matches!(error, StoreError::Full),
            },
        };
        self.failures += 1;
        self.incidents.push(Incident::Store { why });
    }

    /// What can't be done now is refused, so that nobody waits without knowing; what was sent is kept.
    fn refuse_or_keep(&mut self) {
        let why = match (&self.health, self.full) {
            (Health::Broken(why), _) => why.clone(),
            (Health::Failed { full: true, .. }, _) => StoreError::Full.to_string(),
            (Health::Failed { .. }, _) => "the store has failed and is being opened again".into(),
            (Health::Good, Some(_)) => StoreError::Full.to_string(),
            (Health::Good, None) => return,
        };
        let readable = matches!(self.health, Health::Good);
        let error = || Error::Unavailable(why.clone());
        for input in std::mem::take(&mut self.waiting) {
            match input {
                Input::Open(_, _, reply) | Input::Submit(_, _, reply) => reply(Err(error())),
                Input::Migrate(.., reply) => reply(Err(error())),
                Input::Deploy(_, reply) => reply(Err(error())),
                Input::Erase(.., reply)
                | Input::EraseEnded(.., reply)
                | Input::Release(_, _, reply)
                | Input::Settled(reply) => reply(Err(error())),
                Input::Status(reply) if readable => reply(Ok(self.status())),
                Input::Status(reply) => reply(Err(error())),
                Input::Look(look) if readable => look(Ok((&mut self.floor, &mut *self.store))),
                Input::Look(look) => look(Err(error())),
                // Its lease ends, and it is tried again under the same key.
                Input::Sent(..) => (),
                Input::Believe => self.time.believe(self.last),
            }
        }
    }
}

/// How long to wait after so many failures in a row.
fn again_after(times: usize) -> Millis {
    millis(REOPEN_AFTER[times.min(REOPEN_AFTER.len() - 1)])
}
