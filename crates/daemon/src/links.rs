//! Links by which a person acts from a message, without being signed in.
//!
//! A link is good for one person, one ticket, one action, and only as long as the ticket has not moved on
//! since the message was written. Opening it changes nothing: programs that look at mail open every link.
//! Pressing its button needs the two digits that stand beside the link, which such a program does not know to
//! type. What it does is what the core lets this person do, and no more than the setting allows.

mod choose;
mod guard;
mod page;
mod settings;
mod token;
mod words;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use upline::clock::Clock;
use upline::core::{Name, Recipient, Topic};
use upline::notify::Message;
use upline::record::CommandId;

use crate::keyfile::{KeyFileError, secret};
use crate::settings::PublicUrl;
use crate::tell::{Button, Language, Linker};

pub(crate) use choose::{Choice, Ground, choices};
pub use guard::{BURNED_FILE, MAX_WRONG};
pub(crate) use page::{Said, Showing};
pub use settings::LinksSettings;
pub(crate) use token::{Aim, Deed, Link};
pub(crate) use words::rendered;

use guard::{Guard, Press};
use token::Keys;

/// The file in the data folder with the secret from which the tokens' keys are made.
pub const SECRET_FILE: &str = "links.key";

/// For how long a link is good at most, in seconds: three days.
pub const GOOD_FOR_SECONDS: i64 = 72 * 3600;

/// For how long what a link has claimed can be given back from its page, in seconds.
pub const UNDO_SECONDS: i64 = 5 * 60;

/// Makes links, and knows them again.
pub(crate) struct Links {
    settings: LinksSettings,
    public: PublicUrl,
    language: Language,
    keys: Keys,
    guard: Guard,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Links {
    /// The links of this data folder, whose secret is made if there is none.
    pub(crate) fn open(
        data: &Path,
        settings: LinksSettings,
        public: PublicUrl,
        language: Language,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyFileError> {
        let secret = secret(data, SECRET_FILE)?;
        let now = clock.read().wall;
        let now = Timestamp::from_millisecond(now).unwrap_or_default();
        let guard = Guard::open(data, now);
        let guard = guard.map_err(|error| KeyFileError::new(data.join(BURNED_FILE), &error))?;
        Ok(Self {
            settings,
            public,
            language,
            keys: Keys::new(&secret),
            guard,
            clock,
        })
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.read().wall).unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> &LinksSettings {
        &self.settings
    }

    /// Of people who speak none that the pages are written in.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    pub(crate) fn public(&self) -> &PublicUrl {
        &self.public
    }

    /// The link of this token, if it is one of ours.
    pub(crate) fn read(&self, token: &str) -> Option<Link> {
        self.keys.open(token)
    }

    /// Its page is being shown.
    pub(crate) fn opened(&self, link: &Link) {
        self.guard.opened(link, self.clock.read().steady);
    }

    /// Its button was pressed with this number: `None`, if that may be a person.
    pub(crate) fn objection(&self, link: &Link, number: &str) -> Option<Said> {
        let now = self.clock.read().steady;
        if self.is_burned(link) {
            return Some(Said::Burned);
        }
        match self.guard.pressed(link, now) {
            Press::TooSoon => return Some(Said::TooSoon),
            Press::Several => return Some(Said::Several),
            Press::Fine => (),
        }
        let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        match number == link.number {
            true => None,
            // Nothing was guessed.
            false if !is_number => Some(Said::NoNumber),
            false => match self.guard.wrong(link, now) {
                0 => Some(Said::Burned),
                left => Some(Said::Wrong { left }),
            },
        }
    }

    pub(crate) fn is_burned(&self, link: &Link) -> bool {
        self.guard.is_burned(link)
    }

    /// The id of a command that a link gives: the same however often it is pressed.
    pub(crate) fn command(&self, link: &Link, what: &str) -> CommandId {
        self.keys.command(link, what)
    }

    fn button(&self, message: &Message, person: &Name, choice: Choice) -> Option<Button> {
        let position = message.ticket.positions.get(&message.branch)?;
        let aim = Aim {
            ticket: message.ticket.id.clone(),
            branch: message.branch.clone(),
            person: person.clone(),
            deed: choice.deed,
            visit: position.visit,
            epoch: position.epoch,
            // From when it was written, so that a second copy of the message has the same link.
            until: message.written.as_second().saturating_add(GOOD_FOR_SECONDS),
            message: of(&message.key),
        };
        let (token, number) = self.keys.make(&aim)?;
        Some(Button {
            label: choice.label,
            href: self.public.join(&format!("a/{token}"))?,
            number: Some(number),
            is_main: choice.is_main,
        })
    }
}

impl Linker for Links {
    fn buttons(&self, message: &Message, language: Language) -> Vec<Button> {
        // What somebody else has done already leaves nothing to do.
        let Recipient::Person(person) = &message.to else {
            return Vec::new();
        };
        let (Some(workflow), Some(directory)) = (&message.workflow, &message.directory) else {
            return Vec::new();
        };
        if message.topic == Topic::Outcome {
            return Vec::new();
        }
        let ground = Ground {
            workflow,
            directory,
            now: self.now(),
        };
        let branch = &message.branch;
        let found = choices(
            &self.settings,
            &ground,
            &message.ticket,
            branch,
            person,
            language,
        );
        let buttons = found.into_iter();
        let buttons = buttons.filter_map(|choice| self.button(message, person, choice));
        buttons.collect()
    }
}

/// A number for a message's key.
fn of(key: &str) -> u64 {
    let hash = blake3::hash(key.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}
