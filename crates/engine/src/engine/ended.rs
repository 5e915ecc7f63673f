//! Tickets that have ended, of an engine on a folder: they are found, erased and remembered, whatever happens
//! to the index meanwhile; and no command waits for it.

use std::path::Path;
use std::sync::Mutex;

use upline_core::{Rejection, Ticket, Value, Wish};

use super::*;
use crate::clock::ManualClock;
use crate::index::{Filter, Standing, State};
use crate::kit::{CALL, DESK, begin, person};
use crate::record::Entry;

type Told = Arc<Mutex<Vec<Incident>>>;

async fn on(folder: &Path, told: &Told, build: impl FnOnce(Builder) -> Builder) -> Engine {
    let told = Arc::clone(told);
    let builder = Engine::builder()
        .folder(folder)
        .unwrap()
        .clock(ManualClock::at(begin()))
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .on_incident(move |incident| told.lock().unwrap().push(incident));
    build(builder).start().await.unwrap()
}

pub(super) fn opening(own: &str, key: Option<&str>) -> Submission {
    let wish = Wish::Open {
        ticket: own.into(),
        key: key.map(Into::into),
        parent: None,
        fields: vec![("caller".into(), "Mr Low".into())],
    };
    Submission::new(person("max"), wish)
}

pub(super) fn acting(by: &str, action: &str) -> Submission {
    let wish = Wish::Act {
        action: action.into(),
        fields: Vec::new(),
        note: Some("for Mr Low".into()),
    };
    Submission::new(person(by), wish)
}

pub(super) async fn holder(handle: &Handle, id: &str) -> String {
    let ticket = handle.ticket(id).await.unwrap().unwrap();
    ticket.answerable().next().unwrap().1.to_string()
}

/// Some tickets that end and one that stays open.
async fn work(handle: &Handle) {
    for (own, key) in [("", Some("crm/7")), ("own-a", None), ("", None)] {
        let opened = handle.open_with("call", opening(own, key)).await.unwrap();
        let by = holder(handle, &opened.id).await;
        handle
            .submit(&opened.id, acting(&by, "done"))
            .await
            .unwrap();
    }
    handle
        .open_with("call", opening("", Some("crm/7")))
        .await
        .unwrap();
    handle.settled().await.unwrap();
}

pub(super) fn caller(ticket: &Ticket) -> Option<&Value> {
    ticket.fields.get("caller")
}

async fn ids(archive: &Archive, filter: Filter) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = archive.list(filter.clone(), after, 1).await.unwrap();
        all.extend(page.items.into_iter().map(|ticket| ticket.id.to_string()));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn everything_is_found(handle: &Handle) {
    let archive = handle.archive().unwrap();
    for id in ["1", "own-a", "3"] {
        assert_eq!(handle.ticket(id).await.unwrap(), None);
        let ticket = archive.ticket(id).await.unwrap().unwrap();
        assert_eq!(ticket.ended.as_ref().unwrap().outcome, "done");
        assert!(caller(&ticket).is_some(), "{ticket:?}");
    }
    let open = archive.ticket("4").await.unwrap().unwrap();
    assert!(open.is_open() && caller(&open).is_some());
    assert_eq!(archive.ticket("9").await.unwrap(), None);
    let ended = Filter::default().standing(Standing::Ended);
    assert_eq!(
        ids(&archive, ended.clone().state("done")).await,
        ["1", "own-a", "3"]
    );
    assert_eq!(ids(&archive, ended.state("refused")).await, [""; 0]);
    assert_eq!(
        ids(&archive, Filter::default().person("lea")).await.len(),
        0
    );
    let holder = holder(handle, "4").await;
    assert_eq!(
        ids(&archive, Filter::default().person(&holder)).await,
        ["4"]
    );
    let keyed = archive.by_key("call", "crm/7", None, 5).await.unwrap();
    let keyed: Vec<&str> = keyed
        .items
        .iter()
        .map(|ticket| ticket.id.as_str())
        .collect();
    assert_eq!(keyed, ["4", "1"]);
    let counts = archive
        .counts(Standing::Ended, Some("call"), None)
        .await
        .unwrap();
    assert_eq!(counts.by_state[&("call".into(), "done".into())], 3);
    let history = archive.history("own-a", None, 50).await.unwrap();
    let text = format!("{:?}", history.steps);
    assert!(
        text.contains("for Mr Low") && history.next.is_none(),
        "{text}"
    );
    assert!(
        archive
            .history("9", None, 5)
            .await
            .unwrap()
            .steps
            .is_empty()
    );
}

#[tokio::test]
async fn tickets_that_have_ended_are_found_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let engine = on(folder.path(), &told, |builder| builder).await;
    work(&engine.handle()).await;
    everything_is_found(&engine.handle()).await;
    engine.stop().await.unwrap();
    for damaged in [false, true] {
        if damaged {
            std::fs::write(folder.path().join("index/db"), [0x5a; 5000]).unwrap();
        }
        let engine = on(folder.path(), &told, |builder| builder).await;
        everything_is_found(&engine.handle()).await;
        let index = engine.handle().status().await.unwrap().index;
        assert_eq!(index, Some(State::Following { behind: 0 }));
        engine.stop().await.unwrap();
    }
    let told = told.lock().unwrap();
    let index = |one: &Incident| matches!(one, Incident::Index { why } if why.contains("anew"));
    assert_eq!(told.iter().filter(|one| index(one)).count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_ticket_that_ended_long_ago_can_be_erased() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let engine = on(folder.path(), &told, |builder| builder).await;
    work(&engine.handle()).await;
    engine.stop().await.unwrap();
    let engine = on(folder.path(), &told, |builder| builder).await;
    let handle = engine.handle();
    let open = handle.erase("4", "max").await;
    assert!(matches!(open, Err(Error::StillOpen)), "{open:?}");
    let nobody = handle.erase("9", "max").await;
    assert!(
        matches!(nobody, Err(Error::Rejected(Rejection::NotOpen))),
        "{nobody:?}"
    );
    handle.erase("own-a", "max").await.unwrap();
    handle.erase("1", "max").await.unwrap();
    engine.stop().await.unwrap();
    let engine = on(folder.path(), &told, |builder| builder).await;
    let handle = engine.handle();
    let archive = handle.archive().unwrap();
    for (id, gone) in [("1", true), ("own-a", true), ("3", false)] {
        let ticket = archive.ticket(id).await.unwrap().unwrap();
        assert_eq!(caller(&ticket).is_none(), gone, "{id}");
        let history = archive.history(id, None, 50).await.unwrap();
        assert_eq!(format!("{history:?}").contains("Mr Low"), !gone, "{id}");
        let mut entries = history.steps.iter().map(|step| &step.entry);
        assert_eq!(
            entries.any(|one| matches!(one, Entry::Erased { .. })),
            gone,
            "{id}"
        );
    }
    engine.stop().await.unwrap();
}

/// Has an engine write a snapshot of what it remembers, which is little.
async fn snapshot_each_commit(folder: &Path) {
    let options = LogOptions {
        snapshot_commits: 1,
        ..LogOptions::default()
    };
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    let builder = Engine::builder().store(store).remember_at_most(3);
    let builder = builder.clock(ManualClock::at(begin()));
    let engine = builder.start().await.unwrap();
    let opened = engine
        .handle()
        .open_with("call", opening("", None))
        .await
        .unwrap();
    let by = holder(&engine.handle(), &opened.id).await;
    engine
        .handle()
        .submit(&opened.id, acting(&by, "done"))
        .await
        .unwrap();
    engine.stop().await.unwrap();
    assert!(std::fs::read_dir(folder.join("snapshots")).unwrap().count() > 0);
}

#[tokio::test]
async fn a_command_that_comes_again_is_known_though_the_writer_has_forgotten_it() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let few = |builder: Builder| builder.remember_at_most(3);
    let engine = on(folder.path(), &told, few).await;
    let mut done = Vec::new();
    let id = |number: u8| [number; 16];
    for number in 1..=20 {
        let opened = opening("", None).id(id(number));
        done.push(engine.handle().open_with("call", opened).await.unwrap());
    }
    engine.stop().await.unwrap();
    for start in 0..2 {
        // After the second start the writer remembers what a snapshot says, which is less.
        snapshot_each_commit(folder.path()).await;
        let engine = on(folder.path(), &told, few).await;
        let handle = engine.handle();
        for (number, first) in (1..=20).zip(&done) {
            let again = opening("", None).id(id(number));
            let again = handle.open_with("call", again).await.unwrap();
            assert!(again.again);
            assert_eq!((&again.id, again.revision), (&first.id, first.revision));
            let other = handle
                .submit("1", acting("ann", "done").id(id(number)))
                .await;
            assert!(
                matches!(other, Err(Error::OtherCommand)),
                "{number}: {other:?}"
            );
        }
        assert_eq!(handle.status().await.unwrap().tickets, 20);
        let accept = handle.submit("1", acting("ann", "accept").id(id(99))).await;
        assert_eq!(accept.unwrap().again, start > 0);
        engine.stop().await.unwrap();
    }
}

#[tokio::test]
async fn an_index_that_breaks_while_the_engine_runs_is_built_anew_and_commands_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let engine = on(folder.path(), &told, |builder| builder).await;
    let handle = engine.handle();
    work(&handle).await;
    let archive = handle.archive().unwrap();
    for round in 1..=3 {
        everything_is_found(&handle).await;
        match round {
            2 => archive.index().panic_in_sled(),
            _ => archive.index().condemn(),
        }
        handle
            .submit("4", acting("ann", "accept").id([round; 16]))
            .await
            .ok();
        let told = || {
            let told = told.lock().unwrap();
            told.iter()
                .filter(|one| matches!(one, Incident::Index { .. }))
                .count()
        };
        // Until it has noticed, a question is told that the index does not answer.
        loop {
            match archive.ticket("1").await {
                Ok(found) => assert!(found.is_some()),
                Err(Error::Indexing { .. } | Error::NoIndex(_)) => (),
                Err(other) => panic!("{other}"),
            }
            handle.status().await.unwrap();
            if told() == usize::from(round) {
                break;
            }
        }
    }
    assert!(folder.path().join("index.broken-3").exists());
    let why = |one: &Incident| matches!(one, Incident::Index { why } if why.contains("sled has panicked"));
    let told = told.lock().unwrap().clone();
    let of_sled = told.iter().filter(|one| why(one));
    assert_eq!(of_sled.count(), 1, "{told:?}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn files_of_the_index_that_are_damaged_under_a_running_engine_cost_no_answer() {
    use std::os::unix::fs::FileExt;

    let rounds = std::env::var("UPLINE_DAMAGES").ok();
    let rounds: u64 = rounds.map_or(3, |rounds| rounds.parse().unwrap());
    let (mut told_of, mut unanswered) = (0, 0);
    for round in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        let told = Told::default();
        let engine = on(folder.path(), &told, |builder| builder).await;
        let handle = engine.handle();
        work(&handle).await;
        everything_is_found(&handle).await;
        // Only now there is something in the files.
        handle.archive().unwrap().index().checkpoint().unwrap();
        let file = std::fs::File::options();
        let file = file
            .clone()
            .write(true)
            .open(folder.path().join("index/db"))
            .unwrap();
        match round % 3 {
            0 => file.write_all_at(&[0x5a; 4096], 512 * (round / 3)).unwrap(),
            1 => file.set_len(100 * round).unwrap(),
            _ => std::fs::remove_dir_all(folder.path().join("index")).unwrap(),
        }
        for more in 0..30_u8 {
            let opened = handle.open_with("call", opening("", None)).await.unwrap();
            let by = holder(&handle, &opened.id).await;
            handle
                .submit(&opened.id, acting(&by, "done").id([more; 16]))
                .await
                .unwrap();
            match handle.archive().unwrap().ticket(&opened.id).await {
                Ok(found) => assert!(found.is_some(), "round {round}"),
                Err(Error::Indexing { .. } | Error::NoIndex(_)) => unanswered += 1,
                Err(other) => panic!("{other}"),
            }
        }
        engine.stop().await.unwrap();
        let engine = on(folder.path(), &told, |builder| builder).await;
        let archive = engine.handle().archive().unwrap();
        for id in 5..35 {
            let ticket = archive.ticket(&id.to_string()).await.unwrap().unwrap();
            assert!(
                !ticket.is_open() && caller(&ticket).is_some(),
                "round {round}: {ticket:?}"
            );
        }
        engine.stop().await.unwrap();
        told_of += told.lock().unwrap().len();
    }
    println!("of {rounds}: {told_of} told, {unanswered} questions put off");
}

#[tokio::test]
async fn without_a_usable_index_the_engine_works_and_questions_are_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let above = folder.path().join("above");
    std::fs::write(&above, "no folder").unwrap();
    let disk = Arc::new(RealDisk::new(folder.path().join("data")));
    let store = LogStore::open(disk, LogOptions::default(), system_entropy()).unwrap();
    let index = IndexHandle::new(Index::in_folder(
        above.join("index"),
        IndexOptions::default(),
    ));
    let store = store.listener(index.clone());
    let engine = on(&folder.path().join("other"), &told, |builder| {
        builder
            .store(store)
            .index(index, FollowerOptions::default())
    })
    .await;
    let handle = engine.handle();
    work(&handle).await;
    let archive = handle.archive().unwrap();
    let answer = archive.ticket("1").await;
    assert!(matches!(answer, Err(Error::NoIndex(_))), "{answer:?}");
    assert!(
        archive.ticket("4").await.unwrap().is_some(),
        "the open one is not asked there"
    );
    let index = handle.status().await.unwrap().index;
    assert!(matches!(index, Some(State::Failed { .. })), "{index:?}");
    engine.stop().await.unwrap();
    let told = told.lock().unwrap();
    assert!(
        told.iter().any(|one| matches!(one, Incident::Index { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_engine_in_memory_keeps_no_index() {
    let engine = Engine::builder().start().await.unwrap();
    let archive = engine.handle().archive();
    assert!(matches!(archive, Err(Error::NoIndex(_))));
    assert_eq!(engine.handle().status().await.unwrap().index, None);
    engine.stop().await.unwrap();
}
