//! Walks over a phrase, word by word. A word ends at white space, a comma or a bracket.

use std::ops::Range;

use upline_core::Name;

use super::PhraseError;
use crate::Code;
use crate::found::printable;
use crate::names::{is_name_char, normal};

/// Where a parser is in a phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// At this byte, which must begin a character.
    pub(super) fn at_byte(text: &'a str, at: usize) -> Self {
        Self {
            text,
            at: text.floor_char_boundary(at),
        }
    }

    /// What is left, after white space.
    pub(super) fn rest(&self) -> &'a str {
        self.text[self.at..].trim_start()
    }

    /// Where [`Cursor::rest`] begins.
    pub(super) fn at(&self) -> usize {
        self.text.len() - self.rest().len()
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Goes on by so many bytes of [`Cursor::rest`], which must be whole characters.
    pub(super) fn advance(&mut self, bytes: usize) -> Range<usize> {
        let start = self.at();
        self.at = self.text.floor_char_boundary(start + bytes);
        start..self.at
    }

    /// The next word, which may be empty: at the end or before a comma or bracket.
    pub(super) fn peek(&self) -> &'a str {
        let rest = self.rest();
        &rest[..word_length(rest)]
    }

    /// The word after the next.
    pub(super) fn peek_second(&self) -> &'a str {
        let mut ahead = *self;
        ahead.word();
        ahead.peek()
    }

    /// Takes the next word.
    pub(super) fn word(&mut self) -> (&'a str, Range<usize>) {
        let word = self.peek();
        (word, self.advance(word.len()))
    }

    /// Takes the next word if it is this one.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.peek() == word;
        if found {
            self.advance(word.len());
        }
        found
    }

    /// Takes all these words, or none.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = *self;
        let found = words.iter().all(|word| ahead.eat(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes the character if it is next.
    pub(super) fn eat_char(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.advance(c.len_utf8());
        }
        found
    }

    /// The bytes of the next word, or of the next character where no word is, or the end.
    pub(super) fn here(&self) -> Range<usize> {
        let rest = self.rest();
        let length = match word_length(rest) {
            0 => rest.chars().next().map_or(0, char::len_utf8),
            length => length,
        };
        self.at()..self.at() + length
    }

    /// Takes a name. `what` says whose, for the message: `the name of a group`.
    pub(super) fn name(
        &mut self,
        code: Code,
        what: &str,
    ) -> Result<(Name, Range<usize>), PhraseError> {
        let word = self.peek();
        if word.is_empty() || !word.chars().all(is_name_char) {
            let label = "letters, digits, `-` and `_`";
            let message = match word {
                "" => format!("{what} is missing"),
                _ => format!("`{}` is not a name", printable(word)),
            };
            return Err(PhraseError::new(code, self.here(), message, label));
        }
        let (word, range) = self.word();
        Ok((normal(word), range))
    }
}

/// Bytes of the word that `rest` begins with.
pub(super) fn word_length(rest: &str) -> usize {
    rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '[' | ']'))
        .unwrap_or(rest.len())
}
