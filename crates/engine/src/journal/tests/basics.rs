//! What is written is read, everywhere it can be read.

use super::kit::{
    FOLDER_ID, LENGTHS, OPTIONS, arc, check, check_behind, files, open, open_after, payload,
    written,
};
use crate::disk::sim::{Keep, SimDisk};
use crate::disk::{Disk, RealDisk};
use crate::journal::{
    Flaw, Hash, Journal, JournalError, JournalReader, MAX_PAYLOAD, Mark, Options, Position, Upkeep,
    verify,
};

#[test]
fn frames_come_back_in_order_from_every_mark() {
    let (disk, acked) = written();
    assert!(files(&disk).len() > 4, "{:?}", files(&disk));
    let (journal, read) = open(&disk).unwrap();
    assert_eq!(read, acked);
    assert_eq!(journal.head(), Some(acked[LENGTHS.len() - 1].0));
    for (index, (mark, _)) in acked.iter().enumerate() {
        assert_eq!(mark.seq, index as u64 + 1);
        let (_, read) = open_after(&disk, Some(mark)).unwrap();
        assert_eq!(read, acked[index + 1..]);
    }
    assert!(check(&disk, None).is_whole());
}

#[test]
fn an_error_of_the_caller_ends_the_opening() {
    #[derive(Debug)]
    struct Mine(u64);
    impl From<JournalError> for Mine {
        fn from(_: JournalError) -> Self {
            Self(0)
        }
    }
    let (disk, _) = written();
    let refuse = |frame: crate::journal::Frame<'_>| match frame.mark.seq {
        3 => Err(Mine(3)),
        _ => Ok(()),
    };
    let error = Journal::open(arc(&disk), OPTIONS, None, refuse).unwrap_err();
    assert_eq!(error.0, 3);
}

#[test]
fn readers_see_each_frame_once_it_is_synced_and_not_before() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    let reader = journal.reader();
    let mut scan = reader.scan_from(0).unwrap();
    assert!(scan.next_frame().unwrap().is_none());
    assert!(reader.oldest().is_none() && reader.head().is_none());
    for (number, length) in (0..).zip(LENGTHS) {
        let bytes = payload(number, length);
        let end = reader.end();
        let unsynced = journal.write(&bytes).unwrap();
        assert!(matches!(reader.read(end), Err(JournalError::NotYet { .. })));
        assert!(scan.next_frame().unwrap().is_none());
        let promised = unsynced.mark();
        let mark = std::thread::spawn(move || unsynced.sync())
            .join()
            .unwrap()
            .unwrap();
        assert_eq!((mark, mark.position), (promised, end));
        let frame = reader.read(mark.position).unwrap();
        assert_eq!((frame.mark, &*frame.payload), (mark, &bytes[..]));
        assert_eq!(scan.next_frame().unwrap(), Some(frame));
        assert!(scan.next_frame().unwrap().is_none());
    }
    let error = reader.read(Position(3)).unwrap_err().to_string();
    assert!(error.contains("there is no commit here"), "{error}");
}

#[test]
fn a_scan_begins_at_any_frame() {
    let (disk, acked) = written();
    let reader = JournalReader::open(arc(&disk), None).unwrap();
    assert_eq!(
        (reader.folder(), reader.head()),
        (FOLDER_ID, Some(acked[13].0))
    );
    for (index, (mark, _)) in acked.iter().enumerate() {
        for scan in [reader.scan_from(mark.seq), reader.scan_at(mark.position)] {
            let mut scan = scan.unwrap();
            for (mark, bytes) in &acked[index..] {
                let frame = scan.next_frame().unwrap().unwrap();
                assert_eq!((&frame.mark, &*frame.payload), (mark, &bytes[..]));
            }
            assert!(scan.next_frame().unwrap().is_none());
        }
    }
    let mut at_end = reader.scan_at(reader.end()).unwrap();
    assert!(at_end.next_frame().unwrap().is_none());

    // From a number that is not there yet it begins with that.
    let (mut journal, _) = open(&disk).unwrap();
    let mut scan = journal.reader().scan_from(16).unwrap();
    assert!(scan.next_frame().unwrap().is_none());
    for number in 0..3 {
        journal.append(&payload(number, 900)).unwrap();
    }
    assert_eq!(scan.next_frame().unwrap().unwrap().mark.seq, 16);
    assert_eq!(scan.next_frame().unwrap().unwrap().mark.seq, 17);
}

#[test]
fn one_commit_is_one_write_and_one_sync() {
    let disk = SimDisk::new(1);
    let options = Options::new(FOLDER_ID);
    let mut journal = Journal::open::<JournalError>(arc(&disk), options, None, |_| Ok(())).unwrap();
    journal.append(b"first").unwrap();
    let (operations, syncs) = (disk.operations(), disk.syncs());
    for number in 0..100 {
        journal.append(&payload(number, 300)).unwrap();
    }
    assert_eq!(disk.operations() - operations, 200);
    assert_eq!(disk.syncs() - syncs, 100);
}

#[test]
fn the_next_segment_is_prepared_once_and_used() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    let upkeep: Upkeep = journal.upkeep();
    assert!(!upkeep.prepare().unwrap(), "nothing to go on from yet");
    journal.append(&payload(1, 20)).unwrap();
    assert!(!upkeep.prepare().unwrap(), "most of the segment is free");
    journal.append(&payload(2, 1_000)).unwrap();
    assert!(upkeep.prepare().unwrap());
    assert!(!upkeep.prepare().unwrap(), "there is one");
    let before = disk.operations();
    journal.append(&payload(3, 1_000)).unwrap();
    // Written, synced, named, and the folder synced.
    assert_eq!(disk.operations() - before, 4);
    // One that is too short for a long frame stays for the next.
    assert!(upkeep.prepare().unwrap());
    journal.append(&payload(4, 5_000)).unwrap();
    assert!(!upkeep.prepare().unwrap());
    journal.append(&payload(5, 10)).unwrap();
    let disk = disk.crash(Keep::Nothing);
    let (_, read) = open(&disk).unwrap();
    assert_eq!(read.len(), 5);
    let unfinished = files(&disk).iter().any(|name| name.ends_with(".tmp"));
    assert!(!unfinished);
}

#[test]
fn room_is_made_before_it_is_needed() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    disk.set_capacity(Some(2_048));
    journal.make_room(1_000).unwrap();
    assert_eq!(journal.end(), Position(0));
    let mark = journal.append(&payload(1, 1_000)).unwrap();
    // What is written and not yet synced counts too.
    journal.make_room(300).unwrap();
    let unsynced = journal.write(&payload(2, 100)).unwrap();
    assert_eq!(journal.end(), Position(mark.position.0 + 1_096 + 196));
    let error = journal.make_room(300).unwrap_err();
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    unsynced.sync().unwrap();
    disk.set_capacity(Some(8_192));
    journal.make_room(1_000).unwrap();
    journal.make_room(4_000).unwrap();
    let before = disk.operations();
    journal.append(&payload(3, 4_000)).unwrap();
    assert_eq!(disk.operations() - before, 4);
    assert_eq!(files(&disk).len(), 2, "the one that was too short is gone");
}

/// Threads that read what another one writes.
#[test]
fn readers_in_other_threads_see_only_whole_frames() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    let read = |reader: JournalReader| {
        let mut scan = reader.scan_from(1).unwrap();
        let mut number = 0;
        while number < 400 {
            if let Some(frame) = scan.next_frame().unwrap() {
                number += 1;
                assert_eq!(frame.mark.seq, number);
                assert_eq!(*frame.payload, payload(number, (number % 700) as usize));
                let position = frame.mark.position;
                assert_eq!(reader.read(position).unwrap().mark.seq, number);
            }
        }
    };
    let threads = [0, 1]
        .map(|_| journal.reader())
        .map(|reader| std::thread::spawn(move || read(reader)));
    let upkeep = journal.upkeep();
    for number in 1..=400u64 {
        journal
            .append(&payload(number, (number % 700) as usize))
            .unwrap();
        upkeep.prepare().unwrap();
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn the_second_half_may_be_left_out() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(b"one").unwrap();
    let unsynced = journal.write(b"forgotten").unwrap();
    assert!(matches!(journal.append(b"two"), Err(JournalError::Busy)));
    drop(unsynced);
    let mark = journal.append(b"two").unwrap();
    assert_eq!(mark.seq, 2);
    for keep in Keep::ALL {
        let disk = disk.copy(9).crash(keep);
        let (_, read) = open(&disk).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1], (mark, b"two".to_vec()));
        assert!(check(&disk, Some(&mark)).anchored);
    }
    // The room behind the superseded frame was given back.
    assert!(disk.used() < 2 * 2_048, "{}", disk.used());
}

#[test]
fn too_much_is_refused_and_the_most_is_taken() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(&disk).unwrap();
    let mut bytes = vec![0; MAX_PAYLOAD + 1];
    let error = journal.append(&bytes).unwrap_err();
    assert!(matches!(error, JournalError::TooLarge { .. }), "{error}");
    bytes.pop();
    let mark = journal.append(&bytes).unwrap();
    assert_eq!(
        journal.reader().read(mark.position).unwrap().payload.len(),
        MAX_PAYLOAD
    );
}

#[test]
fn old_segments_go_and_the_rest_is_a_whole_chain() {
    let (disk, acked) = written();
    let (mut journal, _) = open(&disk).unwrap();
    let (upkeep, reader) = (journal.upkeep(), journal.reader());
    let mut early = reader.scan_from(1).unwrap();
    early.next_frame().unwrap();
    assert_eq!(upkeep.remove_before(Position(0)).unwrap(), 0);
    let kept = &acked[7].0;
    assert!(upkeep.remove_before(kept.position).unwrap() > 0);
    let (oldest, position) = upkeep.oldest().unwrap();
    assert!(oldest > 1 && oldest <= kept.seq);

    assert_eq!(reader.read(kept.position).unwrap().mark, *kept);
    let gone = |error: Option<JournalError>| {
        let text = error.unwrap().to_string();
        assert!(
            text.starts_with(&format!("commits before {oldest} were removed")),
            "{text}"
        );
    };
    gone(reader.read(Position(0)).err());
    gone(reader.scan_from(1).err());
    gone(loop {
        match early.next_frame() {
            Ok(frame) => assert!(frame.unwrap().mark.seq < oldest),
            Err(error) => break Some(error),
        }
    });
    gone(open(&disk).err());
    gone(open_after(&disk, Some(&acked[0].0)).err());
    journal.append(b"more").unwrap();

    let disk = disk.crash(Keep::Nothing);
    let (_, read) = open_after(&disk, Some(kept)).unwrap();
    assert_eq!(read.len(), acked.len() - 8 + 1);
    let lost = check(&disk, None);
    assert_eq!(lost.damage[0].flaw, Flaw::Missing { from: 1 });
    let report = check_behind(&disk, kept, None);
    assert!(report.is_whole() && !report.removed);
    assert_eq!((report.first, report.frames), (oldest, 15 - (oldest - 1)));
    assert_eq!(report.before, Some(acked[oldest as usize - 2].0.hash));
    assert_eq!(acked[oldest as usize - 1].0.position, position);

    // A frame that is gone is neither there nor damaged; a beginning that does not fit is damage.
    let report = check_behind(&disk, kept, Some(&acked[0].0));
    assert!(report.is_whole() && report.removed && !report.anchored);
    let early = check_behind(&disk, &acked[0].0, None);
    assert_eq!(early.damage[0].flaw, Flaw::Missing { from: 2 });
    let other = Mark {
        hash: Hash::ZERO,
        ..*kept
    };
    let other = check_behind(&disk, &other, None);
    assert_eq!(
        (other.damage.len(), &other.damage[0].flaw),
        (1, &Flaw::Other)
    );
    let later = Mark { seq: 99, ..*kept };
    let later = check_behind(&disk, &later, None);
    assert_eq!(later.damage[0].flaw, Flaw::RolledBack { marked: 99 });

    // The frame just before the oldest is as good a beginning.
    let before = &acked[oldest as usize - 2].0;
    assert!(check_behind(&disk, before, None).is_whole());
    let (_, read) = open_after(&disk, Some(before)).unwrap();
    assert_eq!(read[0], acked[oldest as usize - 1]);
    // The last segment stays, whatever is asked.
    let (journal, _) = open_after(&disk, Some(kept)).unwrap();
    journal.upkeep().remove_before(Position(u64::MAX)).unwrap();
    assert_eq!(files(&disk).len(), 1);
    journal
        .reader()
        .read(journal.head().unwrap().position)
        .unwrap();
}

#[test]
fn a_segment_that_vanishes_in_parts_leaves_no_gap() {
    let (disk, acked) = written();
    let before = disk.operations();
    let (journal, _) = open(&disk).unwrap();
    journal
        .upkeep()
        .remove_before(acked[13].0.position)
        .unwrap();
    let operations = disk.operations() - before;
    for operation in 0..operations {
        for keep in Keep::ALL {
            let (disk, _) = written();
            let (journal, _) = open(&disk).unwrap();
            disk.power_off_at(before + operation);
            let _ = journal.upkeep().remove_before(acked[13].0.position);
            let disk = disk.crash(keep);
            let report = check_behind(&disk, &acked[13].0, None);
            assert!(report.is_whole(), "{report:?}");
            let (_, read) = open_after(&disk, Some(&acked[12].0)).unwrap();
            assert_eq!(read.len(), 1);
        }
    }
}

#[test]
fn a_copy_has_what_is_synced_and_nothing_else() {
    let (disk, acked) = written();
    let (mut journal, _) = open(&disk).unwrap();
    // What failed is superseded in the copy too, and what is on its way is not in it.
    drop(journal.write(&payload(70, 900)).unwrap());
    let mark = journal.append(&payload(71, 900)).unwrap();
    let unsynced = journal.write(&payload(72, 10)).unwrap();
    let copy = SimDisk::new(1);
    let reader = journal.reader();
    assert_eq!(reader.copy_to(&copy).unwrap(), Some(mark));
    unsynced.sync().unwrap();
    let copy = copy.crash(Keep::Nothing);
    let report = check(&copy, Some(&mark));
    assert!(
        report.is_whole() && report.anchored && report.remains.is_empty(),
        "{report:?}"
    );
    let (mut journal, read) = open(&copy).unwrap();
    assert_eq!(read[..acked.len()], acked);
    assert_eq!(read.len(), acked.len() + 1);
    for number in 0..5 {
        journal.append(&payload(number, 700)).unwrap();
    }
    let error = reader.copy_to(&copy).unwrap_err().to_string();
    assert!(error.contains("it has a journal already"), "{error}");
    // A folder without frames is copied to one without frames.
    let empty = SimDisk::new(1);
    let (journal, _) = open(&empty).unwrap();
    assert_eq!(journal.reader().copy_to(&SimDisk::new(2)).unwrap(), None);

    // A copy that was cut off is told from a whole one by the mark.
    let whole = SimDisk::new(3);
    let head = reader.copy_to(&whole).unwrap();
    let frames = check(&whole, head.as_ref()).frames;
    for operation in 0..whole.operations() {
        let copy = SimDisk::new(operation);
        copy.power_off_at(operation);
        assert!(reader.copy_to(&copy).is_err());
        let report = check(&copy.crash(Keep::Half), head.as_ref());
        assert!(!report.is_whole() || report.frames == frames, "{report:?}");
    }
}

/// On the system's own files: rolling, reading, and a folder that can't be written.
#[test]
fn it_works_on_a_real_disk() {
    let root = std::env::temp_dir().join(format!("upline-journal-{}", std::process::id()));
    let disk: std::sync::Arc<dyn Disk> = std::sync::Arc::new(RealDisk::new(&root));
    let mut options = Options::new(FOLDER_ID);
    options.segment_bytes = 1 << 16;
    let mut marks = Vec::new();
    for round in 0..3 {
        let open = Journal::open::<JournalError>(disk.clone(), options, marks.last(), |_| {
            panic!("nothing behind the last")
        });
        let mut journal = open.unwrap();
        let upkeep = journal.upkeep();
        for number in 0..40 {
            marks.push(
                journal
                    .append(&payload(round * 40 + number, 2_000))
                    .unwrap(),
            );
            upkeep.prepare().unwrap();
        }
    }
    let report = verify(&*disk, None, marks.last(), &mut |_| ()).unwrap();
    assert!(report.is_whole() && report.anchored && report.remains.is_empty());
    assert_eq!(report.frames, 120);
    let reader = JournalReader::open(disk.clone(), None).unwrap();
    for (number, mark) in (0..).zip(&marks) {
        assert_eq!(
            *reader.read(mark.position).unwrap().payload,
            payload(number, 2_000)
        );
    }
    std::fs::remove_dir_all(root).unwrap();
}
