//! What became of a transcript: where the journal differs, and how it would have to read.

use std::fmt::Write as _;
use std::path::Path;

use similar::{ChangeTag, TextDiff};
use upline_core::Name;
use upline_dsl::shown;

use super::coverage::Coverage;
use super::script::Script;

/// The indentation of journal lines.
const INDENT: &str = "    ";

/// A step that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Index of the step's line.
    pub(super) line: usize,
    /// Indices of the lines that were expected.
    pub(super) lines: Vec<usize>,
    /// What was expected, without indentation.
    pub expected: Vec<String>,
    /// What happened.
    pub actual: Vec<String>,
}

impl Played {
    /// Whether the journal reads as expected.
    pub fn passed(&self) -> bool {
        self.expected == self.actual
    }

    /// The step's line, from 1.
    pub fn line(&self) -> usize {
        self.line + 1
    }
}

/// What became of a transcript.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The transcript's file.
    pub name: Name,
    /// Its steps.
    pub steps: Vec<Played>,
    /// What it has exercised.
    pub coverage: Coverage,
    /// Places in which the engine itself broke its first promise; there must be none.
    pub gaps: Vec<String>,
}

impl Outcome {
    /// Whether every step's journal reads as expected.
    pub fn passed(&self) -> bool {
        self.gaps.is_empty() && self.steps.iter().all(Played::passed)
    }

    /// The steps that differ.
    pub fn failures(&self) -> impl Iterator<Item = &Played> {
        self.steps.iter().filter(|step| !step.passed())
    }

    /// What differs, for people: each step with the expected lines (`-`) and those that came (`+`), at
    /// their line numbers. Empty if the transcript passed.
    pub fn diff(&self, script: &Script) -> String {
        let mut out = String::new();
        let name = shown(Path::new(self.name.as_str()));
        for step in self.failures() {
            let first = first_difference(step);
            let at = step.lines.get(first).map_or(step.line(), |line| line + 1);
            let _ = writeln!(out, "{name}:{at}: the journal differs");
            let _ = writeln!(out, "{:>6} | {}", step.line(), script.line(step.line));
            let (old, new) = (step.expected.join("\n"), step.actual.join("\n"));
            for change in TextDiff::from_lines(&old, &new).iter_all_changes() {
                let sign = match change.tag() {
                    ChangeTag::Equal => ' ',
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                };
                let number = change.old_index().and_then(|index| step.lines.get(index));
                let number = number
                    .map(|line| (line + 1).to_string())
                    .unwrap_or_default();
                let text = change.value().trim_end_matches('\n');
                let _ = writeln!(out, "{number:>6} |{sign}{INDENT}{text}");
            }
            out.push('\n');
        }
        for gap in &self.gaps {
            let _ = writeln!(out, "{name}: {gap}");
        }
        out
    }

    /// The transcript with the journal as it is: only indented lines change, comments and order stay.
    pub fn blessed(&self, script: &Script) -> String {
        let mut dropped = vec![false; script.lines.len()];
        let mut added: Vec<&[String]> = vec![&[]; script.lines.len()];
        for step in &self.steps {
            added[step.line] = &step.actual;
            for line in &step.lines {
                dropped[*line] = true;
            }
        }
        let mut out = String::with_capacity(script.text.len());
        let ends = script.lines.iter().skip(1).map(|line| line.start);
        let ends = ends.chain(std::iter::once(script.text.len()));
        let usual = match script.text.split_once('\n') {
            Some((first, _)) if first.ends_with('\r') => "\r\n",
            _ => "\n",
        };
        for (index, (line, end)) in script.lines.iter().zip(ends).enumerate() {
            if !dropped[index] {
                out.push_str(&script.text[line.start..end]);
            }
            let break_ = &script.text[line.end..end];
            let break_ = if break_.is_empty() { usual } else { break_ };
            for (number, text) in added[index].iter().enumerate() {
                if number == 0 && !out.ends_with('\n') {
                    out.push_str(break_);
                }
                out.push_str(INDENT);
                out.push_str(text);
                out.push_str(break_);
            }
        }
        out
    }
}

fn first_difference(step: &Played) -> usize {
    let pairs = step.expected.iter().zip(&step.actual);
    pairs
        .take_while(|(expected, actual)| expected == actual)
        .count()
}
