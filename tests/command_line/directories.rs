//! One rule says which file is the directory of a workflow, whatever the command.

use super::folder::{Folder, PEOPLE, TRANSCRIPT, WORKFLOW};

/// Every command that needs a directory.
const COMMANDS: [&str; 3] = [
    "check small.yaml",
    "test small.test.txt",
    "simulate small.yaml --at '2026-03-06 09:00'",
];

#[test]
fn every_command_finds_the_same_directory() {
    let places = [
        ("small.directory.yaml", ""),
        ("directory.yaml", ""),
        ("people.yaml", ""),
        ("../directory.yaml", "below/"),
    ];
    for (place, below) in places {
        let folder = Folder::new("every-command-finds");
        folder.write(&format!("{below}small.yaml"), WORKFLOW);
        folder.write(&format!("{below}small.test.txt"), TRANSCRIPT);
        folder.write(place.trim_start_matches("../"), PEOPLE);
        for command in COMMANDS {
            // From the folder itself, and by a path.
            let line = command.replace(" small", &format!(" {below}small"));
            let called = folder.run(&line);
            assert_eq!(called.exit, 0, "{place}, {line}: {called:?}");
        }
    }
}

#[test]
fn the_folders_above_the_working_directory_are_looked_into() {
    let folder = Folder::with("above-the-working", &[("directory.yaml", PEOPLE)]);
    folder.write("a/b/small.yaml", WORKFLOW);
    folder.write("a/b/small.test.txt", TRANSCRIPT);
    let below = Folder::at(folder.path("a/b"));
    for command in COMMANDS {
        let called = below.run(command);
        assert_eq!(called.exit, 0, "{command}: {called:?}");
    }
}

#[test]
fn of_several_directories_one_must_be_named() {
    let folder = Folder::with("several-directories", &[("small.yaml", WORKFLOW)]);
    folder.write("small.test.txt", TRANSCRIPT);
    folder.write("a.yaml", PEOPLE);
    folder.write("b.yaml", PEOPLE);
    for command in COMMANDS {
        let called = folder.run(command);
        assert_eq!(called.exit, 1, "{command}: {called:?}");
        let told = called.told();
        assert!(
            told.contains("which is the directory: `a.yaml` or `b.yaml`?"),
            "{told}"
        );
    }
    for command in [COMMANDS[0], COMMANDS[2]] {
        let called = folder.run(&format!("{command} --directory b.yaml"));
        assert_eq!(called.exit, 0, "{command}: {called:?}");
    }
}

#[test]
fn only_a_directory_can_be_named_as_the_directory() {
    let folder = Folder::with("only-a-directory", &[("small.yaml", WORKFLOW)]);
    folder.write("people.yaml", PEOPLE);
    folder.write("log.csv", "No,Changed,State\n");
    folder.write("map.yaml", "log: x");
    for command in [
        COMMANDS[0],
        COMMANDS[2],
        "graph small.yaml",
        "replay log.csv --map map.yaml --workflow small.yaml",
    ] {
        let called = folder.run(&format!("{command} --directory small.yaml"));
        let told = "error: `--directory`: `small.yaml` is no directory, but a workflow\n";
        assert_eq!((called.exit, called.out.as_str()), (2, ""), "{command}");
        assert!(
            called.error.starts_with(told),
            "{command}: {}",
            called.error
        );
    }
    let called = folder.run("check small.yaml --directory log.csv");
    assert!(
        called
            .error
            .contains("`log.csv` is no directory, but something else"),
        "{called:?}"
    );
    let called = folder.run("replay log.csv --map map.yaml --directory people.yaml");
    assert_eq!(called.exit, 2, "{called:?}");
    // And a directory is no workflow.
    let called = folder.run("simulate people.yaml --at '2026-03-06 09:00'");
    assert_eq!(
        (called.exit, called.error.as_str()),
        (2, "error: `people.yaml` is no workflow\n")
    );
}

#[test]
fn a_directory_that_is_named_is_checked_on_its_own() {
    let folder = Folder::with("directory-on-its-own", &[("people.yaml", PEOPLE)]);
    folder.write("other.yaml", PEOPLE.replace("user max", "user mx"));
    assert_eq!(folder.run("check people.yaml").exit, 0);
    let called = folder.run("check people.yaml other.yaml --directory people.yaml");
    assert_eq!(called.exit, 1);
    assert_eq!(
        called.out.matches("there is no person `mx`").count(),
        1,
        "{called:?}"
    );
}
