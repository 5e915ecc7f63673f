//! Every transcript of the repository reads as it happens.
//!
//! `UPLINE_BLESS=1 cargo test` rewrites the journals in them.

use std::fs;

use upline_dsl::{Found, Severity};
use upline_lab::render::Language;
use upline_lab::transcript::{Prepared, run_in};

use crate::repository::{Repository, files_ending, read, root};

/// A transcript of the repository; its files are found beside it.
pub(crate) fn prepared(path: &str) -> Prepared {
    Prepared::new(path, read(path), &mut Repository)
}

#[test]
fn transcripts_read_as_they_happen() {
    let bless = std::env::var_os("UPLINE_BLESS").is_some();
    let mut failed = String::new();
    let paths = files_ending(&[".test.txt"]);
    assert!(!paths.is_empty());
    for path in paths {
        let mut report = prepared(&path);
        let outcome = report.run();
        for diagnostic in report.found.iter() {
            if diagnostic.severity == Severity::Error {
                let site = &diagnostic.primary;
                let position = report.sources.position(site.file, site.span.start);
                let (line, column) = (position.line, position.column);
                let message = &diagnostic.message;
                failed.push_str(&format!("{path}:{line}:{column}: {message}\n"));
            }
        }
        let Some(outcome) = outcome else {
            failed.push_str(&format!("{path}: was not played\n"));
            continue;
        };
        if bless {
            let blessed = outcome.blessed(&report.script);
            if let Err(error) = fs::write(root().join(&path), blessed) {
                failed.push_str(&format!("{path}: {error}\n"));
            }
            failed.extend(outcome.gaps.iter().map(|gap| format!("{path}: {gap}\n")));
        } else {
            failed.push_str(&outcome.diff(&report.script));
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

/// Every line has a Chinese wording, and no line is there in one language only.
#[test]
fn the_journal_in_chinese_says_as_much() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for path in files_ending(&[".test.txt"]) {
        let prepared = prepared(&path);
        let Some(setting) = &prepared.setting else {
            panic!("{path}: can't be played");
        };
        let play = |language| run_in(language, &prepared.script, setting, &mut Found::new());
        let (english, chinese) = (play(Language::English), play(Language::Chinese));
        let (Some(english), Some(chinese)) = (english, chinese) else {
            panic!("{path}: was not played");
        };
        for (english, chinese) in english.steps.iter().zip(&chinese.steps) {
            assert_eq!(
                english.actual.len(),
                chinese.actual.len(),
                "{path}:{}",
                english.line()
            );
            for line in &chinese.actual {
                // After the weekday, which is Chinese in any case.
                let said = line.split_once("  ").map_or("", |(_, said)| said);
                assert!(
                    said.chars().any(is_han) || said.contains('：'),
                    "{path}: {line}"
                );
                let (_, why) = said.split_once("被拒绝：").unwrap_or(("", "无"));
                assert!(why.chars().any(is_han), "{path}: {line}");
            }
        }
    }
}

/// Each of the collected scenarios is a transcript, or stands in the list of those that are none. The
/// collection is not part of the repository: without it, this has nothing to compare.
#[test]
fn every_collected_scenario_is_named() {
    let collection = root().join("../shared/scenarios/escalation.yaml");
    let Ok(text) = fs::read_to_string(&collection) else {
        return;
    };
    let ids = text.lines().filter_map(|line| line.strip_prefix("- id: "));
    let mut named: Vec<String> = files_ending(&[".test.txt"])
        .iter()
        .map(|path| read(path))
        .collect();
    named.push(read("tests/scenarios/NOT-HERE.md"));
    let missing: Vec<&str> = ids
        .filter(|id| !named.iter().any(|text| text.contains(id)))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// What the documentation of transcripts shows stands in a transcript that is played.
#[test]
fn the_documentation_shows_what_happens() {
    let text = read("docs/transcripts.md");
    let files: Vec<String> = files_ending(&[".test.txt"])
        .iter()
        .map(|path| read(path))
        .collect();
    let blocks: Vec<&str> = text.split("```text\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let block = block.split("```").next().unwrap_or_default();
        assert!(
            files.iter().any(|file| file.contains(block)),
            "in no transcript:\n{block}"
        );
    }
}
