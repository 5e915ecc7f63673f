//! The feed: what has happened to all tickets, in the order of the journal, for those who follow it.
//!
//! It is read beside the writer, from what is on disk. No command waits for a reader, and nothing is kept for
//! one: whoever goes away comes back with the [`EventId`] of the last event that he has seen, and goes on
//! behind it, also after a restart. [`Handle::events`](crate::Handle::events) reads a page, and
//! [`Handle::tide`](crate::Handle::tide) says when there is more.
//!
//! ```
//! # use upline::Engine;
//! # use upline::core::{Actor, Fact};
//! # use upline::feed::What;
//! # const DESK: &str = "
//! # directory: acme
//! # last-resort: user max
//! # people: { max: { mail: max@example.com } }
//! # ";
//! # const CALL: &str = "
//! # workflow: call
//! # start: asked
//! # ladders: { climb: [{ after: 15 min, assign: user max }] }
//! # states:
//! #   asked: { assign: user max, escalate: climb, actions: { done: { goto: closed } } }
//! #   closed: { end: done }
//! # ";
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let engine = Engine::builder().folder(folder.path())?;
//! let engine = engine.file("desk.yaml", DESK).file("call.yaml", CALL).start().await?;
//! let handle = engine.handle();
//! let (mut tide, mut after) = (handle.tide()?, None);
//! handle.open("call", Actor::Person("max".into()), vec![]).await?;
//! tide.more().await?;
//! let mut facts = Vec::new();
//! loop {
//!     let page = handle.events(after, 10).await?;
//!     facts.extend(page.items);
//!     after = Some(page.next);
//!     if !page.more {
//!         break;
//!     }
//! }
//! let opened = |one: &upline::feed::Happening| {
//!     matches!(&one.what, What::Fact { fact: Fact::Opened { .. }, .. })
//! };
//! assert!(facts.iter().any(opened));
//! engine.stop().await?;
//! # Ok(())
//! # }
//! ```

mod read;
#[cfg(feature = "sled")]
#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lru::LruCache;
use tokio::sync::watch;
use upline_core::{Fact, Name};

use crate::error::Error;
use crate::journal::{JournalReader, Position};
use crate::record::{Number, Settled};
use crate::vault::Vault;

pub(crate) use read::Page as RawPage;

/// Pages whose ends are remembered, so that the next one is found without a search.
const REMEMBERED_ENDS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// Tickets whose ids are remembered.
const REMEMBERED_NAMES: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// In place of an index: all of the commit.
const WHOLE: u32 = u32::MAX;

/// Names an event: the number of its commit in the journal, and which of that commit's events it is. In order
/// of what happened; the same for ever, also after a restart and in a restored backup.
///
/// Its text is `17.3`, or `17` for the end of commit 17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    commit: u64,
    index: u32,
}

impl EventId {
    /// Before everything.
    pub const START: Self = Self {
        commit: 0,
        index: WHOLE,
    };

    /// Behind all events of this commit.
    #[must_use]
    pub const fn end_of(commit: u64) -> Self {
        let index = WHOLE;
        Self { commit, index }
    }

    /// The number of its commit.
    #[must_use]
    pub const fn commit(self) -> u64 {
        self.commit
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            WHOLE => write!(f, "{}", self.commit),
            index => write!(f, "{}.{index}", self.commit),
        }
    }
}

/// A text names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no event: events are named as in `17.3`, and the end of a commit as in `17`")]
pub struct ParseEventIdError(String);

impl FromStr for EventId {
    type Err = ParseEventIdError;

    fn from_str(text: &str) -> Result<Self, ParseEventIdError> {
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        let read = || {
            let (commit, index) = match text.split_once('.') {
                Some((commit, index)) => (commit, Some(index)),
                None => (text, None),
            };
            if !digits(commit) || !index.is_none_or(digits) {
                return None;
            }
            let index = index.map_or(Some(WHOLE), |index| {
                index.parse().ok().filter(|index| *index < WHOLE)
            });
            let commit = commit.parse().ok()?;
            index.map(|index| Self { commit, index })
        };
        read().ok_or_else(|| ParseEventIdError(text.chars().take(40).collect()))
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Happening {
    /// Its name.
    pub id: EventId,
    /// When, by the engine's time.
    pub at: Timestamp,
    /// To which ticket; `None`: to none.
    pub subject: Option<Subject>,
    /// What.
    pub what: What,
}

/// The ticket to which something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// Its number.
    pub number: Number,
    /// Its id; its number where nobody knows more of it, since it was removed by the retention rule.
    pub id: Name,
    /// Its workflow; empty likewise.
    pub workflow: Name,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are facts: the others would save nothing"
)]
pub enum What {
    /// An event of the ticket.
    Fact {
        /// The ticket's revision after it.
        revision: u64,
        /// By which way it came: a token, a clock, the outbox.
        origin: Name,
        /// What happened. What is personal in it is left out if the ticket was erased.
        fact: Fact,
        /// Whether something was left out.
        erased: bool,
    },
    /// The fate of a message is known.
    Settled {
        /// Which message, and what became of it.
        settled: Settled,
        /// What its peer said.
        detail: Option<String>,
    },
    /// These files hold from now on.
    Deployed {
        /// Their names.
        files: Vec<Name>,
    },
    /// The ticket's key was destroyed.
    Erased {
        /// Who asked for it.
        by: Name,
    },
    /// The ticket was set aside.
    SetAside {
        /// What is wrong; `None`: it goes on, and who let it was not written down in those days.
        why: Option<String>,
    },
    /// The ticket was set aside, and goes on.
    Released {
        /// Who let it.
        by: Name,
    },
}

/// A page of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Events {
    /// The oldest first. May be fewer than were asked for, even none, although there are more.
    pub items: Vec<Happening>,
    /// What to ask with next.
    pub next: EventId,
    /// Whether there is more already.
    pub more: bool,
}

/// How far the journal has come, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    commits: u64,
    open: bool,
}

/// Says when there is more to read. Cheap; commits do not wait for it.
#[derive(Debug, Clone)]
pub struct Tide(watch::Receiver<Level>);

impl Tide {
    /// Waits until something was committed since this was last asked, or since it was made.
    ///
    /// # Errors
    /// [`Error::Stopped`]: nothing more comes.
    pub async fn more(&mut self) -> Result<(), Error> {
        if !self.0.borrow().open {
            return Err(Error::Stopped);
        }
        let changed = self.0.changed().await;
        match changed.is_ok() && self.0.borrow_and_update().open {
            true => Ok(()),
            false => Err(Error::Stopped),
        }
    }
}

/// A journal that can be followed: of a store ([`Store::feed`](crate::store::Store::feed)), for the engine.
/// Cheap to clone.
#[derive(Clone)]
pub struct Feed(Arc<Shared>);

struct Shared {
    /// `None`: not open yet, or not any more.
    open: Mutex<Option<(JournalReader, Arc<Vault>)>>,
    level: watch::Sender<Level>,
    /// Where commits are that pages have ended with.
    ends: Mutex<LruCache<u64, Position>>,
    /// The ids and workflows of tickets; they never change.
    names: Mutex<LruCache<Number, (Name, Name)>>,
}

impl Default for Feed {
    fn default() -> Self {
        let level = Level {
            commits: 0,
            open: true,
        };
        Self(Arc::new(Shared {
            open: Mutex::new(None),
            level: watch::Sender::new(level),
            ends: Mutex::new(LruCache::new(REMEMBERED_ENDS)),
            names: Mutex::new(LruCache::new(REMEMBERED_NAMES)),
        }))
    }
}

/// Nobody panics while he holds one of these locks, and what is behind them is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    pub(crate) fn tide(&self) -> Tide {
        Tide(self.0.level.subscribe())
    }

    /// The ids that are remembered of these tickets.
    pub(crate) fn name(&self, number: Number) -> Option<(Name, Name)> {
        lock(&self.0.names).get(&number).cloned()
    }

    pub(crate) fn remember(&self, number: Number, id: Name, workflow: Name) {
        lock(&self.0.names).put(number, (id, workflow));
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = *self.0.level.borrow();
        f.debug_struct("Feed")
            .field("level", &level)
            .finish_non_exhaustive()
    }
}

/// The store's end of a feed. Dropped, it says that nothing more comes.
#[derive(Default)]
pub(crate) struct Source(Feed);

impl Source {
    pub(crate) fn feed(&self) -> Feed {
        self.0.clone()
    }

    /// The journal was opened, perhaps again after a failure.
    pub(crate) fn opened(&self, reader: &JournalReader, vault: &Arc<Vault>) {
        *lock(&self.0.0.open) = Some((reader.clone(), Arc::clone(vault)));
        self.committed();
    }

    /// Something was committed. The lock inside orders this against those who subscribe just now.
    pub(crate) fn committed(&self) {
        self.0.0.level.send_modify(|level| level.commits += 1);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        *lock(&self.0.0.open) = None;
        self.0.0.level.send_modify(|level| level.open = false);
    }
}
