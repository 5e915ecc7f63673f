use upline_core::{Actor, Name};

use super::{Mistake, Part, Simulation, simulate};
use crate::fixture::{OFFICE, PEOPLE, at, office};
use crate::forecast::Horizon;
use crate::render::{Language, Times};
use crate::timeline::{Rung, Timeline, What};
use crate::transcript::Setting;
use crate::world::World;

/// The office's ticket, opened Friday 16:45 by tom.
fn run(acts: &[&str], language: Language) -> Result<Timeline, Vec<Mistake>> {
    let simulation = Simulation {
        opened: at("2026-03-06T15:45Z"),
        by: Actor::Person(Name::new("tom")),
        fields: Vec::new(),
        acts: acts.iter().map(|act| (*act).to_owned()).collect(),
        horizon: Horizon::default(),
        language,
    };
    simulate(&office(), &simulation)
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
    let timeline = run(&[], Language::English).unwrap();
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
    let timeline = run(&acts, Language::English).unwrap();
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
        "ann accept @2026-03-06 16:44",
    ];
    let wrong = run(&acts, Language::English).unwrap_err();
    let parts: Vec<Part> = wrong.iter().map(|one| one.part).collect();
    assert_eq!(parts, [0, 1, 2, 3, 4, 5].map(Part::Act));
    let messages: Vec<&str> = wrong.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages[0], "it does not end with its time");
    assert_eq!(messages[1], "there is no person `zoe`");
    assert_eq!(messages[2], "there is no action `acept`");
    assert_eq!(wrong[2].help.as_deref(), Some("did you mean `accept`?"));
    assert_eq!(messages[5], "its time lies before the ticket is opened");
}

#[test]
fn what_is_wrong_with_fields_is_told_for_each() {
    let text = OFFICE.replace("promises:", "fields: { cost: { type: number } }\npromises:");
    let files = [("office.yaml", text.as_str()), ("people.yaml", PEOPLE)];
    let loaded = upline_dsl::load(files);
    let setting = Setting::of(loaded.workflows, loaded.directory, None).unwrap();
    let field = |name: &str, value: &str| (Name::new(name), value.to_owned());
    let simulation = |by: &str, fields: &[(Name, String)]| Simulation {
        opened: at("2026-03-06T15:45Z"),
        by: Actor::Person(Name::new(by)),
        fields: fields.to_vec(),
        acts: Vec::new(),
        horizon: Horizon::default(),
        language: Language::English,
    };
    let fields = [
        field("cost", "12"),
        field("cost", "dear"),
        field("coast", "1"),
    ];
    let wrong = simulate(&setting, &simulation("tom", &fields)).unwrap_err();
    let wrong: Vec<_> = wrong
        .iter()
        .map(|one| (one.part, one.message.as_str()))
        .collect();
    let expected = [
        (
            Part::Field(1),
            "`cost` must be a number such as 12 or 12.50",
        ),
        (Part::Field(2), "there is no field `coast`"),
    ];
    assert_eq!(wrong, expected);
    let wrong = simulate(&setting, &simulation("zoe", &fields[..1])).unwrap_err();
    let nobody = Mistake::new(Part::Opening, "there is nobody called `zoe`");
    assert_eq!(wrong, [nobody]);
}

#[test]
fn in_chinese() {
    let timeline = run(&[], Language::Chinese).unwrap();
    let texts = texts(&timeline);
    assert!(
        texts.contains(&"周五 16:45  待 desk 认领：ann；lea 负责"),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .any(|line| line.ends_with("转给 max（最终负责人）")),
        "{texts:#?}"
    );
    // One set of marks, that of Chinese; what is in brackets may be the author's own rule.
    let stray = |text: &str| text.contains([',', ';', '(', ')']) || text.matches(':').count() > 2;
    assert!(!texts.iter().any(|text| stray(text)), "{texts:#?}");
}

#[test]
fn a_timeline_is_json() {
    let json = serde_json::to_value(run(&[], Language::English).unwrap()).unwrap();
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
    let whole = run(&[], Language::English).unwrap();
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
