//! Bytes to text: one encoding, no hidden characters.

use std::ops::Range;

use crate::{Code, Diagnostic, FileId, Found, Site, Sources};

/// Most hidden characters, and most tabs, that are reported of one file.
const MAX_HIDDEN: usize = 20;

/// Why bytes are no text that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoText {
    code: Code,
    message: String,
    help: &'static str,
    /// The text as far as it can be shown; it is short enough to be kept.
    text: String,
    /// What of the text is wrong.
    wrong: Range<usize>,
}

impl NoText {
    /// The mistake at its place.
    pub(crate) fn report(self, sources: &mut Sources, name: &str, found: &mut Found) {
        let site = Site::new(sources.add(name, self.text), self.wrong);
        let mut diagnostic = Diagnostic::new(self.code, site, self.message);
        diagnostic.help(self.help);
        found.push(diagnostic);
    }

    fn encoding(message: String, text: String, wrong: Range<usize>) -> Self {
        Self {
            code: Code::WrongEncoding,
            message,
            help: "save the file as UTF-8; editors call it `UTF-8` or `UTF-8 without BOM`",
            text,
            wrong,
        }
    }
}

/// The bytes as text. Of a file that has more than `most`, they may be any part.
pub(crate) fn decode(bytes: &[u8], size: u64, most: usize) -> Result<&str, NoText> {
    if size > most as u64 {
        return Err(NoText {
            code: Code::TooLarge,
            message: too_large(size, most),
            help: "a workflow or a directory is a file of some pages: is this the right file?",
            text: String::new(),
            wrong: 0..0,
        });
    }
    let other = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("the file is UTF-16 or UTF-32, not UTF-8"),
        [0, other, ..] | [other, 0, ..] if *other != 0 => {
            Some("the file is UTF-16, not UTF-8: every second byte is nothing")
        }
        [0, ..] => Some("the file begins with bytes that are nothing: it is no text, or damaged"),
        _ => None,
    };
    if let Some(message) = other {
        return Err(NoText::encoding(message.to_owned(), String::new(), 0..0));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        // Up to here the text is as the file has it; each wrong byte after it is shown by this sign.
        let start = error.valid_up_to();
        let message = match bytes.get(start) {
            Some(byte) => {
                format!("the file is not UTF-8: here is a byte {byte:02X} that is no character")
            }
            None => "the file is not UTF-8 text".to_owned(),
        };
        let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
        NoText::encoding(
            message,
            String::from_utf8_lossy(bytes).into_owned(),
            start..end,
        )
    })
}

/// `the file has 50000000 bytes (47.7 MiB); at most 1 MiB is read`.
fn too_large(size: u64, most: usize) -> String {
    const MIB: u64 = 1024 * 1024;
    // Tenths of a MiB, never told too small.
    let tenths = size.saturating_mul(10).div_ceil(MIB);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let most = most as u64 / MIB;
    format!("the file has {size} bytes ({whole}.{tenth} MiB); at most {most} MiB is read")
}

/// Reports what can't be read or seen: control characters, those that turn the direction of writing round,
/// and tabs that indent. Whether there was nothing of the kind.
pub(crate) fn check_text(text: &str, file: FileId, found: &mut Found) -> bool {
    let hidden = hidden(text);
    for &(at, character) in &hidden {
        let message = format!(
            "here is a character that nobody sees: U+{:04X}",
            u32::from(character)
        );
        let site = Site::new(file, at..at + character.len_utf8());
        let help = "delete it: what the file says must be what people see";
        found.report_with(Code::BadText, site, message, help);
    }
    let tabs = tabs(text);
    for &at in &tabs {
        let site = Site::new(file, at..at + 1);
        let message = "a tab indents this line";
        found.report_with(Code::YamlSyntax, site, message, "indent with spaces");
    }
    hidden.is_empty() && tabs.is_empty()
}

fn hidden(text: &str) -> Vec<(usize, char)> {
    // All of them begin with one of these bytes, of which a file has hardly any.
    let suspicious = |byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 0x7F | 0xC2 | 0xE2 | 0xEF);
    if !text.bytes().any(suspicious) {
        return Vec::new();
    }
    text.char_indices()
        .filter(|(at, character)| match character {
            '\t' | '\n' | '\r' | '\u{85}' => false,
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
            '\u{FEFF}' => *at > 0,
            _ => character.is_control(),
        })
        .take(MAX_HIDDEN)
        .collect()
}

/// Tabs at the beginning of a line that says something.
fn tabs(text: &str) -> Vec<usize> {
    if !text.contains('\t') {
        return Vec::new();
    }
    let mut offset = 0;
    let mut tabs = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with('\t') && !line.trim().is_empty() && tabs.len() < MAX_HIDDEN {
            tabs.push(offset);
        }
        offset += line.len();
    }
    tabs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::MAX_FILE_BYTES;

    #[test]
    fn only_utf8_is_read() {
        let decode = |bytes| decode(bytes, bytes.len() as u64, MAX_FILE_BYTES);
        assert_eq!(decode("工单".as_bytes()), Ok("工单"));
        for bytes in [
            &b"\xFF\xFEa\0"[..],
            b"\xFE\xFF\0a",
            b"a\0b\0",
            b"\0a",
            b"a\nb\xE9c",
        ] {
            let code = decode(bytes).map_err(|wrong| wrong.code);
            assert_eq!(code, Err(Code::WrongEncoding));
        }
    }

    #[test]
    fn text_of_two_bytes_a_letter_and_no_text_are_told_apart() {
        let message = |bytes: &[u8]| {
            let wrong = decode(bytes, bytes.len() as u64, MAX_FILE_BYTES).unwrap_err();
            wrong.message
        };
        for bytes in [&b"\0w\0o"[..], b"w\0o\0"] {
            let told = "the file is UTF-16, not UTF-8: every second byte is nothing";
            assert_eq!(message(bytes), told);
        }
        let told = "the file begins with bytes that are nothing: it is no text, or damaged";
        assert_eq!(message(b"\0\0\0\0"), told);
    }

    #[test]
    fn the_first_wrong_byte_is_pointed_at() {
        let bytes = "a\n工: \u{FFFD}".as_bytes();
        let bytes = [bytes, b"\xE9\xFFc"].concat();
        let wrong = decode(&bytes, bytes.len() as u64, MAX_FILE_BYTES).unwrap_err();
        assert!(wrong.message.contains(" E9 "), "{}", wrong.message);
        let (mut sources, mut found) = (Sources::new(), Found::new());
        wrong.report(&mut sources, "f.yaml", &mut found);
        let site = &found.iter().next().unwrap().primary;
        let place = sources.position(site.file, site.span.start);
        assert_eq!((place.line, place.column), (2, 5));
        assert_eq!(&sources.text(site.file)[site.span.clone()], "\u{FFFD}");
    }

    #[test]
    fn a_large_file_is_told_its_size() {
        let largest = vec![b'a'; MAX_FILE_BYTES];
        assert!(decode(&largest, largest.len() as u64, MAX_FILE_BYTES).is_ok());
        // The bytes are not read to their end.
        for (size, told) in [
            (50_000_000, "50000000 bytes (47.7 MiB)"),
            (MAX_FILE_BYTES as u64 + 1, "1048577 bytes (1.1 MiB)"),
        ] {
            let wrong = decode(b"a", size, MAX_FILE_BYTES).unwrap_err();
            assert_eq!(wrong.code, Code::TooLarge);
            let message = format!("the file has {told}; at most 1 MiB is read");
            assert_eq!(wrong.message, message);
        }
    }

    #[test]
    fn hidden_characters_are_found() {
        assert_eq!(hidden("\u{FEFF}工单: é\t\r\n"), []);
        for text in [
            "a\0b",
            "a\u{202E}b",
            "a\u{FEFF}",
            "\u{7F}",
            "\u{9B}",
            "\u{2066}",
        ] {
            assert_eq!(hidden(text).len(), 1, "{text:?}");
        }
        assert_eq!(hidden(&"\0".repeat(100)).len(), MAX_HIDDEN);
    }

    #[test]
    fn only_tabs_that_indent_are_found() {
        assert_eq!(tabs("a:\n\tb: 1\n \n\t\nc: d\t# e\n"), [3]);
    }
}
