//! The structure of a transcript: settings, sections, steps, and what is expected of each.

use std::ops::Range;

use jiff::civil::Date;
use upline_core::Name;
use upline_dsl::{Code, FileId, Found, Site, Sources};

/// Most lines of a transcript.
pub const MAX_LINES: usize = 100_000;

/// Most bytes of a transcript: more than so many lines have, and little enough to be read at once.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A text that stands in another file, or in a section of the transcript itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, named relative to the transcript.
    File {
        /// Its name.
        name: String,
        /// Where the transcript names it; `None` where it is not named but meant.
        site: Option<Site>,
    },
    /// A section of the transcript. The text has as many empty lines before it as stand above it, so that
    /// its lines have the numbers that they have in the transcript.
    Here(String),
}

/// One step: a line that moves the clock or does something, and the journal that is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Index of its line.
    pub(super) line: usize,
    /// The bytes of its line, without the sign `>`.
    pub(super) span: Range<usize>,
    pub(super) kind: StepKind,
    /// Indices of the lines that are expected.
    pub(super) expected: Vec<usize>,
    /// Whether a story begins with it: a world of its own, at a time of its own.
    pub(super) begins: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    At,
    Deed,
}

/// A transcript, read but not yet understood.
#[derive(Debug, Clone)]
pub struct Script {
    pub(super) file: FileId,
    pub(super) name: Name,
    pub(super) text: String,
    /// The bytes of each line, without its end.
    pub(super) lines: Vec<Range<usize>>,
    pub(super) steps: Vec<Step>,
    pub(super) zone: Option<(String, Site)>,
    workflows: Vec<Origin>,
    directory: Option<Origin>,
}

impl Script {
    /// Reads the structure of a transcript; mistakes go to `found`.
    pub fn read(sources: &mut Sources, name: &str, text: &str, found: &mut Found) -> Self {
        Self::of(sources.add(name, text), name, text, found)
    }

    /// The same for a file of the sources.
    pub(super) fn of(file: FileId, name: &str, text: &str, found: &mut Found) -> Self {
        let mut script = Self {
            file,
            name: Name::new(name),
            text: text.to_owned(),
            lines: lines(text),
            steps: Vec::new(),
            zone: None,
            workflows: Vec::new(),
            directory: None,
        };
        if script.lines.len() > MAX_LINES {
            let message = format!("a transcript has at most {MAX_LINES} lines");
            found.report(Code::TooLarge, script.site(0..0), message);
            return script;
        }
        Reader {
            script: &mut script,
            section: None,
            begins: true,
            found,
        }
        .read();
        script
    }

    /// The workflows that it needs; the first is the one that tickets are opened with unless they say
    /// otherwise. By default the file of the transcript's own name: `refund.test.txt` tests `refund.yaml`.
    pub fn workflows(&self) -> Vec<Origin> {
        if !self.workflows.is_empty() {
            return self.workflows.clone();
        }
        let base = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = base
            .strip_suffix(".test.txt")
            .or_else(|| base.strip_suffix(".txt"));
        vec![Origin::File {
            name: format!("{}.yaml", stem.unwrap_or(base)),
            site: None,
        }]
    }

    /// The directory that it names or brings; `None`: that of its first workflow.
    pub const fn directory(&self) -> Option<&Origin> {
        self.directory.as_ref()
    }

    /// The first of the days that its clock is set to.
    pub fn begins(&self) -> Option<Date> {
        let set = self.steps.iter().filter(|step| step.kind == StepKind::At);
        let days =
            set.filter_map(|step| self.text.get(step.span.clone())?.split_whitespace().next());
        days.filter_map(|day| day.parse().ok()).min()
    }

    /// Its file name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn site(&self, span: Range<usize>) -> Site {
        Site::new(self.file, span)
    }

    pub(super) fn line(&self, index: usize) -> &str {
        self.lines
            .get(index)
            .and_then(|span| self.text.get(span.clone()))
            .unwrap_or_default()
    }
}

/// The bytes of each line, without `\n` and a `\r` before it.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        found.push(start..start + bare.len());
        start += line.len();
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Workflow,
    Directory,
    Story,
    Transcript,
}

struct Reader<'a> {
    script: &'a mut Script,
    /// The section that is being read, and its first line; `None` before any fence.
    section: Option<(Section, usize)>,
    /// Whether the next step is the first of a story.
    begins: bool,
    found: &'a mut Found,
}

impl Reader<'_> {
    fn read(mut self) {
        for index in 0..self.script.lines.len() {
            let line = self.script.line(index).to_owned();
            if let Some(fence) = line.strip_prefix("---") {
                self.close(index);
                self.fence(fence.trim(), index);
            } else if matches!(
                self.section,
                None | Some((Section::Transcript | Section::Story, _))
            ) {
                self.line(&line, index);
            }
        }
        self.close(self.script.lines.len());
    }

    fn fence(&mut self, word: &str, index: usize) {
        let section = match word {
            _ if word == "story" || word.starts_with("story ") => {
                self.begins = true;
                Section::Story
            }
            "workflow" => Section::Workflow,
            "directory" => Section::Directory,
            "transcript" => Section::Transcript,
            _ => {
                let message = "a section is `--- story TITLE`, `--- workflow`, `--- directory` or \
                               `--- transcript`";
                self.bad(index, message);
                Section::Transcript
            }
        };
        self.section = Some((section, index + 1));
    }

    /// Ends the section before line `end`.
    fn close(&mut self, end: usize) {
        let Some((section, first)) = self.section.take() else {
            return;
        };
        let script = &mut *self.script;
        let from = script
            .lines
            .get(first)
            .map_or(script.text.len(), |span| span.start);
        let to = script
            .lines
            .get(end)
            .map_or(script.text.len(), |span| span.start);
        let body = script.text.get(from..to).unwrap_or_default();
        let origin = Origin::Here(format!("{}{body}", "\n".repeat(first)));
        match section {
            Section::Workflow => script.workflows.push(origin),
            Section::Directory if script.directory.is_none() => script.directory = Some(origin),
            Section::Directory => self.bad(first - 1, "there is a directory already"),
            Section::Transcript | Section::Story => (),
        }
    }

    fn line(&mut self, line: &str, index: usize) {
        let trimmed = line.trim();
        let span = self.script.lines[index].clone();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        if line.starts_with(char::is_whitespace) {
            let last = self.script.steps.last_mut();
            match last.filter(|_| !self.begins) {
                Some(step) => step.expected.push(index),
                None => self.bad(
                    index,
                    "a journal line stands after the step that it belongs to",
                ),
            }
        } else if let Some(deed) = line.strip_prefix('>') {
            let start = span.end - deed.len();
            self.step(StepKind::Deed, index, start..span.end);
        } else if let Some(at) = line.strip_prefix("at ") {
            let start = span.end - at.len();
            self.step(StepKind::At, index, start..span.end);
        } else if !self.setting(line, index) {
            let message = "a line is `at TIME`, `> who does what`, a comment (`# …`), a setting \
                           (`workflow: FILE`), or an indented line of the journal";
            self.bad(index, message);
        }
    }

    fn step(&mut self, kind: StepKind, line: usize, span: Range<usize>) {
        self.script.steps.push(Step {
            line,
            span,
            kind,
            expected: Vec::new(),
            begins: std::mem::take(&mut self.begins),
        });
    }

    /// `workflow: FILE`, `directory: FILE`, `zone: NAME`.
    fn setting(&mut self, line: &str, index: usize) -> bool {
        let Some((key, value)) = line.split_once(':') else {
            return false;
        };
        let span = self.script.lines[index].clone();
        let value = value.trim();
        let end = span.start + line.trim_end().len();
        let site = self.script.site(end - value.len()..end);
        let file = || Origin::File {
            name: value.to_owned(),
            site: Some(site),
        };
        match key {
            "workflow" | "directory" | "zone" if value.is_empty() => {
                self.bad(index, "the setting has no value");
            }
            "workflow" => self.script.workflows.push(file()),
            "directory" => self.script.directory = Some(file()),
            "zone" => self.script.zone = Some((value.to_owned(), site)),
            _ => return false,
        }
        if !self.script.steps.is_empty() {
            self.bad(index, "settings stand before the first step");
        }
        true
    }

    fn bad(&mut self, line: usize, message: &str) {
        let span = self.script.lines.get(line).cloned().unwrap_or_default();
        let site = self.script.site(span);
        self.found.report(Code::BadTranscript, site, message);
    }
}
