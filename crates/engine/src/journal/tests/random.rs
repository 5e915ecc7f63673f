//! Any mixture of commits, failures, restarts and power cuts.

use proptest::prelude::*;

use super::crash::Ledger;
use super::kit::{OPTIONS, arc, check, check_behind, files, open, payload, written};
use crate::disk::sim::{Fault, Keep, SimDisk};
use crate::journal::{Journal, JournalError, JournalReader, Position};

#[derive(Debug, Clone)]
enum Do {
    Append {
        length: usize,
    },
    /// Writes, and leaves the sync out.
    Abandon {
        length: usize,
    },
    Prepare,
    Fail {
        ahead: u64,
        fault: Fault,
    },
    FailRead {
        ahead: u64,
    },
    Full {
        free: u64,
    },
    Room,
    Cut(Keep),
    CutSoon {
        ahead: u64,
        keep: Keep,
    },
    Kill,
    Retire {
        share: u64,
    },
    Read {
        share: u64,
    },
}

fn doing() -> impl Strategy<Value = Do> {
    let length = prop_oneof![0..200usize, 200..1_200usize, Just(4_000)];
    let keep = prop::sample::select(&Keep::ALL[..]);
    let fault = prop::sample::select(&Fault::ALL[..]);
    prop_oneof![
        10 => length.clone().prop_map(|length| Do::Append { length }),
        1 => length.prop_map(|length| Do::Abandon { length }),
        2 => Just(Do::Prepare),
        3 => (0..12u64, fault).prop_map(|(ahead, fault)| Do::Fail { ahead, fault }),
        1 => (0..12u64).prop_map(|ahead| Do::FailRead { ahead }),
        1 => (0..6_000u64).prop_map(|free| Do::Full { free }),
        1 => Just(Do::Room),
        2 => keep.clone().prop_map(Do::Cut),
        2 => (0..12u64, keep).prop_map(|(ahead, keep)| Do::CutSoon { ahead, keep }),
        1 => Just(Do::Kill),
        1 => (0..100u64).prop_map(|share| Do::Retire { share }),
        2 => (0..100u64).prop_map(|share| Do::Read { share }),
    ]
}

struct Run {
    disk: SimDisk,
    journal: Option<Journal>,
    ledger: Ledger,
    /// How many of the ledger's frames may be removed by now.
    retired: usize,
    number: u64,
    /// What the power cut to come leaves.
    keep: Option<Keep>,
}

impl Run {
    /// Opens, as often as it takes: an error may be planned for it, but not for ever.
    fn open(&mut self) {
        self.journal = None;
        for _ in 0..64 {
            let mut read = Vec::new();
            let after = self
                .retired
                .checked_sub(1)
                .map(|index| self.ledger.acked[index].0);
            let opened =
                Journal::open::<JournalError>(arc(&self.disk), OPTIONS, after.as_ref(), |frame| {
                    read.push((frame.mark, frame.payload.into_owned()));
                    Ok(())
                });
            match opened {
                Ok(journal) => {
                    let mut all = self.ledger.acked[..self.retired].to_vec();
                    all.extend(read);
                    self.ledger.settle(all);
                    self.journal = Some(journal);
                    return;
                }
                Err(JournalError::Io { .. } | JournalError::Full { .. }) => {
                    if let Some(keep) = self.keep.take() {
                        self.disk = self.disk.crash(keep);
                    }
                    self.disk.set_capacity(None);
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("it can't be opened");
    }

    fn step(&mut self, act: &Do) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        match act {
            Do::Append { length } => {
                self.number += 1;
                let bytes = payload(self.number, (*length).max(8));
                match journal.append(&bytes) {
                    Ok(mark) => self.ledger.ack(mark, bytes),
                    Err(_) => self.ledger.open.push(bytes),
                }
            }
            Do::Abandon { length } => {
                self.number += 1;
                let bytes = payload(self.number, (*length).max(8));
                let _ = journal.write(&bytes);
                self.ledger.open.push(bytes);
            }
            Do::Prepare => drop(journal.upkeep().prepare()),
            Do::Fail { ahead, fault } => self.disk.fail(self.disk.operations() + ahead, *fault),
            Do::FailRead { ahead } => self.disk.fail_read(self.disk.reads() + ahead),
            Do::Full { free } => self.disk.set_capacity(Some(self.disk.used() + free)),
            Do::Room => self.disk.set_capacity(None),
            Do::Cut(keep) => self.restart(self.disk.crash(*keep)),
            Do::CutSoon { ahead, keep } => {
                self.disk.power_off_at(self.disk.operations() + ahead);
                self.keep = Some(*keep);
            }
            Do::Kill => self.restart(self.disk.kill()),
            Do::Retire { share } => {
                let index = self.ledger.acked.len() * *share as usize / 100;
                if let Some((mark, _)) = self.ledger.acked.get(index) {
                    let _ = journal.upkeep().remove_before(mark.position);
                    self.retired = self.retired.max(index + 1);
                }
            }
            Do::Read { share } => self.read(*share),
        }
        // A commit that finds no power is the end of the process.
        if let Some(keep) = self.keep.filter(|_| self.disk.is_off()) {
            self.keep = None;
            self.restart(self.disk.crash(keep));
        }
    }

    fn restart(&mut self, disk: SimDisk) {
        self.disk = disk;
        self.keep = None;
        self.open();
    }

    fn read(&self, share: u64) {
        let Some(journal) = &self.journal else { return };
        let index = self.ledger.acked.len() * share as usize / 100;
        let reader = journal.reader();
        if let Some((mark, bytes)) = self.ledger.acked.get(index) {
            match reader.read(mark.position) {
                Ok(frame) => assert_eq!((&frame.mark, &*frame.payload), (mark, &bytes[..])),
                Err(JournalError::Io { .. }) => (),
                Err(JournalError::Removed { .. }) => assert!(index < self.retired),
                Err(error) => panic!("{error}"),
            }
            let Ok(mut scan) = reader.scan_from(mark.seq) else {
                return;
            };
            for (mark, bytes) in &self.ledger.acked[index..] {
                match scan.next_frame() {
                    Ok(frame) => {
                        let frame = frame.unwrap();
                        assert_eq!((&frame.mark, &*frame.payload), (mark, &bytes[..]));
                    }
                    Err(JournalError::Io { .. }) => return,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        let behind = reader.read(Position(reader.end().0));
        assert!(matches!(behind, Err(JournalError::NotYet { .. })));
    }

    fn finish(mut self) {
        self.disk.set_capacity(None);
        self.restart(self.disk.crash(Keep::Nothing));
        for share in [0, 30, 60, 99] {
            self.read(share);
        }
        let last = self.ledger.last();
        let report = match self.retired.checked_sub(1) {
            Some(retired) => check_behind(&self.disk, &self.ledger.acked[retired].0, last),
            None => check(&self.disk, last),
        };
        assert!(report.is_whole(), "{report:?}");
        assert_eq!(report.anchored, self.ledger.last().is_some());
    }
}

fn run(seed: u64, acts: &[Do]) {
    let mut run = Run {
        disk: SimDisk::new(seed),
        journal: None,
        ledger: Ledger::default(),
        retired: 0,
        number: 0,
        keep: None,
    };
    run.open();
    for act in acts {
        run.step(act);
    }
    run.finish();
}

/// As many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Something done to a file by somebody who doesn't know what it is.
#[derive(Debug, Clone)]
enum Harm {
    Overwrite {
        at: usize,
        bytes: Vec<u8>,
    },
    Insert {
        at: usize,
        bytes: Vec<u8>,
    },
    Remove {
        at: usize,
        count: usize,
    },
    Copy {
        from: usize,
        to: usize,
        count: usize,
    },
    Cut {
        at: usize,
    },
    Take,
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = || 0..2_100usize;
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        (at(), bytes()).prop_map(|(at, bytes)| Harm::Overwrite { at, bytes }),
        (at(), bytes()).prop_map(|(at, bytes)| Harm::Insert { at, bytes }),
        (at(), 1..600usize).prop_map(|(at, count)| Harm::Remove { at, count }),
        (at(), at(), 1..600usize).prop_map(|(from, to, count)| Harm::Copy { from, to, count }),
        at().prop_map(|at| Harm::Cut { at }),
        Just(Harm::Take),
    ]
}

impl Harm {
    fn apply(&self, disk: &SimDisk, path: &str) {
        let Some(mut bytes) = disk.contents(path) else {
            return;
        };
        let end = bytes.len();
        let clip = |at: usize, count: usize| at.min(end)..at.saturating_add(count).min(end);
        match self {
            Self::Overwrite { at, bytes: new } => {
                let range = clip(*at, new.len());
                let count = range.len();
                bytes[range].copy_from_slice(&new[..count]);
            }
            Self::Insert { at, bytes: new } => {
                drop(bytes.splice(clip(*at, 0), new.iter().copied()))
            }
            Self::Remove { at, count } => drop(bytes.drain(clip(*at, *count))),
            Self::Copy { from, to, count } => {
                let new = bytes[clip(*from, *count)].to_vec();
                let range = clip(*to, new.len());
                let count = range.len();
                bytes[range].copy_from_slice(&new[..count]);
            }
            Self::Cut { at } => bytes.truncate(*at),
            Self::Take => return disk.take(path),
        }
        disk.put(path, &bytes);
    }
}

proptest! {
    #![proptest_config(config())]

    /// No panic, and never anything but what was written, in order, from the beginning.
    #[test]
    fn whatever_is_done_to_the_files_no_wrong_frame_is_read(
        harms in prop::collection::vec((0..8usize, harm()), 1..5),
    ) {
        let (disk, acked) = written();
        let files = files(&disk);
        for (file, harm) in &harms {
            harm.apply(&disk, &files[file % files.len()]);
        }
        let report = check(&disk, acked.last().map(|(mark, _)| mark));
        let changed = !report.is_whole() || !report.remains.is_empty();
        if let Ok((_, read)) = open(&disk.copy(1)) {
            prop_assert_eq!(&read[..], &acked[..read.len()]);
            prop_assert!(read.len() == acked.len() || !report.is_whole());
        } else {
            prop_assert!(changed || report.first > 1);
        }
        for (mark, bytes) in &acked {
            let read = JournalReader::open(arc(&disk), None).and_then(|reader| reader.read(mark.position));
            if let Ok(frame) = read {
                prop_assert_eq!((&frame.mark, &*frame.payload), (mark, &bytes[..]));
            }
        }
    }

    #[test]
    fn nothing_acknowledged_is_missing_and_nothing_superseded_appears(
        seed in any::<u64>(),
        acts in prop::collection::vec(doing(), 1..60),
    ) {
        run(seed, &acts);
    }
}
