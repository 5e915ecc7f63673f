//! What the tests have in common.

use std::sync::Arc;

use crate::disk::Disk;
use crate::disk::sim::SimDisk;
use crate::journal::{FolderId, Journal, JournalError, Mark, Options, Report, verify_behind};

pub(super) const FOLDER_ID: FolderId = FolderId([0x5a; 16]);

/// Segments so short that a few frames fill one.
pub(super) const OPTIONS: Options = Options {
    folder: FOLDER_ID,
    segment_bytes: 2_048,
    acknowledged: None,
};

/// A frame as read back.
pub(super) type Read = (Mark, Vec<u8>);

pub(super) fn arc(disk: &SimDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

/// Opens the journal and reads what is behind a mark.
pub(super) fn open_after(
    disk: &SimDisk,
    after: Option<&Mark>,
) -> Result<(Journal, Vec<Read>), JournalError> {
    let mut read = Vec::new();
    let journal = Journal::open::<JournalError>(arc(disk), OPTIONS, after, |frame| {
        read.push((frame.mark, frame.payload.into_owned()));
        Ok(())
    })?;
    Ok((journal, read))
}

pub(super) fn open(disk: &SimDisk) -> Result<(Journal, Vec<Read>), JournalError> {
    open_after(disk, None)
}

/// Bytes that are told apart from those of every other number, without long runs of zeros.
pub(super) fn payload(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = format!("<{number}>").into_bytes();
    bytes.extend(
        (0..length as u64).map(|at| (number.wrapping_mul(31).wrapping_add(at * 7) % 255 + 1) as u8),
    );
    bytes.truncate(length);
    bytes
}

/// Lengths from nothing to more than a segment.
pub(super) const LENGTHS: [usize; 14] = [
    20, 300, 0, 700, 90, 1_500, 40, 40, 3_000, 5, 512, 424, 1_000, 60,
];

/// A journal with frames of all those lengths.
pub(super) fn written() -> (SimDisk, Vec<Read>) {
    let disk = SimDisk::new(5);
    let (mut journal, _) = open(&disk).unwrap();
    let mut acked = Vec::new();
    for (number, length) in (0..).zip(LENGTHS) {
        let bytes = payload(number, length);
        let mark = journal.append(&bytes).unwrap();
        acked.push((mark, bytes));
    }
    (disk, acked)
}

pub(super) fn check(disk: &SimDisk, anchor: Option<&Mark>) -> Report {
    verify_behind(disk, Some(FOLDER_ID), None, anchor, &mut |_| ()).unwrap()
}

/// The same of a journal whose beginning was removed up to a frame.
pub(super) fn check_behind(disk: &SimDisk, base: &Mark, anchor: Option<&Mark>) -> Report {
    verify_behind(disk, Some(FOLDER_ID), Some(base), anchor, &mut |_| ()).unwrap()
}

/// The journal's files.
pub(super) fn files(disk: &SimDisk) -> Vec<String> {
    let names = disk.list("journal").unwrap_or_default();
    names
        .into_iter()
        .map(|name| format!("journal/{name}"))
        .collect()
}
