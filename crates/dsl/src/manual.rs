//! The manual: a page for each [`Code`], with an example of the mistake and of the way out.

use crate::Code;

/// The directory of the examples that bring none of their own.
pub const DIRECTORY: &str = include_str!("../manual/directory.yaml");

/// The page of a code: what it means, why it matters, an example and the way out, in Markdown.
///
/// ```
/// use upline_dsl::{Code, explain};
/// assert!(explain(Code::UnknownState).starts_with("# unknown-state"));
/// ```
pub fn explain(code: Code) -> &'static str {
    code.page()
}

/// What kind of file an example is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A workflow.
    Workflow,
    /// A directory.
    Directory,
    /// A transcript.
    Transcript,
}

/// A file of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Whether it makes the mistake, or shows the way out.
    pub wrong: bool,
    /// What it is.
    pub kind: Kind,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
}

/// The files of the page's examples: its fenced blocks `yaml workflow`, `yaml directory` and `text
/// transcript`.
///
/// A block that is marked `encoding=latin-1` is a file that is not UTF-8.
pub fn examples(code: Code) -> Vec<Example> {
    let mut all: Vec<Example> = Vec::new();
    let mut wrong = false;
    let mut open: Option<(Kind, bool, String)> = None;
    for line in explain(code).lines() {
        if let Some((_, _, text)) = open.as_mut().filter(|_| line != "```") {
            text.push_str(line);
            text.push('\n');
        } else if let Some((kind, latin_1, text)) = open.take() {
            let bytes = match latin_1 {
                true => text.chars().map(latin).collect(),
                false => text.into_bytes(),
            };
            all.push(Example { wrong, kind, bytes });
        } else if let Some(heading) = line.strip_prefix("## ") {
            wrong = heading == "Wrong";
        } else if let Some(info) = line.strip_prefix("```") {
            let mut words = info.split(' ').skip(1);
            let kind = match words.next() {
                Some("workflow") => Kind::Workflow,
                Some("directory") => Kind::Directory,
                Some("transcript") => Kind::Transcript,
                _ => continue,
            };
            open = Some((
                kind,
                words.next() == Some("encoding=latin-1"),
                String::new(),
            ));
        }
    }
    all
}

fn latin(c: char) -> u8 {
    u8::try_from(u32::from(c)).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    /// What reading the page's examples finds, as lines: the wrong ones, or the right ones.
    fn read(code: Code, wrong: bool) -> Vec<String> {
        let mut files: Vec<Example> = examples(code);
        files.retain(|file| file.wrong == wrong && file.kind != Kind::Transcript);
        if !files.iter().any(|file| file.kind == Kind::Directory) {
            let bytes = DIRECTORY.as_bytes().to_vec();
            let kind = Kind::Directory;
            files.push(Example { wrong, kind, bytes });
        }
        let names: Vec<String> = (1..=files.len())
            .map(|n| format!("example-{n}.yaml"))
            .collect();
        let named = names.iter().zip(&files);
        let files = named.map(|(name, file)| (name.as_str(), file.bytes.as_slice()));
        let from = "2026-03-02T08:00:00Z".parse().expect("an instant");
        let lines = check(files, from).diagnostics;
        let lines = lines
            .iter()
            .map(|one| format!("{}: {}", one.code, one.message));
        lines.collect()
    }

    #[test]
    fn each_page_makes_its_mistake_and_nothing_else() {
        let mut faults = Vec::new();
        for &code in Code::ALL {
            let wrong = read(code, true);
            let here = !ELSEWHERE.contains(&code);
            let as_said = wrong
                .iter()
                .all(|line| line.starts_with(&format!("{code}: ")));
            if !as_said || wrong.is_empty() == here {
                faults.push(format!("{code}: wrong example: {wrong:#?}"));
            }
            let right = read(code, false);
            if !right.is_empty() {
                faults.push(format!("{code}: right example: {right:#?}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Mistakes that others find: the reader of transcripts.
    const ELSEWHERE: &[Code] = &[Code::BadTranscript];

    #[test]
    fn every_page_has_its_code_a_reason_and_both_examples() {
        for &code in Code::ALL {
            let page = explain(code);
            let title = format!("# {code}\n\n");
            let text = page
                .strip_prefix(&title)
                .unwrap_or_else(|| panic!("{code}: no title"));
            let (reason, _) = text
                .split_once("\n\n## Wrong\n\n")
                .expect("a wrong example");
            assert!(reason.len() > 60, "{code}: says too little");
            let examples = examples(code);
            assert!(
                examples.iter().any(|one| one.wrong),
                "{code}: nothing wrong"
            );
            assert!(
                examples.iter().any(|one| !one.wrong),
                "{code}: nothing right"
            );
        }
    }

    #[test]
    fn the_right_example_is_another_than_the_wrong_one() {
        for &code in Code::ALL {
            let (wrong, right): (Vec<_>, Vec<_>) =
                examples(code).into_iter().partition(|one| one.wrong);
            let bytes = |files: Vec<Example>| files.into_iter().map(|file| file.bytes);
            assert_ne!(
                bytes(wrong).collect::<Vec<_>>(),
                bytes(right).collect::<Vec<_>>(),
                "{code}"
            );
        }
    }

    #[test]
    fn no_page_is_left_over() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/manual");
        for entry in std::fs::read_dir(folder).expect("the manual") {
            let name = entry
                .expect("a page")
                .file_name()
                .into_string()
                .expect("UTF-8");
            if let Some(words) = name.strip_suffix(".md") {
                assert!(
                    Code::from_words(words).is_some(),
                    "no code has the page {name}"
                );
            }
        }
    }
}
