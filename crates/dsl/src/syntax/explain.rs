//! The parser's errors in an author's words.

use granit_parser::{ErrorKind, ScanError};

use super::MAX_DEPTH;
use crate::{Code, Diagnostic, FileId, Site};

/// The parser's error as a diagnostic.
pub(super) fn explain(text: &str, file: FileId, error: &ScanError) -> Diagnostic {
    let start = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let width = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    let site = Site::new(file, start..start + width);
    let (code, message, label) = words(error.kind());
    let message = match message {
        "" => format!("this is not YAML: {}", error.info()),
        message => message.to_owned(),
    };
    let mut diagnostic = Diagnostic::new(code, site, message);
    diagnostic.label(label);
    diagnostic
}

fn words(kind: &ErrorKind) -> (Code, &'static str, &'static str) {
    use Code::{TooLarge, YamlSyntax};
    use ErrorKind as E;
    match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => (
            YamlSyntax,
            "a tab stands where a space must",
            "indent with spaces",
        ),
        E::RecursionLimitExceeded => (TooLarge, "lists and maps are nested too deep", too_deep()),
        E::DirectiveDisallowed => (
            YamlSyntax,
            "lines that begin with `%` are not part of the language",
            "delete the line, or put the text in quotation marks",
        ),
        E::UnclosedFlowCollection { open: '[' } | E::UnexpectedEofFlowSequence => {
            (YamlSyntax, "this `[` is never closed", "close it with `]`")
        }
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping => {
            (YamlSyntax, "this `{` is never closed", "close it with `}`")
        }
        E::ExpectedFlowMappingSeparator => (YamlSyntax, "here `,` or `}` is missing", ""),
        E::ExpectedFlowSequenceSeparator => (YamlSyntax, "here `,` or `]` is missing", ""),
        E::MismatchedFlowCollectionEnd { .. } | E::MisplacedFlowCollectionEnd => {
            (YamlSyntax, "this bracket closes nothing that is open", "")
        }
        E::UnclosedQuotedScalar => (
            YamlSyntax,
            "this quotation mark is never closed",
            "close it before the end of the line",
        ),
        E::MappingValueNotAllowed | E::InvalidColonPlacement | E::MappingKeyNotAllowed => (
            YamlSyntax,
            "this `:` can't stand here",
            "put a text that has `: ` in it in quotation marks; keys of one map begin in one column",
        ),
        E::InvalidIndentation | E::ExpectedBlockMappingKey | E::ExpectedBlockSequenceEntry => (
            YamlSyntax,
            "this line is indented differently from those it belongs to",
            "keys of one map, and items of one list, begin in the same column",
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            YamlSyntax,
            "this line is neither `key: value` nor an item of a list",
            "write a `:` and a space after the key",
        ),
        E::UnexpectedCharacter { .. } => (
            YamlSyntax,
            "no text can begin with this character",
            "put the text in quotation marks",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => (
            YamlSyntax,
            "something follows the closing quotation mark",
            "put the whole text in quotation marks",
        ),
        E::UnknownQuotedScalarEscape => (
            YamlSyntax,
            "there is no such escape",
            "write `\\\\` for a backslash, or put the text in single quotation marks",
        ),
        _ => (YamlSyntax, "", ""),
    }
}

const fn too_deep() -> &'static str {
    const { assert!(MAX_DEPTH == 32) };
    "at most 32 levels are read"
}
