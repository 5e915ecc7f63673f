//! Whatever the daemon writes into its log stands in the operators' tables, in both languages.

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

/// What stands in backticks in the first column of a table.
fn tabled(document: &str) -> BTreeSet<String> {
    let text = read(document);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let first = rows.filter_map(|row| row.split(" | ").next());
    let names = first.flat_map(|column| {
        let column = format!("`{column}");
        let names = column.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn every_code_is_in_the_tables() {
    let logged = logged();
    assert!(
        logged.len() > 40 && logged.contains("started"),
        "{logged:?}"
    );
    for document in ["docs/command-line.md", "docs/operating.zh-CN.md"] {
        let tabled = tabled(document);
        let missing: Vec<&String> = logged.difference(&tabled).collect();
        assert!(missing.is_empty(), "{document}: {missing:?}");
    }
}
