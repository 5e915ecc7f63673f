//! What is due when, in a [`World`].

use std::cmp::Reverse;

use jiff::Timestamp;
use upline_core::{ClockId, ClockKind, Command};

use super::{Observer, World};

/// Something that is due. Ordered by time, then by [`Rank`], then by ticket and clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub(super) due: Timestamp,
    pub(super) rank: Rank,
    /// Index of the ticket, or of the opening.
    pub(super) subject: usize,
    pub(super) clock: ClockId,
}

/// What comes first at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// An absence begins: hops of the same instant know it.
    Absence,
    /// A promise's warning or breach.
    Promise,
    /// A state is left by itself.
    After,
    /// A call to a machine took too long, or is tried again.
    Machine,
    /// A suspension is over.
    Wake,
    /// The next channel of whoever was asked.
    Reach,
    /// The ladder's next step, or a reminder.
    Level,
    /// A ticket opens by itself.
    Opening,
}

impl From<&ClockKind> for Rank {
    fn from(kind: &ClockKind) -> Self {
        match kind {
            ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. } => Self::Promise,
            ClockKind::After { .. } => Self::After,
            ClockKind::RunTimeout | ClockKind::RunRetry => Self::Machine,
            ClockKind::Wake => Self::Wake,
            ClockKind::Reach { .. } => Self::Reach,
            ClockKind::Level { .. } | ClockKind::Remind => Self::Level,
        }
    }
}

impl<O: Observer> World<O> {
    /// Fires the next thing that is due until `limit`, if there is one.
    pub fn step(&mut self, limit: Timestamp) -> bool {
        while let Some(Reverse(timer)) = self.timers.peek() {
            if timer.due > limit || !self.up {
                return false;
            }
            let Some(Reverse(timer)) = self.timers.pop() else {
                return false;
            };
            if self.fire(&timer) {
                return true;
            }
        }
        false
    }

    /// When the next clock of an open ticket is due.
    pub fn next_due(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(timer)) = self.timers.peek() {
            if timer.rank == Rank::Absence || timer.rank == Rank::Opening || self.is_armed(timer) {
                return Some(timer.due);
            }
            self.timers.pop();
        }
        None
    }

    /// Delivers the clock that fired last once more, as a queue may do. Nothing happens.
    pub fn fire_again(&mut self) {
        if let Some((index, clock)) = self.fired {
            self.tell(index, &Command::due(clock));
            self.settle();
        }
    }

    /// Fires a timer; a stale one does nothing.
    fn fire(&mut self, timer: &Timer) -> bool {
        match timer.rank {
            Rank::Absence => {
                self.now = self.now.max(timer.due);
                self.absence_begins(timer.due);
            }
            Rank::Opening => {
                self.now = self.now.max(timer.due);
                self.open_by_itself(timer.subject, timer.due);
            }
            _ if self.is_armed(timer) => {
                self.now = self.now.max(timer.due);
                self.fired = Some((timer.subject, timer.clock));
                self.tell(timer.subject, &Command::due(timer.clock));
            }
            _ => return false,
        }
        self.settle();
        true
    }

    fn is_armed(&self, timer: &Timer) -> bool {
        let ticket = &self.tickets[timer.subject].ticket;
        ticket.is_open()
            && ticket
                .clock(timer.clock)
                .is_some_and(|clock| clock.due == timer.due)
    }

    /// Puts the clocks into the queue that the last command armed. What it disarmed stays there, and
    /// does nothing when its time comes.
    pub(super) fn queue_clocks(&mut self, index: usize) {
        let held = &mut self.tickets[index];
        let before = held.queued;
        for clock in held.ticket.clocks.iter().filter(|clock| clock.id > before) {
            held.queued = held.queued.max(clock.id);
            self.timers.push(Reverse(Timer {
                due: clock.due,
                rank: Rank::from(&clock.kind),
                subject: index,
                clock: clock.id,
            }));
        }
    }

    /// Queues the starts of all absences that are still to begin. Those of an earlier directory stay in
    /// the queue; at their time nobody is found absent.
    pub(super) fn queue_absences(&mut self) {
        let absences = self.directory.absences.values().flatten();
        for absence in absences.filter(|absence| absence.from > self.now) {
            self.timers.push(Reverse(Timer {
                due: absence.from,
                rank: Rank::Absence,
                subject: 0,
                clock: 0,
            }));
        }
    }

    /// Queues what each `every:` opens next, in place of what was queued before.
    pub(super) fn queue_openings(&mut self) {
        self.timers
            .retain(|Reverse(timer)| timer.rank != Rank::Opening);
        for index in 0..self.openings.len() {
            self.queue_opening(index, self.now);
        }
    }

    /// Carries out what follows from a command, and fires what is due already: a clock may be armed for
    /// the very instant.
    pub(super) fn settle_now(&mut self) {
        self.settle();
        self.pass_to(self.now);
    }

    /// Queues the next opening by the clock after `after`.
    pub(super) fn queue_opening(&mut self, index: usize, after: Timestamp) {
        if let Some(due) = self.openings.next(index, after) {
            self.timers.push(Reverse(Timer {
                due,
                rank: Rank::Opening,
                subject: index,
                clock: 0,
            }));
        }
    }
}
