//! An engine that keeps history for eight days: what ended before is gone for good, what is open is whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ended::{acting, caller, holder, opening};
use super::*;
use crate::clock::ManualClock;
use crate::doctor::{IndexCheck, compare_index, examine};
use crate::feed::EventId;
use crate::index::Filter;
use crate::kit::{CALL, DESK, begin};

const DAY: Duration = Duration::from_secs(86_400);

async fn on(folder: &Path, clock: &ManualClock) -> Engine {
    let options = LogOptions {
        segment_bytes: 16 << 10,
        snapshot_commits: 20,
        ..LogOptions::default()
    };
    let disk = Arc::new(RealDisk::new(folder));
    let store = LogStore::open(disk, options, system_entropy()).unwrap();
    let index = Index::in_folder(folder.join("index"), IndexOptions::default());
    let index = IndexHandle::new(index);
    let follower = FollowerOptions {
        checkpoint_every: Duration::ZERO,
        ..FollowerOptions::default()
    };
    Engine::builder()
        .store(store.listener(index.clone()))
        .index(index, follower)
        .keep_history(8 * DAY)
        .clock(clock.clone())
        .file("desk.yaml", DESK)
        .file("call.yaml", CALL)
        .start()
        .await
        .unwrap()
}

async fn hours(handle: &Handle, clock: &ManualClock, hours: u64) {
    clock.forward(Duration::from_secs(3600 * hours));
    handle.settled().await.unwrap();
}

#[tokio::test]
async fn what_ended_long_ago_is_gone_and_what_is_open_is_whole() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let clock = ManualClock::at(begin());
    let engine = on(folder, &clock).await;
    let handle = engine.handle();
    handle.open_with("call", opening("", None)).await.unwrap();
    for _ in 0..60 {
        let done = handle.open_with("call", opening("", None)).await.unwrap();
        let by = holder(&handle, &done.id).await;
        handle.submit(&done.id, acting(&by, "done")).await.unwrap();
        hours(&handle, &clock, 6).await;
    }
    let archive = handle.archive().unwrap();
    let mut tries = 0;
    // The index is kept, and files are removed, by threads of their own.
    while archive.ticket("2").await.unwrap().is_some() || !folder_begins_late(folder) {
        tries += 1;
        assert!(tries < 5_000, "{:?}", handle.status().await.unwrap());
        hours(&handle, &clock, 1).await;
    }
    assert!(
        archive
            .history("2", None, 9)
            .await
            .unwrap()
            .steps
            .is_empty()
    );
    let history = archive.history("1", None, 9).await.unwrap();
    assert!(history.next.is_some() || history.removed.is_some());
    let left = archive.list(Filter::default(), None, 200).await.unwrap();
    assert!(left.items.len() < 60, "{}", left.items.len());

    let old = handle.events(Some(EventId::START), 9).await;
    let Err(Error::TooOld { oldest }) = old else {
        panic!("{old:?}");
    };
    let kept = handle.events(None, 9).await.unwrap();
    assert!(
        kept.items
            .iter()
            .all(|one| one.id > EventId::end_of(oldest))
            && kept.more
    );
    let by = holder(&handle, "1").await;
    handle.submit("1", acting(&by, "done")).await.unwrap();
    hours(&handle, &clock, 1).await;
    engine.stop().await.unwrap();
    for anew in [false, true] {
        let engine = on_again(anew, folder, &clock).await;
        let archive = engine.handle().archive().unwrap();
        assert_eq!(archive.ticket("2").await.unwrap(), None);
        let all = Filter::default().newest_first();
        let of_caller = archive.list(all.clone().contact("mr low"), None, 200);
        let of_caller = of_caller.await.unwrap().items;
        assert_eq!(of_caller, archive.list(all, None, 200).await.unwrap().items);
        assert!(of_caller.iter().any(|ticket| ticket.id == *"1"));
        let old = archive.ticket("1").await.unwrap().unwrap();
        assert!(!old.is_open());
        // It was said when the ticket was opened, which is in no commit any more.
        assert!(caller(&old).is_some(), "{old:?}");
        let (mut after, mut removed) = (None, None);
        loop {
            let piece = archive.history("1", after, 50).await.unwrap();
            (after, removed) = (piece.next, removed.or(piece.removed));
            if after.is_none() {
                break;
            }
        }
        assert!(removed.is_some_and(|at| at > begin().as_millisecond()));
        engine.stop().await.unwrap();
        let checkup = examine(folder, &mut |_, _| ()).unwrap();
        assert!(checkup.is_fine(), "{checkup:?}");
        assert!(checkup.base.unwrap().at.is_some() && checkup.journal.unwrap().first > 1);
        match compare_index(folder, &mut |_, _| ()).unwrap() {
            IndexCheck::Compared(verified) => assert!(verified.is_fine(), "{verified:?}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The engine before must be stopped.
async fn on_again(anew: bool, folder: &Path, clock: &ManualClock) -> Engine {
    if anew {
        std::fs::remove_dir_all(folder.join("index")).unwrap();
    }
    on(folder, clock).await
}

fn folder_begins_late(folder: &Path) -> bool {
    !folder.join("journal/00000000000000000001.log").exists()
}

#[tokio::test]
async fn a_store_without_the_rule_and_too_short_a_time_are_refused() {
    let refused = Engine::builder().keep_history(9 * DAY).start().await;
    assert!(matches!(refused.unwrap_err(), StartError::Store(_)));
    let home = tempfile::tempdir().unwrap();
    let builder = Engine::builder().folder(home.path()).unwrap();
    let refused = builder.keep_history(6 * DAY).start().await.unwrap_err();
    assert!(refused.to_string().contains("7 days"), "{refused}");
}
