//! What a journal adds up to: the tickets, and what the writer must know besides.

use std::collections::BTreeMap;
use std::collections::btree_map;

use super::{Recovered, Seen, StoreError};
use crate::record::{Commit, Entry, Moved, Number, Record};

/// Most commands that are remembered, so that one that comes again is answered and not carried out again.
pub(crate) const MAX_COMMANDS: usize = 1 << 18;

/// A journal's sum so far.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    /// The tickets that it has touched.
    pub(crate) records: BTreeMap<Number, Record>,
    /// The rest.
    pub(crate) known: Recovered,
}

/// How a ticket is read that the fold has not touched yet.
pub(crate) type Load<'a> = dyn FnMut(Number) -> Result<Option<Record>, StoreError> + 'a;

impl Fold {
    /// Adds one commit, its events whole.
    ///
    /// # Errors
    /// Those of `load`, and [`StoreError::Conflict`] if a ticket is not at the revision that it must have.
    pub(crate) fn commit(
        &mut self,
        position: u64,
        commit: Commit,
        load: &mut Load<'_>,
    ) -> Result<(), StoreError> {
        self.known.at = self.known.at.max(commit.at);
        for entry in commit.entries {
            match entry {
                Entry::Moved(moved) => self.moved(position, commit.at, moved, load)?,
                Entry::Files(files) => files.into_iter().for_each(|file| self.known.add_file(file)),
                Entry::Erased { number, .. } => {
                    if let Some(record) = self.record(number, load)? {
                        record.ticket.fields.clear();
                    }
                }
                Entry::SetAside { number, why } => {
                    if let Some(record) = self.record(number, load)? {
                        record.set_aside = why;
                    }
                }
                Entry::Released { number, .. } => {
                    if let Some(record) = self.record(number, load)? {
                        record.set_aside = None;
                    }
                }
            }
        }
        Ok(())
    }

    fn moved(
        &mut self,
        position: u64,
        at: i64,
        moved: Moved,
        load: &mut Load<'_>,
    ) -> Result<(), StoreError> {
        let number = moved.number;
        self.known.last_number = self.known.last_number.max(number);
        if self.record(number, load)?.is_none() {
            self.records.insert(number, Record::new(number, moved.key));
        }
        let Some(record) = self.records.get_mut(&number) else {
            return Ok(());
        };
        if record.ticket.revision != moved.revision {
            return Err(StoreError::Conflict {
                number,
                is: record.ticket.revision,
                expected: moved.revision,
            });
        }
        for event in &moved.events {
            record.follow(event, at, &mut self.known.workload);
        }
        moved.settled.iter().for_each(|one| record.settle(one));
        record.last = position;
        if let Some((id, wish)) = moved.command {
            let revision = record.ticket.revision;
            let ticket = record.ticket.id.clone();
            self.known.remember(Seen {
                id,
                wish,
                at,
                number,
                ticket,
                revision,
            });
        }
        Ok(())
    }

    fn record(
        &mut self,
        number: Number,
        load: &mut Load<'_>,
    ) -> Result<Option<&mut Record>, StoreError> {
        Ok(match self.records.entry(number) {
            btree_map::Entry::Occupied(entry) => Some(entry.into_mut()),
            btree_map::Entry::Vacant(entry) => load(number)?.map(|record| entry.insert(record)),
        })
    }
}

impl Recovered {
    /// A file came: the same text again changes nothing.
    pub(crate) fn add_file(&mut self, file: crate::record::File) {
        self.files.retain(|known| *known != file);
        self.files.push(file);
    }

    /// A command was carried out.
    pub(crate) fn remember(&mut self, seen: Seen) {
        self.commands.push_back(seen);
        if self.commands.len() > MAX_COMMANDS {
            self.commands.pop_front();
        }
    }
}
