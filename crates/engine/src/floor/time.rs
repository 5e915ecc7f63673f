//! What time does: clocks fire, absences begin, tickets open by themselves.

use upline_core::{Actor, Command, Name, Wish};

use super::{Due, Fault, Floor, Request, instant};
use crate::record::{Millis, Number};
use crate::store::Store;

impl Floor {
    /// Lets time go on to `now`, and does at most `slice` of what is due. Whether more is due.
    pub(crate) fn tick(
        &mut self,
        store: &mut dyn Store,
        now: Millis,
        slice: usize,
    ) -> Result<bool, Fault> {
        self.now = self.now.max(now);
        self.set_unreadable_aside();
        let mut left = slice;
        self.absences_begin();
        while left > 0
            && let Some(due) = self.next_due()
            && due.at() <= self.now
        {
            self.timers.pop();
            self.fire(store, due)?;
            left -= 1;
        }
        self.open_by_themselves(store)?;
        left -= self.recheck_some(store, left)?;
        Ok(left == 0)
    }

    /// Fires a clock. One that does not go away by that, because the ticket refuses it or does nothing,
    /// would fire for ever and hold up the others: the ticket is set aside.
    fn fire(&mut self, store: &mut dyn Store, due: Due) -> Result<(), Fault> {
        let number = due.number();
        let request = Request::own(Command::due(due.clock()), "timer");
        let why = match self.command(store, number, &request) {
            Err(Fault::Refused(refusal)) => Some(refusal.to_string()),
            other => {
                let id = Name::new(number.to_string());
                self.heard(&id, other)?;
                None
            }
        };
        self.settle(store)?;
        let link = self.links.get(&number);
        if link.is_some_and(|link| link.due == Some(due)) {
            let clock = due.clock();
            let idle = || format!("clock {clock} is due, and nothing happens");
            self.set_aside(number, why.unwrap_or_else(idle));
        }
        Ok(())
    }

    /// The next entry of the queue that is still true.
    pub(crate) fn next_due(&mut self) -> Option<Due> {
        while let Some(due) = self.timers.first() {
            let link = self.links.get(&due.number());
            if link.is_some_and(|link| link.due == Some(due)) {
                return Some(due);
            }
            self.timers.stale += 1;
            self.timers.pop();
        }
        None
    }

    /// When the engine must look again if nobody gives a command.
    pub(crate) fn next_wake(&mut self) -> Option<Millis> {
        if self.recheck.is_some() || !self.auditor.unreadable.is_empty() {
            return Some(self.now);
        }
        let due = self.next_due().map(Due::at);
        let other = self.next_by_itself().map(super::millis_at);
        [due, other].into_iter().flatten().min()
    }

    fn open_by_themselves(&mut self, store: &mut dyn Store) -> Result<(), Fault> {
        let now = instant(self.now);
        for index in 0..self.next_openings.len() {
            let Some(mut due) = self.next_openings[index].filter(|due| *due <= now) else {
                continue;
            };
            // Those that an outage has swallowed are one ticket: the last one.
            while let Some(next) = self.openings.next(index, due)
                && next <= now
            {
                due = next;
            }
            let (workflow, command) = self.openings.command(index, due);
            let name = self.openings.name(index);
            let opened = self.open_now(store, &workflow, &Request::own(command, "timer"));
            self.heard(&name, opened)?;
            self.settle(store)?;
            self.next_openings[index] = self.openings.next(index, due);
        }
        Ok(())
    }

    /// Whoever is away from now on loses his tickets.
    fn absences_begin(&mut self) {
        let now = instant(self.now);
        while let Some(entry) = self.absences.first_entry()
            && *entry.key() <= now
        {
            entry.remove();
            self.recheck_all();
        }
    }

    /// Looks whether the holders of all tickets are still there, from now on, in slices.
    pub(crate) fn recheck_all(&mut self) {
        self.recheck = Some(0);
        self.auditor.begin(self.now);
    }

    fn recheck_some(&mut self, store: &mut dyn Store, limit: usize) -> Result<usize, Fault> {
        let Some(from) = self.recheck else {
            return Ok(0);
        };
        let numbers: Vec<Number> = self
            .links
            .range(from..)
            .map(|(number, _)| *number)
            .take(limit)
            .collect();
        self.recheck = match (numbers.len() < limit, numbers.last()) {
            (false, Some(last)) => Some(last + 1),
            _ => None,
        };
        let directory = self.directory.clone();
        for number in &numbers {
            let command = Command {
                by: Actor::Clock,
                branch: None,
                wish: Wish::Recheck,
            };
            self.tell(store, *number, command, "directory")?;
            self.settle(store)?;
            if let Some(directory) = &directory {
                let looked = self.look_at(store, *number, directory);
                looked.map_err(Fault::Store)?;
            }
        }
        self.arm_lost();
        if self.recheck.is_none() {
            self.auditor.end(self.now);
        }
        Ok(numbers.len())
    }

    pub(super) fn arm_openings(&mut self) {
        let now = instant(self.now);
        let all = 0..self.openings.len();
        self.next_openings = all.map(|index| self.openings.next(index, now)).collect();
    }

    pub(super) fn arm_absences(&mut self) {
        let now = instant(self.now);
        let absences = self.directory.iter().flat_map(|directory| {
            let absences = directory.absences.values();
            absences.flatten()
        });
        let later = absences.filter(|absence| absence.from > now);
        self.absences = later
            .map(|absence| (absence.from, absence.who.clone()))
            .collect();
    }
}
