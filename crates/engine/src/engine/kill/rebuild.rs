//! Killed while a backup is restored, and while the index is built: the one leaves a whole data folder or
//! none, the other goes on or begins anew, and is what the journal says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Said, disk, next, process, round, rounds, say};
use crate::disk::RealDisk;
#[cfg(feature = "sled")]
use crate::index::{Index, IndexOptions};
#[cfg(feature = "sled")]
use crate::journal::JournalReader;
use crate::kit::told::Told;
use crate::store::StoreError;
use crate::store::log::backup::{backup, restore};

/// Says that it begins and that it is done.
fn told(work: impl FnOnce()) {
    say("begun");
    work();
    say("done");
}

#[test]
fn restoring() {
    // The tests below start this and the next one as processes of their own.
    let Some(folder) = std::env::var_os(super::FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    told(|| {
        let from = RealDisk::new(folder.join("backup"));
        restore(&from, &disk(&folder.join("home")), &mut |_| ()).unwrap();
    });
}

#[cfg(feature = "sled")]
#[test]
fn building() {
    let Some(folder) = std::env::var_os(super::FOLDER) else {
        return;
    };
    told(|| {
        built(Path::new(&folder));
    });
}

#[cfg(feature = "sled")]
/// The index beside the data folder, up to the journal's end; a few commits at a time, so that it is written
/// often.
fn built(folder: &Path) -> (Index, JournalReader) {
    let reader = JournalReader::open(disk(&folder.join("data")), None).unwrap();
    let index = Index::in_folder(folder.join("index"), IndexOptions::default());
    let opened = index.open(&reader).unwrap();
    assert!(opened.set_aside.is_none(), "{:?}", opened.set_aside);
    while index.catch_up(&reader, 20).unwrap().behind > 0 {}
    index.checkpoint().unwrap();
    (index, reader)
}

/// Runs a test as a process of its own and kills it so long after it has begun; without: when it is done. How
/// long that took, if it has come so far.
fn run(test: &str, folder: &Path, after: Option<Duration>) -> Option<Duration> {
    let mut process = process(test, folder);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines
        .find(|line| line.as_ref().unwrap() == "#begun")
        .unwrap()
        .unwrap();
    let began = Instant::now();
    match after {
        Some(after) => {
            while began.elapsed() < after {
                std::thread::yield_now();
            }
            process.kill().unwrap();
        }
        None => process.wait().map(|_| ()).unwrap(),
    }
    let took = began.elapsed();
    let done = lines.map_while(Result::ok).any(|line| line == "#done");
    process.wait().unwrap();
    done.then_some(took)
}

/// A folder in which an engine has worked.
fn worked(folder: &Path) -> Told {
    let (mut said, mut random) = (Said::default(), 7);
    while said.revisions.len() < 100 {
        round(&folder.join("data"), &mut said, &mut random);
    }
    Told::read(disk(&folder.join("data")))
}

#[test]
fn a_restore_that_is_killed_leaves_a_whole_folder_or_none() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path();
    let before = worked(folder);
    let taken = RealDisk::new(folder.join("backup"));
    backup(&disk(&folder.join("data")), &taken, &mut |_| ()).unwrap();
    let home = folder.join("home");
    let restoring = "engine::kill::rebuild::restoring";
    let whole = run(restoring, folder, None).unwrap();
    let most = u64::try_from(whole.as_micros()).unwrap() * 5 / 4;
    assert_eq!(Told::read(disk(&home)), before);
    let mut random = 11;
    let (mut left_none, mut left_all) = (0, 0);
    for _ in 0..rounds() {
        std::fs::remove_dir_all(&home).unwrap_or_default();
        let after = Duration::from_micros(next(&mut random, most));
        let done = run(restoring, folder, Some(after)).is_some();
        if home.join("folder").exists() {
            assert_eq!(Told::read(disk(&home)), before);
            left_all += 1;
        } else {
            assert!(!done);
            // It may have been killed before it had made anything.
            let began = std::fs::read_dir(&home).is_ok_and(|mut names| names.next().is_some());
            let again = restore(&taken, &disk(&home), &mut |_| ());
            match again {
                // What a killed restore has left is not taken for an empty folder.
                Err(StoreError::Format(_)) => assert!(began),
                other => assert!(!other.map(|_| began).unwrap()),
            }
            left_none += 1;
        }
    }
    println!(
        "{} restores killed: {left_none} none, {left_all} whole",
        rounds()
    );
}

#[cfg(feature = "sled")]
#[test]
fn an_index_that_is_killed_while_it_is_built_is_what_the_journal_says() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path();
    worked(folder);
    let building = "engine::kill::rebuild::building";
    let whole = run(building, folder, None).unwrap();
    let most = u64::try_from(whole.as_micros()).unwrap() * 5 / 4;
    let mut random = 13;
    let mut done = 0;
    for number in 0..rounds() {
        // One of three begins anew, the others go on.
        if number % 3 == 0 {
            std::fs::remove_dir_all(folder.join("index")).unwrap_or_default();
        }
        let after = Duration::from_micros(next(&mut random, most));
        done += u32::from(run(building, folder, Some(after)).is_some());
        if number % 3 == 2 {
            let (index, reader) = built(folder);
            let verified = index.verify(&reader, 10_000, &mut |_, _| ()).unwrap();
            assert!(verified.is_fine(), "{verified:?}");
        }
    }
    println!(
        "{} times killed while building, {done} of them too late",
        rounds()
    );
}
