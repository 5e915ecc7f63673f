//! A journal that was cut, taken away or put back is found by the folder alone.

use super::*;
use crate::journal::{Flaw, FolderId, verify};

fn segments(disk: &SimDisk) -> Vec<String> {
    let names = disk.list("journal").unwrap_or_default();
    let paths = names.into_iter().map(|name| format!("journal/{name}"));
    paths.filter(|path| path.ends_with(".log")).collect()
}

/// A folder without a snapshot, its head, and what it had when half of the work was done.
fn worked() -> (SimDisk, Mark, SimDisk) {
    let (disk, mut hand) = desk(41);
    work(&mut hand, 5);
    let half = disk.copy(1);
    work(&mut hand, 5);
    drop(hand);
    assert!(snapshot::list(&disk).unwrap().is_empty());
    let folder = identity::read(&disk).unwrap();
    let last = verify(&disk, None, None, &mut |_| ())
        .unwrap()
        .last
        .unwrap();
    assert_eq!(head::read(&disk, folder), Some(last));
    (disk, last, half)
}

/// That no engine starts on it, that nothing has changed by the try, and what is said.
fn refused(disk: &SimDisk) -> String {
    let before = disk.copy(1);
    let error = store(disk).recover(&mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    for name in ["keys/0000000001", head::FILE, "folder"] {
        assert_eq!(disk.contents(name), before.contents(name), "{name}");
    }
    assert_eq!(segments(disk), segments(&before));
    error.to_string()
}

#[test]
fn a_journal_that_is_gone_begins_no_new_one() {
    let (disk, last, _) = worked();
    let whole = kept(&disk.copy(1));
    let without = disk.copy(1);
    let gone: Vec<(String, Vec<u8>)> = segments(&without)
        .into_iter()
        .map(|path| (path.clone(), without.contents(&path).unwrap()))
        .collect();
    for (path, _) in &gone {
        without.take(path);
    }
    let said = refused(&without);
    assert!(
        said.contains(&format!("commit {} was in it", last.seq)),
        "{said}"
    );
    // Nothing was done that could not be undone.
    for (path, bytes) in gone {
        without.put(&path, &bytes);
    }
    assert_eq!(kept(&without), whole);
}

#[test]
fn a_journal_whose_end_is_zeros_is_refused_and_told() {
    let (disk, last, half) = worked();
    let path = segments(&disk).pop().unwrap();
    let folder = identity::read(&half).unwrap();
    let short = verify(&half, Some(folder), None, &mut |_| ())
        .unwrap()
        .last
        .unwrap();
    let mut bytes = disk.contents(&path).unwrap();
    // Of the journal of before, zeros follow its last frame.
    let old = half.contents(&path).unwrap();
    let end = old.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end..].fill(0);
    disk.put(&path, &bytes);
    let said = refused(&disk);
    let ends = format!("ends with commit {}, but commit {}", short.seq, last.seq);
    assert!(said.contains(&ends), "{said}");
    let report = verify(&disk, None, None, &mut |_| ()).unwrap();
    let flaws: Vec<&Flaw> = report.damage.iter().map(|one| &one.flaw).collect();
    assert_eq!(flaws, [&Flaw::RolledBack { marked: last.seq }]);
}

#[test]
fn an_older_copy_in_the_place_of_the_journal_is_refused() {
    let (disk, _, half) = worked();
    for path in segments(&disk) {
        disk.take(&path);
    }
    for path in segments(&half) {
        disk.put(&path, &half.contents(&path).unwrap());
    }
    refused(&disk);
}

#[test]
fn another_history_of_the_same_length_is_refused() {
    let (disk, last, half) = worked();
    let other = half.copy(1);
    let mut hand = hand(&other);
    work(&mut hand, 5);
    drop(hand);
    let folder = identity::read(&other).unwrap();
    let twin = head::read(&other, folder).unwrap();
    assert_ne!(twin.hash, last.hash);
    // Each has its own way to be told: shorter, or as long and not the same.
    other.put(head::FILE, &disk.contents(head::FILE).unwrap());
    if twin.seq <= last.seq {
        refused(&other);
    }
    let path = segments(&disk).pop().unwrap();
    disk.put(
        head::FILE,
        &slot(
            folder,
            Mark {
                hash: twin.hash,
                ..last
            },
        ),
    );
    let said = refused(&disk);
    assert!(said.contains(&path), "{said}");
}

/// The file as it is when this was acknowledged.
fn slot(folder: FolderId, mark: Mark) -> Vec<u8> {
    let disk = SimDisk::new(1);
    Head::open(&disk, head::FILE, folder).note(&mark);
    disk.contents(head::FILE).unwrap()
}

#[test]
fn without_it_or_with_another_ones_a_folder_opens_as_ever() {
    let (disk, last, _) = worked();
    let whole = kept(&disk.copy(1));
    let far = Mark {
        seq: last.seq + 9,
        ..last
    };
    let mut flipped = disk.contents(head::FILE).unwrap();
    for at in [3, crate::disk::SECTOR + 3] {
        flipped[at] ^= 1;
    }
    let files = [
        None,
        Some(Vec::new()),
        Some(vec![0xff; 5000]),
        Some(flipped),
        Some(slot(FolderId([9; 16]), far)),
    ];
    for file in files {
        let copy = disk.copy(1);
        copy.take(head::FILE);
        if let Some(bytes) = &file {
            copy.put(head::FILE, bytes);
        }
        assert_eq!(kept(&copy), whole, "{file:?}");
        // It is written from the next commit on.
        let mut hand = hand(&copy);
        work(&mut hand, 1);
        let folder = identity::read(&copy).unwrap();
        assert!(
            head::read(&copy, folder).unwrap().seq > last.seq,
            "{file:?}"
        );
    }
}

#[test]
fn a_write_that_was_cut_off_leaves_the_one_before() {
    let (disk, last, _) = worked();
    let folder = identity::read(&disk).unwrap();
    let mut bytes = disk.contents(head::FILE).unwrap();
    let slot = (last.seq % 2) as usize * crate::disk::SECTOR;
    bytes[slot + 40] ^= 0xff;
    disk.put(head::FILE, &bytes);
    assert_eq!(head::read(&disk, folder).unwrap().seq, last.seq - 1);
}
