//! Lists in order of the clocks: what is due first comes first, and what has no clock that runs comes last,
//! so that nothing open is on no list.

use super::filter::{Filter, Standing, by_state};
use super::keys::{self, Key, Parts, kind};
use super::query::{Cursor, MAX_PAGE, Page};
use super::walk::{Range, keys_of, led_to, walk};
use super::{IndexError, Open};
use crate::record::{Millis, Number, Record};

/// Most keys of a person or a contact whose tickets are put in order by themselves. The tickets of one who
/// has more are looked for among all clocks. Of the tests' tickets nobody has that many.
const MAX_FEW: usize = if cfg!(test) { 12 } else { 2_000 };

/// Where a ticket stands in the list. Nothing is due at the end of time.
type Place = (Millis, Number);

/// The open tickets that are wanted, those whose clock is due first before the others. `ranges` is where a
/// list in another order looks for them.
pub(super) fn list(
    open: &Open,
    filter: &Filter,
    ranges: &[Range],
    after: Option<&Cursor>,
    limit: usize,
    wanted: &dyn Fn(&[u8], &Record) -> bool,
) -> Result<Page<Record>, IndexError> {
    if filter.standing == Some(Standing::Ended) {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    }
    if filter.person.is_some() || filter.contact.is_some() {
        let (found, more) = keys_of(&open.tree, ranges, false, None, MAX_FEW)?;
        if more.is_none() {
            return few(open, &found, after, limit, wanted);
        }
    }
    let mut clocks = Range::all_of(Key::of(kind::DUE));
    if let Some(before) = filter.due_before {
        clocks.end = Key::of(kind::DUE).time(before).0;
        return walk(open, vec![clocks], false, after, limit, wanted);
    }
    let without = Range::all_of(by_state(Standing::Open, filter.workflow.as_deref()));
    let ranges = vec![clocks, without];
    let after = after.map(unwrapped).transpose()?;
    let found = walk(
        open,
        ranges,
        false,
        after.as_ref(),
        limit,
        &|key, record| {
            let is_here = key.first() == Some(&kind::DUE) || keys::due(record).is_none();
            is_here && wanted(key, record)
        },
    )?;
    Ok(Page {
        items: found.items,
        next: found.next.map(wrapped),
    })
}

/// What the cursor of a ticket without a clock begins with: the end of time. A list by state has the bare
/// key, which is a cursor of that list and not of this one.
fn end_of_time() -> Vec<u8> {
    Key::of(kind::DUE).time(Millis::MAX).0
}

fn wrapped(next: Cursor) -> Cursor {
    match next.0.first() {
        Some(&kind::DUE) => next,
        _ => Cursor([end_of_time(), next.0].concat()),
    }
}

fn unwrapped(after: &Cursor) -> Result<Cursor, IndexError> {
    match after.0.strip_prefix(end_of_time().as_slice()) {
        // A number alone is the end of a person's list, which has grown too long for that since.
        Some(key) if key.len() > size_of::<Number>() => Ok(Cursor(key.to_vec())),
        Some(_) => Ok(after.clone()),
        None if after.0.first() == Some(&kind::DUE) => Ok(after.clone()),
        None => Err(IndexError::Cursor),
    }
}

/// Of the tickets that these keys lead to.
fn few(
    open: &Open,
    keys: &[Vec<u8>],
    after: Option<&Cursor>,
    limit: usize,
    wanted: &dyn Fn(&[u8], &Record) -> bool,
) -> Result<Page<Record>, IndexError> {
    let after = after.map(read).transpose()?;
    let mut found: Vec<(Place, Record)> = Vec::new();
    for key in keys {
        let Some(record) = led_to(&open.tree, key)? else {
            continue;
        };
        let place = place(&record);
        if wanted(key, &record) && after.is_none_or(|after| after < place) {
            found.push((place, record));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    let limit = limit.clamp(1, MAX_PAGE);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(place, _)| write(*place));
    let items = found.into_iter().map(|(_, record)| record).collect();
    Ok(Page { items, next })
}

fn place(record: &Record) -> Place {
    (keys::due(record).unwrap_or(Millis::MAX), record.number)
}

/// As the key of its clock.
fn write((due, number): Place) -> Cursor {
    Cursor(Key::of(kind::DUE).time(due).number(number).0)
}

fn read(cursor: &Cursor) -> Result<Place, IndexError> {
    let mut parts = Parts(&cursor.0);
    if parts.byte() != Some(kind::DUE) {
        return Err(IndexError::Cursor);
    }
    let place = parts.time().zip(parts.number());
    place
        .filter(|_| parts.0.is_empty())
        .ok_or(IndexError::Cursor)
}
