mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use upline_core::{Absence, Name, Wish, evolve};

use super::{Refusal, Unobserved, World};
use crate::fixture::{at, directory, open, workflow, world};
use crate::render::{Language, Times, say};
use crate::world::Workflows;

/// The lines of the journal that say who has it now.
fn hops(world: &World) -> Vec<String> {
    let mut times = Times::new(jiff::tz::TimeZone::UTC, Language::English);
    times.know(at("2026-03-06T12:00Z"));
    let mut lines = Vec::new();
    let mut tickets: BTreeMap<Name, upline_core::Ticket> = BTreeMap::new();
    for entry in &world.observer().entries {
        let ticket = tickets.entry(entry.ticket.clone()).or_default();
        for said in say(std::slice::from_ref(&entry.event), ticket, None) {
            let text = said.text(Language::English, &times);
            if text.starts_with("to ") || text.starts_with("assigned ") {
                lines.push(format!("{} {} {text}", times.stamp(said.at), entry.ticket));
            }
        }
    }
    lines
}

fn person(who: &str, wish: Wish) -> upline_core::Command {
    upline_core::Command::person(who, wish)
}

#[test]
fn it_climbs_until_the_last_resort_and_stays_there() {
    let mut world = world();
    world.advance_to(at("2026-03-08T12:00Z"));
    let expected = [
        "Fri 12:00 t1 assigned to ann (least busy in desk)",
        "Fri 12:15 t1 to bob (another in desk)",
        "Fri 12:30 t1 to cem (another in desk)",
        "Fri 12:45 t1 to lea (lead of desk)",
        "Fri 13:00 t1 to max (last resort)",
    ];
    assert_eq!(hops(&world), expected);
    assert_eq!(world.audit(), []);
    // Reminded every quarter of an hour: two days without the first hour.
    let reminders = 47 * 4;
    let events = world.observer().of("t1").collect::<Vec<_>>();
    let reminded =
        |event: &&&upline_core::Event| matches!(event.fact, upline_core::Fact::Reminded { .. });
    assert_eq!(events.iter().filter(reminded).count(), reminders);
}

/// A world for long replays forgets what was in a ticket, and not how it ended.
#[test]
fn of_a_ticket_that_is_over_only_the_end_is_kept() {
    let play = |world: World<Ends>| {
        let mut world = world;
        world.open("small", &open("t1")).unwrap();
        world.open("small", &open("t2")).unwrap();
        for action in ["accept", "done"] {
            let wish = Wish::Act {
                action: Name::new(action),
                fields: Vec::new(),
                note: None,
            };
            let (_, holder) = world.ticket("t1").unwrap().answerable().next().unwrap();
            let command = person(&holder.clone(), wish);
            world.submit("t1", &command).unwrap();
        }
        world
    };
    let workflows = Workflows::new([workflow()]);
    let world = World::observed(
        at("2026-03-06T12:00Z"),
        workflows,
        Arc::new(directory()),
        Ends::default(),
    );
    let whole = play(world.clone());
    let small = play(world.keeping_only_ends());
    let (kept, let_go) = (whole.ticket("t1").unwrap(), small.ticket("t1").unwrap());
    assert_eq!((&kept.ended, &kept.id), (&let_go.ended, &let_go.id));
    assert!(!kept.is_open() && !kept.did.is_empty());
    assert!(let_go.did.is_empty() && let_go.fields.is_empty());
    assert_eq!(whole.ticket("t2"), small.ticket("t2"));
    // The observer has seen it whole before.
    assert_eq!(small.observer().0, std::slice::from_ref(kept));
    assert_eq!(whole.observer().0, []);
}

/// Tickets as they were when they were over.
#[derive(Debug, Clone, Default)]
struct Ends(Vec<upline_core::Ticket>);

impl super::Observer for Ends {
    fn happened(&mut self, _: &upline_core::Ticket, _: &upline_core::Event) {}

    fn over(&mut self, ticket: &upline_core::Ticket) {
        self.0.push(ticket.clone());
    }
}

#[test]
fn replay_equals_life() {
    let mut world = world();
    world.advance_to(at("2026-03-06T12:20Z"));
    let accept = Wish::Act {
        action: Name::new("accept"),
        fields: Vec::new(),
        note: None,
    };
    world.submit("t1", &person("bob", accept)).unwrap();
    world.advance_to(at("2026-03-06T15:00Z"));
    let mut replayed = upline_core::Ticket::default();
    for event in world.observer().of("t1") {
        evolve(&mut replayed, event);
    }
    assert_eq!(Some(&replayed), world.ticket("t1"));
}

#[test]
fn a_clock_delivered_twice_does_nothing_the_second_time() {
    let mut world = world();
    world.advance_to(at("2026-03-06T12:15Z"));
    let before = world.observer().entries.len();
    world.fire_again();
    world.fire_again();
    assert_eq!(world.observer().entries.len(), before);
    assert!(world.observer().refused.is_empty());
}

#[test]
fn after_an_outage_one_step_and_then_the_full_time() {
    let mut world = world();
    world.outage(at("2026-03-06T12:05Z"), at("2026-03-06T14:00Z"));
    world.advance_to(at("2026-03-06T14:15Z"));
    let expected = [
        "Fri 12:00 t1 assigned to ann (least busy in desk)",
        "Fri 14:00 t1 to bob (another in desk), 1 h 45 min late",
        "Fri 14:15 t1 to cem (another in desk)",
    ];
    assert_eq!(hops(&world), expected);
}

#[test]
fn nobody_can_do_anything_while_the_engine_is_down() {
    let mut world = world();
    world.stop();
    assert_eq!(
        world.submit("t1", &person("ann", Wish::Claim)),
        Err(Refusal::Down)
    );
    assert_eq!(world.open("small", &open("t2")), Err(Refusal::Down));
    assert!(world.ticket("t2").is_none());
}

#[test]
fn who_becomes_absent_is_moved_on_by_the_ladder_and_not_asked_again() {
    let mut people = directory();
    let from = at("2026-03-06T12:05Z");
    let to = at("2026-03-07T12:00Z");
    let who = Name::new("ann");
    let absence = Absence {
        who: who.clone(),
        from,
        to,
        deputy: None,
    };
    people.absences.insert(who, vec![absence]);
    let workflows = Workflows::new([workflow()]);
    let mut world = World::new(at("2026-03-06T12:00Z"), workflows, Arc::new(people));
    world.open("small", &open("t1")).unwrap();
    world.advance_to(at("2026-03-06T12:50Z"));
    let expected = [
        "Fri 12:00 t1 assigned to ann (least busy in desk)",
        "Fri 12:15 t1 to bob (another in desk)",
        "Fri 12:30 t1 to cem (another in desk)",
        "Fri 12:45 t1 to lea (lead of desk)",
    ];
    assert_eq!(hops(&world), expected);
}

#[test]
fn who_leaves_the_directory_loses_the_ticket_at_once() {
    let mut world = world();
    let mut people = directory();
    people.people.remove("ann");
    people.groups.values_mut().for_each(|group| {
        group.members.retain(|member| member != "ann");
    });
    world.set_directory(Arc::new(people));
    let ticket = world.ticket("t1").unwrap();
    assert_eq!(ticket.answerable().next().unwrap().1, "bob");
    assert_eq!(world.audit(), []);
}

#[test]
fn a_key_that_is_open_is_the_same_ticket() {
    let mut world = world();
    let keyed = |id: &str| {
        let mut command = open(id);
        if let Wish::Open { key, .. } = &mut command.wish {
            *key = Some(Name::new("A-17"));
        }
        command
    };
    world.open("small", &keyed("t2")).unwrap();
    let refusal = Refusal::SameKey {
        key: Name::new("A-17"),
        ticket: Name::new("t2"),
    };
    assert_eq!(world.open("small", &keyed("t3")), Err(refusal));
    assert_eq!(world.by_key("small", "A-17").unwrap().id, "t2");
    let cancel = Wish::Cancel {
        reason: "a mistake".to_owned(),
    };
    world.submit("t2", &person("lea", cancel)).unwrap();
    world.open("small", &keyed("t4")).unwrap();
    assert_eq!(world.by_key("small", "A-17").unwrap().id, "t4");
}

#[test]
fn what_happens_in_a_world_alone_does_not_happen_here() {
    let world = world();
    let mut alone = world.alone("t1").unwrap();
    alone.advance_to(at("2026-03-06T12:40Z"));
    assert_eq!(
        alone.ticket("t1").unwrap().answerable().next().unwrap().1,
        "cem"
    );
    assert_eq!(
        world.ticket("t1").unwrap().answerable().next().unwrap().1,
        "ann"
    );
}

#[test]
fn fewest_tickets_first_over_all_tickets() {
    let workflows = Workflows::new([workflow()]);
    let mut world = World::observed(
        at("2026-03-06T12:00Z"),
        workflows,
        Arc::new(directory()),
        Unobserved,
    );
    for number in 0..7 {
        world.open("small", &open(&format!("t{number}"))).unwrap();
    }
    let open = ["ann", "bob", "cem"].map(|who| world.workload().of(who).open);
    assert_eq!(open, [3, 2, 2]);
}
