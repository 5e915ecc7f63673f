//! The feed of a real folder, over restarts.

use std::collections::BTreeSet;
use std::path::Path;

use upline_core::{Actor, Command, Fact, Value, Wish};

use super::{EventId, Events, Happening, What};
use crate::clock::ManualClock;
use crate::engine::{Engine, Handle, Submission};
use crate::error::Error;
use crate::kit::{CALL, DESK, begin, person};

async fn on(folder: &Path) -> Engine {
    Engine::builder()
        .folder(folder)
        .unwrap()
        .clock(ManualClock::at(begin()))
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await
        .unwrap()
}

async fn open(handle: &Handle, caller: &str) -> String {
    let fields = vec![("caller".into(), caller.to_owned())];
    let done = handle.open("call", person("lea"), fields).await.unwrap();
    handle.settled().await.unwrap();
    done.id.to_string()
}

/// All pages of this size.
async fn all(handle: &Handle, from: Option<EventId>, limit: usize) -> Vec<Happening> {
    let (mut items, mut after) = (Vec::new(), from);
    loop {
        let page: Events = handle.events(after, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        after = Some(page.next);
        if !page.more {
            return items;
        }
    }
}

fn callers(events: &[Happening]) -> Vec<&Value> {
    let facts = events.iter().filter_map(|one| match &one.what {
        What::Fact {
            fact: Fact::FieldsSet { values, .. },
            ..
        } => values.first()?.1.as_ref(),
        _ => None,
    });
    facts.collect()
}

#[tokio::test]
async fn in_pages_of_every_size_and_over_restarts_it_is_the_same() {
    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    let handle = engine.handle();
    let first = open(&handle, "Mr Low").await;
    handle.act(&first, person("ann"), "done").await.unwrap();
    open(&handle, "Mrs High").await;
    handle.settled().await.unwrap();
    let whole = all(&handle, None, 200).await;
    let ids: Vec<EventId> = whole.iter().map(|one| one.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let deployed = |one: &Happening| matches!(one.what, What::Deployed { .. });
    assert!(deployed(&whole[0]) && whole[0].subject.is_none());
    let ended = |one: &&Happening| {
        matches!(
            &one.what,
            What::Fact {
                fact: Fact::Ended { .. },
                ..
            }
        )
    };
    let ended = whole.iter().find(ended).unwrap();
    let subject = ended.subject.as_ref().unwrap();
    assert_eq!(
        (subject.id.as_str(), subject.workflow.as_str()),
        ("1", "call")
    );
    assert!(
        whole
            .iter()
            .any(|one| matches!(one.what, What::Settled { .. }))
    );
    for limit in [1, 2, 3, 7] {
        assert_eq!(all(&handle, None, limit).await, whole, "{limit}");
    }
    engine.stop().await.unwrap();

    // Nobody remembers any names now.
    let engine = on(home.path()).await;
    let handle = engine.handle();
    for (at, id) in ids.iter().enumerate() {
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(*id));
        let rest = all(&handle, Some(*id), 3).await;
        assert_eq!(rest, whole[at + 1..], "behind {text}");
    }
    assert_eq!(all(&handle, Some(EventId::START), 50).await, whole);
    let end = handle.end_of_events().unwrap();
    assert_eq!(all(&handle, Some(end), 50).await, []);
    let beyond = handle
        .events(Some(EventId::end_of(end.commit() + 1)), 1)
        .await;
    assert!(matches!(beyond, Err(Error::Cursor)), "{beyond:?}");
    engine.stop().await.unwrap();
    let stopped = handle.events(None, 1).await;
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
}

#[tokio::test]
async fn what_was_erased_stays_erased() {
    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    let handle = engine.handle();
    let id = open(&handle, "Mr Low").await;
    assert_eq!(
        callers(&all(&handle, None, 50).await),
        [&Value::Text("Mr Low".into())]
    );
    handle.act(&id, person("ann"), "done").await.unwrap();
    handle.settled().await.unwrap();
    handle.erase(&id, "max").await.unwrap();
    let events = all(&handle, None, 50).await;
    assert_eq!(callers(&events), [&Value::Text(String::new())]);
    let erased = events
        .iter()
        .any(|one| matches!(one.what, What::Fact { erased: true, .. }));
    let last = events
        .iter()
        .any(|one| matches!(&one.what, What::Erased { by } if by == "max"));
    assert!(erased && last, "{events:?}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn the_tide_rises_with_each_commit_and_ends_with_the_engine() {
    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    let handle = engine.handle();
    let (mut tide, after) = (handle.tide().unwrap(), handle.end_of_events().unwrap());
    assert_eq!(handle.events(Some(after), 9).await.unwrap().items, []);
    let opens = handle.clone();
    let opening = tokio::spawn(async move { open(&opens, "Mr Low").await });
    tide.more().await.unwrap();
    assert!(
        !handle
            .events(Some(after), 9)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    opening.await.unwrap();
    engine.stop().await.unwrap();
    for _ in 0..2 {
        assert!(matches!(tide.more().await, Err(Error::Stopped)));
    }
}

#[tokio::test]
async fn whom_a_ticket_concerns_is_told_of_open_and_of_ended_ones() {
    let home = tempfile::tempdir().unwrap();
    let engine = on(home.path()).await;
    let handle = engine.handle();
    let system = Actor::System("pbx".into());
    let open_by = |by: Actor| {
        let handle = handle.clone();
        async move { handle.open("call", by, vec![]).await.unwrap().number }
    };
    let (one, two) = (open_by(system.clone()).await, open_by(person("lea")).await);
    let both = BTreeSet::from([one, two]);
    let of = |by: Actor| {
        let (handle, both) = (handle.clone(), both.clone());
        async move { handle.concerning(&both, &by).await.unwrap() }
    };
    for ended in [false, true] {
        assert_eq!(of(system.clone()).await, BTreeSet::from([one]), "{ended}");
        assert_eq!(of(Actor::Person("nobody".into())).await, BTreeSet::new());
        assert_eq!(of(Actor::Operator("root".into())).await, both);
        if !ended {
            assert_eq!(of(person("ann")).await, both, "it is her group's");
            let wish = Wish::Cancel {
                reason: "enough".into(),
            };
            for number in [one, two] {
                let by = Actor::Operator("root".into());
                let command = Command {
                    by,
                    branch: None,
                    wish: wish.clone(),
                };
                let submission = Submission::of(command);
                handle
                    .submit(&number.to_string(), submission)
                    .await
                    .unwrap();
            }
            handle.settled().await.unwrap();
        }
    }
    engine.stop().await.unwrap();
}

#[test]
fn what_names_no_event_is_refused() {
    for text in [
        "",
        ".",
        "1.",
        ".1",
        "-1",
        "+1",
        "1.2.3",
        "x",
        "1.4294967295",
        "99999999999999999999",
    ] {
        assert!(text.parse::<EventId>().is_err(), "{text}");
    }
    let end: EventId = "17".parse().unwrap();
    assert!(end > "17.4294967294".parse().unwrap() && end < "18.0".parse().unwrap());
    assert_eq!(end, EventId::end_of(17));
}
