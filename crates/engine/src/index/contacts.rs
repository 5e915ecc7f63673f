//! Whose tickets they are: each is found under the marks of the contacts in its fields.
//!
//! The journal has fields only sealed, and so the index opens what changes a contact. It keeps a mark of it
//! ([`Secret`]) and forgets it again. A mark goes when the field changes and when the ticket is erased; where
//! the key is destroyed already there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use upline_core::{Event, Fact, Name, Ticket, Value};

use super::build::{Changes, decoded};
use super::keys::{self, Key, Parts, kind};
use super::tree::{Failure, Tree};
use super::{Index, IndexError, base, walk};
use crate::contact::comparable;
use crate::floor::contact_fields;
use crate::journal::{JournalError, JournalReader, Position};
use crate::record::{Entry, File, Moved, Number, Record};
use crate::store::log::{open_moved, open_record};
use crate::vault::contacts::{ContactMark, Secret};
use crate::vault::{Vault, system_entropy};

/// The marks of a ticket's contacts, by field.
pub(super) type Marks = BTreeMap<Name, ContactMark>;

/// The keys under which a ticket is found by its contacts, and by which these are found again.
pub(super) fn keys_of(number: Number, marks: &Marks) -> BTreeSet<Vec<u8>> {
    let mut keys = BTreeSet::new();
    for (field, mark) in marks {
        keys.insert(of_contact(mark).number(number).0);
        let of_ticket = Key::of(kind::CONTACTS_OF).number(number).text(field);
        keys.insert(of_ticket.mark(mark).0);
    }
    keys
}

/// The beginning of the keys of all tickets with this contact.
pub(super) fn of_contact(mark: &ContactMark) -> Key {
    Key::of(kind::CONTACT).mark(mark)
}

/// Whether the ticket's own marks have that of a key by contact.
pub(super) fn leads_back(tree: &Tree, number: Number, key: &[u8]) -> Result<bool, Failure> {
    let marks = marks_of(tree, number)?;
    Ok(marks.values().any(|mark| key[1..].starts_with(mark)))
}

/// The marks of a ticket's contacts.
pub(super) fn marks_of(tree: &Tree, number: Number) -> Result<Marks, Failure> {
    let prefix = Key::of(kind::CONTACTS_OF).number(number).0;
    let mut marks = Marks::new();
    let mut wrong = None;
    each_key(tree, &prefix, &mut |key| {
        let mut parts = Parts(key.get(prefix.len()..).unwrap_or_default());
        match (parts.text().flatten(), parts.0.try_into()) {
            (Some(field), Ok(mark)) => drop(marks.insert(field, mark)),
            _ => wrong = Some(walk::no_key(tree, key)),
        }
    })?;
    wrong.map_or(Ok(marks), Err)
}

/// The keys of the fields that hold contacts, if the file is a workflow.
pub(super) fn fields_in(file: &File) -> Vec<Vec<u8>> {
    let Some((workflow, version, fields)) = contact_fields(file) else {
        return Vec::new();
    };
    let of = fields_of(&(workflow, version));
    fields
        .iter()
        .map(|field| of.clone().text(field).0)
        .collect()
}

/// The beginning of the keys of a version's fields that hold contacts.
fn fields_of((workflow, version): &(Name, u32)) -> Key {
    let key = Key::of(kind::FIELD).text(workflow);
    key.number(u64::from(*version))
}

/// The fields of a version that hold contacts: in the tree, or among the keys that are being added to it.
pub(super) fn fields(
    tree: &Tree,
    added: &BTreeSet<Vec<u8>>,
    version: &(Name, u32),
) -> Result<BTreeSet<Name>, Failure> {
    let mut fields = fields_among(added, version);
    let prefix = fields_of(version).0;
    each_key(tree, &prefix, &mut |key| fields.extend(field(&prefix, key)))?;
    Ok(fields)
}

/// The fields of a version that hold contacts, as these keys say.
pub(super) fn fields_among(keys: &BTreeSet<Vec<u8>>, version: &(Name, u32)) -> BTreeSet<Name> {
    let prefix = fields_of(version).0;
    let from = (Bound::Included(prefix.clone()), Bound::Unbounded);
    let keys = keys.range::<Vec<u8>, _>(from);
    let keys = keys.take_while(|key| key.starts_with(&prefix));
    keys.filter_map(|key| field(&prefix, key)).collect()
}

fn field(prefix: &[u8], key: &[u8]) -> Option<Name> {
    let mut rest = Parts(key.get(prefix.len()..).unwrap_or_default());
    rest.text().flatten()
}

fn each_key(tree: &Tree, prefix: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
    let range = (
        Bound::Included(prefix.to_vec()),
        Bound::Excluded(keys::behind(prefix)),
    );
    tree.scan(range, false, &mut |key, _| {
        each(key);
        ControlFlow::Continue(())
    })
}

/// What opens the journal's fields, and makes marks of them.
pub(super) struct Opener<'a> {
    pub(super) reader: &'a JournalReader,
    pub(super) vault: Arc<Vault>,
    pub(super) secret: Secret,
}

impl Opener<'_> {
    /// The mark of what a field holds; `None`: nothing that could be asked for.
    pub(super) fn mark(&self, value: &Value) -> Option<ContactMark> {
        match value {
            Value::Text(text) => Some(self.secret.mark(&comparable(text)?)),
            _ => None,
        }
    }

    /// The marks of a ticket whose fields are whole.
    pub(super) fn marks(&self, held: &BTreeMap<Name, Value>, fields: &BTreeSet<Name>) -> Marks {
        let held = held.iter().filter(|(field, _)| fields.contains(*field));
        held.filter_map(|(field, value)| Some((field.clone(), self.mark(value)?)))
            .collect()
    }

    /// The events of a command, with what is personal in them. `None`: the key was destroyed.
    pub(super) fn open(&self, moved: &Moved) -> Result<Option<Vec<Event>>, IndexError> {
        let mut moved = moved.clone();
        let opened = open_moved(&self.vault, &mut moved).map_err(unopened)?;
        Ok(opened.then_some(moved.events))
    }

    /// The fields of a ticket at the journal's base.
    fn at_base(&self, number: Number) -> Result<Option<BTreeMap<Name, Value>>, IndexError> {
        let Some(of) = self.reader.base() else {
            return Ok(None);
        };
        self.fields(base::record(&base::snapshot(self.reader, &of)?, number)?)
    }

    /// The fields of a record of the journal's base. `None`: there is none, or the key was destroyed.
    pub(super) fn fields(
        &self,
        record: Option<Record>,
    ) -> Result<Option<BTreeMap<Name, Value>>, IndexError> {
        let Some(mut record) = record else {
            return Ok(None);
        };
        open_record(&self.vault, &mut record).map_err(unopened)?;
        let is_open = record.sealed_of.is_some();
        Ok(is_open.then_some(record.ticket.fields))
    }

    /// What these fields of a ticket held at a revision, by its commits from this position back: when it goes
    /// on in another version, in which other fields hold contacts. What else they held stays unread.
    fn look_back(
        &self,
        number: Number,
        revision: u64,
        position: u64,
        fields: &BTreeSet<Name>,
    ) -> Result<BTreeMap<Name, Value>, IndexError> {
        let base = self.reader.base().map(|base| base.mark.position.0);
        let mut found: BTreeMap<Name, Option<Value>> = BTreeMap::new();
        let mut next = Some(position);
        while let Some(position) = next {
            if found.len() == fields.len() {
                break;
            }
            if base.is_some_and(|base| position <= base) {
                for (field, value) in self.at_base(number)?.unwrap_or_default() {
                    found.entry(field).or_insert(Some(value));
                }
                break;
            }
            let frame = match self.reader.read(Position(position)) {
                Err(JournalError::Removed { .. }) => break,
                other => other?,
            };
            let commit = decoded(frame.mark, &frame.payload)?;
            let moves = commit.entries.into_iter().filter_map(|entry| match entry {
                Entry::Moved(moved) if moved.number == number => Some(moved),
                _ => None,
            });
            let moves: Vec<Moved> = moves.collect();
            let before = moves.first().and_then(|moved| moved.previous);
            // A chain leads back, or it leads nowhere.
            next = before.filter(|before| *before < position);
            let earlier = moves.iter().filter(|moved| moved.revision < revision);
            for moved in earlier.rev() {
                let Some(events) = self.open(moved)? else {
                    return Ok(BTreeMap::new());
                };
                for (field, value) in events.into_iter().rev().flat_map(set) {
                    found.entry(field).or_insert(value);
                }
            }
        }
        let found = found.into_iter();
        let held = found.filter_map(|(field, value)| value.map(|value| (field, value)));
        Ok(held.filter(|(field, _)| fields.contains(field)).collect())
    }
}

/// The fields that an event sets, the last first.
fn set(event: Event) -> Vec<(Name, Option<Value>)> {
    match event.fact {
        Fact::FieldsSet { mut values, .. } => {
            values.reverse();
            values
        }
        _ => Vec::new(),
    }
}

fn unopened(error: impl std::fmt::Display) -> IndexError {
    IndexError::Keys(error.to_string())
}

/// What the journal says that tickets are found by, read without the index.
#[derive(Default)]
pub(super) struct Expected {
    /// The keys of the fields that hold contacts.
    pub(super) fields: BTreeSet<Vec<u8>>,
    held: BTreeMap<Number, BTreeMap<Name, Value>>,
    /// Tickets whose keys are destroyed although the journal does not say so: a crash was in between, or
    /// their time is over. The index may have the marks still.
    gone: BTreeSet<Number>,
}

impl Expected {
    /// A ticket of the journal's base.
    pub(super) fn begin(&mut self, number: Number, held: Option<BTreeMap<Name, Value>>) {
        match held {
            Some(held) => drop(self.held.insert(number, held)),
            None => drop(self.gone.insert(number)),
        }
    }

    /// What a commit says of a ticket.
    pub(super) fn follow(&mut self, entry: &Entry, opener: &Opener<'_>) -> Result<(), IndexError> {
        match entry {
            Entry::Moved(moved) if matters(moved) => match opener.open(moved)? {
                Some(events) => {
                    let held = self.held.entry(moved.number).or_default();
                    let set = events.into_iter().flat_map(|event| match event.fact {
                        Fact::FieldsSet { values, .. } => values,
                        _ => Vec::new(),
                    });
                    set.for_each(|(field, value)| {
                        match value {
                            Some(value) => held.insert(field, value),
                            None => held.remove(&field),
                        };
                    });
                }
                None => drop(self.gone.insert(moved.number)),
            },
            Entry::Erased { number, .. } => {
                self.gone.remove(number);
                self.held.remove(number);
            }
            Entry::Files(files) => self.fields.extend(files.iter().flat_map(fields_in)),
            Entry::Moved(_) | Entry::SetAside { .. } | Entry::Released { .. } => (),
        }
        Ok(())
    }

    /// The keys that a ticket must have.
    pub(super) fn keys(
        &self,
        tree: &Tree,
        opener: &Opener<'_>,
        number: Number,
        ticket: &Ticket,
    ) -> Result<BTreeSet<Vec<u8>>, Failure> {
        if self.gone.contains(&number) {
            return Ok(keys_of(number, &marks_of(tree, number)?));
        }
        let version = (ticket.workflow.clone(), ticket.version);
        let fields = fields_among(&self.fields, &version);
        let held = self.held.get(&number);
        let marks = held.map(|held| opener.marks(held, &fields));
        Ok(keys_of(number, &marks.unwrap_or_default()))
    }
}

/// Whether a command may change what the ticket is found by.
pub(super) fn matters(moved: &Moved) -> bool {
    let matters =
        |event: &Event| matches!(event.fact, Fact::FieldsSet { .. } | Fact::Migrated { .. });
    moved.events.iter().any(matters)
}

/// A command of one ticket, gone through event by event.
pub(super) struct Course<'a> {
    pub(super) tree: &'a Tree,
    pub(super) added: &'a BTreeSet<Vec<u8>>,
    pub(super) opener: &'a Opener<'a>,
    /// Where the command stands in the journal.
    pub(super) position: u64,
}

impl Course<'_> {
    /// What becomes of the marks of a ticket, which was so before.
    pub(super) fn follow(
        &self,
        before: Option<&Ticket>,
        moved: &Moved,
        marks: &mut Marks,
    ) -> Result<(), IndexError> {
        let mut version =
            before.map_or_else(Default::default, |it| (it.workflow.clone(), it.version));
        // Only what names a contact is opened.
        let mut opened: Option<Option<Vec<Event>>> = None;
        for (at, event) in moved.events.iter().enumerate() {
            match &event.fact {
                Fact::Opened {
                    workflow,
                    version: first,
                    ..
                } => version = (workflow.clone(), *first),
                Fact::Migrated { version: next, .. } => {
                    let before = fields(self.tree, self.added, &version)?;
                    version.1 = *next;
                    let revision = moved.revision + at as u64;
                    self.migrated(moved.number, revision, &before, &version, marks)?;
                }
                Fact::FieldsSet { values, .. } => {
                    let fields = fields(self.tree, self.added, &version)?;
                    if !values.iter().any(|(field, _)| fields.contains(field)) {
                        continue;
                    }
                    if opened.is_none() {
                        opened = Some(self.opener.open(moved)?);
                    }
                    let events = opened.as_ref().and_then(Option::as_ref);
                    self.set(events.and_then(|events| events.get(at)), &fields, marks);
                }
                _ => (),
            }
        }
        Ok(())
    }

    /// Fields were set. Without the key nobody knows to what.
    fn set(&self, event: Option<&Event>, fields: &BTreeSet<Name>, marks: &mut Marks) {
        let Some(Fact::FieldsSet { values, .. }) = event.map(|event| &event.fact) else {
            marks.clear();
            return;
        };
        for (field, value) in values.iter().filter(|(field, _)| fields.contains(field)) {
            match value.as_ref().and_then(|value| self.opener.mark(value)) {
                Some(mark) => drop(marks.insert(field.clone(), mark)),
                None => drop(marks.remove(field)),
            }
        }
    }

    fn migrated(
        &self,
        number: Number,
        revision: u64,
        before: &BTreeSet<Name>,
        version: &(Name, u32),
        marks: &mut Marks,
    ) -> Result<(), IndexError> {
        let fields = fields(self.tree, self.added, version)?;
        marks.retain(|field, _| fields.contains(field));
        let new: BTreeSet<Name> = fields.difference(before).cloned().collect();
        if !new.is_empty() {
            let opener = self.opener;
            let held = opener.look_back(number, revision, self.position, &new)?;
            marks.extend(opener.marks(&held, &new));
        }
        Ok(())
    }
}

impl Index {
    /// What opens the journal's fields, and makes marks of them.
    pub(super) fn opener<'a>(&self, reader: &'a JournalReader) -> Result<Opener<'a>, IndexError> {
        let vault = super::lock(&self.shared.vault).clone();
        let vault = match vault {
            Some(vault) => vault,
            None => {
                let disk = Arc::clone(reader.disk());
                let vault = Vault::open(disk, reader.folder().0, system_entropy());
                Arc::new(vault.map_err(unopened)?)
            }
        };
        let secret = self.read(|open| Ok(open.secret.clone()))?;
        Ok(Opener {
            reader,
            vault,
            secret,
        })
    }
}

impl Index {
    /// The tickets of a contact, open and ended, whose numbers are lower than `below`: the highest first, at
    /// most [`MAX_PAGE`](super::MAX_PAGE), and below which number to go on.
    pub(crate) fn of_contact(
        &self,
        contact: &str,
        below: Number,
        limit: usize,
    ) -> Result<(Vec<Record>, Option<Number>), IndexError> {
        let Some(contact) = comparable(contact) else {
            return Ok((Vec::new(), None));
        };
        self.read(|open| {
            let all = of_contact(&open.secret.mark(&contact));
            let range = walk::Range {
                start: all.0.clone(),
                end: all.number(below).0,
            };
            let found = walk::walk(open, vec![range], true, None, limit, &|_, _| true)?;
            let next = found.next.and_then(|next| keys::number_of(&next.0));
            Ok((found.items, next))
        })
    }
}

impl Changes<'_> {
    /// A ticket's contacts are others.
    pub(super) fn contacts(&mut self, number: Number, before: &Marks, now: &Marks) {
        let (before, now) = (keys_of(number, before), keys_of(number, now));
        before
            .difference(&now)
            .for_each(|key| self.remove(key.clone()));
        now.difference(&before)
            .for_each(|key| self.add(key.clone()));
    }
}
