//! Rows of a delimited text, in bounded memory whatever the bytes are.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Longest row, in bytes, line breaks within quotes included.
pub const MAX_ROW_BYTES: usize = 4 << 20;
/// Longest field, in bytes.
pub const MAX_FIELD_BYTES: usize = 1 << 20;
/// Most lines of one row: a text within quotes may have line breaks, but a row that swallows hundreds of
/// lines has a quote too many.
pub const MAX_ROW_LINES: u64 = 500;
/// Most columns.
pub const MAX_COLUMNS: usize = 1_024;

const CHUNK: usize = 64 << 10;

/// One row, reused from call to call.
#[derive(Debug)]
pub(super) struct Row {
    text: Vec<u8>,
    ends: Vec<usize>,
    columns: usize,
    /// The line it begins in, from 1.
    pub(super) line: u64,
    /// How many lines it has.
    pub(super) lines: u64,
    /// The line in which the column opens that has most of its line breaks: that quotation mark is suspected.
    pub(super) opens: u64,
}

impl Row {
    /// The columns' bytes, quotes taken away.
    pub(super) fn column(&self, index: usize) -> &[u8] {
        let ends = &self.ends[..self.columns];
        let Some(&end) = ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| ends[before]);
        &self.text[start..end]
    }

    /// How many columns it has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Finds the line in which the column with the most line breaks opens.
    fn find_opening(&mut self) {
        let (mut line, mut most) = (self.line, 0);
        self.opens = line;
        for index in 0..self.columns {
            let breaks = count_lines(self.column(index), false).0;
            if breaks > most {
                (most, self.opens) = (breaks, line);
            }
            line += breaks;
        }
    }

    fn longest_column(&self) -> usize {
        let lengths = (0..self.columns).map(|index| self.column(index).len());
        lengths.max().unwrap_or(0)
    }
}

impl Default for Row {
    fn default() -> Self {
        Self {
            text: vec![0; 1 << 10],
            ends: vec![0; 64],
            columns: 0,
            line: 0,
            lines: 0,
            opens: 0,
        }
    }
}

/// What became of the next row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read1 {
    /// It was read.
    Row,
    /// It can't be read; the next call goes on with the line after its first one.
    Bad(BadShape),
    /// There are no more.
    End,
}

/// Why the shape of a row is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadShape {
    /// The text ends within a quoted field.
    Unclosed,
    /// More than [`MAX_ROW_LINES`] lines, [`MAX_ROW_BYTES`] or [`MAX_COLUMNS`], or a longer field.
    TooLarge,
}

/// Reads rows.
///
/// A quote that is never closed spoils one line, not the rest of the text: the bytes of a row are kept until
/// the next one is asked for, so reading can go on with the row's second line.
#[derive(Debug)]
pub(super) struct Rows<R> {
    source: R,
    /// Never cloned: the clone of a `csv_core::Reader` (0.1.13) takes every byte for a row.
    parser: Reader,
    buffer: Vec<u8>,
    /// Where the last row begins in the buffer.
    start: usize,
    /// What comes next in the buffer.
    next: usize,
    at_end: bool,
    /// The line of `start`.
    line: u64,
    after_cr: bool,
}

impl<R: Read> Rows<R> {
    /// Rows of `source`, whose columns are parted by `delimiter`.
    pub(super) fn new(source: R, delimiter: u8) -> Self {
        Self {
            source,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: Vec::with_capacity(2 * CHUNK),
            start: 0,
            next: 0,
            at_end: false,
            line: 1,
            after_cr: false,
        }
    }

    /// Reads the next row into `row`.
    pub(super) fn read(&mut self, row: &mut Row) -> io::Result<Read1> {
        self.go_on_from(self.next);
        if !self.skip_line_breaks()? {
            return Ok(Read1::End);
        }
        row.line = self.line;
        row.columns = 0;
        let mut length = 0;
        loop {
            self.fill()?;
            let input = &self.buffer[self.next..];
            let (text, ends) = (&mut row.text[length..], &mut row.ends[row.columns..]);
            let (result, read, written, columns) = self.parser.read_record(input, text, ends);
            self.next += read;
            length += written;
            row.columns += columns;
            match result {
                ReadRecordResult::InputEmpty if self.next - self.start <= MAX_ROW_BYTES => {}
                ReadRecordResult::OutputFull if length < MAX_ROW_BYTES => {
                    row.text.resize(row.text.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if row.columns <= MAX_COLUMNS => {
                    row.ends.resize(row.ends.len() * 2, 0);
                }
                ReadRecordResult::Record => return Ok(self.judge(row)),
                ReadRecordResult::End => return Ok(Read1::End),
                _ => {
                    // The columns that are whole stand before the one that has no end.
                    let whole = row.columns.checked_sub(1).map_or(0, |last| row.ends[last]);
                    row.opens = row.line + count_lines(&row.text[..whole], false).0;
                    return self.give_up(BadShape::TooLarge);
                }
            }
        }
    }

    /// Goes on with the line after the first one of the row read last: it was no row.
    pub(super) fn retry_after_first_line(&mut self) {
        let row = &self.buffer[self.start..self.next];
        let first = row.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        if let Some(first) = first {
            self.parser.reset();
            self.go_on_from(self.start + first + 1);
        }
    }

    fn judge(&mut self, row: &mut Row) -> Read1 {
        let raw = &self.buffer[self.start..self.next];
        let within = raw.trim_ascii_end();
        row.lines = 1 + count_lines(within, false).0;
        row.opens = row.line;
        if row.lines > 1 {
            row.find_opening();
        }
        let at_end = self.at_end && self.next == self.buffer.len();
        let breaks = within.len() < raw.len() || row.lines > 1;
        if at_end && breaks && raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            // A closed quoted field has two quotes, and one within it is written as two.
            let last = row.column(row.columns.saturating_sub(1));
            if last.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
                self.retry_after_first_line();
                return Read1::Bad(BadShape::Unclosed);
            }
        }
        let large = row.lines > MAX_ROW_LINES || row.columns > MAX_COLUMNS;
        if large || (raw.len() > MAX_FIELD_BYTES && row.longest_column() > MAX_FIELD_BYTES) {
            self.retry_after_first_line();
            return Read1::Bad(BadShape::TooLarge);
        }
        Read1::Row
    }

    /// Skips to the end of the row's first line, however long that is.
    fn give_up(&mut self, shape: BadShape) -> io::Result<Read1> {
        self.parser.reset();
        loop {
            let row = &self.buffer[self.start..];
            if let Some(first) = row.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                self.go_on_from(self.start + first + 1);
                return Ok(Read1::Bad(shape));
            }
            self.go_on_from(self.buffer.len());
            self.fill()?;
            if self.start == self.buffer.len() {
                return Ok(Read1::Bad(shape));
            }
        }
    }

    /// The rest of the buffer begins at `next`; lines before it are counted and forgotten.
    fn go_on_from(&mut self, next: usize) {
        let (lines, after_cr) = count_lines(&self.buffer[self.start..next], self.after_cr);
        self.line += lines;
        self.after_cr = after_cr;
        self.start = next;
        self.next = next;
        if self.start >= CHUNK && self.start * 2 >= self.buffer.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.next = 0;
        }
    }

    /// Whether anything comes after them. A break that belongs to the row before is skipped here too.
    fn skip_line_breaks(&mut self) -> io::Result<bool> {
        loop {
            self.fill()?;
            match self.buffer.get(self.next) {
                None => return Ok(false),
                Some(b'\n' | b'\r') => self.go_on_from(self.next + 1),
                Some(_) => return Ok(true),
            }
        }
    }

    /// Reads on when the buffer is used up.
    fn fill(&mut self) -> io::Result<()> {
        if self.next < self.buffer.len() || self.at_end {
            return Ok(());
        }
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.at_end = read? == 0;
        Ok(())
    }
}

/// Line breaks of all three kinds: `\n`, `\r\n` and `\r`; and whether a `\n` that follows belongs to the
/// last.
fn count_lines(bytes: &[u8], mut after_cr: bool) -> (u64, bool) {
    let mut lines = 0;
    for &byte in bytes {
        if byte == b'\r' || (byte == b'\n' && !after_cr) {
            lines += 1;
        }
        after_cr = byte == b'\r';
    }
    (lines, after_cr)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Vec<String> {
        let mut rows = Rows::new(text, b',');
        let mut row = Row::default();
        let mut found = Vec::new();
        loop {
            match rows.read(&mut row).unwrap() {
                Read1::End => return found,
                Read1::Bad(shape) => found.push(format!("{} {shape:?}", row.line)),
                Read1::Row => {
                    let columns = (0..row.columns()).map(|index| row.column(index));
                    let columns: Vec<_> = columns.map(String::from_utf8_lossy).collect();
                    found.push(format!("{} {}", row.line, columns.join("|")));
                }
            }
        }
    }

    #[test]
    fn all_kinds_of_line_breaks_are_counted() {
        assert_eq!(all(b"a,b\n1,2\n\n3,4"), ["1 a|b", "2 1|2", "4 3|4"]);
        assert_eq!(all(b"a,b\r\n1,2\r\n3,4\r\n"), ["1 a|b", "2 1|2", "3 3|4"]);
        assert_eq!(all(b"a,b\r1,2\r3,4"), ["1 a|b", "2 1|2", "3 3|4"]);
        assert_eq!(all(b"a\n\"x\ny\",2\nz"), ["1 a", "2 x\ny|2", "4 z"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_spoils_one_line() {
        assert_eq!(
            all(b"a,b\n1,\"2\n3,4\n5,6\n"),
            ["1 a|b", "2 Unclosed", "3 3|4", "4 5|6"]
        );
        assert_eq!(all(b"1,\"2\n"), ["1 Unclosed"]);
        // A quote in the middle of a field is a character like others.
        assert_eq!(all(b"1,5\" disk\n2,3\n"), ["1 1|5\" disk", "2 2|3"]);
    }

    #[test]
    fn a_row_without_end_takes_bounded_memory() {
        let mut text = b"a,b\n1,\"".to_vec();
        text.resize(9 << 20, b'x');
        text.extend(b"\n3,4\n");
        let mut rows = Rows::new(&text[..], b',');
        let mut row = Row::default();
        assert_eq!(rows.read(&mut row).unwrap(), Read1::Row);
        assert_eq!(rows.read(&mut row).unwrap(), Read1::Bad(BadShape::TooLarge));
        assert_eq!(rows.read(&mut row).unwrap(), Read1::Row);
        assert_eq!((row.line, row.column(1)), (3, &b"4"[..]));
        assert!(rows.buffer.capacity() + row.text.capacity() <= 4 * MAX_ROW_BYTES);
        let long = [b"a\n", &vec![b'x'; MAX_FIELD_BYTES + 1][..], b"\nb"].concat();
        assert_eq!(all(&long), ["1 a", "2 TooLarge", "3 b"]);
        assert_eq!(
            all(&[&vec![b','; MAX_COLUMNS + 1][..], b"\nb"].concat()),
            ["1 TooLarge", "2 b"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200)) {
            let found = all(&bytes);
            prop_assert!(found.len() <= bytes.len() + 1);
        }

        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(
            proptest::collection::vec("[a-z\",;\n\r ]{0,8}", 2..4), 1..6)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            let found = all(text.as_bytes());
            let columns = found.iter().map(|row| row.split_once(' ').unwrap().1.to_owned());
            let expected: Vec<_> = rows.iter().map(|row| row.join("|")).collect();
            prop_assert_eq!(columns.collect::<Vec<_>>(), expected);
        }
    }
}
