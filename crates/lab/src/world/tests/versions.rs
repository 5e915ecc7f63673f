//! Scenarios A07, A08 and A09: a ticket stays on the version that it was opened with.

use std::sync::Arc;

use upline_core::decide::{MigratedClocks, Migration};
use upline_core::{Actor, Name, Span, Wish, Workflow};

use super::{hops, person};
use crate::fixture::{at, open, workflow, world};

/// The next version of the fixture's workflow, with another ladder for those who are asked.
fn version_two(change: impl FnOnce(&mut upline_core::workflow::Ladder)) -> Arc<Workflow> {
    let mut next = Workflow::clone(&workflow());
    next.version = 2;
    if let Some(ladder) = next.ladders.get_mut("nobody-acts") {
        change(ladder);
    }
    Arc::new(next)
}

#[test]
fn a07_a_changed_delay_does_not_move_the_ladder_that_runs() {
    let mut world = world();
    world.advance_to(at("2026-03-06T12:05Z"));
    world.deploy([version_two(|ladder| {
        for level in &mut ladder.levels {
            level.after = Span::minutes(5).around_the_clock();
        }
    })]);
    world.open("small", &open("t2")).unwrap();
    world.advance_to(at("2026-03-06T12:15Z"));
    let expected = [
        "Fri 12:00 t1 assigned to ann (least busy in desk)",
        "Fri 12:05 t2 assigned to bob (least busy in desk)",
        "Fri 12:10 t2 to cem (another in desk)",
        "Fri 12:15 t1 to bob (another in desk)",
        "Fri 12:15 t2 to ann (another in desk)",
    ];
    assert_eq!(hops(&world), expected);
}

#[test]
fn a08_a_level_that_is_deleted_asks_nobody_by_itself() {
    let mut world = world();
    world.advance_to(at("2026-03-06T12:20Z"));
    let before = hops(&world);
    world.deploy([version_two(|ladder| {
        ladder.levels.remove(0);
    })]);
    assert_eq!(hops(&world), before);
    // Moving it is a decision of its own, and even that keeps the person and the clock.
    let operator = Actor::Operator(Name::new("lea"));
    let keep = Migration::default();
    world.migrate("t1", 2, &keep, &operator).unwrap();
    assert_eq!(hops(&world), before);
    assert_eq!(world.audit(), []);
    world.advance_to(at("2026-03-06T12:30Z"));
    assert_eq!(hops(&world).len(), before.len() + 1);
}

#[test]
fn a09_what_runs_is_not_touched_and_a_migration_may_begin_anew() {
    let mut world = world();
    world.advance_to(at("2026-03-06T12:05Z"));
    world.deploy([version_two(|ladder| {
        ladder.levels[0].after = Span::minutes(40).around_the_clock();
    })]);
    let restart = Migration {
        clocks: MigratedClocks::Restart,
        ..Migration::default()
    };
    let operator = Actor::Operator(Name::new("lea"));
    world.migrate("t1", 2, &restart, &operator).unwrap();
    assert_eq!(world.audit(), []);
    world.advance_to(at("2026-03-06T12:45Z"));
    let expected = [
        "Fri 12:00 t1 assigned to ann (least busy in desk)",
        "Fri 12:45 t1 to bob (another in desk)",
    ];
    assert_eq!(hops(&world), expected);
    let missing = world.migrate("t1", 3, &restart, &operator);
    assert!(missing.unwrap_err().to_string().contains("small version 3"));
    world
        .submit("t1", &person("bob", Wish::Decline { reason: None }))
        .unwrap();
}
