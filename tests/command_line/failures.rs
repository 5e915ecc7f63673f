//! What is told if a command can't do its work, and with which exit code.

use super::folder::{Folder, PEOPLE, TRANSCRIPT, WORKFLOW};

#[test]
fn a_file_that_cannot_be_read_is_told_once_and_alike() {
    let folder = Folder::small("cannot-be-read");
    // A folder has the name of a file.
    folder.write("other.yaml/x", "");
    folder.write(
        "other.test.txt",
        "workflow: other.yaml\nat 2026-03-06 09:00\n",
    );
    for (line, file) in [
        ("check nowhere.yaml", "nowhere.yaml"),
        ("check small.yaml --directory nowhere.yaml", "nowhere.yaml"),
        ("test nowhere.test.txt", "nowhere.test.txt"),
        ("test other.test.txt", "other.yaml"),
        ("graph nowhere.yaml", "nowhere.yaml"),
        (
            "simulate nowhere.yaml --at '2026-03-06 09:00'",
            "nowhere.yaml",
        ),
        ("replay nowhere.csv --map small.yaml", "small.yaml"),
        ("replay small.yaml --map nowhere.yaml", "nowhere.yaml"),
    ] {
        let called = folder.run(line);
        let told = called.told();
        // What can be read and is no mapping is a mistake.
        if file == "small.yaml" {
            assert_eq!(called.exit, 1, "{line}: {told}");
            continue;
        }
        assert_eq!(called.exit, 3, "{line}: {told}");
        assert_eq!(told.matches("cannot read").count(), 1, "{line}: {told}");
        assert!(
            told.contains(&format!("cannot read `{file}`: ")),
            "{line}: {told}"
        );
    }
    // The others are played all the same.
    let called = folder.run("test .");
    assert_eq!(called.exit, 3);
    assert!(called.out.contains("small.test.txt ... ok"), "{called:?}");
    assert!(called.out.contains("1 passed, 1 failed"), "{called:?}");
}

#[test]
fn a_broken_directory_is_told_as_what_it_is() {
    let folder = Folder::small("broken-directory");
    let checked = |directory: &str| {
        folder.write("directory.yaml", directory);
        let check = folder.run("check small.yaml");
        assert_eq!(check.exit, 1);
        for line in [
            "simulate small.yaml --at '2026-03-06 09:00'",
            "test small.yaml",
        ] {
            let called = folder.run(line);
            let told = called.told();
            assert_eq!(called.exit, 1, "{line}: {told}");
            assert!(!told.contains("there is no directory"), "{line}: {told}");
            // The same words as those of `check`, before its count.
            let same = check.out.rsplit_once("\n\n").map_or("", |(found, _)| found);
            let same = &same[same.find("error[").unwrap()..];
            assert!(told.contains(same), "{line}: {told}\nnot\n{same}");
        }
    };
    checked(&PEOPLE.replace("user max", "user mx"));
    checked(&PEOPLE.replace("members: [ann]", "members: [ann"));
}

#[test]
fn without_a_directory_nothing_is_played() {
    let folder = Folder::with("no-directory", &[("small.yaml", WORKFLOW)]);
    folder.write("small.test.txt", TRANSCRIPT);
    for line in ["simulate small.yaml --at '2026-03-06 09:00'", "test ."] {
        let called = folder.run(line);
        let told = called.told();
        assert_eq!(called.exit, 3, "{line}: {told}");
        assert!(told.contains("there is no directory"), "{line}: {told}");
    }
}

#[test]
fn what_check_refuses_is_not_played() {
    let folder = Folder::small("not-played");
    // Reads without a mistake, and nothing watches the state.
    let ladders = "ladders: { up: [{ after: 1 h, assign: lead of desk }] }\n";
    let text = WORKFLOW.replace(ladders, "").replace(" escalate: up,", "");
    folder.write("small.yaml", text);
    folder.write(
        "fine.yaml",
        WORKFLOW.replace("workflow: small", "workflow: fine"),
    );
    folder.write("fine.test.txt", TRANSCRIPT);
    let map = "log: x\ncolumns: { ticket: No, time: Changed, status: State }\nmeans: { New: queued }\n\
               play: { opening: { in: asked } }\n";
    folder.write("map.yaml", map);
    folder.write("log.csv", "No,Changed,State\n1,2026-03-06T09:00:00Z,New\n");
    let check = folder.run("check small.yaml --json").json();
    assert_eq!(check["diagnostics"][0]["code"], "forgettable-state");
    for line in [
        "simulate small.yaml --at '2026-03-06 09:00'",
        "replay log.csv --map map.yaml --workflow small.yaml",
    ] {
        let called = folder.run(line);
        assert_eq!((called.exit, called.out.as_str()), (1, ""), "{line}");
        assert!(
            called.error.starts_with("error[forgettable-state]"),
            "{line}: {}",
            called.error
        );
        let json = folder.run(&format!("{line} --json")).json();
        assert_eq!(json["diagnostics"][0], check["diagnostics"][0], "{line}");
        let fine = folder.run(&line.replace("small.yaml", "fine.yaml"));
        assert_eq!(fine.exit, 0, "{line}: {fine:?}");
    }
    let tested = folder.run("test . --json");
    let tests = tested.json();
    assert_eq!(
        (tested.exit, &tests["passed"], &tests["failed"]),
        (1, &1.into(), &1.into())
    );
    assert_eq!(tests["tests"][0]["passed"], true);
    assert_eq!(tests["tests"][1]["diagnostics"][0], check["diagnostics"][0]);
    // A warning keeps nobody from playing.
    let warned = WORKFLOW.replace("cost: {", "unused: { type: text }, cost: {");
    folder.write("small.yaml", warned);
    assert!(folder.run("check small.yaml").out.contains("1 warning"));
    assert_eq!(folder.run("test .").exit, 0);
}

#[test]
fn a_call_that_leads_nowhere_is_not_played() {
    let folder = Folder::small("call-leads-nowhere");
    let caller = "workflow: caller\nladders: { up: [{ after: 1 h, assign: lead of desk }] }\nstart: new\n\
                  states:\n  new: { assign: lead of desk, call: { workflow: small }, escalate: up, \
                  actions: { other: closed } }\n  closed: { end: done }\n";
    folder.write("caller.yaml", caller);
    let simulate = "simulate caller.yaml --at '2026-03-06 09:00'";
    for line in ["check caller.yaml", simulate] {
        let called = folder.run(line);
        let told = called.told();
        assert_eq!(called.exit, 1, "{line}: {told}");
        assert!(
            told.contains("`small` can end with `done`, and no action is called so"),
            "{told}"
        );
    }
    folder.write("caller.yaml", caller.replace("other:", "done:"));
    assert_eq!(folder.run(simulate).exit, 0);
    // What is called must be right, too.
    folder.write(
        "small.yaml",
        WORKFLOW.replace("lead of desk", "lead of dsk"),
    );
    for line in ["check caller.yaml", simulate] {
        let called = folder.run(line);
        let told = called.told();
        assert_eq!(called.exit, 1, "{line}: {told}");
        assert!(told.contains("--> small.yaml:3:"), "{line}: {told}");
    }
}

#[test]
fn every_failure_is_json() {
    let folder = Folder::small("failure-is-json");
    folder.write("broken.yaml", "workflow: [");
    for (line, exit, message) in [
        ("check nix --json", 3, "cannot read `nix`: "),
        ("test nix --json", 3, "cannot read `nix`: "),
        ("explain nix --json", 3, "there is no mistake called `nix`"),
        ("chek --json", 2, "unrecognized subcommand 'chek'"),
        (
            "tour --speed 0 --json",
            2,
            "`--speed` must be more than nothing",
        ),
        (
            "graph broken.yaml --json",
            1,
            "`broken.yaml` can't be used as it is",
        ),
    ] {
        let called = folder.run(line);
        assert_eq!(called.exit, exit, "{line}: {called:?}");
        assert!(
            called.error.starts_with(&format!("error: {message}")),
            "{line}: {called:?}"
        );
        let json = called.json();
        assert_eq!(json["exit"], exit, "{line}: {json}");
        let told = json["problems"][0]["message"].as_str().unwrap_or_default();
        assert!(told.starts_with(message), "{line}: {json}");
        let found = json["diagnostics"].as_array().unwrap().len();
        assert_eq!(found > 0, exit == 1, "{line}: {json}");
    }
    // Help is no failure.
    let called = folder.run("check --help --json");
    assert_eq!(
        (called.exit, called.out.contains("Usage: upline check")),
        (0, true)
    );
}

#[test]
fn files_of_any_size_and_encoding_are_told_where_and_how_large() {
    let folder = Folder::small("size-and-encoding");
    folder.write("large.yaml", vec![b'a'; 20_000_000]);
    let called = folder.run("check large.yaml");
    let told = "the file has 20000000 bytes (19.1 MiB); at most 1 MiB is read";
    assert!(called.out.contains(told), "{called:?}");
    let latin = TRANSCRIPT.replace("max opens", "max opens # caf\u{e9}");
    let latin: Vec<u8> = latin
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    folder.write("latin.test.txt", &latin);
    folder.write(
        "latin.yaml",
        [b"workflow: x\ntitle: caf".as_slice(), b"\xE9\n"].concat(),
    );
    for (line, place) in [
        ("check latin.yaml --json", (2, 11)),
        ("test latin.test.txt --json", (2, 18)),
        ("replay log.csv --map latin.yaml --json", (2, 11)),
    ] {
        let called = folder.run(line);
        let json = called.json();
        let tested = &json["tests"][0]["diagnostics"][0];
        let one = if tested.is_null() {
            &json["diagnostics"][0]
        } else {
            tested
        };
        assert_eq!(
            (called.exit, &one["code"]),
            (1, &"wrong-encoding".into()),
            "{line}: {json}"
        );
        assert_eq!(
            (&one["line"], &one["column"]),
            (&place.0.into(), &place.1.into()),
            "{line}"
        );
    }
}
