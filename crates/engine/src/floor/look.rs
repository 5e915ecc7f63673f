//! Questions: what is on the floor, why, and what comes next. Nothing is changed by them.

use std::sync::Arc;
use std::time::Duration;

use upline_core::ticket::Level;
use upline_core::{Event, Name, Ticket};
use upline_lab::explain::{Explanation, explain};
use upline_lab::forecast::Horizon;
use upline_lab::render::{Language, Times};
use upline_lab::timeline::Timeline;
use upline_lab::world::World;

use super::audit::Audit;
use super::{Fault, Floor, instant};
use crate::record::{Entry, Millis, Moved, Number};
use crate::store::{Store, StoreError};

/// Most commits that a question reads.
const MAX_COMMITS: usize = 10_000;

/// One commit of a ticket's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Where in the journal it is: the cursor for what came before it.
    pub position: u64,
    /// By which way the command came.
    pub origin: Name,
    /// What happened. What is personal is left out if the ticket was erased.
    pub events: Vec<Event>,
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The engine's time.
    pub now: jiff::Timestamp,
    /// How far the machine's clock is ahead of it, while that is not believed.
    pub clock_ahead: Option<Duration>,
    /// Tickets that are open, or have messages still to be sent.
    pub tickets: usize,
    /// When the next clock is due. In the past: it is overdue.
    pub next_due: Option<jiff::Timestamp>,
    /// How late the clock is that is due and has not fired for longest. Zero: none is due. Beyond
    /// [`OVERDUE`](crate::OVERDUE), when it lasts, there is an incident.
    pub late: Duration,
    /// Messages that are not delivered yet: those that wait and those under way.
    pub unsent: usize,
    /// Of them: those that wait for their turn, or for their next try.
    pub waiting: usize,
    /// Of them: those whose notifier has not answered yet, or whose answer is not on disk.
    pub under_way: usize,
    /// Messages that were given up since the start: refused for good, or tried for too long.
    pub given_up: u64,
    /// When the oldest message that is not delivered was written.
    pub oldest_unsent: Option<jiff::Timestamp>,
    /// How old that is. Beyond [`OutboxOptions::alarm_after`](crate::drive::OutboxOptions::alarm_after) there
    /// is an incident.
    pub oldest_unsent_for: Duration,
    /// Tickets that are set aside: each needs an operator. [`Handle::set_aside`](crate::Handle::set_aside)
    /// says which.
    pub set_aside: usize,
    /// Open tickets without an answerable person or an armed clock. Anything but 0 is an alarm.
    pub forgotten: usize,
    /// The audit of all open tickets.
    pub audit: Audit,
    /// The disk is full, and commands are refused until there is room.
    pub disk_full: bool,
    /// Clocks that came up and were over already, since the start.
    pub stale_clocks: u64,
    /// The journal's last commit is here.
    pub position: u64,
    /// How it stands with the index of all tickets, if one is kept. No command waits for it.
    #[cfg(feature = "sled")]
    pub index: Option<crate::index::State>,
}

/// Which tickets a question is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this workflow.
    pub workflow: Option<Name>,
    /// In this state, in any branch.
    pub state: Option<Name>,
    /// At this level of its ladder; if a state is named, in the same branch.
    pub level: Option<Level>,
    /// For which this person is answerable, in any branch.
    pub person: Option<Name>,
}

impl Filter {
    /// Whether it says nothing of states and levels.
    pub(super) fn is_anywhere(&self) -> bool {
        self.state.is_none() && self.level.is_none()
    }
}

/// Most tickets that one page is sought in: some milliseconds, since only those that fit are read.
const MAX_SOUGHT: usize = 100_000;

impl Floor {
    /// Tickets on the floor that fit, by number, behind `after`. At most `limit`; and where to go on.
    pub(crate) fn list(
        &mut self,
        store: &mut dyn Store,
        filter: &Filter,
        after: Number,
        limit: usize,
    ) -> Result<(Vec<Ticket>, Option<Number>), Fault> {
        let numbers: Vec<Number> = match &filter.person {
            Some(person) => {
                let held = self.held_by(person).filter(|number| *number > after);
                held.take(MAX_SOUGHT).collect()
            }
            None => self.numbers(after).take(MAX_SOUGHT).collect(),
        };
        let last = numbers.last().copied();
        let more = numbers.len() == MAX_SOUGHT;
        let mut found = Vec::new();
        for number in numbers {
            let standing = self
                .links
                .get(&number)
                .and_then(|link| link.standing.as_ref());
            if !standing.is_some_and(|standing| standing.fits(filter)) {
                continue;
            }
            match self.record(store, number) {
                Ok(record) => found.push(record.ticket.clone()),
                // One that can't be read hides no other.
                Err(Fault::Store(StoreError::Ticket { .. })) => (),
                Err(error) => return Err(error),
            }
            if found.len() == limit {
                return Ok((found, (more || last != Some(number)).then_some(number)));
            }
        }
        Ok((found, last.filter(|_| more)))
    }

    /// The ticket's commits, newest first, before the one at `before`; at most `limit`.
    pub(crate) fn history(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, Fault> {
        let last = self.record(store, number)?.last;
        let mut next = Some(last);
        let mut found = Vec::new();
        for _ in 0..MAX_COMMITS {
            let Some(position) = next.take() else {
                break;
            };
            let Some(commit) = store.read(position).map_err(Fault::Store)? else {
                break;
            };
            let moves: Vec<Moved> = commit.entries.into_iter().filter_map(of(number)).collect();
            // One commit may hold several moves of the ticket; the first of them knows what came before.
            next = moves.first().and_then(|first| first.previous);
            if before.is_some_and(|before| position >= before) {
                continue;
            }
            let told = moves.into_iter().filter(|moved| !moved.events.is_empty());
            found.extend(told.rev().map(|moved| HistoryEntry {
                position,
                origin: moved.origin,
                events: moved.events,
            }));
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// Who is answerable, since when, why, why not the others, and what comes next.
    pub(crate) fn explain(
        &mut self,
        store: &mut dyn Store,
        number: Number,
    ) -> Result<Explanation, Fault> {
        let mut journal = self.history(store, number, None, MAX_COMMITS)?;
        journal.reverse();
        let events = journal.iter().flat_map(|entry| &entry.events);
        let workflow = self.workflow_of(number)?;
        let directory = self.directory.clone().ok_or(Fault::NoDirectory)?;
        let now = self.timestamp();
        let record = self.record(store, number)?;
        let explanation = explain(&record.ticket, events, &workflow, &directory, now);
        let set_aside = record.set_aside.clone();
        Ok(Explanation {
            set_aside,
            ..explanation
        })
    }

    /// What happens next, and when, if nobody acts.
    pub(crate) fn forecast(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        horizon: Horizon,
        times: Times,
        language: Language,
    ) -> Result<Timeline, Fault> {
        let directory = self.directory.clone().ok_or(Fault::NoDirectory)?;
        let mut world = World::new(self.timestamp(), self.workflows.clone(), directory);
        world.set_workload(self.workload.clone());
        if self.recheck.is_some() {
            world.holders_unchecked();
        }
        let mut id = Name::default();
        let mut family = vec![number];
        // Those that it waits for go on too.
        while let Some(number) = family.pop() {
            let ticket = self.record(store, number)?.ticket.clone();
            let workflow = self.workflow_of(number)?;
            if id.is_empty() {
                id = ticket.id.clone();
            }
            let children = ticket.positions.values();
            let children = children.filter_map(|at| {
                let child = format!("{}.{}", ticket.id, at.visit);
                self.find_id(&child)
            });
            family.extend(children);
            world.adopt(ticket, Arc::clone(&workflow));
        }
        let timeline = world.forecast(&id, horizon, times, language);
        timeline.ok_or_else(|| upline_core::Rejection::NotOpen.into())
    }

    /// Drops entries of the queue that are no longer true, when they are most of it.
    pub(super) fn sweep_timers(&mut self) {
        const SMALL: usize = 4096;
        if self.timers.len() > SMALL + 4 * self.links.len() {
            let links = &self.links;
            self.timers.sweep(|due| {
                let link = links.get(&due.number());
                link.is_some_and(|link| link.due == Some(due))
            });
        }
    }

    /// How the engine is, as far as the floor knows.
    pub(crate) fn status(&mut self, position: u64, now: Millis) -> Status {
        let next_due = self.next_due().map(super::Due::at);
        Status {
            now: instant(now),
            clock_ahead: None,
            tickets: self.links.len(),
            next_due: next_due.map(instant),
            late: since(next_due, now),
            unsent: 0,
            waiting: 0,
            under_way: 0,
            given_up: 0,
            oldest_unsent: None,
            oldest_unsent_for: Duration::ZERO,
            audit: self.auditor.shown,
            set_aside: self.set_aside.len(),
            forgotten: self.forgotten.len(),
            disk_full: false,
            stale_clocks: self.timers.stale,
            position,
            #[cfg(feature = "sled")]
            index: None,
        }
    }

    /// The ticket's number, also of one that has just ended.
    pub(crate) fn number(&self, id: &str) -> Result<Number, Fault> {
        let number = self.find_id(id);
        number.ok_or_else(|| upline_core::Rejection::NotOpen.into())
    }
}

/// How long ago this was; zero if it is still to come, or never.
pub(crate) fn since(at: Option<Millis>, now: Millis) -> Duration {
    let passed = at.and_then(|at| u64::try_from(now - at).ok());
    Duration::from_millis(passed.unwrap_or(0))
}

fn of(number: Number) -> impl Fn(Entry) -> Option<Moved> {
    move |entry| match entry {
        Entry::Moved(moved) if moved.number == number => Some(moved),
        _ => None,
    }
}
