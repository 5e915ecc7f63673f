//! A store that forgets everything when the program ends: for tests, and for programs that can begin anew.

use std::collections::BTreeMap;

use super::fold::Fold;
use super::{Batch, Recovered, Store, StoreError};
use crate::record::{self, Commit, Entry, Number, Record};

/// Tickets in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: BTreeMap<Number, Record>,
    journal: Vec<Commit>,
    fence: u64,
    keys: u32,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All commits, in order.
    pub fn journal(&self) -> &[Commit] {
        &self.journal
    }
}

impl Store for MemoryStore {
    /// Plays the whole journal, so that what it says is what it adds up to.
    fn recover(&mut self, each: &mut crate::store::Show<'_>) -> Result<Recovered, StoreError> {
        let mut fold = Fold::default();
        for (position, commit) in self.journal.iter().enumerate() {
            fold.commit(position as u64, commit.clone(), &mut |_| Ok(None))?;
        }
        let Fold { records, mut known } = fold;
        known.fence = self.fence;
        let hot = records.values().filter(|record| record.is_hot());
        hot.into_iter().try_for_each(each)?;
        self.records = records;
        Ok(known)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn next_position(&self) -> u64 {
        self.journal.len() as u64
    }

    fn new_key(&mut self) -> Result<u32, StoreError> {
        self.keys += 1;
        Ok(self.keys)
    }

    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        Ok(self.records.get(&number).cloned())
    }

    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        if batch.fence < self.fence {
            return Err(StoreError::Fenced);
        }
        self.fence = batch.fence;
        for record in batch.after {
            self.records.insert(record.number, record.clone());
        }
        self.journal.push(Commit {
            at: batch.at,
            wall: batch.wall,
            entries: batch.entries,
        });
        Ok(())
    }

    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        let index = usize::try_from(position).ok();
        Ok(index.and_then(|index| self.journal.get(index)).cloned())
    }

    /// In memory nothing is sealed: what is personal is taken out of the ticket and of its commits.
    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError> {
        let entries = self
            .journal
            .iter_mut()
            .flat_map(|commit| &mut commit.entries);
        for entry in entries {
            if let Entry::Moved(moved) = entry
                && moved.key == key
            {
                record::take_events(&mut moved.events).map_err(record::Unreadable::Bytes)?;
            }
        }
        for record in self.records.values_mut().filter(|record| record.key == key) {
            record.ticket.fields.clear();
        }
        Ok(())
    }

    fn all(&mut self, below: Number, limit: usize) -> Result<Option<Vec<Number>>, StoreError> {
        let numbers = self.records.range(..below).rev().take(limit);
        Ok(Some(numbers.map(|(number, _)| *number).collect()))
    }

    fn between_commits(&mut self, _known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        Ok(())
    }
}
