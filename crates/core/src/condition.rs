//! The *when* phrases: conditions over a ticket's fields and the hour.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{Directory, Name, Ticket, Value};

/// One *when* phrase, checked against the fields when the workflow was read.
///
/// A condition is total: on an empty field every comparison is false and `is not` is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `FIELD is VALUE`.
    Is(Name, Value),
    /// `FIELD is one of [..]`.
    IsOneOf(Name, Vec<Value>),
    /// `FIELD is empty`.
    IsEmpty(Name),
    /// `FIELD is over N`.
    IsOver(Name, Decimal),
    /// `FIELD is under N`.
    IsUnder(Name, Decimal),
    /// `FIELD before DATE`.
    Before(Name, Date),
    /// `FIELD after DATE`.
    After(Name, Date),
    /// `during CALENDAR`: the decision falls into the calendar's open hours.
    During(Name),
    /// `A and B`.
    And(Vec<Condition>),
    /// `A or B`.
    Or(Vec<Condition>),
    /// `not A`; `FIELD is not VALUE` and `outside CALENDAR` are written with it.
    Not(Box<Condition>),
}

impl Condition {
    /// Whether the condition holds for the ticket at `now`.
    pub fn holds(&self, ticket: &Ticket, directory: &Directory, now: Timestamp) -> bool {
        let value = |field: &Name| ticket.fields.get(field);
        match self {
            Self::Is(field, expected) => value(field).is_some_and(|value| matches(value, expected)),
            Self::IsOneOf(field, options) => value(field)
                .is_some_and(|value| options.iter().any(|option| matches(value, option))),
            Self::IsEmpty(field) => value(field).is_none(),
            Self::IsOver(field, bound) => {
                matches!(value(field), Some(Value::Number(number)) if number > bound)
            }
            Self::IsUnder(field, bound) => {
                matches!(value(field), Some(Value::Number(number)) if number < bound)
            }
            Self::Before(field, day) => {
                matches!(value(field), Some(Value::Date(date)) if date < day)
            }
            Self::After(field, day) => {
                matches!(value(field), Some(Value::Date(date)) if date > day)
            }
            Self::During(calendar) => directory
                .calendars
                .get(calendar)
                .is_some_and(|found| found.is_open(now)),
            Self::And(all) => all.iter().all(|one| one.holds(ticket, directory, now)),
            Self::Or(any) => any.iter().any(|one| one.holds(ticket, directory, now)),
            Self::Not(inner) => !inner.holds(ticket, directory, now),
        }
    }

    /// Calls `visit` with each field that the condition reads.
    pub fn visit_fields(&self, visit: &mut impl FnMut(&Name)) {
        match self {
            Self::Is(field, _)
            | Self::IsOneOf(field, _)
            | Self::IsEmpty(field)
            | Self::IsOver(field, _)
            | Self::IsUnder(field, _)
            | Self::Before(field, _)
            | Self::After(field, _) => visit(field),
            Self::During(_) => (),
            Self::And(all) | Self::Or(all) => all.iter().for_each(|one| one.visit_fields(visit)),
            Self::Not(inner) => inner.visit_fields(visit),
        }
    }
}

/// A field of several choices *is* a value when the value is among them.
fn matches(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::List(list), Value::Text(text)) => list.iter().any(|item| item.as_str() == text),
        _ => value == expected,
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(field, value) => write!(f, "{field} is {}", Quoted(value)),
            Self::IsOneOf(field, values) => fmt_list(f, field, "", values),
            Self::IsEmpty(field) => write!(f, "{field} is empty"),
            Self::IsOver(field, bound) => write!(f, "{field} is over {bound}"),
            Self::IsUnder(field, bound) => write!(f, "{field} is under {bound}"),
            Self::Before(field, day) => write!(f, "{field} before {day}"),
            Self::After(field, day) => write!(f, "{field} after {day}"),
            Self::During(calendar) => write!(f, "during {calendar}"),
            Self::And(all) => join(f, all, " and "),
            Self::Or(any) => join(f, any, " or "),
            Self::Not(inner) => match &**inner {
                Self::Is(field, value) => write!(f, "{field} is not {}", Quoted(value)),
                Self::IsOneOf(field, values) => fmt_list(f, field, "not ", values),
                Self::IsEmpty(field) => write!(f, "{field} is not empty"),
                Self::During(calendar) => write!(f, "outside {calendar}"),
                _ => write!(f, "not ({inner})"),
            },
        }
    }
}

fn fmt_list(f: &mut fmt::Formatter<'_>, field: &Name, not: &str, values: &[Value]) -> fmt::Result {
    write!(f, "{field} is {not}one of [")?;
    for (index, value) in values.iter().enumerate() {
        let before = if index == 0 { "" } else { ", " };
        write!(f, "{before}{}", Quoted(value))?;
    }
    f.write_str("]")
}

/// A value as the phrase has it: in quotes where it would read as something else.
struct Quoted<'a>(&'a Value);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            Value::Text(text) if needs_quotes(text) => text,
            other => return other.fmt(f),
        };
        let quote = if text.contains('"') && !text.contains('\'') {
            '\''
        } else {
            '"'
        };
        // Inside quotes the quote itself is written twice.
        let doubled = text.replace(quote, &format!("{quote}{quote}"));
        write!(f, "{quote}{doubled}{quote}")
    }
}

fn needs_quotes(text: &str) -> bool {
    let marks = ['(', ')', '[', ']', ',', '"', '\''];
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let keywords = ["not", "empty", "one", "over", "under", "before", "after"];
    keywords.contains(&first)
        || text.trim() != text
        || text.is_empty()
        || text.contains(|c: char| marks.contains(&c) || c.is_control())
        || text
            .split_whitespace()
            .any(|word| matches!(word, "and" | "or"))
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Condition], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        let before = if index == 0 { "" } else { word };
        match part {
            Condition::And(_) | Condition::Or(_) => write!(f, "{before}({part})")?,
            _ => write!(f, "{before}{part}")?,
        }
    }
    Ok(())
}
