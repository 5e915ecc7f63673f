//! What a journal says, read with no engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use upline_core::{Cause, Fact};

use crate::disk::Disk;
use crate::journal::{self, JournalReader};
use crate::record::{self, Commit, Entry, Fate};

/// What it says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Of each ticket how many events it has had.
    pub(crate) revisions: BTreeMap<u64, u64>,
    pub(crate) epochs: BTreeMap<u64, u32>,
    pub(crate) fired: BTreeSet<(u64, u32)>,
    pub(crate) notices: BTreeSet<String>,
    pub(crate) withdrawn: BTreeSet<String>,
    pub(crate) delivered: BTreeSet<String>,
}

impl Told {
    /// Reads the whole journal, checks its chain, and that no hop is doubled or out of order.
    pub(crate) fn read(disk: Arc<dyn Disk>) -> Self {
        let report = journal::verify(&*disk, None, None, &mut |_| ()).unwrap();
        assert!(report.is_whole(), "{report:?}");
        let reader = JournalReader::open(disk, None).unwrap();
        let mut told = Self::default();
        let mut frames = reader.scan_from(1).unwrap();
        while let Some(frame) = frames.next_frame().unwrap() {
            let commit: Commit = record::decode(&frame.payload).unwrap();
            for entry in commit.entries {
                if let Entry::Moved(moved) = entry {
                    told.moved(&moved);
                }
            }
        }
        told
    }

    fn moved(&mut self, moved: &record::Moved) {
        let number = moved.number;
        let revision = self.revisions.entry(number).or_default();
        assert_eq!(moved.revision, *revision, "ticket {number}");
        *revision += moved.events.len() as u64;
        for event in &moved.events {
            if let Fact::Hopped(hop) = &event.fact {
                let epoch = self.epochs.entry(number).or_default();
                assert!(hop.epoch > *epoch, "ticket {number}: a hop twice");
                *epoch = hop.epoch;
                if let Cause::Clock { clock, .. } = hop.cause {
                    let once = self.fired.insert((number, clock));
                    assert!(once, "ticket {number}: clock {clock} fired twice");
                }
            }
            let keys = event.fact.notices().iter();
            self.notices
                .extend(keys.map(|notice| format!("{number}-{}", notice.id)));
        }
        for settled in &moved.settled {
            let key = format!("{number}-{}", settled.notice);
            match settled.fate {
                Fate::Delivered => assert!(self.delivered.insert(key)),
                Fate::Withdrawn => {
                    self.notices.remove(&key);
                    self.withdrawn.insert(key);
                }
                Fate::Failed => panic!("{key} was never refused"),
            }
        }
    }
}
