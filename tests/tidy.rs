//! House rules that are facts. Each is a function from a file's text to its faults, so that a test can show
//! that it bites.

use std::collections::BTreeSet;

use crate::repository::{files, files_ending, read, root};

/// Longest Rust file, in lines.
const MAX_FILE_LINES: usize = 500;
/// Longest function, in lines that say something.
const MAX_FUNCTION_LINES: usize = 70;
/// Longest line of a Rust file, in characters.
const MAX_LINE_CHARS: usize = 110;
/// The crates in their order: each may name only those before it.
const LINE: [&str; 7] = [
    "upline-core",
    "upline-dsl",
    "upline-lab",
    "upline",
    "upline-simulator",
    "upline-daemon",
    "upline-cli",
];

/// A rule: which files it reads, and what it finds wrong in one of them.
struct Rule {
    name: &'static str,
    applies: fn(&str) -> bool,
    faults: fn(&str, &str) -> Vec<String>,
}

const RULES: [Rule; 10] = [
    Rule {
        name: "short files",
        applies: is_rust,
        faults: long_file,
    },
    Rule {
        name: "short functions",
        applies: is_rust,
        faults: long_functions,
    },
    Rule {
        name: "short lines",
        applies: is_rust,
        faults: long_lines,
    },
    Rule {
        name: "nothing left open",
        applies: is_text,
        faults: left_open,
    },
    Rule {
        name: "no waiting in tests",
        applies: is_rust,
        faults: waiting,
    },
    Rule {
        name: "expect, not allow",
        applies: is_rust,
        faults: allowed,
    },
    Rule {
        name: "no machine paths",
        applies: is_text,
        faults: machine_paths,
    },
    Rule {
        name: "clean text",
        applies: is_written,
        faults: unclean,
    },
    Rule {
        name: "one table of versions",
        applies: is_crate,
        faults: own_version,
    },
    Rule {
        name: "a line, not a lattice",
        applies: is_crate,
        faults: against_the_line,
    },
];

#[test]
fn house_rules_hold() {
    let mut faults = Vec::new();
    for path in files() {
        for rule in RULES.iter().filter(|rule| (rule.applies)(&path)) {
            let found = (rule.faults)(&path, &read(&path));
            faults.extend(
                found
                    .into_iter()
                    .map(|fault| format!("{path}: {}: {fault}", rule.name)),
            );
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn is_test(path: &str) -> bool {
    path.contains("tests/") || path.ends_with("tests.rs") || path.starts_with("benches/")
}

fn is_crate(path: &str) -> bool {
    path.starts_with("crates/") && path.ends_with("/Cargo.toml")
}

fn is_text(path: &str) -> bool {
    let endings = [
        ".rs", ".md", ".toml", ".yaml", ".yml", ".txt", ".csv", ".json",
    ];
    path == ".ci/run" || endings.iter().any(|ending| path.ends_with(ending))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn long_file(_: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let long = lines > MAX_FILE_LINES;
    long.then(|| format!("{lines} lines, at most {MAX_FILE_LINES}"))
        .into_iter()
        .collect()
}

/// Whether a line says something. Of what rustfmt lays out one field a line, `name,` and brackets alone are
/// layout: whether a pattern stands on one line or on five makes a function no harder to read.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    let bare = line.trim_end_matches([',', ';', '.']);
    let word = bare.chars().all(|c| c.is_alphanumeric() || c == '_') && line.ends_with(',');
    let brackets = bare.chars().all(|c| "(){}[]=>|?".contains(c) || c == ' ');
    !word && !brackets
}

/// Relies on rustfmt: a function's closing brace stands alone, as far in as its `fn`.
fn long_functions(_: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut faults = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = code.split('(').next().unwrap_or(code);
        let is_function = words.split(' ').any(|word| word == "fn") && !code.starts_with("//");
        if !is_function || !code.contains("fn ") || code.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let body = lines[start..].iter().take_while(|line| **line != end);
        let length = body.filter(|line| says_something(line)).count();
        if length > MAX_FUNCTION_LINES {
            let number = start + 1;
            faults.push(format!(
                "line {number}: {length} lines, at most {MAX_FUNCTION_LINES}"
            ));
        }
    }
    faults
}

/// Tests quote files, whose lines may be longer.
fn long_lines(path: &str, text: &str) -> Vec<String> {
    if is_test(path) {
        return Vec::new();
    }
    numbered(text)
        .filter(|(_, line)| line.chars().count() > MAX_LINE_CHARS)
        .map(|(number, _)| format!("line {number}: more than {MAX_LINE_CHARS} characters"))
        .collect()
}

fn lines_with(text: &str, words: &[&str]) -> Vec<String> {
    let has = |line: &str| words.iter().find(|word| line.contains(**word)).copied();
    numbered(text)
        .filter_map(|(number, line)| has(line).map(|word| format!("line {number}: `{word}`")))
        .collect()
}

/// The words are put together here so that this file doesn't contain them.
fn left_open(_: &str, text: &str) -> Vec<String> {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("to", "do!("),
        concat!("unimplem", "ented!("),
        concat!("#[ig", "nore"),
    ];
    lines_with(text, &words)
}

fn waiting(path: &str, text: &str) -> Vec<String> {
    let tests = if is_test(path) {
        Some(text)
    } else {
        text.split_once("#[cfg(test)]").map(|cut| cut.1)
    };
    lines_with(tests.unwrap_or_default(), &[concat!("sle", "ep(")])
}

fn allowed(_: &str, text: &str) -> Vec<String> {
    lines_with(text, &[concat!("#[al", "low("), concat!("#![al", "low(")])
}

fn machine_paths(_: &str, text: &str) -> Vec<String> {
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/ro", "ot/"),
        concat!("/tm", "p/bash"),
    ];
    lines_with(text, &paths)
}

/// What a person wrote to be read, not recorded or made wrong on purpose.
fn is_written(path: &str) -> bool {
    is_text(path) && !path.starts_with("tests/data/") && !path.ends_with("/wrong.txt")
}

/// Tabs, blanks at line ends, carriage returns, and characters that can't be seen or turn the text round.
fn unclean(_: &str, text: &str) -> Vec<String> {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut faults: Vec<String> = numbered(text)
        .filter_map(|(number, line)| match line.chars().find(|c| hidden(*c)) {
            Some(c) => Some(format!(
                "line {number}: the character {}",
                c.escape_unicode()
            )),
            None if line.ends_with(' ') => Some(format!("line {number}: ends with a blank")),
            None => None,
        })
        .collect();
    if !text.is_empty() && !text.ends_with('\n') {
        faults.push("no line end at the end".to_owned());
    }
    faults
}

/// Names and right sides of what a crate's manifest depends on.
fn dependencies(text: &str) -> Vec<(&str, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            let (name, dotted) = name.trim().split_once('.').unwrap_or((name.trim(), ""));
            found.push((
                name,
                if dotted == "workspace" {
                    "workspace = true"
                } else {
                    value.trim()
                },
            ));
        }
    }
    found
}

fn own_version(_: &str, text: &str) -> Vec<String> {
    let mut faults: Vec<String> = dependencies(text)
        .into_iter()
        .filter(|(_, value)| !value.contains("workspace = true"))
        .map(|(name, _)| format!("`{name}` is not taken from the workspace's table"))
        .collect();
    if !text.contains("[lints]\nworkspace = true") {
        faults.push("does not take the workspace's lints".to_owned());
    }
    faults
}

fn against_the_line(_: &str, text: &str) -> Vec<String> {
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("name = "))
        .unwrap_or_default();
    let Some(place) = LINE
        .iter()
        .position(|known| *known == name.trim_matches('"'))
    else {
        return vec![format!("{name} has no place in the line {LINE:?}")];
    };
    dependencies(text)
        .into_iter()
        .filter(|(name, _)| name.starts_with("upline") && !LINE[..place].contains(name))
        .map(|(name, _)| format!("`{name}` stands to its right"))
        .collect()
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    assert!(read("Cargo.toml").contains("[workspace.lints.rust]\nunsafe_code = \"forbid\""));
}

/// A dependency that a crate names and doesn't use costs every user build time.
#[test]
fn every_dependency_is_used() {
    let sources: Vec<(String, String)> = files_ending(&[".rs"])
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect();
    let mut unused = Vec::new();
    for manifest in files().into_iter().filter(|path| is_crate(path)) {
        let text = read(&manifest);
        let folder = manifest.trim_end_matches("Cargo.toml");
        // Tests, benches and examples that span the crates have their sources at the top.
        let also: &[&str] = match folder {
            "crates/cli/" => &["tests/"],
            _ => &["benches/", "examples/"],
        };
        for (name, _) in dependencies(&text) {
            let word = name.replace('-', "_");
            let used = |(path, source): &(String, String)| {
                let ours =
                    path.starts_with(folder) || also.iter().any(|also| path.starts_with(also));
                ours && source.contains(&word)
            };
            if !sources.iter().any(used) {
                unused.push(format!("{manifest}: {name}"));
            }
        }
    }
    let table = read("Cargo.toml");
    let named = files()
        .into_iter()
        .filter(|path| is_crate(path) || path == "fuzz/Cargo.toml");
    let named: Vec<String> = named.map(|path| read(&path)).collect();
    for (name, _) in dependencies(&table) {
        if !named.iter().any(|manifest| {
            dependencies(manifest)
                .iter()
                .any(|(other, _)| *other == name)
        }) {
            unused.push(format!("Cargo.toml: {name}"));
        }
    }
    assert!(
        unused.is_empty(),
        "named but not used:\n{}",
        unused.join("\n")
    );
}

/// Whoever looks for something finds in ARCHITECTURE.md where it is.
#[test]
fn the_code_map_names_every_folder() {
    let map = read("ARCHITECTURE.md");
    let mut folders = BTreeSet::new();
    for path in files() {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["crates", name, ..] => folders.insert(format!("crates/{name}/")),
            [top, _, ..] if !top.starts_with('.') => folders.insert(format!("{top}/")),
            _ => false,
        };
    }
    let missing: Vec<&String> = folders
        .iter()
        .filter(|folder| !map.contains(&format!("`{folder}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name {missing:?}"
    );
}

/// Links between files, in all documents.
#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in files_ending(&[".md"]) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in link_targets(&read(&path)) {
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !file.is_empty() && !root().join(folder).join(file).exists() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn link_targets(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .collect()
}

/// Every rule is fed text that breaks it, and text that doesn't.
#[test]
fn the_rules_bite() {
    let long = "x\n".repeat(MAX_FILE_LINES + 1);
    let function = format!(
        "    fn f() {{\n{}    }}\n",
        "        x();\n".repeat(MAX_FUNCTION_LINES)
    );
    let line = format!("// {}\n", "y".repeat(MAX_LINE_CHARS));
    let open = format!("// {} later\n", concat!("TO", "DO"));
    let wait = format!(
        "#[cfg(test)]\nmod tests {{ {}1) }}\n",
        concat!("sle", "ep(")
    );
    let allow = format!("{}dead_code)]\n", concat!("#[al", "low("));
    let path = format!("see {}x\n", concat!("/wo", "rk/"));
    let lints = "[lints]\nworkspace = true\n";
    let version = format!("[dependencies]\nserde = \"1\"\n{lints}");
    let lattice = "name = \"upline-dsl\"\n[dependencies]\nupline-lab.workspace = true\n";
    let bad = [
        ("a.rs", long.as_str()),
        ("a.rs", &function),
        ("a.rs", &line),
        ("a.md", &open),
        ("a.rs", &wait),
        ("a.rs", &allow),
        ("a.md", &path),
        ("a.yaml", "a: b \n"),
        ("crates/a/Cargo.toml", &version),
        ("crates/a/Cargo.toml", lattice),
    ];
    let good =
        format!("name = \"upline-dsl\"\n[dependencies]\nupline-core.workspace = true\n{lints}");
    let named: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(named.len(), RULES.len());
    for (rule, (path, text)) in RULES.iter().zip(bad) {
        assert!((rule.applies)(path), "{}", rule.name);
        assert_eq!(
            (rule.faults)(path, text).len(),
            1,
            "{} does not bite",
            rule.name
        );
        assert_eq!(
            (rule.faults)("crates/a/Cargo.toml", &good),
            [""; 0],
            "{}",
            rule.name
        );
    }
    assert_eq!(unclean("a.md", "a\u{202e}b\n").len(), 1);
    assert_eq!(unclean("a.md", "a").len(), 1);
    assert_eq!(
        link_targets("[a](b.md) and [c](d.md#e)"),
        ["b.md", "d.md#e"]
    );
}
