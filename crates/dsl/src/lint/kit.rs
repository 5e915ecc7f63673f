//! What the tests of the rules are made of: a workflow, and what is said about it.

use jiff::Timestamp;

use crate::manual::DIRECTORY;
use crate::{Checked, check as check_all};

/// 2026-03-02, a Monday.
fn from() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// The parts that every workflow needs, where the author of a test has not given them.
///
/// `NEXT` and `LEAD` stand for a state's first words, as most of them don't matter.
fn whole(text: &str) -> String {
    let text = &text
        .replace("NEXT", "assign: next in desk, escalate: climb, actions:")
        .replace("LEAD", "assign: lead of desk, escalate: climb, actions:");
    let mut whole = text.clone();
    for (key, line) in [
        ("workflow:", "workflow: fault\n"),
        ("start:", ""),
        ("ladders:", "ladders:\n"),
    ] {
        if !text.starts_with(key) && !text.contains(&format!("\n{key}")) {
            whole = match key {
                "start:" => format!("start: {}\n{whole}", first_state(text)),
                _ => format!("{line}{whole}"),
            };
        }
    }
    let uses_climb = text.contains("climb");
    if uses_climb && !text.contains("climb: [") {
        let climb = "ladders:\n  climb: [{ after: 1 h, assign: manager of desk }]\n";
        whole = whole.replacen("ladders:\n", climb, 1);
    }
    whole
        .replace("\nladders:\nstates:", "\nstates:")
        .replace("ladders:\nstart:", "start:")
}

fn first_state(text: &str) -> &str {
    let states = text.split("\nstates:\n").nth(1).unwrap_or_default();
    states.trim_start().split(':').next().unwrap_or_default()
}

/// A workflow of this name and these states.
pub(super) fn states(name: &str, states: &str) -> String {
    whole(&format!(
        "workflow: {name}\nladders:\nstates:\n{}",
        states.trim_start_matches('\n')
    ))
}

/// A directory with a desk of one, and these lines of calendars.
pub(super) fn with_calendars(calendars: &[String]) -> String {
    format!(
        "
directory: acme
last-resort: user max
people:
  ann: {{ mail: ann@example.com }}
  max: {{ mail: max@example.com }}
groups:
  desk: {{ members: [ann], lead: max, manager: max }}
calendars:
  {}
",
        calendars.join("\n  ")
    )
}

/// What is found in the workflow, with the manual's directory.
pub(super) fn check(text: &str, expected: &[&str]) {
    check_files(&[&whole(text), DIRECTORY], expected);
}

/// Nothing is.
pub(super) fn fine(text: &str) {
    check(text, &[]);
}

/// What is found in a directory.
pub(super) fn check_directory(text: &str, expected: &[&str]) {
    check_files(
        &[&format!("directory: acme\nlast-resort: user max\n{text}")],
        expected,
    );
}

/// Nothing is.
pub(super) fn fine_directory(text: &str) {
    check_directory(text, &[]);
}

/// What is found in files: its code, the text under its caret, its message, and the text of the other
/// places. A label is compared if one is expected.
pub(super) fn check_files(files: &[&str], expected: &[&str]) {
    let names: Vec<String> = (0..files.len())
        .map(|number| format!("{number}.yaml"))
        .collect();
    let with_directory;
    let mut texts: Vec<(&str, &[u8])> = Vec::new();
    for (name, text) in names.iter().zip(files) {
        texts.push((name, text.as_bytes()));
    }
    if !files.iter().any(|text| text.contains("directory: ")) {
        with_directory = DIRECTORY.as_bytes();
        texts.push(("directory.yaml", with_directory));
    }
    let checked = check_all(texts, from());
    let found = lines(&checked);
    let short: Vec<String> = found.iter().map(|(line, _)| line.clone()).collect();
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|((line, label), wanted)| {
            line == wanted || format!("{line} ({label})") == **wanted
        });
    assert!(
        same,
        "{}\nfound: {short:#?}\nexpected: {expected:#?}\n{found:#?}",
        files.join("\n---\n")
    );
}

fn lines(checked: &Checked) -> Vec<(String, String)> {
    let text = |file, span: std::ops::Range<usize>| {
        checked.sources.text(file)[span]
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let line = |one: &crate::Diagnostic| {
        let primary = text(one.primary.file, one.primary.span.clone());
        let mut line = format!("{} `{primary}` {}", one.code, one.message);
        for other in &one.secondary {
            line += &format!(" + `{}`", text(other.file, other.span.clone()));
        }
        (line, one.primary.text.clone())
    };
    checked.diagnostics.iter().map(line).collect()
}
