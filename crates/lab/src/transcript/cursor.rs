//! Walks over the words of a step.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::{Date, Time, Weekday};
use upline_core::{Name, Typed};
use upline_dsl::{Code, FileId, Site, did_you_mean};

use super::deed::{Day, When};
use super::lex::{Kind, Token};

/// Names that are listed at most.
const FEW: usize = 8;

/// What is wrong with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(super) code: Code,
    pub(super) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
}

pub(crate) type Read<T> = Result<T, Fault>;

#[derive(Clone)]
pub(super) struct Cursor<'a> {
    tokens: &'a [Token],
    next: usize,
    file: FileId,
    /// Where the step ends.
    end: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [Token], file: FileId, end: usize) -> Self {
        Self {
            tokens,
            next: 0,
            file,
            end,
        }
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    /// The next word, if it is a word.
    pub(super) fn peek_word(&self) -> Option<&'a str> {
        let token = self.peek()?;
        (token.kind == Kind::Word).then_some(token.text.as_str())
    }

    pub(super) fn bump(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.next += usize::from(token.is_some());
        token
    }

    /// Takes the next word if it is this one.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        self.next += usize::from(found);
        found
    }

    /// Takes the next words if they are these.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let start = self.next;
        let found = words.iter().all(|word| self.eat(word));
        if !found {
            self.next = start;
        }
        found
    }

    /// Where the next word stands.
    pub(super) fn here(&self) -> Range<usize> {
        self.peek()
            .map_or(self.end..self.end, |token| token.span.clone())
    }

    pub(super) fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault {
            code: Code::BadTranscript,
            span,
            message: message.into(),
            label: String::new(),
        }
    }

    pub(super) fn expected<T>(&self, what: &str) -> Read<T> {
        let message = match self.peek() {
            Some(token) => format!("here {what} is meant, not `{}`", token.text),
            None => format!("here {what} is missing"),
        };
        Err(self.fault(self.here(), message))
    }

    pub(super) fn word(&mut self, what: &str) -> Read<(&'a str, Range<usize>)> {
        match self.peek_word() {
            Some(word) => {
                let span = self.here();
                self.next += 1;
                Ok((word, span))
            }
            None => self.expected(what),
        }
    }

    pub(super) fn keyword(&mut self, word: &str) -> Read<()> {
        match self.eat(word) {
            true => Ok(()),
            false => self.expected(&format!("`{word}`")),
        }
    }

    /// A quoted text, if one comes next.
    pub(super) fn text(&mut self) -> Option<String> {
        let token = self.peek().filter(|token| token.kind == Kind::Quoted)?;
        self.next += 1;
        Some(token.text.clone())
    }

    pub(super) fn must_text(&mut self, what: &str) -> Read<String> {
        match self.text() {
            Some(text) => Ok(text),
            None => self.expected(&format!("{what} in quotation marks")),
        }
    }

    /// `FIELD "value", FIELD value`, of these fields.
    pub(super) fn fields(&mut self, known: &BTreeSet<Name>) -> Read<Typed> {
        let mut fields = Typed::new();
        loop {
            let (name, span) = self.word("a field's name")?;
            let name = self::known(known, name, span.clone(), Code::UnknownField, "field")?;
            let Some(value) = self.bump().filter(|token| token.kind != Kind::Comma) else {
                let message = format!("the field `{name}` has no value");
                return Err(self.fault(span, message));
            };
            fields.push((name, value.text.clone()));
            match self.peek() {
                Some(token) if token.kind == Kind::Comma => self.next += 1,
                _ => return Ok(fields),
            }
        }
    }

    /// `with FIELD "value", …`, or nothing.
    pub(super) fn with(&mut self, known: &BTreeSet<Name>) -> Read<Typed> {
        match self.eat("with") {
            true => self.fields(known),
            false => Ok(Typed::new()),
        }
    }

    /// `2026-03-09 10:00`, `Mon 10:00` or `10:00`.
    pub(super) fn when(&mut self) -> Read<When> {
        let start = self.here();
        let Some(word) = self.peek_word() else {
            return self.expected("a time such as `2026-03-09 10:00` or `10:00`");
        };
        let day = match (word.parse::<Date>(), weekday(word)) {
            (Ok(date), _) if word.len() == 10 => Day::Date(date),
            (_, Some(weekday)) => Day::Weekday(weekday),
            _ => Day::Next,
        };
        if day != Day::Next {
            self.next += 1;
        }
        let end = self.here();
        let time = self.peek_word().and_then(clock);
        let Some(time) = time else {
            return self.expected("a time such as `2026-03-09 10:00` or `10:00`");
        };
        self.next += 1;
        Ok(When {
            day,
            time,
            site: Site::new(self.file, start.start..end.end),
        })
    }

    /// Nothing more may come.
    pub(super) fn done(&self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) => {
                let message = format!("`{}` is too much here", token.text);
                Err(self.fault(token.span.clone(), message))
            }
        }
    }
}

/// `17:20` or `17:20:30`.
fn clock(word: &str) -> Option<Time> {
    let mut parts = word.split(':').map(|part| match part.len() {
        2 => part.parse::<i8>().ok(),
        _ => None,
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(second) => second?,
        None => 0,
    };
    match parts.next() {
        None => Time::new(hour, minute, second, 0).ok(),
        Some(_) => None,
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "Mon" => Weekday::Monday,
        "Tue" => Weekday::Tuesday,
        "Wed" => Weekday::Wednesday,
        "Thu" => Weekday::Thursday,
        "Fri" => Weekday::Friday,
        "Sat" => Weekday::Saturday,
        "Sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// The name, if it is one of these.
pub(super) fn known(
    names: &BTreeSet<Name>,
    word: &str,
    span: Range<usize>,
    code: Code,
    thing: &str,
) -> Read<Name> {
    match names.get(word) {
        Some(name) => Ok(name.clone()),
        None => Err(Fault {
            code,
            span,
            message: format!("there is no {thing} `{word}`"),
            label: did_you_mean(word, names.iter().map(Name::as_str))
                .map(|name| format!("did you mean `{name}`?"))
                .unwrap_or_else(|| listed(names)),
        }),
    }
}

/// All of them, if they are few.
fn listed(names: &BTreeSet<Name>) -> String {
    let all: Vec<&str> = names.iter().map(Name::as_str).collect();
    match all.len() {
        0 => "there are none".to_owned(),
        1..=FEW => format!("there are: {}", all.join(", ")),
        _ => String::new(),
    }
}
