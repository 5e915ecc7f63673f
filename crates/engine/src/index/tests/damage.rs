//! Whatever is done to the folder: the answer is right, or the index is built anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::callers::found_by_callers;
use super::equal::copy_folder;
use super::kit::{Bench, Dice, all, commits, many};
use crate::index::{Index, IndexError, IndexOptions, KEPT_ASIDE};

/// Files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Does something to one of the files, the large one most often. What was done.
fn damage(folder: &Path, older: &Path, dice: &mut Dice) -> String {
    let files = files(folder);
    let file = match dice.roll(3) {
        0 => dice.one_of(&files).clone(),
        _ => folder.join("db"),
    };
    let Ok(mut bytes) = fs::read(&file) else {
        return "nothing more".to_owned();
    };
    let length = bytes.len() as u64;
    let name = file.strip_prefix(folder).unwrap().display().to_string();
    // Mostly where something is: the end of the file is reserved.
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |at| at as u64 + 1);
    let at = dice.roll(used) as usize;
    let what = match dice.roll(8) {
        0 => {
            fs::remove_file(&file).unwrap();
            return format!("{name} removed");
        }
        1 => {
            bytes.truncate(at);
            format!("{name} cut to {at} of {length}")
        }
        2 => {
            let end = (at + 512).min(bytes.len());
            bytes[at..end].fill(0);
            format!("{name} zeroed at {at}")
        }
        3 => {
            let end = (at + 4096).min(bytes.len());
            bytes[at..end]
                .iter_mut()
                .for_each(|byte| *byte = dice.roll(256) as u8);
            format!("{name} overwritten at {at}")
        }
        4 => {
            // What a disk does that loses a write: a piece as it was some time ago.
            let old = fs::read(older.join(&name)).unwrap_or_default();
            let start = (at / 4096 * 4096).min(old.len());
            let end = (start + 65_536).min(old.len()).min(bytes.len());
            bytes[start.min(end)..end].copy_from_slice(&old[start.min(end)..end]);
            format!("{name} put back from {start} to {end}")
        }
        5 => {
            bytes.extend([0xa5; 700]);
            format!("{name} made longer")
        }
        _ => {
            let bit = dice.roll(8);
            bytes[at.min(length.max(1) as usize - 1)] ^= 1 << bit;
            format!("bit {bit} of {name} at {at}")
        }
    };
    fs::write(&file, bytes).unwrap();
    what
}

/// How many damaged folders, so that the number of a full run can be asked for; a few of them in any.
const DAMAGES: &str = "UPLINE_DAMAGES";

/// In a full run.
const FULL: u64 = 200;

#[test]
fn damaged_folders_give_no_wrong_answer() {
    let rounds = std::env::var(DAMAGES).ok();
    let rounds: u64 = rounds.map_or(20, |rounds| rounds.parse().unwrap());
    let bench = Bench::with(many(commits(11, 400), 4));
    bench.index.open(&bench.reader()).unwrap();
    let older = bench.folder.path().join("older");
    for _ in 0..6 {
        bench.index.catch_up(&bench.reader(), 60).unwrap();
    }
    bench.index.checkpoint().unwrap();
    copy_folder(&bench.path(), &older);
    bench.catch_up();
    bench.index.checkpoint().unwrap();
    let expected = bench.model(bench.commits.len());
    let callers = bench.callers();
    // One that is set aside takes it along.
    let secret = bench.secret();
    let (mut aside, mut older_state, mut rebuilt, mut later) = (0, 0, 0, 0);
    for seed in 0..rounds {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("index");
        copy_folder(&bench.path(), &folder);
        let mut dice = Dice(seed);
        let mut done = vec![damage(&folder, &older, &mut dice)];
        for _ in 0..dice.roll(4) {
            done.push(damage(&folder, &older, &mut dice));
        }
        bench.put_secret(&secret);
        let index = Index::in_folder(&folder, IndexOptions::default());
        let opened = index.open(&bench.reader()).unwrap();
        aside += u64::from(opened.set_aside.is_some());
        older_state += u64::from(opened.set_aside.is_none() && opened.mark != bench.journal.head());
        if opened.mark.is_none() && rebuilt >= 2 && rounds < FULL {
            // Nothing is in it: what is built then is looked at in the first such rounds, or in a full run
            // in all.
            assert_eq!(all(&index), BTreeMap::new(), "seed {seed}: {done:?}");
            continue;
        }
        rebuilt += u64::from(opened.mark.is_none());
        loop {
            match index.catch_up(&bench.reader(), 1_000) {
                Ok(progress) if progress.behind == 0 => break,
                Ok(_) => (),
                Err(error) => {
                    later += 1;
                    assert!(
                        matches!(error, IndexError::Broken(_)),
                        "seed {seed}: {done:?}: {error}"
                    );
                    index.open(&bench.reader()).unwrap();
                }
            }
        }
        assert_eq!(all(&index), expected, "seed {seed}: {done:?}");
        assert_eq!(found_by_callers(&index), callers, "seed {seed}: {done:?}");
        let verified = index
            .verify(&bench.reader(), 1_000, &mut |_, _| ())
            .unwrap();
        assert!(verified.is_fine(), "seed {seed}: {done:?}: {verified:?}");
        // And what was built can be closed and opened again.
        drop(index);
        let index = Index::in_folder(&folder, IndexOptions::default());
        let opened = index.open(&bench.reader()).unwrap();
        assert_eq!(opened.set_aside, None, "seed {seed}: {done:?}");
        assert_eq!(opened.mark, bench.journal.head(), "seed {seed}: {done:?}");
    }
    println!(
        "of {rounds}: {aside} set aside ({rebuilt} of them built anew), {older_state} went on from an older \
         state, {later} noticed later"
    );
    // sled's own threads decide what lies where in its file, so that the same dice do other harm each time:
    // in a few rounds only that there was some is sure.
    let effective = match rounds < FULL {
        true => aside > 0,
        false => aside > rounds / 4 && aside + older_state > rounds / 2,
    };
    assert!(effective && rebuilt > 0, "too few had any effect");
}

#[test]
fn a_folder_that_is_deleted_or_no_folder_is_built_anew() {
    let bench = Bench::with(commits(4, 150));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    bench.index.checkpoint().unwrap();
    let expected = bench.model(bench.commits.len());
    let mut bench = bench;
    bench.again();
    fs::remove_dir_all(bench.path()).unwrap();
    let opened = bench.index.open(&bench.reader()).unwrap();
    assert_eq!((opened.mark, opened.set_aside), (None, None));
    bench.catch_up();
    assert_eq!(bench.all(), expected);

    bench.again();
    fs::remove_dir_all(bench.path()).unwrap();
    fs::write(bench.path(), "something else").unwrap();
    let opened = bench.index.open(&bench.reader()).unwrap();
    assert!(opened.set_aside.is_some());
    bench.catch_up();
    assert_eq!(bench.all(), expected);
}

#[test]
fn a_snapshot_that_a_kill_has_cut_off_does_no_harm() {
    let mut bench = Bench::with(commits(4, 150));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    let mark = bench.index.mark().unwrap();
    bench.again();
    let half = bench.path().join("snap.7FFFFFFFFFFFFFFF.generating");
    fs::write(&half, "half").unwrap();
    let opened = bench.index.open(&bench.reader()).unwrap();
    assert_eq!((opened.mark, opened.set_aside), (mark, None));
    assert!(!half.exists());
}

#[test]
fn of_the_folders_set_aside_the_last_two_are_kept() {
    let mut bench = Bench::with(commits(4, 60));
    for round in 1..=4_u64 {
        bench.again();
        fs::create_dir_all(bench.path()).unwrap();
        fs::write(bench.path().join("conf"), format!("{round}: what is that?")).unwrap();
        fs::write(bench.path().join("db"), [7; 9_000]).unwrap();
        let aside = bench
            .index
            .open(&bench.reader())
            .unwrap()
            .set_aside
            .unwrap();
        assert!(
            aside.folder.ends_with(format!("index.broken-{round}")),
            "{aside:?}"
        );
    }
    let names = fs::read_dir(bench.folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut kept: Vec<String> = names.filter(|name| name.contains("broken")).collect();
    kept.sort();
    assert_eq!(kept, ["index.broken-3", "index.broken-4"]);
    assert_eq!(kept.len(), KEPT_ASIDE);
}
