//! The language reference is true: its examples load, its transcripts read as they happen, and it leaves
//! out no
//! key, no phrase, no mistake and no limit.
//!
//! In `docs/language.md` a block is marked `yaml directory`, `yaml workflow` or `text transcript`. The first
//! directory is that of every section that has none of its own. `UPLINE_BLESS=1` rewrites the transcripts.

use std::collections::BTreeSet;
use std::fs;

use jiff::Timestamp;
use upline_dsl::{Code, check, limits, render, schema};
use upline_lab::transcript::Prepared;

use crate::repository::{Repository, read, root};

pub(crate) const REFERENCE: &str = "docs/language.md";

/// A fenced block: its mark, its first line (from 0, after the fence), its text.
#[derive(Debug, Clone, Default)]
struct Block {
    mark: String,
    line: usize,
    text: String,
}

/// A transcript with the files that it is played in, or files without a transcript.
#[derive(Debug, Default)]
struct Example {
    workflows: Vec<Block>,
    directory: Block,
    transcript: Option<Block>,
}

fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut usual = Block::default();
    let mut now = Example::default();
    let mut block: Option<Block> = None;
    for (line, content) in text.lines().enumerate() {
        match (&mut block, content.strip_prefix("```")) {
            (Some(open), None) => open.text.extend([content, "\n"]),
            (None, Some(mark)) => {
                block = Some(Block {
                    mark: mark.to_owned(),
                    line: line + 1,
                    ..Block::default()
                });
            }
            (Some(_), Some(_)) => {
                let block = block.take().unwrap_or_default();
                match block.mark.as_str() {
                    "yaml directory" if usual.text.is_empty() => {
                        usual = block.clone();
                        now.directory = block;
                    }
                    "yaml directory" => now.directory = block,
                    "yaml workflow" => now.workflows.push(block),
                    "text transcript" => {
                        examples.push(Example {
                            workflows: std::mem::take(&mut now.workflows),
                            directory: now.directory.clone(),
                            transcript: Some(block),
                        });
                    }
                    _ => (),
                }
            }
            (None, None) if content.starts_with("## ") || content.starts_with("### ") => {
                examples.push(std::mem::take(&mut now));
                now.directory = usual.clone();
            }
            (None, None) => (),
        }
    }
    examples.push(now);
    examples.retain(|example| example.transcript.is_some() || !example.workflows.is_empty());
    examples
}

/// What is wrong with the files of an example, or with the proof.
fn mistakes(example: &Example) -> Vec<String> {
    let mut files: Vec<(String, &str)> = Vec::new();
    for block in example.workflows.iter().chain([&example.directory]) {
        files.push((format!("{REFERENCE}:{}", block.line), &block.text));
    }
    let files = files.iter();
    let from: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    let checked = check(
        files.map(|(name, text)| (name.as_str(), text.as_bytes())),
        from,
    );
    // Small examples cover no whole week and speak one language.
    let small = [Code::CoverageGap, Code::MissingTranslation];
    let diagnostics = checked.diagnostics.into_iter();
    let diagnostics: Vec<_> = diagnostics
        .filter(|one| !small.contains(&one.code))
        .collect();
    match diagnostics.is_empty() {
        true => Vec::new(),
        false => vec![render::texts(
            &checked.sources,
            &diagnostics,
            render::Colour::Off,
        )],
    }
}

/// Plays a transcript: what differs, and the transcript as it happens.
fn play(example: &Example, transcript: &Block) -> (String, String) {
    let mut text = String::new();
    for block in &example.workflows {
        text.extend(["--- workflow\n", &block.text]);
    }
    text.extend([
        "--- directory\n",
        &example.directory.text,
        "--- transcript\n",
    ]);
    let head = text.len();
    text.push_str(&transcript.text);
    let mut prepared = Prepared::new(REFERENCE, text.as_str(), &mut Repository);
    let Some(outcome) = prepared.run() else {
        let found = prepared.found.into_sorted();
        let wrong = render::texts(&prepared.sources, &found, render::Colour::Off);
        return (wrong, transcript.text.clone());
    };
    let blessed = outcome.blessed(&prepared.script);
    let blessed = blessed.get(head..).unwrap_or_default().to_owned();
    (outcome.diff(&prepared.script), blessed)
}

#[test]
fn examples_load_and_their_transcripts_read_as_they_happen() {
    let text = read(REFERENCE);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut wrong = Vec::new();
    let examples = examples(&text);
    assert!(examples.len() >= 20, "{} examples", examples.len());
    // From the end, so that the places of the others stay right.
    for example in examples.iter().rev() {
        wrong.extend(mistakes(example));
        let Some(transcript) = &example.transcript else {
            continue;
        };
        let (difference, blessed) = play(example, transcript);
        if blessed == transcript.text {
            wrong.extend(Some(difference).filter(|difference| !difference.is_empty()));
        } else if std::env::var_os("UPLINE_BLESS").is_some() {
            let end = transcript.line + transcript.text.lines().count();
            lines.splice(transcript.line..end, blessed.lines().map(str::to_owned));
        } else {
            wrong.push(format!("{REFERENCE}:{}:\n{difference}", transcript.line));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPLINE_BLESS=1 accepts.\n{}",
        wrong.join("\n")
    );
    let blessed = lines.join("\n") + "\n";
    if blessed != text {
        fs::write(root().join(REFERENCE), blessed).unwrap();
    }
}

/// All keys of a schema.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    let parts = schema.as_object().into_iter().flatten();
    for (name, part) in parts {
        if name == "properties" {
            found.extend(
                part.as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.clone()),
            );
        }
        keys(part, found);
    }
    let parts = schema.as_array().into_iter().flatten();
    parts.for_each(|part| keys(part, found));
}

#[test]
fn every_key_is_described() {
    let mut known = BTreeSet::new();
    for text in [schema::WORKFLOW, schema::DIRECTORY] {
        keys(&serde_json::from_str(text).unwrap(), &mut known);
    }
    assert!(known.len() > 60, "{known:?}");
    let text = read(REFERENCE);
    let missing = known.iter().filter(|key| {
        let said = [format!("`{key}`"), format!("`{key}: ")];
        !said.iter().any(|said| text.contains(said))
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The help of a phrase that says nobody names all that there are.
#[test]
fn every_phrase_is_described() {
    let fault = upline_dsl::phrase::who("").unwrap_err();
    let help = fault.help.unwrap_or_default();
    let (phrases, more) = help.split_once("; each with ").expect("two lists");
    let phrases = phrases.trim_start_matches("the phrases are: ").split(", ");
    let more = more
        .split("`")
        .filter(|part| part.contains("WHO") || part.contains('K'));
    let text = read(REFERENCE);
    let known: Vec<&str> = phrases.chain(more).collect();
    assert!(known.len() >= 14, "{known:?}");
    let missing = known
        .iter()
        .filter(|one| !text.contains(&format!("`{one}`")));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn every_mistake_is_listed_with_its_page() {
    let text = read(REFERENCE);
    let row = |code: &Code| {
        format!(
            "| [`{code}`](../crates/dsl/manual/{code}.md) | {} |",
            code.severity()
        )
    };
    let missing = Code::ALL.iter().map(row).filter(|row| !text.contains(row));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn defaults_are_those_of_the_code() {
    let text = read(REFERENCE);
    let said = [
        format!("| `retries` | {} |", limits::DEFAULT_RETRIES),
        format!("| `suspend-at-most` | {} |", limits::DEFAULT_SUSPEND),
    ];
    let missing = said.iter().filter(|said| !text.contains(*said));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
}
