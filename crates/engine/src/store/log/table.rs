//! The open tickets as they are: a snapshot, and what was changed since, encoded.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::snapshot::{Snapshot, SnapshotError};
use crate::record::{Number, Record};
use crate::store::StoreError;

/// Is shown the bytes of a record.
pub(super) type Each<'a> = dyn FnMut(Number, &[u8]) -> Result<(), StoreError> + 'a;

/// About what an entry of the map takes besides the record.
const ENTRY: usize = 64;

/// How many changed tickets behind the snapshot's last one are shown in one piece.
const PIECE: usize = 1024;

/// How many of the tickets that were changed last are kept as they are. Most are changed again soon, or end,
/// and need not have been encoded in between; all are when a snapshot begins, while a commit may wait.
pub(super) const YOUNG: usize = 1024;

/// About how much memory one of those takes.
const YOUNG_BYTES: usize = 2048;

/// What a changed ticket is now.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Not hot any more.
    Gone,
    /// Encoded.
    Bytes(Vec<u8>),
    /// To be encoded.
    Young(Box<Record>),
}

impl Change {
    /// About how much memory it takes.
    fn size(&self) -> usize {
        ENTRY
            + match self {
                Self::Gone => 0,
                Self::Bytes(bytes) => bytes.len(),
                Self::Young(_) => YOUNG_BYTES,
            }
    }

    /// What a walk shows; `None`: nothing.
    ///
    /// # Errors
    /// [`StoreError::Ticket`] if it was not encoded: leaving it out would be forgetting the ticket.
    fn bytes(&self) -> Result<Option<&[u8]>, StoreError> {
        match self {
            Self::Bytes(bytes) => Ok(Some(bytes)),
            Self::Gone => Ok(None),
            Self::Young(record) => Err(StoreError::Ticket {
                number: record.number,
                why: "it was not encoded before a snapshot".into(),
            }),
        }
    }
}

/// How a record is encoded.
pub(super) type Encode<'a> = dyn FnMut(&mut Record) -> Result<Vec<u8>, StoreError> + 'a;

/// Tickets that were changed.
#[derive(Debug, Default, Clone)]
pub(super) struct Changes {
    map: BTreeMap<Number, Change>,
    /// The young ones, oldest first; some of them may be gone.
    young: VecDeque<Number>,
    bytes: usize,
}

impl Changes {
    pub(super) fn put(&mut self, number: Number, change: Change) {
        self.bytes += change.size();
        if let Some(before) = self.map.insert(number, change) {
            self.bytes = self.bytes.saturating_sub(before.size());
        }
    }

    /// A ticket that was changed just now, to be encoded later.
    pub(super) fn put_young(
        &mut self,
        record: &Record,
        encode: &mut Encode<'_>,
    ) -> Result<(), StoreError> {
        let number = record.number;
        if let Some(Change::Young(known)) = self.map.get_mut(&number) {
            known.as_mut().clone_from(record);
            return Ok(());
        }
        self.put(number, Change::Young(Box::new(record.clone())));
        self.young.push_back(number);
        self.encode_but(YOUNG, encode)
    }

    /// Encodes all, as they must be for a [`Walk`].
    pub(super) fn encode_all(&mut self, encode: &mut Encode<'_>) -> Result<(), StoreError> {
        self.encode_but(0, encode)
    }

    /// Encodes all but the youngest so many.
    fn encode_but(&mut self, most: usize, encode: &mut Encode<'_>) -> Result<(), StoreError> {
        while self.young.len() > most
            && let Some(number) = self.young.front().copied()
        {
            if let Some(Change::Young(record)) = self.map.get_mut(&number) {
                let bytes = encode(record)?;
                self.put(number, Change::Bytes(bytes));
            }
            // Only now: one that can't be encoded just now must be tried again, or no snapshot had it.
            self.young.pop_front();
        }
        Ok(())
    }

    /// The ticket, if it was changed.
    pub(super) fn get(&self, number: Number) -> Option<&Change> {
        self.map.get(&number)
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds what was changed before: what is here is newer.
    pub(super) fn add_older(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        self.young.extend(newer.young);
        for (number, change) in newer.map {
            self.put(number, change);
        }
    }
}

/// A walk through all hot tickets in order of their numbers, in pieces: those of the snapshot, and in place
/// of some of them, and behind them, those that were changed since.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Rows of the snapshot that are behind it.
    row: usize,
    /// The last ticket that is behind it.
    after: Option<Number>,
    buffer: Vec<u8>,
}

impl Walk {
    /// Shows the next piece. Whether there is more.
    pub(super) fn piece(
        &mut self,
        snapshot: Option<&Snapshot>,
        changes: &Changes,
        each: &mut Each<'_>,
    ) -> Result<bool, StoreError> {
        let chunk = snapshot.and_then(|snapshot| Some((snapshot, snapshot.chunk(self.row)?)));
        let from = self.after.map_or(Unbounded, Excluded);
        let Some((snapshot, chunk)) = chunk else {
            let mut shown = 0;
            for (number, change) in changes.map.range((from, Unbounded)).take(PIECE) {
                if let Some(bytes) = change.bytes()? {
                    each(*number, bytes)?;
                }
                self.after = Some(*number);
                shown += 1;
            }
            return Ok(shown == PIECE);
        };
        let mut changed = changes.map.range((from, Included(chunk.last))).peekable();
        snapshot.read(&chunk, &mut self.buffer, |number, bytes| {
            while let Some((other, newer)) = changed.next_if(|(other, _)| **other < number) {
                if let Some(newer) = newer.bytes()? {
                    each(*other, newer)?;
                }
            }
            match changed.next_if(|(other, _)| **other == number) {
                Some((_, newer)) => newer.bytes()?.map_or(Ok(()), |newer| each(number, newer)),
                None => each(number, bytes),
            }
        })?;
        self.row = chunk.rows.end;
        self.after = Some(chunk.last);
        Ok(true)
    }
}

impl From<SnapshotError> for StoreError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Io(source) => super::io("reading a snapshot")(source),
            SnapshotError::Damaged | SnapshotError::Format(_) => {
                Self::Damaged(format!("a snapshot: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn young(changes: &mut Changes, number: Number) {
        let record = Record::new(number, 1);
        changes.put_young(&record, &mut |_| Ok(vec![1])).unwrap();
    }

    fn walk(changes: &Changes) -> Result<Vec<Number>, StoreError> {
        let (mut walk, mut seen) = (Walk::default(), Vec::new());
        while walk.piece(None, changes, &mut |number, _| {
            seen.push(number);
            Ok(())
        })? {}
        Ok(seen)
    }

    #[test]
    fn a_ticket_that_could_not_be_encoded_once_is_in_the_next_snapshot() {
        let mut changes = Changes::default();
        (1..=3).for_each(|number| young(&mut changes, number));
        let mut calls = 0;
        let failed = changes.encode_all(&mut |record| {
            calls += 1;
            match record.number {
                2 => Err(StoreError::Full),
                _ => Ok(vec![1]),
            }
        });
        assert!(matches!(failed, Err(StoreError::Full)) && calls == 2);
        assert!(matches!(
            walk(&changes),
            Err(StoreError::Ticket { number: 2, .. })
        ));
        changes.encode_all(&mut |_| Ok(vec![1])).unwrap();
        assert_eq!(walk(&changes).unwrap(), [1, 2, 3]);
    }
}
