//! Questions. Each looks at one state of the index, and at no more of it than it says.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::str::FromStr;

use upline_core::Name;

use super::build::load;
use super::clocks;
use super::commands::{COMMANDS_MS, command};
use super::filter::{Filter, Standing, by_state, plan, wanted};
use super::keys::{self, Key, Parts, behind, kind};
use super::tree::{Failure, Tree};
use super::walk::{Range, keys_of, led_to, no_key, walk};
use super::{Index, IndexError};
use crate::record::{CommandId, Millis, Number, Record};
use crate::store::Seen;

/// Most tickets on one page.
pub const MAX_PAGE: usize = 200;

/// Most keys or tickets that one question looks at: if few of them are wanted, a page has fewer tickets than
/// were asked for, and a cursor to go on with.
pub const MAX_SCANNED: usize = 20_000;

/// Where a list goes on. It is made of what it stands for, and stays good when the index is built anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub(super) Vec<u8>);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let digits = text.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| {
            let digits = std::str::from_utf8(pair).ok()?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = digits.0.iter().map(byte).collect();
        match bytes {
            Some(bytes) if digits.1.is_empty() && !bytes.is_empty() => Ok(Self(bytes)),
            _ => Err(IndexError::Cursor),
        }
    }
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it; may be less than was asked for, even nothing, although more follows.
    pub items: Vec<T>,
    /// What to go on with; `None`: this was the end.
    pub next: Option<Cursor>,
}

/// How many tickets are in each state, as far as one question has looked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// By workflow and state, or outcome. A ticket with branches counts in each of their states, once.
    pub by_state: BTreeMap<(Name, Name), u64>,
    /// What to go on with; the counts of all pieces are added.
    pub next: Option<Cursor>,
}

impl Index {
    /// A ticket, open or ended; its fields are not in it.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn ticket(&self, number: Number) -> Result<Option<Record>, IndexError> {
        self.read(|open| Ok(load(&open.tree, number)?.map(|(record, _)| record)))
    }

    /// A ticket by its id. Of several that have had it one after the other, the last.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn find(&self, id: &str) -> Result<Option<Record>, IndexError> {
        if let Some(number) = keys::own_number(id) {
            return self.ticket(number);
        }
        self.read(|open| {
            let range = Range::all_of(Key::of(kind::ID).text(id));
            let found = walk(open, vec![range], true, None, 1, &|_, record| {
                record.ticket.id == id
            })?;
            Ok(found.items.into_iter().next())
        })
    }

    /// The tickets that another system knows by this key, newest first: at most one is open.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn by_key(
        &self,
        workflow: &str,
        key: &str,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Record>, IndexError> {
        self.read(|open| {
            let range = Range::all_of(Key::of(kind::KEY).text(workflow).text(key));
            walk(open, vec![range], true, after, limit, &|_, record| {
                record.ticket.key.as_deref() == Some(key)
            })
        })
    }

    /// Tickets, at most [`MAX_PAGE`] at once. Those of a contact are in order of their numbers. With a
    /// workflow, or only with a standing, they are grouped by
    /// state, and within that in order of their numbers; else they are in order of their numbers, or of their
    /// end or their clocks if that is asked for.
    ///
    /// # Errors
    /// [`IndexError::Cursor`] for a cursor of a list with another filter, and the others.
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Record>, IndexError> {
        self.read(|open| {
            let numbers = match filter.standing {
                Some(Standing::Ended) => 0..=Number::MAX,
                _ => opened_between(&open.tree, filter.from, filter.to)?,
            };
            let ranges = plan(filter, &open.secret);
            let wanted = |key: &[u8], record: &Record| {
                numbers.contains(&record.number) && wanted(filter, key, record)
            };
            match filter.is_by_clock() {
                true => clocks::list(open, filter, &ranges, after, limit, &wanted),
                false => walk(open, ranges, filter.newest_first, after, limit, &wanted),
            }
        })
    }

    /// How many tickets are in each state. Looks at [`MAX_SCANNED`] of them at most.
    ///
    /// # Errors
    /// [`IndexError::Cursor`], and the others.
    pub fn counts(
        &self,
        standing: Standing,
        workflow: Option<&str>,
        after: Option<&Cursor>,
    ) -> Result<Counts, IndexError> {
        self.read(|open| {
            let ranges = vec![Range::all_of(by_state(standing, workflow))];
            let (found, next) = keys_of(&open.tree, &ranges, false, after, MAX_SCANNED)?;
            let mut by_state = BTreeMap::new();
            for key in found {
                let (workflow, state) = names(&open.tree, &key)?;
                *by_state.entry((workflow, state)).or_default() += 1;
            }
            Ok(Counts { by_state, next })
        })
    }

    /// Open tickets with their clocks that are due first, in order of time; those that are set aside have
    /// none.
    ///
    /// # Errors
    /// [`IndexError::Cursor`], and the others.
    pub fn due(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<(Millis, Number)>, IndexError> {
        self.numbers(kind::DUE, after, limit, |parts| {
            Some((parts.time()?, parts.number()?))
        })
    }

    /// Tickets with messages still to be sent.
    ///
    /// # Errors
    /// [`IndexError::Cursor`], and the others.
    pub fn unsent(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<Number>, IndexError> {
        self.numbers(kind::UNSENT, after, limit, |parts| parts.number())
    }

    /// Tickets that are set aside.
    ///
    /// # Errors
    /// [`IndexError::Cursor`], and the others.
    pub fn set_aside_tickets(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Number>, IndexError> {
        self.numbers(kind::ASIDE, after, limit, |parts| parts.number())
    }

    /// What a command with this id has done, if it was carried out in the last 7 days.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn command(&self, id: &CommandId) -> Result<Option<Seen>, IndexError> {
        self.read(|open| {
            let Some((command, _)) = command(&open.tree, id)? else {
                return Ok(None);
            };
            let number = command.number;
            let Some((record, _)) = load(&open.tree, number)? else {
                if command.at < open.built.at.saturating_sub(COMMANDS_MS) {
                    // Its ticket went with the old history.
                    return Ok(None);
                }
                let why = format!("a command has moved ticket number {number}, which is not there");
                return Err(open.tree.condemn(why).into());
            };
            Ok(Some(Seen {
                id: *id,
                wish: command.wish,
                at: command.at,
                number,
                ticket: record.ticket.id,
                revision: command.revision,
            }))
        })
    }

    fn numbers<T>(
        &self,
        kind: u8,
        after: Option<&Cursor>,
        limit: usize,
        read: impl Fn(&mut Parts<'_>) -> Option<T>,
    ) -> Result<Page<T>, IndexError> {
        self.read(|open| {
            let ranges = [Range::all_of(Key::of(kind))];
            let limit = limit.clamp(1, MAX_PAGE);
            let (found, next) = keys_of(&open.tree, &ranges, false, after, limit)?;
            let items = found.iter().map(|key| {
                let mut parts = Parts(key.get(1..).unwrap_or_default());
                read(&mut parts).ok_or_else(|| no_key(&open.tree, key))
            });
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next,
            })
        })
    }
}

/// The numbers of the tickets that were opened in this time. They were given in order of time.
fn opened_between(
    tree: &Tree,
    from: Option<Millis>,
    to: Option<Millis>,
) -> Result<std::ops::RangeInclusive<Number>, Failure> {
    let first = from.map(|from| first_opened(tree, from)).transpose()?;
    let behind = to.map(|to| first_opened(tree, to)).transpose()?;
    let last = behind.map_or(Number::MAX, |behind| behind.saturating_sub(1));
    Ok(first.unwrap_or(0)..=last)
}

/// The lowest number of a ticket that was opened then or later, or that is still to be given.
fn first_opened(tree: &Tree, at: Millis) -> Result<Number, Failure> {
    let (mut low, mut high) = (0, last_number(tree)? + 1);
    while low < high {
        let middle = low.midpoint(high);
        match next_ticket(tree, middle)? {
            Some(record) if record.ticket.opened.as_millisecond() < at => low = record.number + 1,
            Some(_) => high = middle,
            None => high = middle,
        }
    }
    Ok(low)
}

fn next_ticket(tree: &Tree, from: Number) -> Result<Option<Record>, Failure> {
    let range = Range {
        start: Key::ticket(from, 0).0,
        end: behind(&[kind::TICKET]),
    };
    let number = edge(tree, range, false)?;
    let Some(number) = number else {
        return Ok(None);
    };
    Ok(load(tree, number)?.map(|(record, _)| record))
}

/// The highest number that is in the index.
fn last_number(tree: &Tree) -> Result<Number, Failure> {
    let range = Range::all_of(Key::of(kind::TICKET));
    Ok(edge(tree, range, true)?.unwrap_or(0))
}

/// The number of the first or last ticket in a range of tickets.
fn edge(tree: &Tree, range: Range, last: bool) -> Result<Option<Number>, Failure> {
    let mut number = None;
    let bounds = (Bound::Included(range.start), Bound::Excluded(range.end));
    tree.scan(bounds, last, &mut |key, _| {
        number = Parts(key.get(1..).unwrap_or_default()).number();
        ControlFlow::Break(())
    })?;
    Ok(number)
}

/// Workflow and state of a key by state.
fn names(tree: &Tree, key: &[u8]) -> Result<(Name, Name), Failure> {
    let mut parts = Parts(key.get(2..).unwrap_or_default());
    let (Some(workflow), Some(state)) = (parts.text(), parts.text()) else {
        return Err(no_key(tree, key));
    };
    if let (Some(workflow), Some(state)) = (workflow, state) {
        return Ok((workflow, state));
    }
    // A name so long that only its hash is in the key: the ticket has it.
    let record = led_to(tree, key)?.ok_or_else(|| no_key(tree, key))?;
    let state = keys::state_in(&record, key).ok_or_else(|| no_key(tree, key))?;
    Ok((record.ticket.workflow.clone(), state.clone()))
}
