//! The shipped workflows: they read without a warning, speak English and Chinese, and their transcripts
//! leave nothing out.

use std::collections::BTreeSet;

use upline_core::{FieldType, Label, StateKind, Workflow};
use upline_dsl::{Loaded, load, render};
use upline_lab::transcript::Coverage;

use crate::documents::upline;
use crate::repository::{files, read, root};
use crate::transcripts::prepared;

/// States, actions and levels that no transcript reaches, and why not. Empty is best.
const NOT_COVERED: [(&str, &str); 0] = [];

const NAMES: [&str; 4] = [
    "complaint",
    "field-service",
    "it-incident",
    "trouble-ticket",
];

/// The paths in `workflows/` with this ending.
pub(crate) fn shipped(ending: &str) -> Vec<String> {
    let mut paths = files();
    paths.retain(|path| path.starts_with("workflows/") && path.ends_with(ending));
    paths
}

fn all() -> Loaded {
    let texts = shipped(".yaml").into_iter().map(|path| {
        let text = read(&path);
        (path, text)
    });
    let texts: Vec<_> = texts.collect();
    load(
        texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_bytes())),
    )
}

#[test]
fn shipped_files_read_without_a_word() {
    let loaded = all();
    let found = loaded.found.into_sorted();
    let wrong = render::texts(&loaded.sources, &found, render::Colour::Off);
    assert!(found.is_empty(), "{wrong}");
    let workflows = loaded.workflows.iter();
    let names: Vec<&str> = workflows.map(|read| read.value.name.as_str()).collect();
    assert_eq!(names, NAMES);
    // A file is found by the name of what is in it, and each has its tests.
    for name in names {
        assert!(root().join(format!("workflows/{name}.yaml")).exists());
        let tests = root().join(format!("workflows/{name}.test.txt"));
        assert!(tests.exists(), "{name} has no transcripts");
    }
}

#[test]
fn shipped_files_are_checked_and_no_ticket_can_be_forgotten() {
    let words = [
        "check",
        "workflows",
        "--deny",
        "warnings",
        "--from",
        "2026-01-01",
    ];
    let (printed, exit) = upline(&words.map(str::to_owned));
    assert_eq!(exit, 0, "{printed}");
    for name in NAMES {
        let proved = printed.contains(&format!("{name} 1: no ticket can be forgotten"));
        assert!(proved, "{name}\n{printed}");
    }
}

/// All texts of a workflow that people read.
fn texts(workflow: &Workflow) -> Vec<(String, &Label)> {
    let mut all = vec![("title".to_owned(), &workflow.title)];
    let fields = workflow.fields.values();
    all.extend(fields.map(|field| (format!("field {}", field.name), &field.label)));
    for state in workflow.states.values() {
        all.push((format!("state {}", state.name), &state.title));
        let Some(work) = workflow.work(&state.name) else {
            continue;
        };
        let actions = work.actions.iter();
        all.extend(actions.map(|one| (format!("{}: {}", state.name, one.name), &one.label)));
        let items = work.checklist.iter();
        all.extend(items.map(|one| (format!("{}: {}", state.name, one.name), &one.label)));
    }
    all
}

#[test]
fn every_text_is_there_in_english_and_chinese() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut missing = Vec::new();
    for read in &all().workflows {
        // A choice decides in no time, so nobody sees its title.
        let chooses = |what: &str| {
            let state = what
                .strip_prefix("state ")
                .and_then(|name| read.value.states.get(name));
            state.is_some_and(|state| matches!(state.kind, StateKind::Choose { .. }))
        };
        for (what, label) in texts(&read.value) {
            let languages: BTreeSet<&str> = label.languages().map(|name| name.as_str()).collect();
            let both = languages.contains("en") && han(label.text("zh")) && !han(label.text("en"));
            if !both && !chooses(&what) {
                missing.push(format!("{}: {what}", read.value.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_option_is_there_in_english_and_chinese() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut seen = 0;
    for read in &all().workflows {
        for field in read.value.fields.values() {
            let (FieldType::Choice(options) | FieldType::Choices(options)) = &field.kind else {
                continue;
            };
            for option in options {
                let (english, chinese) = (
                    field.option_text(option, "en"),
                    field.option_text(option, "zh"),
                );
                let both = !han(english) && han(chinese);
                assert!(both, "{} {}: {option}", read.value.name, field.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn transcripts_leave_nothing_out() {
    let mut whole = Coverage::default();
    for read in &all().workflows {
        whole.merge(Coverage::whole(&read.value));
    }
    let mut covered = Coverage::default();
    for path in shipped(".test.txt") {
        if let Some(outcome) = prepared(&path).run() {
            covered.merge(outcome.coverage);
        }
    }
    let missing = covered.missing(&whole);
    let states = missing
        .states
        .iter()
        .map(|(of, state)| format!("{of} {state}"));
    let actions = missing.actions.iter();
    let actions = actions.map(|(of, state, action)| format!("{of} {state}: {action}"));
    let levels = missing.levels.iter();
    let levels = levels.map(|(of, ladder, level)| format!("{of} {ladder} level {level}"));
    let missing: BTreeSet<String> = states.chain(actions).chain(levels).collect();
    let named = NOT_COVERED.iter().map(|(what, _)| (*what).to_owned());
    assert_eq!(missing, named.collect::<BTreeSet<_>>());
}
