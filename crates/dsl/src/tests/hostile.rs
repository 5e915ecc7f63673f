//! Files that nobody means well with, and files that are only large: an answer in time, never a panic.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::shipped;
use crate::{Code, Loaded, load};

/// How much time of a processor the answer to any file may take, in a build without optimisation.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The processor's time that this thread has had; where that is not told, the time of the clock.
pub(crate) fn processor_time(begin: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanos = told
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

fn read(bytes: &[u8]) -> Loaded {
    let directory = include_str!("demo.yaml");
    let begin = Instant::now();
    let before = processor_time(begin);
    let loaded = load([
        ("hostile.yaml", bytes),
        ("directory.yaml", directory.as_bytes()),
    ]);
    let took = processor_time(begin).saturating_sub(before);
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
    assert!(took < PATIENCE, "{took:?}: {beginning}");
    loaded
}

/// The codes that are found, each once.
fn codes(bytes: &[u8]) -> Vec<Code> {
    let mut codes: Vec<Code> = read(bytes).found.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

#[test]
fn bombs_and_floods_are_answered() {
    use Code::{
        DuplicateKey, TooLarge, TooMany, UnknownKey, UnknownState, WrongEncoding, YamlSyntax,
    };
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let _ = writeln!(
            bomb,
            "a{level}: &a{level} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}]",
            level - 1
        );
    }
    // One for each cause, however often it is there: anchors, aliases, and what the file is at all.
    assert_eq!(read(bomb.as_bytes()).found.iter().count(), 3);
    let bomb = format!("workflow: bomb\n{bomb}");
    let found = read(bomb.as_bytes()).found;
    assert!(found.iter().any(|one| one.code == YamlSyntax), "{found:?}");
    assert!(found.iter().count() <= 8, "{found:?}");
    assert_eq!(codes("[".repeat(10_000).as_bytes()), [TooLarge]);
    assert_eq!(codes("- ".repeat(10_000).as_bytes()), [TooLarge]);
    assert_eq!(codes("a: {".repeat(10_000).as_bytes()), [TooLarge]);
    assert_eq!(codes(&vec![b'a'; 50 * 1024 * 1024]), [TooLarge]);
    assert_eq!(codes(&[0xFF, 0xFE, b'a', 0]), [WrongEncoding]);
    assert_eq!(codes(&[b'a', b':', b' ', 0xE4]), [WrongEncoding]);
    assert_eq!(codes(b"workflow: a\0b\n"), [Code::BadText]);
    let same = format!("workflow: a\n{}", "start: x\n".repeat(40_000));
    assert!(codes(same.as_bytes()).contains(&DuplicateKey));
    let unknown: String = (0..30_000)
        .map(|n| format!("unknown-key-{n}: x\n"))
        .collect();
    assert_eq!(codes(unknown.as_bytes()), [Code::MissingKey]);
    let unknown = format!("workflow: flood\n{unknown}");
    let found = read(unknown.as_bytes()).found;
    assert!(found.iter().any(|one| one.code == UnknownKey), "{found:?}");
    assert!(found.iter().count() <= 8, "{found:?}");
    let mut lost = String::from("workflow: lost\nstart: s0\nstates:\n");
    for n in 0..9_000 {
        let _ = writeln!(lost, "  s{n}: {{ assign: opener, after: {{ 1 h: t{n} }} }}");
    }
    assert!(codes(lost.as_bytes()).contains(&UnknownState));
    let states: String = (0..10_001)
        .map(|n| format!("  s{n}: {{ end: x }}\n"))
        .collect();
    let many = format!("workflow: many\nstart: s0\nstates:\n{states}");
    assert_eq!(codes(many.as_bytes()), [TooMany]);
    let people: String = (0..10_001)
        .map(|n| format!("  p{n}: {{ name: x }}\n"))
        .collect();
    let many = format!("directory: many\nlast-resort: user p0\npeople:\n{people}");
    assert!(codes(many.as_bytes()).contains(&TooMany));
}

#[test]
fn no_list_takes_the_square_of_its_length() {
    let many = |one: &dyn Fn(usize) -> String| (0..20_000).map(one).collect::<Vec<_>>().join(", ");
    let after = many(&|n| format!("{n} s: b"));
    let form = many(&|n| format!("f{n}"));
    let items = many(&|n| format!("i{n}: x"));
    let actions = many(&|n| format!("a{n}: b"));
    let warn = many(&|n| format!("{{ at: {}%, notify: opener }}", n % 110)).replace("  ", " ");
    let hours = many(&|n| format!("\"0{}:00-12:00\"", n % 9));
    let options = many(&|n| format!("o{n}"));
    let people = many(&|n| format!("p{n}"));
    let state = "start: a\nstates:\n  b: { end: x }\n  a:\n    assign: opener\n";
    for text in [
        format!("workflow: a\n{state}    after: {{ {after} }}\n"),
        format!("workflow: a\n{state}    form: [{form}]\n"),
        format!(
            "workflow: a\n{state}    checklist: {{ {items} }}\n    actions: {{ c: {{ ticked: [{form}] }} }}\n"
        ),
        format!("workflow: a\n{state}    actions: {{ {actions} }}\n"),
        format!(
            "workflow: a\npromises: {{ p: {{ within: 1 h, met-in: b, warn: [{warn}] }} }}\n{state}"
        ),
        format!("workflow: a\nfields: {{ f: {{ type: choice, options: [{options}] }} }}\n{state}"),
        format!(
            "directory: a\ncalendars: {{ c: {{ time-zone: UTC, hours: {{ mon: [{hours}] }} }} }}\n"
        ),
        format!("directory: a\npeople: {{}}\ngroups: {{ g: {{ members: [{people}] }} }}\n"),
        format!(
            "directory: a\npeople: {{ a: {{ name: A }} }}\nabsences: [{}]\n",
            many(&|_| "{ who: a, from: 2026-01-01 }".to_owned())
                .chars()
                .take(500_000)
                .collect::<String>()
        ),
    ] {
        read(text.as_bytes());
    }
}

#[test]
fn ten_thousand_states_are_read() {
    let mut text = String::from("workflow: large\nstart: s0\nstates:\n");
    for n in 0..9_999 {
        let _ = writeln!(
            text,
            "  s{n}: {{ assign: opener, after: {{ 1 h: s{} }} }}",
            n + 1
        );
    }
    text += "  s9999: { end: done, by-silence: allowed }\n";
    let loaded = read(text.as_bytes());
    assert!(loaded.found.is_empty());
    assert_eq!(loaded.workflows[0].value.states.len(), 10_000);
}

#[test]
fn long_texts_are_refused_where_they_stand() {
    let long = "x".repeat(300_000);
    for text in [
        format!("workflow: {long}\n"),
        format!("workflow: a\ntitle: {long}\n"),
        format!("workflow: a\n{long}: b\n"),
        format!(
            "workflow: a\nstart: {long}\nstates: {{ a: {{ assign: {long}, after: {{ {long}: b }} }} }}\n"
        ),
        format!("workflow: a\nversion: {}\n", "9".repeat(300_000)),
        format!(
            "directory: a\npeople: {{ a: {{ mail: {long}, time-zone: {long}, at-most: {long} }} }}\n"
        ),
        format!(
            "directory: a\ncalendars: {{ a: {{ hours: {{ {long}: {long} }}, holidays: [{long}] }} }}\n"
        ),
    ] {
        assert!(read(text.as_bytes()).found.has_errors());
    }
}

/// The sample with a few pieces put elsewhere, doubled or cut out.
fn mutated(text: &str, changes: &[(usize, usize, usize, u8)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for &(from, length, to, how) in changes {
        let from = from % bytes.len().max(1);
        let end = (from + length % 40).min(bytes.len());
        let piece: Vec<u8> = bytes[from..end].to_vec();
        let to = to % (bytes.len() + 1);
        match how % 4 {
            0 => drop(bytes.drain(from..end)),
            1 => drop(bytes.splice(to..to, piece)),
            2 => bytes.insert(to, how),
            _ => drop(bytes.splice(
                to..to,
                b"\n  - { [ *a &b !!c : 99999999999 \"".iter().copied(),
            )),
        }
    }
    bytes
}

/// Keys, words, and the characters that mean something to YAML.
const TEXT: &str =
    "(workflow|directory|states|people|[a-z]{1,3}|\\PC|[\\[\\]{}:,\"'#&*!|>%@` \\n\\t-]){0,80}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in TEXT) {
        read(text.as_bytes());
    }

    #[test]
    fn any_change_of_the_samples_is_answered(
        which in any::<bool>(),
        changes in proptest::collection::vec(any::<(usize, usize, usize, u8)>(), 1..6),
    ) {
        let sample = shipped(if which { "trouble-ticket.yaml" } else { "directory.yaml" });
        let loaded = read(&mutated(&sample, &changes));
        // What is returned is whole, and what is not whole was reported.
        let whole = loaded.workflows.len() + usize::from(loaded.directory.is_some());
        prop_assert!(whole == 2 || loaded.found.has_errors() || !which);
        for diagnostic in loaded.found.into_sorted() {
            let shown = crate::render::text(&loaded.sources, &diagnostic, crate::render::Colour::Off);
            prop_assert!(!shown.is_empty());
        }
    }
}
