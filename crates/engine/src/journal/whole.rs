//! Looking for damage in the journal of a data folder, which an engine may be writing meanwhile.
//!
//! It writes its frames behind those that are read, which does no harm. But it also begins segments, gives
//! back what a segment has too much, and removes the oldest ones when the rule on old history has moved the
//! beginning on. What was listed before that and is read after it looks damaged, and is not. So where damage
//! is found and the folder has moved on, it is looked at anew, from where it begins now. Damage stays: what
//! is found by two looks is told.

use super::error::{Damage, Flaw, JournalError};
use super::mark::{FolderId, Mark};
use super::segment;
use super::verify::{DOING, Progress, Report, Unread, verify_against};
use crate::disk::{Disk, is_in_the_way};
use crate::store::StoreError;
use crate::store::log::check::Readable;
use crate::store::log::{base, head, identity, snapshot};

/// How often a journal is looked through at most. The beginning moves on every few days, and the end with
/// every 64 MiB: that it has each time, and that each look has found something else, does not happen.
const MAX_LOOKS: usize = 8;

/// Reads a whole journal and lists every place that is not as it was written. Changes nothing, and needs no
/// lock: while an engine writes it, what was there when this began is read at least.
///
/// A flipped bit, a frame or segment that was swapped, removed or put in is found by itself. A tail that was
/// cut off cleanly, or an older copy put in the place of the journal, is only found against a mark that was
/// kept elsewhere: in the file `head` and the newest snapshot of the folder, and `anchor`.
///
/// # Errors
/// [`JournalError::Io`] if the folder can't be listed (a file that the disk can't read is listed as damage,
/// one that may not be read as [unread](Report::unread));
/// [`JournalError::Newer`], [`JournalError::Older`]; [`JournalError::MovedOn`].
pub fn verify(
    disk: &dyn Disk,
    folder: Option<FolderId>,
    anchor: Option<&Mark>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, JournalError> {
    let mut before: Option<Report> = None;
    let mut extent = Extent::of(disk)?;
    for _ in 0..MAX_LOOKS {
        let report = look(disk, folder, anchor, progress)?;
        let is_known = |before: &Report| report.is_no_worse_than(before);
        if report.is_whole() || before.as_ref().is_some_and(is_known) {
            return Ok(report);
        }
        let now = Extent::of(disk)?;
        if now == extent {
            return Ok(report);
        }
        (before, extent) = (Some(report), now);
    }
    Err(JournalError::MovedOn)
}

/// [`verify`] for a data folder or a backup: also says whether the folder is the one that the journal was
/// written in, and of a format that this program knows. An engine does not start otherwise.
///
/// # Errors
/// As [`verify`].
pub fn verify_folder(
    disk: &dyn Disk,
    anchor: Option<&Mark>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, JournalError> {
    let mut report = verify(disk, None, anchor, progress)?;
    let says = |names: Vec<String>| names.iter().any(|name| name == identity::FILE);
    let is_there = report.folder.is_some() || !report.is_whole() || disk.list("").is_ok_and(says);
    let flaw = match (identity::read(disk), report.folder) {
        (Ok(found), Some(expected)) if found != expected => Flaw::Owner { found, expected },
        (Err(StoreError::Io { source, .. }), _) if is_in_the_way(&source) => {
            report
                .unread
                .insert(0, Unread::file(identity::FILE, &source));
            return Ok(report);
        }
        (Err(error), _) if is_there => Flaw::Identity(error.to_string()),
        _ => return Ok(report),
    };
    let damage = Damage {
        path: identity::FILE.to_owned(),
        offset: 0,
        seq: 0,
        flaw,
    };
    report.damage.insert(0, damage);
    Ok(report)
}

/// From where to where a journal goes, as far as names of files tell.
#[derive(PartialEq, Eq)]
struct Extent {
    bases: Vec<u64>,
    segments: Vec<u64>,
}

impl Extent {
    fn of(disk: &dyn Disk) -> Result<Self, JournalError> {
        Ok(Self {
            // Of snapshots that can't be listed it is told when they are looked for.
            bases: base::list(disk).unwrap_or_default(),
            segments: segment::numbers(&segment::names(disk, DOING)?),
        })
    }
}

fn look(
    disk: &dyn Disk,
    folder: Option<FolderId>,
    anchor: Option<&Mark>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, JournalError> {
    let whose = folder.or_else(|| whose(disk));
    let whose = whose.or_else(|| identity::read(disk).ok());
    // Before the journal is looked at: what it says was committed before, and so was what a snapshot is of.
    let head = whose.and_then(|whose| head::read(disk, whose));
    let snapshots = whose.map(|whose| Readable::of(disk, whose));
    let newest = snapshots.as_ref().and_then(Readable::mark);
    let base = snapshots.as_ref().and_then(|found| found.base);
    let base = base.map(|base| base.mark);
    let marks: Vec<&Mark> = newest.iter().chain(&base).chain(&head).collect();
    let mut report = verify_against(disk, folder, base.as_ref(), anchor, &marks, progress)?;
    let unread = snapshots.map_or_else(Vec::new, |found| found.unread);
    let may_be_base = |one: &Unread| one.path == snapshot::FOLDER || base::is_path(&one.path);
    if base.is_none() && unread.iter().any(may_be_base) {
        // What may stand for the beginning could not be read.
        let begins = |damage: &Damage| damage.flaw == Flaw::Missing { from: 1 };
        report.damage.retain(|damage| !begins(damage));
    }
    report.unread.extend(unread);
    Ok(report)
}

/// The folder that the oldest segment that can be read belongs to.
fn whose(disk: &dyn Disk) -> Option<FolderId> {
    let numbers = segment::numbers(&segment::names(disk, DOING).ok()?);
    let mut opened = numbers
        .into_iter()
        .map(|number| segment::open(disk, number, None, DOING));
    opened
        .find_map(Result::ok)
        .map(|(segment, _)| segment.folder)
}
