//! Tickets that are set aside: the engine can't move them without harm, and all others go on.

use upline_core::Name;

use super::{Fault, Floor, Incident, Target, behind};
use crate::record::{Entry, Number};
use crate::store::{Store, StoreError};

/// A ticket that is set aside: it is open, its clocks do not fire, and commands to it are refused until an
/// operator lets it go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// Its number.
    pub number: Number,
    /// Its id; of one that can't be read, its number.
    pub ticket: Name,
    /// What is wrong.
    pub why: String,
}

impl Floor {
    /// Takes a ticket out of the queue, since it can't be moved without harm.
    pub(super) fn set_aside(&mut self, number: Number, why: String) {
        let mut id = Name::new(number.to_string());
        if let Some(record) = self.hot.get_mut(&number) {
            record.set_aside = Some(why.clone());
            id = record.ticket.id.clone();
            let record = record.clone();
            self.link(&record);
            self.changed.insert(number);
        } else if self.set_aside.contains_key(&number) {
            // It still can't be read, as was told.
            return;
        } else if let Some(link) = self.links.get_mut(&number) {
            link.due = None;
            self.set_aside.insert(number, why.clone());
        }
        self.entries.push(Entry::SetAside {
            number,
            why: Some(why.clone()),
        });
        self.incidents.push(Incident::SetAside { ticket: id, why });
    }

    /// Those that the audit could not read.
    pub(super) fn set_unreadable_aside(&mut self) {
        for (number, why) in std::mem::take(&mut self.auditor.unreadable) {
            if self.links.contains_key(&number) {
                self.set_aside(number, why);
            }
        }
    }

    /// Lets a ticket go on that was set aside. One that was not goes on anyway.
    pub(crate) fn release(
        &mut self,
        store: &mut dyn Store,
        target: &Target,
        by: Name,
    ) -> Result<(), Fault> {
        let number = self.find(target).ok_or_else(|| self.not_there(target))?;
        if !self.set_aside.contains_key(&number) {
            return Ok(());
        }
        self.fetch(store, number)?;
        let Some(record) = self.hot.get_mut(&number) else {
            return Ok(());
        };
        record.set_aside = None;
        let record = record.clone();
        self.link(&record);
        // Those that were written just before it could not be read were never taken in.
        if !record.unsent.is_empty() {
            self.unsent.push(number);
        }
        self.changed.insert(number);
        self.entries.push(Entry::Released { number, by });
        Ok(())
    }

    /// How many tickets are set aside.
    pub(crate) fn count_set_aside(&self) -> usize {
        self.set_aside.len()
    }

    /// The tickets that are set aside, by number, behind `after`. At most `limit`; and where to go on.
    pub(crate) fn all_set_aside(
        &mut self,
        store: &mut dyn Store,
        after: Number,
        limit: usize,
    ) -> Result<(Vec<SetAside>, Option<Number>), Fault> {
        let some = self.set_aside.range(behind(after));
        let some: Vec<(Number, String)> = some
            .take(limit)
            .map(|(number, why)| (*number, why.clone()))
            .collect();
        let next = some.last().map(|(number, _)| *number);
        let next = next.filter(|_| some.len() == limit);
        let mut found = Vec::new();
        for (number, why) in some {
            let ticket = match self.record(store, number) {
                Ok(record) => record.ticket.id.clone(),
                Err(Fault::Store(StoreError::Ticket { .. })) => Name::new(number.to_string()),
                Err(error) => return Err(error),
            };
            found.push(SetAside {
                number,
                ticket,
                why,
            });
        }
        Ok((found, next))
    }
}
