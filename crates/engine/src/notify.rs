//! Telling people: what a message is, and who sends it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use upline_core::{Actor, Branch, Directory, Name, Person, Recipient, Ticket, Topic, Workflow};

/// A message that is to be sent now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Message {
    /// The same for every try, and for no other message of this data folder: peers recognise a second copy by
    /// it. It is the ticket's number and the message's in the ticket.
    pub key: String,
    /// The ticket as it is now.
    pub ticket: Ticket,
    /// The version of the workflow that it keeps, for what its states and actions are called.
    pub workflow: Option<Arc<Workflow>>,
    /// The people as they are now.
    pub directory: Option<Arc<Directory>>,
    /// The branch that it is about.
    pub branch: Branch,
    /// To whom.
    pub to: Recipient,
    /// The person, if it goes to one and he is still in the directory.
    pub person: Option<Person>,
    /// The channel.
    pub via: Name,
    /// What about.
    pub topic: Topic,
    /// What was said, if it is about that ([`Topic::Commented`]); `None` too if it was erased, if it went
    /// with old history, or if more than [`MAX_LOOKED_BACK`] commits of the ticket came after it.
    pub comment: Option<Comment>,
    /// When it was written.
    pub written: Timestamp,
    /// The engine's time now.
    pub now: Timestamp,
    /// The number of this try, from 1.
    pub attempt: u32,
}

/// Most commits of a ticket that are read to find the comment that a message is about.
pub const MAX_LOOKED_BACK: usize = 1000;

/// What somebody has said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comment {
    /// Who.
    pub by: Actor,
    /// What, at most [`MAX_TEXT_BYTES`](upline_core::value::MAX_TEXT_BYTES).
    pub text: String,
    /// Whether it was said to the caller.
    pub to_caller: bool,
}

impl Comment {
    /// As it was said.
    pub fn new(by: Actor, text: impl Into<String>, to_caller: bool) -> Self {
        Self {
            by,
            text: text.into(),
            to_caller,
        }
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may go another time: no connection, a busy peer.
    #[error("{reason}")]
    Temporary {
        /// What the peer said.
        reason: String,
        /// When to try again, if the peer said so.
        after: Option<Duration>,
    },
    /// It will never go: the address does not exist, the peer refuses.
    #[error("{reason}")]
    Permanent {
        /// What the peer said.
        reason: String,
    },
}

/// The answer of a notifier.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Sends messages. One that hangs is given up after its lease, one that panics has failed for the moment;
/// neither holds up a clock.
pub trait Notifier: Send + Sync {
    /// Sends one message. The same may come again, with the same key, if the answer was lost.
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;
}

/// Tells nobody: every message counts as delivered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Notifier for Silent {
    fn send<'a>(&'a self, _message: &'a Message) -> Sending<'a> {
        Box::pin(async { Ok(()) })
    }
}
