//! The documented bytes are those that are read and written.

use super::kit::arc;
use crate::disk::sim::SimDisk;
use crate::journal::{FolderId, Journal, JournalError, Options};

const PAGE: &str = include_str!("../../../../../docs/journal-format.md");
const PATH: &str = "journal/00000000000000000001.log";

/// The example of the page: lines of an offset and bytes; what is not there is zero.
fn documented() -> Vec<u8> {
    let (_, example) = PAGE.split_once("```hex\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let mut bytes = vec![0; 1_024];
    for line in example.lines() {
        let (offset, rest) = line.split_once("  ").unwrap();
        let offset = usize::from_str_radix(offset, 16).unwrap();
        for (index, byte) in rest.split_whitespace().enumerate() {
            bytes[offset + index] = u8::from_str_radix(byte, 16).unwrap();
        }
    }
    bytes
}

fn hex_lines(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).enumerate();
    let set = lines.filter(|(_, line)| line.iter().any(|byte| *byte != 0));
    set.map(|(number, line)| {
        let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:04x}  {}\n", number * 16, digits.join(" "))
    })
    .collect()
}

fn options() -> Options {
    Options {
        folder: FolderId(std::array::from_fn(|index| index as u8)),
        segment_bytes: 1_024,
        acknowledged: None,
    }
}

#[test]
fn the_example_is_read() {
    let disk = SimDisk::new(1);
    disk.put(PATH, &documented());
    let mut read = Vec::new();
    let journal = Journal::open::<JournalError>(arc(&disk), options(), None, |frame| {
        read.push((
            frame.mark.seq,
            frame.mark.position.0,
            frame.payload.into_owned(),
        ));
        Ok(())
    });
    assert!(journal.unwrap().remains().is_none());
    assert_eq!(
        read,
        [(1, 0, b"first".to_vec()), (2, 101, b"second".to_vec())]
    );
}

#[test]
fn the_example_is_what_is_written() {
    let disk = SimDisk::new(1);
    let opened = Journal::open::<JournalError>(arc(&disk), options(), None, |_| Ok(()));
    let mut journal = opened.unwrap();
    journal.append(b"first").unwrap();
    journal.append(b"second").unwrap();
    let written = disk.contents(PATH).unwrap();
    assert!(
        written == documented(),
        "the page should show\n{}",
        hex_lines(&written)
    );
}

/// By the page alone, without the code that it describes.
#[test]
fn the_example_is_as_the_tables_say() {
    let bytes = documented();
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(bytes[..8], [0x89, 0x55, 0x50, 0x4c, 0x4a, 0x52, 0x4e, 0x0a]);
    assert_eq!(
        (number(8), number(32), number(40), number(80)),
        (512 << 32 | 1, 1, 0, 1_024)
    );
    assert_eq!(bytes[480..512], *blake3::hash(&bytes[..480]).as_bytes());
    let key = blake3::derive_key("upline journal frame 1", &bytes[16..32]);
    let hash = |from: usize, to: usize| *blake3::keyed_hash(&key, &bytes[from..to]).as_bytes();
    let (first, second, end) = (512, 512 + 96 + 5, 512 + 2 * 96 + 11);
    for (frame, end, number_, payload) in [
        (first, second, 1, &b"first"[..]),
        (second, end, 2, b"second"),
    ] {
        assert_eq!(bytes[frame..frame + 4], [1, 1, 0, 0]);
        assert_eq!(
            bytes[frame + 4..frame + 8],
            (payload.len() as u32).to_le_bytes()
        );
        assert_eq!(number(frame + 8), number_);
        assert_eq!(number(frame + 16), frame as u64 - 512);
        assert_eq!(bytes[frame + 56..frame + 64], hash(frame, frame + 56)[..8]);
        assert_eq!(&bytes[frame + 64..end - 32], payload);
        assert_eq!(bytes[end - 32..end], hash(frame, end - 32));
    }
    assert_eq!(bytes[first + 24..first + 56], [0; 32]);
    assert_eq!(bytes[second + 24..second + 56], bytes[second - 32..second]);
    assert!(bytes[end..].iter().all(|byte| *byte == 0));
}
