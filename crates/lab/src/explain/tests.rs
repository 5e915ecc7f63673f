use std::sync::Arc;

use upline_core::{Name, Wish};

use super::{Explanation, explain};
use crate::World;
use crate::fixture::{at, office, open};
use crate::render::{Language, Times};

/// The office's ticket, opened Friday 16:45, at `now`; `act` is done to it before.
fn explained(now: &str, act: impl FnOnce(&mut World)) -> (Explanation, Times) {
    let setting = office();
    let zone = setting.zone();
    let directory = Arc::clone(&setting.directory);
    let mut world = World::new(
        at("2026-03-06T15:45Z"),
        setting.workflows.clone(),
        directory,
    );
    world.open("office", &open("t1")).unwrap();
    act(&mut world);
    world.advance_to(at(now));
    let explanation = explain(
        world.ticket("t1").unwrap(),
        world.observer().of("t1"),
        world.workflow_of("t1").unwrap(),
        world.directory(),
        world.now(),
    );
    (explanation, Times::new(zone, Language::English))
}

#[test]
fn who_why_and_why_not_the_others() {
    let (explanation, times) = explained("2026-03-06T15:50Z", |_| ());
    let expected = [
        "asked: lea is answerable since Fri 16:45",
        "  because: anyone in desk (office.yaml:13)",
        "  not bob: away until Wed 2026-04-01 00:00",
        "  if nobody acts: another in desk, Mon 09:15 (64 h 25 min left)",
        "    30 min in office-hours since Fri 16:45",
        "    Fri 16:45 – Fri 17:00  15 min counted",
        "    Fri 17:00 – Sat 00:00  not counted, outside hours",
        "    Sat 00:00 – Mon 00:00  not counted, day off",
        "    Mon 00:00 – Mon 09:00  not counted, outside hours",
        "    Mon 09:00 – Mon 09:15  15 min counted",
        "promise answer: 4 h, due Mon 12:45",
    ];
    assert_eq!(explanation.lines(&times, Language::English), expected);
    assert_eq!(explanation.positions[0].candidates, ["ann"]);
}

#[test]
fn a_level_and_a_kept_promise() {
    let (explanation, times) = explained("2026-03-09T09:30Z", |world| {
        world.advance_to(at("2026-03-09T08:20Z"));
        let accept = Wish::Act {
            action: Name::new("accept"),
            fields: Vec::new(),
            note: None,
        };
        let ann = upline_core::Command::person("ann", accept);
        world.submit("t1", &ann).unwrap();
    });
    let lines = explanation.lines(&times, Language::English);
    let told: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("    "))
        .collect();
    let expected = [
        "working: lea is answerable since Mon 09:50",
        "  because: level 2, lead of desk (office.yaml:9)",
        "  if nobody acts: last resort, Mon 10:50 (20 min left)",
    ];
    assert_eq!(told[..3], expected, "{lines:#?}");
    assert!(
        lines
            .last()
            .unwrap()
            .starts_with("promise answer: 4 h, met, ")
    );
    let chinese = explanation.lines(&times, Language::Chinese);
    assert!(
        chinese[0].starts_with("working：lea 负责，自 "),
        "{chinese:?}"
    );
}

#[test]
fn of_one_that_is_set_aside_nothing_is_promised() {
    let (mut explanation, times) = explained("2026-03-06T15:50Z", |_| ());
    explanation.set_aside = Some("clock 1 is due, and nothing happens".to_owned());
    let lines = explanation.lines(&times, Language::English);
    let expected = [
        "set aside, and no engine moves it until an operator has looked: clock 1 is due, and nothing happens",
        "asked: lea is answerable since Fri 16:45",
        "  because: anyone in desk (office.yaml:13)",
        "  not bob: away until Wed 2026-04-01 00:00",
        "promise answer: 4 h, due Mon 12:45",
    ];
    assert_eq!(lines, expected);
    let chinese = explanation.lines(&times, Language::Chinese).join("\n");
    assert!(
        chinese.starts_with("已搁置") && !chinese.contains("若无人处理"),
        "{chinese}"
    );
}

#[test]
fn as_json() {
    let (explanation, _) = explained("2026-03-06T15:50Z", |_| ());
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["positions"][0]["answerable"], "lea");
    assert_eq!(json["positions"][0]["place"]["line"], 13);
    assert_eq!(
        json["positions"][0]["clocks"][0]["ledger"][0]["counted"],
        true
    );
}
