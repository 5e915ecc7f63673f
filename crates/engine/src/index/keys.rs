//! What stands where: the kinds of keys, and which of them a ticket has.

use std::collections::BTreeSet;

use upline_core::Name;

use super::tree::{Failure, Write};
use super::value::{self, MAX_CONTENT};
use crate::record::{self, CommandId, Millis, Number, Record};
use crate::vault::contacts::ContactMark;

/// The kinds of keys, by their first byte.
pub(super) mod kind {
    /// How far the index is built: one key.
    pub(in super::super) const BUILT: u8 = b'!';
    /// A ticket: number, number of the piece.
    pub(in super::super) const TICKET: u8 = b't';
    /// By state: open or ended, workflow, state or outcome, number.
    pub(in super::super) const STATE: u8 = b's';
    /// By answerable person, of open ones: person, number.
    pub(in super::super) const PERSON: u8 = b'p';
    /// By the key of another system: workflow, key, number.
    pub(in super::super) const KEY: u8 = b'k';
    /// By an id that the engine has not made: id, number.
    pub(in super::super) const ID: u8 = b'i';
    /// By the clock that is due first: time, number.
    pub(in super::super) const DUE: u8 = b'd';
    /// Those with messages still to be sent: number.
    pub(in super::super) const UNSENT: u8 = b'u';
    /// Those that are set aside: number.
    pub(in super::super) const ASIDE: u8 = b'a';
    /// Ended ones by their end: time, number.
    pub(in super::super) const ENDED: u8 = b'e';
    /// By the mark of a contact: mark, number.
    pub(in super::super) const CONTACT: u8 = b'm';
    /// The marks of a ticket's contacts: number, field, mark.
    pub(in super::super) const CONTACTS_OF: u8 = b'f';
    /// The fields of a workflow that hold contacts: workflow, version, field.
    pub(in super::super) const FIELD: u8 = b'w';
    /// Commits that are about a ticket and not in its chain: number, position.
    pub(in super::super) const NOTE: u8 = b'n';
    /// With which base of the journal it was begun.
    pub(in super::super) const BASE: u8 = b'@';
    /// A command: its id.
    pub(in super::super) const COMMAND: u8 = b'c';
    /// Commands by time: time, id.
    pub(in super::super) const COMMAND_AT: u8 = b'x';
}

/// Of keys by state: of open tickets.
pub(super) const OPEN: u8 = b'o';
/// Of keys by state: of ended ones.
pub(super) const ENDED: u8 = b'z';

/// Longest text that stands in a key; of a longer one its hash does.
const MAX_TEXT: usize = 512;
/// In place of the length of a text whose hash follows.
const HASHED: u16 = u16::MAX;

/// A key that is being put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key(pub(super) Vec<u8>);

impl Key {
    pub(super) fn of(kind: u8) -> Self {
        Self(vec![kind])
    }

    pub(super) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        match u16::try_from(text.len()) {
            Ok(length) if text.len() <= MAX_TEXT => {
                self.0.extend(length.to_be_bytes());
                self.0.extend(text.as_bytes());
            }
            _ => {
                self.0.extend(HASHED.to_be_bytes());
                self.0.extend(blake3::hash(text.as_bytes()).as_bytes());
            }
        }
        self
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// In order also before 1970.
    pub(super) fn time(self, at: Millis) -> Self {
        self.number(at.cast_unsigned() ^ (1 << 63))
    }

    pub(super) fn id(mut self, id: &CommandId) -> Self {
        self.0.extend(id);
        self
    }

    pub(super) fn mark(mut self, mark: &ContactMark) -> Self {
        self.0.extend(mark);
        self
    }

    /// A piece of a ticket.
    pub(super) fn ticket(number: Number, piece: u16) -> Self {
        let mut key = Self::of(kind::TICKET).number(number);
        key.0.extend(piece.to_be_bytes());
        key
    }

    pub(super) fn built() -> Self {
        Self::of(kind::BUILT)
    }
}

/// Reads a key from its front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a>(pub(super) &'a [u8]);

impl Parts<'_> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    pub(super) fn time(&mut self) -> Option<Millis> {
        Some((self.number()? ^ (1 << 63)).cast_signed())
    }

    pub(super) fn id(&mut self) -> Option<CommandId> {
        let (id, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*id)
    }

    /// A text. Of a long one there is only the hash: the inner `None`.
    pub(super) fn text(&mut self) -> Option<Option<Name>> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = u16::from_be_bytes(*length);
        let bytes = match length {
            HASHED => 32,
            length => usize::from(length),
        };
        let (text, rest) = rest.split_at_checked(bytes)?;
        self.0 = rest;
        match length {
            HASHED => Some(None),
            _ => Some(Some(Name::new(std::str::from_utf8(text).ok()?))),
        }
    }
}

/// The number of the ticket that a view's key is about: its last eight bytes.
pub(super) fn number_of(key: &[u8]) -> Option<Number> {
    key.last_chunk().map(|number| u64::from_be_bytes(*number))
}

/// The first key behind all that begin with this one.
pub(super) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    // Only of a prefix without an end, and none of ours is.
    vec![u8::MAX; prefix.len() + 1]
}

/// The state, or outcome, that a key by state stands for.
pub(super) fn state_in<'a>(record: &'a Record, key: &[u8]) -> Option<&'a Name> {
    let ticket = &record.ticket;
    let mut states: Vec<&Name> = ticket.positions.values().map(|one| &one.state).collect();
    let standing = match &ticket.ended {
        Some(ended) => {
            states = vec![&ended.outcome];
            ENDED
        }
        None => OPEN,
    };
    let made = |state: &&Name| {
        let made = state_key(standing, &ticket.workflow, state);
        made.number(record.number).0 == key
    };
    states.into_iter().find(made)
}

/// Whether this is the one of its keys by state at which a list shows the ticket: that of the state asked
/// for, or of its state as a whole.
pub(super) fn is_shown_at(record: &Record, asked: &Option<Name>, key: &[u8]) -> bool {
    let positions = &record.ticket.positions;
    let whole = positions.get("").map(|position| &position.state);
    let shown = match &record.ticket.ended {
        Some(_) => return true,
        None => asked.as_ref().or(whole),
    };
    state_in(record, key) == shown
}

/// The beginning of a key by state.
fn state_key(standing: u8, workflow: &str, state: &str) -> Key {
    let key = Key::of(kind::STATE).byte(standing);
    key.text(workflow).text(state)
}

/// When the clock is due that is due first. One that is set aside has none that runs, nor has one that ended.
pub(super) fn due(record: &Record) -> Option<Millis> {
    let ticket = &record.ticket;
    let runs = ticket.is_open() && record.set_aside.is_none();
    let clock = ticket.next_due().filter(|_| runs)?;
    Some(clock.due.as_millisecond())
}

/// The keys under which views find the ticket. A function of the record alone, so that each can be checked
/// against it.
pub(super) fn views(record: &Record) -> BTreeSet<Vec<u8>> {
    let ticket = &record.ticket;
    let number = record.number;
    let mut keys = BTreeSet::new();
    let mut add = |key: Key| keys.insert(key.number(number).0);
    let by_state = |standing, state: &str| state_key(standing, &ticket.workflow, state);
    match &ticket.ended {
        Some(ended) => {
            add(by_state(ENDED, &ended.outcome));
            add(Key::of(kind::ENDED).time(ended.at.as_millisecond()));
        }
        None => {
            for position in ticket.positions.values() {
                add(by_state(OPEN, &position.state));
            }
            for (_, person) in ticket.answerable() {
                add(Key::of(kind::PERSON).text(person));
            }
            if let Some(due) = due(record) {
                add(Key::of(kind::DUE).time(due));
            }
        }
    }
    if let Some(key) = &ticket.key {
        add(Key::of(kind::KEY).text(&ticket.workflow).text(key));
    }
    if own_number(&ticket.id).is_none() {
        add(Key::of(kind::ID).text(&ticket.id));
    }
    if !record.unsent.is_empty() {
        add(Key::of(kind::UNSENT));
    }
    if record.set_aside.is_some() {
        add(Key::of(kind::ASIDE));
    }
    keys
}

/// The number in an id that the engine has made.
pub(super) fn own_number(id: &str) -> Option<Number> {
    let digits = !id.is_empty() && !id.starts_with('0') && id.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten()
}

/// The values that hold a record, each with the hash of it and its key. Fields must be out of it.
pub(super) fn pieces(record: &Record) -> Result<Vec<(Write, u128)>, Failure> {
    let fail = |why: &dyn std::fmt::Display| {
        let number = record.number;
        Failure::Broken(format!("ticket number {number} can't be written: {why}"))
    };
    // The first two bytes say how many pieces there are.
    let bytes = record::encode(record, vec![0; 2]).map_err(|error| fail(&error))?;
    let count = bytes.len().div_ceil(MAX_CONTENT);
    let count = u16::try_from(count).map_err(|error| fail(&error))?;
    let mut bytes = bytes;
    bytes[..2].copy_from_slice(&count.to_le_bytes());
    let pieces = (0..count).zip(bytes.chunks(MAX_CONTENT));
    let sealed = pieces.map(|(piece, content)| {
        let key = Key::ticket(record.number, piece).0;
        let (value, hash) = value::seal(&key, content);
        ((key, Some(value)), hash)
    });
    Ok(sealed.collect())
}
