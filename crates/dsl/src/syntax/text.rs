//! Bytes to text: one encoding, no hidden characters.

use super::MAX_FILE_BYTES;
use crate::{Code, Diagnostic, FileId, Found, Site};

/// Most hidden characters, and most tabs, that are reported of one file.
const MAX_HIDDEN: usize = 20;

/// Why bytes are no text that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoText {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

impl NoText {
    /// The mistake, at the beginning of the file.
    pub(crate) fn report(self, file: FileId, found: &mut Found) {
        let mut diagnostic = Diagnostic::new(self.code, Site::new(file, 0..0), self.message);
        diagnostic.help(self.help);
        found.push(diagnostic);
    }
}

/// The bytes as text, without a byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, NoText> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(too_large(bytes.len()));
    }
    let wrong = |message: String| NoText {
        code: Code::WrongEncoding,
        message,
        help: "save the file as UTF-8; editors call it `UTF-8` or `UTF-8 without BOM`",
    };
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            return Err(wrong("the file is UTF-16 or UTF-32, not UTF-8".to_owned()));
        }
        [0, _, ..] | [_, 0, ..] => return Err(wrong("the file is not UTF-8 text".to_owned())),
        _ => (),
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        wrong(format!(
            "the file is not UTF-8: a byte of line {line} is no part of any character"
        ))
    })
}

fn too_large(bytes: usize) -> NoText {
    NoText {
        code: Code::TooLarge,
        message: format!("the file has {bytes} bytes; at most {MAX_FILE_BYTES} are read"),
        help: "a workflow or a directory is a file of some pages: is this the right file?",
    }
}

/// Reports what can't be read or seen: control characters, those that turn the direction of writing round,
/// and tabs that indent. Whether there was nothing of the kind.
pub(crate) fn check_text(text: &str, file: FileId, found: &mut Found) -> bool {
    if text.len() > MAX_FILE_BYTES {
        too_large(text.len()).report(file, found);
        return false;
    }
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

    #[test]
    fn only_utf8_is_read() {
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
        assert!(decode(b"a\nb\xE9c").is_err_and(|wrong| wrong.message.contains("line 2")));
        let large = vec![b'a'; MAX_FILE_BYTES + 1];
        let code = decode(&large).map_err(|wrong| wrong.code);
        assert_eq!(code, Err(Code::TooLarge));
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
