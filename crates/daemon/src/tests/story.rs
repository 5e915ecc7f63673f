//! The trouble ticket from the call to its close, over HTTP.

use serde_json::{Value, json};

use super::kit::{Service, trouble};

fn names(ticket: &Value) -> Vec<&str> {
    let actions = ticket["actions"].as_array().unwrap();
    actions
        .iter()
        .map(|action| action["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_call_climbs_by_two_hops_and_a_level_over_a_restart_and_is_solved() {
    let mut service = Service::start();
    let key = [("idempotency-key", "call-4711")];
    let opened = service.post("tom", "/v1/tickets", &key, &trouble()).is(201);
    let ticket = opened.json();
    assert_eq!(opened.header("location"), "/v1/tickets/1");
    assert_eq!(opened.header("etag"), format!("\"{}\"", ticket["revision"]));
    assert_eq!(ticket["opener"], json!({ "kind": "person", "name": "tom" }));
    assert!(names(&ticket).contains(&"open"), "{ticket}");

    // The same request again is the same ticket, whatever the order of its fields.
    let again = service.post("tom", "/v1/tickets", &key, &trouble()).is(201);
    assert_eq!(
        (again.header("idempotent-replayed"), &again.json()["id"]),
        ("true", &json!("1"))
    );

    service.act("tom", "1", "open", &json!({})).is(200);
    assert_eq!(service.standing("1"), ("dispatched".into(), "ann".into()));
    service.pass(15);
    assert_eq!(service.standing("1").1, "bob");
    service.pass(15);
    assert_eq!(service.standing("1").1, "cem");

    service.restart();
    assert_eq!(service.standing("1"), ("dispatched".into(), "cem".into()));
    let again = service.post("tom", "/v1/tickets", &key, &trouble()).is(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    service.pass(15);
    assert_eq!(service.standing("1").1, "lea");
    let shown = service.get("lea", "/v1/tickets/1").json();
    assert_eq!(shown["positions"][0]["level"], 2);

    service.act("lea", "1", "accept", &json!({})).is(200);
    assert_eq!(service.standing("1"), ("working".into(), "lea".into()));
    let fields =
        json!({ "fields": { "cause": "Hardware", "solution": "new cable" }, "note": "on site" });
    service.act("lea", "1", "resolve", &fields).is(200);
    service.act("boss", "1", "confirm", &json!({})).is(200);
    let article = json!({ "fields": { "article": "KB-17" } });
    service.act("lea", "1", "publish", &article).is(200);

    let ended = service.get("eye", "/v1/tickets/1").is(200).json();
    assert_eq!(
        (&ended["ended"]["outcome"], names(&ended).len()),
        (&json!("done"), 0)
    );
    assert_eq!(ended["fields"]["article"], "KB-17");
    let list = service
        .get("eye", "/v1/tickets?standing=ended&workflow=trouble-ticket")
        .json();
    assert_eq!(list["tickets"][0]["id"], "1");
    assert_eq!(
        service.get("eye", "/v1/tickets").json()["tickets"],
        json!([])
    );
    service
        .act("lea", "1", "accept", &json!({}))
        .refuses(409, "has-ended");
}

#[test]
fn what_happened_why_and_what_comes_next_is_told() {
    let service = Service::start();
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    service.pass(15);

    let timeline = service
        .get("ann", &format!("/v1/tickets/{id}/timeline"))
        .is(200)
        .json();
    let entries = timeline["entries"].as_array().unwrap();
    let origins: Vec<&str> = entries
        .iter()
        .map(|one| one["origin"].as_str().unwrap())
        .collect();
    assert_eq!(origins.first(), Some(&"token tom"), "{timeline}");
    let lines = timeline.to_string();
    assert!(
        lines.contains("assigned to ann (least busy in service-desk)"),
        "{lines}"
    );
    assert!(
        lines.contains("to bob (another in service-desk)"),
        "{lines}"
    );
    let zh = service
        .get("ann", &format!("/v1/tickets/{id}/timeline?lang=zh-CN"))
        .is(200);
    assert!(
        zh.text.contains("转给 bob") && !zh.text.contains("to bob"),
        "{zh:?}"
    );

    // By pieces it is the same.
    let mut pieces = Vec::new();
    let mut after = 0;
    loop {
        let path = format!("/v1/tickets/{id}/timeline?limit=1&after={after}");
        let piece = service.get("ann", &path).is(200).json();
        pieces.extend(piece["entries"].as_array().unwrap().clone());
        match piece["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    let whole: Vec<Value> = entries.iter().map(|one| one["revision"].clone()).collect();
    let found: Vec<Value> = pieces.iter().map(|one| one["revision"].clone()).collect();
    assert_eq!(found, whole);

    let why = service
        .get("bob", &format!("/v1/tickets/{id}/explain"))
        .is(200)
        .json();
    assert_eq!(why["positions"][0]["answerable"], "bob");
    assert_eq!(why["positions"][0]["rule"], "another in service-desk");
    let ahead = service
        .get("bob", &format!("/v1/tickets/{id}/forecast?days=1"))
        .is(200)
        .json();
    assert!(
        ahead["lines"].to_string().contains("lead of service-desk"),
        "{ahead}"
    );
}

#[test]
fn another_system_opens_finds_by_key_and_comments() {
    let service = Service::start();
    let mut body = trouble();
    body["key"] = json!("call-1");
    let opened = service
        .post("pbx", "/v1/tickets", &[("idempotency-key", "a")], &body)
        .is(201);
    assert_eq!(
        opened.json()["opener"],
        json!({ "kind": "system", "name": "pbx" })
    );
    let same = service.post("pbx", "/v1/tickets", &[("idempotency-key", "b")], &body);
    assert_eq!(same.refuses(409, "same-key")["ticket"], "1");
    let text = json!({ "text": "the caller has hung up", "to-caller": false });
    service.act("pbx", "1", "comment", &text).is(200);
    service
        .act("pbx", "1", "open", &json!({}))
        .refuses(403, "not-allowed");
    let unknown = "/v1/tickets/1/messages/nobody-awaits";
    service
        .post("pbx", unknown, &[], &json!({}))
        .refuses(409, "not-awaited");
    let path = "/v1/tickets/1/messages/call-ended";
    service
        .post("tom", path, &[], &json!({}))
        .refuses(404, "no-such-ticket");
    service.post("pbx", path, &[], &json!({})).is(200);
    assert_eq!(service.standing("1").0, "dispatched");
}
