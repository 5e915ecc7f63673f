//! Several commands in one request.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::kit::{Answer, Service};
use crate::limits::MAX_BATCH;

fn send(service: &Service, who: &str, key: &str, commands: &Value) -> Answer {
    let bearer = format!("Bearer upl_{who}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("idempotency-key", key),
    ];
    let body = json!({ "commands": commands }).to_string();
    service.send("POST", "/v1/tickets:batch", &headers, body.as_bytes())
}

/// Status and code of each result.
fn told(answer: &Answer) -> Vec<(u64, String)> {
    assert_eq!(answer.status, 207, "{answer:?}");
    let body = answer.json();
    let results = body["results"].as_array().unwrap().iter();
    let one = |result: &Value| {
        let code = result["problem"]["code"].as_str().unwrap_or_default();
        let status = result["status"].as_u64().unwrap();
        if status != 200 {
            assert_eq!(result["problem"]["status"].as_u64(), Some(status));
        }
        (status, code.to_owned())
    };
    results.map(one).collect()
}

fn comment(ticket: &str, text: &str) -> Value {
    json!({ "ticket": ticket, "action": "comment", "with": { "text": text } })
}

fn fine() -> (u64, String) {
    (200, String::new())
}

#[test]
fn each_command_is_carried_out_or_refused_by_itself() {
    let service = Service::start();
    let (one, other) = (service.call("pbx", "1"), service.call("pbx", "2"));
    for id in [&one, &other] {
        service.act("boss", id, "open", &json!({})).is(200);
    }
    let hand = |ticket: &str| {
        let with = json!({ "to": "lea", "reason": "her area" });
        json!({ "ticket": ticket, "action": "reassign", "with": with })
    };
    let stale =
        json!({ "ticket": one, "action": "comment", "revision": 1, "with": { "text": "t" } });
    let odd = json!({ "ticket": one, "action": "comment", "with": { "word": "t" } });
    let commands = json!([
        hand(&one),
        comment("none", "t"),
        stale,
        odd,
        { "ticket": "", "action": "claim" },
        hand(&other),
        comment(&other, "both are hers"),
    ]);
    let answer = send(&service, "boss", "k1", &commands);
    let refused = |status, code: &str| (status, code.to_owned());
    let first = [
        fine(),
        refused(404, "no-such-ticket"),
        refused(412, "changed"),
        refused(422, "body-wrong"),
        refused(422, "name-wrong"),
        fine(),
        fine(),
    ];
    assert_eq!(told(&answer), first);
    assert_eq!(answer.json()["results"][5]["ticket"], other.as_str());
    for id in [&one, &other] {
        assert_eq!(service.standing(id).1, "lea");
    }

    // The same again does nothing anew; what was refused is decided as if it came for the first time.
    let before = service.get("boss", &format!("/v1/tickets/{one}")).json()["revision"].clone();
    let again = send(&service, "boss", "k1", &commands);
    assert_eq!(told(&again), first);
    assert_eq!(again.json()["results"][0]["replayed"], true);
    let after = service.get("boss", &format!("/v1/tickets/{one}")).json()["revision"].clone();
    assert_eq!(before, after);
    let others = json!([comment(&one, "something else")]);
    let mixed = send(&service, "boss", "k1", &others);
    assert_eq!(told(&mixed), [refused(422, "other-command")]);
}

#[test]
fn a_batch_is_no_way_round_rights_and_limits() {
    let service =
        Service::adjusted(|start| start.requests_per_second(NonZeroU32::new(20).unwrap()));
    let id = service.call("pbx", "1");
    service.act("boss", &id, "open", &json!({})).is(200);
    // Rosa has nothing to do with it, and does not learn that it is there.
    let stranger = send(&service, "rosa", "k", &json!([comment(&id, "t")]));
    assert_eq!(told(&stranger), [(404, "no-such-ticket".to_owned())]);
    send(&service, "eye", "k", &json!([comment(&id, "t")])).refuses(403, "not-allowed");
    send(&service, "boss", "k", &json!([])).refuses(422, "body-wrong");
    let many: Vec<Value> = (0..=MAX_BATCH).map(|_| comment(&id, "t")).collect();
    send(&service, "boss", "k", &json!(many)).refuses(422, "body-wrong");
    let headers = [
        ("authorization", "Bearer upl_boss"),
        ("content-type", "application/json"),
    ];
    let path = "/v1/tickets:batch";
    service
        .send("POST", path, &headers, b"{}")
        .refuses(400, "key-missing");
    let most = told(&send(&service, "lea", "k", &json!(many[1..])));
    let slow = (429, "too-many-requests".to_owned());
    assert!(most.contains(&fine()) && most.contains(&slow), "{most:?}");
}

#[test]
fn fields_are_saved_with_patch() {
    let service = Service::start();
    let id = service.call("pbx", "1");
    let path = format!("/v1/tickets/{id}");
    let patch = |who: &str, seen: &str, body: Value| {
        let bearer = format!("Bearer upl_{who}");
        let mut headers = vec![
            ("content-type", "application/json"),
            ("authorization", bearer.as_str()),
        ];
        if !seen.is_empty() {
            headers.push(("if-match", seen));
        }
        service.send("PATCH", &path, &headers, body.to_string().as_bytes())
    };
    let fields = || json!({ "fields": { "problem": "no dial tone, and it hums" } });
    patch("boss", "", fields()).refuses(428, "if-match-missing");
    patch("boss", "\"1\"", fields()).refuses(412, "changed");
    let saved = patch("boss", "*", fields()).is(200);
    assert_eq!(
        saved.json()["fields"]["problem"],
        "no dial tone, and it hums"
    );
    let wrong = patch("boss", "*", json!({ "fields": { "colour": "red" } }));
    wrong.refuses(422, "form-wrong");
    patch("boss", "*", json!({ "problem": "x" })).refuses(422, "body-wrong");
}
