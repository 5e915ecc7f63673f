//! The workflows beside the one that is named are read, too: they may be called, and must have other names.

use super::folder::{Folder, PEOPLE, WORKFLOW};

fn folder(name: &str, files: &[&str]) -> Folder {
    let folder = Folder::with(name, &[("directory.yaml", PEOPLE)]);
    files.iter().for_each(|file| folder.write(file, WORKFLOW));
    folder
}

#[test]
fn a_copy_is_told_at_the_file_that_is_named_wherever_it_stands_in_the_alphabet() {
    let folder = folder(
        "a-copy-beside",
        &["a-copy.yaml", "small.yaml", "z-copy.yaml"],
    );
    let all = ["a-copy.yaml", "small.yaml", "z-copy.yaml"];
    for named in all {
        for command in ["check", "simulate --at '2026-03-06 09:00'"] {
            let called = folder.run(&format!("{command} {named}"));
            let told = called.told();
            assert_eq!(called.exit, 1, "{called:?}");
            assert_eq!(told.matches("error[duplicate-name]").count(), 1, "{told}");
            assert!(told.contains(&format!("--> {named}:1:11")), "{told}");
            let others: Vec<String> = all
                .iter()
                .filter(|other| **other != named)
                .map(|other| format!("`{other}`"))
                .collect();
            let message = format!("{} are the workflow `small` too", others.join(", "));
            assert!(told.contains(&message), "{told}");
        }
    }
    let called = folder.run("check .");
    assert_eq!(
        called.out.matches("error[duplicate-name]").count(),
        1,
        "{called:?}"
    );
}

#[test]
fn a_copy_with_mistakes_has_the_name_too() {
    let folder = folder("a-broken-copy", &["small.yaml"]);
    folder.write(
        "a-draft.yaml",
        WORKFLOW.replace("start: asked", "start: aksed"),
    );
    let called = folder.run("check small.yaml");
    assert!(
        called
            .out
            .contains("`a-draft.yaml` is the workflow `small` too"),
        "{called:?}"
    );
    // What else is wrong in it is not the matter of the one that was named.
    assert!(!called.out.contains("aksed"), "{called:?}");
    folder.write(
        "a-draft.yaml",
        WORKFLOW.replace("workflow: small", "workflow: draft"),
    );
    assert_eq!(folder.run("check small.yaml").exit, 0);
}

#[test]
fn the_proof_claims_nothing_where_anything_is_wrong() {
    let claim = "no ticket can be forgotten";
    let call = |name: &str| {
        let with = format!("escalate: up, call: {{ workflow: {name} }},");
        WORKFLOW.replace("escalate: up,", &with)
    };
    for (wrong, text) in [
        ("unknown-workflow", call("smal")),
        ("self-call", call("small")),
    ] {
        let folder = folder("claims-nothing", &[]);
        folder.write("small.yaml", text);
        let called = folder.run("check small.yaml");
        assert!(
            called.out.contains(&format!("error[{wrong}]")),
            "{called:?}"
        );
        assert!(!called.out.contains(claim), "{called:?}");
        assert!(called.out.contains("small 1: NOT PROVED"), "{called:?}");
        let json = folder.run("check small.yaml --json").json();
        assert_eq!(json["workflows"][0]["holds"], false);
    }
    let folder = folder("claims-nothing", &["small.yaml"]);
    // Another workflow that is named and wrong takes nothing from this one.
    let other = call("nowhere").replace("workflow: small", "workflow: other");
    folder.write("other.yaml", other);
    let called = folder.run("check .");
    assert!(
        called.out.contains(&format!("small 1: {claim}")),
        "{called:?}"
    );
    assert!(called.out.contains("other 1: NOT PROVED"), "{called:?}");
}

#[test]
fn the_proof_claims_nothing_with_a_wrong_directory() {
    let away = "absences:
  - { who: ann, from: 2030-12-01, to: 2030-12-05, deputy: max }
  - { who: max, from: 2030-12-03, to: 2030-12-09, deputy: ann }
";
    let folder = folder("claims-nothing-deputies", &["small.yaml"]);
    folder.write("directory.yaml", format!("{PEOPLE}{away}"));
    let called = folder.run("check small.yaml --from 2030-11-01");
    assert!(called.out.contains("error[deputy-cycle]"), "{called:?}");
    assert!(
        !called.out.contains("no ticket can be forgotten"),
        "{called:?}"
    );
}
