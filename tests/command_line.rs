//! What all commands have in common: exit codes, streams, closed pipes, colours.

mod directories;
mod failures;
mod folder;
mod options;
mod playing;
mod siblings;

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
fn a_mistake_is_explained_in_any_case_of_letters() {
    let (page, exit) = run("explain bad-span");
    assert_eq!(exit, 0, "{page}");
    for line in ["explain BAD-SPAN", "explain Bad-Span"] {
        assert_eq!(run(line), (page.clone(), 0), "{line}");
    }
    assert!(
        run("explain BAD-SPN")
            .0
            .contains("did you mean `bad-span`?")
    );
}

#[test]
fn the_exit_codes_are_documented_alike() {
    let help = run("--help").0;
    let readme = crate::repository::read("README.md");
    for code in 0..=6 {
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

#[test]
fn what_ships_is_checked_without_a_warning() {
    let (printed, exit) = run("check workflows --deny warnings");
    assert_eq!(exit, 0, "{printed}");
}

/// Data goes to stdout even if something is wrong, and it is all that stands there.
#[test]
fn json_is_json() {
    let commands = [
        "check examples/mistakes --directory workflows/directory.yaml",
        "check workflows",
        "test workflows --coverage",
        "graph workflows/trouble-ticket.yaml",
        "explain bad-span",
        "explain list",
        "tour",
        "replay tests/data/small-log.csv --map examples/replay/small.map.yaml",
    ];
    for line in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_upline"))
            .args(line.split(' '))
            .arg("--json")
            .current_dir(root())
            .output()
            .unwrap();
        let parsed = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        assert!(parsed.is_ok(), "{line}: {parsed:?}");
    }
}

#[test]
fn colours_can_be_had_and_switched_off() {
    let check = |arguments: &[&str], no_color: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_upline"))
            .args([
                "check",
                "examples/mistakes",
                "--directory",
                "workflows/directory.yaml",
            ])
            .args(arguments)
            .current_dir(root())
            .env("NO_COLOR", no_color)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains('\u{1b}')
    };
    assert!(!check(&[], ""), "no terminal");
    assert!(check(&["--color", "always"], "1"), "asked for");
    assert!(!check(&["--color", "never"], ""));
}

#[test]
fn the_tour_climbs_in_both_languages() {
    for (line, order) in [
        ("tour", ["ann", "bob", "cem", "lea", "max", "reminder"]),
        (
            "tour --lang zh",
            ["ann", "bob", "cem", "lea", "max", "提醒"],
        ),
        // A million virtual seconds in one: the pauses are there, and over at once.
        (
            "tour --speed 1000000",
            ["ann", "bob", "cem", "lea", "max", "reminder"],
        ),
    ] {
        let (printed, exit) = run(line);
        assert_eq!(exit, 0, "{printed}");
        let mut rest = printed.as_str();
        for name in order {
            let found = rest.split_once(name);
            rest = found
                .unwrap_or_else(|| panic!("{line}: no {name} in its turn in\n{printed}"))
                .1;
        }
    }
}

#[test]
fn without_a_directory_nothing_is_proved() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone.yaml");
    std::fs::write(
        &file,
        crate::repository::read("workflows/trouble-ticket.yaml"),
    )
    .unwrap();
    let (printed, exit) = upline(&["check".to_owned(), file.to_string_lossy().into_owned()]);
    assert!(
        printed.contains("NOT PROVED, because there is no directory"),
        "{printed}"
    );
    assert_eq!(exit, 1);
}
