//! Whose tickets are whose, by the plainest way and by the index.

use std::collections::{BTreeMap, BTreeSet};

use upline_core::{Name, Value};

use super::kit::{Bench, CALLERS};
use crate::contact::comparable;
use crate::index::{Filter, Index};
use crate::record::{Entry, Number};
use crate::store::fold::Fold;
use crate::vault::contacts;

impl Bench {
    /// Whose tickets they are that are not erased, by what callers are compared by.
    pub(super) fn callers(&self) -> BTreeMap<String, Vec<Number>> {
        let (mut fold, mut erased) = (Fold::default(), BTreeSet::new());
        for (commit, at) in self.plain.iter().zip(&self.at) {
            erased.extend(commit.entries.iter().filter_map(|entry| match entry {
                Entry::Erased { number, .. } => Some(*number),
                _ => None,
            }));
            fold.commit(*at, commit.clone(), &mut |_| Ok(None)).unwrap();
        }
        let mut callers: BTreeMap<String, Vec<Number>> = BTreeMap::new();
        for (number, record) in fold.records {
            let caller = record.ticket.fields.get(&Name::new("caller"));
            if let Some(Value::Text(caller)) = caller.filter(|_| !erased.contains(&number)) {
                let caller = comparable(caller).unwrap();
                callers.entry(caller).or_default().push(number);
            }
        }
        callers
    }

    /// What the disk has of the secret for contacts, to put it back.
    pub(super) fn secret(&self) -> Vec<u8> {
        let file = self.reader().disk().open_read(contacts::FILE).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    }

    pub(super) fn put_secret(&self, bytes: &[u8]) {
        let file = self.reader().disk().open(contacts::FILE).unwrap();
        file.write_at(bytes, 0).unwrap();
    }
}

/// All tickets that are found by each caller, newest first, in pages of three.
pub(super) fn found_by_callers(index: &Index) -> BTreeMap<String, Vec<Number>> {
    let mut callers = BTreeMap::new();
    for caller in CALLERS {
        let filter = Filter::default().contact(caller).newest_first();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = index.list(&filter, after.as_ref(), 3).unwrap();
            found.extend(page.items.into_iter().map(|record| record.number));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(found.is_sorted_by(|a, b| a > b), "{found:?}");
        found.reverse();
        let same = callers.insert(comparable(caller).unwrap(), found.clone());
        assert!(same.is_none_or(|same| same == found), "{caller}");
    }
    callers.retain(|_, found: &mut Vec<Number>| !found.is_empty());
    callers
}
