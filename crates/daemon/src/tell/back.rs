//! What was said to a caller and can't reach him is said in the ticket, so that whoever has it learns it and
//! takes another way.

use std::sync::OnceLock;

use upline::core::{Actor, Command, Name, Recipient, Topic, Wish};
use upline::notify::{Message, SendError};
use upline::record::CommandId;
use upline::{Error, Handle, Submission};

use super::Language;

/// Who says so, and by which way it comes.
const WHO: &str = "upline";

/// Says it.
#[derive(Debug, Default)]
pub(crate) struct Back {
    /// There only once the engine has started, which sends messages as soon as it does.
    handle: OnceLock<Handle>,
    language: Language,
}

impl Back {
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            ..Self::default()
        }
    }

    /// The engine whose messages these are.
    pub(crate) fn set(&self, handle: Handle) {
        // Set once, by whoever starts the engine.
        let _ = self.handle.set(handle);
    }

    /// Before the message has failed for good: a crash in between lets it be tried, and said, again, under
    /// the same id.
    ///
    /// # Errors
    /// It could not be said now, so the message has not failed yet.
    pub(crate) async fn tell(&self, message: &Message, reason: &str) -> Result<(), SendError> {
        let is_answer = message.topic == Topic::Commented;
        let to_caller = matches!(message.to, Recipient::Contact(_));
        if !is_answer || !to_caller || !message.ticket.is_open() {
            return Ok(());
        }
        let later = |reason: String| SendError::Temporary {
            reason,
            after: None,
        };
        let Some(handle) = self.handle.get() else {
            return Err(later("the engine is starting".to_owned()));
        };
        let text = match self.language {
            Language::En => format!("What was said to the caller has not reached him: {reason}"),
            Language::Zh => format!("对来电人说的话未能送达：{reason}"),
        };
        let command = Command {
            by: Actor::System(Name::new_static(WHO)),
            branch: Some(message.branch.clone()),
            wish: Wish::Comment {
                text,
                to_caller: false,
            },
        };
        let submission = Submission::of(command)
            .id(id(message))
            .origin(Name::new_static(WHO));
        match handle.submit(&message.ticket.id, submission).await {
            // It has ended meanwhile, or moved on from that branch.
            Ok(_) | Err(Error::Rejected(_)) => Ok(()),
            Err(error) => Err(later(error.to_string())),
        }
    }
}

fn id(message: &Message) -> CommandId {
    let hash = blake3::derive_key(
        "upline: an answer that has not arrived",
        message.key.as_bytes(),
    );
    std::array::from_fn(|at| hash[at])
}
