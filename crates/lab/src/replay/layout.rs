//! Where the columns of a mapping stand in a log, and what a row says in them.

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_8, WINDOWS_1251, WINDOWS_1252};
use jiff::Timestamp;

use super::problems::{BadRow, quoted};
use super::rows::Row;
use super::{ClockChange, LogError, MAX_TICKET_BYTES, Mapping, Misread, Times};

/// Where the columns of a mapping stand in a log.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) names: Vec<String>,
    ticket: usize,
    time: usize,
    status: Vec<usize>,
    person: Option<usize>,
    team: Option<usize>,
    level: Option<usize>,
    values: Vec<usize>,
}

/// What a good row says.
pub(super) struct Fields<'a> {
    pub(super) ticket: &'a str,
    pub(super) at: Timestamp,
    pub(super) change: ClockChange,
    pub(super) status: Vec<&'a str>,
    pub(super) person: Option<&'a str>,
    pub(super) team: Option<&'a str>,
    pub(super) level: Option<&'a str>,
    pub(super) values: Vec<&'a str>,
}

impl Layout {
    pub(super) fn find(mapping: &Mapping, header: &Row) -> Result<Self, LogError> {
        let names = (0..header.columns()).map(|index| header.column(index));
        let names: Vec<String> = names
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        let (mut missing, mut twice) = (Vec::new(), None);
        let mut find = |name: &str| {
            let mut found = (0..names.len()).filter(|index| names[*index] == name.trim());
            let first = found.next();
            if first.is_none() && !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
            if found.next().is_some() {
                twice = Some(name.to_owned());
            }
            first.unwrap_or(0)
        };
        let columns = &mapping.columns;
        let values = mapping.play.iter().flat_map(|play| play.field_columns());
        let mut layout = Self {
            ticket: find(&columns.ticket),
            time: find(&columns.time),
            status: columns.status.iter().map(|name| find(name)).collect(),
            person: columns.person.as_deref().map(&mut find),
            team: columns.team.as_deref().map(&mut find),
            level: columns.level.as_deref().map(&mut find),
            values: values.map(&mut find).collect(),
            names: Vec::new(),
        };
        if !missing.is_empty() {
            let delimiter = guess(&names, mapping.delimiter);
            let encoding = misread(mapping, header, &missing);
            return Err(LogError::NoColumns {
                columns: missing,
                there: names,
                delimiter,
                encoding,
            });
        }
        if let Some(column) = twice {
            return Err(LogError::TwoColumns { column });
        }
        layout.names = names;
        Ok(layout)
    }

    fn name(&self, column: usize) -> String {
        quoted(&self.names[column])
    }

    /// A column of the mapping with a line break in it. Fields are taken from columns with free text too.
    pub(super) fn broken_column(&self, row: &Row) -> Option<String> {
        if row.lines == 1 {
            return None;
        }
        let one_line = [self.ticket, self.time].into_iter();
        let one_line = one_line.chain(self.status.iter().copied());
        let mut one_line =
            one_line.chain([self.person, self.team, self.level].into_iter().flatten());
        let broken = one_line.find(|column| {
            let text = row.column(*column);
            text.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        });
        broken.map(|column| self.name(column))
    }

    fn text<'a>(&self, row: &'a Row, column: usize) -> Result<&'a str, BadRow> {
        match std::str::from_utf8(row.column(column)) {
            Ok(text) if !text.contains('\u{fffd}') => Ok(text.trim()),
            _ => Err(BadRow::Encoding {
                column: self.name(column),
            }),
        }
    }

    /// What the row says.
    pub(super) fn fields<'a>(&self, row: &'a Row, times: &Times) -> Result<Fields<'a>, BadRow> {
        let ticket = self.text(row, self.ticket)?;
        let column = || self.name(self.ticket);
        if ticket.is_empty() {
            return Err(BadRow::Empty { column: column() });
        }
        if ticket.len() > MAX_TICKET_BYTES {
            return Err(BadRow::Long {
                column: column(),
                limit: MAX_TICKET_BYTES,
            });
        }
        if ticket.chars().any(char::is_control) {
            return Err(BadRow::Control { column: column() });
        }
        let time = self.text(row, self.time)?;
        if time.is_empty() {
            return Err(BadRow::Empty {
                column: self.name(self.time),
            });
        }
        let at = times.read(time);
        let (at, change) = at.map_err(|fault| BadRow::Time {
            column: self.name(self.time),
            text: quoted(time),
            fault,
        })?;
        let optional = |column: Option<usize>| match column {
            Some(column) => self
                .text(row, column)
                .map(|text| Some(text).filter(|text| !text.is_empty())),
            None => Ok(None),
        };
        let status = self.status.iter().map(|column| self.text(row, *column));
        let values = self.values.iter().map(|column| self.text(row, *column));
        Ok(Fields {
            ticket,
            at,
            change,
            status: status.collect::<Result<_, _>>()?,
            person: optional(self.person)?,
            team: optional(self.team)?,
            level: optional(self.level)?,
            values: values.collect::<Result<_, _>>()?,
        })
    }
}

/// Whether the header is not text in the mapping's encoding, and in which one the missing columns are there.
fn misread(mapping: &Mapping, header: &Row, missing: &[String]) -> Option<Misread> {
    let columns = || (0..header.columns()).map(|index| header.column(index));
    let broken =
        |name: &[u8]| std::str::from_utf8(name).map_or(true, |name| name.contains('\u{fffd}'));
    if !columns().any(broken) {
        return None;
    }
    let has_all = |encoding: &&'static Encoding| {
        let names: Vec<_> = columns().map(|name| encoding.decode(name).0).collect();
        missing
            .iter()
            .all(|missing| names.iter().any(|name| name.trim() == missing.trim()))
    };
    // What was turned into UTF-8 already can't be read in another way.
    let likely = LIKELY
        .into_iter()
        .find(|encoding| mapping.encoding == UTF_8 && has_all(encoding));
    let label = |encoding: &'static Encoding| match encoding.name() {
        "GBK" => "gbk",
        "Big5" => "big5",
        "Shift_JIS" => "shift_jis",
        "EUC-KR" => "euc-kr",
        "windows-1251" => "windows-1251",
        _ => "windows-1252",
    };
    Some(Misread {
        read: mapping.encoding.name(),
        likely: likely.map(label),
    })
}

/// Encodings that a header is tried in.
const LIKELY: [&Encoding; 6] = [GBK, BIG5, SHIFT_JIS, EUC_KR, WINDOWS_1251, WINDOWS_1252];

/// What the columns seem to be parted by, if the header has only one.
fn guess(names: &[String], delimiter: u8) -> Option<char> {
    let [only] = names else { return None };
    let candidates =
        [';', ',', '\t', '|'].map(|candidate| (only.matches(candidate).count(), candidate));
    let likely = candidates.into_iter().max_by_key(|(count, _)| *count);
    let (count, likely) = likely?;
    (count > 0 && likely != char::from(delimiter)).then_some(likely)
}
