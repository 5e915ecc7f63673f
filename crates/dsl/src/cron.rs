//! Tickets that open by themselves: when the next one does.
//!
//! A cron expression has five fields: minute, hour, day of the month, month, day of the week (0 and 7 are
//! Sunday). On the night when clocks go forward, a time that is skipped is the first instant after the skip;
//! when they go back, a time that comes twice counts once. Expressions that programs read in different ways
//! are refused.

use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::workflow::Every;

/// Longest expression, in bytes.
const MAX_CRON_BYTES: usize = 200;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CronError {
    /// Not five fields.
    Fields(usize),
    /// Longer than any expression needs to be.
    TooLong,
    /// A character that only some programs know.
    Character(char),
    /// Both days are given: some programs want one of them, others both.
    BothDays,
    /// A part of a field that its programs can't read.
    Part {
        /// The part: `60`, `5-1`, `*/70`.
        part: String,
        /// What is wrong with it.
        fault: PartFault,
        /// Which field it is in.
        field: Field,
    },
    /// Something else that can't be read.
    Unreadable,
    /// No day is like this: the 30th of February.
    Never,
}

/// What is wrong with a part of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartFault {
    /// Not a number, nor a name that may stand there.
    NoNumber,
    /// A number that the field does not go to.
    Outside,
    /// A range that ends before it begins.
    Backwards,
    /// A step of nothing, or one that is longer than all of the field.
    Step,
}

/// A field of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// One of what it counts.
    name: &'static str,
    least: u32,
    most: u32,
    /// Names that stand for numbers, from the least.
    names: &'static str,
}

const FIELDS: [Field; 5] = [
    Field::new("minute", 0, 59, ""),
    Field::new("hour", 0, 23, ""),
    Field::new("day of the month", 1, 31, ""),
    Field::new(
        "month",
        1,
        12,
        "jan feb mar apr may jun jul aug sep oct nov dec",
    ),
    Field::new("day of the week", 0, 7, "sun mon tue wed thu fri sat"),
];

impl Field {
    const fn new(name: &'static str, least: u32, most: u32, names: &'static str) -> Self {
        Self {
            name,
            least,
            most,
            names,
        }
    }

    /// A number of the field, or the name of one.
    fn number(&self, text: &str) -> Result<u32, PartFault> {
        let low = text.to_ascii_lowercase();
        if let Some(named) = self.names.split_whitespace().position(|name| name == low) {
            return Ok(self.least + u32::try_from(named).unwrap_or(0));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PartFault::NoNumber);
        }
        let number = text.parse().map_err(|_| PartFault::Outside)?;
        match (self.least..=self.most).contains(&number) {
            true => Ok(number),
            false => Err(PartFault::Outside),
        }
    }

    /// `*`, `5`, `1-5`, and any of them with a step: `*/15`.
    fn check(&self, part: &str) -> Result<(), PartFault> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        if range != "*" {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, mut last) = (self.number(first)?, self.number(last)?);
            // Sunday ends the week as well as it begins it.
            if last == 0 && self.most == 7 && first > 0 {
                last = 7;
            }
            if last < first {
                return Err(PartFault::Backwards);
            }
        }
        match step.map(str::parse::<u32>) {
            None => Ok(()),
            Some(Ok(step)) if (1..=self.most).contains(&step) => Ok(()),
            Some(_) => Err(PartFault::Step),
        }
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(count) => write!(f, "a cron expression has five fields, not {count}"),
            Self::TooLong => f.write_str("the cron expression is too long"),
            Self::Character(c) => {
                write!(f, "`{c}` means something to some programs only")
            }
            Self::BothDays => f.write_str(
                "with a day of the month and a day of the week, some programs want one and others both",
            ),
            Self::Part { part, fault, field } => {
                let Field { name, least, most, .. } = field;
                match fault {
                    PartFault::NoNumber => write!(f, "`{part}` is no {name}"),
                    PartFault::Outside => {
                        write!(f, "`{part}` is no {name}: it goes from {least} to {most}")
                    }
                    PartFault::Backwards => {
                        write!(f, "`{part}` runs backwards: write it as two parts, with a comma")
                    }
                    PartFault::Step => {
                        write!(f, "the step of `{part}` must be from 1 to {most}")
                    }
                }
            }
            Self::Unreadable => f.write_str("the cron expression can't be read"),
            Self::Never => f.write_str("there is no such day, ever"),
        }
    }
}

impl std::error::Error for CronError {}

/// Whether the expression is one, and fires at all.
///
/// # Errors
/// [`CronError`] says what is wrong with it.
///
/// ```
/// use upline_dsl::cron::{CronError, check};
/// assert_eq!(check("0 8 * * mon-fri"), Ok(()));
/// assert_eq!(check("0 0 30 2 *"), Err(CronError::Never));
/// ```
pub fn check(text: &str) -> Result<(), CronError> {
    if text.len() > MAX_CRON_BYTES {
        return Err(CronError::TooLong);
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, _, day, months, weekday] = fields[..] else {
        return Err(CronError::Fields(fields.len()));
    };
    let known = |c: char| c.is_ascii_alphanumeric() || " *,-/".contains(c);
    if let Some(strange) = text.chars().find(|c| !known(*c)) {
        return Err(CronError::Character(strange));
    }
    for (index, field) in fields.iter().enumerate() {
        words(field, index)?;
    }
    if day != "*" && weekday != "*" {
        return Err(CronError::BothDays);
    }
    for (text, field) in fields.iter().zip(FIELDS) {
        for part in text.split(',') {
            field.check(part).map_err(|fault| CronError::Part {
                part: part.to_owned(),
                fault,
                field,
            })?;
        }
    }
    parse(text)?;
    if day_exists(day, months) {
        Ok(())
    } else {
        Err(CronError::Never)
    }
}

/// Letters stand only for months and weekdays: `L`, `W` and `5L` mean something to some programs only.
fn words(field: &str, index: usize) -> Result<(), CronError> {
    let names = FIELDS.get(index).map_or("", |field| field.names);
    for part in field.split([',', '-', '/']) {
        let low = part.to_ascii_lowercase();
        if let Some(letter) = part.chars().find(char::is_ascii_alphabetic)
            && !names.split(' ').any(|name| name == low)
        {
            return Err(CronError::Character(letter));
        }
    }
    Ok(())
}

/// Whether one of the months has one of the days: only a list of late days can miss all months.
fn day_exists(days: &str, months: &str) -> bool {
    let earliest = days
        .split([',', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(1))
        .min();
    let longest = |month: &str| match month.to_ascii_lowercase().as_str() {
        "2" | "02" | "feb" => 29,
        "4" | "04" | "apr" | "6" | "06" | "jun" | "9" | "09" | "sep" | "11" | "nov" => 30,
        _ => 31,
    };
    let longest = months.split(',').map(longest).max();
    earliest <= longest
}

fn parse(text: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(text).map_err(|_| CronError::Unreadable)
}

/// When the next ticket opens after `after`. `None` if the expression or the zone can't be read, or nothing
/// is to come.
///
/// ```
/// use upline_core::{Name, Place, workflow::Every};
/// let monday = Every {
///     name: Name::from("weekly"),
///     cron: Name::from("0 8 * * mon"),
///     zone: Name::from("Europe/Berlin"),
///     set: vec![],
///     place: Place::default(),
/// };
/// let friday = "2026-03-06T12:00:00Z".parse().unwrap();
/// let next = upline_dsl::cron::next_after(&monday, friday).unwrap();
/// assert_eq!(next.to_string(), "2026-03-09T07:00:00Z");
/// ```
pub fn next_after(every: &Every, after: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&every.zone).ok()?;
    let cron = parse(&every.cron).ok()?;
    let next = cron.find_next_occurrence(&after.to_zoned(zone), false);
    next.ok()
        .map(|next| next.timestamp())
        .filter(|next| *next > after)
}

#[cfg(test)]
mod tests {
    use upline_core::{Name, Place};

    use super::*;

    fn fires(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let every = Every {
            name: Name::from("every"),
            cron: Name::from(cron),
            zone: Name::from(zone),
            set: Vec::new(),
            place: Place::default(),
        };
        let start: Timestamp = from.parse().unwrap();
        std::iter::successors(Some(start), |at| next_after(&every, *at))
            .skip(1)
            .take(count)
            .map(|at| at.to_string())
            .collect()
    }

    #[test]
    fn a_skipped_time_is_the_first_after_it_and_a_doubled_one_counts_once() {
        let daily = |from: &str| fires("30 2 * * *", "Europe/Berlin", from, 3);
        let spring = [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z",
        ];
        assert_eq!(daily("2026-03-28T00:00:00Z"), spring);
        let autumn = [
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ];
        assert_eq!(daily("2026-10-24T00:00:00Z"), autumn);
    }

    #[test]
    fn leap_days_come() {
        let leap = fires("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2);
        assert_eq!(leap, ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    }

    #[test]
    fn what_programs_read_differently_is_refused() {
        use CronError as E;
        let refused = [
            ("0 8 * *", E::Fields(4)),
            ("0 0 8 * * *", E::Fields(6)),
            ("@daily", E::Fields(1)),
            ("0 8 L * *", E::Character('L')),
            ("0 8 * * 5L", E::Character('L')),
            ("0 8 15W * *", E::Character('W')),
            ("0 8 ? * *", E::Character('?')),
            ("0 8 13 * fri", E::BothDays),
            ("0 0 30 2 *", E::Never),
            ("0 0 30-31 feb *", E::Never),
            ("0 0 31 4,6,9,11 *", E::Never),
        ];
        for (text, error) in refused {
            assert_eq!(check(text), Err(error), "{text}");
        }
        for text in [
            "60 8 * * *",
            "* 24 * * *",
            "0 8 0 * *",
            "0 8 * 13 *",
            "0 8 * * 8",
            "a b c d e",
            "5-1 * * * *",
            "*/0 * * * *",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        for (text, words) in [
            ("60 * * * *", "`60` is no minute: it goes from 0 to 59"),
            (
                "0 8 0 * *",
                "`0` is no day of the month: it goes from 1 to 31",
            ),
            (
                "0 99999999999999999999 * * *",
                "`99999999999999999999` is no hour: it goes from 0 to 23",
            ),
            ("-1 * * * *", "`-1` is no minute"),
            (
                "0 8 * * fri-mon",
                "`fri-mon` runs backwards: write it as two parts, with a comma",
            ),
            ("*/70 * * * *", "the step of `*/70` must be from 1 to 59"),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.to_string(), words, "{text}");
        }
        for text in [
            "0 8 * * mon-fri",
            "0 8 * * sat-sun",
            "*/15 9-17 * * *",
            "0 0 1 jan *",
            "0 0 31 * *",
            "0 8 * * 0",
            "0 8 * * 7",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
