use std::collections::BTreeMap;

use upline_core::Wish;
use upline_core::ticket::Level;

use super::*;
use crate::disk::sim::SimDisk;
use crate::kit::{CALL, Hand, begin, entropy, person};
use crate::record::{Entry, File};
use crate::store::{Batch, Store};
use crate::writer::Input;
use upline_core::decide::Migration;

fn store(disk: &SimDisk) -> LogStore {
    LogStore::open(Arc::new(disk.clone()), LogOptions::default(), entropy(1)).unwrap()
}

fn hand(disk: &SimDisk) -> Hand {
    Hand::open(store(disk), begin()).unwrap()
}

/// A folder with two open tickets and an ended one, and its engine.
fn worked() -> (SimDisk, Hand) {
    let disk = SimDisk::new(1);
    let mut hand = hand(&disk);
    hand.deploy();
    for caller in ["Mr Low", "Mrs High", "Mr Even"] {
        hand.open_ticket(caller).unwrap();
    }
    let turn = hand.turn(Vec::new());
    hand.deliver(turn.messages);
    hand.act("1", "ann", "done").unwrap();
    let turn = hand.pass(16 * 60);
    hand.deliver(turn.messages);
    (disk, hand)
}

fn look(disk: &SimDisk) -> Folder {
    Folder::open(Arc::new(disk.clone()), &mut |_| ()).unwrap()
}

fn find(folder: &mut Folder, id: &str) -> Result<Found, LookError> {
    folder.find(id, &mut |_, _| ())
}

/// All files, by their paths.
fn files(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in disk.list(&folder).unwrap() {
            let path = match folder.is_empty() {
                true => name,
                false => format!("{folder}/{name}"),
            };
            match disk.contents(&path) {
                Some(bytes) => drop(found.insert(path, bytes)),
                None => folders.push(path),
            }
        }
    }
    found
}

#[test]
fn a_look_says_what_an_engine_says_and_changes_nothing() {
    let (disk, mut hand) = worked();
    let (times, language) = (
        Times::new(TimeZone::UTC, Language::English),
        Language::English,
    );
    let horizon = Horizon::default();
    for id in ["2", "3"] {
        let (said, ahead) = {
            let (number, times) = (id.parse().unwrap(), times.clone());
            let asked = hand.ask(|reply| {
                Input::Look(Box::new(move |open| {
                    reply(open.map(|(floor, store)| {
                        let said = floor.explain(store, number).unwrap();
                        let ahead = floor.forecast(store, number, horizon, times, language);
                        (said, ahead.unwrap())
                    }));
                }))
            });
            asked.unwrap()
        };
        let copy = disk.copy(2);
        let before = files(&copy);
        let mut folder = look(&copy);
        folder.at(said.now);
        let found = find(&mut folder, id).unwrap();
        assert_eq!(folder.explain(&found).unwrap(), said);
        let told = folder.forecast(&found, horizon, times.clone(), language);
        assert_eq!(told.unwrap(), ahead);
        drop(folder);
        assert_eq!(files(&copy), before);
    }
}

#[test]
fn what_was_due_is_overdue_and_comes_first() {
    let (disk, _) = worked();
    let mut folder = look(&disk.copy(2));
    let found = find(&mut folder, "2").unwrap();
    let on_time = folder.explain(&found).unwrap();
    assert!(!on_time.positions[0].clocks[0].overdue);
    let due = on_time.positions[0].clocks[0].due;
    let late = due + jiff::SignedDuration::from_hours(3);
    folder.at(late);
    let explained = folder.explain(&found).unwrap();
    assert!(explained.positions[0].clocks[0].overdue);
    let times = Times::new(TimeZone::UTC, Language::English);
    let lines = explained.lines(&times, Language::English).join("\n");
    assert!(lines.contains("overdue: it fires as soon as"), "{lines}");
    let ahead = folder.forecast(&found, Horizon::default(), times, Language::English);
    let ahead = ahead.unwrap();
    assert_eq!((ahead.from, ahead.steps[0].at), (late, late));
    // Time does not run back.
    folder.at(due);
    assert_eq!(folder.now(), late);
}

/// Whoever went on leave while nobody ran the engine loses the ticket when one starts.
#[test]
fn an_absence_that_began_meanwhile_is_in_the_forecast() {
    let (disk, mut hand) = worked();
    let away = format!(
        "{}absences: [{{ who: lea, from: \"2026-03-07\", to: \"2026-04-01\" }}]\n",
        crate::kit::DESK
    );
    let file = File {
        name: "desk.yaml".into(),
        text: away,
    };
    hand.ask(|reply| Input::Deploy(vec![file], reply)).unwrap();
    let turn = hand.pass(31 * 60);
    hand.deliver(turn.messages);
    let mut folder = look(&disk.copy(2));
    let found = find(&mut folder, "2").unwrap();
    let explained = folder.explain(&found).unwrap();
    assert_eq!(explained.positions[0].answerable, "lea", "{explained:?}");
    let now = folder.now() + jiff::SignedDuration::from_hours(48);
    folder.at(now);
    let times = Times::new(TimeZone::UTC, Language::English);
    let ahead = folder.forecast(&found, Horizon::default(), times, Language::English);
    let ahead = ahead.unwrap();
    let first = serde_json::to_value(&ahead.steps[0]).unwrap();
    assert_eq!(
        (&first["what"], &first["who"]),
        (&"asked".into(), &"max".into()),
        "{ahead:#?}"
    );
}

#[test]
fn tickets_that_have_ended_are_found_in_the_journal() {
    let (disk, mut hand) = worked();
    let open = |id: &str| Wish::Open {
        ticket: id.into(),
        key: None,
        parent: None,
        fields: Vec::new(),
    };
    for _ in 0..2 {
        let request = crate::Submission::new(person("max"), open("order-7")).opening("call");
        let opened = hand.ask(|reply| Input::Open("call".into(), request, reply));
        opened.unwrap();
        hand.pass(1);
        let mut all = ["ann", "bob"].into_iter();
        assert!(all.any(|who| hand.act("order-7", who, "done").is_ok()));
    }
    let turn = hand.turn(Vec::new());
    hand.deliver(turn.messages);
    let copy = disk.copy(2);
    let before = files(&copy);
    let mut folder = look(&copy);
    let mut told = 0;
    let found = folder.find("1", &mut |done, of| {
        assert!(done <= of);
        told += 1;
    });
    let found = found.unwrap();
    let explained = folder.explain(&found).unwrap();
    assert_eq!(explained.outcome.as_deref(), Some("done"));
    assert_eq!(
        explained.ended,
        Some(found.ticket.ended.clone().unwrap().at)
    );
    assert_eq!(explained.positions, []);
    let times = Times::new(TimeZone::UTC, Language::English);
    let lines = explained.lines(&times, Language::English);
    assert!(lines[0].starts_with("ended: done, "), "{lines:?}");
    let ahead = folder.forecast(&found, Horizon::default(), times, Language::English);
    let ahead = ahead.unwrap();
    assert_eq!(
        (ahead.outcome.as_deref(), ahead.steps.len()),
        (Some("done"), 0)
    );
    // Of two that have had one id the later one.
    let found = find(&mut folder, "order-7").unwrap();
    assert_eq!((found.number, found.ticket.ended.is_some()), (5, true));
    for (id, of) in [("6", 5), ("0", 5), ("order-8", 5), ("", 5)] {
        match find(&mut folder, id) {
            Err(LookError::NoSuchTicket { ticket, last }) => {
                assert_eq!((ticket.as_str(), last), (id, of));
            }
            other => panic!("{id}: {other:?}"),
        }
    }
    drop(folder);
    assert_eq!(files(&copy), before);
}

#[test]
fn a_ticket_that_is_set_aside_says_why() {
    let (disk, hand) = worked();
    let at = hand.reading.wall;
    drop(hand);
    let mut store = store(&disk);
    store.recover(&mut |_| Ok(())).unwrap();
    let mut record = store.ticket(2).unwrap().unwrap();
    let why = Some("clock 1 is due, and nothing happens".to_owned());
    record.set_aside.clone_from(&why);
    let set_aside = Entry::SetAside {
        number: 2,
        why: why.clone(),
    };
    let batch = Batch {
        fence: 0,
        at,
        wall: at,
        entries: vec![set_aside],
        after: vec![&mut record],
    };
    store.commit(batch).unwrap();
    drop(store);
    let mut folder = look(&disk);
    let found = find(&mut folder, "2").unwrap();
    assert_eq!(found.set_aside, why);
    assert_eq!(folder.explain(&found).unwrap().set_aside, why);
    let found = find(&mut folder, "3").unwrap();
    assert_eq!(found.set_aside, None);
    assert_eq!(folder.explain(&found).unwrap().set_aside, None);
    let (some, count) = folder.set_aside(0, 10).unwrap();
    let ids: Vec<_> = some.iter().map(|one| one.ticket.as_str()).collect();
    assert_eq!((ids, count), (vec!["2"], 1));
}

#[test]
fn what_can_not_be_looked_at_is_told_and_left_alone() {
    let empty = SimDisk::new(1);
    let opened = Folder::open(Arc::new(empty.clone()), &mut |_| ());
    assert!(matches!(opened, Err(StoreError::Format(_))));
    assert_eq!(empty.list("").unwrap(), Vec::<String>::new());
    let (disk, hand) = worked();
    drop(hand);
    let newer = disk.copy(2);
    newer.put("folder", b"upline data folder 9\n");
    let opened = Folder::open(Arc::new(newer), &mut |_| ());
    assert!(matches!(opened, Err(StoreError::Format(_))));
    let damaged = disk.copy(2);
    let path = format!("journal/{}", damaged.list("journal").unwrap()[0]);
    assert!(damaged.flip(&path, 300, 1));
    let before = files(&damaged);
    let opened = Folder::open(Arc::new(damaged.clone()), &mut |_| ());
    assert!(
        matches!(opened, Err(StoreError::Damaged(_))),
        "{:?}",
        opened.err()
    );
    assert_eq!(files(&damaged), before);
}

/// The next version, in which `working` has another name.
fn second() -> File {
    let text = CALL.replace("workflow: call", "workflow: call\nversion: 2");
    let text = text.replace("working", "busy").replace("30 min", "45 min");
    File {
        name: "new/call.yaml".into(),
        text,
    }
}

#[test]
fn a_plan_says_what_a_migration_does() {
    let (disk, mut hand) = worked();
    let ticket = find(&mut look(&disk.copy(2)), "2").unwrap().ticket;
    let (_, who) = ticket.answerable().next().unwrap();
    hand.act("2", &who.clone(), "accept").unwrap();
    let copy = disk.copy(2);
    let before = files(&copy);
    let plan = |migration: &Migration, only: Option<&str>| {
        let mut seen = Vec::new();
        let planning = look(&copy).with_workflow(second());
        let mut planning = planning.unwrap();
        assert_eq!(
            (planning.workflow().as_str(), planning.version()),
            ("call", 2)
        );
        let plan = planning.plan(migration, &person("max"), only, &mut |one, done, of| {
            assert!(done <= of);
            seen.push(one);
        });
        (plan.unwrap(), seen)
    };
    let (sum, seen) = plan(&Migration::default(), None);
    assert_eq!((sum.movable, sum.stuck, sum.there), (1, 1, 0));
    let refused = seen[0].after.as_ref().unwrap_err();
    assert!(refused.to_string().contains("working"), "{refused}");
    let mut migration = Migration::default();
    migration.states.insert("working".into(), "busy".into());
    let (sum, seen) = plan(&migration, None);
    assert_eq!((sum.movable, sum.stuck), (2, 0));
    let (_, moved) = seen[0].after.as_ref().unwrap();
    assert_eq!(
        (moved.version, moved.positions[""].state.as_str()),
        (2, "busy")
    );
    assert_eq!(moved.positions[""].level, Level::Entry);
    assert_eq!(plan(&migration, Some("3")).1.len(), 1);
    assert_eq!(files(&copy), before);
    // An engine does the same.
    let events = seen.iter().map(|one| one.after.as_ref().unwrap().0.clone());
    let planned: Vec<_> = events.collect();
    hand.ask(|reply| Input::Deploy(vec![second()], reply))
        .unwrap();
    let did = ["2", "3"].map(|id| {
        let (target, by) = (crate::Target::Id(id.into()), person("max"));
        let migration = migration.clone();
        let moved = hand.ask(|reply| Input::Migrate(target, 2, migration, by, false, reply));
        moved.unwrap()
    });
    let facts = |all: &[Vec<Event>]| -> Vec<_> {
        let all = all.iter().flatten();
        all.map(|event| event.fact.clone()).collect()
    };
    assert_eq!(facts(&planned), facts(&did));
    // Those that have moved are there.
    let copy = disk.copy(3);
    let mut planning = look(&copy).with_workflow(second()).unwrap();
    let plan = planning.plan(&migration, &person("max"), None, &mut |_, _, _| ());
    assert_eq!(plan.unwrap().there, 2);
}

#[test]
fn a_ticket_that_cannot_be_read_is_counted_and_the_others_are_planned() {
    let (disk, hand) = worked();
    drop(hand);
    let options = LogOptions {
        snapshot_commits: 1,
        beside: false,
        ..LogOptions::default()
    };
    let store = LogStore::open(Arc::new(disk.clone()), options, entropy(1)).unwrap();
    let mut hand = Hand::open(store, begin()).unwrap();
    for _ in 0..12 {
        hand.open_ticket("Mr Even").unwrap();
    }
    drop(hand);
    let mut planning = look(&disk).with_workflow(second()).unwrap();
    // It goes bad while it is looked at: at the first byte of the first record.
    let header = 104 + 32;
    let names = disk.list("snapshots").unwrap();
    let snapshots: Vec<_> = names.iter().filter(|one| one.ends_with(".snap")).collect();
    assert!(!snapshots.is_empty(), "{names:?}");
    for name in snapshots {
        assert!(
            disk.flip(&format!("snapshots/{name}"), header + 8, 1),
            "{name}"
        );
    }
    let mut plan = |only| {
        planning.plan(
            &Migration::default(),
            &person("max"),
            only,
            &mut |_, _, _| (),
        )
    };
    let sum = plan(None).unwrap();
    assert_eq!((sum.movable, sum.stuck, sum.unreadable), (13, 0, 1));
    assert!(matches!(
        plan(Some("2")),
        Err(LookError::Store(StoreError::Ticket { number: 2, .. }))
    ));
}

#[test]
fn files_that_would_not_be_deployed_are_not_planned_with() {
    let (disk, _) = worked();
    let error = |file: File| match look(&disk.copy(2)).with_workflow(file).err() {
        Some(LookError::Refused(error)) => *error,
        other => panic!("{other:?}"),
    };
    let wrong = File {
        text: second().text.replace("goto: closed", "goto: nowhere"),
        ..second()
    };
    assert!(matches!(error(wrong), Error::Files(_)));
    let same = File {
        text: second().text.replace("version: 2", "version: 1"),
        ..second()
    };
    assert!(matches!(error(same), Error::SameVersion { .. }));
    let desk = File {
        name: "desk.yaml".into(),
        text: crate::kit::DESK.replace("Ann", "Anna"),
    };
    assert!(matches!(error(desk), Error::NoSuchWorkflow { .. }));
    let mut planning = look(&disk.copy(2)).with_workflow(second()).unwrap();
    let migration = Migration::default();
    let no_such = planning.plan(&migration, &person("max"), Some("1"), &mut |_, _, _| ());
    assert!(
        matches!(no_such, Err(LookError::NoSuchTicket { .. })),
        "{no_such:?}"
    );
}
