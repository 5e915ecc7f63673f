//! Telling people: from a message of the engine to a letter, and from a letter to a channel.
//!
//! Who is told what, when, and by which channel, is decided in the core; that a message goes out once it was
//! committed, and again when it failed, is the engine's outbox. Here a message gets its form: the
//! [`Linker`] makes the links by which a person acts, the [`Writer`] the words in his language, and the
//! [`Channel`] that the message names sends them.

mod back;
pub mod hook;
mod letter;
mod letters;
mod mail;
mod means;
mod preview;
mod trial;
mod tries;

use std::collections::BTreeMap;
use std::sync::Arc;

use upline::core::Name;
use upline::notify::{Message, Notifier, SendError, Sending};

pub(crate) use back::Back;
pub use hook::{Hooks, WebhookSettings, try_webhook};
pub use letter::{Button, Language, Letter};
pub(crate) use letters::only_one;
pub use letters::{
    FUEL, Letters, MAX_PART_BYTES, MAX_TEMPLATE_BYTES, Matter, TemplateFault, shipped_templates,
};
pub use mail::{
    DEFAULT_DIGEST_OVER, DEFAULT_TIMEOUT, MAX_CONNECTIONS, MAX_DIGEST_WAIT, MAX_IN_DIGEST,
    MAX_OPERATOR_MAILS, MAX_OPERATORS, MAX_TIMEOUT, Mail, MailSecurity, MailSettings, Operators,
    try_mail,
};
pub(crate) use mail::{Replier, Reply, is_digest, tell_operator};
pub(crate) use means::{means, threads};
pub use preview::{About, NoRecipient, Preview};
pub(crate) use trial::Trials;
pub use tries::{MAX_REMEMBERED, Tries, Try};

/// One way to reach people.
pub trait Channel: Send + Sync {
    /// Sends one letter. The same may come again, with the message's key, if the answer was lost.
    fn send<'a>(&'a self, message: &'a Message, letter: &'a Letter) -> Sending<'a>;
}

/// Writes letters.
pub trait Writer: Send + Sync {
    /// The language of whoever is to read it.
    fn language(&self, message: &Message) -> Language;

    /// The words for a message.
    ///
    /// # Errors
    /// [`SendError`]; a template that can't be used is no reason, there is always the shipped one.
    fn write(&self, message: &Message, buttons: Vec<Button>) -> Result<Letter, SendError>;
}

/// Makes the links by which people act.
pub trait Linker: Send + Sync {
    /// What the recipient may do with one press; none for customers.
    fn buttons(&self, message: &Message, language: Language) -> Vec<Button>;
}

/// The engine's notifier.
pub struct Teller {
    writer: Arc<dyn Writer>,
    linker: Option<Arc<dyn Linker>>,
    tries: Tries,
    channels: BTreeMap<Name, Arc<dyn Channel>>,
}

impl Teller {
    /// Without a channel: every message fails, and says that its channel is not set up.
    pub fn new(writer: Arc<dyn Writer>) -> Self {
        Self {
            writer,
            linker: None,
            tries: Tries::default(),
            channels: BTreeMap::new(),
        }
    }

    /// Letters have links.
    #[must_use]
    pub fn linker(mut self, linker: Arc<dyn Linker>) -> Self {
        self.linker = Some(linker);
        self
    }

    /// Where it notes why a message has not gone.
    #[must_use]
    pub fn tries(mut self, tries: Tries) -> Self {
        self.tries = tries;
        self
    }

    async fn tell(&self, message: &Message) -> Result<(), SendError> {
        let Some(channel) = self.channels.get(&message.via) else {
            // For good, so that the person's next channel is tried at once.
            let reason = format!("the channel `{}` is not set up here", message.via);
            return Err(SendError::Permanent { reason });
        };
        let language = self.writer.language(message);
        let linker = self.linker.as_ref();
        let buttons = linker.map(|linker| linker.buttons(message, language));
        let letter = self.writer.write(message, buttons.unwrap_or_default())?;
        channel.send(message, &letter).await
    }

    /// Messages for this channel, `mail` or `webhook:NAME`, are sent by it.
    #[must_use]
    pub fn channel(mut self, via: Name, channel: Arc<dyn Channel>) -> Self {
        self.channels.insert(via, channel);
        self
    }
}

impl Notifier for Teller {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move {
            let told = self.tell(message).await;
            self.tries.note(message, &told);
            told
        })
    }
}
