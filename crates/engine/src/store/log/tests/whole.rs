//! What a start would refuse, or not find any more, is told before, and is no backup.

use super::*;
use crate::journal::{Flaw, Report, verify, verify_behind};
use crate::store::log::backup::{MANIFEST, Manifest, backup, restore};
use crate::vault;

const KEYS: &str = "keys/0000000001";

fn worked() -> SimDisk {
    let (disk, mut hand) = desk(31);
    work(&mut hand, 60);
    drop(hand);
    // It would know of each cut: here others must find it.
    disk.take(head::FILE);
    disk
}

fn marked(disk: &SimDisk) -> Mark {
    let folder = identity::read(disk).unwrap();
    check::Readable::of(disk, folder).mark().unwrap()
}

fn segments(disk: &SimDisk) -> Vec<String> {
    let names = disk.list("journal").unwrap();
    names
        .into_iter()
        .map(|name| format!("journal/{name}"))
        .collect()
}

/// Zeros from the commit of the newest snapshot on, as if they had never been written.
fn cut(disk: &SimDisk) {
    let mark = marked(disk);
    for path in segments(disk) {
        let mut bytes = disk.contents(&path).unwrap();
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let (first, position) = (long(32), long(40));
        if first >= mark.seq {
            disk.take(&path);
        } else if let Some(rest) =
            bytes.get_mut(512 + mark.position.0.saturating_sub(position) as usize..)
        {
            rest.fill(0);
            disk.put(&path, &bytes);
        }
    }
}

fn verified(disk: &SimDisk) -> Report {
    verify(disk, None, None, &mut |_| ()).unwrap()
}

fn refused(disk: &SimDisk, why: &str) {
    let from: Arc<dyn Disk> = Arc::new(disk.clone());
    let to = SimDisk::new(32);
    let error = backup(&from, &to, &mut |_| ()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{why}: {error}");
    assert!(error.to_string().contains(why), "{why}: {error}");
    assert!(to.contents(MANIFEST).is_none() && to.contents("folder").is_none());
}

#[test]
fn a_journal_that_ends_before_its_newest_snapshot_is_told() {
    let disk = worked();
    let (mark, whole) = (marked(&disk), verified(&disk));
    assert!(whole.is_whole() && whole.last.unwrap().seq >= mark.seq);
    let shorter = disk.copy(1);
    cut(&shorter);
    let folder = identity::read(&shorter).unwrap();
    let blind = verify_behind(&shorter, Some(folder), None, None, &mut |_| ()).unwrap();
    assert!(blind.is_whole() && blind.frames < mark.seq, "{blind:?}");
    let flaws: Vec<Flaw> = verified(&shorter)
        .damage
        .into_iter()
        .map(|damage| damage.flaw)
        .collect();
    assert_eq!(flaws, [Flaw::RolledBack { marked: mark.seq }]);
    refused(&shorter, &format!("ends before commit {}", mark.seq));

    let none = disk.copy(1);
    for path in segments(&none) {
        none.take(&path);
    }
    assert_eq!(verified(&none).damage.len(), 1);
    refused(&none, "the journal is missing");
}

#[test]
fn keys_that_are_damaged_or_missing_are_no_backup() {
    let disk = worked();
    let missing = disk.copy(1);
    missing.take(KEYS);
    refused(&missing, "is missing");
    let damaged = disk.copy(1);
    assert!(damaged.flip(KEYS, vault::SLOT_BYTES as u64 + 20, 1));
    refused(&damaged, "is damaged");

    let lost = disk.copy(1);
    for path in segments(&lost) {
        lost.take(&path);
    }
    for seq in snapshot::list(&lost).unwrap() {
        lost.take(&snapshot::path(seq));
    }
    refused(&lost, "the journal is missing");
}

/// A backup whose files are as its manifest says, taken by a program that did not look.
fn careless(disk: &SimDisk, spoil: impl Fn(&SimDisk)) -> SimDisk {
    let from: Arc<dyn Disk> = Arc::new(disk.clone());
    let taken = SimDisk::new(33);
    let mut manifest: Manifest = backup(&from, &taken, &mut |_| ()).unwrap();
    spoil(&taken);
    let there = |path: &str| taken.contents(path);
    manifest.files.retain(|file| there(&file.path).is_some());
    for file in &mut manifest.files {
        let bytes = there(&file.path).unwrap();
        let copied = &bytes[..file.bytes as usize];
        file.hash = crate::journal::Hash(*blake3::hash(copied).as_bytes());
    }
    let folder = Some(manifest.folder);
    let report = verify_behind(&taken, folder, None, None, &mut |_| ());
    manifest.head = report.unwrap().last;
    taken.put(MANIFEST, &serde_json::to_vec(&manifest).unwrap());
    taken
}

#[test]
fn a_backup_of_less_than_a_start_needs_is_not_restored() {
    let disk = worked();
    let restored = |spoil: &dyn Fn(&SimDisk)| {
        let taken = careless(&disk, spoil);
        let home: Arc<dyn Disk> = Arc::new(SimDisk::new(34));
        restore(&taken, &home, &mut |_| ())
    };
    assert!(restored(&|_| ()).is_ok());
    type Spoil<'a> = (&'a dyn Fn(&SimDisk), &'a str);
    let spoils: [Spoil<'_>; 3] = [
        (&cut, "ends before commit"),
        (&|taken| taken.take(KEYS), "is missing"),
        (
            &|taken| assert!(taken.flip(KEYS, vault::SLOT_BYTES as u64 + 20, 1)),
            "is damaged",
        ),
    ];
    for (spoil, why) in spoils {
        let error = restored(spoil).unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

/// What somebody else has put into the folder meanwhile is his.
#[test]
fn a_backup_that_fails_removes_what_it_has_made_and_nothing_else() {
    let from: Arc<dyn Disk> = Arc::new(worked());
    let to = SimDisk::new(38);
    let mut others = false;
    let failed = backup(&from, &to, &mut |progress| {
        if progress.done > progress.of / 2 && !others {
            others = true;
            to.put("keys/other", b"another's");
            to.set_capacity(Some(0));
        }
    });
    assert!(matches!(failed.unwrap_err(), StoreError::Full) && others);
    assert_eq!(to.list("").unwrap(), ["keys"]);
    assert_eq!(to.list("keys").unwrap(), ["other"]);
}

/// A copy for which there is no room says so. What is left of a backup nobody must clear away; what is left of
/// a restore must not look like a place to begin anew.
#[test]
fn what_a_full_disk_leaves_passes_for_nothing() {
    let disk = worked();
    let from: Arc<dyn Disk> = Arc::new(disk.clone());
    let taken = SimDisk::new(35);
    let manifest = backup(&from, &taken, &mut |_| ()).unwrap();
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    for room in [0, 600, bytes / 2, bytes - 1] {
        let (here, there) = (SimDisk::new(36), SimDisk::new(37));
        here.set_capacity(Some(room));
        there.set_capacity(Some(room));
        let home: Arc<dyn Disk> = Arc::new(there.clone());
        let failed = [
            backup(&from, &here, &mut |_| ()).unwrap_err(),
            restore(&taken, &home, &mut |_| ()).unwrap_err(),
        ];
        for error in failed {
            assert!(matches!(error, StoreError::Full), "{room}: {error}");
        }
        assert_eq!(here.list("").unwrap(), [] as [String; 0], "{room}");
        if !there.list("").unwrap().is_empty() {
            let started = LogStore::open(home, LogOptions::default(), entropy(7));
            let refused = started.map(drop).unwrap_err();
            assert!(
                matches!(refused, StoreError::Format(_)),
                "{room}: {refused}"
            );
        }
    }
}
