//! Reading the feed: commits of the journal, taken apart into events.

use upline_core::ticket::NoticeId;
use upline_core::{Fact, Name};

use super::{EventId, Feed, WHOLE, What, lock};
use crate::error::Error;
use crate::journal::{FolderId, JournalError, JournalReader, Position, Scan};
use crate::record::{self, Commit, Entry, Millis, Moved, Number, Unreadable};
use crate::store::StoreError;
use crate::store::log::open_moved;
use crate::vault::Vault;

/// Most commits that one page is read from, wanted or not.
const MAX_COMMITS: usize = 4096;
/// About how many bytes of the journal one page is read from at most.
const MAX_BYTES: usize = 1 << 20;

/// An event whose ticket is known by its number only.
pub(crate) struct Raw {
    pub(crate) id: EventId,
    pub(crate) at: Millis,
    pub(crate) number: Option<Number>,
    pub(crate) what: What,
}

impl Raw {
    /// The number, id and workflow of a ticket that was opened.
    pub(crate) fn opened(&self) -> Option<(Number, &Name, &Name)> {
        match &self.what {
            What::Fact {
                fact: Fact::Opened {
                    ticket, workflow, ..
                },
                ..
            } => Some((self.number?, ticket, workflow)),
            _ => None,
        }
    }
}

/// A page of them.
pub(crate) struct Page {
    pub(crate) items: Vec<Raw>,
    pub(crate) next: EventId,
    pub(crate) more: bool,
}

impl Feed {
    pub(crate) fn folder(&self) -> Result<FolderId, Error> {
        let open = lock(&self.0.open);
        let (reader, _) = open.as_ref().ok_or(Error::Stopped)?;
        Ok(reader.folder())
    }

    /// Where what is kept begins.
    pub(crate) fn begin(&self) -> Result<EventId, Error> {
        let open = lock(&self.0.open);
        let (reader, _) = open.as_ref().ok_or(Error::Stopped)?;
        Ok(begin(reader))
    }

    /// Where the journal ends: nothing behind this has happened yet.
    pub(crate) fn end(&self) -> Result<EventId, Error> {
        let open = lock(&self.0.open);
        let (reader, _) = open.as_ref().ok_or(Error::Stopped)?;
        let Some(head) = reader.head() else {
            return Ok(EventId::START);
        };
        lock(&self.0.ends).put(head.seq, head.position);
        Ok(EventId::end_of(head.seq))
    }

    /// The events behind `after`; without it, from the oldest that is kept. At most `limit`.
    pub(crate) fn read(&self, after: Option<EventId>, limit: usize) -> Result<Page, Error> {
        let open = lock(&self.0.open).clone();
        let (reader, vault) = open.ok_or(Error::Stopped)?;
        let begin = begin(&reader);
        let after = after.unwrap_or(begin);
        if after < begin {
            let oldest = begin.commit;
            return Err(Error::TooOld { oldest });
        }
        let head = reader.head().map_or(0, |mark| mark.seq);
        if after.commit > head {
            return Err(Error::Cursor);
        }
        let page = self.page(&reader, &vault, after, limit);
        page.map_err(|error| match error {
            // It went while this was read.
            Failure::Journal(JournalError::Removed { oldest }) => Error::TooOld { oldest },
            error => Error::Unavailable(error.to_string()),
        })
    }

    fn page(
        &self,
        reader: &JournalReader,
        vault: &Vault,
        after: EventId,
        limit: usize,
    ) -> Result<Page, Failure> {
        // With the rest of its commit, if there is one.
        let from = match after.index {
            WHOLE => after.commit + 1,
            _ => after.commit,
        };
        let mut scan = self.scan(reader, after.commit, from)?;
        let (mut items, mut next, mut bytes, mut commits) = (Vec::new(), after, 0, 0);
        let mut last = None;
        let more = loop {
            if items.len() >= limit || bytes >= MAX_BYTES || commits >= MAX_COMMITS {
                break reader.head().map_or(0, |mark| mark.seq) > next.commit
                    || next.index != WHOLE;
            }
            let Some(frame) = scan.next_frame()? else {
                break false;
            };
            let mark = frame.mark;
            if mark.seq < from {
                continue;
            }
            bytes += frame.payload.len();
            commits += 1;
            let commit: Commit = record::decode(&frame.payload)?;
            last = Some(mark);
            let taker = Taker {
                seq: mark.seq,
                at: commit.at,
                index: 0,
                after,
                limit,
                to: &mut items,
                full: None,
                details: Vec::new(),
            };
            next = taker.take(vault, commit)?;
        };
        if let Some(mark) = last {
            lock(&self.0.ends).put(mark.seq, mark.position);
        }
        Ok(Page { items, next, more })
    }

    /// From the commit `at`, where it is known where that is, or from the commit `from`.
    fn scan(&self, reader: &JournalReader, at: u64, from: u64) -> Result<Scan, JournalError> {
        let known: Option<Position> = lock(&self.0.ends).get(&at).copied();
        match known.map(|position| reader.scan_at(position)) {
            Some(Ok(scan)) => Ok(scan),
            Some(Err(_)) | None => reader.scan_from(from),
        }
    }
}

fn begin(reader: &JournalReader) -> EventId {
    EventId::end_of(reader.base().map_or(0, |base| base.mark.seq))
}

/// Puts the events of one commit on a page.
struct Taker<'a> {
    seq: u64,
    at: Millis,
    index: u32,
    after: EventId,
    limit: usize,
    to: &'a mut Vec<Raw>,
    /// The last that was put there, if there was no room for the next.
    full: Option<EventId>,
    /// What the peers of messages said.
    details: Vec<(Number, NoticeId, String)>,
}

impl Taker<'_> {
    /// The commit's events behind `after`, as far as there is room. Where to go on.
    fn take(mut self, vault: &Vault, commit: Commit) -> Result<EventId, Failure> {
        for entry in commit.entries {
            match entry {
                Entry::Moved(moved) => self.moved(vault, moved)?,
                Entry::Files(files) => {
                    let files = files.into_iter().map(|file| file.name).collect();
                    self.add(None, What::Deployed { files });
                }
                Entry::Erased { number, by } => self.add(Some(number), What::Erased { by }),
                Entry::SetAside { number, why } => self.add(Some(number), What::SetAside { why }),
                Entry::Released { number, by } => self.add(Some(number), What::Released { by }),
            }
        }
        Ok(self.full.unwrap_or(EventId::end_of(self.seq)))
    }

    /// The events of one ticket, and what became of its messages.
    fn moved(&mut self, vault: &Vault, mut moved: Moved) -> Result<(), Failure> {
        let erased = !open_moved(vault, &mut moved)?;
        let number = moved.number;
        for (event, revision) in moved.events.into_iter().zip(moved.revision + 1..) {
            let fact = event.fact;
            if let Fact::Delivery {
                notice,
                detail: Some(detail),
                ..
            } = &fact
            {
                self.details.push((number, *notice, detail.clone()));
            }
            let origin = moved.origin.clone();
            let what = What::Fact {
                revision,
                origin,
                fact,
                erased,
            };
            self.add(Some(number), what);
        }
        for settled in moved.settled {
            let mut details = self.details.iter();
            let detail = details.find(|one| (one.0, one.1) == (number, settled.notice));
            let detail = detail.map(|(_, _, detail)| detail.clone());
            self.add(Some(number), What::Settled { settled, detail });
        }
        Ok(())
    }

    fn add(&mut self, number: Option<Number>, what: What) {
        let (commit, index) = (self.seq, self.index);
        let id = EventId { commit, index };
        self.index += 1;
        if id <= self.after || self.full.is_some() {
            return;
        }
        if self.to.len() >= self.limit {
            self.full = Some(
                self.to
                    .last()
                    .map_or(self.after, |last| last.id)
                    .max(self.after),
            );
            return;
        }
        let at = self.at;
        self.to.push(Raw {
            id,
            at,
            number,
            what,
        });
    }
}

/// Why a page can't be read.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] Unreadable),
}
