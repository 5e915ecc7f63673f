//! A recorded log: rows to entries, one by one or all of them in the order of time.

use std::io::{self, Read};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::Name;

use super::layout::{Fields, Layout};
use super::problems::{BadRow, quoted};
use super::rows::{BadShape, MAX_COLUMNS, Read1, Row, Rows};
use super::source::decode;
use super::times::written;
use super::{ClockChange, Mapping, Problems, STATUS_SEPARATOR, Text, Texts, What};

/// Longest number of a ticket, in bytes.
pub const MAX_TICKET_BYTES: usize = 256;
/// How many rows there are between two calls of a progress function.
pub const ROWS_PER_PROGRESS: u64 = 1_000;

/// One row of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The line of the file, from 1.
    pub line: u64,
    /// The ticket's number.
    pub ticket: Text,
    /// When it happened.
    pub at: Timestamp,
    /// What the row tells.
    pub what: What,
    /// The status as it was written.
    pub status: Text,
    /// Who did it.
    pub person: Option<Text>,
    /// The team that has it.
    pub team: Option<Text>,
    /// The rank of the line of support that has it.
    pub level: Option<u16>,
    /// What the columns say that the mapping fills fields from, in the order of
    /// [`PlayMap::field_columns`](super::PlayMap::field_columns).
    pub values: Box<[Text]>,
}

const MAX_TEXT_MB: usize = super::texts::MAX_TEXT_BYTES >> 20;

/// Why a log can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file could not be read on.
    #[error("the log can't be read after line {line}: {error}")]
    Io {
        /// The last line that was begun.
        line: u64,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A zip file, or a spreadsheet.
    #[error(
        "this is a zip file or a spreadsheet: save the sheet as CSV, or unpack the file, and take that"
    )]
    Packed,
    /// There is no header.
    #[error("the log is empty: it needs a first line with the names of the columns")]
    Empty,
    /// The header can't be read.
    #[error("the first line can't be read as the names of at most {MAX_COLUMNS} columns")]
    Header,
    /// The mapping names columns that the log does not have.
    #[error("{}", missing(columns, there, *delimiter, *encoding))]
    NoColumns {
        /// Those that are missing.
        columns: Vec<String>,
        /// Those that are there.
        there: Vec<String>,
        /// What the header's columns seem to be parted by instead.
        delimiter: Option<char>,
        /// What the header can be read as, if it can't in the mapping's encoding.
        encoding: Option<Misread>,
    },
    /// The header has a column of the mapping twice.
    #[error("the log has two columns `{column}`: give one of them another name")]
    TwoColumns {
        /// Which.
        column: String,
    },
    /// More different texts than can be kept.
    #[error("the log has more than {MAX_TEXT_MB} MB of different texts (at line {line})")]
    TooMuch {
        /// Where.
        line: u64,
    },
}

/// A text that is not in the encoding in which it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misread {
    /// In which it was read.
    pub read: &'static str,
    /// In which it makes sense, if one is known.
    pub likely: Option<&'static str>,
}

impl Misread {
    /// What there is to do.
    fn way_out(self) -> String {
        let Self { read, likely } = self;
        let write = match likely {
            Some(likely) => format!("it reads as {likely}: write `encoding: {likely}`"),
            None => "write its own, such as `encoding: gbk`,".to_owned(),
        };
        let from = likely.unwrap_or("gbk");
        format!(
            "; this is not {read}, and {write} in the mapping, or convert it: \
             `iconv -f {from} -t utf-8 LOG > NEW`"
        )
    }
}

fn missing(
    columns: &[String],
    there: &[String],
    delimiter: Option<char>,
    encoding: Option<Misread>,
) -> String {
    let list = |names: &[String]| {
        let names = names.iter().map(|name| format!("`{}`", quoted(name)));
        names.collect::<Vec<_>>().join(", ")
    };
    let hint = match delimiter {
        _ if encoding.is_some() => encoding.map(Misread::way_out).unwrap_or_default(),
        Some('\t') => "; is the delimiter a tab?".to_owned(),
        Some(delimiter) => format!("; is the delimiter `{delimiter}`?"),
        None => String::new(),
    };
    let (noun, there) = (
        if columns.len() == 1 {
            "column"
        } else {
            "columns"
        },
        list(there),
    );
    format!(
        "the log has no {noun} {}; it has: {there}{hint}",
        list(columns)
    )
}

/// Reads the entries of a log one by one, in the order of the file; memory does not grow with its rows,
/// only with its different texts.
pub struct LogReader<'m, R> {
    mapping: &'m Mapping,
    rows: Rows<R>,
    row: Row,
    layout: Layout,
    keeper: Keeper,
    read: u64,
}

impl<'m> LogReader<'m, ()> {
    /// Reads the header and finds the columns of the mapping in it.
    ///
    /// # Errors
    /// [`LogError`]: no header, or columns that are not there.
    pub fn open(
        source: impl Read + 'm,
        mapping: &'m Mapping,
    ) -> Result<LogReader<'m, impl Read>, LogError> {
        let mut rows = Rows::new(decode(source, mapping.encoding)?, mapping.delimiter);
        let mut row = Row::default();
        match rows.read(&mut row) {
            Err(error) => return Err(LogError::Io { line: 1, error }),
            Ok(Read1::End) => return Err(LogError::Empty),
            Ok(Read1::Bad(_)) => return Err(LogError::Header),
            Ok(Read1::Row) => {}
        }
        Ok(LogReader {
            mapping,
            layout: Layout::find(mapping, &row)?,
            rows,
            row,
            keeper: Keeper::default(),
            read: 0,
        })
    }
}

impl<R: Read> LogReader<'_, R> {
    /// The next entry; `None` at the end. Bad rows are counted and passed over.
    ///
    /// # Errors
    /// [`LogError::Io`] and [`LogError::TooMuch`].
    pub fn next_entry(&mut self) -> Result<Option<LogEntry>, LogError> {
        loop {
            let read = self.rows.read(&mut self.row);
            let line = self.row.line;
            let bad = match read.map_err(|error| LogError::Io { line, error })? {
                Read1::End => return Ok(None),
                Read1::Bad(BadShape::Unclosed) => BadRow::Unclosed {
                    line: Some(self.row.opens).filter(|opens| *opens != line),
                },
                Read1::Bad(BadShape::TooLarge) => BadRow::TooLarge {
                    line: self.row.opens,
                },
                Read1::Row => match self.entry()? {
                    Ok(entry) => {
                        self.read += 1;
                        return Ok(Some(entry));
                    }
                    Err(bad) => bad,
                },
            };
            self.read += 1;
            let kind = bad.kind();
            self.keeper
                .problems
                .bad_rows
                .add(line, kind, || bad.to_string());
        }
    }

    /// How many rows were read, bad ones included.
    pub fn rows(&self) -> u64 {
        self.read
    }

    /// The texts of the entries so far.
    pub fn texts(&self) -> &Texts {
        &self.keeper.texts
    }

    /// What was wrong so far.
    pub fn problems(&self) -> &Problems {
        &self.keeper.problems
    }

    /// The entry of the row read last. The outer error ends the reading.
    fn entry(&mut self) -> Result<Result<LogEntry, BadRow>, LogError> {
        let (has, header) = (self.row.columns(), self.layout.names.len());
        if has != header {
            // Of a row of many lines the quotation marks are wrong, and the next lines may be good rows.
            if self.row.lines > 1 {
                self.rows.retry_after_first_line();
                return Ok(Err(BadRow::Swallowed {
                    line: self.row.opens,
                    lines: self.row.lines - (self.row.opens - self.row.line),
                }));
            }
            return Ok(Err(BadRow::Columns { has, header }));
        }
        if let Some(column) = self.layout.broken_column(&self.row) {
            self.rows.retry_after_first_line();
            let line = self.row.opens;
            return Ok(Err(BadRow::LineBreak { column, line }));
        }
        let fields = match self.layout.fields(&self.row, &self.mapping.times) {
            Ok(fields) => fields,
            Err(bad) => return Ok(Err(bad)),
        };
        let kept = self.keeper.keep(self.mapping, &fields, self.row.line);
        let line = self.row.line;
        kept.ok_or(LogError::TooMuch { line }).map(Ok)
    }
}

/// What stays when a row has been read.
#[derive(Default)]
struct Keeper {
    texts: Texts,
    problems: Problems,
    /// The status of the row, made here to save an allocation a row.
    status: String,
    /// The latest time of each ticket so far, by the index of its text.
    latest: Vec<Timestamp>,
}

impl Keeper {
    /// The entry; `None` if the texts are too many.
    fn keep(&mut self, mapping: &Mapping, fields: &Fields<'_>, line: u64) -> Option<LogEntry> {
        self.status.clear();
        for (index, part) in fields.status.iter().enumerate() {
            let separator = if index == 0 { "" } else { STATUS_SEPARATOR };
            self.status.push_str(separator);
            self.status.push_str(part);
        }
        let what = mapping.means.of(&self.status).unwrap_or_else(|| {
            self.problems.unknown_statuses.add(line, &self.status);
            What::Other
        });
        let level = fields.level.and_then(|level| {
            let rank = mapping.levels.get(level).copied();
            if rank.is_none() {
                self.problems.unknown_levels.add(line, level);
            }
            rank
        });
        match fields.change {
            ClockChange::None => {}
            ClockChange::Twice => self.problems.twice += 1,
            ClockChange::Skipped => self.problems.skipped += 1,
        }
        let ticket = self.texts.keep(fields.ticket)?;
        self.check_order(ticket, fields, line, mapping.times.zone.as_ref());
        let texts = &mut self.texts;
        let mut optional = |text: Option<&str>| match text {
            Some(text) => texts.keep(text).map(Some),
            None => Some(None),
        };
        let (person, team) = (optional(fields.person)?, optional(fields.team)?);
        let values = fields.values.iter().map(|value| texts.keep(value));
        Some(LogEntry {
            line,
            ticket,
            at: fields.at,
            what,
            values: values.collect::<Option<_>>()?,
            status: texts.keep(&self.status)?,
            person,
            team,
            level,
        })
    }

    fn check_order(
        &mut self,
        ticket: Text,
        fields: &Fields<'_>,
        line: u64,
        zone: Option<&TimeZone>,
    ) {
        if self.latest.len() <= ticket.index() {
            self.latest.resize(ticket.index() + 1, Timestamp::MIN);
        }
        let latest = &mut self.latest[ticket.index()];
        if fields.at < *latest {
            self.problems.out_of_order.add(line, "order", || {
                let ticket = quoted(fields.ticket);
                let time = |at| written(at, zone);
                let (at, latest) = (time(fields.at), time(*latest));
                format!("{at} is before an earlier row of ticket {ticket} ({latest})")
            });
        }
        *latest = (*latest).max(fields.at);
    }
}

/// A whole log in the order of time; of rows at one instant the one that stands first in the file is first.
#[derive(Debug, Clone)]
pub struct Log {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Their texts.
    pub texts: Texts,
    /// How many rows the file has, bad ones included.
    pub rows: u64,
    /// What was wrong.
    pub problems: Problems,
}

impl Log {
    /// Reads a log to its end. `progress` is told the number of rows, every [`ROWS_PER_PROGRESS`].
    ///
    /// # Errors
    /// [`LogError`]; bad rows are none, they stand in [`Log::problems`].
    pub fn read(
        source: impl Read,
        mapping: &Mapping,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, LogError> {
        let mut reader = LogReader::open(source, mapping)?;
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
            if reader.rows().is_multiple_of(ROWS_PER_PROGRESS) {
                progress(reader.rows());
            }
        }
        progress(reader.rows());
        entries.sort_by_key(|entry| (entry.at, entry.line));
        Ok(Self {
            entries,
            rows: reader.rows(),
            texts: reader.keeper.texts,
            problems: reader.keeper.problems,
        })
    }

    /// The text.
    pub fn text(&self, text: Text) -> &Name {
        self.texts.get(text)
    }
}
