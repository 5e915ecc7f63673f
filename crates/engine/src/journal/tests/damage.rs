//! Whatever is not as it was written is found, and stops the journal from being opened.

use super::kit::{OPTIONS, arc, check, files, open, open_after, payload, written};
use crate::disk::sim::{Keep, SimDisk};
use crate::journal::{
    Flaw, FolderId, Hash, Journal, JournalError, JournalReader, Mark, Options, Position, Report,
    verify,
};

/// Frames of one length, so that they can change places. Returns the disk, the file and where each begins.
fn equal_frames() -> (SimDisk, String, Vec<u64>) {
    let disk = SimDisk::new(5);
    let (mut journal, _) = open(&disk).unwrap();
    let marks: Vec<Mark> = (0..8)
        .map(|number| journal.append(&payload(number, 90)).unwrap())
        .collect();
    let files = files(&disk);
    assert_eq!(files.len(), 1);
    let offsets = marks.iter().map(|mark| 512 + mark.position.0).collect();
    (disk, files[0].clone(), offsets)
}

fn edited(edit: impl Fn(&mut Vec<u8>, &[u64])) -> Report {
    let (disk, path, offsets) = equal_frames();
    let mut bytes = disk.contents(&path).unwrap();
    edit(&mut bytes, &offsets);
    bytes.resize(2_048, 0);
    disk.put(&path, &bytes);
    let error = open(&disk.copy(0)).unwrap_err();
    assert!(matches!(error, JournalError::Damaged(_)), "{error}");
    check(&disk, None)
}

const FRAME: usize = 96 + 90;

#[test]
fn frames_swapped_removed_doubled_or_put_in_are_found_and_named() {
    let at = |offsets: &[u64], index: usize| offsets[index] as usize;
    let report = edited(|bytes, offsets| {
        let second = bytes[at(offsets, 1)..][..FRAME].to_vec();
        let fifth = bytes[at(offsets, 4)..][..FRAME].to_vec();
        bytes[at(offsets, 1)..][..FRAME].copy_from_slice(&fifth);
        bytes[at(offsets, 4)..][..FRAME].copy_from_slice(&second);
    });
    let flaws: Vec<(u64, Flaw)> = report
        .damage
        .iter()
        .map(|damage| (damage.seq, damage.flaw.clone()))
        .collect();
    let found = |found| Flaw::Sequence { found };
    assert_eq!(
        flaws,
        [(2, found(5)), (6, found(3)), (5, found(2)), (3, found(6))]
    );

    let removed = edited(|bytes, offsets| {
        bytes.drain(at(offsets, 3)..at(offsets, 4));
    });
    assert_eq!(removed.damage.len(), 1);
    assert_eq!(removed.damage[0].flaw, Flaw::Sequence { found: 5 });
    assert_eq!(
        (removed.damage[0].offset, removed.frames),
        (512 + 3 * FRAME as u64, 6)
    );

    let doubled = edited(|bytes, offsets| {
        let third = bytes[at(offsets, 2)..][..FRAME].to_vec();
        bytes.splice(at(offsets, 3)..at(offsets, 3), third);
    });
    assert_eq!(doubled.damage[0].flaw, Flaw::Sequence { found: 3 });

    let zeroed = edited(|bytes, offsets| bytes[at(offsets, 5)..][..FRAME].fill(0));
    assert_eq!((zeroed.damage[0].seq, zeroed.frames), (6, 7));
    // All of them, not only the first.
    let many = edited(|bytes, offsets| {
        for index in [1, 3, 5] {
            bytes[at(offsets, index) + 80] ^= 1;
        }
    });
    let seqs: Vec<u64> = many.damage.iter().map(|damage| damage.seq).collect();
    assert_eq!((seqs, many.frames), (vec![2, 4, 6], 5));
}

/// A frame that is whole and fits by its number, from a journal that went another way.
#[test]
fn a_frame_of_another_past_is_found() {
    let (one, path, _) = equal_frames();
    let two = SimDisk::new(5);
    let (mut journal, _) = open(&two).unwrap();
    for number in 100..108 {
        journal.append(&payload(number, 90)).unwrap();
    }
    let mut bytes = one.contents(&path).unwrap();
    let other = two.contents(&path).unwrap();
    let (from, to) = (512 + 4 * FRAME, 512 + 5 * FRAME);
    bytes[from..to].copy_from_slice(&other[from..to]);
    one.put(&path, &bytes);
    let report = check(&one, None);
    assert_eq!(report.damage[0].flaw, Flaw::Chain);
    assert_eq!(report.damage[0].seq, 5);
}

/// Two journals of one folder that agree in nothing but numbers and lengths.
fn two_pasts() -> [(SimDisk, Vec<Mark>); 2] {
    [0u64, 100].map(|from| {
        let disk = SimDisk::new(5);
        let (mut journal, _) = open(&disk).unwrap();
        let append = |number| journal.append(&payload(from + number, 400)).unwrap();
        let marks = (1..9).map(append).collect();
        (disk, marks)
    })
}

/// Each whole in itself, and each number where it should be.
#[test]
fn a_segment_of_another_past_is_found() {
    let [(one, marks), (two, others)] = two_pasts();
    let files = files(&one);
    assert_eq!(files.len(), 3);
    one.put(&files[1], &two.contents(&files[1]).unwrap());
    let seam = |error: JournalError| match error {
        JournalError::Damaged(damage) => assert_eq!((damage.seq, damage.flaw), (4, Flaw::Seam)),
        error => panic!("{error}"),
    };
    seam(open(&one.copy(0)).unwrap_err());
    let flaws: Vec<(u64, Flaw)> = check(&one, None)
        .damage
        .into_iter()
        .map(|damage| (damage.seq, damage.flaw))
        .collect();
    assert_eq!(flaws, [(4, Flaw::Seam), (7, Flaw::Seam)]);
    let mut scan = JournalReader::open(arc(&one), None)
        .unwrap()
        .scan_from(1)
        .unwrap();
    for _ in 0..3 {
        scan.next_frame().unwrap().unwrap();
    }
    seam(scan.next_frame().unwrap_err());

    // The mark of a frame of the one is not that of the other's.
    for (mark, other) in marks.iter().zip(&others) {
        assert_eq!(mark.position, other.position);
        let error = open_after(&two, Some(mark)).unwrap_err();
        assert!(matches!(error, JournalError::Damaged(damage) if damage.flaw == Flaw::Other));
        assert_eq!(check(&two, Some(mark)).damage[0].flaw, Flaw::Other);
    }
    // Nor if it was the last of those that were removed.
    two.take(&files[0]);
    assert!(open_after(&two, Some(&others[2])).is_ok());
    let error = open_after(&two, Some(&marks[2])).unwrap_err();
    assert!(
        matches!(error, JournalError::Removed { oldest: 4 }),
        "{error}"
    );
}

/// A whole frame, read from where another one was: by a position alone nothing else would tell.
#[test]
fn a_frame_in_the_wrong_place_is_not_read() {
    let (disk, path, offsets) = equal_frames();
    let mut bytes = disk.contents(&path).unwrap();
    let (third, sixth) = (offsets[2] as usize, offsets[5] as usize);
    bytes.copy_within(sixth..sixth + FRAME, third);
    let (journal, read) = open(&disk).unwrap();
    let flaw = |error: JournalError| match error {
        JournalError::Damaged(damage) => damage.flaw,
        error => panic!("{error}"),
    };
    // The disk finds the wrong sectors under a journal that is in use.
    for (byte, (old, new)) in (0..).zip(disk.contents(&path).unwrap().iter().zip(&bytes)) {
        for bit in (0..8).filter(|bit| (old ^ new) >> bit & 1 == 1) {
            disk.flip(&path, byte, bit);
        }
    }
    let reader = journal.reader();
    let found = read[5].0.position;
    let error = reader.read(read[2].0.position).unwrap_err();
    assert_eq!(flaw(error), Flaw::Misplaced { found });
    let mut scan = reader.scan_from(3).unwrap();
    assert_eq!(
        flaw(scan.next_frame().unwrap_err()),
        Flaw::Sequence { found: 6 }
    );
}

/// The length is known to be wrong before it is followed.
#[test]
fn a_damaged_length_costs_its_frame_only() {
    let report = edited(|bytes, offsets| bytes[offsets[2] as usize + 4] ^= 3);
    assert_eq!((report.damage.len(), report.frames), (1, 7));
    assert_eq!(
        (report.damage[0].seq, &report.damage[0].flaw),
        (3, &Flaw::NoFrame)
    );
}

/// Behind the one write that may be cut off nothing can have been written.
#[test]
fn a_cut_off_write_with_more_behind_it_is_damage() {
    let (disk, path, offsets) = equal_frames();
    let mut bytes = disk.contents(&path).unwrap();
    let last = offsets[7] as usize;
    bytes[last + FRAME - 40..].fill(0);
    disk.put(&path, &bytes);
    let (journal, read) = open(&disk.copy(0)).unwrap();
    assert_eq!(
        (read.len(), journal.remains().unwrap().offset),
        (7, last as u64)
    );
    bytes[last + FRAME + 9] = 1;
    disk.put(&path, &bytes);
    let error = open(&disk).unwrap_err();
    assert!(matches!(error, JournalError::Damaged(damage) if damage.seq == 8));
}

#[test]
fn segments_removed_swapped_cut_or_copied_are_found() {
    let (disk, acked) = written();
    let files = files(&disk);
    let changed = |change: &dyn Fn(&SimDisk)| {
        let disk = disk.copy(0);
        change(&disk);
        let error = open(&disk.copy(0)).unwrap_err();
        let report = check(&disk, None);
        assert!(!report.is_whole());
        (error.to_string(), report)
    };
    let bytes = |index: usize| disk.contents(&files[index]).unwrap();

    let (error, report) = changed(&|disk| disk.take(&files[2]));
    assert!(error.contains("the commits from"), "{error}");
    assert_eq!(report.damage.len(), 1);
    assert!(matches!(report.damage[0].flaw, Flaw::Missing { .. }));
    assert!(report.damage[0].path == files[3], "{report:?}");

    let (error, _) = changed(&|disk| {
        disk.put(&files[1], &bytes(3));
        disk.put(&files[3], &bytes(1));
    });
    assert!(error.contains("the file's name says commit"), "{error}");
    let (error, _) = changed(&|disk| disk.put(&files[1], &bytes(1)[..600]));
    assert!(error.contains("is damaged at byte"), "{error}");
    let (error, report) = changed(&|disk| disk.put(&files[6], &bytes(6)[..1_024]));
    assert!(
        error.contains("has 1024 bytes and was made with 2048"),
        "{error}"
    );
    assert!(matches!(report.damage[0].flaw, Flaw::Cut { .. }));
    let (error, _) = changed(&|disk| disk.put(&files[6], &[]));
    assert!(error.contains("header does not match"), "{error}");
    // A header alone is not all that a segment is made with.
    let (error, _) = changed(&|disk| {
        let mut header = bytes(6);
        header[512..].fill(0);
        disk.put(&files[6], &header);
    });
    assert!(error.contains("there is no commit here"), "{error}");

    // The oldest segments may have gone by the retention rule: then there is something in their place.
    let copy = disk.copy(0);
    copy.take(&files[0]);
    let report = check(&copy, Some(&acked[0].0));
    assert_eq!(report.damage[0].flaw, Flaw::Missing { from: 1 });
    assert!(report.first > 1 && !report.anchored && !report.removed);
    assert!(matches!(open(&copy), Err(JournalError::Removed { .. })));
}

#[test]
fn a_cut_tail_and_an_older_copy_are_found_against_a_mark() {
    let (disk, acked) = written();
    let (files, mark) = (files(&disk), acked[13].0);
    let cut = disk.copy(0);
    let last = files.last().unwrap();
    cut.take(last);
    let before = check(&cut, None);
    assert!(before.is_whole(), "by itself it is a shorter journal");
    let end = before.last.unwrap().seq;
    let report = check(&cut, Some(&mark));
    assert_eq!(report.damage[0].flaw, Flaw::RolledBack { marked: 14 });
    assert!(!report.anchored);
    let error = open_after(&cut, Some(&mark)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "the journal ends with commit {end}, but commit 14 was in it"
        )),
        "{text}"
    );

    // The last frame's bytes zeroed: as if it had never been.
    let zeroed = disk.copy(0);
    let mut bytes = zeroed.contents(last).unwrap();
    let from = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1 - 156;
    bytes[from..].fill(0);
    zeroed.put(last, &bytes);
    assert!(matches!(
        open_after(&zeroed, Some(&mark)),
        Err(JournalError::RolledBack { .. })
    ));
    // Nothing at all.
    let empty = SimDisk::new(1);
    assert!(matches!(
        open_after(&empty, Some(&mark)),
        Err(JournalError::RolledBack { .. })
    ));
    assert!(!check(&empty, Some(&mark)).is_whole());

    // Put back and gone on with: the same numbers, other frames.
    let (mut journal, _) = open(&cut).unwrap();
    for number in 0..10 {
        journal.append(&payload(50 + number, 60)).unwrap();
    }
    let report = check(&cut, Some(&mark));
    assert_eq!((report.damage.len(), report.anchored), (1, false));
    assert_eq!(report.damage[0].flaw, Flaw::Other);
    assert!(matches!(
        open_after(&cut, Some(&mark)),
        Err(JournalError::Damaged(_))
    ));
    let nonsense = Mark {
        seq: 3,
        position: Position(77),
        hash: Hash([1; 32]),
    };
    assert!(matches!(
        open_after(&disk, Some(&nonsense)),
        Err(JournalError::Damaged(_))
    ));
}

/// A payload that holds a whole journal is only a payload.
#[test]
fn frames_within_a_payload_are_not_taken_for_frames() {
    let (inner, path, offsets) = equal_frames();
    let bytes = inner.contents(&path).unwrap();
    // One of the same folder can't be made by somebody who doesn't know the folder's id.
    let foreign = SimDisk::new(2);
    let options = Options {
        folder: FolderId([1; 16]),
        ..OPTIONS
    };
    let mut journal =
        Journal::open::<JournalError>(arc(&foreign), options, None, |_| Ok(())).unwrap();
    journal.append(b"one").unwrap();
    let payload = &bytes[offsets[1] as usize..offsets[6] as usize];
    for seed in 0..32 {
        let disk = foreign.copy(seed);
        let mut journal =
            Journal::open::<JournalError>(arc(&disk), options, None, |_| Ok(())).unwrap();
        let _unsynced = journal.write(payload).unwrap();
        let disk = disk.crash(Keep::Torn);
        let opened = Journal::open::<JournalError>(arc(&disk), options, None, |_| Ok(()));
        assert_eq!(opened.unwrap().head().unwrap().seq, 1);
    }
}

#[test]
fn foreign_newer_and_older_journals_are_refused_with_what_to_do() {
    let (disk, _) = written();
    let other = Options::new(FolderId([1; 16]));
    let open = |disk: &SimDisk, options| {
        let opened = Journal::open::<JournalError>(arc(disk), options, None, |_| Ok(()));
        opened.unwrap_err().to_string()
    };
    let text = open(&disk, other);
    assert!(text.contains("restore a whole folder"), "{text}");
    let first = &files(&disk)[0];
    let header = |version: u32| {
        let mut bytes = disk.contents(first).unwrap();
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        let check = blake3::hash(&bytes[..480]);
        bytes[480..512].copy_from_slice(check.as_bytes());
        let disk = disk.copy(0);
        disk.put(first, &bytes);
        assert!(verify(&disk, None, None, &mut |_| ()).is_err());
        open(&disk, OPTIONS)
    };
    let text = header(2);
    assert!(
        text.contains("has the format 2") && text.contains("run the newer version"),
        "{text}"
    );
    let text = header(0);
    assert!(
        text.contains("open it once with a version in between"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_listed_and_the_rest_is_checked() {
    let (disk, _) = written();
    let reads = disk.reads();
    let whole = check(&disk, None);
    let all = disk.reads() - reads;
    for read in 1..all {
        let disk = disk.copy(0);
        disk.fail_read(disk.reads() + read);
        let report = check(&disk, None);
        assert!(!report.is_whole());
        let unreadable =
            |damage: &crate::journal::Damage| matches!(damage.flaw, Flaw::Unreadable(_));
        assert!(report.damage.iter().any(unreadable));
        assert!(report.frames < whole.frames || report.frames + 8 >= whole.frames);
    }
    let mut steps = Vec::new();
    verify(&disk, None, None, &mut |progress| steps.push(progress)).unwrap();
    let last = steps.last().unwrap();
    assert_eq!((last.segments, last.of, last.frames), (7, 7, 14));
}
