//! What the documents show is what happens: their `console` blocks are run and compared.
//!
//! A command is a line that begins with `$ `; the lines under it are its output, and `...` alone on a line
//! stands for any number of lines. A command without output is run all the same. The block's first line may
//! say ` ```console exit=1 `; without that the command must succeed.

use std::fs;
use std::process::Command;

use similar::TextDiff;

use crate::repository::{files_ending, read, root};

/// Commands that a document may show and that are not run here: they'd build the project within its tests.
const NOT_RUN: [&str; 5] = [
    "cargo test",
    "cargo install",
    "cargo add",
    "git clone",
    "cd ",
];

/// One command of a document, with what the document says it prints.
#[derive(Debug, PartialEq)]
struct Shown {
    /// The line that the output begins on, counted from 0.
    at: usize,
    command: String,
    output: Vec<String>,
    exit: i32,
}

fn shown(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut exit = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            let opens = exit.is_none() && info.starts_with("console");
            let code = info
                .split_once("exit=")
                .and_then(|(_, code)| code.trim().parse().ok());
            exit = opens.then(|| code.unwrap_or(0));
        } else if let Some(exit) = exit {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.split(" # ").next().unwrap_or_default().trim();
                found.push(Shown {
                    at: index + 1,
                    command: command.to_owned(),
                    output: Vec::new(),
                    exit,
                });
            } else if let Some(last) = found.last_mut() {
                last.output.push(line.to_owned());
            }
        }
    }
    found
}

/// Words as a shell would part them; quotes keep blanks, nothing else is special.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The built `upline` with these arguments, at the top of the repository: what it printed, and its exit code.
pub(crate) fn upline(arguments: &[String]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env_remove("UPLINE_BLESS")
        .output();
    match output {
        Ok(output) => {
            let both = [output.stdout, output.stderr].concat();
            (
                String::from_utf8_lossy(&both).into_owned(),
                output.status.code().unwrap_or(-1),
            )
        }
        Err(error) => panic!("upline can't be started: {error}"),
    }
}

/// Whether `lines` are what `pattern` shows; `...` in it stands for any number of lines.
fn matches(pattern: &[String], lines: &[&str]) -> bool {
    match pattern.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line == first && matches(rest, lines)),
    }
}

/// What is wrong with one command of a document, and the output it should show instead.
fn mismatch(shown: &Shown) -> Option<(String, Option<String>)> {
    let Some(arguments) = shown
        .command
        .strip_prefix("upline ")
        .or_else(|| shown.command.strip_prefix("cargo run --release -- "))
    else {
        let known = NOT_RUN.iter().any(|known| shown.command.starts_with(known));
        return (!known).then(|| ("can't be run by this test".to_owned(), None));
    };
    // A demo goes on until it is told to end.
    let limit = if arguments == "demo" {
        " --seconds 1"
    } else {
        ""
    };
    let (printed, exit) = upline(&words(&format!("{arguments}{limit}")));
    if exit != shown.exit {
        return Some((
            format!("exit {exit} instead of {}\n{printed}", shown.exit),
            None,
        ));
    }
    let trimmed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    if shown.output.is_empty() || matches(&shown.output, &trimmed) {
        return None;
    }
    let expected = shown.output.join("\n") + "\n";
    let diff = TextDiff::from_lines(expected.as_str(), printed.as_str());
    Some((
        diff.unified_diff().header("shown", "printed").to_string(),
        Some(trimmed.join("\n")),
    ))
}

#[test]
fn commands_in_documents_print_what_is_shown() {
    let bless = std::env::var_os("UPLINE_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in files_ending(&[".md"]) {
        let text = read(&path);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut changed = false;
        // From the end, so that the places of the others stay right.
        for shown in shown(&text).iter().rev() {
            match mismatch(shown) {
                Some((_, Some(printed))) if bless => {
                    let end = shown.at + shown.output.len();
                    lines.splice(shown.at..end, printed.lines().map(str::to_owned));
                    changed = true;
                }
                Some((fault, _)) => {
                    wrong.push(format!("{path}:{}: {}\n{fault}", shown.at, shown.command))
                }
                None => (),
            }
        }
        if changed && let Err(error) = fs::write(root().join(&path), lines.join("\n") + "\n") {
            wrong.push(format!("{path}: {error}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPLINE_BLESS=1 rewrites what is shown.\n{}",
        wrong.join("\n")
    );
}

/// The level of each heading, and each fenced block without its comments: what two languages must share.
fn shape(text: &str) -> Vec<String> {
    let mut shape = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            shape.push(line.to_owned());
        } else if fenced {
            let code = line.split(" # ").next().unwrap_or_default().trim_end();
            shape.push(if line.starts_with("# ") {
                "#".to_owned()
            } else {
                code.to_owned()
            });
        } else if line.starts_with('#') {
            shape.push(line.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    shape
}

#[test]
fn the_chinese_readme_says_as_much_as_the_english_one() {
    let (english, chinese) = (shape(&read("README.md")), shape(&read("README.zh-CN.md")));
    for (at, (english, chinese)) in english.iter().zip(&chinese).enumerate() {
        assert_eq!(english, chinese, "at {at} of the headings and blocks");
    }
    assert_eq!(english.len(), chinese.len());
}

/// A table of security that names a test which is gone would promise what nobody looks at.
#[test]
fn the_tests_that_security_names_are_there() {
    let page = read("docs/security.md");
    let words = page.split('`').skip(1).step_by(2);
    let named: Vec<&str> = words.filter(|word| word.contains('_')).collect();
    assert!(named.len() > 30, "{named:?}");
    let sources: Vec<String> = files_ending(&[".rs"])
        .iter()
        .map(|path| read(path))
        .collect();
    for name in named {
        let function = format!("fn {name}(");
        let is_there = sources.iter().any(|source| source.contains(&function));
        assert!(is_there, "docs/security.md names `{name}`");
    }
}

/// What stands in two languages has the same headings and blocks in both.
#[test]
fn pages_in_two_languages_say_as_much_in_both() {
    let chinese = files_ending(&[".zh-CN.md"]);
    let pages: Vec<&String> = chinese
        .iter()
        .filter(|path| path.starts_with("docs/"))
        .collect();
    assert!(pages.len() >= 5, "{pages:?}");
    for path in pages {
        let (ours, theirs) = (read(&path.replace(".zh-CN.md", ".md")), read(path));
        let count =
            |text: &str, start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        for start in ["#", "```", "| "] {
            assert_eq!(
                count(&ours, start),
                count(&theirs, start),
                "{path}: lines with {start}"
            );
        }
    }
}

/// What the README quotes of a workflow or a program stands in a file that is checked or run, line for line.
#[test]
fn what_is_quoted_is_in_a_file() {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    let readme = read("README.md");
    for (language, endings) in [
        ("yaml", [".yaml"]),
        ("rust", [".rs"]),
        ("text", [".test.txt"]),
    ] {
        let mut files = files_ending(&endings);
        files.retain(|path| path.starts_with("workflows/") || path.starts_with("examples/"));
        let files: Vec<Vec<String>> = files.iter().map(|path| lines(&read(path))).collect();
        let fence = format!("```{language}\n");
        let blocks: Vec<&str> = readme.split(&fence).skip(1).collect();
        assert!(!blocks.is_empty(), "the README quotes no {language}");
        for block in blocks {
            let quoted = lines(block.split("```").next().unwrap_or_default());
            let stands =
                |file: &Vec<String>| file.windows(quoted.len()).any(|lines| lines == quoted);
            assert!(
                files.iter().any(stands),
                "in no file:\n{}",
                quoted.join("\n")
            );
        }
    }
}

#[test]
fn a_shown_command_is_read_with_its_output() {
    let text =
        "```console exit=1\n$ upline check 'a b.yaml' # hm\nerror\n...\n```\n```yaml\n$ no\n```\n";
    let command = "upline check 'a b.yaml'".to_owned();
    let output = vec!["error".to_owned(), "...".to_owned()];
    assert_eq!(
        shown(text),
        [Shown {
            at: 2,
            command,
            output,
            exit: 1
        }]
    );
    assert_eq!(
        words("check 'a b.yaml' \"\" c"),
        ["check", "a b.yaml", "", "c"]
    );
}

#[test]
fn a_wrong_document_is_found() {
    let pattern = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(matches(&pattern(&["a", "...", "d"]), &["a", "b", "c", "d"]));
    assert!(!matches(&pattern(&["a", "...", "d"]), &["a", "b", "c"]));
    assert!(!matches(&pattern(&["a"]), &["a", "b"]));
    let lie = |command: &str| {
        let (command, output) = (command.to_owned(), pattern(&["never printed"]));
        mismatch(&Shown {
            at: 0,
            command,
            output,
            exit: 0,
        })
        .is_some()
    };
    assert!(lie("upline --version"));
    assert!(lie("rm -r x"));
    assert!(!lie("cargo test --workspace"));
}
