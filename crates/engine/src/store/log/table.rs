//! The open tickets as they are: a snapshot, and what was changed since, encoded.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};

use super::snapshot::{Snapshot, SnapshotError};
use crate::record::Number;
use crate::store::StoreError;

/// Is shown the bytes of a record.
pub(super) type Each<'a> = dyn FnMut(Number, &[u8]) -> Result<(), StoreError> + 'a;

/// About what an entry of the map takes besides the record.
const ENTRY: usize = 64;

/// How many changed tickets behind the snapshot's last one are shown in one piece.
const PIECE: usize = 1024;

/// Tickets that were changed; `None`: not hot any more.
#[derive(Debug, Default, Clone)]
pub(super) struct Changes {
    map: BTreeMap<Number, Option<Vec<u8>>>,
    bytes: usize,
}

impl Changes {
    pub(super) fn put(&mut self, number: Number, record: Option<Vec<u8>>) {
        self.bytes += size(record.as_ref());
        if let Some(before) = self.map.insert(number, record) {
            self.bytes = self.bytes.saturating_sub(size(before.as_ref()));
        }
    }

    /// The ticket, if it was changed.
    pub(super) fn get(&self, number: Number) -> Option<Option<&[u8]>> {
        self.map.get(&number).map(Option::as_deref)
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds what was changed before: what is here is newer.
    pub(super) fn add_older(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        for (number, record) in newer.map {
            self.put(number, record);
        }
    }
}

fn size(record: Option<&Vec<u8>>) -> usize {
    ENTRY + record.map_or(0, Vec::len)
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
            for (number, record) in changes.map.range((from, Unbounded)).take(PIECE) {
                if let Some(record) = record {
                    each(*number, record)?;
                }
                self.after = Some(*number);
                shown += 1;
            }
            return Ok(shown == PIECE);
        };
        let mut changed = changes.map.range((from, Included(chunk.last))).peekable();
        snapshot.read(&chunk, &mut self.buffer, |number, bytes| {
            while let Some((other, newer)) = changed.next_if(|(other, _)| **other < number) {
                if let Some(newer) = newer {
                    each(*other, newer)?;
                }
            }
            match changed.next_if(|(other, _)| **other == number) {
                Some((_, Some(newer))) => each(number, newer),
                Some((_, None)) => Ok(()),
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
