//! Random workflows: no rule panics, whatever is found can be shown, and what the rules of the graph say is
//! what a slow and simple look at all pairs of states says.

use std::fmt::Write as _;

use crate::manual::DIRECTORY;
use crate::render::{Colour, text};
use crate::{Checked, Code, check};

/// Xorshift: the same workflows on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len())]
    }
}

/// What the simple look needs: where each state leads, and whether it is an end.
type Ways = Vec<(Vec<usize>, bool)>;

const WHO: [&str; 7] = [
    "next in desk",
    "anyone in desk",
    "lead of desk",
    "opener",
    "who did a1",
    "user ann except user ann",
    "another in desk except who did a0",
];

const WHEN: [&str; 5] = [
    "sort is A",
    "sort is not A",
    "sort is A and sort is B",
    "count is over 3",
    "count is under 3 or sort is empty",
];

fn work(dice: &mut Dice, leads: &[usize], name: &str) -> String {
    let mut state = String::from("{ ");
    if dice.below(3) > 0 {
        let _ = write!(state, "assign: {}, ", dice.one(&WHO));
    }
    match dice.below(4) {
        0 => (),
        1 => {
            let when = dice.one(&WHEN);
            let _ = write!(
                state,
                "escalate: [{{ when: {when}, ladder: b }}, {{ else: a }}], "
            );
        }
        _ => state += "escalate: a, ",
    }
    if dice.below(2) == 0 {
        state += "form: [sort, count], ";
    }
    let (after, actions) = leads.split_at(usize::from(dice.below(3) == 0 && leads.len() > 1));
    if let Some(to) = after.first() {
        let _ = write!(state, "after: {{ {} h: {name}{to} }}, ", dice.below(9) + 1);
    }
    let mut all = Vec::new();
    for (number, to) in actions.iter().enumerate() {
        let more = match dice.below(4) {
            0 => ", requires: [sort], set: { count: 3 }".to_owned(),
            1 => format!(", by: {}, message: m", dice.one(&WHO)),
            _ => String::new(),
        };
        all.push(format!("a{number}: {{ goto: {name}{to}{more} }}"));
    }
    state + &format!("actions: {{ {} }} }}", all.join(", "))
}

fn parallel(dice: &mut Dice, text: &mut String, name: &str, indent: usize, to: &str) {
    let pad = " ".repeat(indent);
    let join = dice.one(&["all", "any"]);
    let _ = writeln!(
        text,
        "\n{pad}  parallel:\n{pad}    join: {join}\n{pad}    goto: {to}"
    );
    let _ = writeln!(text, "{pad}    branches:");
    for branch in ["l", "r"] {
        let inner = format!("{name}{branch}");
        let _ = writeln!(text, "{pad}      {branch}:\n{pad}        start: {inner}0");
        let _ = writeln!(text, "{pad}        states:");
        *text += &states(dice, &inner, indent + 10, indent < 20).0;
    }
}

/// States that lead to each other at random; some have branches if `deep`.
fn states(dice: &mut Dice, name: &str, indent: usize, deep: bool) -> (String, Ways) {
    let count = dice.below(7) + 1;
    let mut text = String::new();
    let mut ways = Ways::new();
    for number in 0..count {
        let leads: Vec<usize> = (0..dice.below(4)).map(|_| dice.below(count)).collect();
        let own = format!("{name}{number}");
        let _ = write!(text, "{:indent$}{own}: ", "");
        match dice.below(if deep { 7 } else { 6 }) {
            0 => {
                let silence = dice.one(&["", ", by-silence: allowed"]);
                let _ = writeln!(text, "{{ end: done{silence} }}");
                ways.push((Vec::new(), true));
            }
            1 if leads.len() > 1 => {
                let mut cases = Vec::new();
                for to in &leads[1..] {
                    cases.push(format!("{{ when: {}, goto: {name}{to} }}", dice.one(&WHEN)));
                }
                cases.push(format!("{{ else: {name}{} }}", leads[0]));
                let _ = writeln!(text, "{{ choose: [{}] }}", cases.join(", "));
                ways.push((leads, false));
            }
            6 => {
                let to = dice.below(count);
                parallel(dice, &mut text, &own, indent, &format!("{name}{to}"));
                ways.push((vec![to], false));
            }
            _ => {
                let _ = writeln!(text, "{}", work(dice, &leads, name));
                ways.push((leads, false));
            }
        }
    }
    (text, ways)
}

fn workflow(seed: u64, deep: bool) -> (String, Ways) {
    let mut dice = Dice(seed * 0x9E37_79B9 + 1);
    let (states, ways) = states(&mut dice, "s", 2, deep);
    // The simple look knows no breaches.
    let breach = match deep {
        true => dice.one(&["", "breach: { goto: s0 }"]),
        false => "",
    };
    let text = format!(
        "workflow: random
calendar: office-hours
fields:
  sort: {{ type: choice, options: [A, B, C] }}
  count: {{ type: number }}
promises:
  soon:
    within: {} h
    except: {{ when: sort is A, within: 1 h around the clock }}
    met-in: s0
    {breach}
ladders:
  a: [{{ after: 1 h, assign: lead of desk }}, {{ after: 2 h, assign: on call for duty }}]
  b: [{{ after: 30 min, assign: anyone in desk, set: {{ sort: B }} }}]
start: s0
states:
{states}",
        dice.below(9) + 1,
    );
    (text, ways)
}

fn checked(text: &str) -> Checked {
    let files = [
        ("workflow.yaml", text.as_bytes()),
        ("directory.yaml", DIRECTORY.as_bytes()),
    ];
    check(files, "2026-03-02T08:00:00Z".parse().unwrap())
}

#[test]
fn nothing_panics_and_all_that_is_found_can_be_shown() {
    let mut read = 0;
    for seed in 0..150 {
        let (workflow, _) = workflow(seed, true);
        let checked = checked(&workflow);
        read += checked.workflows.len();
        for one in &checked.diagnostics {
            let shown = text(&checked.sources, one, Colour::Off);
            assert!(shown.contains(one.code.as_str()), "seed {seed}: {shown}");
            let nameless = one.message.contains("``");
            assert!(!nameless, "seed {seed}: {shown}\n{workflow}");
        }
    }
    assert!(read > 40, "only {read} of the workflows can be read");
}

#[test]
fn the_rules_of_the_graph_agree_with_a_simple_look() {
    let mut read = 0;
    for seed in 0..150 {
        let (workflow, ways) = workflow(seed, false);
        let checked = checked(&workflow);
        if checked.workflows.is_empty() {
            continue;
        }
        read += 1;
        let says = |code: Code| checked.diagnostics.iter().any(|one| one.code == code);
        let count = ways.len();
        let mut leads = vec![vec![false; count]; count];
        for (from, (to, _)) in ways.iter().enumerate() {
            leads[from][from] = true;
            to.iter().for_each(|to| leads[from][*to] = true);
        }
        for over in 0..count {
            for from in 0..count {
                for to in 0..count {
                    leads[from][to] |= leads[from][over] && leads[over][to];
                }
            }
        }
        let lost = (0..count).any(|state| !leads[0][state]);
        assert_eq!(
            says(Code::UnreachableState),
            lost,
            "seed {seed}\n{workflow}"
        );
        let ends = |state: usize| (0..count).any(|end| ways[end].1 && leads[state][end]);
        let stuck = (0..count).any(|state| leads[0][state] && !ends(state));
        assert_eq!(says(Code::NoWayOut), stuck, "seed {seed}\n{workflow}");
    }
    assert!(read > 40, "only {read} of the workflows can be read");
}
