//! Large files: what the rules say about them, in a time that grows with the file and not with its square.

use std::time::Instant;

use crate::manual::DIRECTORY;
use crate::tests::hostile::{PATIENCE, processor_time};
use crate::{Code, check};

/// The codes of what is found, each once.
fn codes(text: &str) -> Vec<Code> {
    let files = [
        ("large.yaml", text.as_bytes()),
        ("directory.yaml", DIRECTORY.as_bytes()),
    ];
    let begin = Instant::now();
    let before = processor_time(begin);
    let checked = check(files, "2026-03-02T08:00:00Z".parse().unwrap());
    let took = processor_time(begin).saturating_sub(before);
    assert!(took < PATIENCE, "{took:?}: {}", &text[..text.len().min(80)]);
    let mut codes: Vec<Code> = checked.diagnostics.iter().map(|one| one.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// A workflow of so many states, each made from its number.
fn states(count: usize, state: impl Fn(usize) -> String) -> String {
    let head = "fields: { sort: { type: choice, options: [A, B] } }
ladders:
  climb: [{ after: 1 h, assign: lead of desk }]
start: s0
";
    let all: String = (0..count)
        .map(|n| format!("  s{n}: {}\n", state(n)))
        .collect();
    format!("workflow: large\n{head}states:\n{all}  end: {{ end: done }}\n")
}

#[test]
fn every_state_asks_who_did_an_action_of_another() {
    let ring = states(4_000, |n| {
        let (next, other) = ((n + 1) % 4_000, 3_999 - n);
        format!("{{ assign: who did a{other}, escalate: climb, actions: {{ a{n}: s{next} }} }}")
    });
    let found = codes(&ring);
    assert!(found.contains(&Code::NoWayOut), "{found:?}");
    assert!(!found.contains(&Code::NeverDone), "{found:?}");
}

#[test]
fn every_state_is_wrong() {
    let wrong = states(9_000, |n| format!("{{ actions: {{ go: s{n} }} }}"));
    let found = codes(&wrong);
    assert!(found.contains(&Code::UnreachableState), "{found:?}");
}

#[test]
fn choices_in_a_long_row_and_one_of_many_cases() {
    let row = states(5_000, |n| {
        format!(
            "{{ choose: [{{ when: sort is A, goto: end }}, {{ else: s{} }}] }}",
            (n + 1) % 5_000
        )
    });
    assert!(codes(&row).contains(&Code::InstantLoop));
    let cases: String = (0..5_000)
        .map(|n| format!("      - {{ when: count is {n}, goto: end }}\n"))
        .collect();
    let one = format!(
        "workflow: large
fields: {{ count: {{ type: number }} }}
ladders: {{ climb: [{{ after: 1 h, assign: lead of desk }}] }}
start: new
states:
  new: {{ assign: next in desk, escalate: climb, form: [count], actions: {{ go: one }} }}
  end: {{ end: done }}
  one:
    choose:
{cases}      - {{ else: end }}
"
    );
    assert_eq!(codes(&one), []);
}
