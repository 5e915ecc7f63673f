//! What a power cut leaves.

use std::collections::BTreeSet;

use super::{Inner, Keep, Last};

impl Inner {
    pub(super) fn new_life(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.faults.clear();
        self.read_faults.clear();
        self.off_at = None;
    }

    pub(super) fn cut_power(&mut self, keep: Keep) {
        self.new_life();
        self.cut_names(keep);
        self.cut_files(keep);
        let named: BTreeSet<u64> = self.names.files().collect();
        self.files.retain(|id, _| named.contains(id));
        self.count_used();
        self.last = None;
    }

    fn cut_names(&mut self, keep: Keep) {
        let changes = self.names.unsynced();
        let torn = match (keep, &self.last) {
            (Keep::Torn, Some(Last::Name)) => changes.checked_sub(1),
            _ => None,
        };
        let random = &mut self.random;
        self.names.cut_power(|number| match keep {
            Keep::Nothing => false,
            Keep::Everything => true,
            Keep::Half => random.coin(),
            Keep::Torn => torn != Some(number),
        });
    }

    fn cut_files(&mut self, keep: Keep) {
        let lost = self.torn_sectors(keep);
        for (id, file) in &mut self.files {
            let random = &mut self.random;
            match keep {
                Keep::Nothing => file.cut_power(|_| false, false),
                Keep::Everything => file.cut_power(|_| true, true),
                Keep::Half => {
                    let length = random.coin();
                    file.cut_power(|_| random.coin(), length);
                }
                Keep::Torn => {
                    file.cut_power(|sector| !lost.contains(&(*id, sector)), true);
                }
            }
        }
    }

    /// The sectors of the last write that don't arrive: any of them, but never none.
    fn torn_sectors(&mut self, keep: Keep) -> BTreeSet<(u64, u64)> {
        let (Keep::Torn, Some(Last::Write { file, from, to })) = (keep, &self.last) else {
            return BTreeSet::new();
        };
        let (file, written) = (*file, self.files.get(file));
        let sectors = written.map_or(Vec::new(), |written| written.unsynced_between(*from, *to));
        let random = &mut self.random;
        let one = random.below(sectors.len() as u64);
        let numbered = (0..).zip(sectors);
        numbered
            .filter(|(number, _)| *number == one || random.coin())
            .map(|(_, sector)| (file, sector))
            .collect()
    }
}
