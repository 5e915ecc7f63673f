//! The floor: all open tickets, the people, the clocks. What a command means here and for whom else, in
//! memory, without a clock or a disk. The writer drives it and commits what it has decided.

mod aside;
mod audit;
mod commands;
mod files;
mod links;
mod look;
mod meet;
mod standing;
mod time;
mod timers;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;
use upline_core::{Command, Directory, Name, Rejection, Workload};
use upline_lab::world::{Consequence, Gap, Openings, Refusal, Workflows};

use crate::record::{CommandId, Entry, File, Millis, Number, Record};
use crate::store::fold::MAX_COMMANDS;
use crate::store::{Batch, Recovered, Seen, Store, StoreError};
use commands::Commands;
use links::Link;
use standing::Standings;
use timers::Timers;

pub use aside::SetAside;
pub use audit::Audit;
pub(crate) use audit::Auditor;
pub use files::Deployed;
#[cfg(feature = "sled")]
pub(crate) use files::contact_fields;
pub(crate) use links::number_of;
pub(crate) use look::since;
pub use look::{Filter, HistoryEntry, Status};
pub use meet::Met;
pub use standing::Count;
pub(crate) use timers::Due;

/// Tickets that are kept decoded. A ticket takes 2 to 4 KiB.
pub(crate) const HOT_TICKETS: usize = 8192;

/// The number of no ticket.
const NOBODY: Number = 0;

/// All numbers behind this one.
fn behind(after: Number) -> (Bound<Number>, Bound<Number>) {
    (Bound::Excluded(after), Bound::Unbounded)
}

/// Which ticket is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By its id.
    Id(Name),
    /// The open one that another system knows by this key.
    Key {
        /// The workflow: two systems may use the same key.
        workflow: Name,
        /// The key.
        key: Name,
    },
}

/// A command with what the surroundings say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) command: Command,
    pub(crate) id: Option<(CommandId, u64)>,
    pub(crate) origin: Name,
    /// The revision that the caller has seen.
    pub(crate) expected: Option<u64>,
}

impl Request {
    /// Of the engine itself.
    pub(crate) fn own(command: Command, origin: &'static str) -> Self {
        Self {
            command,
            id: None,
            origin: Name::new_static(origin),
            expected: None,
        }
    }
}

/// What a command has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The ticket's number.
    pub number: Number,
    /// The ticket's id.
    pub id: Name,
    /// Its revision now: how many events it is made of.
    pub revision: u64,
    /// Whether this is the answer to a command that was carried out before.
    pub again: bool,
}

/// Why the floor does not do something.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing has changed.
    Refused(Refusal),
    /// The ticket is not at the revision that the caller has seen.
    Changed { revision: u64 },
    /// The id was used for another wish.
    OtherWish,
    /// The ticket is set aside.
    SetAside(String),
    /// No directory has come yet.
    NoDirectory,
    /// What is wished is for tickets that have ended.
    StillOpen,
    /// The store does not answer.
    Store(StoreError),
}

impl<R: Into<Refusal>> From<R> for Fault {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

impl Fault {
    /// The version that the ticket keeps is not there.
    fn no_version(ticket: &upline_core::Ticket) -> Self {
        let workflow = Name::new(format!("{} version {}", ticket.workflow, ticket.version));
        Refusal::NoSuchWorkflow { workflow }.into()
    }
}

/// Something for the operator to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incident {
    /// A ticket was set aside, since the engine can't move it without harm.
    SetAside {
        /// The ticket's id.
        ticket: Name,
        /// What is wrong.
        why: String,
    },
    /// The store has failed. It is opened again, unless what it says is of a kind that needs an operator.
    Store {
        /// What it said.
        why: String,
    },
    /// The disk is full: no command can be written until there is room again, which is looked for every few
    /// seconds. Told once when it begins, and once when it is over.
    Full {
        /// Whether it is over.
        over: bool,
    },
    /// A ticket could be forgotten: nobody is answerable, or no clock moves it on. There must never be one.
    Gap(Gap),
    /// The index of all tickets was damaged and is being built anew, or does not go on for now. No ticket is
    /// affected: questions about those that have ended must wait.
    Index {
        /// What is wrong.
        why: String,
    },
    /// Clocks fire late: for longer than [`OVERDUE`](crate::OVERDUE) there was always one that was due and
    /// had not fired, and the oldest is later than that, though the engine runs and its store works. Told
    /// once when it begins, and once when it is over.
    Overdue {
        /// How late the oldest is; when it is over: the most that was seen.
        late: Duration,
        /// Whether it is over.
        over: bool,
    },
    /// A message waits for longer than
    /// [`OutboxOptions::alarm_after`](crate::drive::OutboxOptions::alarm_after), though the engine runs and
    /// its store works: a notifier hangs, or a peer takes nothing. Told once when it begins, and once when it
    /// is over.
    Outbox {
        /// How long the oldest has waited since this engine has tried; when it is over: the most that was
        /// seen.
        age: Duration,
        /// How many are not delivered.
        unsent: usize,
        /// Whether it is over.
        over: bool,
    },
    /// A clock, a child's end or an opening by the clock was refused.
    Refused {
        /// The ticket's id.
        ticket: Name,
        /// Why.
        why: String,
    },
}

/// All that is open.
pub(crate) struct Floor {
    pub(crate) now: Millis,
    fence: u64,
    pub(crate) workflows: Workflows,
    /// `None` until the first one came.
    pub(crate) directory: Option<Arc<Directory>>,
    /// What was deployed, in order; the texts are what a restart reads.
    files: Vec<File>,
    pub(crate) workload: Workload,
    links: BTreeMap<Number, Link>,
    standings: Standings,
    /// Ids that the engine has not made, by their hash.
    names: HashMap<u128, Number>,
    keys: HashMap<u128, Number>,
    held_by: BTreeMap<Name, BTreeSet<Number>>,
    timers: Timers,
    openings: Openings,
    hot: LruCache<Number, Box<Record>>,
    last_number: Number,
    commands: Commands,
    /// The time of the last command that is not remembered any more.
    pub(crate) forgotten_until: Option<Millis>,
    consequences: VecDeque<Consequence>,
    /// When somebody's absence begins.
    absences: BTreeMap<Timestamp, Name>,
    /// When each of the openings opens its next ticket.
    next_openings: Vec<Option<Timestamp>>,
    /// The first ticket whose holders must still be looked at.
    recheck: Option<Number>,
    /// Tickets that are set aside, and why.
    set_aside: BTreeMap<Number, String>,
    /// Tickets without an answerable person or an armed clock.
    forgotten: BTreeSet<Number>,
    pub(crate) auditor: Auditor,
    /// Since the last commit.
    entries: Vec<Entry>,
    changed: BTreeSet<Number>,
    bytes: usize,
    /// Messages that were written since the last commit, and tickets whose messages may be over.
    pub(crate) unsent: Vec<Number>,
    pub(crate) incidents: Vec<Incident>,
}

impl Floor {
    /// Goes on from what the store says.
    pub(crate) fn recover(store: &mut dyn Store) -> Result<Self, StoreError> {
        let mut floor = Self {
            now: 0,
            fence: 0,
            workflows: Workflows::default(),
            directory: None,
            files: Vec::new(),
            workload: Workload::default(),
            links: BTreeMap::new(),
            standings: Standings::default(),
            names: HashMap::new(),
            keys: HashMap::new(),
            held_by: BTreeMap::new(),
            timers: Timers::default(),
            openings: Openings::new(&Workflows::default()),
            // Unbounded by itself: what was changed must not be dropped before it is committed.
            hot: LruCache::unbounded(),
            last_number: 0,
            commands: Commands::default(),
            forgotten_until: None,
            consequences: VecDeque::new(),
            absences: BTreeMap::new(),
            next_openings: Vec::new(),
            recheck: None,
            set_aside: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            auditor: Auditor::default(),
            entries: Vec::new(),
            changed: BTreeSet::new(),
            bytes: 0,
            unsent: Vec::new(),
            incidents: Vec::new(),
        };
        let known = store.recover(&mut |record| {
            floor.link(record);
            if !record.unsent.is_empty() {
                floor.unsent.push(record.number);
            }
            Ok(())
        })?;
        floor.now = known.at;
        floor.fence = known.fence;
        floor.last_number = known.last_number;
        floor.workload = known.workload;
        if known.commands.len() >= MAX_COMMANDS {
            // There may have been more, which nobody has counted.
            floor.forgotten_until = known.commands.front().map(|oldest| oldest.at);
        }
        for seen in known.commands {
            match seen.number {
                NOBODY => floor.forgotten_until = floor.forgotten_until.max(Some(seen.at)),
                _ => floor.remember(seen),
            }
        }
        floor.read_files(known.files)?;
        // Somebody may have gone while nobody looked.
        floor.recheck_all();
        Ok(floor)
    }

    /// The engine's time.
    pub(crate) fn timestamp(&self) -> Timestamp {
        instant(self.now)
    }

    /// The last number that was given to a ticket; 0: none was.
    pub(crate) fn last_number(&self) -> Number {
        self.last_number
    }

    /// What the writer must know to go on, for a snapshot.
    pub(crate) fn known(&self) -> Recovered {
        // That there were more before these stands in front of them, as a command to no ticket.
        let forgotten = self.forgotten_until.map(|at| Seen {
            id: CommandId::default(),
            wish: 0,
            at,
            number: NOBODY,
            ticket: Name::default(),
            revision: 0,
        });
        Recovered {
            fence: self.fence,
            at: self.now,
            last_number: self.last_number,
            next_key: 0,
            workload: self.workload.clone(),
            files: self.files.clone(),
            commands: forgotten
                .into_iter()
                .chain(self.commands.iter().cloned())
                .collect(),
        }
    }

    /// Whether something was decided that is not committed.
    pub(crate) fn is_changed(&self) -> bool {
        !self.entries.is_empty()
    }

    /// About how many bytes the next commit has.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.bytes
    }

    /// Commits everything that was decided since the last commit.
    pub(crate) fn commit(&mut self, store: &mut dyn Store, wall: Millis) -> Result<(), StoreError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let position = store.next_position();
        let changed = std::mem::take(&mut self.changed);
        let changed = changed.iter();
        let mut after: Vec<Box<Record>> = changed.filter_map(|one| self.hot.pop(one)).collect();
        let batch = Batch {
            fence: self.fence,
            at: self.now,
            wall,
            entries: std::mem::take(&mut self.entries),
            after: after
                .iter_mut()
                .map(|record| {
                    record.last = position;
                    &mut **record
                })
                .collect(),
        };
        store.commit(batch)?;
        self.bytes = 0;
        self.audit(&after);
        self.sweep_timers();
        for record in after {
            if self.links.contains_key(&record.number) {
                self.hot.put(record.number, record);
            }
        }
        while self.hot.len() > HOT_TICKETS {
            self.hot.pop_lru();
        }
        Ok(())
    }

    /// The number of a ticket that is open.
    pub(crate) fn find(&self, target: &Target) -> Option<Number> {
        match target {
            Target::Id(id) => self.find_id(id),
            Target::Key { workflow, key } => self.keys.get(&links::key(workflow, key)).copied(),
        }
    }

    fn find_id(&self, id: &str) -> Option<Number> {
        match links::number_of(id) {
            Some(number) => self.links.contains_key(&number).then_some(number),
            None => self.names.get(&links::hash(id)).copied(),
        }
    }

    /// Whether this ticket is on the floor.
    pub(crate) fn has(&self, number: Number) -> bool {
        self.links.contains_key(&number)
    }

    /// Whether the engine has given this id to a ticket that is no longer on the floor.
    pub(crate) fn was_given(&self, id: &str) -> bool {
        links::number_of(id).is_some_and(|number| number <= self.last_number)
    }

    /// The ticket, read if need be.
    pub(crate) fn record(
        &mut self,
        store: &mut dyn Store,
        number: Number,
    ) -> Result<&Record, Fault> {
        self.fetch(store, number)?;
        let record = self.hot.peek(&number);
        record
            .map(|record| &**record)
            .ok_or(Fault::from(Rejection::NotOpen))
    }

    fn fetch(&mut self, store: &mut dyn Store, number: Number) -> Result<(), Fault> {
        if self.hot.get(&number).is_some() {
            return Ok(());
        }
        match store.ticket(number) {
            Ok(Some(record)) => {
                self.hot.put(number, Box::new(record));
                Ok(())
            }
            Ok(None) => Err(Rejection::NotOpen.into()),
            Err(error) => Err(Fault::Store(error)),
        }
    }

    /// Who holds which tickets, in order of their numbers.
    pub(crate) fn held_by(&self, person: &str) -> impl Iterator<Item = Number> {
        self.held_by.get(person).into_iter().flatten().copied()
    }

    /// Numbers of the tickets on the floor above `after`, ascending.
    pub(crate) fn numbers(&self, after: Number) -> impl Iterator<Item = Number> {
        self.links.range(behind(after)).map(|(number, _)| *number)
    }

    fn remember(&mut self, seen: Seen) {
        let forgotten = self.commands.add(seen);
        self.forgotten_until = self.forgotten_until.max(forgotten);
    }

    /// Forgets the oldest commands, if there are more than so many.
    pub(crate) fn remember_at_most(&mut self, commands: usize) {
        let forgotten = self.commands.keep_at_most(commands);
        self.forgotten_until = self.forgotten_until.max(forgotten);
    }
}

/// The first millisecond that is not before this instant: at an earlier one it is not due yet.
pub(crate) fn millis_at(instant: Timestamp) -> Millis {
    let nanos = instant.as_nanosecond();
    Millis::try_from((nanos + 999_999).div_euclid(1_000_000)).unwrap_or(Millis::MAX)
}

/// The instant of so many milliseconds; one out of range is the nearest there is.
pub(crate) fn instant(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(match at < 0 {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}
