//! Tickets that have ended: only the journal, and the index behind it, know them still. The index can't be
//! opened without changing its files, so the journal is read.

use upline_core::{Event, Fact, Name, Workload};

use super::{Folder, Found, LookError};
use crate::floor::number_of;
use crate::record::{self, Commit, Entry, Moved, Number, Record};
use crate::store::StoreError;

/// Commits between two calls of the progress.
const COMMITS: u64 = 4_096;

/// What the journal says of one ticket.
struct Trail<'a> {
    id: &'a str,
    /// Its number; of one that another system has named, once that is known.
    number: Option<Number>,
    record: Option<Record>,
    events: Vec<Event>,
    /// Whether its beginning is missing.
    cut: bool,
    workload: Workload,
}

impl Trail<'_> {
    fn follow(&mut self, position: u64, at: i64, moved: Moved) {
        let opens = |event: &Event| matches!(&event.fact, Fact::Opened { ticket, .. } if *ticket == *self.id);
        // Another system may have given the same id again, when the ticket had ended.
        if self.number != Some(moved.number) && moved.events.iter().any(opens) {
            self.number = Some(moved.number);
            self.record = None;
            self.events.clear();
        }
        if self.number != Some(moved.number) {
            return;
        }
        let record = self
            .record
            .get_or_insert_with(|| Record::new(moved.number, moved.key));
        if record.ticket.revision != moved.revision {
            self.cut = true;
            return;
        }
        for event in &moved.events {
            record.follow(event, at, &mut self.workload);
        }
        record.last = position;
        self.events.extend(moved.events);
    }
}

impl Folder {
    /// Looks for it in the whole journal.
    pub(super) fn find_ended(
        &self,
        id: &str,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<Found, LookError> {
        let number = number_of(id);
        if number.is_some_and(|number| number == 0 || number > self.floor.last_number()) {
            return Err(self.no_such(id));
        }
        let mut trail = Trail {
            id,
            number,
            record: None,
            events: Vec::new(),
            cut: false,
            workload: Workload::default(),
        };
        self.walk(&mut trail, tell)?;
        match trail.record {
            Some(record) if !trail.cut => Ok(Found {
                number: record.number,
                ticket: record.ticket,
                set_aside: None,
                history: Some(trail.events),
            }),
            // A number that was given is a ticket's, wherever that has gone.
            None if trail.number.is_none() => Err(self.no_such(id)),
            _ => Err(LookError::Removed {
                ticket: Name::new(id),
            }),
        }
    }

    fn walk(
        &self,
        trail: &mut Trail<'_>,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        let Some(reader) = self.store.reader() else {
            return Ok(());
        };
        let (Some(head), Some((oldest, _))) = (reader.head(), reader.oldest()) else {
            return Ok(());
        };
        let of = (head.seq + 1).saturating_sub(oldest);
        let mut scan = reader.scan_from(oldest)?;
        let mut done = 0;
        while let Some(frame) = scan.next_frame()? {
            let commit: Commit = record::decode(&frame.payload)?;
            for entry in commit.entries {
                if let Entry::Moved(moved) = entry {
                    trail.follow(frame.mark.position.0, commit.at, moved);
                }
            }
            done += 1;
            if done % COMMITS == 0 || done == of {
                tell(done, of);
            }
            let has_ended = |record: &Record| record.ticket.ended.is_some();
            // The engine's own ids never come again.
            if number_of(trail.id).is_some() && trail.record.as_ref().is_some_and(has_ended) {
                break;
            }
        }
        Ok(())
    }
}
