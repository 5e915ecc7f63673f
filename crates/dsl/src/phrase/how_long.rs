//! `15 min`, `8 h`, `1 h 30 min`, `3 days`, `2 working days`, `3 days around the clock`.

use std::ops::Range;

use upline_core::span::{MAX_SPAN_DAYS, SpanError};
use upline_core::{Span, SpanCount};

use super::{PhraseError, too_long};
use crate::Code;
use crate::found::printable;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A unit; larger ones first, as they must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Week,
    WorkingDay,
    Day,
    Hour,
    Minute,
    Second,
}

/// What each unit may be called.
const UNITS: &[(Unit, &[&str])] = &[
    (Unit::Week, &["weeks", "week"]),
    (Unit::Day, &["days", "day", "d"]),
    (Unit::Hour, &["h", "hours", "hour", "hr", "hrs"]),
    (Unit::Minute, &["min", "mins", "minutes", "minute"]),
    (Unit::Second, &["s", "sec", "secs", "seconds", "second"]),
];

/// Chinese units, longest first, and how they are written here.
const CHINESE: &[(&str, &str)] = &[
    ("个工作日", "working days"),
    ("工作日", "working days"),
    ("个小时", "h"),
    ("小时", "h"),
    ("分钟", "min"),
    ("个星期", "weeks around the clock"),
    ("星期", "weeks around the clock"),
    ("周", "weeks around the clock"),
    ("天", "days"),
    ("日", "days"),
    ("时", "h"),
    ("分", "min"),
    ("秒", "s"),
];

/// The examples of every longer help.
const EXAMPLES: &str = "write a span such as `15 min`, `8 h`, `1 h 30 min`, `3 days`, `2 working days` or \
     `3 days around the clock`";

/// Reads a *how long* phrase.
///
/// ```
/// use upline_core::Span;
/// use upline_dsl::phrase::how_long;
/// assert_eq!(how_long("1 h 30 min"), Ok(Span::minutes(90)));
/// assert_eq!(how_long("2 working days"), Ok(Span::days(2)));
/// assert_eq!(how_long("1 week around the clock"), Ok(Span::days(7).around_the_clock()));
/// assert_eq!(how_long("90").unwrap_err().label, "write `90 s`, `90 min` or `90 h`");
/// ```
///
/// # Errors
/// [`PhraseError`] with the code `bad-span`.
pub fn how_long(text: &str) -> Result<Span, PhraseError> {
    too_long(text, Code::BadSpan)?;
    let tokens = tokens(text)?;
    let (tokens, around_the_clock) = match clock_words(&tokens) {
        Some(rest) => (rest, true),
        None => (tokens.as_slice(), false),
    };
    let parts = parts(text, tokens)?;
    let whole = 0..text.len();
    let count = count(&parts, around_the_clock).map_err(|fault| fault.at(&whole))?;
    Span::new(count, around_the_clock).map_err(|fault| match fault {
        SpanError::NotPositive => error(whole, "a span must be longer than nothing", AT_LEAST),
        SpanError::TooLong => error(whole, TOO_LONG, too_long_label()),
    })
}

const AT_LEAST: &str = "write at least `1 s`";
const TOO_LONG: &str = "the span is too long";

fn too_long_label() -> String {
    format!("at most {MAX_SPAN_DAYS} days")
}

fn error(range: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> PhraseError {
    PhraseError {
        code: Code::BadSpan,
        range,
        message: message.into(),
        label: label.into(),
        help: None,
    }
}

/// A run of digits or of letters.
struct Token<'a> {
    text: &'a str,
    range: Range<usize>,
    digits: bool,
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, PhraseError> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut joined = false;
    for (at, c) in text.char_indices() {
        let range = at..at + c.len_utf8();
        if c.is_whitespace() {
            joined = false;
            continue;
        }
        if !c.is_ascii_digit() && !c.is_alphabetic() {
            return Err(strange(text, c, range));
        }
        match tokens.last_mut() {
            Some(last) if joined && last.digits == c.is_ascii_digit() => {
                last.range.end = range.end;
                last.text = &text[last.range.clone()];
            }
            _ => tokens.push(Token {
                text: &text[range.clone()],
                range,
                digits: c.is_ascii_digit(),
            }),
        }
        joined = true;
    }
    if tokens.is_empty() {
        let mut empty = error(0..text.len(), "a span is missing", "how long?");
        empty.help = Some(EXAMPLES.to_owned());
        return Err(empty);
    }
    Ok(tokens)
}

/// The error for a character that spans don't have.
fn strange(text: &str, c: char, range: Range<usize>) -> PhraseError {
    let label = match c {
        '-' | '−' | '–' => "a span can't be negative, and has no range",
        '.' | ',' => "write whole numbers: `1 h 30 min`, not `1.5 h`",
        ':' => "this is a time of day; write `1 h 30 min`",
        '\u{FF10}'..='\u{FF19}' => "write the digits 0 to 9 of the ordinary keyboard",
        _ => "a span has numbers and units only",
    };
    let message = format!("`{}` is not a span", printable(text.trim()));
    let mut fault = error(range, message, label);
    fault.help = Some(EXAMPLES.to_owned());
    fault
}

/// The tokens before a final `around the clock`.
fn clock_words<'a, 'b>(tokens: &'b [Token<'a>]) -> Option<&'b [Token<'a>]> {
    let (rest, last) = tokens.split_at_checked(tokens.len().checked_sub(3)?)?;
    let words = ["around", "the", "clock"];
    let same = last
        .iter()
        .zip(words)
        .all(|(token, word)| token.text == word);
    same.then_some(rest)
}

/// Numbers with their units, as written.
type Part = (u64, Unit);

fn parts(text: &str, tokens: &[Token<'_>]) -> Result<Vec<Part>, PhraseError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut tokens = tokens.iter().peekable();
    while let Some(number) = tokens.next() {
        if !number.digits {
            return Err(no_number(text, number, !parts.is_empty()));
        }
        let Ok(count) = number.text.parse() else {
            return Err(error(number.range.clone(), TOO_LONG, too_long_label()));
        };
        let Some(word) = tokens.next_if(|token| !token.digits) else {
            return Err(no_unit(number));
        };
        let unit = unit(number, word)?;
        if unit == Unit::WorkingDay {
            let day = tokens.next_if(|token| matches!(token.text, "day" | "days"));
            if day.is_none() {
                let range = word.range.clone();
                return Err(error(range, "`working` what?", "write `working days`"));
            }
        }
        if let Some(&(_, last)) = parts.last()
            && last >= unit
        {
            let message = "the larger unit goes first, and each once";
            return Err(error(
                number.range.start..word.range.end,
                message,
                "write `1 h 30 min`",
            ));
        }
        parts.push((count, unit));
    }
    if parts.is_empty() {
        return Err(error(
            0..text.len(),
            "a number and a unit are missing",
            "write `2 h around the clock`",
        ));
    }
    Ok(parts)
}

fn no_number(text: &str, word: &Token<'_>, after_a_part: bool) -> PhraseError {
    let clock = ["around", "the", "clock", "round"].contains(&word.text);
    let (message, label) = if after_a_part && clock {
        (
            format!("`{}` is not a span", printable(text.trim())),
            "write `around the clock` at the end",
        )
    } else if after_a_part {
        (
            format!("`{}` has no number", word.text),
            "write a number before it, or leave it out",
        )
    } else {
        (
            format!("`{}` is not a span", printable(text.trim())),
            "a span begins with a number",
        )
    };
    let mut fault = error(word.range.clone(), message, label);
    fault.help = Some(EXAMPLES.to_owned());
    fault
}

fn no_unit(number: &Token<'_>) -> PhraseError {
    let n = number.text;
    let label = format!("write `{n} s`, `{n} min` or `{n} h`");
    error(number.range.clone(), format!("`{n}` has no unit"), label)
}

fn unit(number: &Token<'_>, word: &Token<'_>) -> Result<Unit, PhraseError> {
    if word.text == "working" {
        return Ok(Unit::WorkingDay);
    }
    let named = |(_, names): &&(Unit, &[&str])| names.contains(&word.text);
    if let Some(&(unit, _)) = UNITS.iter().find(named) {
        return Ok(unit);
    }
    let n = number.text;
    let low = word.text.to_lowercase();
    let label = match low.as_str() {
        "m" => format!("minutes or months? write `{n} min`"),
        "mo" | "mon" | "month" | "months" => "months differ in length; write days".to_owned(),
        "y" | "year" | "years" => too_long_label(),
        "w" | "wk" | "wks" => format!("write `{n} weeks around the clock`"),
        "ms" | "millisecond" | "milliseconds" => "the smallest unit is `s`".to_owned(),
        _ => return Err(unknown_unit(number, word, &low)),
    };
    Err(error(
        word.range.clone(),
        format!("there is no unit `{}`", word.text),
        label,
    ))
}

fn unknown_unit(number: &Token<'_>, word: &Token<'_>, low: &str) -> PhraseError {
    let n = number.text;
    let known = UNITS.iter().flat_map(|(_, names)| names.iter().copied());
    let chinese = CHINESE.iter().find(|(name, _)| word.text.starts_with(name));
    let label = match chinese {
        Some((_, name)) => format!("write `{n} {name}`"),
        None if known.clone().any(|name| name == low) => format!("write `{low}`"),
        None => match crate::did_you_mean(low, known.filter(|name| name.len() > 2)) {
            Some(near) => format!("did you mean `{n} {near}`?"),
            None => "the units are s, min, h, days, working days and weeks".to_owned(),
        },
    };
    let message = format!("there is no unit `{}`", printable(word.text));
    error(word.range.clone(), message, label)
}

/// A fault of the whole phrase.
struct Fault(&'static str, String);

impl Fault {
    fn at(self, range: &Range<usize>) -> PhraseError {
        error(range.clone(), self.0, self.1)
    }
}

/// Adds the parts up: days alone count days, everything else counts seconds.
fn count(parts: &[Part], around_the_clock: bool) -> Result<SpanCount, Fault> {
    let has = |unit| parts.iter().any(|&(_, one)| one == unit);
    if has(Unit::WorkingDay) && around_the_clock {
        let label = "write either `2 working days` or `2 days around the clock`".to_owned();
        return Err(Fault(
            "working days can't be counted around the clock",
            label,
        ));
    }
    if has(Unit::Week) && !around_the_clock {
        let label = "write `5 working days`, or `1 week around the clock` for 7 days".to_owned();
        return Err(Fault("a week of what is not clear", label));
    }
    let whole_days = parts.iter().all(|&(_, unit)| unit <= Unit::Day);
    if !whole_days && !around_the_clock && parts.iter().any(|&(_, unit)| unit <= Unit::Day) {
        let label = "write days alone, or hours alone".to_owned();
        return Err(Fault(
            "working days and hours can't be added: a working day has no fixed length",
            label,
        ));
    }
    if whole_days && parts.len() > 1 && !around_the_clock {
        let label = "write one number of days".to_owned();
        return Err(Fault("days stand here twice", label));
    }
    let too_long = || Fault(TOO_LONG, too_long_label());
    let mut seconds = 0_i64;
    for &(number, unit) in parts {
        let length = match unit {
            Unit::Week => 7 * DAY,
            Unit::WorkingDay | Unit::Day => DAY,
            Unit::Hour => HOUR,
            Unit::Minute => MINUTE,
            Unit::Second => 1,
        };
        let part = i64::try_from(number)
            .ok()
            .and_then(|n| n.checked_mul(length));
        let sum = part.and_then(|part| seconds.checked_add(part));
        seconds = sum.ok_or_else(too_long)?;
    }
    if !whole_days {
        return Ok(SpanCount::Time { seconds });
    }
    let days = u32::try_from(seconds / DAY).map_err(|_| too_long())?;
    Ok(SpanCount::Days { days })
}
