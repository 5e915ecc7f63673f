//! `upline simulate` and `upline check`: what is said of the options, and of silence.

use super::folder::{Folder, WORKFLOW};

const SIMULATE: &str = "simulate small.yaml --at '2026-03-06 09:00' --by ann";

#[test]
fn a_wrong_option_is_named_with_what_is_wrong_in_it() {
    let folder = Folder::small("wrong-option");
    for (option, told) in [
        (
            "--with cost",
            "`--with 'cost'`: this is not a field and its value",
        ),
        (
            "--with cost=dear",
            "`--with 'cost=dear'`: `cost` must be a number such as 12 or 12.50",
        ),
        (
            "--with coast=1",
            "`--with 'coast=1'`: there is no field `coast`",
        ),
        (
            "--act 'ann done'",
            "`--act 'ann done'`: it does not end with its time",
        ),
        (
            "--act 'ann dne @5 min'",
            "`--act 'ann dne @5 min'`: there is no action `dne`",
        ),
        (
            "--act 'ann done @2026-03-06 08:59'",
            "`--act 'ann done @2026-03-06 08:59'`: its time lies before the ticket is opened",
        ),
        (
            "--act 'ann done @2126-03-06 08:59'",
            "`--act 'ann done @2126-03-06 08:59'`: its time lies more than 732 days after the opening",
        ),
        ("--for 3", "`--for '3'`: `3` has no unit"),
        (
            "--lang fr",
            "invalid value 'fr' for '--lang <TAG>': the languages are: en, zh",
        ),
    ] {
        let called = folder.run(&format!("{SIMULATE} {option}"));
        assert_eq!(
            (called.exit, called.out.as_str()),
            (2, ""),
            "{option}: {called:?}"
        );
        let first = called.error.lines().next().unwrap_or_default();
        assert_eq!(first, format!("error: {told}"), "{option}");
    }
    let all = "--with coast=1 --act 'ann done @5 min' --act 'ann dne @5 min'";
    let called = folder.run(&format!("{SIMULATE} {all} --json"));
    let problems = called.json()["problems"].clone();
    assert_eq!(problems.as_array().unwrap().len(), 2, "{called:?}");
    assert_eq!(problems[0]["help"], "did you mean `cost`?");
    assert_eq!(problems[1]["help"], "did you mean `done`?");
    let called = folder.run("simulate small.yaml --at noon");
    assert!(
        called
            .error
            .starts_with("error: `--at 'noon'`: this is no time"),
        "{called:?}"
    );
}

#[test]
fn an_act_at_the_opening_is_played() {
    let folder = Folder::small("act-at-the-opening");
    let called = folder.run(&format!("{SIMULATE} --act 'ann done @2026-03-06 09:00'"));
    assert_eq!(called.exit, 0, "{called:?}");
    assert!(called.out.contains("Fri 09:00  ended: done"), "{called:?}");
}

#[test]
fn only_languages_that_exist_are_spoken() {
    let folder = Folder::small("languages");
    assert_eq!(folder.run("tour --lang fr").exit, 2);
    assert!(folder.run("tour --lang zh-CN").out.contains("周五"));
    // Those of a drawing are the author's own.
    let called = folder.run("graph small.yaml --lang zh");
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(
        called.error.contains("its texts have no languages"),
        "{called:?}"
    );
    let text = WORKFLOW.replace(
        "workflow: small",
        "workflow: small\ntitle: { en: Small, fr: Petit }",
    );
    folder.write("small.yaml", text);
    assert!(
        folder
            .run("graph small.yaml --lang fr")
            .out
            .contains("Petit")
    );
    let called = folder.run("graph small.yaml --lang zh");
    assert_eq!(called.exit, 2, "{called:?}");
    assert!(
        called.error.contains("the languages are: en, fr"),
        "{called:?}"
    );
}

#[test]
fn nobody_has_no_name_in_json() {
    let folder = Folder::small("nobody");
    let text = WORKFLOW.replace("assign: next in desk", "assign: opener");
    folder.write("small.yaml", text);
    let called = folder.run("simulate small.yaml --at '2026-03-06 09:00' --json");
    let json = called.json();
    let steps = json["steps"].as_array().unwrap();
    let passed = steps.iter().find(|step| step["what"] == "passed").unwrap();
    let nobody = &passed["not-asked"][0];
    assert_eq!(nobody["reason"], "nobody is meant");
    assert!(nobody.get("who").is_none(), "{nobody}");
    assert!(!called.out.contains("\"who\": \"\""), "{}", called.out);
}

#[test]
fn the_hold_is_told_where_it_is_counted() {
    let folder = Folder::small("hold");
    let told = "Each person on a ladder is given 5 min more than it says";
    let called = folder.run("check small.yaml");
    assert!(called.out.contains(told), "{called:?}");
    let text = WORKFLOW.replace(
        "ladders: { up: [{ after: 1 h, assign: lead of desk }] }\n",
        "",
    );
    let text = text.replace("escalate: up", "after: { 1 h: closed }");
    folder.write(
        "small.yaml",
        text.replace("end: done", "end: done, by-silence: allowed"),
    );
    let called = folder.run("check small.yaml --json");
    assert_eq!(called.json()["workflows"][0]["proof"]["hold"], 0);
    let called = folder.run("check small.yaml");
    assert_eq!(
        (called.exit, called.out.contains(told)),
        (0, false),
        "{called:?}"
    );
}

/// A promise is broken once, so that the way that it leads back by is gone once.
#[test]
fn the_way_of_a_broken_promise_is_told_once() {
    let folder = Folder::small("broken-promise");
    let promise =
        "promises: { soon: { within: 30 min, met-in: closed, breach: { goto: asked } } }\nstart:";
    folder.write("small.yaml", WORKFLOW.replace("start:", promise));
    let called = folder.run("check small.yaml --json");
    let states = &called.json()["workflows"][0]["proof"]["states"];
    assert_eq!(states[0]["leads_to"], serde_json::json!(["asked"]));
    let called = folder.run("check small.yaml");
    assert!(called.out.contains("by way of asked  "), "{called:?}");
}

#[test]
fn a_branch_that_ends_alone_is_told_as_its_end() {
    let folder = Folder::small("branch-ends");
    let text = "\
workflow: split
ladders: { up: [{ after: 1 h, assign: lead of desk }] }
start: both
states:
  both:
    parallel:
      branches:
        left:
          start: quick
          states:
            quick: { assign: user ann, actions: { go: gone }, after: { 10 min: gone } }
            gone: { end: done, by-silence: allowed }
        right:
          start: slow
          states:
            slow: { assign: user lea, escalate: up, actions: { go: there } }
            there: { end: done }
      join: all
      goto: closed
  closed: { end: done }
";
    folder.write("small.yaml", text);
    let called = folder.run("check small.yaml");
    assert_eq!(called.exit, 0, "{called:?}");
    let row = |state: &str| {
        let line = called
            .out
            .lines()
            .find(|line| line.trim_start().starts_with(state));
        line.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(
        row("both").starts_with("both last resort by way of slow 2 h 10 min"),
        "{called:?}"
    );
    let branch = "left/quick end of branch by way of gone 10 min";
    assert!(row("left/quick").starts_with(branch), "{called:?}");
}

/// One mistake for each cause, however often it is in the file.
#[test]
fn a_bomb_of_aliases_is_told_in_a_few_words() {
    let folder = Folder::small("aliases");
    let mut bomb = "workflow: bomb\nl0: &l0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*l{}", level - 1); 10].join(", ");
        bomb += &format!("l{level}: &l{level} [{aliases}]\n");
    }
    folder.write("bomb.yaml", bomb);
    let json = folder.run("check bomb.yaml --json").json();
    let found = json["diagnostics"].as_array().unwrap();
    assert!((2..=8).contains(&found.len()), "{found:#?}");
}
