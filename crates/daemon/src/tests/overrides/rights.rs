//! Who may change who is on call, and how often.

use std::fs;

use serde_json::{Value, json};

use super::super::kit::{Service, token};
use super::{FIRST, MORNING, SECOND, make, night, on_duty, remove};
use crate::tokens::Tokens;

#[test]
fn an_agent_gives_his_own_duty_away_or_takes_a_colleagues_and_no_other() {
    let callers = [
        ("chen", "agent", "chen-hao"),
        ("jonas", "agent", "jonas"),
        ("mei", "agent", "mei"),
        ("ann", "agent", "ann"),
        ("lea", "lead", "lea"),
        ("eye", "reader", ""),
        ("pbx", "integration", ""),
    ];
    let tokens = callers.map(|(name, role, person)| token(name, role, person));
    let tokens = Tokens::read(&tokens.concat()).unwrap();
    let service = Service::adjusted(move |start| start.tokens(tokens.clone()));
    let refused = |who: &str, path: &str, body: &Value| {
        let key = format!("{who}{body}");
        make(&service, who, path, &key, body).refuses(403, "not-allowed")
    };
    // Not his, before everybody, and to or by somebody who has nothing to do with it.
    refused("mei", FIRST, &night("jonas", "chen-hao"));
    refused(
        "chen",
        FIRST,
        &json!({ "to": MORNING, "on-call": "chen-hao" }),
    );
    refused("chen", FIRST, &night("ann", "chen-hao"));
    refused("ann", FIRST, &night("ann", "chen-hao"));
    for who in ["eye", "pbx"] {
        refused(who, FIRST, &night("jonas", "chen-hao"));
        remove(&service, who, FIRST, "1").refuses(403, "not-allowed");
        assert_eq!(
            service.get(who, FIRST).is(200).json()["overrides"],
            json!([])
        );
    }
    // A lead may, and that makes nobody one of the schedule.
    let body = json!({ "from": "2026-03-08", "to": "2026-03-08", "on-call": "ann" });
    make(&service, "lea", FIRST, "ann", &body).is(201);
    refused("ann", FIRST, &night("ann", "chen-hao"));

    make(
        &service,
        "chen",
        FIRST,
        "gives",
        &night("jonas", "chen-hao"),
    )
    .is(201);
    make(&service, "jonas", SECOND, "takes", &night("jonas", "mei")).is(201);
    // He has not made it: it would come back to somebody who does not know.
    remove(&service, "jonas", FIRST, "2").refuses(403, "not-allowed");
    remove(&service, "chen", FIRST, "1").refuses(403, "not-allowed");
    remove(&service, "chen", FIRST, "2").is(200);
    remove(&service, "lea", SECOND, "3").is(200);
    // Members of a group give the shifts of its schedule.
    let shift = json!({ "to": "2026-03-06 18:00", "on-call": "bob", "instead-of": "ann" });
    make(
        &service,
        "ann",
        "/v1/oncall/desk-shifts/overrides",
        "shift",
        &shift,
    )
    .is(201);
    assert_eq!(on_duty(&service, "service-desk"), ["bob", "cem"]);
}

#[test]
fn nobody_fills_the_journal_with_overrides() {
    let mut service = Service::start();
    let body = night("jonas", "chen-hao");
    make(&service, "lea", FIRST, "1", &body).is(201);
    remove(&service, "lea", FIRST, "1").is(200);
    service.stop();
    // She has done so all morning.
    let path = service.data.path().join("overrides");
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let one = file["overrides"][0].clone();
    let all = (1..=100).map(|id| {
        let mut one = one.clone();
        (one["id"], one["command"]) = (id.into(), format!("{id}").into());
        one
    });
    file["overrides"] = all.collect();
    file["next"] = 101.into();
    fs::write(&path, file.to_string()).unwrap();
    service.start_again();
    make(&service, "lea", FIRST, "2", &body).refuses(409, "too-many-overrides");
    make(&service, "boss", FIRST, "2", &body).is(201);
    remove(&service, "boss", FIRST, "101").is(200);
    service.pass(24 * 60);
    let later = json!({ "to": "2026-03-08", "on-call": "jonas" });
    make(&service, "lea", FIRST, "2", &later).is(201);
}
