//! One rendering of events as lines of text, for transcripts, simulations, the demo, pages and the CLI.
//!
//! [`say`] turns events into [`Say`] values, which have no language; [`Say::text`] words them. What a line
//! says comes from the event alone; the workflow adds the author's phrase for what comes next.

mod chinese;
mod english;
mod next;
mod reasons;
mod refused;
mod say;
mod tell;
mod times;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use upline_core::{Branch, Directory, Event, Name, Operation, Reason, Ticket, Workflow};

pub use next::Next;
pub(crate) use refused::{InVain, in_vain};
pub use refused::{calendar_words, refusal_words, rejection_words};
pub use say::Say;
pub use times::{Times, clock_time, duration};

/// The language of a rendering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The tag of the language: `en`, `zh`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];
}

/// A tag of a language that is not spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = Language::ALL.map(Language::tag);
        write!(f, "the languages are: {}", tags.join(", "))
    }
}

impl std::error::Error for UnknownLanguage {}

/// The language of a tag, whatever country stands behind it.
///
/// ```
/// use upline_lab::render::Language;
/// assert_eq!("zh-CN".parse(), Ok(Language::Chinese));
/// assert!("fr".parse::<Language>().is_err());
/// ```
impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        let found = all.find(|language| first.eq_ignore_ascii_case(language.tag()));
        found.ok_or(UnknownLanguage)
    }
}

/// One thing to say, and when and where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// In which branch; empty for the ticket itself.
    pub branch: Branch,
    /// What.
    pub say: Say,
}

impl Said {
    /// The line without its time: `parts: to bob (another in service-desk)`.
    pub fn text(&self, language: Language, times: &Times) -> String {
        let text = self.say.text(language, times, self.at);
        match self.branch.is_empty() {
            true => text,
            false => format!("{}: {text}", self.branch),
        }
    }
}

impl Say {
    /// The line in a language. Other times in it are written so that they can't be mistaken by a reader
    /// who knows that it happened at `at`.
    pub fn text(&self, language: Language, times: &Times, at: Timestamp) -> String {
        match language {
            Language::English => english::text(self, times, at),
            Language::Chinese => chinese::text(self, times, at),
        }
    }
}

/// What the events of one command say, in order. `ticket` is the ticket before them, and afterwards with
/// them; `workflow` is the ticket's, for the author's phrases.
///
/// ```
/// use upline_core::Ticket;
/// let mut ticket = Ticket::default();
/// assert_eq!(upline_lab::render::say(&[], &mut ticket, None), []);
/// ```
pub fn say(events: &[Event], ticket: &mut Ticket, workflow: Option<&Workflow>) -> Vec<Said> {
    let events = events.iter().map(|event| (event, true));
    say_some(events, ticket, workflow, None)
}

/// The same, where only some events are to be said. `directory` is the one that holds at them.
pub(crate) fn say_some<'a>(
    events: impl IntoIterator<Item = (&'a Event, bool)>,
    ticket: &mut Ticket,
    workflow: Option<&Workflow>,
    directory: Option<&Directory>,
) -> Vec<Said> {
    tell::all(events, ticket, workflow, directory)
}

/// What a rejection says after its time, if `text` says why: `rejected: lea has it now`.
pub fn rejected(text: &str, language: Language) -> String {
    match language {
        Language::English => format!("rejected: {text}"),
        Language::Chinese => format!("被拒绝：{text}"),
    }
}

/// What comes next, in words: `another in service-desk`, `state dispatched`.
pub fn next_words(next: &Next, language: Language) -> String {
    match language {
        Language::English => english::what_next(next),
        Language::Chinese => chinese::what_next(next),
    }
}

/// What an operation is called: `claim`, `认领`.
pub fn operation_words(operation: Operation, language: Language) -> &'static str {
    match language {
        Language::English => operation.word(),
        Language::Chinese => chinese::operation(operation),
    }
}

/// That a person is told by a further channel: `notify max by webhook duty-phone unless acted`.
pub(crate) fn reach_words(
    person: &Name,
    by: &Name,
    unless_acted: bool,
    language: Language,
) -> String {
    match (language, unless_acted) {
        (Language::English, acted) => {
            let unless = if acted { " unless acted" } else { "" };
            format!("notify {person} by {}{unless}", english::channel(by))
        }
        (Language::Chinese, true) => {
            format!("若未处理则以 {} 通知 {person}", chinese::channel(by))
        }
        (Language::Chinese, false) => format!("以 {} 通知 {person}", chinese::channel(by)),
    }
}

/// Why somebody was not asked, with times written by `time`: `away until Mon 09:00`.
pub fn reason_words(
    reason: &Reason,
    language: Language,
    time: &impl Fn(Timestamp) -> String,
) -> String {
    match language {
        Language::English => english::reason(reason, time),
        Language::Chinese => chinese::reason(reason, time),
    }
}

/// That the last resort was reminded more often than is told line by line.
pub(crate) fn more_reminders(count: usize, language: Language) -> String {
    match (language, count) {
        (Language::English, 1) => "reminded once more".to_owned(),
        (Language::English, count) => format!("reminded {count} times more"),
        (Language::Chinese, count) => format!("又提醒 {count} 次"),
    }
}
