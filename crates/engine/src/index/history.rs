//! A ticket's history: its commits, found backwards through the journal.

use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::str::FromStr;

use super::build::{decoded, load};
use super::keys::{Key, Parts, kind};
use super::query::MAX_PAGE;
use super::tree::{Failure, Tree};
use super::{Index, IndexError};
use crate::journal::{JournalError, JournalReader, Mark, Position};
use crate::record::{Commit, Entry, Millis, Number};

/// One entry of a ticket's history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The commit that it is in.
    pub mark: Mark,
    /// When, by the engine's time.
    pub at: Millis,
    /// What the machine's clock showed.
    pub wall: Millis,
    /// What happened. What is personal in it is sealed still.
    pub entry: Entry,
}

/// A piece of a ticket's history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The last first. Commits are whole, so there may be a few more than were asked for.
    pub steps: Vec<Step>,
    /// What to go on with; `None`: this was the beginning.
    pub next: Option<HistoryCursor>,
    /// What happened up to this time was removed by the retention rule. Only told where the history ends.
    pub removed: Option<Millis>,
}

/// Where a history goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HistoryCursor {
    /// The next commit of the chain.
    chain: Option<u64>,
    /// All from here on was shown.
    below: u64,
}

impl fmt::Display for HistoryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.chain {
            Some(chain) => write!(f, "{}-{chain}", self.below),
            None => write!(f, "{}", self.below),
        }
    }
}

impl FromStr for HistoryCursor {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let number = |text: &str| text.parse().map_err(|_| IndexError::Cursor);
        let (below, chain) = match text.split_once('-') {
            Some((below, chain)) => (below, Some(number(chain)?)),
            None => (text, None),
        };
        let below = number(below)?;
        Ok(Self { chain, below })
    }
}

impl Index {
    /// What has happened to a ticket, the last first. Empty: there is no such ticket.
    ///
    /// Each of a ticket's commits names the one before, so this reads those commits and no others. It is
    /// about what is in the index: [`IndexHandle::wait`](super::IndexHandle::wait) for what was committed
    /// just now.
    ///
    /// # Errors
    /// [`IndexError`]; [`IndexError::Cursor`] for a cursor of another ticket;
    /// [`JournalError::Removed`] where old commits were removed, and not by the retention rule.
    pub fn history(
        &self,
        reader: &JournalReader,
        number: Number,
        after: Option<HistoryCursor>,
        limit: usize,
    ) -> Result<History, IndexError> {
        let from = match after {
            Some(from) => from,
            None => {
                let found = self.read(|open| Ok(load(&open.tree, number)?))?;
                HistoryCursor {
                    chain: found.map(|(record, _)| record.last),
                    below: u64::MAX,
                }
            }
        };
        let limit = limit.clamp(1, MAX_PAGE);
        let (mut next, mut steps) = (from, Vec::new());
        while steps.len() < limit {
            let note = self.read(|open| Ok(last_note(&open.tree, number, next.below)?))?;
            let Some(position) = next.chain.max(note) else {
                return Ok(History {
                    steps,
                    next: None,
                    removed: None,
                });
            };
            let frame = reader.read(Position(position));
            let is_gone = matches!(frame, Err(JournalError::Removed { .. }));
            // Also while it is still there: what is told must not hang on when a file is removed.
            let begins = reader
                .base()
                .filter(|base| is_gone || position <= base.mark.position.0);
            if let Some(base) = begins {
                return Ok(History {
                    steps,
                    next: None,
                    removed: Some(base.at),
                });
            }
            let frame = frame?;
            let commit = decoded(frame.mark, &frame.payload)?;
            let in_chain = next.chain == Some(position);
            next.below = position;
            if in_chain {
                next.chain = before(number, &commit).ok_or(IndexError::Cursor)?;
            }
            add(number, frame.mark, commit, &mut steps);
        }
        Ok(History {
            steps,
            next: Some(next),
            removed: None,
        })
    }
}

/// Adds what the commit says of the ticket.
fn add(number: Number, mark: Mark, commit: Commit, to: &mut Vec<Step>) {
    let (at, wall) = (commit.at, commit.wall);
    let entries = commit.entries.into_iter().rev();
    let of_it = entries.filter(|entry| match entry {
        Entry::Moved(moved) => moved.number == number,
        Entry::Erased { number: other, .. }
        | Entry::SetAside { number: other, .. }
        | Entry::Released { number: other, .. } => *other == number,
        Entry::Files(_) => false,
    });
    to.extend(of_it.map(|entry| Step {
        mark,
        at,
        wall,
        entry,
    }));
}

/// The ticket's commit before this one, as its first entry here says. `None`: it is not in here.
fn before(number: Number, commit: &Commit) -> Option<Option<u64>> {
    commit.entries.iter().find_map(|entry| match entry {
        Entry::Moved(moved) if moved.number == number => Some(moved.previous),
        _ => None,
    })
}

/// The last commit below a position that is about the ticket without being in its chain.
fn last_note(tree: &Tree, number: Number, below: u64) -> Result<Option<u64>, Failure> {
    let prefix = Key::of(kind::NOTE).number(number);
    let end = prefix.clone().number(below);
    let mut found = None;
    let range = (Bound::Included(prefix.0), Bound::Excluded(end.0));
    tree.scan(range, true, &mut |key, _| {
        let mut parts = Parts(key);
        parts.byte();
        parts.number();
        found = parts.number();
        ControlFlow::Break(())
    })?;
    Ok(found)
}
