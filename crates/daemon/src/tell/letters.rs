//! Letters: what people are told, in their own language and their own time zone.
//!
//! The words of a topic are a template of their own (`assigned.en.txt`): a subject, a brief, and the words.
//! A frame (`letter.en.txt`, `letter.en.html`) puts the facts and the links round them, so that both parts of
//! a mail say the same. Customers have a frame that names nobody inside.

mod clean;
mod facts;
mod people;
mod sample;
mod templates;
#[cfg(test)]
mod tests;
mod times;
mod told;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use minijinja::value::{Serde, Value};
use upline::core::{Directory, Name, Person, Position, Recipient, Ticket, Workflow};
use upline::notify::{Message, SendError};

use super::{Button, Language, Letter, Writer};
use crate::alarms::Alarms;
use people::People;
use templates::Templates;

pub(crate) use clean::{clip as clipped, is_hidden, line as one_line};
use facts::Facts;
pub use facts::Matter;
pub use templates::{FUEL, MAX_PART_BYTES, MAX_TEMPLATE_BYTES, TemplateFault};

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// From how many bytes on a text may be more than a frame has steps for.
const LONG: usize = 8 * 1024;

/// The code of the alarm that a template can't be used.
const ALARM: &str = "templates";

/// Writes letters.
pub struct Letters {
    /// For whoever speaks none of the languages.
    language: Language,
    folder: Option<PathBuf>,
    alarms: Alarms,
    shipped: Templates,
    own: RwLock<Arc<Templates>>,
}

impl std::fmt::Debug for Letters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letters")
            .field("language", &self.language)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Letters {
    /// With the templates of a folder in place of shipped ones. What is wrong with them is an alarm, and
    /// [`Letters::reload`] says it; the shipped ones are used then.
    #[must_use]
    pub fn new(language: Language, folder: Option<PathBuf>, alarms: Alarms) -> Self {
        let letters = Self {
            language,
            folder,
            alarms,
            shipped: Templates::shipped(),
            own: RwLock::new(Arc::new(Templates::shipped())),
        };
        letters.reload();
        letters
    }

    /// Reads the folder of templates again, and tries each on samples. All that is wrong with them.
    pub fn reload(&self) -> Vec<TemplateFault> {
        let Some(folder) = &self.folder else {
            return Vec::new();
        };
        let (own, mut faults) = Templates::of(folder);
        for (topic, language, facts) in sample::all() {
            if let Err(fault) = compose(&own, topic, language, &facts)
                && !faults.contains(&fault)
            {
                faults.push(fault);
            }
        }
        for fault in &faults {
            tracing::error!(code = "template", fault = %fault, "a template can't be used");
        }
        match faults.first() {
            Some(first) => {
                let more = faults.len() - 1;
                let more = if more > 0 {
                    format!(" (and {more} more)")
                } else {
                    String::new()
                };
                self.alarms.raise(ALARM, &format!("{first}{more}"));
            }
            None => self.alarms.clear(ALARM),
        }
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(own);
        faults
    }

    /// The first language of a person that letters are written in, else the one of the settings.
    #[must_use]
    pub fn language_of(&self, person: Option<&Person>) -> Language {
        let tags = person.into_iter().flat_map(|person| &person.languages);
        let mut known = tags.filter_map(|tag| Language::of_tag(tag));
        known.next().unwrap_or(self.language)
    }

    /// The letter for a message. A template of the operator's that fails is an alarm, and the shipped ones
    /// write the letter.
    #[must_use]
    pub fn compose(&self, matter: &Matter<'_>, language: Language, buttons: Vec<Button>) -> Letter {
        let topic = facts::topic(matter);
        let facts = Facts::of(matter, language, &buttons);
        let own = Arc::clone(&self.own.read().unwrap_or_else(PoisonError::into_inner));
        let written = match own.is_own() {
            true => compose(&own, topic, language, &facts).map_err(|fault| {
                self.alarms.raise(ALARM, &fault.to_string());
            }),
            false => Err(()),
        };
        let written = written.or_else(|()| compose(&self.shipped, topic, language, &facts));
        let parts = written.unwrap_or_else(|_| Parts::bare(&facts));
        Letter {
            language,
            subject: parts.subject,
            text: parts.text,
            html: parts.html,
            brief: parts.brief,
            buttons,
        }
    }
}

impl Writer for Letters {
    fn language(&self, message: &Message) -> Language {
        match message.to {
            Recipient::Person(_) => self.language_of(message.person.as_ref()),
            Recipient::Contact(_) => self.language,
        }
    }

    fn write(&self, message: &Message, buttons: Vec<Button>) -> Result<Letter, SendError> {
        let language = self.language(message);
        // The engine sets such a ticket aside, and says so; its messages wait for the operator too.
        let gone = || SendError::Temporary {
            reason: "the workflow of the ticket is not known".to_owned(),
            after: None,
        };
        let matter = Matter::of(message).ok_or_else(gone)?;
        Ok(self.compose(&matter, language, buttons))
    }
}

/// Whom a rule of a position's ladder means at that time, where it can mean one person only.
pub(crate) fn only_one(
    ticket: &Ticket,
    workflow: &Workflow,
    directory: &Directory,
    rule: &str,
    (position, at): (&Position, Timestamp),
) -> Option<Name> {
    let people = People {
        ticket,
        workflow,
        directory,
        language: Language::default(),
    };
    people.of_rule(rule, position, at)
}

/// The letter with which settings are tried.
pub(crate) fn trial(language: Language, person: &Person) -> Letter {
    let name = clean::line(&person.name);
    let (subject, text) = match language {
        Language::En => (
            "A test of Upline's mail",
            format!(
                "Hello {name},\n\nthis is a test: mail of Upline reaches you. You need not do anything.\n"
            ),
        ),
        Language::Zh => (
            "Upline 邮件测试",
            format!("{name}，您好：\n\n这是一封测试邮件：Upline 的邮件可以送达。您无需处理。\n"),
        ),
    };
    Letter {
        language,
        subject: subject.to_owned(),
        brief: subject.to_owned(),
        text,
        html: None,
        buttons: Vec::new(),
    }
}

/// The templates that are shipped: their names, and what is in them.
#[must_use]
pub fn shipped_templates() -> &'static [(&'static str, &'static str)] {
    &templates::SHIPPED
}

/// The parts of a letter.
struct Parts {
    subject: String,
    brief: String,
    text: String,
    html: Option<String>,
}

impl Parts {
    /// What there is to say when no template can: nothing of a message may be lost.
    fn bare(facts: &Facts) -> Self {
        let subject = clean::clip(&facts.heading, MAX_SUBJECT);
        Self {
            brief: subject.clone(),
            text: format!("{subject}\n"),
            html: None,
            subject,
        }
    }
}

/// Writes the words, and puts the frame round them.
fn compose(
    templates: &Templates,
    topic: &str,
    language: Language,
    facts: &Facts,
) -> Result<Parts, TemplateFault> {
    let value = Value::from(Serde(facts));
    let words = templates.write(&format!("{topic}.{language}.txt"), &value)?;
    let words = Words::read(&words);
    let frame = match topic {
        "customer" | "answered" => "customer-letter",
        _ => "letter",
    };
    let (text, paragraphs) = (words.text.clone(), words.paragraphs());
    let value = minijinja::context! { words => text, paragraphs => paragraphs, ..value };
    let text = templates.write(&format!("{frame}.{language}.txt"), &value)?;
    let html = templates.write(&format!("{frame}.{language}.html"), &value);
    let html = match html {
        Ok(html) => Some(html),
        // Escaped, a text is up to six times as long, and a long one has many lines. The text alone says all.
        Err(fault) if fault.is_too_long() || (fault.is_fuel() && text.len() > LONG) => None,
        Err(fault) => return Err(fault),
    };
    let subject = if words.subject.is_empty() {
        &facts.heading
    } else {
        &words.subject
    };
    let brief = if words.brief.is_empty() {
        subject
    } else {
        &words.brief
    };
    Ok(Parts {
        brief: clean::line(brief),
        subject: clean::clip(&clean::line(subject), MAX_SUBJECT),
        text: clean::text(&text),
        html: html.map(|html| clean::text(&html)),
    })
}

/// What the template of a topic writes: a line `Subject: …`, a line `Brief: …`, and the words.
#[derive(Debug, Default)]
struct Words {
    subject: String,
    brief: String,
    text: String,
}

impl Words {
    fn read(written: &str) -> Self {
        let mut words = Self::default();
        let mut rest = written.trim_start();
        loop {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if let Some(subject) = line.strip_prefix("Subject:") {
                words.subject = clean::line(subject);
            } else if let Some(brief) = line.strip_prefix("Brief:") {
                words.brief = clean::line(brief);
            } else if !line.trim().is_empty() {
                break;
            }
            if after.is_empty() {
                rest = "";
                break;
            }
            rest = after;
        }
        words.text = clean::text(rest).trim_end().to_owned();
        words
    }

    /// The words as paragraphs of lines, for HTML.
    fn paragraphs(&self) -> Vec<Vec<String>> {
        let paragraphs = self.text.split("\n\n");
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let paragraphs = paragraphs.map(lines);
        paragraphs.filter(|lines| !lines.is_empty()).collect()
    }
}
