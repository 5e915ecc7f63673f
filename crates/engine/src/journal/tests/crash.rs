//! Power cuts, kills and failing operations at every step: what was acknowledged is there, and nothing else
//! but the one commit that was under way.

use super::kit::{LENGTHS, Read, check, files, open, payload};
use crate::disk::Disk;
use crate::disk::sim::{Fault, Keep, SimDisk};
use crate::journal::{JournalError, Mark};

/// What a client of the journal knows.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) acked: Vec<Read>,
    /// Payloads that failed or were not answered since the last acknowledgement.
    pub(super) open: Vec<Vec<u8>>,
}

impl Ledger {
    pub(super) fn ack(&mut self, mark: Mark, bytes: Vec<u8>) {
        self.acked.push((mark, bytes));
        self.open.clear();
    }

    /// Whether what is read after a restart may be; what was unknown is known from then on.
    pub(super) fn settle(&mut self, read: Vec<Read>) {
        let known = self.acked.len().min(read.len());
        assert_eq!(read[..known], self.acked[..known]);
        assert!(
            read.len() >= self.acked.len(),
            "{} frames missing",
            self.acked.len() - known
        );
        let unknown: Vec<&Vec<u8>> = read[known..].iter().map(|(_, bytes)| bytes).collect();
        match unknown[..] {
            [] => (),
            [one] => assert!(self.open.contains(one), "nobody wrote {one:?}"),
            _ => panic!("{} frames that were not acknowledged", unknown.len()),
        }
        self.acked = read;
        self.open.clear();
    }

    pub(super) fn last(&self) -> Option<&Mark> {
        self.acked.last().map(|(mark, _)| mark)
    }
}

/// Writes frames of all lengths. Each that fails is tried again, with other content, as an engine does that
/// decides anew; it gives up when nothing works any more.
fn write(disk: &SimDisk, ledger: &mut Ledger) {
    let Ok((mut journal, read)) = open(disk) else {
        return;
    };
    ledger.settle(read);
    let upkeep = journal.upkeep();
    let mut number = 0;
    for length in LENGTHS {
        for _ in 0..3 {
            number += 1;
            let bytes = payload(number, length.max(8));
            match journal.append(&bytes) {
                Ok(mark) => {
                    ledger.ack(mark, bytes);
                    break;
                }
                Err(_) => ledger.open.push(bytes),
            }
        }
        let _ = upkeep.prepare();
    }
}

/// Everything that must hold after a restart, and after another one.
fn holds(disk: SimDisk, ledger: &mut Ledger) {
    let (mut journal, read) = open(&disk).unwrap();
    ledger.settle(read);
    assert!(!files(&disk).iter().any(|name| name.ends_with(".tmp")));
    for number in 900..903 {
        let bytes = payload(number, 400);
        let mark = journal.append(&bytes).unwrap();
        ledger.ack(mark, bytes);
    }
    let disk = disk.crash(Keep::Nothing);
    let (_, read) = open(&disk).unwrap();
    ledger.settle(read);
    let report = check(&disk, ledger.last());
    assert!(report.is_whole() && report.anchored, "{report:?}");
    assert_eq!(report.frames, ledger.acked.len() as u64);
}

fn operations() -> u64 {
    let disk = SimDisk::new(0);
    let mut ledger = Ledger::default();
    write(&disk, &mut ledger);
    assert_eq!(ledger.acked.len(), LENGTHS.len());
    disk.operations()
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing() {
    let operations = operations();
    assert!(operations > 60, "{operations}");
    for operation in 0..=operations {
        for keep in Keep::ALL {
            for seed in 0..4 {
                let disk = SimDisk::new(seed * 1_000 + operation);
                disk.power_off_at(operation);
                let mut ledger = Ledger::default();
                write(&disk, &mut ledger);
                holds(disk.crash(keep), &mut ledger);
            }
        }
    }
}

#[test]
fn any_operation_may_fail_in_any_way() {
    for operation in 0..=operations() {
        for fault in Fault::ALL {
            let disk = SimDisk::new(operation);
            disk.fail(operation, fault);
            let mut ledger = Ledger::default();
            write(&disk, &mut ledger);
            let acked = ledger.acked.len();
            assert!(
                acked == 0 || acked == LENGTHS.len(),
                "one failure, and three tries"
            );
            for keep in Keep::ALL {
                let mut ledger = Ledger {
                    acked: ledger.acked.clone(),
                    open: ledger.open.clone(),
                };
                holds(disk.copy(operation).crash(keep), &mut ledger);
            }
            holds(disk.kill(), &mut ledger);
        }
    }
}

/// The process dies of the failure, or shortly after: the next one finds a disk that lies.
#[test]
fn a_failure_then_the_end_of_the_process_then_a_power_cut() {
    let operations = operations();
    for operation in 0..operations {
        for fault in Fault::ALL {
            for later in 1..3 {
                let disk = SimDisk::new(operation);
                disk.fail(operation, fault);
                disk.power_off_at(operation + later);
                let mut ledger = Ledger::default();
                write(&disk, &mut ledger);
                let disk = disk.kill();
                let (_, read) = open(&disk).unwrap();
                // It is told what is there, and acts on it; from then on it must stay.
                ledger.settle(read);
                for keep in Keep::ALL {
                    let mut ledger = Ledger {
                        acked: ledger.acked.clone(),
                        open: Vec::new(),
                    };
                    holds(disk.copy(operation).crash(keep), &mut ledger);
                }
            }
        }
    }
}

/// Opening itself may fail or be cut off, at any operation and any read.
#[test]
fn opening_may_fail_anywhere_and_changes_nothing_then() {
    let states = (0..operations()).step_by(3).map(|operation| {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let mut ledger = Ledger::default();
        write(&disk, &mut ledger);
        (disk.crash(Keep::Half), ledger)
    });
    for (before, ledger) in states {
        let whole = before.copy(0);
        let (operations, reads) = (whole.operations(), whole.reads());
        open(&whole).unwrap();
        let writes = operations..whole.operations();
        let faults = writes.flat_map(|number| Fault::ALL.map(|fault| (number, fault)));
        let again = |disk: SimDisk| {
            let mut ledger = Ledger {
                acked: ledger.acked.clone(),
                open: ledger.open.clone(),
            };
            holds(disk.copy(1).crash(Keep::Half), &mut ledger);
        };
        for (number, fault) in faults {
            let disk = before.copy(number);
            disk.fail(number, fault);
            assert!(open(&disk).is_err());
            again(disk);
        }
        for number in reads..whole.reads() {
            let disk = before.copy(number);
            disk.fail_read(number);
            let error = open(&disk).unwrap_err();
            assert!(matches!(error, JournalError::Io { .. }), "{error}");
            again(disk);
        }
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    for capacity in (0..16_384).step_by(512) {
        let disk = SimDisk::new(capacity);
        disk.set_capacity(Some(capacity));
        let (mut journal, _) = open(&disk).unwrap();
        let mut ledger = Ledger::default();
        let mut full = None;
        for (number, length) in (0..).zip(LENGTHS) {
            let bytes = payload(number, length);
            match journal.append(&bytes) {
                Ok(mark) => ledger.ack(mark, bytes),
                Err(error) => {
                    assert!(matches!(error, JournalError::Full { .. }), "{error}");
                    full = Some(bytes);
                    break;
                }
            }
        }
        let Some(bytes) = full else { continue };
        // Reads go on, and a restart on the full disk works.
        if let Some((mark, bytes)) = ledger.acked.last() {
            assert_eq!(
                *journal.reader().read(mark.position).unwrap().payload,
                **bytes
            );
        }
        assert!(journal.append(&bytes).is_err());
        let (_, read) = open(&disk.copy(1).crash(Keep::Nothing)).unwrap();
        assert_eq!(read, ledger.acked);
        // There is room again: the same journal goes on.
        disk.set_capacity(None);
        let mark = journal.append(&bytes).unwrap();
        ledger.ack(mark, bytes);
        holds(disk.crash(Keep::Nothing), &mut ledger);
    }
}

/// A segment of the usual length does not fit, a shorter one does.
#[test]
fn the_last_room_of_the_disk_is_used() {
    let disk = SimDisk::new(1);
    disk.set_capacity(Some(5 << 20));
    let options = crate::journal::Options::new(super::kit::FOLDER_ID);
    let open = crate::journal::Journal::open::<JournalError>(
        super::kit::arc(&disk),
        options,
        None,
        |_| Ok(()),
    );
    let mut journal = open.unwrap();
    let mut written = 0;
    while journal.append(&payload(written, 100_000)).is_ok() {
        written += 1;
    }
    assert!(written > 40, "{written} of about 50");
    assert_eq!(check(&disk, None).frames, written);
    assert!(disk.list("journal").unwrap().len() >= 2);
}

#[test]
fn the_tail_of_a_cut_off_write_is_named_and_its_room_given_back() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(b"one").unwrap();
    let _unsynced = journal.write(&payload(2, 1_200)).unwrap();
    let cut = |seed| disk.copy(seed).crash(Keep::Torn);
    let torn = |disk: &SimDisk| !check(disk, None).remains.is_empty();
    let disk = (0..).map(cut).find(torn).unwrap();
    let (mut journal, read) = open(&disk).unwrap();
    assert_eq!(read.len(), 1);
    let remains = journal.remains().cloned().unwrap();
    assert!(
        remains.to_string().contains("was never acknowledged"),
        "{remains}"
    );
    assert_eq!(remains.offset, 512 + 96 + 3);
    assert_eq!(check(&disk, None).remains, [remains]);
    journal.append(b"two").unwrap();
    assert!(check(&disk, None).remains.is_empty());
    assert_eq!(disk.used(), 1_024 + 2_048);
}
