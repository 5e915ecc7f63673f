//! Weeks of tickets under the rule on old history: what is left is whole, and what is gone is gone for good.

use std::sync::Mutex;

use super::*;
use crate::Incident;
use crate::disk::sim::Fault;
use crate::journal::{Report, verify};
use crate::store::Listener;
use crate::store::log::backup::{backup, restore};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn ruled() -> LogOptions {
    LogOptions {
        segment_bytes: 16 << 10,
        snapshot_commits: 30,
        beside: false,
        keep_history: Some(8 * DAY),
        ..LogOptions::default()
    }
}

/// Whoever reads the journal, and what it needs of it.
#[derive(Clone, Default)]
pub(super) struct Ear(Arc<Mutex<(Option<JournalReader>, u64)>>);

impl Ear {
    /// Of one who has seen everything.
    pub(super) fn all() -> Self {
        let ear = Self::default();
        ear.0.lock().unwrap().1 = u64::MAX;
        ear
    }

    fn reader(&self) -> JournalReader {
        self.0.lock().unwrap().0.clone().unwrap()
    }
}

impl Listener for Ear {
    fn opened(&self, reader: &JournalReader) {
        self.0.lock().unwrap().0 = Some(reader.clone());
    }

    fn committed(&self) {}

    fn needs(&self) -> Option<Position> {
        Some(Position(self.0.lock().unwrap().1))
    }
}

fn on(disk: &SimDisk, ear: &Ear) -> Hand {
    let store = LogStore::open(Arc::new(disk.clone()), ruled(), entropy(7)).unwrap();
    Hand::open(store.listener(ear.clone()), begin()).unwrap()
}

fn hours(hand: &mut Hand, hours: i64) {
    let turn = hand.pass(hours * 3600);
    hand.deliver(turn.messages);
}

/// One ticket stays open; another one is opened every six hours, and ends.
pub(super) fn weeks(hand: &mut Hand, days: i64, each: &mut dyn FnMut(i64)) {
    hand.deploy();
    hand.open_ticket("Mr Old").unwrap();
    for six in 0..days * 4 {
        let opened = hand.open_ticket(&format!("Caller {six}")).unwrap();
        let tries = ["ann", "bob"].map(|who| hand.act(&opened.id, who, "done"));
        assert_eq!(tries.iter().filter(|done| done.is_ok()).count(), 1);
        hours(hand, 6);
        if six % 4 == 3 {
            each(six / 4);
        }
    }
}

fn looked(disk: &SimDisk, head: Option<&Mark>) -> Report {
    verify(disk, None, head, &mut |_| ()).unwrap()
}

fn bases(disk: &SimDisk) -> Vec<u64> {
    base::list(disk).unwrap()
}

/// The state of a key: 1 is there, 2 was destroyed.
fn key(disk: &SimDisk, number: usize) -> u8 {
    disk.contents("keys/0000000001").unwrap()[64 * number]
}

#[test]
fn the_folder_stops_growing_and_what_is_left_is_whole() {
    let disk = SimDisk::new(21);
    let ear = Ear::default();
    ear.0.lock().unwrap().1 = u64::MAX;
    let mut hand = on(&disk, &ear);
    let (mut used, mut first) = (Vec::new(), None);
    weeks(&mut hand, 40, &mut |_| {
        used.push(disk.used());
        first = first.or(ear.reader().head());
    });
    let half = used[20..].iter().max().unwrap();
    assert!(*half < used[9] * 3, "{used:?}");
    let report = looked(&disk, first.as_ref());
    assert!(report.is_whole(), "{report:?}");
    assert!(report.first > 1 && report.removed && !report.anchored);
    assert_eq!(bases(&disk).len(), 1);
    assert!(snapshot::list(&disk).unwrap().len() <= 8);
    let base = ear.reader().base().unwrap();
    assert_eq!(report.base, Some(base.mark));
    let age = hand.reading.wall - base.at;
    assert!((8.0..=10.5).contains(&(age as f64 / 86_400_000.0)), "{age}");
    // Ticket 1 is open; 2 has ended weeks ago, and the last one just now.
    assert_eq!([key(&disk, 1), key(&disk, 2), key(&disk, 161)], [1, 2, 1]);

    let copy = disk.crash(Keep::Nothing);
    let tickets = kept(&copy);
    let caller = tickets[&1].0.fields.get("caller").unwrap().to_string();
    assert_eq!((caller.as_str(), tickets.len() < 4), ("Mr Old", true));
    // A start finds the same in the base alone, and what comes after it.
    for seq in snapshot::list(&copy).unwrap() {
        copy.take(&snapshot::path(seq));
    }
    assert_eq!(kept(&copy), tickets);
    // Without it, or with another one, the beginning is missing.
    let bare = copy.copy(1);
    let path = base::path_of(bases(&bare)[0]);
    bare.take(&path);
    assert!(!looked(&bare, None).is_whole());
    assert!(copy.flip(&path, 60, 1));
    assert!(!looked(&copy, None).is_whole());
}

#[test]
fn nothing_goes_before_the_listener_has_it_or_while_the_rule_is_off() {
    let disk = SimDisk::new(22);
    let ear = Ear::default();
    let mut hand = on(&disk, &ear);
    weeks(&mut hand, 20, &mut |_| ());
    // At most the very first commit is no more needed than that.
    assert!(bases(&disk).iter().all(|base| *base == 1));
    assert_eq!((looked(&disk, None).first, key(&disk, 2)), (1, 1));
    // What was kept for the rule goes when it is off.
    assert!(snapshot::list(&disk).unwrap().len() > 4);
    drop(hand);
    let mut hand = hand_without(&disk);
    for _ in 0..40 {
        hand.open_ticket("Mr Low").unwrap();
    }
    assert_eq!(snapshot::list(&disk).unwrap().len(), 2);
}

fn hand_without(disk: &SimDisk) -> Hand {
    let options = LogOptions {
        keep_history: None,
        ..ruled()
    };
    let store = LogStore::open(Arc::new(disk.clone()), options, entropy(7)).unwrap();
    let mut hand = Hand::open(store, begin()).unwrap();
    hand.reading.wall += 20 * 86_400_000;
    hand
}

/// A folder with weeks in it whose rule has waited all the time.
fn overdue() -> SimDisk {
    let disk = SimDisk::new(23);
    let mut hand = on(&disk, &Ear::default());
    weeks(&mut hand, 20, &mut |_| ());
    drop(hand);
    disk
}

/// Opens it, and lets the rule work.
fn catch_up(disk: &SimDisk, turns: usize) -> Result<(), StoreError> {
    let store = LogStore::open(Arc::new(disk.clone()), ruled(), entropy(7))?;
    let mut hand = Hand::open(store, begin())?;
    hand.reading.wall += 20 * 86_400_000;
    for _ in 0..turns {
        hand.pass(60);
    }
    Ok(())
}

#[test]
fn a_power_cut_or_a_fault_at_any_step_of_a_removal_leaves_a_whole_folder() {
    let folder = overdue();
    let tickets: Vec<Number> = kept(&folder.copy(0)).into_keys().collect();
    let done = folder.copy(1);
    catch_up(&done, 1).unwrap();
    let (from, to) = (folder.operations(), done.operations());
    assert!(
        looked(&done, None).first > 1 && to - from > 12,
        "{}",
        to - from
    );
    let whole = |disk: &SimDisk, what: &str| -> Report {
        let report = looked(disk, None);
        assert!(report.is_whole(), "{what}: {report:?}");
        let now: Vec<Number> = kept(disk).into_keys().collect();
        assert_eq!(now, tickets, "{what}");
        report
    };
    let mut begun = [0; 2];
    for operation in from..to {
        for keep in Keep::ALL {
            let disk = folder.copy(operation);
            disk.power_off_at(operation);
            let _ = catch_up(&disk, 1);
            let disk = disk.crash(keep);
            let what = format!("power off at {operation}, {keep:?} left");
            let before = whole(&disk, &what);
            begun[usize::from(before.first > 1)] += 1;
            catch_up(&disk, 2).unwrap();
            let disk = disk.crash(Keep::Nothing);
            assert!(whole(&disk, &what).first > 1, "{what}");
            assert_eq!([key(&disk, 1), key(&disk, 2)], [1, 2], "{what}");
            assert_eq!(bases(&disk)[0], bases(&done)[0], "{what}");
        }
        for fault in [Fault::Error, Fault::Part, Fault::Done, Fault::Full] {
            let disk = folder.copy(operation);
            disk.fail(operation, fault);
            let _ = catch_up(&disk, 40);
            let disk = disk.crash(Keep::Nothing);
            let what = format!("{fault:?} at {operation}");
            whole(&disk, &what);
            catch_up(&disk, 2).unwrap();
            assert!(whole(&disk, &what).first > 1, "{what}");
        }
    }
    assert!(begun.iter().all(|count| *count > 4), "{begun:?}");
    let (steps, cuts) = (to - from, begun[0] + begun[1]);
    println!(
        "{steps} operations, {cuts} power cuts, {} faults",
        4 * steps
    );
}

/// Found by the simulator: the rule tried it again and again, and told each time that the store fails.
#[test]
fn a_damaged_snapshot_is_passed_over_by_the_rule() {
    let folder = overdue();
    let (mut damaged, mut began) = (0, 0);
    // A start needs the newest ones.
    for seq in snapshot::list(&folder).unwrap().into_iter().skip(2) {
        let disk = folder.copy(seq);
        assert!(disk.flip(&snapshot::path(seq), 150, 1));
        let store = LogStore::open(Arc::new(disk.clone()), ruled(), entropy(7)).unwrap();
        let mut hand = Hand::open(store, begin()).unwrap();
        hand.reading.wall += 20 * 86_400_000;
        for _ in 0..4 {
            let told = hand.pass(60).incidents;
            let failed = |one: &&Incident| matches!(one, Incident::Store { .. });
            assert_eq!(told.iter().find(failed), None, "{seq}");
        }
        drop(hand);
        let report = looked(&disk, None);
        assert!(report.is_whole(), "{seq}: {report:?}");
        damaged += 1;
        began += usize::from(report.first > 1);
        assert!(!bases(&disk).contains(&seq));
    }
    assert!(damaged > 3 && began == damaged, "{began} of {damaged}");
}

#[test]
fn a_backup_of_what_is_left_is_restored_whole() {
    let disk = overdue();
    catch_up(&disk, 2).unwrap();
    let tickets = kept(&disk);
    let (taken, home) = (SimDisk::new(2), SimDisk::new(3));
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let manifest = backup(&disk, &taken, &mut |_| ()).unwrap();
    let paths: Vec<&str> = manifest.files.iter().map(|file| &*file.path).collect();
    let [first, .., base, last] = paths[..] else {
        panic!("{paths:?}");
    };
    assert!(first.ends_with(".log") && base.ends_with(".base") && last == "folder");
    let to: Arc<dyn Disk> = Arc::new(home.clone());
    restore(&taken, &to, &mut |_| ()).unwrap();
    assert_eq!(kept(&home), tickets);
    let report = looked(&home, manifest.head.as_ref());
    assert!(report.is_whole() && report.anchored && report.first > 1);
    // A backup that lost it is refused.
    taken.take(base);
    let to: Arc<dyn Disk> = Arc::new(SimDisk::new(4));
    assert!(restore(&taken, &to, &mut |_| ()).is_err());
}

#[test]
fn a_time_shorter_than_commands_are_remembered_is_refused() {
    let options = LogOptions {
        keep_history: Some(7 * DAY - Duration::from_secs(1)),
        ..ruled()
    };
    let disk = Arc::new(SimDisk::new(1));
    let refused = LogStore::open(disk.clone(), options, entropy(7)).err();
    assert!(matches!(refused, Some(StoreError::Format(_))));
    let mut store = LogStore::open(disk, ruled(), entropy(7)).unwrap();
    assert!(store.keep_history(6 * DAY).is_err());
    store.keep_history(MIN_HISTORY).unwrap();
    assert!(
        crate::store::MemoryStore::new()
            .keep_history(9 * DAY)
            .is_err()
    );
}

#[cfg(feature = "sled")]
mod index {
    use super::*;
    use crate::index::{Filter, Index, IndexOptions};
    use crate::journal::Base;

    fn up_to_date(index: &Index, reader: &JournalReader) {
        loop {
            let progress = index.catch_up(reader, 1_000).unwrap();
            if progress.behind == 0 && !progress.more {
                return;
            }
        }
    }

    fn all(index: &Index) -> BTreeMap<Number, Record> {
        let (mut found, mut after) = (BTreeMap::new(), None);
        loop {
            let page = index.list(&Filter::default(), after.as_ref(), 200).unwrap();
            found.extend(page.items.into_iter().map(|record| (record.number, record)));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    fn is_fine(index: &Index, reader: &JournalReader) {
        for at_once in [2, 1_000] {
            let verified = index.verify(reader, at_once, &mut |_, _| ()).unwrap();
            assert!(verified.is_fine(), "{verified:?}");
            assert_eq!(verified.mark, reader.head());
        }
    }

    #[test]
    fn one_that_has_followed_and_one_built_from_what_is_left_are_the_same() {
        let disk = SimDisk::new(24);
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| Index::in_folder(home.path().join(name), IndexOptions::default());
        let ear = Ear::default();
        let mut hand = on(&disk, &ear);
        let index = at("index");
        index.open(&ear.reader()).unwrap();
        let mut bases: Vec<Option<Base>> = Vec::new();
        weeks(&mut hand, 30, &mut |day| {
            let reader = ear.reader();
            let behind = index.catch_up(&reader, 25).unwrap();
            // Also half done it is what the journal says.
            if behind.behind == 0 {
                is_fine(&index, &reader);
            }
            up_to_date(&index, &reader);
            index.checkpoint().unwrap();
            let mark = index.mark().unwrap().unwrap();
            ear.0.lock().unwrap().1 = mark.position.0;
            bases.push(reader.base());
            bases.dedup();
            if day % 10 == 9 {
                is_fine(&index, &reader);
            }
        });
        assert!(bases.len() > 5, "{bases:?}");
        let reader = ear.reader();
        up_to_date(&index, &reader);
        let followed = all(&index);
        assert!(
            followed.len() < 50 && followed.contains_key(&1),
            "{}",
            followed.len()
        );
        assert!(index.ticket(2).unwrap().is_none() && index.find("2").unwrap().is_none());
        let history = index.history(&reader, 1, None, 200).unwrap();
        let base = reader.base().unwrap();
        assert_eq!((history.removed, history.next), (Some(base.at), None));
        assert!(
            history
                .steps
                .iter()
                .all(|step| step.mark.seq > base.mark.seq)
        );
        let newest = *followed.last_key_value().unwrap().0;
        let history = index.history(&reader, newest, None, 200).unwrap();
        assert!(history.removed.is_none() && history.steps.len() > 1);
        let then = index.at_base(&reader, 1).unwrap().unwrap();
        assert!(then.ticket.is_open() && !then.sealed.is_empty());

        // Also by whoever reads the folder when no engine runs.
        drop(hand);
        let reader = JournalReader::open(Arc::new(disk.crash(Keep::Nothing)), None).unwrap();
        assert_eq!(reader.base(), Some(base));
        let rebuilt = at("rebuilt");
        assert_eq!(rebuilt.open(&reader).unwrap().mark, None);
        up_to_date(&rebuilt, &reader);
        assert_eq!(all(&rebuilt), followed);
        is_fine(&rebuilt, &reader);
        let found = index.open(&reader).unwrap();
        assert_eq!((found.set_aside, found.mark), (None, reader.head()));
        is_fine(&index, &reader);
        one_that_is_behind_is_built_anew(&at("old"), &reader, &followed);
    }

    /// It has not come as far as the journal begins.
    fn one_that_is_behind_is_built_anew(
        old: &Index,
        reader: &JournalReader,
        whole: &BTreeMap<Number, Record>,
    ) {
        let early = Ear::default();
        let other = SimDisk::new(24);
        let mut hand = on(&other, &early);
        weeks(&mut hand, 1, &mut |_| ());
        old.open(&early.reader()).unwrap();
        up_to_date(old, &early.reader());
        let opened = old.open(reader).unwrap();
        assert!(
            opened.mark.is_none() && opened.set_aside.is_some(),
            "{opened:?}"
        );
        up_to_date(old, reader);
        assert_eq!(&all(old), whole);
    }
}
