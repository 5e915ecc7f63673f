//! Going through keys, piece by piece, and to the tickets that they lead to.

use std::ops::{Bound, ControlFlow};

use super::build::load;
use super::contacts;
use super::keys::{self, Key, Parts, behind, kind};
use super::query::{Cursor, MAX_PAGE, MAX_SCANNED, Page};
use super::tree::{Failure, Tree};
use super::{IndexError, Open};
use crate::record::Record;

/// A stretch of keys.
pub(super) struct Range {
    pub(super) start: Vec<u8>,
    pub(super) end: Vec<u8>,
}

impl Range {
    pub(super) fn all_of(prefix: Key) -> Self {
        let end = behind(&prefix.0);
        Self {
            start: prefix.0,
            end,
        }
    }

    fn holds(&self, key: &[u8]) -> bool {
        *self.start <= *key && *key < *self.end
    }
}

/// The keys in the ranges behind the cursor, at most so many, and where to go on.
pub(super) fn keys_of(
    tree: &Tree,
    ranges: &[Range],
    backwards: bool,
    after: Option<&Cursor>,
    at_most: usize,
) -> Result<(Vec<Vec<u8>>, Option<Cursor>), IndexError> {
    let mut ranges = ranges.iter().skip_while(|range| {
        let holds = after.is_none_or(|after| range.holds(&after.0));
        !holds
    });
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut after = after;
    if after.is_some() {
        let Some(first) = ranges.next() else {
            return Err(IndexError::Cursor);
        };
        scan_range(tree, first, backwards, after.take(), at_most, &mut found)?;
    }
    for range in ranges {
        if found.len() <= at_most {
            scan_range(tree, range, backwards, None, at_most, &mut found)?;
        }
    }
    let more = found.len() > at_most;
    found.truncate(at_most);
    let next = found.last().filter(|_| more).cloned().map(Cursor);
    Ok((found, next))
}

/// Adds keys until there is one more than asked for.
fn scan_range(
    tree: &Tree,
    range: &Range,
    backwards: bool,
    after: Option<&Cursor>,
    at_most: usize,
    found: &mut Vec<Vec<u8>>,
) -> Result<(), Failure> {
    let mut start = Bound::Included(range.start.clone());
    let mut end = Bound::Excluded(range.end.clone());
    match after {
        Some(after) if backwards => end = Bound::Excluded(after.0.clone()),
        Some(after) => start = Bound::Excluded(after.0.clone()),
        None => (),
    }
    tree.scan((start, end), backwards, &mut |key, _| {
        found.push(key.to_vec());
        match found.len() <= at_most {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })
}

/// The tickets that the keys lead to, if they are wanted.
pub(super) fn walk(
    open: &Open,
    ranges: Vec<Range>,
    backwards: bool,
    after: Option<&Cursor>,
    limit: usize,
    wanted: &dyn Fn(&[u8], &Record) -> bool,
) -> Result<Page<Record>, IndexError> {
    let limit = limit.clamp(1, MAX_PAGE);
    let tree = &open.tree;
    let mut items = Vec::new();
    let mut after = after.cloned();
    let mut scanned = 0;
    loop {
        let some = (2 * limit).max(64).min(MAX_SCANNED - scanned);
        let (found, next) = keys_of(tree, &ranges, backwards, after.as_ref(), some)?;
        scanned += found.len();
        for key in found {
            if let Some(record) = led_to(tree, &key)?
                && wanted(&key, &record)
            {
                items.push(record);
                if items.len() == limit {
                    let next = Some(Cursor(key));
                    return Ok(Page { items, next });
                }
            }
        }
        if next.is_none() || scanned >= MAX_SCANNED {
            return Ok(Page { items, next });
        }
        after = next;
    }
}

/// The ticket that a key leads to, which must lead back. `None`: it is shown at another of its keys.
pub(super) fn led_to(tree: &Tree, key: &[u8]) -> Result<Option<Record>, Failure> {
    if key.first() == Some(&kind::TICKET) {
        let mut parts = Parts(key.get(1..).unwrap_or_default());
        let number = parts.number().ok_or_else(|| no_key(tree, key))?;
        if parts.0 != [0, 0] {
            return Ok(None);
        }
        return Ok(load(tree, number)?.map(|(record, _)| record));
    }
    let number = keys::number_of(key).ok_or_else(|| no_key(tree, key))?;
    let Some((record, _)) = load(tree, number)? else {
        return Err(tree.condemn(format!("ticket number {number} is missing")));
    };
    let leads_back = match key.first() {
        Some(&kind::CONTACT) => contacts::leads_back(tree, number, key)?,
        _ => keys::views(&record).contains(key),
    };
    match leads_back {
        true => Ok(Some(record)),
        false => Err(tree.condemn(format!(
            "ticket number {number} is listed where it does not belong"
        ))),
    }
}

pub(super) fn no_key(tree: &Tree, key: &[u8]) -> Failure {
    tree.condemn(format!("there is a key that nobody has made: {key:02x?}"))
}
