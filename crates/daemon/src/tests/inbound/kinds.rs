//! What telephones say, and CloudEvents.

use super::*;

fn call(event: &str, call: &str) -> Value {
    json!({ "event": event, "call": call, "caller": "+49 30 1234567", "name": "Ms Low", "agent": "tom" })
}

#[test]
fn a_call_belongs_to_whom_answers_it_and_goes_on_when_it_ends() {
    let inbound = Inbound::with(&[("pbx", "call-centre")]);
    assert_eq!(
        inbound.outcome("pbx", &call("call-started", "c1")),
        ("opened".into(), one("1"))
    );
    assert_eq!(inbound.service.standing("1"), ("new".into(), "tom".into()));
    assert_eq!(
        inbound.ticket("1")["fields"]["caller"],
        "Ms Low +49 30 1234567"
    );
    assert_eq!(
        inbound.outcome("pbx", &call("call-ended", "c1")),
        ("moved".into(), one("1"))
    );
    assert_eq!(inbound.state("1"), "dispatched");
    assert_eq!(
        inbound.outcome("pbx", &call("call-ended", "c1")),
        ("moved".into(), one("1"))
    );
    assert_eq!(
        inbound.outcome("pbx", &call("call-started", "c1")),
        ("known".into(), one("1"))
    );

    // The end overtakes the beginning.
    assert_eq!(
        inbound.outcome("pbx", &call("call-ended", "c2")),
        ("moved".into(), one("2"))
    );
    assert_eq!(
        inbound.outcome("pbx", &call("call-started", "c2")),
        ("commented".into(), one("2"))
    );
    let said = inbound.service.get("eye", "/v1/tickets/2/timeline").is(200);
    let comment = "Ms Low +49 30 1234567 has called; tom has answered.";
    assert!(said.text.contains(comment), "{}", said.text);
    assert_eq!(
        inbound.outcome("pbx", &call("call-started", "c2")).1,
        one("2")
    );
    assert_eq!(inbound.state("2"), "dispatched");

    // Solved while they spoke: the end of the call is no new ticket, though its key is free again.
    assert_eq!(
        inbound.outcome("pbx", &call("call-started", "c3")),
        ("opened".into(), one("3"))
    );
    inbound
        .service
        .act("boss", "3", "cancel", &json!({ "reason": "wrong number" }))
        .is(200);
    // The list is of the index, which learns of it a moment later.
    let path = "/v1/tickets?standing=ended&workflow=trouble-ticket";
    while !inbound
        .service
        .get("eye", path)
        .text
        .contains("\"id\":\"3\"")
    {
        std::thread::yield_now();
    }
    assert_eq!(
        inbound.outcome("pbx", &call("call-ended", "c3")),
        ("known".into(), one("3"))
    );
    assert_eq!(inbound.tickets(), 3);

    // Somebody whom the directory does not know, or nobody, is no reason to lose a call.
    let mut stranger = call("call-started", "c4");
    stranger["agent"] = json!("somebody new");
    assert_eq!(inbound.outcome("pbx", &stranger).0, "opened");
    assert_eq!(inbound.ticket("4")["opener"]["kind"], "system");
    let little = json!({ "event": "call-started", "call": 5 });
    assert_eq!(inbound.outcome("pbx", &little).0, "opened");
    assert_eq!(inbound.ticket("5")["fields"]["caller"], "unknown number");
}

#[test]
fn cloud_events_come_in_the_body_in_headers_and_in_batches() {
    let inbound = Inbound::with(&[("ce", "cloudevents")]);
    let event = |id: &str, kind: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "/sensors/7", "type": kind, "subject": "boiler",
            "time": "2026-03-06T01:00:00Z", "data": { "severity": "error", "summary": "压力过高" },
        })
    };
    let structured = [(
        "content-type",
        "application/cloudevents+json; charset=utf-8",
    )];
    let send = |headers: &[(&str, &str)], body: &Value| {
        let answer = inbound
            .raw("ce", headers, body.to_string().as_bytes())
            .is(200)
            .json();
        let results = answer["results"].as_array().unwrap().clone();
        results.iter().map(outcome).collect::<Vec<_>>()
    };
    let raised = event("1", "com.example.fault.raised.v1");
    assert_eq!(send(&structured, &raised), [("opened".into(), one("1"))]);
    let ticket = inbound.ticket("1");
    assert_eq!(ticket["key"], "/sensors/7 boiler");
    assert_eq!(ticket["fields"]["severity"], "Sev 2");
    assert!(
        ticket["fields"]["summary"]
            .as_str()
            .unwrap()
            .starts_with("压力过高")
    );

    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "/sensors/7"),
        ("ce-type", "com.example.fault.cleared"),
        ("ce-subject", "bo%69ler"),
    ];
    let data = json!({ "pressure": 2 });
    assert_eq!(send(&binary, &data), [("moved".into(), one("1"))]);
    assert_eq!(inbound.state("1"), "restored");

    let batch = [("content-type", "application/cloudevents-batch+json")];
    let events = json!([
        event("3", "com.example.fault.raised"),
        event("4", "com.example.measured")
    ]);
    assert_eq!(
        send(&batch, &events),
        [("moved".into(), one("1")), ("commented".into(), one("1"))]
    );
    assert_eq!(send(&batch, &events)[1], ("commented".into(), one("1")));

    for missing in ["id", "source", "type", "specversion"] {
        let mut event = event("9", "x.raised");
        event.as_object_mut().unwrap().remove(missing);
        let answer = inbound.raw("ce", &structured, event.to_string().as_bytes());
        let said = answer.refuses(422, "not-understood");
        let expected = format!("`/{missing}` is missing");
        assert!(
            said["detail"].as_str().unwrap().contains(&expected),
            "{said}"
        );
    }
    let mut old = event("9", "x.raised");
    old["specversion"] = json!("0.3");
    inbound.post("ce", &old).refuses(422, "not-understood");
    inbound
        .raw("ce", &batch, b"{}")
        .refuses(422, "not-understood");
}
