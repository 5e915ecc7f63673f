//! Building: the journal's frames, one after the other, into the tree.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use super::commands::Command;
use super::contacts::{self, Course, Marks, Opener};
use super::keys::{self, Key};
use super::tree::{Failure, Tree, Write};
use super::{Built, Index, IndexError, value};
use crate::disk::RealDisk;
use crate::journal::{JournalReader, Mark, Scan};
use crate::record::{self, CommandId, Commit, Entry, Millis, Number, Record};
use crate::store::fold::Fold;
use crate::store::log::head::{self, Head};
use crate::store::{Seen, StoreError};

/// About how many writes a batch has at most: see the module.
pub(super) const BATCH_WRITES: usize = 4096;
/// A file of so many bytes for each key is large: sled is made to clean up. A key and what it holds have
/// about 75, some of which sled stores twice.
const KEY_BYTES: u64 = 150;
/// A file of so many bytes is never too large.
const SMALL: u64 = 16 << 20;
/// About how many writes a ticket takes: itself, and two views that change.
pub(super) const TICKET_WRITES: usize = 5;
/// Entries of a commit that are taken in before it is looked whether the batch is full.
const ENTRIES: usize = 64;

/// How far an index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Commits that were read by this call.
    pub commits: usize,
    /// The last commit that is in it.
    pub mark: Option<Mark>,
    /// Commits that the journal has behind that.
    pub behind: u64,
    /// Whether there is more to do although no commit is behind: a piece of the journal's base was taken in,
    /// or some of what the retention rule removes was.
    pub more: bool,
}

impl Index {
    /// Takes in the next commits of the journal, at most so many. After an error it stands where the last
    /// whole batch was.
    ///
    /// # Errors
    /// [`IndexError`]; after [`IndexError::Broken`] and [`IndexError::Io`] it must be opened again.
    pub fn catch_up(&self, reader: &JournalReader, at_most: usize) -> Result<Progress, IndexError> {
        let _writer = self.writer();
        if let Some(progress) = self.load_base(reader)? {
            return Ok(progress);
        }
        let mut built = self.read(|open| Ok(open.built))?;
        let mut commits = 0;
        let mut slice = Slice::default();
        let opener = self.opener(reader)?;
        if built.mark != reader.head() {
            let mut frames = frames_behind(built.mark, reader)?;
            while commits < at_most
                && let Some(frame) = frames.next_frame()?
            {
                let mark = frame.mark;
                let commit = decoded(mark, &frame.payload)?;
                self.commit(&opener, &mut slice, &mut built, mark, commit)?;
                commits += 1;
            }
        }
        self.write(slice, &mut built)?;
        let more = self.sweep(reader, &mut built)?;
        let head = reader.head().map_or(0, |head| head.seq);
        let mark = built.mark;
        Ok(Progress {
            commits,
            mark,
            behind: head.saturating_sub(mark.map_or(0, |mark| mark.seq)),
            more,
        })
    }

    /// Makes what is in it survive a power cut. Without that the next start has more to catch up.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn checkpoint(&self) -> Result<(), IndexError> {
        let _writer = self.writer();
        let built = self.read(|open| Ok(open.tree.sync().map(|()| open.built)?))?;
        // One more witness of where the journal must reach: an older copy of it may be put back beside.
        if let Some(mark) = built.mark {
            let folder = RealDisk::new(&self.shared.folder);
            Head::open(&folder, head::REACHED, built.folder).note(&mark);
        }
        Ok(())
    }

    /// Takes in one commit, in as many batches as it needs.
    fn commit(
        &self,
        opener: &Opener<'_>,
        slice: &mut Slice,
        built: &mut Built,
        mark: Mark,
        commit: Commit,
    ) -> Result<(), IndexError> {
        let at = commit.at;
        let mut entries = commit.entries.into_iter();
        entries.by_ref().take(built.entries as usize).for_each(drop);
        loop {
            let some: Vec<Entry> = entries.by_ref().take(ENTRIES).collect();
            if some.is_empty() {
                break;
            }
            built.entries += u32::try_from(some.len()).unwrap_or(u32::MAX);
            slice.touched = true;
            self.read(|open| slice.add(&open.tree, opener, mark, at, some))?;
            if slice.is_full() {
                self.write(std::mem::take(slice), built)?;
            }
        }
        built.mark = Some(mark);
        built.entries = 0;
        built.at = built.at.max(at);
        slice.touched = true;
        Ok(())
    }

    /// Writes what has come together, and how far it goes.
    fn write(&self, slice: Slice, built: &mut Built) -> Result<(), IndexError> {
        if !slice.touched {
            return Ok(());
        }
        let writes = self.read(|open| Ok(slice.writes(&open.tree, built)?))?;
        self.put(writes, built)
    }

    /// Writes a batch.
    pub(super) fn put(&self, writes: Vec<Write>, built: &Built) -> Result<(), IndexError> {
        let mut slot = self.slot_to_write();
        let open = slot.as_mut().ok_or(IndexError::NotOpen)?;
        open.tree.write(writes)?;
        open.built = *built;
        drop(slot);
        let at_most = SMALL.saturating_add(built.pairs.saturating_mul(KEY_BYTES));
        self.read(|open| Ok(open.tree.clean(at_most)?))
    }
}

/// The frames behind a mark, which must be of this journal.
pub(super) fn frames_behind(
    mark: Option<Mark>,
    reader: &JournalReader,
) -> Result<Scan, IndexError> {
    let Some(mark) = mark else {
        return Ok(reader.scan_from(1)?);
    };
    let oldest = reader.oldest().map_or(1, |(oldest, _)| oldest);
    if mark.seq < oldest {
        return Ok(reader.scan_from(mark.seq + 1)?);
    }
    let mut frames = reader.scan_at(mark.position)?;
    match frames.next_frame()?.map(|frame| frame.mark) {
        Some(found) if found == mark => Ok(frames),
        _ => Err(IndexError::Broken(
            "the journal was put back to an older state since it was built".to_owned(),
        )),
    }
}

pub(super) fn decoded(mark: Mark, payload: &[u8]) -> Result<Commit, IndexError> {
    record::decode(payload).map_err(|error| IndexError::Commit {
        mark: Box::new(mark),
        why: error.to_string(),
    })
}

/// A record, and the hashes of its pieces.
pub(super) fn load(tree: &Tree, number: Number) -> Result<Option<(Record, Vec<u128>)>, Failure> {
    let damaged = |why: String| tree.condemn(format!("ticket number {number}: {why}"));
    let key = Key::ticket(number, 0).0;
    let Some(first) = tree.get(&key)? else {
        return Ok(None);
    };
    let (content, hash) = checked(tree, &key, &first)?;
    let Some((count, rest)) = content.split_first_chunk() else {
        return Err(damaged("it is cut".to_owned()));
    };
    let mut bytes = rest.to_vec();
    let mut hashes = vec![hash];
    for piece in 1..u16::from_le_bytes(*count) {
        let key = Key::ticket(number, piece).0;
        let Some(next) = tree.get(&key)? else {
            return Err(damaged(format!("piece {piece} is missing")));
        };
        let (content, hash) = checked(tree, &key, &next)?;
        bytes.extend(content);
        hashes.push(hash);
    }
    let record: Record = record::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
    match record.number == number {
        true => Ok(Some((record, hashes))),
        false => Err(damaged(format!("number {} is there", record.number))),
    }
}

/// What a value holds. A damaged one condemns the tree.
pub(super) fn checked<'a>(
    tree: &Tree,
    key: &[u8],
    value: &'a [u8],
) -> Result<(&'a [u8], u128), Failure> {
    value::open(key, value).map_err(|failure| match failure {
        Failure::Broken(why) => tree.condemn(why),
        other => other,
    })
}

/// What the next batch is made of.
#[derive(Default)]
struct Slice {
    fold: Fold,
    /// What the tree has of the tickets that the fold has loaded.
    before: BTreeMap<Number, Before>,
    notes: BTreeSet<(Number, u64)>,
    commands: BTreeMap<CommandId, Command>,
    /// The marks of tickets' contacts, before and now.
    contacts: BTreeMap<Number, (Marks, Marks)>,
    /// Keys of fields that hold contacts, of workflows that came.
    fields: BTreeSet<Vec<u8>>,
    touched: bool,
}

pub(super) struct Before {
    pieces: Vec<u128>,
    views: BTreeSet<Vec<u8>>,
}

/// A ticket of the tree, and what it has there.
fn load_into(
    before: &mut BTreeMap<Number, Before>,
    tree: &Tree,
    number: Number,
) -> Result<Option<Record>, Failure> {
    let found = load(tree, number)?;
    Ok(found.map(|(record, pieces)| {
        let views = keys::views(&record);
        before.insert(number, Before { pieces, views });
        record
    }))
}

impl Slice {
    fn is_full(&self) -> bool {
        let tickets = self.fold.records.len() * TICKET_WRITES;
        tickets + 2 * self.commands.len() + self.notes.len() + 2 * self.contacts.len()
            >= BATCH_WRITES
    }

    fn add(
        &mut self,
        tree: &Tree,
        opener: &Opener<'_>,
        mark: Mark,
        at: Millis,
        entries: Vec<Entry>,
    ) -> Result<(), IndexError> {
        let position = mark.position.0;
        for entry in entries {
            let noted = match &entry {
                Entry::Erased { number, .. }
                | Entry::SetAside { number, .. }
                | Entry::Released { number, .. } => Some(*number),
                Entry::Moved(_) | Entry::Files(_) => None,
            };
            self.contacts_of(tree, opener, position, &entry)?;
            self.fold(tree, mark, at, entry)?;
            // There may be none, if the journal's beginning was removed.
            let known = noted.filter(|number| self.fold.records.contains_key(number));
            self.notes.extend(known.map(|number| (number, position)));
        }
        self.remember();
        Ok(())
    }

    fn fold(&mut self, tree: &Tree, mark: Mark, at: Millis, entry: Entry) -> Result<(), Failure> {
        let commit = Commit {
            at,
            wall: at,
            entries: vec![entry],
        };
        let before = &mut self.before;
        let mut failed = None;
        let folded = self.fold.commit(mark.position.0, commit, &mut |number| {
            load_into(before, tree, number).map_err(|failure| {
                failed = Some(failure);
                StoreError::Damaged(String::new())
            })
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
        folded.map_err(|error| tree.condemn(format!("commit {}: {error}", mark.seq)))
    }

    /// What becomes of the contacts under which tickets are found.
    fn contacts_of(
        &mut self,
        tree: &Tree,
        opener: &Opener<'_>,
        position: u64,
        entry: &Entry,
    ) -> Result<(), IndexError> {
        match entry {
            Entry::Files(files) => {
                self.fields
                    .extend(files.iter().flat_map(contacts::fields_in));
            }
            Entry::Erased { number, .. } => self.marks(tree, *number)?.clear(),
            Entry::Moved(moved) if contacts::matters(moved) => {
                let number = moved.number;
                let mut marks = self.marks(tree, number)?.clone();
                let records = &mut self.fold.records;
                if !records.contains_key(&number)
                    && let Some(record) = load_into(&mut self.before, tree, number)?
                {
                    records.insert(number, record);
                }
                let course = Course {
                    tree,
                    added: &self.fields,
                    opener,
                    position,
                };
                let before = self.fold.records.get(&number);
                course.follow(before.map(|record| &record.ticket), moved, &mut marks)?;
                *self.marks(tree, number)? = marks;
            }
            Entry::Moved(_) | Entry::SetAside { .. } | Entry::Released { .. } => (),
        }
        Ok(())
    }

    /// The marks of a ticket's contacts as they are now.
    fn marks(&mut self, tree: &Tree, number: Number) -> Result<&mut Marks, Failure> {
        let marks = match self.contacts.entry(number) {
            btree_map::Entry::Occupied(entry) => entry.into_mut(),
            btree_map::Entry::Vacant(entry) => {
                let before = contacts::marks_of(tree, number)?;
                entry.insert((before.clone(), before))
            }
        };
        Ok(&mut marks.1)
    }

    /// Takes the commands over.
    fn remember(&mut self) {
        let known = &mut self.fold.known;
        known.files.clear();
        for seen in known.commands.drain(..) {
            let Seen {
                id,
                wish,
                at,
                number,
                revision,
                // The ticket has it.
                ticket: _,
            } = seen;
            let command = Command {
                at,
                wish,
                number,
                revision,
            };
            self.commands.insert(id, command);
        }
    }

    /// The writes of the batch. `built` takes in what they change of the sum.
    fn writes(self, tree: &Tree, built: &mut Built) -> Result<Vec<Write>, Failure> {
        let mut changes = Changes::of(built);
        let mut before = self.before;
        for (number, mut record) in self.fold.records {
            // Events come without what was in them: what they say of fields is that there are some.
            record.ticket.fields.clear();
            changes.ticket(&record, before.remove(&number))?;
        }
        for (number, (before, now)) in self.contacts {
            changes.contacts(number, &before, &now);
        }
        let notes = self.notes.into_iter().map(|(number, position)| {
            let key = Key::of(keys::kind::NOTE).number(number);
            key.number(position).0
        });
        for key in notes.chain(self.fields) {
            if !tree.has(&key)? {
                changes.add(key);
            }
        }
        changes.forget(tree, &self.commands)?;
        for (id, command) in self.commands {
            changes.command(tree, &id, &command)?;
        }
        changes.done()
    }
}

/// What a batch writes. `built` takes in what that changes of the sum.
pub(super) struct Changes<'a> {
    built: &'a mut Built,
    pub(super) writes: Vec<Write>,
}

impl<'a> Changes<'a> {
    pub(super) fn of(built: &'a mut Built) -> Self {
        Self {
            built,
            writes: Vec::with_capacity(BATCH_WRITES * 2),
        }
    }

    /// The writes, and how far it is built with them.
    pub(super) fn done(self) -> Result<Vec<Write>, Failure> {
        let Self { built, mut writes } = self;
        let key = Key::built().0;
        let content = postcard::to_stdvec(built);
        let content = content.map_err(|error| Failure::Broken(error.to_string()))?;
        let (value, _) = value::seal(&key, &content);
        writes.push((key, Some(value)));
        Ok(writes)
    }
}

impl Changes<'_> {
    pub(super) fn put(&mut self, write: Write, hash: u128) {
        self.built.sum = self.built.sum.wrapping_add(hash);
        self.built.pairs += 1;
        self.writes.push(write);
    }

    /// What was there is gone, or gives way to what is put in its place.
    pub(super) fn gone(&mut self, hash: u128) {
        self.built.sum = self.built.sum.wrapping_sub(hash);
        self.built.pairs = self.built.pairs.saturating_sub(1);
    }

    /// The engine's time there.
    pub(super) fn at(&self) -> Millis {
        self.built.at
    }

    pub(super) fn add(&mut self, key: Vec<u8>) {
        let hash = value::hash(&key, &[]);
        self.put((key, Some(Vec::new())), hash);
    }

    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.gone(value::hash(&key, &[]));
        self.writes.push((key, None));
    }

    pub(super) fn ticket(
        &mut self,
        record: &Record,
        before: Option<Before>,
    ) -> Result<(), Failure> {
        let (had, views_before) =
            before.map_or_else(Default::default, |before| (before.pieces, before.views));
        let pieces = keys::pieces(record)?;
        for surplus in pieces.len()..had.len() {
            let piece = u16::try_from(surplus).unwrap_or(u16::MAX);
            let key = Key::ticket(record.number, piece).0;
            self.writes.push((key, None));
        }
        had.into_iter().for_each(|hash| self.gone(hash));
        for (write, hash) in pieces {
            self.put(write, hash);
        }
        let views = keys::views(record);
        for key in views_before.difference(&views) {
            self.remove(key.clone());
        }
        for key in views.difference(&views_before) {
            self.add(key.clone());
        }
        Ok(())
    }
}
