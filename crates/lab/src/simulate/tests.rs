use upline_core::{Actor, Name};
use upline_dsl::{Found, Sources};

use super::{Simulation, simulate};
use crate::fixture::{at, office};
use crate::forecast::Horizon;
use crate::render::{Language, Times};
use crate::timeline::{Rung, Timeline, What};
use crate::world::World;

/// The office's ticket, opened Friday 16:45 by tom.
fn run(acts: &[&str], language: Language) -> (Option<Timeline>, Found) {
    let setting = office();
    let simulation = Simulation {
        opened: at("2026-03-06T15:45Z"),
        by: Actor::Person(Name::new("tom")),
        fields: Vec::new(),
        acts: acts.iter().map(|act| (*act).to_owned()).collect(),
        horizon: Horizon::default(),
        language,
    };
    let mut found = Found::new();
    let timeline = simulate(&setting, &simulation, &mut Sources::new(), &mut found);
    (timeline, found)
}

fn texts(timeline: &Timeline) -> Vec<&str> {
    timeline
        .lines
        .iter()
        .map(|line| line.text.as_str())
        .collect()
}

#[test]
fn nobody_acts() {
    let (timeline, found) = run(&[], Language::English);
    assert!(found.is_empty());
    let timeline = timeline.unwrap();
    let asked = timeline.steps.iter().filter_map(|step| match &step.what {
        What::Asked {
            who, rung, until, ..
        } => Some((who.as_str(), *rung, until.is_some())),
        _ => None,
    });
    let expected = [
        ("lea", Rung::Entry, true),
        ("ann", Rung::Level(1), true),
        ("lea", Rung::Level(2), true),
        ("max", Rung::LastResort, true),
    ];
    assert_eq!(asked.collect::<Vec<_>>(), expected);
    assert_eq!(
        timeline.last_resort,
        Some(at("2026-03-09T10:15Z")),
        "{:#?}",
        timeline.lines
    );
    assert!(timeline.more);
    assert_eq!(timeline.answerable, [(Name::default(), Name::new("max"))]);
    // It has no end of reminders: two of them are shown.
    let reminders = timeline.steps.iter();
    let reminders = reminders.filter(|step| matches!(step.what, What::Reminded { .. }));
    assert_eq!(reminders.count(), 2);
}

#[test]
fn somebody_acts() {
    let acts = [
        "ann accept @Mon 09:20",
        "bob claims @10 min",
        "ann done @Mon 09:40",
    ];
    let (timeline, found) = run(&acts, Language::English);
    assert!(found.is_empty(), "{found:?}");
    let timeline = timeline.unwrap();
    assert_eq!(timeline.outcome, Some(Name::new("done")));
    assert!(!timeline.more);
    let texts = texts(&timeline);
    assert!(
        texts.contains(&"Fri 16:55  rejected: claim is not for you here"),
        "{texts:#?}"
    );
    assert!(
        texts.contains(&"Mon 09:20  state: working, ann"),
        "{texts:#?}"
    );
}

#[test]
fn what_is_wrong_with_acts_is_told_at_once() {
    let acts = [
        "ann accept",
        "zoe claims @5 min",
        "ann acept @5 min",
        "ann accept @noon",
        "ann claims @\u{7}",
    ];
    let (timeline, found) = run(&acts, Language::English);
    assert!(timeline.is_none());
    let wrong: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(wrong.len(), 5, "{wrong:?}");
    assert!(wrong.contains(&"there is no person `zoe`"));
    assert!(wrong.contains(&"there is no action `acept`"));
}

#[test]
fn in_chinese() {
    let (timeline, _) = run(&[], Language::Chinese);
    let timeline = timeline.unwrap();
    let texts = texts(&timeline);
    assert!(
        texts.contains(&"周五 16:45  待 desk 认领:ann;lea 负责"),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .any(|line| line.ends_with("转给 max(最终负责人)")),
        "{texts:#?}"
    );
}

#[test]
fn a_timeline_is_json() {
    let (timeline, _) = run(&[], Language::English);
    let json = serde_json::to_value(timeline.unwrap()).unwrap();
    let asked = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["what"] == "asked")
        .unwrap();
    assert_eq!(asked["who"], "lea");
    assert_eq!(asked["place"]["line"], 13);
    assert_eq!(asked["told"][0]["via"], "mail");
}

#[test]
fn the_forecast_of_a_ticket_is_the_rest_of_its_simulation() {
    let setting = office();
    let (whole, _) = run(&[], Language::English);
    let directory = std::sync::Arc::clone(&setting.directory);
    let mut world = World::new(
        at("2026-03-06T15:45Z"),
        setting.workflows.clone(),
        directory,
    );
    world.open("office", &crate::fixture::open("t1")).unwrap();
    world.advance_to(at("2026-03-06T15:50Z"));
    let times = Times::new(setting.zone(), Language::English);
    let forecast = world.forecast("t1", Horizon::default(), times, Language::English);
    let forecast = forecast.unwrap();
    let whole = whole.unwrap();
    let rest: Vec<_> = whole
        .lines
        .iter()
        .filter(|line| line.at > at("2026-03-06T15:50Z"))
        .collect();
    let times: Vec<_> = forecast.lines.iter().collect();
    assert_eq!(times, rest);
    assert!(!times.is_empty());
    let none = Times::new(setting.zone(), Language::English);
    assert!(
        world
            .forecast("t9", Horizon::default(), none, Language::English)
            .is_none()
    );
}
