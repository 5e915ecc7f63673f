//! Mapping files: every mistake at its place, and nothing that an author can write harms.

use proptest::prelude::*;
use upline_dsl::{Sources, render};

use super::super::*;
use super::shipped::support;

const SOUND: &str = "\
log: Faults
columns: { ticket: No, time: Changed, status: State }
means: { New: queued, Done: closed }
";

fn read(text: &str) -> (Option<Mapping>, Vec<String>) {
    let mut sources = Sources::new();
    let (read, found) = Mapping::read(&mut sources, ("map.yaml", text));
    let told = found.into_sorted().into_iter().map(|one| {
        let at = sources.position(one.primary.file, one.primary.span.start);
        let code = one.code.as_str();
        format!(
            "{}:{} {code}: {}; {}",
            at.line, at.column, one.message, one.primary.text
        )
    });
    (read.map(|read| read.value), told.collect())
}

fn wrong(text: &str) -> Vec<String> {
    let (mapping, wrong) = read(text);
    assert!(mapping.is_none(), "{wrong:?}");
    wrong
}

#[test]
fn what_is_not_said_has_the_usual_meaning() {
    let (mapping, wrong) = read(SOUND);
    assert_eq!(wrong, [""; 0]);
    let mapping = mapping.unwrap();
    assert_eq!(
        (mapping.delimiter, mapping.encoding),
        (b',', encoding_rs::UTF_8)
    );
    assert_eq!(mapping.times.notation, Notation::Iso);
    assert!(mapping.levels.is_empty() && mapping.play.is_none());
}

#[test]
fn all_mistakes_are_told_at_once_and_at_their_places() {
    let text = "\
log: Faults
delimiter: ab
encoding: utf-9
column: { ticket: No }
columns: { ticket: No, time: [a, b], statsu: State }
times: { format: \"%d.%m. %H:%M\", zone: Europe/Berln }
means: { New: queued, Done: close }
levels: { L1: 0, L2: two }
";
    assert_eq!(
        wrong(text),
        [
            "2:12 bad-value: `ab` can't part columns; \
             write one character such as \",\" \";\" or \"|\", or `tab`",
            "3:11 bad-value: there is no encoding `utf-9`; \
             write one such as `utf-8`, `gbk`, `big5`, `shift_jis` or `windows-1252`",
            "4:1 unknown-key: the mapping has no key `column`; did you mean `columns`?",
            "5:1 missing-key: the columns must have the key `status`; ",
            "5:30 wrong-type: a column must be the name in the log's first line, not a list; ",
            "5:38 unknown-key: the columns has no key `statsu`; did you mean `status`?",
            "6:40 unknown-zone: there is no time zone `Europe/Berln`; did you mean `Europe/Berlin`?",
            "7:29 bad-value: `close` is no meaning; did you mean `closed`?",
            "8:15 bad-value: `L1` must be a whole number from 1 to 1000, not `0`; ",
            "8:22 bad-value: `L2` must be a whole number from 1 to 1000, not `two`; ",
        ]
    );
}

#[test]
fn patterns_that_read_no_instant_are_refused() {
    let with = |times: &str| wrong(&format!("{SOUND}times: {times}\n")).join("\n");
    assert!(with("{ format: \"%d.%m. %H:%M\", zone: UTC }").contains("no whole date"));
    assert!(with("{ format: \"%Y-%m-%d %H:%M\" }").contains("no offset from UTC"));
    assert!(with("{ format: \"%Y-%m-%d %!\" }").contains("can't be read with this pattern"));
    assert!(with("{ format: yesterday }").contains("is no format of times"));
    let good = format!("{SOUND}times: {{ format: \"%Y-%m-%d %H:%M %z\" }}\n");
    assert_eq!(read(&good).1, [""; 0]);
}

#[test]
fn what_rows_do_is_compared_with_the_workflow() {
    let text = format!(
        "{SOUND}play:
  opening: {{ by: user nobody, fields: {{ impact: Huge, colour: red }} }}
  queued: {{ in: queud, take: [acept], by: anyone }}
  taken: {{ in: working, take: accept, comment: maybe }}
  asleep: {{ in: queued }}
"
    );
    assert_eq!(
        wrong(&text),
        [
            "6:43 bad-value: `anyone` does not say who does it; \
             write `holder`, `person`, `user ID`, `system NAME`, or `person, else …`",
            "7:48 bad-value: `comment` must be true or false, not `maybe`; \
             write `true` or `false`, without quotation marks",
            "8:3 bad-value: `asleep` is no meaning; \
             write one of: opened, queued, taken, waiting, solved, closed, other",
        ]
    );
    let text = text
        .replace(", by: anyone", "")
        .replace(": maybe", ": true");
    let (mapping, found) = read(&text.replace("  asleep: { in: queued }\n", ""));
    assert_eq!(found, [""; 0]);
    let (workflows, directory) = support();
    let found = mapping
        .unwrap()
        .check(workflows.newest("it-support").unwrap(), &directory);
    let told: Vec<_> = found
        .into_sorted()
        .into_iter()
        .map(|one| one.message)
        .collect();
    assert_eq!(
        told,
        [
            "there is no person `nobody`",
            "`Huge` does not fit `impact`: it must be one of the options: Low, Medium, High, Major",
            "there is no field `colour`",
            "there is no state `queud`",
            "there is no action `acept`",
        ]
    );
}

#[test]
fn what_does_not_fit_is_told_where_it_stands() {
    let text = format!(
        "{SOUND}play:
  opening: {{ by: \"person, else user nobody\", fields: {{ impact: {{ column: Urgency, \
         values: {{ High: Hoch, Low: Low }}, else: Egal }} }} }}
  queued: {{ in: queued, by: user noone, fields: {{ impact: Huge }} }}
"
    );
    let mut sources = Sources::new();
    let (mapping, found) = Mapping::read(&mut sources, ("map.yaml", text.as_str()));
    assert!(found.is_empty());
    let (workflows, directory) = support();
    let workflow = workflows.newest("it-support").unwrap();
    let found = mapping.unwrap().value.check(workflow, &directory);
    let found = found.into_sorted().into_iter();
    let spots = found.map(|one| text[one.primary.span.clone()].to_owned());
    let spots: Vec<_> = spots.collect();
    assert_eq!(spots, ["user nobody", "Hoch", "Egal", "user noone", "Huge"]);
}

/// Pieces of mappings, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "log",
        "delimiter",
        "encoding",
        "columns",
        "times",
        "means",
        "levels",
        "play",
        "opening",
        "queued",
        "ticket",
        "time",
        "status",
        "format",
        "zone",
        "in",
        "take",
        "by",
        "fields",
        "column",
        "values",
        "else",
        "comment",
        ":",
        ": ",
        ",",
        "{",
        "}",
        "[",
        "]",
        "\n",
        "\n  ",
        "- ",
        "\"",
        "'",
        "&a ",
        "*a",
        "!!",
        "|",
        ">",
        "#",
        "%Y-%m-%d",
        "%",
        "iso",
        "tab",
        "utf-16",
        "gbk",
        "Europe/Berlin",
        "user ",
        "person, else ",
        "holder",
        "*",
        " / ",
        "0",
        "1",
        "999999999999",
        "\u{202e}",
        "\0",
        "é",
        "工单",
        "no",
        "~",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "\\PC{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_read_or_told_why_not(pieces in prop::collection::vec(piece(), 0..40)) {
        for text in [pieces.concat(), format!("{SOUND}{}", pieces.concat())] {
            let mut sources = Sources::new();
            let (read, found) = Mapping::read(&mut sources, ("map.yaml", &text));
            prop_assert!(read.is_some() != found.has_errors());
            let drawn = render::texts(&sources, &found.into_sorted(), render::Colour::Off);
            let turned = drawn.contains('\u{202e}');
            prop_assert!(!turned);
            if let Some(read) = read {
                let _ = Log::read(&b"No,Changed,State\n1,2026-03-06,New\n"[..], &read.value, &mut |_| {});
            }
        }
    }

    #[test]
    fn any_bytes_of_a_log_are_played(bytes in prop::collection::vec(
        prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'1'), any::<u8>()], 0..80)) {
        let text = format!(
            "{SOUND}play:
  opening: {{ by: \"person, else user first-1\", fields: {{ product: {{ column: State }} }} }}
  queued: {{ in: queued, take: [reopen] }}
  closed: {{ in: closed, take: [confirm, resolve, accept], fields: {{ solution: x }} }}
"
        );
        let mapping = read(&text).0.unwrap();
        let log = [&b"No,Changed,State\n1,2026-03-06T09:00Z,New\n"[..], &bytes,
            &b"\n1,2026-03-09T09:00Z,Done\n"[..]].concat();
        let log = Log::read(&log[..], &mapping, &mut |_| {}).unwrap();
        let (workflows, directory) = support();
        let report = play(&log, &mapping, &workflows, "it-support", &directory, &mut |_| {}).unwrap();
        let rows = report.rows;
        let all = rows.acted + rows.there_already + rows.nothing + rows.refused + rows.not_played;
        prop_assert_eq!(all, log.entries.len() as u64);
    }
}
