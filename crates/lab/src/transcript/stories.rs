//! Tests: several stories in one transcript.

use std::sync::Arc;

use upline_core::Name;
use upline_dsl::{Found, Sources};

use super::{Script, Setting, run};
use crate::fixture::{directory, workflow};
use crate::world::Workflows;

fn played(text: &str) -> (String, usize) {
    let mut found = Found::new();
    let script = Script::read(&mut Sources::new(), "a.test.txt", text, &mut found);
    let setting = Setting {
        workflows: Workflows::new([workflow()]),
        main: Name::new("small"),
        directory: Arc::new(directory()),
    };
    let outcome = run(&script, &setting, &mut found).filter(|_| found.is_empty());
    match outcome {
        Some(outcome) => (outcome.blessed(&script), outcome.coverage.states.len()),
        None => {
            let messages = found.iter().map(|one| one.message.clone());
            (messages.collect::<Vec<_>>().join("\n"), 0)
        }
    }
}

#[test]
fn each_story_has_its_own_clock_and_tickets() {
    let text = "\
--- story Somebody takes it
at 2026-03-06 12:00
> tom opens
    Fri 12:00  state: asked
    Fri 12:00  assigned to ann (least busy in desk)
    Fri 12:00  notify ann by mail
    Fri 12:00  next: another in desk, Fri 12:15
> ann accept
    Fri 12:00  state: working, ann
    Fri 12:00  next: lead of desk, Fri 12:15

--- story Earlier, and nobody has anything yet
at 2026-03-02 08:00
> tom opens
    Mon 08:00  state: asked
    Mon 08:00  assigned to ann (least busy in desk)
    Mon 08:00  notify ann by mail
    Mon 08:00  next: another in desk, Mon 08:15
";
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(played(&bare), (text.to_owned(), 2));
    assert_eq!(played(text), (text.to_owned(), 2));
}

#[test]
fn a_story_begins_with_its_time_and_expects_nothing_before() {
    let begun = "at 2026-03-06 12:00\n> tom opens\n--- story Next\n";
    let (wrong, _) = played(&format!("{begun}> tom opens\n"));
    assert_eq!(
        wrong,
        "the first step is `at`: it says when all this begins"
    );
    let (wrong, _) = played(&format!("{begun}    Fri 12:00  state: asked\n"));
    assert_eq!(
        wrong,
        "a journal line stands after the step that it belongs to"
    );
}
