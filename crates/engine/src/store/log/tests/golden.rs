//! Data folders of each format that there was, as they were written then, are opened and read.

use std::path::{Path, PathBuf};

use super::*;
use crate::disk::RealDisk;

/// The folder of the format that is written today. `UPLINE_WRITE_GOLDEN=1 cargo test -p upline golden` makes
/// it anew: for a new format, beside the old ones, which stay.
fn golden(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/format-{format}"))
}

fn on(folder: &Path) -> LogStore {
    let options = LogOptions {
        segment_bytes: 16 << 10,
        snapshot_commits: 8,
        ..options()
    };
    LogStore::open(Arc::new(RealDisk::new(folder)), options, entropy(7)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Every kind of thing that a folder has: an open ticket that hopped, one that was taken, one that has ended,
/// messages that wait, a snapshot, and commits behind it.
fn write(folder: &Path) {
    let mut hand = Hand::open(on(folder), begin()).unwrap();
    hand.deploy();
    for caller in ["Mr Low", "Frau Größe", "王先生"] {
        hand.open_ticket(caller).unwrap();
    }
    let told = hand.pass(60).messages;
    hand.deliver(told);
    hand.act("2", "bob", "accept").unwrap();
    hand.act("3", "ann", "done").unwrap();
    for _ in 0..3 {
        hand.pass(10 * 60);
    }
    hand.open_ticket("Mr Late").unwrap();
}

/// What kind of thing it is, and its note: not all that it has, since later forms have more.
fn kind(one: &impl std::fmt::Debug) -> String {
    let text = format!("{one:?}");
    let kind = text.split("fact: ").last().unwrap_or_default();
    let kind: String = kind.chars().take_while(|c| c.is_alphanumeric()).collect();
    match text.contains("a private word") {
        true => format!("{kind} with a private word"),
        false => kind,
    }
}

/// What is to be read in it, as text.
fn read(folder: &Path) -> String {
    let mut store = on(folder);
    let mut numbers = Vec::new();
    let known = store
        .recover(&mut |record| {
            numbers.push(record.number);
            Ok(())
        })
        .unwrap();
    let mut text = format!("at {}, {} files\n", known.at, known.files.len());
    for number in numbers {
        let record = store.ticket(number).unwrap().unwrap();
        let Ticket {
            fields,
            positions,
            revision,
            ..
        } = &record.ticket;
        let unsent = record.unsent.len();
        text.push_str(&format!(
            "ticket {number}, revision {revision}, {unsent} unsent: {fields:?}\n"
        ));
        for position in positions.values() {
            let (state, holder) = (&position.state, &position.holder);
            text.push_str(&format!(
                "  {state}, epoch {}, {holder:?}\n",
                position.epoch
            ));
        }
    }
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder));
    let reader = JournalReader::open(disk, None).unwrap();
    let mut scan = reader.scan_from(reader.oldest().unwrap().0).unwrap();
    while let Some(frame) = scan.next_frame().unwrap() {
        let commit = store.read(frame.mark.position.0).unwrap().unwrap();
        for entry in &commit.entries {
            let said = match entry {
                Entry::Moved(moved) => {
                    let kinds = moved.events.iter().map(kind).collect::<Vec<_>>().join(", ");
                    format!(
                        "ticket {} at revision {}: {kinds}",
                        moved.number, moved.revision
                    )
                }
                other => kind(other),
            };
            text.push_str(format!("commit {}, {said}", frame.mark.seq).trim_end());
            text.push('\n');
        }
    }
    text
}

#[test]
fn golden_folders_are_read_and_go_on() {
    if std::env::var_os("UPLINE_WRITE_GOLDEN").is_some() {
        let folder = golden(FORMAT);
        write(&folder);
        std::fs::write(folder.join("golden.txt"), read(&folder)).unwrap();
        std::fs::remove_file(folder.join("lock")).unwrap();
    }
    for format in 1..=FORMAT {
        let folder = tempfile::tempdir().unwrap();
        copy(&golden(format), folder.path());
        let expected = std::fs::read_to_string(folder.path().join("golden.txt")).unwrap();
        assert!(
            expected.contains("Größe") && expected.contains("Hopped"),
            "{expected}"
        );
        assert_eq!(read(folder.path()), expected);
        let mut hand = Hand::open(on(folder.path()), begin()).unwrap();
        let people = ["ann", "bob", "lea", "max"];
        let took = people.map(|who| hand.act("1", who, "accept").is_ok());
        assert_eq!(took.iter().filter(|took| **took).count(), 1);
        drop(hand);
        let report = crate::journal::verify(&RealDisk::new(folder.path()), None, None, &mut |_| ());
        assert!(report.unwrap().is_whole());
    }
}
