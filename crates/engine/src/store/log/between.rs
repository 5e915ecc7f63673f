//! What is done between commits: the next snapshot, and the journal's next segment.

use std::sync::Arc;

use super::making::{Frozen, Job, Next};
use super::snapshot::Snapshot;
use super::{LogStore, Open, io, seal};
use crate::record::Record;
use crate::store::{MAX_COMMIT_BYTES, Recovered, StoreError};

impl LogStore {
    /// Writes a snapshot of what is committed, and waits for it.
    ///
    /// # Errors
    /// [`StoreError`]; the one before stays.
    pub fn snapshot(&mut self, known: &Recovered) -> Result<(), StoreError> {
        let open = self.ready()?;
        if let Some(next) = open.next.take() {
            let done = next.whole().map(Ok);
            open.snapshot_done(done)?;
        }
        self.begin_snapshot(known.clone(), false)?;
        let open = self.ready()?;
        if let Some(next) = open.next.take() {
            let done = next.whole().map(Ok);
            open.snapshot_done(done)?;
        }
        Ok(())
    }

    pub(super) fn begin_snapshot(
        &mut self,
        mut known: Recovered,
        beside: bool,
    ) -> Result<(), StoreError> {
        let (disk, folder) = (Arc::clone(&self.disk), self.folder);
        let open = self.ready()?;
        let Some(mark) = open.journal.head() else {
            return Ok(());
        };
        known.next_key = open.vault.next();
        let mut encode = |record: &mut Record| seal::encode(&open.vault, record, &mut open.scratch);
        open.changed.encode_all(&mut encode)?;
        let changes = Arc::new(std::mem::take(&mut open.changed));
        open.frozen = Some(Arc::clone(&changes));
        open.commits = 0;
        open.tail_from = open.reader.end().0;
        let frozen = Frozen {
            disk,
            folder,
            mark,
            before: open.snapshot.clone(),
            changes,
            known,
            kept: open.rule.kept(),
        };
        let begun = Next::begin(frozen, beside).map(Err);
        open.snapshot_done(begun)
    }
}

impl Open {
    /// The next snapshot is there, or not yet, or it can't be made.
    pub(super) fn snapshot_done(
        &mut self,
        done: Result<Result<Snapshot, Next>, StoreError>,
    ) -> Result<(), StoreError> {
        match done {
            Ok(Err(next)) => {
                self.next = Some(next);
                Ok(())
            }
            Ok(Ok(mut snapshot)) => {
                self.rule.made(&snapshot);
                snapshot.forget_known();
                self.snapshot = Some(Arc::new(snapshot));
                self.overdue = false;
                self.frozen = None;
                Ok(())
            }
            Err(error) => {
                if let Some(frozen) = self.frozen.take() {
                    self.changed.add_older(Arc::unwrap_or_clone(frozen));
                }
                self.overdue = true;
                Err(error)
            }
        }
    }

    /// Sees to the journal's next segment in time. A commit waits for it only if it has no room without.
    pub(super) fn make_room(&mut self, beside: bool) -> Result<(), StoreError> {
        // Before anything is decided: keys, too, are written where the folder is thought to be.
        self.reader.is_in_place()?;
        let has_room = self.upkeep.has_room(MAX_COMMIT_BYTES as u64);
        match self.segment.take() {
            Some(job) if has_room && !job.has_ended() => self.segment = Some(job),
            Some(job) => {
                let made = job.result();
                self.no_segment = !matches!(made, Some(Ok(_)));
                made.transpose()?;
            }
            // While the disk is full nobody is kept waiting by trying here.
            None if !beside || !has_room || self.no_segment => {
                self.upkeep.prepare()?;
                self.no_segment = false;
            }
            None if self.upkeep.is_wanted() => {
                let upkeep = self.upkeep.clone();
                let job = Job::start("upline-segment", move |_| upkeep.prepare());
                self.segment = Some(job.map_err(io("starting a thread"))?);
            }
            None => (),
        }
        Ok(())
    }
}
