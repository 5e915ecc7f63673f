//! Whatever the daemon writes into its log is explained to operators, in both languages.

use std::collections::BTreeSet;

use crate::repository::{files_ending, read};

/// The codes of what the daemon logs.
fn logged() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in files_ending(&[".rs"]) {
        let in_tests = path.contains("/tests/") || path.ends_with("/tests.rs");
        if !path.starts_with("crates/daemon/src/") || in_tests {
            continue;
        }
        let text = read(&path);
        let literals = text.split("code = \"").skip(1);
        codes.extend(literals.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    codes
}

/// What stands in backticks at the beginning of a table's rows, or of a list's, before what is said of it.
fn told(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let rows = text
        .lines()
        .filter_map(|line| match line.strip_prefix("| ") {
            Some(row) => row.split(" | ").next(),
            None => line.strip_prefix("- ")?.split('：').next(),
        });
    let names = rows.flat_map(|names| names.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

#[test]
fn every_code_is_explained() {
    let logged = logged();
    assert!(
        logged.len() > 40 && logged.contains("started"),
        "{logged:?}"
    );
    for document in ["docs/command-line.md", "docs/operating.zh-CN.md"] {
        let told = told(document);
        let missing: Vec<&String> = logged.difference(&told).collect();
        assert!(missing.is_empty(), "{document}: {missing:?}");
    }
}
