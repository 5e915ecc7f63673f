//! [`World`]: many tickets in virtual time, with everything between them that an engine does.

mod audit;
mod family;
mod openings;
mod parts;
mod timers;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use upline_core::decide::{Migration, migrate};
use upline_core::{
    Actor, ClockId, Command, Context, Directory, Event, Fact, Name, Rejection, Ticket, Wish,
    Workflow, Workload, decide, evolve,
};

pub use audit::{Gap, Missing, gaps};
pub use family::{Consequence, MAX_CALL_DEPTH, is_too_deep};
pub use openings::Openings;
pub use parts::{Asked, Entry, Log, Observer, Refusal, Unobserved, Workflows};
pub use timers::Rank;
use timers::Timer;

/// A ticket with the workflow that it was opened with.
#[derive(Debug, Clone)]
struct Held {
    ticket: Ticket,
    workflow: Arc<Workflow>,
    /// The last clock of it that was put into the queue. Ids rise and are never used again.
    queued: ClockId,
}

/// Many tickets, the workflows, the directory, and a clock that only [`World::advance_to`] moves.
///
/// A fired clock is a command like a person's; one that is delivered twice, or late, does no harm.
/// Nothing in here reads a clock or does IO, and the same commands give the same journal.
///
/// ```
/// use std::sync::Arc;
/// use upline_core::{Command, Name, Wish};
/// use upline_lab::{World, world::Workflows};
///
/// let workflow = "
/// workflow: call
/// start: asked
/// ladders: { climb: [{ after: 15 min, assign: user max }] }
/// states:
///   asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
///   closed: { end: done }
/// ";
/// let people = "
/// directory: acme
/// last-resort: user max
/// people:
///   ann: { name: Ann, mail: ann@example.com }
///   max: { name: Max, mail: max@example.com }
/// ";
/// let files = [("call.yaml", workflow), ("people.yaml", people)];
/// let loaded = upline_dsl::load(files.map(|(name, text)| (name, text.as_bytes())));
/// let workflows = loaded.workflows.into_iter().map(|read| Arc::new(read.value));
/// let directory = Arc::new(loaded.directory.unwrap().value);
///
/// let mut world = World::new("2026-03-06T12:00Z".parse()?, Workflows::new(workflows), directory);
/// let open = Wish::Open { ticket: Name::from("t1"), key: None, parent: None, fields: vec![] };
/// world.open("call", &Command::person("ann", open))?;
/// world.advance_to("2026-03-06T12:20Z".parse()?);
/// let (_, answerable) = world.ticket("t1").unwrap().answerable().next().unwrap();
/// assert_eq!(answerable, "max");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct World<O = Log> {
    now: Timestamp,
    up: bool,
    /// Another directory came, and the holders were not looked at yet.
    unchecked: bool,
    workflows: Workflows,
    directory: Arc<Directory>,
    workload: Workload,
    tickets: Vec<Held>,
    names: BTreeMap<Name, usize>,
    /// Keys of open tickets, by workflow: systems that know nothing of each other may use the same key.
    keys: BTreeMap<(Name, Name), usize>,
    timers: BinaryHeap<Reverse<Timer>>,
    openings: Openings,
    consequences: VecDeque<Consequence>,
    answer: Vec<Event>,
    fired: Option<(usize, ClockId)>,
    /// Tickets that have ended and are still whole; `None` if they stay whole.
    over: Option<Vec<usize>>,
    observer: O,
}

impl World<Log> {
    /// An empty world that keeps its journal.
    pub fn new(now: Timestamp, workflows: Workflows, directory: Arc<Directory>) -> Self {
        Self::observed(now, workflows, directory, Log::default())
    }
}

impl<O: Observer> World<O> {
    /// An empty world with an observer of its own: a long replay need not keep the journal.
    pub fn observed(
        now: Timestamp,
        workflows: Workflows,
        directory: Arc<Directory>,
        observer: O,
    ) -> Self {
        let openings = Openings::new(&workflows);
        let mut world = Self {
            now,
            up: true,
            unchecked: false,
            workflows,
            directory,
            workload: Workload::default(),
            tickets: Vec::new(),
            names: BTreeMap::new(),
            keys: BTreeMap::new(),
            timers: BinaryHeap::new(),
            openings,
            consequences: VecDeque::new(),
            answer: Vec::new(),
            fired: None,
            over: None,
            observer,
        };
        world.queue_absences();
        world.queue_openings();
        world
    }

    /// Keeps of a ticket that is over only its name and how it ended, once all that follows from its end has
    /// happened; the observer is shown it before. A long replay's memory then grows with the tickets that are
    /// open.
    #[must_use]
    pub fn keeping_only_ends(mut self) -> Self {
        self.over = Some(Vec::new());
        self
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The directory as it is now.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// All workflows.
    pub fn workflows(&self) -> &Workflows {
        &self.workflows
    }

    /// Who holds how many.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Whoever watches.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// Whoever watches, to be changed.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Ends the world and gives its observer back.
    pub fn into_observer(self) -> O {
        self.observer
    }

    /// A ticket, open or ended.
    pub fn ticket(&self, id: &str) -> Option<&Ticket> {
        let index = *self.names.get(id)?;
        Some(&self.tickets[index].ticket)
    }

    /// The workflow that a ticket was opened with.
    pub fn workflow_of(&self, id: &str) -> Option<&Arc<Workflow>> {
        let index = *self.names.get(id)?;
        Some(&self.tickets[index].workflow)
    }

    /// All tickets, in the order in which they were opened.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().map(|held| &held.ticket)
    }

    /// The open ticket of this key.
    pub fn by_key(&self, workflow: &str, key: &str) -> Option<&Ticket> {
        let index = self.keys.get(&(Name::new(workflow), Name::new(key)))?;
        Some(&self.tickets[*index].ticket)
    }

    /// Opens a ticket of the newest version of `workflow`; the command's wish is [`Wish::Open`].
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed. Of a key that is open already, [`Refusal::SameKey`] tells the
    /// ticket.
    pub fn open(&mut self, workflow: &str, command: &Command) -> Result<&[Event], Refusal> {
        self.check_up()?;
        let asked = || Asked::Open(Name::new(workflow), command.clone());
        self.observer.asked(asked);
        self.answer = self.open_now(workflow, command)?;
        self.settle_now();
        Ok(&self.answer)
    }

    /// What `command` does to a ticket, and all that follows from it at the same instant. The events are
    /// those of this ticket's command alone; the observer sees all.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed.
    pub fn submit(&mut self, ticket: &str, command: &Command) -> Result<&[Event], Refusal> {
        self.check_up()?;
        let asked = || Asked::Submit(Name::new(ticket), command.clone());
        self.observer.asked(asked);
        let index = self.names.get(ticket).copied();
        let index = index.ok_or(Refusal::Rejected(Rejection::NotOpen))?;
        self.answer = self.command(index, command)?;
        self.settle_now();
        Ok(&self.answer)
    }

    /// New versions of workflows, or new workflows: tickets that are opened from now on get them. Those
    /// that are open keep their version.
    pub fn deploy(&mut self, workflows: impl IntoIterator<Item = Arc<Workflow>>) {
        self.workflows = self.workflows.with(workflows);
        self.openings = Openings::new(&self.workflows);
        self.queue_openings();
    }

    /// Moves a ticket to another version of its workflow.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed.
    pub fn migrate(
        &mut self,
        ticket: &str,
        version: u32,
        plan: &Migration,
        by: &Actor,
    ) -> Result<&[Event], Refusal> {
        self.check_up()?;
        let index = self.names.get(ticket).copied();
        let index = index.ok_or(Refusal::Rejected(Rejection::NotOpen))?;
        let held = &self.tickets[index];
        let name = &held.ticket.workflow;
        let target = self.workflows.version(name, version).cloned();
        let target = target.ok_or_else(|| Refusal::NoSuchWorkflow {
            workflow: Name::new(format!("{name} version {version}")),
        })?;
        let context = Context {
            now: self.now,
            workflow: &held.workflow,
            directory: &self.directory,
            workload: &self.workload,
        };
        let events = migrate(&context, &target, &held.ticket, plan, by)?;
        self.tickets[index].workflow = target;
        self.answer = self.applied(index, events);
        self.settle_now();
        Ok(&self.answer)
    }

    /// Moves the clock, and fires everything that falls due on the way at its due time: what is due
    /// first, and among those due at one instant promise, `after`, machine, level, then the older ticket.
    /// An earlier instant moves nothing.
    pub fn advance_to(&mut self, to: Timestamp) {
        self.observer.asked(|| Asked::Until(to));
        self.pass_to(to);
    }

    fn pass_to(&mut self, to: Timestamp) {
        while self.up && self.step(to) {}
        self.now = self.now.max(to);
    }

    /// The engine goes down: time passes, nothing fires, and nobody can do anything.
    pub fn stop(&mut self) {
        self.observer.asked(|| Asked::Stop);
        self.up = false;
    }

    /// The engine is back: what fell due meanwhile fires now, in order of due time, and knows how late.
    pub fn start(&mut self) {
        self.observer.asked(|| Asked::Start);
        self.up = true;
        self.recheck_all();
        self.pass_to(self.now);
    }

    /// Whether the engine is up.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Lets time pass to `to` with the engine down from `from` on.
    pub fn outage(&mut self, from: Timestamp, to: Timestamp) {
        self.advance_to(from);
        self.stop();
        self.advance_to(to);
        self.start();
    }

    /// Another directory holds from now on; whoever is no longer there loses the tickets at once.
    pub fn set_directory(&mut self, directory: Arc<Directory>) {
        let asked = || Asked::Directory(Arc::clone(&directory));
        self.observer.asked(asked);
        self.directory = directory;
        self.queue_absences();
        // While the engine is down nobody loses anything; it looks when it is back.
        self.unchecked = true;
        if self.up {
            self.recheck_all();
        }
    }

    /// Takes in a ticket that has a history already, with the workflow that it was opened with.
    pub fn adopt(&mut self, ticket: Ticket, workflow: Arc<Workflow>) {
        let index = self.tickets.len();
        self.names.insert(ticket.id.clone(), index);
        if let (Some(key), true) = (&ticket.key, ticket.is_open()) {
            self.keys
                .insert((ticket.workflow.clone(), key.clone()), index);
        }
        self.tickets.push(Held {
            ticket,
            workflow,
            queued: 0,
        });
        self.queue_clocks(index);
    }

    /// Takes over what is known of who holds how many; see [`World::adopt`].
    pub fn set_workload(&mut self, workload: Workload) {
        self.workload = workload;
    }

    /// Nobody has looked for a while whether the holders are still there, as after an outage: that is the
    /// first thing that happens in a [`World::forecast`], and when the engine is back.
    pub fn holders_unchecked(&mut self) {
        self.unchecked = true;
    }

    /// A world of its own in which only this ticket, and those that it waits for, go on. Nothing that
    /// happens there happens here.
    pub fn alone(&self, id: &str) -> Option<World<Log>> {
        let index = *self.names.get(id)?;
        let mut world = World::new(
            self.now,
            self.workflows.clone(),
            Arc::clone(&self.directory),
        );
        world.timers.clear();
        world.queue_absences();
        world.workload = self.workload.clone();
        world.unchecked = self.unchecked;
        let mut family = vec![id];
        for held in &self.tickets[index..] {
            let parent = held
                .ticket
                .parent
                .as_ref()
                .map(|parent| parent.ticket.as_str());
            if held.ticket.id.as_str() == id || parent.is_some_and(|id| family.contains(&id)) {
                family.push(held.ticket.id.as_str());
                world.adopt(held.ticket.clone(), Arc::clone(&held.workflow));
            }
        }
        Some(world)
    }

    fn check_up(&self) -> Result<(), Refusal> {
        match self.up {
            true => Ok(()),
            false => Err(Refusal::Down),
        }
    }

    fn open_now(&mut self, workflow: &str, command: &Command) -> Result<Vec<Event>, Refusal> {
        let found = self.workflows.newest(workflow).cloned();
        let workflow = found.ok_or_else(|| Refusal::NoSuchWorkflow {
            workflow: Name::new(workflow),
        })?;
        let Wish::Open { ticket, key, .. } = &command.wish else {
            return Err(Rejection::NotOpen.into());
        };
        if self.names.contains_key(ticket) {
            return Err(Rejection::AlreadyOpen.into());
        }
        if let Some(key) = key
            && let Some(open) = self.by_key(&workflow.name, key)
        {
            return Err(Refusal::SameKey {
                key: key.clone(),
                ticket: open.id.clone(),
            });
        }
        let index = self.tickets.len();
        let name = ticket.clone();
        self.tickets.push(Held {
            ticket: Ticket::default(),
            workflow,
            queued: 0,
        });
        match self.command(index, command) {
            Ok(events) => {
                self.names.insert(name, index);
                Ok(events)
            }
            Err(refusal) => {
                self.tickets.pop();
                Err(refusal)
            }
        }
    }

    /// Decides, applies, and arms what was armed.
    fn command(&mut self, index: usize, command: &Command) -> Result<Vec<Event>, Refusal> {
        let held = &self.tickets[index];
        let context = Context {
            now: self.now,
            workflow: &held.workflow,
            directory: &self.directory,
            workload: &self.workload,
        };
        let events = decide(&context, &held.ticket, command)?;
        Ok(self.applied(index, events))
    }

    fn applied(&mut self, index: usize, events: Vec<Event>) -> Vec<Event> {
        for event in &events {
            self.apply(index, event);
        }
        self.queue_clocks(index);
        events
    }

    fn apply(&mut self, index: usize, event: &Event) {
        let ticket = &mut self.tickets[index].ticket;
        match event.fact {
            Fact::Entered { .. }
            | Fact::Hopped(_)
            | Fact::BranchEnded { .. }
            | Fact::Ended { .. } => {
                // Only who was answerable counts for the workload, not the whole ticket.
                let before = Ticket {
                    positions: ticket.positions.clone(),
                    ..Ticket::default()
                };
                evolve(ticket, event);
                self.workload.follow(&before, event, ticket);
            }
            _ => evolve(ticket, event),
        }
        self.follow(index, event);
        self.observer.happened(&self.tickets[index].ticket, event);
    }
}
