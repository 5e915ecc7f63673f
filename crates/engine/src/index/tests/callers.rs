//! Whose tickets are whose, by the plainest way and by the index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};

use upline_core::{Name, Value};

use super::kit::{Bench, CALLERS, commits};
use crate::contact::comparable;
use crate::index::build::Changes;
use crate::index::keys::{Key, kind};
use crate::index::tree::Tree;
use crate::index::{Difference, Filter, Index, contacts};
use crate::record::{Entry, Number};
use crate::store::fold::Fold;
use crate::vault;

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
        let file = self
            .reader()
            .disk()
            .open_read(vault::contacts::FILE)
            .unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    }

    pub(super) fn put_secret(&self, bytes: &[u8]) {
        let file = self.reader().disk().open(vault::contacts::FILE).unwrap();
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

/// Does something to the keys, so that the sum still fits.
fn change(index: &Index, work: impl FnOnce(&Tree, &mut Changes<'_>)) {
    let mut built = index.read(|open| Ok(open.built)).unwrap();
    let writes = index.read(|open| {
        let mut changes = Changes::of(&mut built);
        work(&open.tree, &mut changes);
        Ok(changes.done()?)
    });
    index.put(writes.unwrap(), &built).unwrap();
}

/// A key of this kind that is there.
fn some_key(tree: &Tree, kind: u8) -> Vec<u8> {
    let mut found = Vec::new();
    let all = (Bound::Included(vec![kind]), Bound::Excluded(vec![kind + 1]));
    let mut first = |key: &[u8], _: &[u8]| {
        found = key.to_vec();
        ControlFlow::Break(())
    };
    tree.scan(all, false, &mut first).unwrap();
    found
}

#[test]
fn a_mark_that_is_missing_or_too_many_is_found() {
    let bench = Bench::with(commits(17, 120));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    assert!(!bench.callers().is_empty());
    let verified = || {
        let verified = bench.index.verify(&bench.reader(), 1_000, &mut |_, _| ());
        verified.unwrap().differences
    };
    assert_eq!(verified(), []);
    for kind in [kind::CONTACT, kind::CONTACTS_OF, kind::FIELD] {
        let mut gone = Vec::new();
        change(&bench.index, |tree, changes| {
            gone = some_key(tree, kind);
            changes.remove(gone.clone());
        });
        let found = verified();
        let view = char::from(kind);
        let is_it = |one: &Difference| match one {
            Difference::NotListed { view: found, .. } => *found == view,
            Difference::Fields => kind == kind::FIELD,
            _ => false,
        };
        assert!(found.iter().any(is_it), "{view}: {found:?}");
        change(&bench.index, |_, changes| changes.add(gone));
        assert_eq!(verified(), []);
    }
    for key in [
        contacts::of_contact(&[7; 16]).number(1),
        Key::of(kind::CONTACTS_OF)
            .number(1)
            .text("x")
            .mark(&[7; 16]),
        Key::of(kind::FIELD).text("call").number(1).text("x"),
    ] {
        let view = char::from(key.0[0]);
        change(&bench.index, |_, changes| changes.add(key.0.clone()));
        let found = verified();
        let is_it = |one: &Difference| matches!(one, Difference::Surplus { view: found, .. } if *found == view);
        assert!(found.iter().any(is_it), "{view}: {found:?}");
        change(&bench.index, |_, changes| changes.remove(key.0));
    }
    assert_eq!(verified(), []);
}

#[test]
fn an_index_of_an_earlier_form_is_built_anew() {
    let mut bench = Bench::with(commits(18, 60));
    bench.index.open(&bench.reader()).unwrap();
    bench.catch_up();
    let built = bench.index.read(|open| Ok(open.built)).unwrap();
    let earlier = (Key::built().0, Some(vec![1; 40]));
    bench.index.put(vec![earlier], &built).unwrap();
    let (reader, secret) = (bench.reader(), bench.secret());
    let opened = bench.again().open(&reader).unwrap();
    let why = opened.set_aside.unwrap().why;
    assert!(why.contains("form 1") && opened.mark.is_none(), "{why}");
    // What was set aside is of no use any more to whoever would try contacts.
    assert_ne!(bench.secret(), secret);
    bench.catch_up();
    assert_eq!(found_by_callers(&bench.index), bench.callers());
}
