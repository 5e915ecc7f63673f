//! Diagnostics for people ([`text`]), for programs ([`Report`]) and for GitHub's checks ([`github`]).

use annotate_snippets::{
    AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str as clean,
};
use serde::Serialize;

use crate::found::printable;
use crate::{Diagnostic, FileId, Label, Position, Severity, Sources};

/// Columns that a rendered line has at most; longer lines of the author are cut around the place.
const WIDTH: usize = 140;

/// Whether a terminal shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Off,
    /// With ANSI colours.
    On,
}

/// One diagnostic as a compiler shows it, without a final line break.
///
/// ```
/// use upline_dsl::{Found, Site, Sources, render};
/// let mut sources = Sources::new();
/// let file = sources.add("a.yaml", "start: wating\n");
/// let mut found = Found::new();
/// found.unknown_state(Site::new(file, 7..13), "wating", ["waiting"]);
/// let all = found.into_sorted();
/// let lines = [
///     "error[unknown-state]: there is no state `wating`",
///     " --> a.yaml:1:8",
///     "  |",
///     "1 | start: wating",
///     "  |        ^^^^^^ did you mean `waiting`?",
/// ];
/// assert_eq!(render::text(&sources, &all[0], render::Colour::Off), lines.join("\n"));
/// ```
pub fn text(sources: &Sources, diagnostic: &Diagnostic, colour: Colour) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(clean(&diagnostic.message))
        .id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    let main = diagnostic.primary.file;
    for file in files(diagnostic) {
        let mut snippet = Snippet::source(sources.text(file)).path(printable(sources.name(file)));
        if file == main {
            let primary = &diagnostic.primary;
            snippet = snippet.annotation(annotation(sources, primary, AnnotationKind::Primary));
        }
        let others = diagnostic
            .secondary
            .iter()
            .filter(|label| label.file == file);
        for label in others {
            snippet = snippet.annotation(annotation(sources, label, AnnotationKind::Context));
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    let renderer = match colour {
        Colour::Off => Renderer::plain(),
        Colour::On => Renderer::styled(),
    };
    let drawn = renderer.term_width(WIDTH).render(&[group]);
    // Empty lines of the picture have spaces at their end, which files of expected output can't keep.
    let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    // The renderer shows C0 controls as pictures; some terminals obey C1 ones too.
    let c1 = |c: char| matches!(c, '\u{80}'..='\u{9F}');
    lines.join("\n").replace(c1, "\u{FFFD}")
}

/// All diagnostics, each followed by an empty line, and how many there are. Empty for none.
pub fn texts(sources: &Sources, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&text(sources, diagnostic, colour));
        out.push_str("\n\n");
    }
    if !diagnostics.is_empty() {
        out.push_str(&summary(diagnostics));
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning`; `nothing found` for none.
pub fn summary<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    let (mut errors, mut warnings) = (0_usize, 0_usize);
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Error => errors += 1,
            Severity::Warning => warnings += 1,
        }
    }
    let words = [(errors, Severity::Error), (warnings, Severity::Warning)];
    let words = words
        .into_iter()
        .filter_map(|(count, severity)| match count {
            0 => None,
            1 => Some(format!("1 {severity}")),
            many => Some(format!("{many} {severity}s")),
        });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "nothing found".to_owned(),
        false => words.join(", "),
    }
}

/// The diagnostic's files, the one of the primary place first, each once.
fn files(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut files = vec![diagnostic.primary.file];
    for label in &diagnostic.secondary {
        if !files.contains(&label.file) {
            files.push(label.file);
        }
    }
    files
}

fn annotation<'a>(
    sources: &Sources,
    label: &Label,
    kind: AnnotationKind,
) -> annotate_snippets::Annotation<'a> {
    let text = sources.text(label.file);
    let start = text.floor_char_boundary(label.span.start);
    let end = text.ceil_char_boundary(label.span.end).max(start);
    let annotation = kind.span(start..end);
    match label.text.as_str() {
        "" => annotation,
        words => annotation.label(clean(words)),
    }
}

/// A diagnostic for programs; serialised it is the JSON form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report<'a> {
    /// The code in words.
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// Where, and the short way out.
    #[serde(flatten)]
    pub primary: Spot<'a>,
    /// Other places that have to do with it.
    pub secondary: Vec<Spot<'a>>,
    /// A longer way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
}

/// A place for programs: bytes for machines, lines and columns (in characters, from 1) for editors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spot<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
    /// Line of the first byte.
    pub line: u32,
    /// Column of the first byte.
    pub column: u32,
    /// Line of the first byte after it.
    pub end_line: u32,
    /// Column of the first byte after it.
    pub end_column: u32,
    /// What is said about it.
    pub label: &'a str,
}

impl<'a> Report<'a> {
    /// The diagnostic with its lines and columns looked up.
    pub fn new(sources: &'a Sources, diagnostic: &'a Diagnostic) -> Self {
        Self {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity.as_str(),
            message: &diagnostic.message,
            primary: Spot::new(sources, &diagnostic.primary),
            secondary: diagnostic
                .secondary
                .iter()
                .map(|label| Spot::new(sources, label))
                .collect(),
            help: diagnostic.help.as_deref(),
        }
    }
}

impl<'a> Spot<'a> {
    fn new(sources: &'a Sources, label: &'a Label) -> Self {
        let from = sources.position(label.file, label.span.start);
        let to = sources.position(label.file, label.span.end);
        Self {
            file: sources.name(label.file),
            start: label.span.start,
            end: label.span.end,
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
            label: &label.text,
        }
    }
}

/// One line that GitHub shows at the place in a pull request.
pub fn github(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let Label { file, span, text } = &diagnostic.primary;
    let Position { line, column } = sources.position(*file, span.start);
    let value = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    let also = if text.is_empty() { "" } else { ": " };
    format!(
        "::{} file={},line={line},col={column},title={}::{}{also}{}",
        diagnostic.severity,
        value(sources.name(*file)),
        diagnostic.code,
        escaped(&diagnostic.message),
        escaped(text),
    )
}

/// The text as a workflow command has it: one line.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Found, Site};

    fn shown(text: &str, parts: &[&str], secondary: Option<&str>) -> String {
        let mut sources = Sources::new();
        let file = sources.add("f.yaml", text);
        let site = |part: &str| {
            let start = text.find(part).unwrap();
            Site::new(file, start..start + part.len())
        };
        let mut found = Found::new();
        for part in parts {
            let mut one = Diagnostic::new(Code::UnknownState, site(part), "there is no such state");
            one.label("did you mean `组长处理`?").help("see the list");
            if let Some(other) = secondary {
                one.also(site(other), "named here");
            }
            found.push(one);
        }
        texts(&sources, &found.into_sorted(), Colour::Off)
    }

    #[test]
    fn carets_stand_under_wide_characters() {
        let text = "标题: 退款\n  升级: 组长处里 # 超时升级\n";
        let lines = [
            "error[unknown-state]: there is no such state",
            " --> f.yaml:2:7",
            "  |",
            "2 |   升级: 组长处里 # 超时升级",
            "  |         ^^^^^^^^ did you mean `组长处理`?",
            "  |",
            "  = help: see the list",
            "",
            "1 error",
            "",
        ];
        assert_eq!(shown(text, &["组长处里"], None), lines.join("\n"));
    }

    #[test]
    fn the_first_of_two_is_shown_too() {
        let text = "a: 1\nb: 2\nx: 3\n";
        let lines = [
            "error[unknown-state]: there is no such state",
            " --> f.yaml:3:1",
            "  |",
            "1 | a: 1",
            "  | - named here",
            "2 | b: 2",
            "3 | x: 3",
            "  | ^ did you mean `组长处理`?",
            "  |",
            "  = help: see the list",
        ];
        assert!(shown(text, &["x"], Some("a")).starts_with(&lines.join("\n")));
    }

    #[test]
    fn nothing_in_a_file_reaches_the_terminal_as_a_command() {
        let text = "a: \u{1b}]0;owned\u{7}\u{202e}x\n";
        let mut sources = Sources::new();
        let file = sources.add("\u{1b}[31mf.yaml", text);
        let mut one = Diagnostic::new(Code::BadText, Site::new(file, 3..5), "bad \u{1b}[2J");
        one.label("\u{9b}2J").help("\u{202e}");
        let shown = super::text(&sources, &one, Colour::Off);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(bad), "{shown:?}");
        let coloured = super::text(&sources, &one, Colour::On);
        assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[2J"));
    }

    #[test]
    fn programs_get_bytes_lines_and_columns() {
        let mut sources = Sources::new();
        let file = sources.add("d,1/f.yaml", "a: 中\nb: 中文: x\n");
        let mut found = Found::new();
        found.duplicate_key(Site::new(file, 7..8), Site::new(file, 0..1), "a");
        let all = found.into_sorted();
        let json = serde_json::to_value(Report::new(&sources, &all[0])).unwrap();
        let expected = serde_json::json!({
            "code": "duplicate-key", "severity": "error", "message": "the key `a` stands here twice",
            "file": "d,1/f.yaml", "start": 7, "end": 8,
            "line": 2, "column": 1, "end-line": 2, "end-column": 2,
            "label": "a second time",
            "secondary": [{
                "file": "d,1/f.yaml", "start": 0, "end": 1, "line": 1, "column": 1, "end-line": 1,
                "end-column": 2, "label": "the first time",
            }],
        });
        assert_eq!(json, expected);
        assert_eq!(
            github(&sources, &all[0]),
            "::error file=d%2C1/f.yaml,line=2,col=1,title=duplicate-key::\
             the key `a` stands here twice: a second time"
        );
    }

    #[test]
    fn every_span_of_every_text_can_be_drawn() {
        use proptest::prelude::*;
        let text = ".{0,40}(\n.{0,40}){0,5}";
        proptest!(|(text in text, a in 0_usize..200, b in 0_usize..200, at in 0_usize..99)| {
            let mut sources = Sources::new();
            let file = sources.add("f.yaml", text);
            let mut one = Diagnostic::new(Code::BadText, Site::new(file, a..b), "m");
            one.label("l").also(Site::new(file, at..at), "here");
            prop_assert!(super::text(&sources, &one, Colour::Off).starts_with("error[bad-text]: m"));
            github(&sources, &one);
        });
    }
}
