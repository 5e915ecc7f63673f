//! The index is what the journal adds up to, however it came about.

use super::callers::found_by_callers;
use super::kit::{Bench, Dice, commits};
use crate::index::{Index, IndexError, IndexOptions};
use crate::record::{Commit, Entry};

#[test]
fn an_index_is_what_its_journal_adds_up_to_wherever_it_was_stopped() {
    for seed in 0..12 {
        let mut bench = Bench::new();
        bench.index.open(&bench.reader()).unwrap();
        let mut dice = Dice(seed);
        for commit in commits(seed, 120) {
            bench.append(commit);
            match dice.roll(6) {
                0 => {
                    let at_most = 1 + dice.roll(7) as usize;
                    bench.index.catch_up(&bench.reader(), at_most).unwrap();
                }
                1 => {
                    bench.catch_up();
                    assert_eq!(bench.all(), bench.model(bench.commits.len()), "seed {seed}");
                }
                2 if dice.roll(4) == 0 => {
                    let before = bench.index.mark().unwrap();
                    let reader = bench.reader();
                    let opened = bench.again().open(&reader).unwrap();
                    assert_eq!(
                        (opened.mark, opened.set_aside),
                        (before, None),
                        "seed {seed}"
                    );
                }
                _ => (),
            }
        }
        bench.catch_up();
        assert_eq!(bench.all(), bench.model(bench.commits.len()), "seed {seed}");
        assert_eq!(
            found_by_callers(&bench.index),
            bench.callers(),
            "seed {seed}"
        );
        for at_once in [3, 1_000] {
            let verified = bench.index.verify(&bench.reader(), at_once, &mut |_, _| ());
            let verified = verified.unwrap();
            assert!(verified.is_fine(), "seed {seed}: {verified:?}");
            assert_eq!(verified.tickets, bench.all().len() as u64);
        }
        let reader = bench.reader();
        assert_eq!(bench.again().open(&reader).unwrap().set_aside, None);
    }
}

#[test]
fn a_copy_made_in_mid_work_goes_on_to_the_same() {
    let bench = Bench::with(commits(7, 400));
    bench.index.open(&bench.reader()).unwrap();
    let whole = bench.model(bench.commits.len());
    let mut begun = 0;
    for round in 0.. {
        let progress = bench.index.catch_up(&bench.reader(), 25).unwrap();
        if round % 2 == 0 {
            bench.index.checkpoint().unwrap();
        }
        // As a kill leaves it: what sled has not written is not there.
        let copy = bench.folder.path().join(format!("copy-{round}"));
        copy_folder(&bench.path(), &copy);
        let copy = Index::in_folder(copy, IndexOptions::default());
        let opened = copy.open(&bench.reader()).unwrap();
        assert_eq!(opened.set_aside, None, "round {round}");
        begun += usize::from(opened.mark.is_some());
        while copy.catch_up(&bench.reader(), 1_000).unwrap().behind > 0 {}
        assert_eq!(super::kit::all(&copy), whole, "round {round}");
        if progress.behind == 0 {
            break;
        }
    }
    assert!(begun > 2, "only {begun} copies had anything in them");
}

pub(super) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn a_large_commit_is_taken_in_pieces_and_stands_as_a_whole() {
    let small = commits(3, 300);
    // All that moves different tickets in one commit, as when a thousand clocks are due at once.
    let mut all: Vec<Entry> = small
        .iter()
        .flat_map(|commit| commit.entries.clone())
        .collect();
    for entry in &mut all {
        if let Entry::Moved(moved) = entry {
            moved.previous = None;
        }
    }
    assert!(all.len() > 200);
    let at = small[0].at;
    let bench = Bench::with(vec![Commit {
        at,
        wall: at,
        entries: all,
    }]);
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    assert_eq!(bench.all(), bench.model(1));
    let verified = bench
        .index
        .verify(&bench.reader(), 50, &mut |_, _| ())
        .unwrap();
    assert!(verified.is_fine(), "{verified:?}");
}

#[test]
fn nothing_personal_is_in_the_folder() {
    let mut bench = Bench::new();
    for mut commit in commits(5, 200) {
        for entry in &mut commit.entries {
            if let Entry::Moved(moved) = entry {
                // As if it had not been sealed: the fields at least are left out all the same.
                moved.sealed.reverse();
                crate::record::restore_events(&mut moved.events, &moved.sealed).unwrap();
                moved.sealed.clear();
            }
        }
        bench.append_as_it_is(commit);
    }
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    bench.index.checkpoint().unwrap();
    let all = bench.all();
    assert!(all.len() > 20);
    assert!(all.values().all(|record| record.ticket.fields.is_empty()));
    let file = std::fs::read(bench.path().join("db")).unwrap();
    for personal in ["Mr Low", "mr low", "example.com", "301234567", "王先生"] {
        let personal = personal.as_bytes();
        let mut found = file.windows(personal.len());
        assert!(!found.any(|bytes| bytes == personal), "{personal:?}");
    }
    // The search does find what is there.
    assert!(file.windows(7).any(|bytes| bytes == b"working"));
}

#[test]
fn an_index_of_another_journal_is_set_aside() {
    let bench = Bench::with(commits(1, 100));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    // The same folder, put back to an older state, and gone on with in another way.
    let mut other = Bench::with(commits(2, 60));
    other.folder = bench.folder;
    drop(bench.index);
    let reader = other.reader();
    let opened = other.again().open(&reader).unwrap();
    assert_eq!(opened.mark, None);
    let why = opened.set_aside.unwrap().why;
    assert!(why.contains("older state"), "{why}");
    other.catch_up();
    assert_eq!(other.all(), other.model(other.commits.len()));
    let closed = Index::in_folder(other.path(), IndexOptions::default());
    assert!(matches!(closed.ticket(1), Err(IndexError::NotOpen)));
}
