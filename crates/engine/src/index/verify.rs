//! Verifying: the index against the journal, played from the beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Bound, ControlFlow, Range};

use super::base;
use super::build::{decoded, load};
use super::commands::{COMMANDS_MS, Command, command};
use super::contacts::{self, Opener};
use super::keys::{self, Key, Parts, kind};
use super::tree::Failure;
use super::{Built, Index, IndexError, Open};
use crate::journal::{Base, JournalReader, Mark};
use crate::record::{CommandId, Commit, Entry, Millis, Moved, Number, Record};
use crate::store::fold::Fold;

/// Most differences that are told one by one.
pub const MAX_DIFFERENCES: usize = 100;

/// Something that the index has, or lacks, against the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A ticket is not in it.
    Missing {
        /// Which.
        number: Number,
    },
    /// A ticket is not as the journal says.
    Other {
        /// Which.
        number: Number,
        /// Its revision in the index.
        revision: u64,
        /// Its revision by the journal.
        expected: u64,
    },
    /// A ticket can't be found where it should be.
    NotListed {
        /// Which.
        number: Number,
        /// In which view.
        view: char,
    },
    /// A command was not remembered, or not as it was.
    Command {
        /// Its id.
        id: CommandId,
    },
    /// Of a workflow that came it does not know which fields hold contacts.
    Fields,
    /// The commits that are about a ticket besides its chain are not all known.
    Note {
        /// Which ticket.
        number: Number,
    },
    /// It has more than the journal says.
    Surplus {
        /// Of what kind.
        view: char,
        /// How many it has.
        found: u64,
        /// How many it should have.
        expected: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { number } => write!(f, "ticket number {number} is missing"),
            Self::Other {
                number,
                revision,
                expected,
            } => write!(
                f,
                "ticket number {number} is not as the journal says (revision {revision}, by the \
                 journal {expected})"
            ),
            Self::NotListed { number, view } => {
                write!(f, "ticket number {number} is not listed in view {view}")
            }
            Self::Command { id } => write!(f, "command {id:02x?} is not remembered as it was"),
            Self::Fields => write!(f, "which fields of a workflow hold contacts is not known"),
            Self::Note { number } => {
                write!(f, "a commit about ticket number {number} is not known")
            }
            Self::Surplus {
                view,
                found,
                expected,
            } => write!(f, "view {view} has {found} keys and should have {expected}"),
        }
    }
}

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The last commit that was.
    pub mark: Option<Mark>,
    /// How many tickets there are.
    pub tickets: u64,
    /// How many keys the index has.
    pub keys: u64,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: u64,
}

impl Verified {
    /// Whether the index is what the journal says.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.differences.is_empty()
    }

    fn note(&mut self, difference: Difference) {
        match self.differences.len() < MAX_DIFFERENCES {
            true => self.differences.push(difference),
            false => self.more += 1,
        }
    }
}

impl Index {
    /// Compares all of it with what the journal says, up to where it is built. Questions are answered
    /// meanwhile, but it goes on with nothing new. Where the journal's beginning was removed it is played
    /// from the snapshot that stands for it; what had ended before that is not compared. An index that has
    /// not come as far as that snapshot is not compared at all.
    ///
    /// The journal is read once for each `at_once` tickets, which are held in memory: 1 to 4 KiB each.
    /// `each` is told how many of how many commits were read.
    ///
    /// # Errors
    /// [`IndexError`] if either can't be read. What is only different is told in the answer.
    pub fn verify(
        &self,
        reader: &JournalReader,
        at_once: u64,
        each: &mut dyn FnMut(u64, u64),
    ) -> Result<Verified, IndexError> {
        let _writer = self.writer();
        let opener = self.opener(reader)?;
        self.read(|open| {
            let built = &open.built;
            let mut outcome = Verified {
                mark: built.mark,
                tickets: 0,
                keys: 0,
                differences: Vec::new(),
                more: 0,
            };
            let is_behind = |base: &Base| built.mark.is_none_or(|mark| mark.seq < base.mark.seq);
            let base = reader.base();
            if base.as_ref().is_some_and(is_behind) {
                return Ok(outcome);
            }
            let mut expected = BTreeMap::new();
            let mut numbers = 0..at_once.max(1);
            loop {
                let piece = Piece::read(&opener, base, built, numbers.clone(), each)?;
                let highest = piece.highest;
                piece.compare(open, &opener, &mut expected, &mut outcome)?;
                if highest < numbers.end {
                    break;
                }
                numbers = numbers.end..numbers.end.saturating_add(at_once.max(1));
            }
            surplus(open, base, &expected, &mut outcome)?;
            Ok(outcome)
        })
    }
}

/// What the journal says of some tickets, and once of everything else.
struct Piece {
    numbers: Range<Number>,
    records: BTreeMap<Number, Record>,
    /// The highest number that the journal has.
    highest: Number,
    /// Commands before this time may be forgotten.
    over: Millis,
    /// With the first tickets only.
    commands: BTreeMap<CommandId, Command>,
    /// Of these tickets.
    notes: BTreeSet<(Number, u64)>,
    /// What they are found by.
    contacts: contacts::Expected,
}

impl Piece {
    fn read(
        opener: &Opener<'_>,
        base: Option<Base>,
        built: &Built,
        numbers: Range<Number>,
        each: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, IndexError> {
        let whole = built.mark.map_or(0, |mark| mark.seq);
        let mut fold = Fold::default();
        let mut piece = Self {
            numbers,
            records: BTreeMap::new(),
            highest: 0,
            over: built.at.saturating_sub(COMMANDS_MS),
            commands: BTreeMap::new(),
            notes: BTreeSet::new(),
            contacts: contacts::Expected::default(),
        };
        if let Some(base) = base {
            piece.begin(&mut fold, opener, &base)?;
        }
        let from = base.map_or(1, |base| base.mark.seq + 1);
        let mut frames = opener.reader.scan_from(from)?;
        while let Some(frame) = frames.next_frame()? {
            let mark = frame.mark;
            if mark.seq > whole && built.entries == 0 {
                break;
            }
            let mut commit = decoded(mark, &frame.payload)?;
            if mark.seq > whole {
                commit.entries.truncate(built.entries as usize);
            }
            piece.take_in(&mut fold, opener, mark, commit)?;
            each(mark.seq, whole);
            if mark.seq > whole {
                break;
            }
        }
        piece.records = fold.records;
        for record in piece.records.values_mut() {
            record.ticket.fields.clear();
        }
        // There may be none, if the journal's beginning was removed.
        let records = &piece.records;
        piece
            .notes
            .retain(|(number, _)| records.contains_key(number));
        Ok(piece)
    }

    /// Begins with the tickets of the journal's base.
    fn begin(&mut self, fold: &mut Fold, opener: &Opener<'_>, of: &Base) -> Result<(), IndexError> {
        let snapshot = base::snapshot(opener.reader, of)?;
        self.contacts.fields = base::contact_fields(&snapshot)?;
        for number in snapshot.numbers(self.numbers.start.checked_sub(1), usize::MAX) {
            self.highest = number;
            if !self.numbers.contains(&number) {
                break;
            }
            let held = opener.fields(base::record(&snapshot, number)?)?;
            self.contacts.begin(number, held);
            let record = base::bare(&snapshot, number)?;
            fold.records.extend(record.map(|record| (number, record)));
        }
        Ok(())
    }

    fn take_in(
        &mut self,
        fold: &mut Fold,
        opener: &Opener<'_>,
        mark: Mark,
        mut commit: Commit,
    ) -> Result<(), IndexError> {
        let (at, position) = (commit.at, mark.position.0);
        let first = self.numbers.start == 0;
        for entry in &commit.entries {
            match entry {
                Entry::Moved(moved) if first => self.command(at, moved),
                Entry::Erased { number, .. }
                | Entry::SetAside { number, .. }
                | Entry::Released { number, .. }
                    if self.numbers.contains(number) =>
                {
                    self.notes.insert((*number, position));
                }
                _ => (),
            }
        }
        commit.entries.retain(|entry| match entry {
            Entry::Moved(Moved { number, .. })
            | Entry::Erased { number, .. }
            | Entry::SetAside { number, .. }
            | Entry::Released { number, .. } => {
                self.highest = self.highest.max(*number);
                self.numbers.contains(number)
            }
            Entry::Files(_) => true,
        });
        for entry in &commit.entries {
            self.contacts.follow(entry, opener)?;
        }
        commit
            .entries
            .retain(|entry| !matches!(entry, Entry::Files(_)));
        fold.commit(position, commit, &mut |_| Ok(None))
            .map_err(|error| IndexError::Commit {
                mark: Box::new(mark),
                why: error.to_string(),
            })
    }

    fn command(&mut self, at: Millis, moved: &Moved) {
        let Some((id, wish)) = moved.command.filter(|_| at >= self.over) else {
            return;
        };
        let command = Command {
            at,
            wish,
            number: moved.number,
            revision: moved.revision + moved.events.len() as u64,
        };
        self.commands.insert(id, command);
    }

    /// Looks for all of it in the index, and counts it.
    fn compare(
        self,
        open: &Open,
        opener: &Opener<'_>,
        expected: &mut BTreeMap<u8, u64>,
        outcome: &mut Verified,
    ) -> Result<(), IndexError> {
        let tree = &open.tree;
        let mut count = |key: &[u8]| {
            let kind = key.first().copied().unwrap_or_default();
            *expected.entry(kind).or_default() += 1;
        };
        for (number, record) in self.records {
            outcome.tickets += 1;
            for (write, _) in keys::pieces(&record)? {
                count(&write.0);
            }
            let mut views = keys::views(&record);
            views.extend(self.contacts.keys(tree, opener, number, &record.ticket)?);
            match load(tree, number)? {
                None => outcome.note(Difference::Missing { number }),
                Some((found, _)) if found != record => outcome.note(Difference::Other {
                    number,
                    revision: found.ticket.revision,
                    expected: record.ticket.revision,
                }),
                Some(_) => (),
            }
            for key in views {
                count(&key);
                if !tree.has(&key)? {
                    let view = letter(&key);
                    outcome.note(Difference::NotListed { number, view });
                }
            }
        }
        for key in self
            .contacts
            .fields
            .iter()
            .filter(|_| self.numbers.start == 0)
        {
            count(key);
            if !tree.has(key)? {
                outcome.note(Difference::Fields);
            }
        }
        for (number, position) in self.notes {
            let key = Key::of(kind::NOTE).number(number).number(position).0;
            count(&key);
            if !tree.has(&key)? {
                outcome.note(Difference::Note { number });
            }
        }
        for (id, expected) in self.commands {
            let found = command(tree, &id)?.map(|(command, _)| command);
            let at = Key::of(kind::COMMAND_AT).time(expected.at).id(&id).0;
            if found.as_ref() != Some(&expected) || !tree.has(&at)? {
                outcome.note(Difference::Command { id });
            }
        }
        Ok(())
    }
}

/// Everything that was expected is there: so whatever is there besides shows in the count. Commands are not
/// counted, since those whose time is over are forgotten at leisure; nor what had ended before the journal's
/// base, since that is removed at leisure.
fn surplus(
    open: &Open,
    base: Option<Base>,
    expected: &BTreeMap<u8, u64>,
    outcome: &mut Verified,
) -> Result<(), Failure> {
    let mut found: BTreeMap<u8, u64> = BTreeMap::new();
    let old = old(open, base)?;
    let from = base.map_or(0, |base| base.mark.position.0 + 1);
    open.tree.scan(
        (Bound::Unbounded, Bound::Unbounded),
        false,
        &mut |key, _| {
            let kind = key.first().copied().unwrap_or_default();
            if !is_old(key, &old, from) {
                *found.entry(kind).or_default() += 1;
            }
            ControlFlow::Continue(())
        },
    )?;
    found.remove(&kind::BUILT);
    found.remove(&kind::BASE);
    outcome.keys = found.values().sum();
    let commands = [kind::COMMAND, kind::COMMAND_AT];
    if found.get(&kind::COMMAND) != found.get(&kind::COMMAND_AT) {
        let count = |kind| found.get(&kind).copied().unwrap_or_default();
        outcome.note(Difference::Surplus {
            view: char::from(kind::COMMAND_AT),
            found: count(kind::COMMAND_AT),
            expected: count(kind::COMMAND),
        });
    }
    found.retain(|kind, _| !commands.contains(kind));
    for (kind, found) in found {
        let expected = expected.get(&kind).copied().unwrap_or_default();
        if found != expected {
            outcome.note(Difference::Surplus {
                view: char::from(kind),
                found,
                expected,
            });
        }
    }
    Ok(())
}

/// The tickets that are still there although they had ended before the base.
fn old(open: &Open, of: Option<Base>) -> Result<BTreeSet<Number>, Failure> {
    let mut old = BTreeSet::new();
    if let Some(of) = of {
        for key in base::ended(&open.tree, &of, None, usize::MAX)? {
            let number = keys::number_of(&key).unwrap_or_default();
            let found = load(&open.tree, number)?;
            if found.is_some_and(|(record, _)| base::is_over(&record, &of)) {
                old.insert(number);
            }
        }
    }
    Ok(old)
}

/// Whether a key is about one of these tickets, or about a commit before that position.
fn is_old(key: &[u8], old: &BTreeSet<Number>, from: u64) -> bool {
    let mut parts = Parts(key.get(1..).unwrap_or_default());
    match key.first() {
        Some(&kind::COMMAND | &kind::COMMAND_AT | &kind::BUILT | &kind::BASE | &kind::FIELD) => {
            false
        }
        Some(&kind::TICKET | &kind::CONTACTS_OF) => {
            parts.number().is_some_and(|number| old.contains(&number))
        }
        Some(&kind::NOTE) => {
            let is_old = parts.number().is_some_and(|number| old.contains(&number));
            is_old || parts.number().is_some_and(|position| position < from)
        }
        _ => keys::number_of(key).is_some_and(|number| old.contains(&number)),
    }
}

/// The kind of a key, as it is told.
fn letter(key: &[u8]) -> char {
    key.first().copied().map_or('?', char::from)
}
