//! "Ann takes Bob's night", from the command line.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::service::Service;

/// Who is the duty officer now.
fn officer(service: &Service) -> String {
    let found = service.json("tom", &["oncall", "who", "--team", "duty-officer"]);
    let who = found["teams"][0]["on-duty"][0]["person"].as_str();
    who.unwrap().to_owned()
}

#[test]
fn somebody_stands_in_on_call_until_it_is_removed() {
    let mut service = Service::start("standing-in");
    let away = officer(&service);
    let mut others = ["lea", "max", "ida"].into_iter();
    let there = others.find(|person| *person != away).unwrap();
    let to = Timestamp::now() + SignedDuration::from_hours(3);
    let to = to.to_string();
    let make = |schedule| {
        let who = ["--on-call", there, "--instead-of", &away, "--to", &to];
        [&["oncall", "override", schedule], &who[..]].concat()
    };
    let own = make("duty-officer");
    service.refuses("eye", &own, 5, "only people change who is on call");
    service.refuses("tom", &own, 5, "help: a lead or an admin may make any");
    let unknown = make("duty-oficer");
    service.refuses("lea", &unknown, 3, "help: did you mean `duty-officer`?");
    let soon = [
        "oncall",
        "override",
        "duty-officer",
        "--on-call",
        there,
        "--to",
        "soon",
    ];
    service.refuses("lea", &soon, 1, "`to`: this is no time\n  help: such as");
    let list = ["oncall", "overrides", "duty-officer"];
    assert_eq!(service.is("tom", &list), "there is none\n");

    let key = [&own[..], &["--idempotency-key", "one"]].concat();
    let said = service.is("lea", &key);
    let is_told = format!("override 1: {there} is on call by duty-officer instead of {away}, ");
    assert!(said.starts_with(&is_told), "{said}");
    assert!(
        said.ends_with(&format!(": {there}\n")) && said.contains("\non duty at "),
        "{said}"
    );
    let chinese = service.is("lea", &[&key[..], &["--lang", "zh"]].concat());
    assert!(
        chinese.contains(&format!("由 {there} 代替 {away} 值班")),
        "{chinese}"
    );
    service.refuses("boss", &own, 4, "help: remove that one first");
    let told = service.json("eye", &list);
    assert_eq!(told["overrides"][0]["made"]["person"], "lea");
    assert_eq!(told["overrides"].as_array().unwrap().len(), 1);
    let said = service.is("eye", &list);
    assert!(said.contains(there) && said.contains("lea"), "{said}");

    service.restarted(|data| {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_upline"));
        let output = doctor
            .arg("doctor")
            .arg(data)
            .arg("--json")
            .output()
            .unwrap();
        let checkup: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(checkup["strangers"], Value::Array(Vec::new()), "{checkup}");
    });
    assert_eq!(officer(&service), there);
    let remove = ["oncall", "remove", "duty-officer", "1"];
    service.refuses("tom", &remove, 5, "help: ask a lead or an admin");
    let said = service.is("boss", &remove);
    assert!(said.starts_with("override 1 is removed: "), "{said}");
    assert!(said.ends_with(&format!(": {away}\n")), "{said}");
    assert_eq!(officer(&service), away);
    assert_eq!(service.is("tom", &list), "there is none\n");
    let none = ["oncall", "remove", "duty-officer", "7"];
    service.refuses("lea", &none, 3, "`duty-officer` has no override `7`");
}
