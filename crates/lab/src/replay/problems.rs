//! What is wrong with a log: counted in full, and named up to a limit.

use std::collections::BTreeMap;

use serde::Serialize;

use super::TimeFault;

/// Most bad rows that are named; all are counted.
pub const MAX_NAMED: usize = 100;
/// Most different unknown values that are named; all rows with one are counted.
pub const MAX_NAMED_VALUES: usize = 200;
/// Longest piece of a log that a message repeats, in characters.
pub const MAX_QUOTED: usize = 60;

/// What was found in a log that is not as the mapping says. None of it ends the reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// Rows that could not be used, and why: nothing of them counts anywhere.
    pub bad_rows: Named,
    /// Rows that stand before an earlier row of their ticket. They are used, at their time.
    pub out_of_order: Named,
    /// Rows whose status has no meaning in the mapping. They count as changes without one.
    pub unknown_statuses: Values,
    /// Rows whose level has no rank in the mapping. They count as rows without a level.
    pub unknown_levels: Values,
    /// Local times that the clocks showed twice; each was read as the first.
    pub twice: u64,
    /// Local times that the clocks skipped; each was read as the first one after the skip.
    pub skipped: u64,
}

impl Problems {
    /// Whether everything was as the mapping says.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Rows with something wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// How many there are.
    pub rows: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// The first [`MAX_NAMED`] of them.
    pub named: Vec<NamedRow>,
}

impl Named {
    pub(super) fn add(&mut self, line: u64, kind: &'static str, what: impl FnOnce() -> String) {
        self.rows += 1;
        *self.kinds.entry(kind).or_default() += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(NamedRow { line, what: what() });
        }
    }
}

/// A row with something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedRow {
    /// The line of the file that it begins in, from 1; the header is line 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

/// Values that the mapping does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Values {
    /// How many rows have one.
    pub rows: u64,
    /// The first [`MAX_NAMED_VALUES`] different ones.
    pub named: BTreeMap<String, ValueRows>,
}

/// How often a value occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ValueRows {
    /// In how many rows.
    pub rows: u64,
    /// The line of the first of them.
    pub first_line: u64,
}

impl Values {
    pub(super) fn add(&mut self, line: u64, value: &str) {
        self.rows += 1;
        let value = quoted(value);
        if let Some(found) = self.named.get_mut(&value) {
            found.rows += 1;
        } else if self.named.len() < MAX_NAMED_VALUES {
            let first = ValueRows {
                rows: 1,
                first_line: line,
            };
            self.named.insert(value, first);
        }
    }
}

/// Why a row could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRow {
    #[error("it has {}, and the header has {header}", columns(*has))]
    Columns { has: usize, header: usize },
    #[error("a quotation mark opens {} and is not closed", here(*line))]
    Unclosed { line: Option<u64> },
    #[error("a quotation mark opens in line {line} and takes in {lines} lines; is it not closed?")]
    Swallowed { line: u64, lines: u64 },
    #[error("it is larger than a row can be; is a quotation mark of line {line} not closed?")]
    TooLarge { line: u64 },
    #[error("a line break in `{column}`; is a quotation mark of line {line} not closed?")]
    LineBreak { column: String, line: u64 },
    #[error("`{column}` is not text in the encoding of the log; see `encoding` in the mapping")]
    Encoding { column: String },
    #[error("`{column}` is empty")]
    Empty { column: String },
    #[error("`{column}` is longer than {limit} bytes")]
    Long { column: String, limit: usize },
    #[error("`{column}` has a control character")]
    Control { column: String },
    #[error("`{column}`: \"{text}\" {fault}")]
    Time {
        column: String,
        text: String,
        fault: TimeFault,
    },
}

fn columns(count: usize) -> String {
    match count {
        1 => "1 column".to_owned(),
        many => format!("{many} columns"),
    }
}

fn here(line: Option<u64>) -> String {
    line.map_or_else(|| "here".to_owned(), |line| format!("in line {line}"))
}

impl BadRow {
    /// The kind, for counting.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Columns { .. } => "columns",
            Self::Unclosed { .. } | Self::LineBreak { .. } | Self::Swallowed { .. } => "quotation",
            Self::TooLarge { .. } | Self::Long { .. } => "size",
            Self::Encoding { .. } => "encoding",
            Self::Empty { .. } => "empty",
            Self::Control { .. } => "control",
            Self::Time { .. } => "time",
        }
    }
}

/// A piece of a log as a message repeats it: one line, not long, nothing in it that can't be seen.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == MAX_QUOTED {
            out.push('…');
            break;
        }
        match c.is_control() || is_bidi(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

/// Characters that turn the direction of what follows.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_short_and_visible() {
        assert_eq!(quoted("a\nb\u{202e}c\0"), "a\\u{a}b\\u{202e}c\\u{0}");
        assert_eq!(quoted(&"é".repeat(1000)).chars().count(), MAX_QUOTED + 1);
    }

    #[test]
    fn lists_are_capped_and_totals_are_not() {
        let mut rows = Named::default();
        let mut values = Values::default();
        for line in 0..1_000 {
            rows.add(line, "time", || "late".to_owned());
            values.add(line, &format!("value {}", line % 500));
        }
        assert_eq!((rows.rows, rows.named.len()), (1_000, MAX_NAMED));
        assert_eq!(rows.kinds["time"], 1_000);
        assert_eq!((values.rows, values.named.len()), (1_000, MAX_NAMED_VALUES));
        assert_eq!(
            values.named["value 7"],
            ValueRows {
                rows: 2,
                first_line: 7
            }
        );
    }
}
