//! Whole files: what they mean, and what is said about their mistakes.

mod directory;
pub(crate) mod hostile;
mod language;
mod mistakes;

use upline_core::{Directory, Workflow};

use crate::{Found, Read, Sources, load, read_directory, read_workflow};

/// What was found, a line each: severity, code, line and column, what stands there, the words.
fn list(sources: &Sources, found: Found) -> String {
    let mut text = String::new();
    for one in found.into_sorted() {
        let file = one.primary.file;
        let at = sources.position(file, one.primary.span.start);
        let slice = &sources.text(file)[one.primary.span.clone()];
        let slice: String = slice
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        text += &format!(
            "{}[{}] {}:{} `{slice}`",
            one.severity, one.code, at.line, at.column
        );
        text += &format!("\n    {}", one.message);
        for words in [Some(one.primary.text), one.help].into_iter().flatten() {
            if !words.is_empty() {
                text += &format!("\n    = {words}");
            }
        }
        for label in &one.secondary {
            let at = sources.position(label.file, label.span.start);
            text += &format!("\n    {}:{} {}", at.line, at.column, label.text);
        }
        text += "\n";
    }
    text
}

fn shipped(name: &str) -> String {
    let path = format!("{}/../../workflows/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The directory of these tests: the shipped one changes for other reasons.
fn demo_directory() -> Directory {
    directory(include_str!("tests/demo.yaml"))
}

fn directory(text: &str) -> Directory {
    let mut sources = Sources::new();
    let (read, found) = read_directory(&mut sources, "directory.yaml", text);
    assert_eq!(list(&sources, found), "");
    read.unwrap().value
}

fn workflow(text: &str) -> Read<Workflow> {
    let mut sources = Sources::new();
    let directory = demo_directory();
    let (read, found) = read_workflow(&mut sources, "workflow.yaml", text, Some(&directory));
    assert_eq!(list(&sources, found), "");
    read.unwrap()
}

/// All that is found in a file, whichever kind it is.
fn check(text: &str) -> String {
    let mut sources = Sources::new();
    let found = if text.starts_with("directory:") {
        read_directory(&mut sources, "directory.yaml", text).1
    } else {
        let directory = demo_directory();
        read_workflow(&mut sources, "workflow.yaml", text, Some(&directory)).1
    };
    list(&sources, found)
}

#[test]
fn the_shipped_ones_load_together_and_read_alike_everywhere() {
    let folder = format!("{}/../../workflows", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .map(|name| (name.clone(), shipped(&name)))
        .collect();
    files.sort();
    let loaded = load(
        files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes())),
    );
    // Not even a warning: no text in them is something else to a tool that reads YAML 1.1.
    assert_eq!(list(&loaded.sources, loaded.found), "");
    assert_eq!(loaded.workflows.len() + 1, files.len());
    assert!(loaded.directory.is_some());
}
