//! [`Sources`]: the texts of the author's files, and where an offset stands in them.

use std::ops::Range;

use upline_core::{Name, Place};

use crate::Site;

/// A file of a [`Sources`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// Line and column for people: both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, counted in Unicode scalar values as editors do.
    pub column: u32,
}

/// The files that were read, by name.
///
/// Every method is total: an unknown file is empty, and an offset beyond the end or inside a character
/// counts as the nearest one before it.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Source {
    name: Name,
    text: String,
    /// Offset of the first byte of each line; never empty.
    lines: Vec<usize>,
}

impl Sources {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under the name that messages and journals shall show.
    pub fn add(&mut self, name: impl Into<Name>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source {
            name: name.into(),
            text,
            lines,
        });
        id
    }

    /// Each file with its name and text, in the order of [`Sources::add`].
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Name, &str)> {
        let ids = (0..).map(FileId);
        ids.zip(&self.files)
            .map(|(id, file)| (id, &file.name, file.text.as_str()))
    }

    fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(usize::try_from(file.0).ok()?)
    }

    /// The name of the file.
    pub fn name(&self, file: FileId) -> &str {
        self.get(file).map_or("", |file| file.name.as_str())
    }

    /// The text of the file.
    pub fn text(&self, file: FileId) -> &str {
        self.get(file).map_or("", |file| file.text.as_str())
    }

    /// The text at the site.
    pub fn slice(&self, site: Site) -> &str {
        let text = self.text(site.file);
        let start = floor(text, site.start);
        &text[start..floor(text, site.end).max(start)]
    }

    /// Line and column of the byte at `offset`.
    pub fn position(&self, file: FileId, offset: usize) -> Position {
        let Some(source) = self.get(file) else {
            return Position { line: 1, column: 1 };
        };
        let offset = floor(&source.text, offset);
        let line = source.lines.partition_point(|&start| start <= offset);
        let start = source
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let column = source.text[start..offset].chars().count() + 1;
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Position {
            line: number(line),
            column: number(column),
        }
    }

    /// Where a rule stands, as the journal records it.
    pub fn place(&self, file: FileId, offset: usize) -> Place {
        // Without the column, which takes a look at all of the line.
        let Some(source) = self.get(file) else {
            return Place::default();
        };
        let line = source.lines.partition_point(|&start| start <= offset);
        Place {
            file: source.name.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }

    /// The part `range` of the phrase `text` that was read from the scalar at `site`.
    ///
    /// A scalar that YAML unfolded or unescaped has no such part in the file; then it is the whole scalar.
    pub fn within(&self, site: Site, text: &str, range: &Range<usize>) -> Site {
        let Some(at) = self.slice(site).find(text) else {
            return site;
        };
        let start = site.start + at + range.start.min(text.len());
        let end = site.start + at + range.end.min(text.len());
        Site::new(site.file, start..end.max(start))
    }
}

fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_every_offset_has_a_position() {
        let mut sources = Sources::new();
        let text = "a: 中文 x\r\nb: 2\n";
        let file = sources.add("f.yaml", text);
        let at = |offset| {
            let Position { line, column } = sources.position(file, offset);
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 4));
        assert_eq!(at(4), (1, 4), "inside a character is at it");
        assert_eq!(at(10), (1, 7));
        assert_eq!(at(13), (2, 1));
        assert_eq!(at(text.len()), (3, 1));
        assert_eq!(at(usize::MAX), (3, 1));
        assert_eq!(sources.place(file, 13).to_string(), "f.yaml:2");
        assert_eq!(
            sources.position(FileId(7), 3),
            Position { line: 1, column: 1 }
        );
    }

    #[test]
    fn a_part_of_a_phrase_is_found_behind_its_quotes() {
        let mut sources = Sources::new();
        let file = sources.add(
            "f.yaml",
            "who: \"lead of desk\"\nwho: \"lead\\x20of desk\"\n",
        );
        let site = Site::new(file, 5..19);
        let part = sources.within(site, "lead of desk", &(8..12));
        assert_eq!(sources.slice(part), "desk");
        let escaped = Site::new(file, 25..42);
        assert_eq!(sources.within(escaped, "lead of desk", &(8..12)), escaped);
    }
}
