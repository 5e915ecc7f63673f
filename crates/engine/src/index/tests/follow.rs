//! The thread that follows the journal.

use std::fs;
use std::time::Duration;

use super::kit::{Bench, commits};
use crate::index::{Follower, FollowerOptions, IndexHandle, Lag, State};
use crate::journal::Position;
use crate::store::Listener;

/// Long enough for any machine, short of a hang.
const LONG: Duration = Duration::from_secs(60);

fn options() -> FollowerOptions {
    FollowerOptions {
        // So that a test which forgets to wake it does not pass by luck.
        look_every: LONG * 10,
        commits_at_once: 7,
        retry_after: Duration::from_millis(1),
        ..FollowerOptions::default()
    }
}

fn follow(bench: &Bench) -> Follower {
    let handle = IndexHandle::new(bench.index.clone());
    handle.opened(&bench.reader());
    Follower::start(handle, options(), Box::new(|_| ())).unwrap()
}

#[test]
fn what_was_committed_is_found_after_waiting_for_it() {
    let mut bench = Bench::new();
    let follower = follow(&bench);
    for (count, commit) in commits(31, 150).into_iter().enumerate() {
        bench.append(commit);
        follower.committed();
        if count % 10 == 0 {
            let last = Position(*bench.at.last().unwrap());
            follower.wait(last, LONG).unwrap();
            assert_eq!(bench.all(), bench.model(bench.commits.len()));
        }
    }
    let end = bench.reader().end();
    assert_eq!(follower.wait(end, Duration::ZERO), Err(Lag::Behind));
    let last = Position(*bench.at.last().unwrap());
    follower.wait(last, LONG).unwrap();
    assert_eq!(follower.state(), State::Following { behind: 0 });
    assert_eq!(follower.set_aside(), None);
    follower.stop();
    let reader = bench.reader();
    drop(std::mem::replace(
        &mut bench.index,
        crate::index::Index::in_folder("", Default::default()),
    ));
    let opened = bench.again().open(&reader).unwrap();
    assert_eq!(opened.mark, reader.head());
}

#[test]
fn a_folder_that_breaks_is_built_anew_and_said_so() {
    let mut bench = Bench::with(commits(32, 200));
    let last = Position(*bench.at.last().unwrap());
    let follower = follow(&bench);
    follower.wait(last, LONG).unwrap();
    follower.stop();
    bench.again();
    let file = bench.path().join("db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[64..2_000].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let follower = follow(&bench);
    follower.wait(last, LONG).unwrap();
    assert_eq!(bench.all(), bench.model(bench.commits.len()));
    if let Some((aside, times)) = follower.set_aside() {
        assert_eq!(times, 1);
        assert!(aside.folder.exists());
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_a_state_and_not_the_end() {
    let mut bench = Bench::with(commits(33, 60));
    let last = Position(*bench.at.last().unwrap());
    // What stands where the folder above should be.
    let above = bench.folder.path().join("above");
    fs::write(&above, "").unwrap();
    bench.index = crate::index::Index::in_folder(above.join("index"), Default::default());
    let follower = follow(&bench);
    let failed = loop {
        match follower.wait(last, LONG) {
            Err(Lag::Failed(why)) => break why,
            other => assert_eq!(other, Err(Lag::Behind)),
        }
    };
    assert!(failed.contains("index"), "{failed}");
    fs::remove_file(&above).unwrap();
    loop {
        match follower.wait(last, LONG) {
            Ok(()) => break,
            Err(Lag::Failed(_)) => std::thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(bench.all(), bench.model(bench.commits.len()));
}

#[test]
fn a_commit_that_cannot_be_taken_in_stops_it_and_what_was_before_is_still_found() {
    let mut bench = Bench::with(commits(34, 100));
    let follower = follow(&bench);
    let last = Position(*bench.at.last().unwrap());
    follower.wait(last, LONG).unwrap();
    let mark = bench.journal.append(&[99, 1, 2, 3]).unwrap();
    let failed = follower.wait(mark.position, LONG).unwrap_err();
    assert!(
        matches!(&failed, Lag::Failed(why) if why.contains("form 99")),
        "{failed}"
    );
    assert_eq!(bench.all(), bench.model(bench.commits.len()));
}
