//! What people are told, before a channel gives it its form.

use std::fmt;

use serde::Deserialize;

/// A language in which people are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Chinese, in simplified characters.
    #[serde(rename = "zh")]
    Zh,
}

impl Language {
    /// Its tag: `en`, `zh`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a tag, whatever country stands behind it; `None`: letters are not written in it.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        let mut all = [Self::En, Self::Zh].into_iter();
        all.find(|language| first.eq_ignore_ascii_case(language.tag()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// What a person is told, in his language, before a channel gives it its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its language.
    pub language: Language,
    /// One line without control characters.
    pub subject: String,
    /// Plain text with the links; lines end in `\n`.
    pub text: String,
    /// The same for programs that show HTML.
    pub html: Option<String>,
    /// One or two lines for chats and phones, without links.
    pub brief: String,
    /// The links by which the person acts; they are in the text already.
    pub buttons: Vec<Button>,
}

/// A link with which the person acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What it does, in the person's language.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Two digits to type on the page, which whoever only opens links does not know.
    pub number: Option<String>,
    /// Whether it is the one that most people will want.
    pub is_main: bool,
}
