//! Who keeps a ticket without being asked may be away before the ladder asks anybody: then somebody stands in
//! for him, and the first level's time begins anew.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::chain::Hours;
use crate::decide::{HOLD_SECONDS, due_in};
use crate::{Absence, Directory, Name, Span};

/// Absences that begin, and who stands in.
pub(super) struct StandIns<'a> {
    directory: &'a Directory,
    /// By their begin.
    coming: Vec<&'a Absence>,
    known: BTreeMap<Span, u64>,
}

impl<'a> StandIns<'a> {
    pub(super) fn new(directory: &'a Directory, from: Timestamp) -> Self {
        let absences = directory.absences.values().flatten();
        let mut coming: Vec<&Absence> = absences
            .filter(|absence| absence.from >= from && absence.to > absence.from)
            .collect();
        coming.sort_by_key(|absence| absence.from);
        Self {
            directory,
            coming,
            known: BTreeMap::new(),
        }
    }

    /// How often at most somebody stands in while the first level's time, of this length, is running.
    pub(super) fn most(&mut self, after: Span, hours: Hours<'_>) -> u64 {
        if let Some(known) = self.known.get(&after) {
            return *known;
        }
        let calendar = match hours {
            Hours::In(calendar) => Some(calendar),
            Hours::Always { .. } => None,
        };
        // By whose absence, and from when: how often in a row, counted from there on.
        let mut rows: BTreeMap<(&Name, Timestamp), u64> = BTreeMap::new();
        for absence in self.coming.iter().rev() {
            let Some(other) = self.stands_in(absence) else {
                continue;
            };
            let held = SignedDuration::from_secs(HOLD_SECONDS);
            let due = due_in(calendar, absence.from, after);
            let due = due.checked_add(held).unwrap_or(Timestamp::MAX);
            let next = rows.range((other, absence.from)..=(other, due)).next();
            let row = 1 + next.map_or(0, |(_, row)| *row);
            let known = rows.entry((&absence.who, absence.from)).or_default();
            *known = row.max(*known);
        }
        let most = rows.values().copied().max().unwrap_or(0);
        self.known.insert(after, most);
        most
    }

    /// Who has it when the absence begins. `None`: the last resort, at once.
    fn stands_in(&self, absence: &'a Absence) -> Option<&'a Name> {
        let directory = self.directory;
        directory
            .replacement(&absence.who, absence.from)
            .filter(|other| **other != directory.last_resort)
    }
}
