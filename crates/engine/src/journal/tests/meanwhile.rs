//! What somebody reads while another process writes: some of it as it was before, some as it is after.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::kit::{FOLDER_ID, check, files, open, payload};
use crate::disk::sim::SimDisk;
use crate::disk::{Disk, DiskFile};
use crate::journal::{JournalReader, Mark, verify_behind};
use crate::kit::reads::{Between, ReadsOf};

/// The first reads of each file's frames give what was there before.
struct Late {
    before: SimDisk,
    now: SimDisk,
    /// How many reads of a file's frames are of what was before.
    stale: usize,
    reads: Mutex<BTreeMap<String, usize>>,
}

struct LateFile {
    path: String,
    before: Option<Arc<dyn DiskFile>>,
    now: Arc<dyn DiskFile>,
}

impl Between for Late {
    type File = LateFile;

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.before.list(folder)
    }

    fn open(&self, path: &str) -> io::Result<LateFile> {
        Ok(LateFile {
            path: path.to_owned(),
            before: self.before.open_read(path).ok(),
            now: self.now.open_read(path)?,
        })
    }

    fn len(&self, file: &LateFile) -> io::Result<u64> {
        file.now.len()
    }

    fn read_at(&self, file: &LateFile, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut reads = self.reads.lock().unwrap();
        let read = reads.entry(file.path.clone()).or_default();
        // The header, at 0, is written before the file has its name.
        *read += usize::from(at > 0);
        match &file.before {
            Some(before) if *read <= self.stale => before.read_at(buffer, at),
            _ => file.now.read_at(buffer, at),
        }
    }
}

/// A journal as it was after so many frames, and after ten.
fn growing(frames: u64, length: usize) -> (SimDisk, SimDisk, Vec<Mark>) {
    let disk = SimDisk::new(5);
    let (mut journal, _) = open(&disk).unwrap();
    let mut before = disk.copy(0);
    let mut marks = Vec::new();
    for number in 1..=10 {
        marks.push(journal.append(&payload(number, length)).unwrap());
        if number == frames {
            before = disk.copy(0);
        }
    }
    drop(journal);
    (before, disk, marks)
}

fn late(before: &SimDisk, now: &SimDisk, stale: usize) -> Arc<ReadsOf<Late>> {
    ReadsOf::new(Late {
        before: before.clone(),
        now: now.clone(),
        stale,
        reads: Mutex::default(),
    })
}

#[test]
fn frames_that_come_while_it_is_read_are_no_damage() {
    for frames in 1..=9 {
        for length in [20, 150, 700] {
            let (before, now, marks) = growing(frames, length);
            for stale in 0..=4 {
                let disk = late(&before, &now, stale);
                let report = verify_behind(&*disk, Some(FOLDER_ID), None, None, &mut |_| ());
                let report = report.unwrap();
                assert!(report.is_whole(), "{frames} {stale}: {:?}", report.damage);
                assert!(report.frames >= frames && report.remains.is_empty());
                let last = usize::try_from(report.frames).unwrap() - 1;
                assert_eq!(report.last, Some(marks[last]));

                let disk = late(&before, &now, stale);
                let reader = JournalReader::open(disk, Some(FOLDER_ID)).unwrap();
                let head = reader.head().unwrap();
                assert!(marks.contains(&head) && head.seq >= frames, "{head:?}");
            }
        }
    }
}

#[test]
fn a_hole_that_stays_is_damage() {
    let (_, now, marks) = growing(1, 20);
    let path = files(&now)[0].clone();
    let mut bytes = now.contents(&path).unwrap();
    let (from, to) = (marks[3].position.0, marks[4].position.0);
    bytes[512 + from as usize..512 + to as usize].fill(0);
    now.put(&path, &bytes);
    let report = check(&now, None);
    assert_eq!((report.damage.len(), report.damage[0].seq), (1, 4));
    assert!(JournalReader::open(late(&now, &now, 2), Some(FOLDER_ID)).is_err());
}
