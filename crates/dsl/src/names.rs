//! The rules for names and for texts that people read.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use upline_core::Name;

use crate::Code;

/// Longest name, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// Words that YAML 1.1 tools read as a boolean or as nothing, in any case.
const YAML_1_1: &[&str] = &[
    "on", "off", "yes", "no", "y", "n", "true", "false", "null", "~",
];

/// Words that a field can't have as its name, because phrases use them.
const PHRASE_WORDS: &[&str] = &[
    "assignee", "opener", "except", "with", "else", "not", "and", "or", "during", "outside",
];

/// Why a text can't be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// Nothing.
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    TooLong,
    /// The first character is a digit, `-` or a mark.
    Start(char),
    /// A character that is neither letter nor digit, `-` or `_`.
    Character(char),
    /// A control, bidi or zero-width character: names that look alike would not be.
    Hidden(char),
    /// YAML 1.1 tools read it as a boolean or as nothing.
    Yaml11,
    /// A word of the phrases.
    Reserved,
}

impl NameFault {
    /// The code under which it is reported.
    pub const fn code(self) -> Code {
        match self {
            Self::Yaml11 => Code::Yaml11,
            _ => Code::BadName,
        }
    }

    /// The way out.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Yaml11 => {
                "tools that read YAML 1.1 take it for a boolean or for nothing; choose another word"
            }
            Self::Reserved => "choose another word",
            _ => "a name has letters, digits, `-` and `_`, and begins with a letter or `_`",
        }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it is longer than {MAX_NAME_CHARS} characters"),
            Self::Start(c) => write!(f, "it begins with `{c}`"),
            Self::Character(' ') => f.write_str("it has a space"),
            Self::Character(c) => write!(f, "it has the character `{c}`"),
            Self::Hidden(c) => write!(f, "it has the hidden character U+{:04X}", *c as u32),
            Self::Yaml11 => f.write_str("YAML 1.1 reads it as something else"),
            Self::Reserved => f.write_str("it is a word of the phrases"),
        }
    }
}

/// Reads a name that an author gives to something; it comes back in Unicode's composed form (NFC).
///
/// ```
/// use upline_dsl::names::{NameFault, valid_name};
/// assert_eq!(valid_name("service-desk").unwrap(), "service-desk");
/// assert_eq!(valid_name("组长处理").unwrap(), "组长处理");
/// assert_eq!(valid_name("2nd-level"), Err(NameFault::Start('2')));
/// assert_eq!(valid_name("On"), Err(NameFault::Yaml11));
/// ```
///
/// # Errors
/// [`NameFault`] says why it can't be a name.
pub fn valid_name(text: &str) -> Result<Name, NameFault> {
    let low = text.to_ascii_lowercase();
    if YAML_1_1.contains(&low.as_str()) {
        return Err(NameFault::Yaml11);
    }
    let name = normal(text);
    let mut first = true;
    for (index, c) in name.chars().enumerate() {
        if index >= MAX_NAME_CHARS {
            return Err(NameFault::TooLong);
        }
        if is_hidden(c) {
            return Err(NameFault::Hidden(c));
        }
        if !is_name_char(c) {
            return Err(NameFault::Character(c));
        }
        if first && (c.is_numeric() || c == '-' || is_combining_mark(c)) {
            return Err(NameFault::Start(c));
        }
        first = false;
    }
    if first {
        Err(NameFault::Empty)
    } else {
        Ok(name)
    }
}

/// Like [`valid_name`], for a field: phrases name fields by the bare word, so it can't be one of theirs.
///
/// # Errors
/// [`NameFault`] says why it can't be a name.
pub fn valid_field_name(text: &str) -> Result<Name, NameFault> {
    let name = valid_name(text)?;
    if PHRASE_WORDS.contains(&name.as_str()) {
        return Err(NameFault::Reserved);
    }
    Ok(name)
}

/// A name as it is compared: in Unicode's composed form (NFC). For references; it checks nothing.
pub fn normal(text: &str) -> Name {
    if text.is_ascii() {
        return Name::new(text);
    }
    Name::new(text.nfc().collect::<String>())
}

/// Whether a name may have the character somewhere.
pub(crate) fn is_name_char(c: char) -> bool {
    (c.is_alphanumeric() || matches!(c, '-' | '_') || is_combining_mark(c)) && !is_hidden(c)
}

/// Whether nothing of the character is seen, or it changes the order of what is seen.
pub(crate) fn is_hidden(c: char) -> bool {
    let joins =
        matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}');
    c.is_control() || is_bidi(c) || is_invisible(c) || joins
}

const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Format characters and fillers without a picture of their own. The joiners U+200C and U+200D and the
/// variation selectors are not here: Persian, emoji and rare Han forms need them in texts.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206A}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// Why a text can't be shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing to see.
    Empty,
    /// More characters than allowed.
    TooLong(usize),
    /// A control, bidi or zero-width character.
    Hidden(char),
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::TooLong(limit) => write!(f, "must not be longer than {limit} characters"),
            Self::Hidden('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') => {
                f.write_str("must be one line: there is a line break in it")
            }
            Self::Hidden('\t') => f.write_str("must not have a tab: write a space"),
            Self::Hidden(c) => {
                write!(f, "must not have the hidden character U+{:04X}", *c as u32)
            }
        }
    }
}

/// Longest label, title or option, in characters.
pub const MAX_TEXT_CHARS: usize = 200;

/// Reads one line of text for people: a label, a title, an option. Comes back composed (NFC) and trimmed.
///
/// # Errors
/// [`TextFault`] says why it can't be shown.
pub fn valid_text(text: &str) -> Result<String, TextFault> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    let hidden = |c: &char| c.is_control() || is_bidi(*c) || is_invisible(*c);
    if let Some(c) = text.chars().find(hidden) {
        return Err(TextFault::Hidden(c));
    }
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(TextFault::TooLong(MAX_TEXT_CHARS));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_any_script_are_names() {
        let fine = [
            "a",
            "_x",
            "service-desk",
            "L2_desk",
            "组长处理",
            "größe",
            "हिन्दी",
            "Ünï-1",
            "ｔｅａｍ",
        ];
        for text in fine {
            assert!(valid_name(text).is_ok(), "{text}");
        }
        assert!(valid_name(&"x".repeat(MAX_NAME_CHARS)).is_ok());
        assert_eq!(valid_name("u\u{308}ber").unwrap(), "über", "composed");
    }

    #[test]
    fn what_can_not_be_a_name() {
        let wrong = [
            ("", NameFault::Empty),
            ("2nd", NameFault::Start('2')),
            ("-a", NameFault::Start('-')),
            ("\u{301}a", NameFault::Start('\u{301}')),
            ("a b", NameFault::Character(' ')),
            ("a.b", NameFault::Character('.')),
            ("a/b", NameFault::Character('/')),
            ("emoji😀", NameFault::Character('😀')),
            ("a\u{200b}b", NameFault::Hidden('\u{200b}')),
            ("a\u{202e}b", NameFault::Hidden('\u{202e}')),
            ("a\u{fe0f}", NameFault::Hidden('\u{fe0f}')),
            ("a\u{3164}", NameFault::Hidden('\u{3164}')),
            ("a\u{7}", NameFault::Hidden('\u{7}')),
            ("NO", NameFault::Yaml11),
            ("~", NameFault::Yaml11),
            ("Null", NameFault::Yaml11),
        ];
        for (text, fault) in wrong {
            assert_eq!(valid_name(text), Err(fault), "{text:?}");
        }
        assert_eq!(
            valid_name(&"x".repeat(MAX_NAME_CHARS + 1)),
            Err(NameFault::TooLong)
        );
        assert_eq!(valid_field_name("assignee"), Err(NameFault::Reserved));
        assert_eq!(valid_name("assignee").unwrap(), "assignee");
    }

    #[test]
    fn texts_keep_what_scripts_need_and_nothing_hidden() {
        assert_eq!(valid_text("  Ask the caller ").unwrap(), "Ask the caller");
        assert_eq!(
            valid_text("می\u{200c}خواهم 👩\u{200d}💻").unwrap(),
            "می\u{200c}خواهم 👩\u{200d}💻"
        );
        assert_eq!(valid_text(" "), Err(TextFault::Empty));
        assert_eq!(valid_text("a\nb"), Err(TextFault::Hidden('\n')));
        assert_eq!(valid_text("a\u{2066}b"), Err(TextFault::Hidden('\u{2066}')));
        assert_eq!(
            valid_text(&"中".repeat(201)),
            Err(TextFault::TooLong(MAX_TEXT_CHARS))
        );
    }

    proptest! {
        #[test]
        fn every_text_is_a_name_or_has_a_fault(text: String) {
            if let Ok(name) = valid_name(&text) {
                prop_assert_eq!(valid_name(&name), Ok(name.clone()));
                prop_assert!(name.chars().all(is_name_char));
            }
            if let Ok(line) = valid_text(&text) {
                prop_assert_eq!(valid_text(&line), Ok(line.clone()));
            }
        }
    }
}
