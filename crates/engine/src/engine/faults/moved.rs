//! Hands in the folder of an engine that works, and folders that are not the newest.

use std::fs;

use super::*;
use crate::store::log::backup::{backup, restore};

fn reason(refused: Result<crate::floor::Done, Error>) -> String {
    match refused {
        Err(Error::Unavailable(why) | Error::Unknown(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "sled")]
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// All files below a folder, with what is in them.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), fs::read(path).unwrap())),
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn whoever_removes_the_lock_s_file_lets_nobody_in() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    open(&engine.handle()).await.unwrap();
    fs::remove_file(home.path().join("lock")).unwrap();
    let again = || Engine::builder().folder(home.path()).err();
    assert!(matches!(again(), Some(StoreError::Locked)), "{:?}", again());
    #[cfg(feature = "sled")]
    {
        let checkup = crate::doctor::examine(home.path(), &mut |_, _| ()).unwrap();
        assert!(checkup.in_use);
    }
    engine.stop().await.unwrap();
    let engine = on(home.path(), &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_moved_away_is_written_no_more_and_what_takes_its_place_is_not_touched() {
    let home = tempfile::tempdir().unwrap();
    let (place, away) = (home.path().join("place"), home.path().join("away"));
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = with(Engine::builder().folder(&place).unwrap(), &clock, &heard).await;
    let handle = engine.handle();
    open(&handle).await.unwrap();
    let taken = home.path().join("taken");
    backup(&(real(&place) as _), &*real(&taken), &mut |_| ()).unwrap();
    fs::rename(&place, &away).unwrap();
    restore(&*real(&taken), &(real(&place) as _), &mut |_| ()).unwrap();
    let before = contents(&place);
    for _ in 0..3 {
        let why = reason(open(&handle).await);
        assert!(why.contains("moved, removed or replaced"), "{why}");
    }
    let told = |one: &Incident| matches!(one, Incident::Store { why } if why.contains("replaced"));
    assert!(heard.lock().unwrap().iter().any(told));
    engine.stop().await.unwrap();
    assert_eq!(contents(&place), before);
    for folder in [&place, &away] {
        let engine = on(folder, &clock, &heard).await;
        assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
        open(&engine.handle()).await.unwrap();
        engine.stop().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_journal_that_was_removed() {
    let home = tempfile::tempdir().unwrap();
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let engine = on(home.path(), &clock, &heard).await;
    open(&engine.handle()).await.unwrap();
    fs::rename(home.path().join("journal"), home.path().join("j")).unwrap();
    let why = reason(open(&engine.handle()).await);
    assert!(why.contains("moved, removed or replaced"), "{why}");
    engine.stop().await.unwrap();
    fs::rename(home.path().join("j"), home.path().join("journal")).unwrap();
    let engine = on(home.path(), &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn an_index_that_knows_more_than_the_journal_is_a_witness() {
    let home = tempfile::tempdir().unwrap();
    let (place, older) = (home.path().join("place"), home.path().join("older"));
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    for _ in 0..2 {
        let engine = with(Engine::builder().folder(&place).unwrap(), &clock, &heard).await;
        open(&engine.handle()).await.unwrap();
        // It waits until the index has that.
        let archive = engine.handle().archive().unwrap();
        let all = archive.list(crate::index::Filter::default(), None, 9).await;
        assert!(!all.unwrap().items.is_empty());
        engine.stop().await.unwrap();
        if !older.exists() {
            copy(&place, &older);
        }
    }
    // All but the index.
    for name in ["journal", "keys", "snapshots"] {
        if place.join(name).exists() {
            fs::remove_dir_all(place.join(name)).unwrap();
        }
        if older.join(name).exists() {
            copy(&older.join(name), &place.join(name));
        }
    }
    fs::copy(older.join("head"), place.join("head")).unwrap();
    let builder = Engine::builder().folder(&place).unwrap();
    let Err(refused) = builder.clock(clock.clone()).start().await else {
        panic!("it was opened");
    };
    assert!(refused.to_string().contains("older copy"), "{refused}");
    let checkup = crate::doctor::examine(&place, &mut |_, _| ()).unwrap();
    assert!(!checkup.is_fine(), "{checkup:?}");
    // Whoever means it says so.
    fs::remove_dir_all(place.join("index")).unwrap();
    let engine = with(Engine::builder().folder(&place).unwrap(), &clock, &heard).await;
    assert_eq!(engine.handle().status().await.unwrap().tickets, 1);
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn no_engine_works_on_a_backup_and_what_is_written_into_one_is_found() {
    let home = tempfile::tempdir().unwrap();
    let taken = home.path().join("taken");
    let (clock, heard) = (ManualClock::at(begin()), Heard::default());
    let place = home.path().join("place");
    let engine = on(&place, &clock, &heard).await;
    open(&engine.handle()).await.unwrap();
    engine.stop().await.unwrap();
    backup(&(real(&place) as _), &*real(&taken), &mut |_| ()).unwrap();
    let before = contents(&taken);
    let refused = Engine::builder().folder(&taken).err().unwrap().to_string();
    assert!(refused.contains("backup.json"), "{refused}");
    assert_eq!(contents(&taken), before);
    // Into the room that the journal had prepared.
    let segment = fs::read_dir(taken.join("journal")).unwrap().next().unwrap();
    let segment = fs::OpenOptions::new()
        .write(true)
        .open(segment.unwrap().path());
    std::os::unix::fs::FileExt::write_all_at(&segment.unwrap(), b"more", 60_000).unwrap();
    let to = home.path().join("to");
    let refused = restore(&*real(&taken), &(real(&to) as _), &mut |_| ());
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("something was written behind"),
        "{refused}"
    );
}
