//! Who is on call, and what people change of it.

use serde_json::{Value, json};

use super::super::{Operation, Types};
use super::KEY;
use crate::api::{oncall, overrides};

pub(super) fn all(types: &mut Types) -> Vec<Operation> {
    let mut all = vec![oncall(types)];
    all.extend(changes(types));
    all
}

fn oncall(types: &mut Types) -> Operation {
    let team = json!({
        "type": "object",
        "required": [
            "team", "schedule", "zone", "on-duty", "until", "then", "lead", "manager", "changes",
            "gaps",
        ],
    });
    let found = json!({
        "type": "object",
        "required": ["at", "to", "teams", "last-resort"],
        "properties": { "teams": { "type": "array", "items": team } },
    });
    Operation::new(
        "GET",
        "/v1/oncall",
        "oncall",
        "Who is on call, from when until when",
    )
    .token()
    .query(types.query::<oncall::Wanted>())
    .answers(200, "Who is on call.", found)
    .refuses(404, &["no-such-team", "no-such-calendar"])
}

fn changes(types: &mut Types) -> [Operation; 3] {
    let path = "/v1/oncall/{schedule}/overrides";
    let one = "/v1/oncall/{schedule}/overrides/{id}";
    let list = "Overrides of who is on call that are not over";
    let make = "Puts somebody on call for a time";
    let remove = "Removes an override, or ends one that is under way";
    [
        Operation::new("GET", path, "listOverrides", list)
            .query(Vec::new())
            .answers(200, "Those that were made here.", overrides_of_one())
            .refuses(404, &["no-such-schedule"]),
        Operation::new("POST", path, "makeOverride", make)
            .header(
                KEY,
                true,
                "1 to 255 bytes; the same request with it again makes none.",
            )
            .json(types.of::<overrides::Wanted>(), true)
            .answers(201, "The override, and who is on duty then.", made(true))
            .answer_header(201, "Location", "Where it is.")
            .answer_header(201, "Idempotent-Replayed", "`true`: it was made before.")
            .refuses(400, &["key-missing", "key-wrong"])
            .refuses(403, &["not-allowed"])
            .refuses(404, &["no-such-schedule"])
            .refuses(409, &["overlapping", "too-many-overrides"])
            .refuses(413, &["too-large"])
            .refuses(
                422,
                &[
                    "no-such-person",
                    "bad-time",
                    "no-effect",
                    "cannot-have",
                    "files-wrong",
                    "other-command",
                ],
            ),
        Operation::new("DELETE", one, "removeOverride", remove)
            .query(Vec::new())
            .answers(200, "What it was, and who is on duty now.", made(true))
            .refuses(403, &["not-allowed"])
            .refuses(404, &["no-such-override"])
            .refuses(409, &["is-over"])
            .refuses(413, &["too-large"])
            .refuses(422, &["files-wrong"]),
    ]
    .map(Operation::token)
}

fn overrides_of_one() -> Value {
    json!({
        "type": "object",
        "required": ["at", "schedule", "zone", "overrides"],
        "properties": {
            "at": { "type": "string", "format": "date-time" },
            "schedule": { "type": "string" },
            "zone": { "type": ["string", "null"] },
            "overrides": { "type": "array", "items": made(false) },
        },
    })
}

/// An override; with who is on duty then, where it was changed.
fn made(with_then: bool) -> Value {
    let text = json!({ "type": "string" });
    let maybe = json!({ "type": ["string", "null"] });
    let at = json!({ "type": "string", "format": "date-time" });
    let deed = json!({
        "type": "object",
        "required": ["at", "token", "person"],
        "properties": { "at": at, "token": text, "person": maybe },
    });
    let mut required = vec![
        "id",
        "schedule",
        "zone",
        "from",
        "to",
        "on-call",
        "instead-of",
        "made",
        "removed",
        "left-out",
    ];
    let mut value = json!({
        "type": "object",
        "properties": {
            "id": text,
            "schedule": text,
            "zone": maybe,
            "from": at,
            "to": at,
            "on-call": text,
            "instead-of": maybe,
            "made": deed,
            "removed": { "anyOf": [deed, { "type": "null" }] },
            "left-out": {
                "type": ["string", "null"],
                "description": "Why the directory does not have it; null: it has.",
            },
        },
    });
    if with_then {
        required.push("then");
        let person = json!({ "type": "object", "required": ["person", "name"] });
        value["properties"]["then"] = json!({
            "type": ["object", "null"],
            "required": ["at", "on-duty"],
            "properties": { "at": at, "on-duty": { "type": "array", "items": person } },
        });
    }
    value["required"] = json!(required);
    value
}
