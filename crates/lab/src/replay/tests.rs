//! Logs as they come: the small one of the repository, the shared one, and broken ones.

use std::io::Write;
use std::path::{Path, PathBuf};

use encoding_rs::UTF_8;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

mod mappings;
mod playing;
mod shipped;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A mapping for `ticket,time,status` and any further columns.
fn plain() -> Mapping {
    let mut means = Means::default();
    for what in What::ALL {
        means.add(what.as_str(), what);
    }
    Mapping {
        title: "Test".to_owned(),
        delimiter: b',',
        encoding: UTF_8,
        columns: Columns {
            ticket: "ticket".to_owned(),
            time: "time".to_owned(),
            status: vec!["status".to_owned()],
            ..Columns::default()
        },
        times: Times {
            notation: Notation::Iso,
            zone: Some(TimeZone::UTC),
        },
        means,
        levels: [("L1".to_owned(), 1), ("L2".to_owned(), 2)].into(),
        play: None,
    }
}

fn read(text: impl AsRef<[u8]>) -> Result<Log, LogError> {
    Log::read(text.as_ref(), &plain(), &mut |_| {})
}

fn refused(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

/// What was named, as `line what`.
fn bad(log: &Log) -> Vec<String> {
    let named = log.problems.bad_rows.named.iter();
    named
        .map(|row| format!("{} {}", row.line, row.what))
        .collect()
}

#[test]
fn a_log_is_read_in_the_order_of_time() {
    let log = read(
        "status,ticket,time,more\nclosed,2,2026-03-06T10:00Z,x\nopened,1,2026-03-06 09:00,y\n",
    );
    let log = log.unwrap();
    let entries = log.entries.iter();
    let told = entries.map(|entry| (entry.line, log.text(entry.ticket).as_str(), entry.what));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(3, "1", What::Opened), (2, "2", What::Closed)]
    );
    assert!(log.problems.is_empty());
}

#[test]
fn columns_that_are_missing_are_named_with_those_that_are_there() {
    assert_eq!(
        refused("ticket,when,state\n"),
        "the log has no columns `time`, `status`; it has: `ticket`, `when`, `state`"
    );
    assert_eq!(
        refused("ticket;time;status\n1;2;3\n"),
        "the log has no columns `ticket`, `time`, `status`; it has: `ticket;time;status`; \
         is the delimiter `;`?"
    );
    assert!(refused("ticket\ttime\tstatus\n").ends_with("is the delimiter a tab?"));
    assert!(refused("ticket,time,status,time\n").contains("two columns `time`"));
    assert!(refused("a\u{202e}b,c\n").contains("`a\\u{202e}b`"));
}

#[test]
fn files_that_are_no_log_are_refused_in_words() {
    for empty in ["", "\u{feff}", "\n\r\n\n"] {
        assert!(refused(empty).contains("empty"), "{empty:?}");
    }
    assert!(refused("\"ticket,time\nstatus").contains("first line"));
    assert!(
        unpack(&b"PK\x03\x04 and more"[..])
            .is_err_and(|error| error.to_string().contains("spreadsheet"))
    );
    let only_header = read("ticket,time,status").unwrap();
    assert_eq!((only_header.rows, only_header.entries.len()), (0, 0));
    assert_eq!(
        LogFacts::of(&only_header),
        LogFacts {
            queue: Stays::of(Vec::new(), 0),
            ..LogFacts::default()
        }
    );
}

#[test]
fn bad_rows_are_named_and_do_no_harm() {
    let log = read(
        b"ticket,time,status,note\n\
          1,2026-03-06T09:00Z,opened,\n\
          ,2026-03-06T09:00Z,opened,\n\
          1,,queued,\n\
          1,soon,queued,\n\
          1,2026-03-06T09:00Z,queued\n\
          1,9999-12-31T00:00Z,queued,\n\
          a\0b,2026-03-06T09:00Z,queued,\n\
          \xff,2026-03-06T09:00Z,queued,\n\
          1,2026-03-06T09:00Z,\"closed,\n\
          2,2026-03-06T09:00Z,closed,\"a note\n\
          of two lines\"\n\
          3,2026-03-06T09:00Z,nonsense,\xff\n",
    )
    .unwrap();
    assert_eq!(
        bad(&log),
        [
            "3 `ticket` is empty",
            "4 `time` is empty",
            "5 `time`: \"soon\" is not a time such as 2010-03-31T15:59:42+01:00",
            "6 it has 3 columns, and the header has 4",
            "7 `time`: \"9999-12-31T00:00Z\" is outside the years 1970 to 2199",
            "8 `ticket` has a control character",
            "9 `ticket` is not text in the encoding of the log; see `encoding` in the mapping",
            "10 a quotation mark opens in line 10 and takes in 2 lines; is it not closed?",
        ]
    );
    assert_eq!(log.problems.bad_rows.kinds["empty"], 2);
    assert_eq!((log.rows, log.entries.len()), (11, 3));
    assert_eq!(
        log.problems.unknown_statuses.named["nonsense"].first_line,
        13
    );
    assert_eq!(
        log.entries
            .iter()
            .map(|entry| entry.line)
            .collect::<Vec<_>>(),
        [2, 11, 13]
    );
}

#[test]
fn packed_and_other_encodings_are_read_alike() {
    let text = "ticket,time,status\n工单,2026-03-06T09:00Z,opened\n";
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (gbk, ..) = encoding_rs::GBK.encode(text);
    let in_gbk = Mapping {
        encoding: encoding_rs::GBK,
        ..plain()
    };
    for (bytes, mapping) in [
        (text.as_bytes(), &plain()),
        (&packed, &plain()),
        (&[b"\xff\xfe", &utf16[..]].concat(), &plain()),
        (&[b"\xef\xbb\xbf", text.as_bytes()].concat(), &in_gbk),
        (&gbk, &in_gbk),
    ] {
        let log = Log::read(unpack(bytes).unwrap(), mapping, &mut |_| {}).unwrap();
        assert_eq!(log.text(log.entries[0].ticket), &"工单");
    }
    // Cut off in the middle: the rows so far are not taken for all there are.
    let cut = unpack(&packed[..packed.len() - 9]).unwrap();
    let error = Log::read(cut, &plain(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, LogError::Io { .. }), "{error}");
    let gbk_as_utf8 = read(&gbk).unwrap();
    assert_eq!(gbk_as_utf8.problems.bad_rows.kinds["encoding"], 1);
}

/// The first quotation marks of a row may be right and the ones further on wrong.
#[test]
fn the_line_is_named_in_which_a_quotation_mark_opens_that_takes_in_rows() {
    let text = "ticket,time,status,note\n\
                1,2026-03-06T09:00Z,opened,\"two\nlines\",\"and\nfour\nmore\nof\nthem\"\n\
                2,2026-03-06T09:00Z,opened,\n";
    let log = read(text).unwrap();
    assert_eq!(
        bad(&log)[0],
        "2 a quotation mark opens in line 3 and takes in 5 lines; is it not closed?"
    );
    assert_eq!(log.entries.len(), 1);
    let text = "ticket,time,status,note\n\
                1,2026-03-06T09:00Z,opened,\"two\nlines\"\n\
                2,2026-03-06T09:00Z,\"opened,\n3,2026-03-06T09:00Z,\"opened,\n";
    let log = read(text).unwrap();
    assert_eq!(
        bad(&log)[0],
        "4 a line break in `status`; is a quotation mark of line 4 not closed?"
    );
    let one = read("ticket,time,status\n1\n").unwrap();
    assert_eq!(bad(&one), ["2 it has 1 column, and the header has 3"]);
}

/// A header that is not UTF-8 is told with the encoding in which the mapping's columns are there.
#[test]
fn a_header_in_another_encoding_is_told_with_the_way_out() {
    let mapping = Mapping {
        columns: Columns {
            ticket: "单号".to_owned(),
            ..plain().columns
        },
        ..plain()
    };
    let told = |bytes: &[u8]| {
        Log::read(bytes, &mapping, &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let (gbk, ..) = encoding_rs::GBK.encode("单号,time,status\n");
    let error = told(&gbk);
    assert!(
        error.ends_with(
            "; this is not UTF-8, and it reads as gbk: write `encoding: gbk` in the mapping, or \
             convert it: `iconv -f gbk -t utf-8 LOG > NEW`"
        ),
        "{error}"
    );
    let error = told(b"\xfe\xff\x00,time,status\n1,2,3\n");
    assert!(!error.contains("reads as"), "{error}");
    let error = told(b"\xff,time,status\n");
    assert!(
        error.contains("write its own, such as `encoding: gbk`, in the mapping"),
        "{error}"
    );
}

#[test]
fn rows_out_of_order_are_used_at_their_time_and_named() {
    let text = "ticket,time,status\n\
                1,2026-03-06T09:00Z,queued\n\
                1,2026-03-06T11:00Z,solved\n\
                1,2026-03-06T10:00Z,taken\n";
    let log = read(text).unwrap();
    assert_eq!(log.problems.out_of_order.rows, 1);
    assert_eq!(log.problems.out_of_order.named[0].line, 4);
    let facts = LogFacts::of(&log);
    assert_eq!(
        (facts.queue.count(), facts.queue.spread.longest),
        (1, 3_600)
    );
    assert_eq!(facts.last_meaning, [(What::Solved, 1)].into());
}

#[test]
fn progress_is_told() {
    let mut text = "ticket,time,status\n".to_owned();
    for row in 0..2_500 {
        text += &format!("{row},2026-03-06T09:00Z,opened\n");
    }
    let mut told = Vec::new();
    Log::read(text.as_bytes(), &plain(), &mut |rows| told.push(rows)).unwrap();
    assert_eq!(told, [1_000, 2_000, 2_500]);
}

/// The shared log, packed; `None` where it is not there.
fn shared_log() -> Option<Vec<u8>> {
    let folder = std::env::var_os("UPLINE_SHARED_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| repository().join("../shared/data"));
    let path = folder.join("volvo-it-incidents-2013.csv.gz");
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!(
            "skipped: there is no {}; set UPLINE_SHARED_DATA to its folder",
            path.display()
        );
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Every row is used or named: none is dropped silently, whatever the bytes.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(
        prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(0), any::<u8>()], 0..300)) {
        let whole = [&b"ticket,time,status\n1,2026-03-06T09:00Z,opened\n"[..], &bytes].concat();
        let log = read(&whole).unwrap();
        prop_assert_eq!(log.rows, log.entries.len() as u64 + log.problems.bad_rows.rows);
        let _ = read(&bytes);
        let _ = unpack(&bytes[..]).map(|source| Log::read(source, &plain(), &mut |_| {}));
    }

    #[test]
    fn rows_in_any_order_count_alike(order in Just((0..12).collect::<Vec<i64>>()).prop_shuffle()) {
        let row = |index: &i64| {
            let what = What::ALL[(*index % 7) as usize];
            format!("{},2026-03-06T{:02}:00Z,{what},L{}\n", index % 3, index, 1 + index % 2)
        };
        let text: String = order.iter().map(row).collect();
        let mapping = Mapping {
            columns: Columns { level: Some("level".to_owned()), ..plain().columns },
            ..plain()
        };
        let facts = |text: &str| {
            let text = format!("ticket,time,status,level\n{text}");
            LogFacts::of(&Log::read(text.as_bytes(), &mapping, &mut |_| {}).unwrap())
        };
        let sorted: String = (0..12).map(|index| row(&index)).collect();
        prop_assert_eq!(facts(&text), facts(&sorted));
    }
}
