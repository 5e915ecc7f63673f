//! What is written down: the commits of the journal, and the records of tickets that are kept beside it.
//!
//! Both are encoded by postcard behind a byte that names the version of the form, [`FORM`]. postcard knows no
//! field names, so within one version nothing is added to a structure; enumerations grow at their end. What
//! people said and what fields hold is taken out of events and tickets and sealed under the ticket's key
//! ([`Vault`](crate::vault::Vault)); without the key the rest still reads.

mod personal;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use upline_core::ticket::NoticeId;
use upline_core::{Event, Fact, Name, Notice, Ticket, Workload, evolve};

pub(crate) use personal::{fields_bytes, restore_events, restore_fields, take_events};

/// The version of the form in which commits and records are written today.
pub const FORM: u8 = 1;

/// Number of a ticket in its folder: given in order of opening, never used again.
pub type Number = u64;

/// Which command it was, as its giver says: 16 bytes that are never used for another one.
pub type CommandId = [u8; 16];

/// A moment in milliseconds since 1970, UTC: what the engine's clock counts in.
pub type Millis = i64;

/// What the writer has decided between two syncs; one frame of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The engine's time, which never runs backwards. All events of the commit bear it.
    pub at: Millis,
    /// What the machine's clock showed.
    pub wall: Millis,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A ticket was opened or moved, or the fate of its messages became known.
    Moved(Moved),
    /// These files hold from now on: workflows, or the directory.
    Files(Vec<File>),
    /// A ticket's key was destroyed: what was personal in it can't be read any more.
    Erased {
        /// Which ticket.
        number: Number,
        /// Who asked for it.
        by: Name,
    },
    /// A ticket was set aside, since the engine can't move it without harm.
    SetAside {
        /// Which ticket.
        number: Number,
        /// What is wrong; `None`: it goes on, as was written before [`Entry::Released`] was there.
        why: Option<String>,
    },
    /// A ticket that was set aside goes on.
    Released {
        /// Which ticket.
        number: Number,
        /// Who let it.
        by: Name,
    },
}

/// A text file that an author wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, as diagnostics and reasons show it.
    pub name: Name,
    /// Its text.
    pub text: String,
}

/// What one command did to one ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The ticket.
    pub number: Number,
    /// Its key's place in the vault.
    pub key: u32,
    /// Where in the journal the ticket's commit before this one is: its history is a chain.
    pub previous: Option<u64>,
    /// How many events it had before.
    pub revision: u64,
    /// Which command it was, if its giver said so, and a hash of what it wished.
    pub command: Option<(CommandId, u64)>,
    /// By which way it came: a timer, a page, a link, a token.
    pub origin: Name,
    /// What happened, without what is personal.
    pub events: Vec<Event>,
    /// What is personal in the events, sealed. Empty: nothing is.
    pub sealed: Vec<u8>,
    /// Messages whose fate is known.
    pub settled: Vec<Settled>,
}

/// The end of a message's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Which message.
    pub notice: NoticeId,
    /// What became of it.
    pub fate: Fate,
    /// After how many tries.
    pub tries: u32,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Its peer took it.
    Delivered,
    /// Its peer refused it for good, or all tries failed.
    Failed,
    /// It was about something that was over before it was sent.
    Withdrawn,
}

/// All that is kept of one ticket beside the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Its number.
    pub number: Number,
    /// Its key's place in the vault.
    pub key: u32,
    /// Where in the journal its latest commit is.
    pub last: u64,
    /// Messages that must still be sent.
    pub unsent: Vec<Unsent>,
    /// Why it is set aside, if it is.
    pub set_aside: Option<String>,
    /// The ticket, without its fields.
    pub ticket: Ticket,
    /// Its fields, sealed. Empty: it has none, or they were not sealed yet.
    pub sealed: Vec<u8>,
    /// A hash of the fields that are sealed there: the same ones need not be sealed again.
    #[serde(skip)]
    pub(crate) sealed_of: Option<[u8; 16]>,
}

/// What is sealed, and of what, is the store's affair.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
            && self.key == other.key
            && self.last == other.last
            && self.unsent == other.unsent
            && self.set_aside == other.set_aside
            && self.ticket == other.ticket
    }
}

impl Record {
    /// Of a ticket that is about to be opened.
    pub(crate) fn new(number: Number, key: u32) -> Self {
        Self {
            number,
            key,
            last: 0,
            unsent: Vec::new(),
            set_aside: None,
            ticket: Ticket::default(),
            sealed: Vec::new(),
            sealed_of: None,
        }
    }

    /// Whether the engine must keep it at hand: it is open, or messages must still be sent.
    pub(crate) fn is_hot(&self) -> bool {
        self.ticket.is_open() || !self.unsent.is_empty()
    }

    /// Applies one event, whole, and keeps the workload in step.
    pub(crate) fn follow(&mut self, event: &Event, at: Millis, workload: &mut Workload) {
        match event.fact {
            Fact::Entered { .. }
            | Fact::Hopped(_)
            | Fact::BranchEnded { .. }
            | Fact::Ended { .. } => {
                // Only who was answerable counts for the workload, not the whole ticket.
                let before = Ticket {
                    positions: self.ticket.positions.clone(),
                    ..Ticket::default()
                };
                evolve(&mut self.ticket, event);
                workload.follow(&before, event, &self.ticket);
            }
            _ => evolve(&mut self.ticket, event),
        }
        let notices = event.fact.notices();
        if notices.is_empty() {
            return;
        }
        let branch = event.fact.branch().cloned().unwrap_or_default();
        let position = self.ticket.positions.get(&branch);
        let epoch = position.map_or(0, |position| position.epoch);
        self.unsent.extend(notices.iter().map(|notice| Unsent {
            notice: notice.clone(),
            branch: branch.clone(),
            epoch,
            at,
        }));
    }

    /// The fate of one of its messages became known.
    pub(crate) fn settle(&mut self, settled: &Settled) {
        self.unsent
            .retain(|unsent| unsent.notice.id != settled.notice);
    }
}

/// A message that must still be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// The message.
    pub notice: Notice,
    /// The branch that it is about.
    pub branch: upline_core::Branch,
    /// The epoch of the branch when it was written: a message to somebody who was asked is over when
    /// somebody else was.
    pub epoch: u32,
    /// When it was written.
    pub at: Millis,
}

/// Why bytes can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are of a form that this program does not know.
    #[error("it is written in form {0}, and this program knows form {FORM}: use a newer program")]
    Form(u8),
    /// They are not what they should be.
    #[error("it can't be decoded: {0}")]
    Bytes(postcard::Error),
    /// There are none.
    #[error("it is empty")]
    Empty,
}

/// Writes a commit or a record.
///
/// # Errors
/// Only if memory runs out.
pub(crate) fn encode<T: Serialize>(value: &T, into: Vec<u8>) -> Result<Vec<u8>, postcard::Error> {
    let mut bytes = into;
    bytes.push(FORM);
    postcard::to_extend(value, bytes)
}

/// Reads a commit or a record.
///
/// # Errors
/// [`Unreadable`].
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    match bytes.split_first() {
        None => Err(Unreadable::Empty),
        Some((&FORM, rest)) => postcard::from_bytes(rest).map_err(Unreadable::Bytes),
        Some((&other, _)) => Err(Unreadable::Form(other)),
    }
}
