//! The engine looks after itself: could a ticket be forgotten, and can every one still be read?
//!
//! Each commit's tickets are looked at when it is on disk. Besides, whole passes over all open tickets go on
//! all the time: one at each start and whenever the directory changes or somebody's absence begins (those
//! also move tickets), and between them slow ones, a slice behind a commit. An idle engine looks at nothing,
//! and is not woken for it: what nobody touches was looked at by the last pass.

use std::time::Duration;

use jiff::Timestamp;
use upline_core::{Branch, Directory, Name};
use upline_lab::world::{Gap, Missing, gaps};

use super::{Due, Floor, Incident, instant};
use crate::record::{Millis, Number, Record};
use crate::store::{Store, StoreError};

/// How far apart the slices of a slow pass are at least, in milliseconds.
const SLICE_EVERY: Millis = 50;

/// Most tickets in a slice, which take about a millisecond.
const MOST_AT_ONCE: Millis = 256;

/// How it stands with the audit of all open tickets.
///
/// A pass looks whether each has somebody answerable and a clock that is armed and queued, and whether it can
/// be read at all. There is one at the start and after each change of the directory. Then they follow each
/// other for as long as commands come: behind a commit, at most every 50 ms, one ticket is looked at for
/// every millisecond since, 256 at most. An engine at work looks at a million in about 17 minutes, with some
/// thousandths of a core; one that is idle looks at none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Audit {
    /// Whole passes since the start.
    pub passes: u64,
    /// When the last whole pass ended, by the engine's time.
    pub last_ended: Option<Timestamp>,
    /// How long it took.
    pub last_took: Option<Duration>,
    /// How many tickets the pass that goes on has looked at.
    pub checked: u64,
    /// Gaps found since the start, by passes and in commits. Anything but 0 is an alarm.
    pub gaps: u64,
}

/// The audit's own place on the floor.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    pub(super) shown: Audit,
    /// The first ticket that must still be looked at in this pass.
    next: Number,
    /// When this pass began.
    began: Option<Millis>,
    /// When the last slice was.
    at: Millis,
    /// Tickets that can't be read, to be set aside in the next commit.
    pub(super) unreadable: Vec<(Number, String)>,
    /// Clocks that were lost from the queue. Armed when all of a slice were looked at: the first would hide
    /// that the others are lost.
    lost: Vec<Due>,
}

impl Auditor {
    /// What is told of it after the floor was read again.
    pub(crate) fn go_on_from(&mut self, before: &Self) {
        let checked = self.shown.checked;
        self.shown = before.shown;
        self.shown.checked = checked;
    }

    /// A pass begins from the first ticket.
    pub(super) fn begin(&mut self, now: Millis) {
        self.next = 0;
        self.began = Some(now);
        self.shown.checked = 0;
    }

    pub(super) fn end(&mut self, now: Millis) {
        let began = self.began.take().unwrap_or(now);
        let took = u64::try_from(now - began).unwrap_or(0);
        self.shown.last_took = Some(Duration::from_millis(took));
        self.shown.last_ended = Some(instant(now));
        self.shown.passes += 1;
        self.shown.checked = 0;
        self.next = 0;
    }
}

impl Floor {
    /// Looks for changed tickets that could be forgotten: by the proof and the core's rules there are none.
    pub(super) fn audit(&mut self, changed: &[Box<Record>]) {
        let Some(directory) = self.directory.clone() else {
            return;
        };
        for record in changed {
            // Whose holder has left the directory a moment ago: the recheck that runs will come to it.
            if self.recheck.is_none_or(|from| record.number < from) {
                self.found(record.number, gaps(&record.ticket, &directory));
            }
        }
    }

    fn found(&mut self, number: Number, found: Vec<Gap>) {
        if found.is_empty() {
            self.forgotten.remove(&number);
        } else if self.forgotten.insert(number) {
            self.auditor.shown.gaps += found.len() as u64;
            self.incidents.extend(found.into_iter().map(Incident::Gap));
        }
    }

    /// The next slice of a slow pass, if it is time for one. Called when a commit is on disk and answered.
    pub(crate) fn audit_some(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let passed = self.now - self.auditor.at;
        // A recheck looks at all tickets by itself.
        if self.recheck.is_some() || passed < SLICE_EVERY {
            return Ok(());
        }
        let Some(directory) = self.directory.clone() else {
            return Ok(());
        };
        let slice = usize::try_from(passed.min(MOST_AT_ONCE)).unwrap_or(0);
        self.auditor.at = self.now;
        if self.auditor.began.is_none() {
            self.auditor.begin(self.now);
        }
        let from = self.links.range(self.auditor.next..);
        let numbers: Vec<Number> = from.map(|(number, _)| *number).take(slice).collect();
        for number in &numbers {
            self.look_at(store, *number, &directory)?;
        }
        self.arm_lost();
        match numbers.last() {
            Some(last) if numbers.len() == slice => self.auditor.next = last + 1,
            _ => self.auditor.end(self.now),
        }
        Ok(())
    }

    /// Looks at one ticket as it is on the floor and in the store.
    pub(super) fn look_at(
        &mut self,
        store: &mut dyn Store,
        number: Number,
        directory: &Directory,
    ) -> Result<(), StoreError> {
        self.auditor.shown.checked += 1;
        // It needs an operator, who was told.
        if self.set_aside.contains_key(&number) {
            return Ok(());
        }
        let kept = match self.hot.peek(&number) {
            Some(_) => None,
            // Not among the hot ones: those are what people work on.
            None => match store.ticket(number) {
                Ok(Some(record)) => Some(record),
                Ok(None) => return self.cannot_read(number, "the store does not have it".into()),
                Err(StoreError::Ticket { why, .. }) => return self.cannot_read(number, why),
                Err(error) => return Err(error),
            },
        };
        let Some(record) = kept
            .as_ref()
            .or_else(|| self.hot.peek(&number).map(|record| &**record))
        else {
            return Ok(());
        };
        let mut found = gaps(&record.ticket, directory);
        if let Some(due) = Due::of(record) {
            let id = record.ticket.id.clone();
            let of_link = self.links.get(&number).and_then(|link| link.due);
            let first = self.next_due();
            // All that is due is before it in the queue, or it is not in the queue.
            let is_lost = due.at() <= self.now && first.is_none_or(|first| first > due);
            if of_link != Some(due) || is_lost {
                found.push(never_fires(id));
                if let Some(link) = self.links.get_mut(&number) {
                    link.due = Some(due);
                }
                self.auditor.lost.push(due);
            }
        }
        self.found(number, found);
        Ok(())
    }

    pub(super) fn arm_lost(&mut self) {
        for due in std::mem::take(&mut self.auditor.lost) {
            self.timers.arm(due);
        }
    }

    fn cannot_read(&mut self, number: Number, why: String) -> Result<(), StoreError> {
        self.auditor.unreadable.push((number, why));
        Ok(())
    }
}

/// The engine had lost sight of its clock. It is armed again.
fn never_fires(ticket: Name) -> Gap {
    Gap {
        ticket,
        branch: Branch::default(),
        state: Name::default(),
        missing: Missing::Clock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floor::timers::Timers;
    use crate::kit::{Hand, begin};
    use crate::store::MemoryStore;
    use crate::writer::{Input, Reply};

    fn on_the_floor<T: Send + 'static>(
        hand: &mut Hand,
        look: impl FnOnce(&mut Floor) -> T + Send + 'static,
    ) -> T {
        let ask = |reply: Reply<T>| {
            Input::Look(Box::new(move |open| {
                reply(open.map(|(floor, _)| look(floor)));
            }))
        };
        hand.ask(ask).unwrap()
    }

    #[test]
    fn a_clock_that_was_lost_from_the_queue_is_found_told_and_armed_again() {
        let mut hand = Hand::open(MemoryStore::new(), begin()).unwrap();
        hand.deploy();
        hand.open_ticket("Mr Low").unwrap();
        hand.open_ticket("Ms High").unwrap();
        on_the_floor(&mut hand, |floor| floor.timers = Timers::default());
        let mut gaps = hand.pass(16 * 60).incidents;
        gaps.retain(|one| matches!(one, Incident::Gap(_)));
        assert_eq!(gaps, [], "nothing fires, and nothing is looked at");
        // A commit of a third ticket brings the pass with it.
        hand.reading.wall += 1_000;
        let mut told = hand.open_ticket_and_hear("Mrs Wide").1;
        told.retain(|one| matches!(one, Incident::Gap(_)));
        let gap = |ticket: &str| Incident::Gap(never_fires(ticket.into()));
        assert_eq!(told, [gap("1"), gap("2")]);
        let audit = on_the_floor(&mut hand, |floor| floor.auditor.shown);
        assert_eq!(audit.gaps, 2);
        hand.pass(1);
        let due = on_the_floor(&mut hand, |floor| floor.next_due().map(|due| due.at()));
        assert!(
            due > Some(on_the_floor(&mut hand, |floor| floor.now)),
            "both have fired"
        );
        hand.open_ticket("Mr Far").unwrap();
        assert!(on_the_floor(&mut hand, |floor| floor.forgotten.is_empty()));
    }
}
