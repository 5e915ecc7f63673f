//! Single bits that turn over are found, wherever they are.

use super::kit::{
    FOLDER_ID, Read, arc, check, check_behind, files, open, open_after, payload, written,
};
use crate::disk::sim::SimDisk;
use crate::journal::{Journal, JournalError, Options, Report};

/// What a damaged journal may still be opened to: never anything but the beginning of what was written, and
/// the last frame may only be missing if it can have been a write that was cut off.
fn never_wrong(disk: &SimDisk, acked: &[Read]) {
    match open(disk) {
        Ok((_, read)) => {
            assert!(
                read.len() + 1 >= acked.len(),
                "{} frames lost silently",
                acked.len() - read.len()
            );
            assert_eq!(read, acked[..read.len()]);
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("journal/"), "{text}");
        }
    }
}

fn reported(report: &Report) -> bool {
    !report.is_whole() || !report.remains.is_empty()
}

/// Each byte, one bit of it; the journal of 14 frames in 7 segments has 16 KB with its unused room.
#[test]
fn every_flipped_byte_is_found() {
    let (disk, acked) = written();
    assert!(!reported(&check(&disk, None)));
    for path in files(&disk) {
        let length = disk.contents(&path).unwrap().len() as u64;
        for byte in 0..length {
            let bit = (byte % 8) as u8;
            disk.flip(&path, byte, bit);
            let report = check(&disk, None);
            assert!(reported(&report), "{path} byte {byte}");
            if byte % 7 == 0 {
                never_wrong(&disk.copy(0), &acked);
            }
            disk.flip(&path, byte, bit);
        }
    }
    assert!(!reported(&check(&disk, None)));
}

/// A larger journal, as large as `UPLINE_FLIP_BYTES` says; each flip is looked for in its own segment and the
/// next. 1 MB takes a minute and a half.
#[test]
fn every_flipped_byte_of_a_larger_journal_is_found() {
    let size = std::env::var("UPLINE_FLIP_BYTES").ok();
    let size: usize = size.map_or(1 << 16, |size| size.parse().unwrap());
    let disk = SimDisk::new(1);
    let options = Options {
        folder: FOLDER_ID,
        segment_bytes: 4_096,
        acknowledged: None,
    };
    let mut journal = Journal::open::<JournalError>(arc(&disk), options, None, |_| Ok(())).unwrap();
    let (mut number, mut marks) = (0, Vec::new());
    while files(&disk).len() * 4_096 < size {
        number += 1;
        let bytes = payload(number, 200 + (number as usize * 37) % 300);
        marks.push(journal.append(&bytes).unwrap());
    }
    let files = files(&disk);
    let mut flipped = 0;
    for pair in files.windows(2) {
        let some = SimDisk::new(1);
        for path in pair {
            some.put(path, &disk.contents(path).unwrap());
        }
        // It begins behind the frame before.
        let first: usize = pair[0][8..28].parse().unwrap();
        let check = || match first.checked_sub(2) {
            Some(before) => check_behind(&some, &marks[before], None),
            None => check(&some, None),
        };
        assert!(!reported(&check()));
        for byte in 0..4_096 {
            some.flip(&pair[0], byte, (byte % 8) as u8);
            assert!(reported(&check()), "{} byte {byte}", pair[0]);
            some.flip(&pair[0], byte, (byte % 8) as u8);
            flipped += 1;
        }
    }
    assert!(flipped + 8_192 >= size, "{flipped}");
}

/// A flipped bit in the last frame is not taken for a write that was cut off.
#[test]
fn the_last_frame_is_not_lost_silently() {
    let (disk, acked) = written();
    let path = files(&disk).pop().unwrap();
    let mark = acked[13].0;
    let start = disk.contents(&path).unwrap().len() as u64 - 2_048;
    assert_eq!(start, 0);
    let end = disk
        .contents(&path)
        .unwrap()
        .iter()
        .rposition(|byte| *byte != 0)
        .unwrap() as u64
        + 1;
    let mut torn = 0;
    for byte in end - 96 - 60..end {
        disk.flip(&path, byte, 2);
        let copy = disk.copy(0);
        match open(&copy) {
            Err(JournalError::Damaged(damage)) => assert_eq!(damage.seq, 14),
            Err(error) => panic!("{error}"),
            // Its last byte became zero, or the few that lie in a sector were.
            Ok((_, read)) => torn += usize::from(read.len() == 13),
        }
        // Whoever keeps a mark finds that too.
        let error = open_after(&copy, Some(&mark)).unwrap_err();
        let found = matches!(
            error,
            JournalError::Damaged(_) | JournalError::RolledBack { .. }
        );
        assert!(found, "{error}");
        disk.flip(&path, byte, 2);
    }
    assert!(torn <= 1, "{torn}");
}
