//! The three small grammars of the leaves: *who*, *when*, *how long*.
//!
//! Each is a closed set of phrases, read by a parser that answers for every text: with a value, or with a
//! [`PhraseError`] that points into the phrase. What a phrase reads as prints as the same phrase again.

use std::ops::Range;

use upline_core::Name;

use crate::Code;

mod cursor;
mod how_long;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod when;
mod who;

pub use how_long::how_long;
pub use when::when;
pub use who::{WHO_WORDS, who};

/// Longest phrase, in bytes.
pub const MAX_PHRASE_BYTES: usize = 1024;

/// Deepest nesting of brackets and `not`, and longest chain of `else`.
pub const MAX_PHRASE_DEPTH: usize = 32;

/// What a phrase means, and the names in it that only the workflow and the directory can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase<T> {
    /// What it means.
    pub value: T,
    /// Where in the phrase (in bytes) which names stand, in the order of the text.
    pub names: Vec<(Range<usize>, Reference)>,
}

/// A name in a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A contact field in a *who* phrase: a bare word that is no phrase.
    Field(Name),
    /// `user U`, or a value of a field that holds a person.
    Person(Name),
    /// `anyone in G`, `lead of G` and the like.
    Group(Name),
    /// `on call for S`.
    Schedule(Name),
    /// `who did ACTION`.
    Action(Name),
    /// `with skill K`.
    Skill(Name),
    /// `during CALENDAR`, `outside CALENDAR`.
    Calendar(Name),
}

/// Why a text is no phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhraseError {
    /// What is wrong: `bad-phrase`, `bad-condition`, `bad-span`, `unknown-field` or `bad-value`.
    pub code: Code,
    /// The bytes of the phrase that are wrong.
    pub range: Range<usize>,
    /// What is wrong here.
    pub message: String,
    /// The short way out, shown under the place; may be empty.
    pub label: String,
    /// A longer way out.
    pub help: Option<String>,
}

impl PhraseError {
    pub(crate) fn new(
        code: Code,
        range: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            range,
            message: message.into(),
            label: label.into(),
            help: None,
        }
    }
}

/// Refuses a phrase longer than [`MAX_PHRASE_BYTES`].
fn too_long(text: &str, code: Code) -> Result<(), PhraseError> {
    if text.len() <= MAX_PHRASE_BYTES {
        return Ok(());
    }
    let label = format!("at most {MAX_PHRASE_BYTES} bytes");
    Err(PhraseError::new(
        code,
        0..text.len(),
        "the phrase is too long",
        label,
    ))
}
