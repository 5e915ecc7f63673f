//! Tests: transcripts of any text and of any steps.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;

use super::Prepared;
use crate::fixture::{at, office_files};

fn prepared(text: &str) -> Prepared {
    Prepared::new("office.test.txt", text, &mut office_files())
}

/// Pieces of which lines are made, so that some of them are nearly right.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "at ",
        "> ",
        "    ",
        "ann ",
        "tom ",
        "zoe ",
        "opens ",
        "ticket ",
        "key ",
        "with ",
        "t1: ",
        "x/y: ",
        "accept ",
        "claims ",
        "until ",
        "by ",
        "to ",
        "level ",
        "2026-03-06 ",
        "17:20 ",
        "Mon ",
        "99:99 ",
        "\"a\" ",
        "\"",
        "\\",
        ",",
        ", ",
        "run done ",
        "mail to ann fails ",
        "directory: ",
        "leaves ",
        "engine stops",
        "--- workflow",
        "--- transcript",
        "--- story x",
        "zone: UTC",
        "#",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\u{301}",
        "公",
        "is away until ",
        "moves the level clock ",
        "system ",
        "operator ",
        "clock fires again",
    ];
    prop_oneof![
        8 => proptest::sample::select(words.map(str::to_owned).to_vec()),
        1 => any::<String>(),
    ]
}

/// Steps of which each may be done or refused.
fn step() -> impl Strategy<Value = String> {
    let steps = [
        "> ann accept",
        "> ann claims",
        "> bob claims",
        "> lea accept",
        "> ann declines",
        "> ann releases",
        "> lea releases \"no\"",
        "> ann delegates to bob",
        "> lea reassigns to ann",
        "> lea escalates",
        "> ann escalates to level 2",
        "> ann comments \"here\"",
        "> lea resumes",
        "> ann done",
        "> tom opens",
        "> t2: ann accept",
        "> t2: max done",
        "> max accept",
        "> mail to ann fails \"550\"",
        "> mail to lea fails",
        "> mail to ann arrives",
        "> directory: ann leaves",
        "> directory: bob is back",
        "> directory: ann is away until 2026-05-01 09:00 deputy lea",
        "> directory: ann is back",
        "> engine stops",
        "> engine starts",
        "> clock fires again",
        "> operator max cancels \"a test\"",
        "> ann suspends until 2026-05-02 09:00",
        "> lea moves the level clock to 2026-06-01 09:00 \"why\"",
        "> ann holds",
        "> ann ticks it",
    ];
    proptest::sample::select(steps.map(str::to_owned).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(pieces in vec(piece(), 0..60)) {
        let mut prepared = prepared(&pieces.concat());
        if let Some(outcome) = prepared.run() {
            outcome.diff(&prepared.script);
            outcome.blessed(&prepared.script);
        }
    }

    /// Whatever people do, somebody is answerable, a clock is armed, replay is life, and what was written
    /// down once happens again.
    #[test]
    fn whatever_happens_happens_again(steps in vec((step(), 0_u32..2_000), 1..40)) {
        let mut text = "at 2026-03-06 15:45\n> tom opens\n".to_owned();
        let mut now = at("2026-03-06T15:45Z");
        for (step, later) in steps {
            now += SignedDuration::from_mins(i64::from(later));
            text.push_str(&format!("at {}\n{step}\n", now.strftime("%F %H:%M")));
        }
        let mut first = prepared(&format!("zone: UTC\n{text}"));
        let Some(outcome) = first.run() else {
            return Err(TestCaseError::fail(format!("{:?}", first.found)));
        };
        prop_assert!(outcome.gaps.is_empty(), "{:?}\n{}", outcome.gaps, outcome.blessed(&first.script));
        let blessed = outcome.blessed(&first.script);
        let mut again = prepared(&blessed);
        let outcome = again.run();
        prop_assert!(outcome.is_some_and(|outcome| outcome.passed()), "{}", blessed);
    }
}
