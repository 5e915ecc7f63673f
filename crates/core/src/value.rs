//! Fields of a ticket: their types and the values they hold.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Name;

/// Longest text that a field or a comment may hold, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A text in the languages that its author gave: `Open the ticket`, or `{ en: Open, zh: 打开 }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Label {
    texts: BTreeMap<Name, String>,
}

impl Label {
    /// A text in one language only; it is shown to everybody.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            texts: BTreeMap::from([(Name::default(), text.into())]),
        }
    }

    /// A text in several languages, by language tag (`en`, `zh`).
    pub fn translated(texts: impl IntoIterator<Item = (Name, String)>) -> Self {
        Self {
            texts: texts.into_iter().collect(),
        }
    }

    /// The same text with one for whoever reads none of its languages; a text in one language stays.
    #[must_use]
    pub fn or_plain(mut self, text: impl Into<String>) -> Self {
        self.texts
            .entry(Name::default())
            .or_insert_with(|| text.into());
        self
    }

    /// The text in `language`, else the plain one, else English, else the first there is.
    pub fn text(&self, language: &str) -> &str {
        self.texts
            .get(language)
            .or_else(|| self.texts.get(""))
            .or_else(|| self.texts.get("en"))
            .or_else(|| self.texts.values().next())
            .map_or("", String::as_str)
    }

    /// Whether no text was given at all.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The languages given; the empty name stands for a plain text.
    pub fn languages(&self) -> impl Iterator<Item = &Name> {
        self.texts.keys()
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// One line of text.
    Text,
    /// Text of any number of lines.
    Paragraph,
    /// One of the options, in the author's order.
    Choice(Vec<Name>),
    /// Any of the options.
    Choices(Vec<Name>),
    /// A decimal number; `is over` and `is under` compare it exactly.
    Number,
    /// True or false; written `true` and `false`.
    Flag,
    /// A calendar day.
    Date,
    /// Somebody outside the directory, such as a caller: a name, an address, or both
    /// (`Mr Low <low@example.com>`).
    Contact,
    /// Somebody of the directory.
    Person,
    /// The reference of an article of the knowledge base.
    Article,
}

/// A field of the workflow's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in conditions, forms and calls.
    pub name: Name,
    /// What it holds.
    pub kind: FieldType,
    /// What people see.
    pub label: Label,
    /// What people see of an option. An option that is not in it is its own text.
    pub option_labels: BTreeMap<Name, Label>,
    /// Whether a form that has it can't be sent without it.
    pub required: bool,
}

impl Field {
    /// What people see of an option in `language`. Conditions, forms and the journal name the option itself.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use upline_core::{Field, FieldType, Label, Name};
    ///
    /// let chinese = [(Name::from("zh"), "大家".to_owned())];
    /// let label = Label::translated(chinese).or_plain("Everyone");
    /// let field = Field {
    ///     name: Name::from("impact"),
    ///     kind: FieldType::Choice(vec![Name::from("Everyone"), Name::from("VIP")]),
    ///     label: Label::plain("Who is affected?"),
    ///     option_labels: BTreeMap::from([(Name::from("Everyone"), label)]),
    ///     required: false,
    /// };
    /// assert_eq!(field.option_text("Everyone", "zh"), "大家");
    /// assert_eq!(field.option_text("Everyone", "de"), "Everyone");
    /// assert_eq!(field.option_text("VIP", "zh"), "VIP");
    /// ```
    #[must_use]
    pub fn option_text<'f>(&'f self, option: &'f str, language: &str) -> &'f str {
        let label = self.option_labels.get(option);
        label.map_or(option, |label| label.text(language))
    }
}

/// What a field holds now. Empty fields are not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// `Text`, `Paragraph`, `Choice`, `Contact`, `Person`, `Article`.
    Text(String),
    /// `Choices`, in the order of the options.
    List(Vec<Name>),
    /// `Number`.
    // As text in every format: a binary one can't be asked what comes next.
    Number(#[serde(with = "rust_decimal::serde::str")] Decimal),
    /// `Flag`.
    Flag(bool),
    /// `Date`.
    Date(Date),
}

impl Value {
    /// Reads what a person typed for a field of this type; an empty text clears the field (`None`).
    ///
    /// # Errors
    /// [`ValueError`] says what the type expects.
    pub fn read(kind: &FieldType, text: &str) -> Result<Option<Self>, ValueError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ValueError::TooLong);
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(None);
        }
        let one_line = || match trimmed.chars().any(char::is_control) {
            true => Err(ValueError::NotOneLine),
            false => Ok(Self::Text(trimmed.to_owned())),
        };
        let option = |options: &[Name], text: &str| {
            let found = options.iter().find(|option| option.as_str() == text);
            found.cloned().ok_or_else(|| ValueError::NotAnOption {
                options: options.to_vec(),
            })
        };
        Ok(Some(match kind {
            FieldType::Text | FieldType::Contact | FieldType::Person | FieldType::Article => {
                one_line()?
            }
            FieldType::Paragraph => Self::Text(trimmed.to_owned()),
            FieldType::Choice(options) => Self::Text(option(options, trimmed)?.to_string()),
            FieldType::Choices(options) => {
                let chosen = trimmed.split(',').map(|part| option(options, part.trim()));
                let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
                Self::List(
                    options
                        .iter()
                        .filter(|option| chosen.contains(option))
                        .cloned()
                        .collect(),
                )
            }
            FieldType::Number => Self::Number(number(trimmed)?),
            FieldType::Flag => Self::Flag(trimmed.parse().map_err(|_| ValueError::NotAFlag)?),
            FieldType::Date => Self::Date(trimmed.parse().map_err(|_| ValueError::NotADate)?),
        }))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}

/// Why a text is not a value of a field's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error("is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
    /// A line break or another control character where one line is meant.
    #[error("must be one line without control characters")]
    NotOneLine,
    /// Not among the options.
    #[error("must be one of the options: {}", listed(options))]
    NotAnOption {
        /// What could be chosen.
        options: Vec<Name>,
    },
    /// Not a decimal number.
    #[error("must be a number such as 12 or 12.50")]
    NotANumber,
    /// More digits than are kept: a number is never rounded.
    #[error("has too many digits: {DIGITS} are kept exactly")]
    TooManyDigits,
    /// Not `true` or `false`.
    #[error("must be `true` or `false`")]
    NotAFlag,
    /// Not a date.
    #[error("must be a date such as 2026-03-06")]
    NotADate,
}

/// Digits that every number may have, before and behind its point together.
const DIGITS: u32 = Decimal::MAX_SCALE;

/// A number as people write it: digits and a point, not `1_000` or `1e9`, which could be a slip.
fn number(text: &str) -> Result<Decimal, ValueError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut digits = whole.bytes().chain(part.bytes()).peekable();
    if digits.peek().is_none() || !digits.all(|digit| digit.is_ascii_digit()) {
        return Err(ValueError::NotANumber);
    }
    Decimal::from_str_exact(text).map_err(|_| ValueError::TooManyDigits)
}

fn listed(options: &[Name]) -> String {
    options
        .iter()
        .map(Name::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_as_it_was_written_or_refused() {
        let read = |text: &str| Value::read(&FieldType::Number, text);
        for text in [
            "12",
            "12.50",
            "-0.1",
            "0",
            "7922816251426433759354395033.5",
            "0.0000000000000000000000000001",
        ] {
            let value = read(text).unwrap().unwrap();
            assert_eq!(value.to_string(), text);
        }
        let refused = |text: &str| read(text).unwrap_err();
        for text in [
            "1_000", "1e9", "5e30", "1.2.3", ".", "-", "+-1", "12 30", "１２", "0x1f", "NaN",
        ] {
            assert_eq!(refused(text), ValueError::NotANumber, "{text}");
        }
        for text in [
            "0.0000000000000000000000000000000000001",
            "79228162514264337593543950335.4",
            "79228162514264337593543950336",
            "1.00000000000000000000000000001",
        ] {
            assert_eq!(refused(text), ValueError::TooManyDigits, "{text}");
        }
    }
}
