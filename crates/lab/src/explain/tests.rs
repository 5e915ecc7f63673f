use std::sync::Arc;

use jiff::tz::TimeZone;
use upline_core::calendar::{Opening, WEEKDAYS, Week};
use upline_core::{Channel, Directory, Name, Quiet, QuietHours, Span, Wish};

use super::{Explanation, explain};
use crate::World;
use crate::fixture::{at, office, open};
use crate::render::{Language, Times};
use crate::transcript::Setting;

/// The office's ticket, opened Friday 16:45, at `now`; `act` is done to it before.
fn explained(now: &str, act: impl FnOnce(&mut World)) -> (Explanation, Times) {
    let directory = Arc::clone(&office().directory);
    explained_among(directory, now, act)
}

fn explained_among(
    directory: Arc<Directory>,
    now: &str,
    act: impl FnOnce(&mut World),
) -> (Explanation, Times) {
    let setting = office();
    let zone = setting.zone();
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
    let (explanation, times) = explained("2026-03-09T09:30Z", ann_accepts);
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

fn ann_accepts(world: &mut World) {
    world.advance_to(at("2026-03-09T08:20Z"));
    let accept = Wish::Act {
        action: Name::new("accept"),
        fields: Vec::new(),
        note: None,
    };
    let ann = upline_core::Command::person("ann", accept);
    world.submit("t1", &ann).unwrap();
}

/// Lea is asked at 09:50; at 10:35 it is quiet for her, and the telephone is not for that time.
#[test]
fn the_channel_that_is_told_is_the_one_for_that_time() {
    let setting = office();
    let mut directory = Directory::clone(&setting.directory);
    let lea = directory.people.get_mut("lea").unwrap();
    let rule = |via: &str, after, unless_acted, quiet| Channel {
        via: Name::new(via),
        after: Some(Span::minutes(after)),
        unless_acted,
        quiet,
    };
    lea.channels.extend([
        rule("webhook:phone", 45, true, Quiet::Skip),
        rule("webhook:chat", 50, false, Quiet::Any),
        rule("webhook:pager", 55, false, Quiet::Skip),
    ]);
    let hours = Opening::new(38_100, 39_600).unwrap();
    lea.quiet_hours = Some(QuietHours::new(
        Week::of(&WEEKDAYS, &[hours]),
        setting.zone(),
    ));
    let (explanation, times) =
        explained_among(Arc::new(directory), "2026-03-09T09:30Z", ann_accepts);
    let lines = explanation.lines(&times, Language::English);
    let told: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("notify"))
        .collect();
    let expected =
        "  if nobody acts: notify lea by webhook chat unless acted, Mon 10:35 (5 min left)";
    assert_eq!(told, [expected], "{lines:#?}");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["positions"][0]["clocks"][0]["by"], "webhook:chat");
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
    let clock = &json["positions"][0]["clocks"][0];
    assert_eq!(clock["ledger"][0]["counted"], true);
    assert_eq!(clock["next"], "another in desk");
    assert_eq!(clock["moves"], true);
    assert_eq!(json["positions"][0]["moves"], clock["due"]);
}

/// A ladder that reminds first, and somebody who is told by telephone if he does not act.
const REMINDED: &str = r#"
workflow: reminded
ladders:
  gone-quiet:
    - { after: 4 h, notify: [assignee] }
    - { after: 1 h, notify: [lead of desk] }
    - { after: 2 h, assign: lead of desk }
start: working
states:
  working:
    assign: user max
    notify: [assignee]
    escalate: gone-quiet
    actions: { done: { goto: closed } }
  closed: { end: done }
"#;

#[test]
fn what_only_reminds_is_not_the_next_hop() {
    let people = crate::fixture::PEOPLE.replace(
        "max: { name: Max, mail: max@example.com }",
        "max: { name: Max, mail: max@example.com,\n    \
         notify: [{ mail: now }, { webhook: duty-phone, after: 5 min, unless: acted }] }",
    );
    let files = [
        ("reminded.yaml", REMINDED),
        ("people.yaml", people.as_str()),
    ];
    let loaded = upline_dsl::load(files.map(|(name, text)| (name, text.as_bytes())));
    assert!(!loaded.found.has_errors(), "{:?}", loaded.found);
    let setting = Setting::of(loaded.workflows, loaded.directory, None).unwrap();
    let directory = Arc::clone(&setting.directory);
    let mut world = World::new(
        at("2026-03-06T12:00Z"),
        setting.workflows.clone(),
        directory,
    );
    world.open("reminded", &open("t1")).unwrap();
    let explained = |world: &World| {
        explain(
            world.ticket("t1").unwrap(),
            world.observer().of("t1"),
            world.workflow_of("t1").unwrap(),
            world.directory(),
            world.now(),
        )
    };
    let explanation = explained(&world);
    let clocks = |explanation: &Explanation, language| {
        let times = Times::new(TimeZone::UTC, language);
        let mut lines = explanation.lines(&times, language);
        lines.retain(|line| line.starts_with("  if nobody") || line.starts_with("  若无人"));
        lines
    };
    let expected = [
        "  if nobody acts: notify max by webhook duty-phone unless acted, Fri 12:05 (5 min left)",
        "  if nobody acts: notify assignee, Fri 16:00 (4 h left)",
    ];
    assert_eq!(clocks(&explanation, Language::English), expected);
    let chinese = clocks(&explanation, Language::Chinese);
    assert!(
        chinese[0].contains("若未处理则以 webhook duty-phone 通知 max"),
        "{chinese:?}"
    );
    let head = explanation.head(
        &Times::new(TimeZone::UTC, Language::English),
        Language::English,
    );
    assert_eq!(
        head,
        "ticket t1, reminded version 1, as of Fri 2026-03-06 12:00 UTC"
    );
    let hop = Some(at("2026-03-06T19:00Z"));
    assert_eq!(explanation.positions[0].moves, hop);
    assert!(
        explanation.positions[0]
            .clocks
            .iter()
            .all(|clock| !clock.moves)
    );
    // Reminded once and twice, it is the same hop.
    world.advance_to(at("2026-03-06T16:30Z"));
    assert_eq!(explained(&world).positions[0].moves, hop);
    world.advance_to(at("2026-03-06T17:30Z"));
    assert_eq!(explained(&world).positions[0].moves, hop);
    world.advance_to(at("2026-03-06T19:30Z"));
    let lea = explained(&world);
    assert_eq!(
        (&*lea.positions[0].answerable, lea.positions[0].moves),
        ("lea", Some(at("2026-03-06T21:00Z")))
    );
    // With the last resort it stays.
    world.advance_to(at("2026-03-06T21:30Z"));
    assert_eq!(explained(&world).positions[0].moves, None);
}
