//! The words of one line of a transcript.

use std::ops::Range;

/// A word, a quoted text, or a comma, and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    Comma,
}

/// A quotation mark that nothing closes, from there to the end of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclosed(pub(super) Range<usize>);

/// Reads `line`, which stands at byte `start` of its file.
pub(super) fn tokens(line: &str, start: usize) -> Result<Vec<Token>, Unclosed> {
    let mut found = Vec::new();
    let mut rest = line.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let (kind, text, end) = match c {
            _ if c.is_whitespace() => continue,
            ',' => (Kind::Comma, ",".to_owned(), at + 1),
            '"' => {
                let unclosed = Unclosed(start + at..start + line.len());
                let (text, end) = quoted(&mut rest).ok_or(unclosed)?;
                (Kind::Quoted, text, end)
            }
            _ => {
                let mut end = at + c.len_utf8();
                while let Some((next, c)) = rest.next_if(|(_, c)| is_word(*c)) {
                    end = next + c.len_utf8();
                }
                (Kind::Word, line[at..end].to_owned(), end)
            }
        };
        found.push(Token {
            kind,
            text,
            span: start + at..start + end,
        });
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    !c.is_whitespace() && c != ',' && c != '"'
}

/// The text up to the closing mark; `\"`, `\\` and `\n` stand for a mark, a backslash and a line break.
fn quoted(rest: &mut impl Iterator<Item = (usize, char)>) -> Option<(String, usize)> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            (at, '"') => return Some((text, at + 1)),
            (_, '\\') => match rest.next()?.1 {
                'n' => text.push('\n'),
                c => text.push(c),
            },
            (_, c) => text.push(c),
        }
    }
}
