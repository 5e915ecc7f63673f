//! Each operation of the disk fails once, and the power goes before each: what was answered as done is there
//! afterwards, what was refused is not, and no hop is doubled.
//!
//! `UPLINE_FAULT_COMMANDS=500 cargo test --profile sim -p upline faults` plays a longer script than the usual
//! one of twenty commands.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use upline_core::Wish;

use super::*;
use crate::disk::sim::Fault;
use crate::kit::told::Told;

const COMMANDS: &str = "UPLINE_FAULT_COMMANDS";

fn commands() -> usize {
    let commands = std::env::var(COMMANDS).ok();
    commands.map_or(20, |commands| commands.parse().unwrap())
}

/// Kept by whoever gives the commands.
#[derive(Debug, Default)]
struct Ledger {
    /// Of each ticket the revision that was answered last.
    answered: BTreeMap<Number, u64>,
    /// Whose tickets were not opened.
    refused: BTreeSet<String>,
    /// How many tickets may have been opened or not.
    unknown: usize,
    /// How many commands were not carried out.
    lost: usize,
}

/// So many commands, half a minute apart. `None`: the folder could not be made.
fn script(disk: &SimDisk, commands: usize) -> Option<Ledger> {
    let store = try_open(disk).ok()?;
    let mut hand = Hand::open(store, begin()).ok()?;
    let files = crate::kit::files();
    hand.ask(|reply| Input::Deploy(files, reply)).ok()?;
    let mut ledger = Ledger::default();
    for command in 0..commands {
        if disk.is_off() {
            break;
        }
        ledger.give(&mut hand, command);
        let turn = hand.pass(30);
        hand.deliver(turn.messages);
    }
    Some(ledger)
}

impl Ledger {
    /// Two commands of five open a ticket, the others move one of those that were opened.
    fn give(&mut self, hand: &mut Hand, command: usize) {
        let one = |ledger: &Self| ledger.answered.keys().rev().nth(command % 7).copied();
        let done = match (command % 5, one(self)) {
            (0 | 2, _) | (_, None) => return self.open(hand, format!("Caller {command}")),
            (1, Some(number)) => {
                let who = ["ann", "bob"][command % 2];
                hand.act(&number.to_string(), who, "accept")
            }
            (3, Some(number)) => hand.act(&number.to_string(), "ann", "done"),
            (_, Some(number)) => {
                let reason = "a wrong number".into();
                hand.give(&number.to_string(), "max", Wish::Cancel { reason })
            }
        };
        match done {
            Ok(done) => {
                self.answered.insert(done.number, done.revision);
            }
            Err(Error::Unknown(_) | Error::Unavailable(_)) => self.lost += 1,
            Err(Error::Rejected(_)) => (),
            Err(other) => panic!("{other}"),
        }
    }

    fn open(&mut self, hand: &mut Hand, caller: String) {
        match hand.open_ticket(&caller) {
            Ok(done) => {
                self.answered.insert(done.number, done.revision);
            }
            Err(Error::Unknown(_)) => {
                self.unknown += 1;
                self.lost += 1;
            }
            Err(Error::Unavailable(_)) => {
                self.refused.insert(caller);
                self.lost += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// The disk is opened again: what was answered is there, and not what was refused.
    fn check(&self, disk: &SimDisk, what: &str) {
        for (number, (ticket, _)) in kept(disk) {
            let caller = ticket.fields.get("caller").map(ToString::to_string);
            let refused = caller.is_some_and(|caller| self.refused.contains(&caller));
            assert!(!refused, "{what}: ticket {number} was refused");
        }
        let told = Told::read(Arc::new(disk.clone()));
        for (number, answered) in &self.answered {
            let kept = told.revisions.get(number).copied().unwrap_or(0);
            assert!(
                kept >= *answered,
                "{what}: ticket {number}: {kept}, not {answered}"
            );
        }
        let most = self.answered.len() + self.unknown;
        let tickets = told.revisions.len();
        assert!(
            tickets <= most,
            "{what}: {tickets} tickets, and at most {most} were opened"
        );
    }
}

/// Plays something for each operation, on all processors.
fn at_each(operations: u64, play: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let one = || Some(next.fetch_add(1, Ordering::Relaxed));
                std::iter::from_fn(one)
                    .take_while(|one| *one < operations)
                    .for_each(&play);
            });
        }
    });
}

#[test]
fn no_failure_of_the_disk_makes_a_false_answer() {
    let commands = commands();
    let disk = SimDisk::new(11);
    let all_well = script(&disk, commands).unwrap();
    assert_eq!((all_well.lost, all_well.unknown), (0, 0));
    all_well.check(&disk.copy(1).crash(Keep::Nothing), "all is well");
    let all = disk.operations();
    assert!(all > 60, "{all}");
    let faults = [
        Fault::Error,
        Fault::Part,
        Fault::Done,
        Fault::Full,
        Fault::FullInPart,
    ];
    for fault in faults {
        at_each(all, |operation| {
            let disk = SimDisk::new(11);
            disk.fail(operation, fault);
            let Some(ledger) = script(&disk, commands) else {
                return;
            };
            let what = format!("{fault:?} at {operation}");
            assert!(
                ledger.lost <= 5,
                "{what}: goes on after it, lost {}",
                ledger.lost
            );
            ledger.check(&disk.copy(operation).kill(), &what);
            ledger.check(&disk.crash(Keep::Nothing), &what);
        });
        println!("{commands} commands, {fault:?} at each of {all} operations");
    }
}

#[test]
fn no_power_cut_loses_what_was_answered() {
    let commands = commands();
    let disk = SimDisk::new(12);
    script(&disk, commands).unwrap();
    let all = disk.operations();
    let cuts = AtomicU64::new(0);
    at_each(all, |operation| {
        let disk = SimDisk::new(12);
        disk.power_off_at(operation);
        let ledger = script(&disk, commands).unwrap_or_default();
        for keep in Keep::ALL {
            let left = disk.copy(operation).crash(keep);
            let what = format!("power off at {operation}, {keep:?} left");
            if left.open_read("folder").is_err() && ledger.answered.is_empty() {
                // It had not begun.
                continue;
            }
            ledger.check(&left, &what);
            cuts.fetch_add(1, Ordering::Relaxed);
        }
    });
    let cuts = cuts.into_inner();
    assert!(cuts > 200, "{cuts}");
    println!("{commands} commands, {all} operations, {cuts} power cuts");
}
