mod faults;
mod golden;
mod meanwhile;
mod retire;
mod whole;
mod witness;

use std::collections::BTreeMap;

use upline_core::{Command, Ticket};

use super::*;
use crate::disk::sim::{Keep, SimDisk};
use crate::error::Error;
use crate::floor::{Request, Target};
use crate::kit::{Hand, begin, entropy};
use crate::record::Unsent;
use crate::writer::Input;

fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 64 << 10,
        snapshot_commits: 40,
        beside: false,
        ..LogOptions::default()
    }
}

fn try_open(disk: &SimDisk) -> Result<LogStore, StoreError> {
    LogStore::open(Arc::new(disk.clone()), options(), entropy(7))
}

fn store(disk: &SimDisk) -> LogStore {
    try_open(disk).unwrap()
}

fn hand(disk: &SimDisk) -> Hand {
    Hand::open(store(disk), begin()).unwrap()
}

/// A folder on a new disk, with the desk's files.
fn desk(seed: u64) -> (SimDisk, Hand) {
    let disk = SimDisk::new(seed);
    let mut hand = hand(&disk);
    hand.deploy();
    (disk, hand)
}

type Kept = BTreeMap<Number, (Ticket, Vec<Unsent>)>;

/// All that the disk says, read anew.
fn kept(disk: &SimDisk) -> Kept {
    let mut store = store(disk);
    let mut numbers = Vec::new();
    store
        .recover(&mut |record| {
            numbers.push(record.number);
            Ok(())
        })
        .unwrap();
    let read = numbers.into_iter().map(|number| {
        let record = store.ticket(number).unwrap().unwrap();
        (number, (record.ticket, record.unsent))
    });
    read.collect()
}

/// A ticket as the engine has it.
fn kept_now(hand: &mut Hand, id: &str) -> Ticket {
    let target = Target::Id(id.into());
    hand.ask(|reply| {
        Input::Look(Box::new(move |open| {
            reply(open.and_then(|(floor, store)| {
                let number = floor.find(&target).unwrap();
                Ok(floor.record(store, number)?.ticket.clone())
            }));
        }))
    })
    .unwrap()
}

/// A day's work: tickets are opened, passed on, accepted, done; messages are delivered.
fn work(hand: &mut Hand, rounds: i64) {
    for round in 0..rounds {
        let opened = hand.open_ticket(&format!("Caller {round}")).unwrap();
        let turn = hand.pass(300);
        hand.deliver(turn.messages);
        if round % 3 == 0 {
            let ticket = opened.id.as_str();
            for (who, action) in [("ann", "accept"), ("bob", "accept"), ("ann", "done")] {
                match hand.act(ticket, who, action) {
                    Ok(_) | Err(Error::Rejected(_)) => (),
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
}

#[test]
fn what_was_answered_is_there_after_a_power_cut_and_nothing_else() {
    let (disk, mut hand) = desk(3);
    work(&mut hand, 60);
    let live = kept(&disk.crash(Keep::Everything));
    let cut = kept(&disk.crash(Keep::Nothing));
    assert!(live.len() > 20, "{}", live.len());
    assert_eq!(live, cut);
    let caller = live.values().next().unwrap().0.fields.get("caller");
    assert_eq!(caller.map(ToString::to_string).as_deref(), Some("Caller 1"));
}

#[test]
fn a_snapshot_and_what_came_after_it_say_what_the_whole_journal_says() {
    let (disk, mut hand) = desk(4);
    work(&mut hand, 60);
    let copy = disk.crash(Keep::Nothing);
    assert!(!snapshot::list(&copy).unwrap().is_empty());
    let with = kept(&copy);
    copy.take("snapshots");
    for seq in snapshot::list(&copy).unwrap() {
        copy.take(&snapshot::path(seq));
    }
    assert_eq!(kept(&copy), with);
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let (disk, mut hand) = desk(5);
    work(&mut hand, 60);
    let whole = kept(&disk.crash(Keep::Nothing));
    let copy = disk.crash(Keep::Nothing);
    let newest = snapshot::path(snapshot::list(&copy).unwrap()[0]);
    assert!(copy.flip(&newest, 60, 3));
    assert_eq!(kept(&copy), whole);
}

#[test]
fn a_snapshot_with_a_damaged_record_is_passed_over() {
    let (disk, mut hand) = desk(5);
    work(&mut hand, 60);
    let whole = kept(&disk.crash(Keep::Nothing));
    let copy = disk.crash(Keep::Nothing);
    for seq in snapshot::list(&copy).unwrap() {
        // Behind the header, the first record begins.
        assert!(copy.flip(&snapshot::path(seq), 136 + 20, 3));
        assert_eq!(kept(&copy), whole);
    }
}

#[test]
fn a_snapshot_that_finds_no_room_holds_up_nobody() {
    let disk = SimDisk::new(8);
    let options = LogOptions {
        segment_bytes: 1 << 20,
        snapshot_commits: 3,
        beside: false,
        ..LogOptions::default()
    };
    let store = LogStore::open(Arc::new(disk.clone()), options, entropy(7)).unwrap();
    let mut hand = Hand::open(store, begin()).unwrap();
    hand.deploy();
    hand.open_ticket("Mr Low").unwrap();
    disk.set_capacity(Some(disk.used()));
    for round in 0..20 {
        hand.open_ticket(&format!("Caller {round}")).unwrap();
        let turn = hand.turn(Vec::new());
        assert_ne!(
            turn.wake,
            Some(std::time::Duration::ZERO),
            "it must not turn and turn"
        );
    }
    assert!(snapshot::list(&disk).unwrap().is_empty());
    disk.set_capacity(None);
    hand.pass(16);
    hand.open_ticket("Mrs High").unwrap();
    assert!(!snapshot::list(&disk).unwrap().is_empty());
}

#[test]
fn a_command_that_comes_again_after_a_restart_has_the_same_answer() {
    let (disk, mut first) = desk(10);
    let open = |hand: &mut Hand| {
        let wish = upline_core::Wish::Open {
            ticket: "of-the-caller".into(),
            key: None,
            parent: None,
            fields: Vec::new(),
        };
        let mut request = Request::own(Command::person("max", wish), "test");
        request.id = Some(([1; 16], 1));
        hand.ask(|reply| Input::Open("call".into(), request, reply))
    };
    let done = open(&mut first).unwrap();
    first
        .give(
            "of-the-caller",
            "max",
            upline_core::Wish::Cancel {
                reason: "a wrong number".into(),
            },
        )
        .unwrap();
    drop(first);
    let mut second = hand(&disk);
    let again = crate::floor::Done {
        again: true,
        ..done
    };
    assert_eq!(open(&mut second).unwrap(), again);
}

#[test]
fn a_clock_between_two_milliseconds_fires_at_the_later_one() {
    let (_, mut hand) = desk(9);
    hand.open_ticket("Mr Low").unwrap();
    hand.act("1", "ann", "accept").unwrap();
    let until = begin() + jiff::SignedDuration::from_secs(60) + jiff::SignedDuration::from_nanos(1);
    let suspend = upline_core::Wish::Suspend {
        until,
        reason: None,
    };
    hand.give("1", "ann", suspend).unwrap();
    let open = |hand: &mut Hand| {
        let clocks = kept_now(hand, "1").clocks;
        clocks.iter().any(|clock| clock.due == until)
    };
    hand.pass(60);
    assert!(open(&mut hand));
    hand.reading.wall += 1;
    hand.reading.steady += 1;
    let turn = hand.turn(Vec::new());
    assert!(turn.incidents.is_empty(), "{:?}", turn.incidents);
    assert!(!open(&mut hand));
}

#[test]
fn clocks_go_on_after_a_restart_and_fire_once() {
    let (disk, mut hand) = desk(6);
    hand.open_ticket("Mr Low").unwrap();
    drop(hand);
    let later = begin() + jiff::SignedDuration::from_mins(20);
    let mut hand = Hand::open(store(&disk), later).unwrap();
    let turn = hand.turn(Vec::new());
    let told: Vec<_> = turn.messages.iter().map(|(_, one)| one.to.name()).collect();
    assert_eq!(
        told,
        ["bob"],
        "ann's message is withdrawn, since bob has it"
    );
    hand.deliver(turn.messages);
    drop(hand);
    let mut hand = Hand::open(store(&disk), later).unwrap();
    assert!(hand.turn(Vec::new()).messages.is_empty());
}

#[test]
fn nothing_personal_is_on_the_disk_in_plain_text() {
    let (disk, mut hand) = desk(8);
    hand.open_ticket("Mr Low of 17 Elm Street").unwrap();
    hand.act("1", "ann", "accept").unwrap();
    work(&mut hand, 60);
    let mut read = 0;
    for folder in ["", "journal", "snapshots", "keys"] {
        for name in disk.list(folder).unwrap() {
            let path = format!("{folder}/{name}");
            let Some(bytes) = disk.contents(path.trim_start_matches('/')) else {
                continue;
            };
            read += bytes.len();
            for secret in ["17 Elm Street", "a private word"] {
                let found = bytes
                    .windows(secret.len())
                    .any(|at| at == secret.as_bytes());
                assert!(!found, "{path}: {secret}");
            }
        }
    }
    assert!(read > 10_000, "{read}");
}

#[test]
fn a_second_process_is_kept_out() {
    let disk = SimDisk::new(9);
    let first = store(&disk);
    let second = try_open(&disk);
    assert!(matches!(second, Err(StoreError::Locked)));
    drop(first);
    store(&disk);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let disk = SimDisk::new(10);
    disk.put("letters.txt", b"Dear Ann");
    let opened = try_open(&disk);
    assert!(matches!(opened, Err(StoreError::Format(_))));
    disk.take("letters.txt");
    disk.put("folder", b"upline data folder 2\n00\n");
    let opened = try_open(&disk);
    assert!(matches!(opened, Err(StoreError::Format(_))));
}

#[test]
fn an_open_ticket_is_not_erased() {
    let (_, mut hand) = desk(12);
    hand.open_ticket("Mr Low").unwrap();
    let erased = hand.ask(|reply| crate::writer::Input::Erase("1".into(), "max".into(), reply));
    assert!(matches!(erased, Err(Error::StillOpen)), "{erased:?}");
}

#[test]
fn a_backup_taken_at_work_is_restored_and_says_the_same() {
    use super::backup::{MANIFEST, backup, restore};
    let (disk, mut hand) = desk(13);
    work(&mut hand, 30);
    let before = kept(&disk.copy(2).crash(Keep::Nothing));
    let from: Arc<dyn Disk> = Arc::new(disk.clone());
    // What a service keeps there besides is in it too, but for what is not there.
    for (name, text) in [("mail.key", &b"a secret"[..]), ("overrides", b"{}")] {
        from.create(name).unwrap().write_at(text, 0).unwrap();
    }
    let taken = SimDisk::new(14);
    let mut told = Vec::new();
    let manifest = backup(&from, &taken, &mut |progress| told.push(progress)).unwrap();
    assert_eq!(told.last().map(|last| last.done == last.of), Some(true));
    // It goes on meanwhile, and that is not in it.
    work(&mut hand, 5);
    let home: Arc<dyn Disk> = Arc::new(SimDisk::new(15));
    assert_eq!(restore(&taken, &home, &mut |_| ()).unwrap(), manifest);
    let mut secret = [0; 8];
    let kept = home.open_read("mail.key").unwrap();
    assert_eq!(kept.read_at(&mut secret, 0).unwrap(), 8);
    assert_eq!(&secret, b"a secret");
    assert!(home.open_read("overrides").is_ok() && home.open_read("links.key").is_err());
    let mut restored = LogStore::open(Arc::clone(&home), options(), entropy(9)).unwrap();
    let mut numbers = Vec::new();
    let note = &mut |record: &Record| {
        numbers.push(record.number);
        Ok(())
    };
    restored.recover(note).unwrap();
    assert_eq!(numbers, before.keys().copied().collect::<Vec<_>>());
    for (number, (ticket, unsent)) in &before {
        let record = restored.ticket(*number).unwrap().unwrap();
        assert_eq!((&record.ticket, &record.unsent), (ticket, unsent));
    }
    // Into what is not empty, and from what is not whole, nothing is restored.
    let again = restore(&taken, &home, &mut |_| ());
    assert!(matches!(again, Err(StoreError::Format(_))), "{again:?}");
    for file in &manifest.files {
        let copy = taken.copy(1);
        assert!(copy.flip(&file.path, file.bytes / 2, 3));
        let fresh: Arc<dyn Disk> = Arc::new(SimDisk::new(16));
        let broken = restore(&copy, &fresh, &mut |_| ()).unwrap_err();
        assert!(broken.to_string().contains(&file.path), "{broken}");
        let opened = LogStore::open(fresh, options(), entropy(9));
        assert!(
            matches!(opened, Err(StoreError::Format(_))),
            "{}",
            file.path
        );
    }
    taken.take(MANIFEST);
    let none = restore(
        &taken,
        &(Arc::new(SimDisk::new(17)) as Arc<dyn Disk>),
        &mut |_| (),
    );
    assert!(matches!(none, Err(StoreError::Format(_))));
}

#[test]
fn a_backup_or_restore_that_is_killed_leaves_no_half_folder() {
    use super::backup::{backup, restore};
    let (disk, mut hand) = desk(18);
    work(&mut hand, 10);
    let from: Arc<dyn Disk> = Arc::new(disk.clone());
    let taken = SimDisk::new(19);
    backup(&from, &taken, &mut |_| ()).unwrap();
    cut_short(&|to| backup(&from, to, &mut |_| ()));
    cut_short(&|to| {
        let to: Arc<dyn Disk> = Arc::new(to.clone());
        restore(&taken, &to, &mut |_| ())
    });
}

/// Of a backup everything but the file by which it is known as one, which no engine opens.
fn as_a_data_folder(disk: &SimDisk) {
    if disk.open_read(super::backup::MANIFEST).is_ok() {
        disk.take(super::backup::MANIFEST);
    }
}

/// The power goes at each operation of a copying: what is left is a whole folder, or none.
fn cut_short(copy: &dyn Fn(&SimDisk) -> Result<super::backup::Manifest, StoreError>) {
    let whole = SimDisk::new(20);
    copy(&whole).unwrap();
    as_a_data_folder(&whole);
    let tickets = kept(&whole).len();
    for operation in 0..whole.operations() {
        let home = SimDisk::new(20);
        home.power_off_at(operation);
        let cut = copy(&home);
        for keep in Keep::ALL {
            let home = home.crash(keep);
            as_a_data_folder(&home);
            match try_open(&home) {
                Ok(store)
                    if home.open("folder").is_ok()
                        && !home.list("journal").unwrap_or_default().is_empty() =>
                {
                    drop(store);
                    assert_eq!(kept(&home).len(), tickets, "{operation} {keep:?} {cut:?}");
                }
                // Nothing has arrived yet: the folder is empty, and begins anew.
                Ok(_) | Err(StoreError::Format(_)) => (),
                Err(other) => panic!("{operation} {keep:?}: {other}"),
            }
        }
    }
}
