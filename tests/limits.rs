//! Every limit that an author can meet stands in the table of the language reference, with its number.

use crate::reference::REFERENCE;
use crate::repository::{files_ending, read};

/// Where limits of authors are: a constant `MAX_…` of these files is in one of the lists below.
const FOLDERS: [&str; 4] = [
    "crates/core/src/",
    "crates/dsl/src/",
    "crates/lab/src/transcript/",
    "crates/lab/src/world/",
];

/// Each limit with its row, and how many of the constant's units one of the row's has.
const ROWS: &[(&str, &str, u64)] = &[
    ("MAX_FILE_BYTES", "size of a file", 1024),
    ("MAX_DEPTH", "depth of a file", 1),
    (
        "MAX_NODES",
        "texts, lists and maps of a file, each key counted too",
        1,
    ),
    ("MAX_STATES", "states of a workflow", 1),
    (
        "MAX_AUTOMATIC_STEPS",
        "states that can be entered at once, with no person and no time between",
        1,
    ),
    ("MAX_LEVELS", "levels of a ladder", 1),
    ("MAX_REPEAT", "`repeat` of a ladder", 1),
    ("MAX_BRANCHES", "branches of a parallel state", 1),
    ("MAX_OPTIONS", "options of a field", 1),
    (
        "MAX_PHRASE_BYTES",
        "bytes of a phrase: *who*, *when* or *how long*",
        1,
    ),
    (
        "MAX_PHRASE_DEPTH",
        "links of a phrase, and its brackets in each other",
        1,
    ),
    ("MAX_CRON_BYTES", "bytes of a cron expression", 1),
    ("MAX_RETRIES", "`retries` of a call", 1),
    (
        "MAX_BACKOFF_SECONDS",
        "wait between two tries of a call, however often it doubled",
        3600,
    ),
    ("MAX_PEOPLE", "people of a directory", 1),
    ("MAX_AT_MOST", "`at-most` of a person", 1),
    ("MAX_QUIET_HOURS", "windows of a person's quiet hours", 1),
    ("MAX_MAIL_BYTES", "bytes of a mail address", 1),
    ("MAX_ABSENCES", "absences of a directory", 1),
    (
        "MAX_PARTS",
        "rotations, shifts and overrides of a schedule, each",
        1,
    ),
    ("MAX_EVERY", "`every` of a rotation", 1),
    (
        "MAX_DAYS",
        "holidays and working days of a calendar, each",
        1,
    ),
    ("MAX_HOLIDAY_DAYS", "length of a holiday", 1),
    ("MAX_OPENINGS", "openings of a day", 1),
    ("MAX_NAME_CHARS", "characters of a name", 1),
    ("MAX_TEXT_CHARS", "characters of a text that people read", 1),
    ("MAX_TEXT_BYTES", "bytes of a field or a comment", 1),
    ("MAX_NOTE_BYTES", "bytes of a reason or a note", 1),
    ("MAX_SPAN_DAYS", "length of a span", 1),
    ("MAX_DEPUTY_CHAIN", "deputies of deputies", 1),
    ("MAX_CALL_DEPTH", "workflows that call one another", 1),
    ("MAX_VERSION", "`version` of a workflow", 1),
    ("MAX_BYTES", "size of a transcript", 1024 * 1024),
    ("MAX_LINES", "lines of a transcript", 1),
    (
        "MAX_SKIP_DAYS",
        "time that one `at` of a transcript skips",
        1,
    ),
    (
        "MAX_CLOCKS_PER_STEP",
        "clocks that fall due in one `at` of a transcript",
        1,
    ),
    (
        "MAX_DIAGNOSTICS",
        "mistakes that are told; the others are counted",
        1,
    ),
];

/// What bounds a computation or a message, and refuses nothing that an author writes.
const INTERNAL: &[&str] = &[
    "MAX_ABOVE",
    "MAX_ALSO",
    "MAX_ATOMS",
    "MAX_CANDIDATES",
    "MAX_CHANGES",
    "MAX_COMPARED",
    "MAX_HIDDEN",
    "MAX_ID_BYTES",
    "MAX_ITEMS",
    "MAX_LEFT_OUT",
    "MAX_LENGTH",
    "MAX_MENDED",
    "MAX_NAMES",
    "MAX_PATH",
    "MAX_SEGMENTS",
    "MAX_SPAN_SECONDS",
    "MAX_STEPS",
    "MAX_STRANGE_KEYS",
    "MAX_SUGGESTIONS",
    "MAX_TOLD",
    "MAX_TERMS",
    "MAX_WAYS",
];

/// The constants `MAX_…` of a source with what they are.
fn constants(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.lines().filter_map(|line| {
        let (_, rest) = line.split_once("const MAX_")?;
        let (head, value) = rest.split_once(" = ")?;
        let end = head.find(':')?;
        let name = line.find("MAX_").map(|at| &line[at..at + 4 + end])?;
        Some((name, value.trim_end_matches(';')))
    })
}

/// The value of `1_000` or `64 * 1024`.
fn value(text: &str) -> Option<u64> {
    let factors = text.split('*').map(|factor| factor.trim().replace('_', ""));
    factors.map(|factor| factor.parse::<u64>().ok()).product()
}

#[test]
fn every_limit_stands_in_the_table_with_its_number() {
    let text = read(REFERENCE);
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for path in files_ending(&[".rs"]) {
        if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let source = read(&path);
        for (name, is) in constants(&source) {
            seen.push(name.to_owned());
            if INTERNAL.contains(&name) {
                continue;
            }
            let Some((_, row, unit)) = ROWS.iter().find(|(known, ..)| *known == name) else {
                wrong.push(format!("{path}: {name} is in neither list of this test"));
                continue;
            };
            let number = value(is).map(|is| is / unit).unwrap_or_default();
            let said = format!("| {row} | {number}");
            // Behind the number stands its unit, or nothing.
            let stands = text.lines().any(|line| {
                line.strip_prefix(&said)
                    .is_some_and(|rest| rest.starts_with(' '))
            });
            if !stands {
                wrong.push(format!("{REFERENCE}: {path} says `{said} |`"));
            }
        }
    }
    let known = ROWS
        .iter()
        .map(|(name, ..)| *name)
        .chain(INTERNAL.iter().copied());
    let gone = known.filter(|name| !seen.iter().any(|seen| seen == name));
    wrong.extend(gone.map(|name| format!("{name}: there is no such constant")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
