//! Tickets in every standing that one can have.

use serde_json::json;

use crate::tests::kit::Service;

/// Standings of a ticket, which `pbx` has opened: the name, and what is done to it.
pub(super) const STANDINGS: [&str; 14] = [
    "new",
    "asked",
    "working",
    "waiting",
    "resolved",
    "suspended",
    "offered",
    "taken",
    "parallel",
    "done",
    "set-aside",
    "ended",
    "erased",
    "missing",
];

/// What the shipped workflows have for other people only: an offer, a checklist, a word of one's own about when
/// one answers, branches, and messages of other systems.
pub(super) const ROUNDS: &str = "\
workflow: rounds
fields:
  what: { type: text, label: What }
ladders:
  slow: [{ after: 2 h, assign: lead of service-desk }]
  quiet:
    answer-by: 4 h
    levels: [{ after: 2 h, assign: lead of service-desk }]
start: offered
states:
  offered:
    assign: anyone in service-desk
    escalate: slow
    actions: { accept: { goto: taken, message: go } }
  taken:
    assign: who did accept
    escalate: quiet
    form: [what]
    checklist: { looked: Looked }
    actions: { split: { goto: both, message: go } }
  both:
    parallel:
      branches:
        left:
          start: one
          states:
            one: { assign: who did accept, escalate: quiet, form: [what], checklist: { looked: Looked }, actions: { over: { goto: two, message: go } } }
            two: { end: done }
        right:
          start: three
          states:
            three: { assign: user bob, escalate: slow, actions: { over: { goto: four } } }
            four: { end: done }
      join: all
      goto: last
  last:
    assign: user ann
    escalate: slow
    actions: { finish: { goto: closed } }
  closed: { end: done }
";

/// A ticket of [`ROUNDS`] in this standing.
fn round(service: &Service, standing: &str, key: &str) -> String {
    let body = json!({ "workflow": "rounds", "fields": {} });
    let key = [("idempotency-key", key)];
    let opened = service.post("pbx", "/v1/tickets", &key, &body).is(201);
    let id = opened.json()["id"].as_str().unwrap().to_owned();
    service.settle();
    // Who has claimed it has taken it, in the states behind that too.
    for action in ["claim", "accept", "split"] {
        if standing == "offered" || (standing, action) == ("taken", "split") {
            break;
        }
        service.act("ann", &id, action, &json!({})).is(200);
    }
    service.settle();
    id
}

/// A ticket in this standing.
pub(super) fn ticket(service: &Service, standing: &str, key: &str) -> String {
    match standing {
        "missing" => return "no-such".to_owned(),
        "offered" | "taken" | "parallel" => return round(service, standing, key),
        "set-aside" => {
            let list = service.get("boss", "/v1/set-aside").is(200).json();
            return list["tickets"][0]["id"].as_str().unwrap().to_owned();
        }
        _ => (),
    }
    let id = service.call("pbx", key);
    if standing == "new" {
        return id;
    }
    service.act("boss", &id, "open", &json!({})).is(200);
    service.settle();
    // Whoever is asked hands it to ann, so that each ticket has the same people.
    let (_, holder) = service.standing(&id);
    if holder != "ann" {
        let to = json!({ "to": "ann", "reason": "hers" });
        service.act("boss", &id, "reassign", &to).is(200);
    }
    match standing {
        "working" => {
            service.act("ann", &id, "accept", &json!({})).is(200);
        }
        "waiting" | "resolved" | "done" => {
            service.act("ann", &id, "accept", &json!({})).is(200);
            let solved = json!({ "fields": { "cause": "Hardware", "solution": "new cable" } });
            let (action, body) = match standing {
                "waiting" => ("ask", json!({})),
                _ => ("resolve", solved),
            };
            service.act("ann", &id, action, &body).is(200);
            if standing == "done" {
                service.act("boss", &id, "confirm", &json!({})).is(200);
                service.act("ann", &id, "skip", &json!({})).is(200);
            }
        }
        "suspended" => {
            service.act("ann", &id, "accept", &json!({})).is(200);
            let until = json!({ "until": "2026-03-06T18:00:00+08:00", "reason": "waits" });
            service.act("boss", &id, "suspend", &until).is(200);
        }
        "ended" | "erased" => {
            service
                .act("boss", &id, "cancel", &json!({ "reason": "over" }))
                .is(200);
            if standing == "erased" {
                let path = format!("/v1/tickets/{id}/erase");
                service.post("boss", &path, &[], &json!({})).is(200);
            }
        }
        _ => (),
    }
    id
}
