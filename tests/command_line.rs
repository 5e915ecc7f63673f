//! What all commands have in common: exit codes, streams, closed pipes, colours.

use std::process::{Command, Stdio};

use crate::documents::upline;
use crate::repository::root;

fn run(line: &str) -> (String, i32) {
    upline(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
}

#[test]
fn a_wrong_command_line_is_exit_code_two() {
    for line in ["chek", "check --jsn", "graph", "schema nothing", "explain"] {
        let (printed, exit) = run(line);
        assert_eq!(exit, 2, "{line}: {printed}");
        assert!(printed.starts_with("error: "), "{line}: {printed}");
    }
}

#[test]
fn what_is_not_there_is_exit_code_three() {
    let commands = [
        "check nowhere.yaml",
        "test nowhere",
        "graph nowhere.yaml",
        "explain no-such-code",
    ];
    for line in commands {
        let (printed, exit) = run(line);
        assert_eq!(exit, 3, "{line}: {printed}");
        assert!(printed.starts_with("error: "), "{line}: {printed}");
    }
}

#[test]
fn the_exit_codes_are_documented_alike() {
    let help = run("--help").0;
    let readme = crate::repository::read("README.md");
    for code in 0..=3 {
        let start = format!("  {code}  ");
        let meaning = help
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_default();
        assert!(!meaning.is_empty(), "--help: no exit code {code}");
        assert!(
            readme.contains(&format!("| {code} | {meaning} |")),
            "README: {code} {meaning}"
        );
    }
}

/// As `upline ... | head -1` does when it has seen enough.
#[test]
fn a_closed_pipe_ends_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_upline"))
        .args(["schema", "workflow"])
        .current_dir(root())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (script, exit) = run(&format!("completions {shell}"));
        assert!(exit == 0 && script.contains("upline"), "{shell}");
    }
}
