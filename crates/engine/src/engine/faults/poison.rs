//! A ticket that can't be read or moved: it alone stands still.

use std::os::unix::fs::FileExt;

use upline_core::Wish;

use super::*;
use crate::journal::JournalReader;
use crate::kit::Hand;
use crate::record::{Commit, Entry, Number};
use crate::writer::Input;

const MARK: &str = "a-key-that-is-easy-to-find";

fn on_disk(folder: &Path) -> Hand {
    let options = LogOptions {
        snapshot_commits: 1,
        beside: false,
        ..options()
    };
    let store = LogStore::open(real(folder), options, system_entropy()).unwrap();
    Hand::open(store, begin()).unwrap()
}

/// Fourteen tickets, their messages delivered; the newest snapshot tells of the first ten at least. The third
/// has the key.
fn fourteen(folder: &Path) {
    let mut hand = on_disk(folder);
    hand.deploy();
    for number in 1..=14 {
        let wish = Wish::Open {
            ticket: "".into(),
            key: (number == 3).then(|| MARK.into()),
            parent: None,
            fields: vec![("caller".into(), "Mr Low".into())],
        };
        let request = Submission::new(person("max"), wish).opening("call");
        let done = Box::new(|done: Result<_, Error>| drop(done.unwrap()));
        let turn = hand.turn(vec![Input::Open("call".into(), request, done)]);
        assert_eq!(turn.messages.len(), 1);
        hand.deliver(turn.messages);
    }
}

/// The newest snapshot of the folder: where it is, and what is in it.
fn snapshot(folder: &Path) -> (std::path::PathBuf, Vec<u8>) {
    let all = std::fs::read_dir(folder.join("snapshots")).unwrap();
    let mut all: Vec<_> = all.map(|one| one.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "snap"));
    all.sort();
    let newest = all.pop().unwrap();
    let bytes = std::fs::read(&newest).unwrap();
    (newest, bytes)
}

fn holder_of(hand: &mut Hand, number: Number) -> Option<String> {
    hand.ask(|reply| {
        Input::Look(Box::new(move |open| {
            reply(open.map(|(floor, store)| {
                let record = floor.record(store, number).ok()?;
                let holder = record.ticket.answerable().next();
                holder.map(|(_, person)| person.to_string())
            }));
        }))
    })
    .unwrap()
}

fn release(hand: &mut Hand, ticket: &str) -> Result<(), Error> {
    let target = crate::floor::Target::Id(ticket.into());
    hand.ask(|reply| Input::Release(target, "max".into(), reply))
}

/// Which tickets were let go on, and by whom, as the journal has it.
fn released(folder: &Path) -> Vec<(Number, String)> {
    let reader = JournalReader::open(real(folder), None).unwrap();
    let mut scan = reader.scan_from(1).unwrap();
    let mut released = Vec::new();
    while let Some(frame) = scan.next_frame().unwrap() {
        let commit: Commit = crate::record::decode(&frame.payload).unwrap();
        let entries = commit.entries.into_iter();
        released.extend(entries.filter_map(|entry| match entry {
            Entry::Released { number, by } => Some((number, by.to_string())),
            _ => None,
        }));
    }
    released
}

#[test]
fn a_ticket_whose_record_is_damaged_stands_still_alone_until_it_is_released() {
    let home = tempfile::tempdir().unwrap();
    fourteen(home.path());
    let mut hand = on_disk(home.path());
    // The disk goes bad under the running engine, where one ticket is.
    let (path, bytes) = snapshot(home.path());
    let at = bytes
        .windows(MARK.len())
        .position(|some| some == MARK.as_bytes());
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"X", at.unwrap() as u64).unwrap();

    let told = hand.turn(vec![]).incidents;
    let aside = |one: &&Incident| matches!(one, Incident::SetAside { ticket, .. } if ticket == "3");
    assert_eq!(told.iter().filter(aside).count(), 1, "{told:?}");
    let status = hand.ask(Input::Status).unwrap();
    assert_eq!((status.set_aside, status.forgotten), (1, 0));
    let refused = hand.act("3", "ann", "accept");
    assert!(
        matches!(refused, Err(Error::SetAside { .. })),
        "{refused:?}"
    );
    let refused = release(&mut hand, "3");
    assert!(
        matches!(refused, Err(Error::SetAside { .. })),
        "{refused:?}"
    );
    let before: Vec<_> = (1..=14)
        .map(|number| holder_of(&mut hand, number))
        .collect();
    let told = hand.pass(15 * 60).incidents;
    assert_eq!(
        told.iter().filter(aside).count(),
        0,
        "it was told: {told:?}"
    );
    for number in 1..=14 {
        let index = usize::try_from(number).unwrap() - 1;
        let now = holder_of(&mut hand, number);
        match number {
            3 => assert_eq!(now, None),
            _ => assert!(now.is_some() && now != before[index], "{number}: {now:?}"),
        }
    }
    let (mut others, _) = hand
        .ask(|reply| {
            Input::Look(Box::new(move |open| {
                let listed = open.and_then(|(floor, store)| {
                    Ok(floor.list(store, &crate::Filter::default(), 0, 50)?)
                });
                reply(listed);
            }))
        })
        .unwrap();
    others.retain(|ticket| ticket.key.is_some());
    assert_eq!(others, [], "all are listed but this one");
    let reading = hand.reading;
    drop(hand);

    // The next start reads it from the journal; it goes on when an operator says so.
    let mut hand = on_disk(home.path());
    hand.reading = reading;
    let told = hand.turn(vec![]).incidents;
    assert_eq!(told.iter().filter(aside).count(), 0, "{told:?}");
    assert!(matches!(
        hand.act("3", "ann", "accept"),
        Err(Error::SetAside { .. })
    ));
    let was = holder_of(&mut hand, 3).unwrap();
    release(&mut hand, "3").unwrap();
    hand.pass(1);
    let now = holder_of(&mut hand, 3).unwrap();
    assert_ne!(now, was, "its clock was overdue");
    hand.act("3", &now, "accept").unwrap();
    assert_eq!(hand.ask(Input::Status).unwrap().set_aside, 0);
    release(&mut hand, "3").unwrap();
    drop(hand);
    Told::read(real(home.path()));
    assert_eq!(
        released(home.path()),
        [(3, "max".to_owned())],
        "once, and by whom"
    );
}
