//! The index and the rule on old history: it is begun with the journal's base, and what is not in there, and
//! was not touched since, goes from it too. So one that has followed for years has the same tickets as one
//! that was built from what is left.

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};

use serde::{Deserialize, Serialize};

use super::build::{BATCH_WRITES, Changes, TICKET_WRITES, checked, load};
use super::contacts::{self, Marks};
use super::keys::{self, Key, Parts, kind};
use super::tree::{Failure, Tree};
use super::{Built, Index, IndexError, Progress, lock, value};
use crate::journal::{Base, JournalReader};
use crate::record::{self, Number, Record};
use crate::store::Recovered;
use crate::store::log::base;
use crate::store::log::snapshot::{Snapshot, SnapshotError};

/// Tickets that have ended that are looked at for one batch.
const SWEPT: usize = BATCH_WRITES / 8;
/// Tickets of the base that are taken in with one batch.
const LOADED: usize = BATCH_WRITES / TICKET_WRITES;

/// Which base the index has taken into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Based {
    base: Base,
    /// The last ticket of it that is in the index so far; `None`: all are, and nothing is that is older.
    loaded: Option<Number>,
}

/// Whether only what was before the base tells of it: it had ended, and had no more messages to be sent.
pub(super) fn is_over(record: &Record, base: &Base) -> bool {
    !record.is_hot() && record.last <= base.mark.position.0
}

/// The base's tickets.
pub(super) fn snapshot(reader: &JournalReader, of: &Base) -> Result<Snapshot, IndexError> {
    let opened = base::open(&**reader.disk(), reader.folder(), of.mark.seq);
    opened.map_err(unreadable)
}

/// A ticket as it was at the base. Its fields are sealed.
pub(super) fn record(snapshot: &Snapshot, number: Number) -> Result<Option<Record>, IndexError> {
    let bytes = snapshot.record(number).map_err(unreadable)?;
    let record = bytes.map(|bytes| record::decode(&bytes)).transpose();
    record.map_err(|error| IndexError::Base(error.to_string()))
}

/// The same as the index keeps it: without fields.
pub(super) fn bare(snapshot: &Snapshot, number: Number) -> Result<Option<Record>, IndexError> {
    let mut record = record(snapshot, number)?;
    if let Some(record) = &mut record {
        record.sealed.clear();
        record.ticket.fields.clear();
    }
    Ok(record)
}

/// The keys of the fields that hold contacts, of all workflows that had come.
pub(super) fn contact_fields(snapshot: &Snapshot) -> Result<BTreeSet<Vec<u8>>, IndexError> {
    let known: Result<Recovered, _> = record::decode(&snapshot.known);
    let known = known.map_err(|error| IndexError::Base(error.to_string()))?;
    let files = known.files.iter();
    Ok(files.flat_map(contacts::fields_in).collect())
}

fn unreadable(error: SnapshotError) -> IndexError {
    IndexError::Base(error.to_string())
}

fn based(tree: &Tree) -> Result<Option<(Based, u128)>, Failure> {
    let key = Key::of(kind::BASE).0;
    let Some(bytes) = tree.get(&key)? else {
        return Ok(None);
    };
    let (content, hash) = checked(tree, &key, &bytes)?;
    let based = postcard::from_bytes(content);
    let based = based.map_err(|error| tree.condemn(format!("its base: {error}")))?;
    Ok(Some((based, hash)))
}

/// The keys of the tickets that have ended up to the base's time, in order of it, behind `after`.
pub(super) fn ended(
    tree: &Tree,
    base: &Base,
    after: Option<Vec<u8>>,
    at_most: usize,
) -> Result<Vec<Vec<u8>>, Failure> {
    let first = Bound::Included(Key::of(kind::ENDED).0);
    let until = Key::of(kind::ENDED).time(base.at.saturating_add(1)).0;
    let range = (after.map_or(first, Bound::Excluded), Bound::Excluded(until));
    let mut found = Vec::new();
    tree.scan(range, false, &mut |key, _| {
        found.push(key.to_vec());
        match found.len() < at_most {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(found)
}

impl Index {
    /// A ticket as it was at the journal's base; `None`: there is none, or it was not open then.
    pub(crate) fn at_base(
        &self,
        reader: &JournalReader,
        number: Number,
    ) -> Result<Option<Record>, IndexError> {
        match reader.base() {
            Some(base) => record(&snapshot(reader, &base)?, number),
            None => Ok(None),
        }
    }

    /// Begins an empty index with the journal's base, one piece of it. `None`: that is not to be done.
    pub(super) fn load_base(&self, reader: &JournalReader) -> Result<Option<Progress>, IndexError> {
        let mut built = self.read(|open| Ok(open.built))?;
        let is_empty = built.mark.is_none() && built.entries == 0;
        let Some(base) = reader.base().filter(|_| is_empty) else {
            return Ok(None);
        };
        let known = self.read(|open| Ok(based(&open.tree)?))?;
        let loaded = match &known {
            Some((known, _)) if known.base != base => {
                let why = "it was begun with a base that is gone";
                return self.read(|open| Err(open.tree.condemn(why.to_owned()).into()));
            }
            known => known.as_ref().and_then(|(known, _)| known.loaded),
        };
        let opened = lock(&self.shared.base).take();
        let snapshot = match opened.filter(|opened| opened.mark == base.mark) {
            Some(opened) => opened,
            None => snapshot(reader, &base)?,
        };
        let numbers = snapshot.numbers(loaded, LOADED);
        let last = numbers.last().copied().filter(|_| numbers.len() == LOADED);
        if last.is_none() {
            built.mark = Some(base.mark);
            built.at = base.at;
        }
        let mut changes = Changes::of(&mut built);
        let mut fields = BTreeSet::new();
        if known.is_none() {
            fields = contact_fields(&snapshot)?;
            fields.iter().for_each(|key| changes.add(key.clone()));
        }
        let opener = self.opener(reader)?;
        for number in numbers {
            if let Some(record) = bare(&snapshot, number)? {
                changes.ticket(&record, None)?;
                let version = (record.ticket.workflow.clone(), record.ticket.version);
                let fields =
                    self.read(|open| Ok(contacts::fields(&open.tree, &fields, &version)?))?;
                if !fields.is_empty() {
                    let held = opener.fields(self::record(&snapshot, number)?)?;
                    let held = held.unwrap_or_default();
                    changes.contacts(number, &Marks::new(), &opener.marks(&held, &fields));
                }
            }
        }
        let loaded = Based { base, loaded: last };
        changes.based(known.map(|(_, hash)| hash), &loaded)?;
        let writes = changes.done()?;
        self.put(writes, &built)?;
        if last.is_some() {
            *lock(&self.shared.base) = Some(snapshot);
        }
        let head = reader.head().map_or(0, |head| head.seq);
        Ok(Some(Progress {
            commits: 0,
            mark: built.mark,
            behind: head.saturating_sub(built.mark.map_or(0, |mark| mark.seq)),
            more: true,
        }))
    }

    /// Removes some of the tickets that had ended before the journal's base. Whether there may be more.
    pub(super) fn sweep(
        &self,
        reader: &JournalReader,
        built: &mut Built,
    ) -> Result<bool, IndexError> {
        let is_behind = |base: &Base| built.mark.is_none_or(|mark| mark.seq < base.mark.seq);
        let Some(base) = reader.base().filter(|base| !is_behind(base)) else {
            return Ok(false);
        };
        let known = self.read(|open| Ok(based(&open.tree)?))?;
        if known.is_some_and(|(known, _)| known.base.mark.seq >= base.mark.seq) {
            return Ok(false);
        }
        let after = lock(&self.shared.swept).take();
        let after = after.filter(|(seq, _)| *seq == base.mark.seq);
        let after = after.map(|(_, key)| key);
        let mut last = None;
        let writes = self.read(|open| {
            let tree = &open.tree;
            let found = ended(tree, &base, after, SWEPT)?;
            let mut changes = Changes::of(built);
            for key in &found {
                let number = keys::number_of(key).unwrap_or_default();
                if let Some((record, pieces)) = load(tree, number)?
                    && is_over(&record, &base)
                {
                    changes.no_ticket(tree, &record, pieces)?;
                }
            }
            last = found.into_iter().nth(SWEPT - 1);
            if last.is_none() {
                let done = Based { base, loaded: None };
                changes.based(known.map(|(_, hash)| hash), &done)?;
            }
            Ok(changes.done()?)
        })?;
        self.put(writes, built)?;
        let more = last.is_some();
        *lock(&self.shared.swept) = last.map(|key| (base.mark.seq, key));
        Ok(more)
    }
}

impl Changes<'_> {
    /// Which base is taken into account, in place of what was said before.
    fn based(&mut self, before: Option<u128>, based: &Based) -> Result<(), Failure> {
        if let Some(hash) = before {
            self.gone(hash);
        }
        let key = Key::of(kind::BASE).0;
        let content = postcard::to_stdvec(based);
        let content = content.map_err(|error| Failure::Broken(error.to_string()))?;
        let (value, hash) = value::seal(&key, &content);
        self.put((key, Some(value)), hash);
        Ok(())
    }

    /// A ticket goes, with all that leads to it.
    fn no_ticket(
        &mut self,
        tree: &Tree,
        record: &Record,
        pieces: Vec<u128>,
    ) -> Result<(), Failure> {
        let number = record.number;
        for (piece, hash) in (0..).zip(pieces) {
            self.gone(hash);
            self.writes.push((Key::ticket(number, piece).0, None));
        }
        for key in keys::views(record) {
            self.remove(key);
        }
        self.contacts(number, &contacts::marks_of(tree, number)?, &Marks::new());
        for position in notes(tree, number)? {
            self.remove(Key::of(kind::NOTE).number(number).number(position).0);
        }
        Ok(())
    }
}

/// The positions of the commits that are about a ticket besides its chain.
fn notes(tree: &Tree, number: Number) -> Result<Vec<u64>, Failure> {
    let prefix = Key::of(kind::NOTE).number(number);
    let end = Bound::Excluded(keys::behind(&prefix.0));
    let mut found = Vec::new();
    tree.scan((Bound::Included(prefix.0), end), false, &mut |key, _| {
        let mut parts = Parts(key);
        parts.byte();
        parts.number();
        found.extend(parts.number());
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
