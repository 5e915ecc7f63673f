//! `impact is Everyone and (service is one of [Internet, Telephony] or amount is over 500)`.

use std::collections::BTreeMap;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use upline_core::{Condition, Field, FieldType, Name, Value, ValueError};

use super::cursor::{Cursor, word_length};
use super::{MAX_PHRASE_DEPTH, Phrase, PhraseError, Reference, too_long};
use crate::Code;
use crate::found::printable;
use crate::suggest::hint;

/// What can follow a field, for the longer help.
const COMPARISONS: &str = "after a field come: is VALUE, is not VALUE, is one of [A, B], is empty, is not \
     empty, is over N, is under N, before DATE, after DATE";

/// Reads a *when* phrase and checks it against the fields.
///
/// `and` binds more than `or`; `not` binds most. A value may be quoted with `"` or `'`, and must be when it
/// has a keyword, a comma or a bracket in it that is not part of an option of the field.
///
/// # Errors
/// [`PhraseError`] with the code `bad-condition`, `unknown-field` or `bad-value`.
pub fn when(text: &str, fields: &BTreeMap<Name, Field>) -> Result<Phrase<Condition>, PhraseError> {
    too_long(text, Code::BadCondition)?;
    let mut parser = Parser {
        cursor: Cursor::new(text),
        fields,
        text,
        names: Vec::new(),
    };
    let value = parser.any(0)?;
    if !parser.cursor.at_end() {
        return Err(parser.trailing());
    }
    Ok(Phrase {
        value,
        names: parser.names,
    })
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    fields: &'a BTreeMap<Name, Field>,
    text: &'a str,
    names: Vec<(Range<usize>, Reference)>,
}

/// A field as it was written.
struct Subject<'a> {
    field: &'a Field,
    range: Range<usize>,
}

impl<'a> Parser<'a> {
    /// `A or B`.
    fn any(&mut self, depth: usize) -> Result<Condition, PhraseError> {
        let mut parts = vec![self.all(depth)?];
        while self.cursor.eat("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts).unwrap_or_else(Condition::Or))
    }

    /// `A and B`.
    fn all(&mut self, depth: usize) -> Result<Condition, PhraseError> {
        let mut parts = vec![self.one(depth)?];
        while self.cursor.eat("and") {
            parts.push(self.one(depth)?);
        }
        Ok(single(parts).unwrap_or_else(Condition::And))
    }

    /// `not A`, brackets, the hour, or a comparison.
    fn one(&mut self, depth: usize) -> Result<Condition, PhraseError> {
        if depth >= MAX_PHRASE_DEPTH {
            let label = format!("at most {MAX_PHRASE_DEPTH} levels");
            return Err(self.fault("the condition is nested too deeply", label));
        }
        if self.cursor.eat("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        let open = self.cursor.at();
        if self.cursor.eat_char('(') {
            let inner = self.any(depth + 1)?;
            if !self.cursor.eat_char(')') {
                let mut fault = self.fault("a bracket is not closed", "write `)`");
                let column = self.text[..open].chars().count() + 1;
                fault.help = Some(format!("it opens at character {column} of the phrase"));
                return Err(fault);
            }
            return Ok(inner);
        }
        if self.cursor.eat("during") {
            return Ok(Condition::During(self.calendar()?));
        }
        if self.cursor.eat("outside") {
            return Ok(Condition::Not(Box::new(Condition::During(
                self.calendar()?,
            ))));
        }
        self.comparison()
    }

    fn calendar(&mut self) -> Result<Name, PhraseError> {
        let (name, range) = self
            .cursor
            .name(Code::BadCondition, "the name of a calendar")?;
        self.names.push((range, Reference::Calendar(name.clone())));
        Ok(name)
    }

    fn comparison(&mut self) -> Result<Condition, PhraseError> {
        let subject = self.subject()?;
        let name = subject.field.name.clone();
        let is = self.cursor.eat("is");
        let negated = is && self.cursor.eat("not");
        let condition = if is && self.ends_after("empty") {
            self.cursor.eat("empty");
            Condition::IsEmpty(name)
        } else if is && self.cursor.peek() == "one" && self.cursor.peek_second() == "of" {
            Condition::IsOneOf(name, self.list(&subject)?)
        } else if is && matches!(self.cursor.peek(), "over" | "under") {
            self.bound(&subject)?
        } else if matches!(self.cursor.peek(), "before" | "after") {
            self.day(&subject)?
        } else if is {
            Condition::Is(name, self.value(&subject, false)?)
        } else {
            return Err(self.no_comparison(&subject));
        };
        Ok(if negated {
            Condition::Not(Box::new(condition))
        } else {
            condition
        })
    }

    fn subject(&mut self) -> Result<Subject<'a>, PhraseError> {
        let here = self.cursor.here();
        if matches!(self.cursor.peek(), "" | "and" | "or") {
            let label = match self.cursor.rest().chars().next() {
                Some('（' | '）') => "write ordinary brackets: ( )",
                _ => "write a field, `not`, `during`, `outside` or a bracket",
            };
            return Err(self.fault("a condition is missing", label));
        }
        let (name, range) = self
            .cursor
            .name(Code::BadCondition, "the name of a field")?;
        match self.fields.get(&name) {
            Some(field) => Ok(Subject { field, range }),
            None => {
                let label = hint(&name, self.fields.keys().map(Name::as_str));
                let message = format!("there is no field `{name}`");
                Err(PhraseError::new(Code::UnknownField, here, message, label))
            }
        }
    }

    /// `over N` and `under N`.
    fn bound(&mut self, subject: &Subject<'_>) -> Result<Condition, PhraseError> {
        let (word, range) = self.cursor.word();
        self.only_for(
            subject,
            matches!(subject.field.kind, FieldType::Number),
            word,
            range,
            "numbers",
        )?;
        let name = subject.field.name.clone();
        match (self.value(subject, false)?, word) {
            (Value::Number(number), "over") => Ok(Condition::IsOver(name, number)),
            (Value::Number(number), _) => Ok(Condition::IsUnder(name, number)),
            _ => Err(self.no_comparison(subject)),
        }
    }

    /// `before DATE` and `after DATE`.
    fn day(&mut self, subject: &Subject<'_>) -> Result<Condition, PhraseError> {
        let (word, range) = self.cursor.word();
        self.only_for(
            subject,
            matches!(subject.field.kind, FieldType::Date),
            word,
            range,
            "dates",
        )?;
        let name = subject.field.name.clone();
        match (self.value(subject, false)?, word) {
            (Value::Date(day), "before") => Ok(Condition::Before(name, day)),
            (Value::Date(day), _) => Ok(Condition::After(name, day)),
            _ => Err(self.no_comparison(subject)),
        }
    }

    fn only_for(
        &self,
        subject: &Subject<'_>,
        fits: bool,
        word: &str,
        range: Range<usize>,
        kinds: &str,
    ) -> Result<(), PhraseError> {
        if fits {
            return Ok(());
        }
        let Field { name, kind, .. } = subject.field;
        let message = format!(
            "`{word}` compares {kinds}, and `{name}` is {}",
            kind_of(kind)
        );
        let label = format!("quote the value if it is meant: \"{word} …\"");
        Err(PhraseError::new(Code::BadCondition, range, message, label))
    }

    /// `one of [A, B]`.
    fn list(&mut self, subject: &Subject<'_>) -> Result<Vec<Value>, PhraseError> {
        self.cursor.eat_all(&["one", "of"]);
        if !self.cursor.eat_char('[') {
            return Err(self.fault("`is one of` needs a list", "write `[A, B]`"));
        }
        let mut values = vec![self.value(subject, true)?];
        loop {
            if self.cursor.eat_char(']') {
                return Ok(values);
            }
            if !self.cursor.eat_char(',') {
                return Err(self.fault(
                    "the list is not closed",
                    "write `,` and the next value, or `]`",
                ));
            }
            values.push(self.value(subject, true)?);
        }
    }

    fn value(&mut self, subject: &Subject<'_>, in_list: bool) -> Result<Value, PhraseError> {
        let start = self.cursor.at();
        let raw = match self.cursor.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            _ => self.unquoted(&subject.field.kind, in_list).nfc().collect(),
        };
        let end = self.text[..self.cursor.at()].trim_end().len().max(start);
        let range = start..end;
        // A field of several choices *is* each of them.
        let kind = match &subject.field.kind {
            FieldType::Choices(options) => &FieldType::Choice(options.clone()),
            kind => kind,
        };
        match Value::read(kind, &raw) {
            Ok(Some(value)) => {
                if let (FieldType::Person, Value::Text(person)) = (kind, &value) {
                    let person = crate::names::normal(person);
                    self.names.push((range, Reference::Person(person)));
                }
                Ok(value)
            }
            Ok(None) => {
                let message = "a value is missing";
                let label = format!("write `{} is empty` for no value", subject.field.name);
                Err(PhraseError::new(Code::BadCondition, range, message, label))
            }
            Err(fault) => Err(bad_value(subject, &raw, range, &fault)),
        }
    }

    /// The text between quotes; the quote itself is written twice.
    fn quoted(&mut self, quote: char) -> Result<String, PhraseError> {
        let range = self.cursor.here();
        self.cursor.eat_char(quote);
        // White space after the quote belongs to the value, so the cursor's own rest won't do.
        let body = &self.text[range.start + quote.len_utf8()..];
        let mut value = String::new();
        let mut chars = body.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                value.push(c);
            } else if chars.next_if(|&(_, next)| next == quote).is_some() {
                value.push(quote);
            } else {
                let used = range.start + quote.len_utf8() + at + quote.len_utf8();
                self.cursor = Cursor::at_byte(self.text, used);
                return Ok(value.nfc().collect());
            }
        }
        let message = "a quote is not closed";
        Err(PhraseError::new(
            Code::BadCondition,
            range.start..self.text.len(),
            message,
            "",
        ))
    }

    /// The longest option that is written here, else everything up to a keyword or the closing bracket.
    fn unquoted(&mut self, kind: &FieldType, in_list: bool) -> &'a str {
        let rest = self.cursor.rest();
        let length = match kind {
            FieldType::Choice(options) | FieldType::Choices(options) => {
                let fits = |option: &&Name| {
                    rest.strip_prefix(option.as_str())
                        .is_some_and(|after| value_ends(after, in_list))
                };
                options.iter().filter(fits).map(|option| option.len()).max()
            }
            _ => None,
        };
        let length = length.unwrap_or_else(|| raw_length(rest, in_list));
        self.cursor.advance(length);
        rest[..length].trim_end()
    }

    /// Whether the next word is this one and nothing but a keyword or a bracket follows.
    fn ends_after(&self, word: &str) -> bool {
        let rest = self.cursor.rest();
        self.cursor.peek() == word && value_ends(&rest[word.len()..], false)
    }

    fn fault(&self, message: impl Into<String>, label: impl Into<String>) -> PhraseError {
        PhraseError::new(Code::BadCondition, self.cursor.here(), message, label)
    }

    fn no_comparison(&self, subject: &Subject<'_>) -> PhraseError {
        let name = &subject.field.name;
        let label = match self.cursor.peek() {
            "" => format!("write `{name} is …`"),
            "=" | "==" => "write `is`".to_owned(),
            "!=" | "<>" => "write `is not`".to_owned(),
            ">" | ">=" | "over" => "write `is over`".to_owned(),
            "<" | "<=" | "under" => "write `is under`".to_owned(),
            "in" => "write `is one of [A, B]`".to_owned(),
            "not" => "write `is not`".to_owned(),
            _ => "write `is`, `before` or `after`".to_owned(),
        };
        let message = format!("`{name}` is compared with nothing");
        let range = if self.cursor.at_end() {
            subject.range.clone()
        } else {
            self.cursor.here()
        };
        let mut fault = PhraseError::new(Code::BadCondition, range, message, label);
        fault.help = Some(COMPARISONS.to_owned());
        fault
    }

    fn trailing(&self) -> PhraseError {
        let label = match self.cursor.peek() {
            "&&" => "write `and`",
            "||" => "write `or`",
            _ => "write `and` or `or` before another condition",
        };
        let message = match self.cursor.rest().trim_end() {
            "" => "the condition ends too early".to_owned(),
            rest => format!("`{}` does not continue the condition", printable(rest)),
        };
        self.fault(message, label)
    }
}

/// The only part, or all of them if there are more.
fn single(mut parts: Vec<Condition>) -> Result<Condition, Vec<Condition>> {
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        Some(last) => {
            parts.push(last);
            Err(parts)
        }
        None => Err(parts),
    }
}

/// Whether a value that `after` follows is over.
fn value_ends(after: &str, in_list: bool) -> bool {
    let rest = after.trim_start();
    match rest.chars().next() {
        None => true,
        Some(',' | ']') => in_list,
        Some(')') => !in_list,
        Some(_) => {
            let apart = rest.len() < after.len();
            apart && !in_list && matches!(&rest[..word_length(rest)], "and" | "or")
        }
    }
}

/// Bytes up to where a value without quotes ends: its own brackets are part of it.
fn raw_length(rest: &str, in_list: bool) -> usize {
    let mut open = 0_usize;
    let mut after_space = false;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open > 0 => open -= 1,
            ')' if !in_list => return at,
            ',' | ']' if in_list => return at,
            _ => (),
        }
        let word = &rest[at..];
        if after_space && !in_list && matches!(&word[..word_length(word)], "and" | "or") {
            return at;
        }
        after_space = c.is_whitespace();
    }
    rest.len()
}

fn bad_value(
    subject: &Subject<'_>,
    raw: &str,
    range: Range<usize>,
    fault: &ValueError,
) -> PhraseError {
    let Field { name, kind, .. } = subject.field;
    let (message, label) = match fault {
        ValueError::NotAnOption { options } => (
            format!("`{}` is not an option of `{name}`", printable(raw)),
            hint(raw, options.iter().map(Name::as_str)),
        ),
        _ => (
            format!(
                "`{name}` is {}, and can't be `{}`",
                kind_of(kind),
                printable(raw)
            ),
            format!("it {fault}"),
        ),
    };
    PhraseError::new(Code::BadValue, range, message, label)
}

/// The type in words, with its article.
const fn kind_of(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Text | FieldType::Paragraph => "a text",
        FieldType::Choice(_) | FieldType::Choices(_) => "a choice",
        FieldType::Number => "a number",
        FieldType::Flag => "a flag",
        FieldType::Date => "a date",
        FieldType::Contact => "a contact",
        FieldType::Person => "a person",
        FieldType::Article => "an article",
    }
}
