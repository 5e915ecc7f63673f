//! What is said of options and of names that can't be meant, and how it is printed.

use std::process::Command;

use super::folder::{Folder, PEOPLE, WORKFLOW};

#[test]
fn two_formats_at_once_are_refused() {
    let folder = Folder::small("two-formats");
    for line in [
        "check small.yaml --json --format github",
        "graph small.yaml --format dot --json",
    ] {
        let called = folder.run(line);
        let told = "error: `--json` and `--format` can't be had at once: JSON has one form\n";
        assert_eq!(called.exit, 2, "{line}: {called:?}");
        assert!(called.error.starts_with(told), "{line}: {called:?}");
        assert_eq!(called.json()["exit"], 2, "{line}");
    }
}

#[test]
fn a_day_is_asked_for_in_plain_words() {
    let folder = Folder::small("plain-day");
    for (day, told) in [
        ("tomorrow", "write a day such as 2026-11-30"),
        ("2026-11-30T10:00", "write a day such as 2026-11-30"),
        ("30.11.2026", "write a day such as 2026-11-30"),
        ("2026-02-30", "the calendar has no such day"),
    ] {
        let called = folder.run(&format!("check small.yaml --from {day}"));
        assert_eq!(called.exit, 2, "{day}: {called:?}");
        let first = called.error.lines().next().unwrap_or_default();
        assert_eq!(
            first,
            format!("error: invalid value '{day}' for '--from <DATE>': {told}")
        );
    }
    assert_eq!(folder.run("check small.yaml --from 2026-11-30").exit, 0);
}

#[test]
fn whoever_opens_a_ticket_must_be_there() {
    let folder = Folder::small("nobody-opens");
    let called = folder.run("simulate small.yaml --at '2026-03-06 09:00' --by anne");
    let told = "error: `--by 'anne'`: there is no person `anne`\n  help: did you mean `ann`?\n";
    assert_eq!((called.exit, called.error.as_str()), (2, told));
}

/// As in transcripts: the first time after the skip.
#[test]
fn a_time_that_clocks_skip_is_the_first_after_the_skip() {
    let folder = Folder::small("skipped-time");
    let zoned = "calendars: { office: { time-zone: Europe/Berlin, hours: { mon-sun: \"00:00-24:00\" } } }\n";
    folder.write("directory.yaml", format!("{PEOPLE}{zoned}"));
    let workflow = WORKFLOW.replace("workflow: small\n", "workflow: small\ncalendar: office\n");
    folder.write("small.yaml", workflow);
    let called = folder.run("simulate small.yaml --at '2026-03-29 02:30' --by ann");
    assert_eq!(called.exit, 0, "{called:?}");
    assert!(called.out.starts_with("Sun 03:00"), "{called:?}");
    folder.write("small.test.txt", "at 2026-03-29 02:30\n> ann opens\n");
    let called = folder.run("test small.yaml");
    assert!(
        called.out.contains("+    Sun 03:00  state: asked"),
        "{called:?}"
    );
}

#[test]
fn a_file_without_a_test_is_told_as_what_it_is() {
    let folder = Folder::small("without-a-test");
    let called = folder.run("test directory.yaml");
    assert_eq!(called.exit, 2, "{called:?}");
    let told = "error: `directory.yaml` is a directory, not a workflow\n";
    assert!(called.error.starts_with(told), "{called:?}");
    folder.write("other.yaml", WORKFLOW);
    let called = folder.run("test other.yaml");
    assert_eq!(called.exit, 3, "{called:?}");
    let told = "error: `other.yaml` has no transcript: there is no `other.test.txt`\n";
    assert!(called.error.starts_with(told), "{called:?}");
    for (text, told) in [
        ("", "nothing is tested"),
        (
            "workflow: directory.yaml\nat 2026-03-06 09:00\n> max opens\n",
            "`directory.yaml` is a directory, not a workflow",
        ),
        (
            "zone: Europe/Berln\nat 2026-03-06 09:00\n> max opens\n",
            "did you mean `Europe/Berlin`?",
        ),
        (
            "at 2026-03-06 09:00\n> max opens with cots 3\n",
            "did you mean `cost`?",
        ),
    ] {
        folder.write("small.test.txt", text);
        let called = folder.run("test small.yaml");
        assert_eq!(called.exit, 1, "{text}: {called:?}");
        assert!(called.out.contains(told), "{text}: {called:?}");
    }
}

/// What a name may hide or set off is escaped wherever people read it; programs get the name itself.
#[test]
fn names_of_files_are_printed_so_that_they_do_nothing() {
    let (name, shown) = ("a\n\u{1b}[31m", "a\\u{a}\\u{1b}[31m");
    let folder = Folder::with("names-of-files", &[("directory.yaml", PEOPLE)]);
    folder.write(&format!("{name}.yaml"), "workflow: [");
    folder.write(&format!("{name}.test.txt"), "at noon");
    let lines = [
        "check .",
        "test .",
        "check 'X'",
        "graph 'X.yaml'",
        "replay 'X' --map 'X.yaml'",
    ];
    for line in lines {
        let called = folder.run(&line.replace('X', name));
        assert_ne!(called.exit, 0, "{line}");
        let told = called.told();
        assert!(told.contains(shown), "{line}: {told}");
        assert!(
            !told.contains(name) && !told.contains('\u{1b}'),
            "{line}: {told:?}"
        );
    }
    let json = folder.run("check . --json").json();
    assert_eq!(json["diagnostics"][0]["file"], format!("{name}.yaml"));
    let json = folder.run("test . --json").json();
    assert_eq!(json["tests"][0]["file"], format!("{name}.test.txt"));
}

/// No line of the help is broken twice, whatever the width of the terminal.
#[test]
fn the_help_fits_the_terminal() {
    for width in [80, 100] {
        let output = Command::new(env!("CARGO_BIN_EXE_upline"))
            .arg("--help")
            .env("COLUMNS", width.to_string())
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = help.lines().collect();
        assert!(
            lines.iter().all(|line| line.chars().count() <= width),
            "{help}"
        );
        let at = lines
            .iter()
            .position(|line| line.starts_with("What was asked for"));
        let said = &lines[at.unwrap()..];
        assert_eq!(said.len(), 2, "{width}: {said:?}");
        assert!(
            said[1].ends_with("work says why on stdout too."),
            "{width}: {said:?}"
        );
    }
}
