//! Who is answered what: every role on every route, in every standing that a ticket can have.
//!
//! The table is made by asking, and compared with `table.txt`, which people have read. `UPLINE_BLESS=1` writes
//! it anew. What must hold whatever the table says is asserted for each answer.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use upline::core::Operation;

use super::kit::{Answer, Service};
use crate::ROUTES;
use crate::api::word;

/// Callers: tokens of [`kit`](super::kit), and what they are; a dash has none, a question mark a wrong one.
const CALLERS: [(&str, &str); 9] = [
    ("boss", "admin"),
    ("lea", "lead"),
    ("ann", "agent"),
    ("bob", "colleague"),
    ("rosa", "stranger"),
    ("eye", "reader"),
    ("pbx", "opener"),
    ("-", "nobody"),
    ("?", "wrong"),
];

/// Standings of a ticket, which `pbx` has opened: the name, and what is done to it.
const STANDINGS: [&str; 6] = ["new", "asked", "working", "suspended", "ended", "missing"];

fn ask(service: &Service, who: &str, method: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer upl_{who}");
    let key = format!("{method}-{path}-{who}");
    let mut headers = vec![("content-type", "application/json")];
    if who != "-" {
        headers.push(("authorization", bearer.as_str()));
    }
    match path {
        _ if method == "POST" && path.ends_with("/overrides") => {
            headers.push(("idempotency-key", key.as_str()));
        }
        "/v1/tickets" | "/v1/tickets:batch" => headers.push(("idempotency-key", key.as_str())),
        _ => headers.push(("if-match", "*")),
    }
    let body = match method {
        "GET" => String::new(),
        _ => body.to_string(),
    };
    service.send(method, path, &headers, body.as_bytes())
}

/// A ticket in this standing.
fn ticket(service: &Service, standing: &str, key: &str) -> String {
    if standing == "missing" {
        return "no-such".to_owned();
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
        "suspended" => {
            service.act("ann", &id, "accept", &json!({})).is(200);
            let until = json!({ "until": "2026-03-06T18:00:00+08:00", "reason": "waits" });
            service.act("boss", &id, "suspend", &until).is(200);
        }
        "ended" => {
            service
                .act("boss", &id, "cancel", &json!({ "reason": "over" }))
                .is(200);
        }
        _ => (),
    }
    id
}

/// A body with which the operation would be taken, if the caller may.
fn body(operation: &str) -> Value {
    match operation {
        "delegate" | "reassign" => json!({ "to": "bob", "reason": "r" }),
        "escalate" | "cancel" | "decline" | "release" => json!({ "reason": "r" }),
        "suspend" => json!({ "until": "2026-03-06T17:00:00+08:00", "reason": "r" }),
        "comment" => json!({ "text": "t" }),
        "save" => json!({ "fields": {} }),
        "tick" => json!({ "item": "none", "done": true }),
        "answer-by" => json!({ "at": "2026-03-06T09:20:00+08:00" }),
        "change-clock" => json!({ "clock": 1, "due": "2026-03-06T17:00:00+08:00", "reason": "r" }),
        _ => json!({}),
    }
}

/// What holds for every answer.
fn is_sound(answer: &Answer, who: &str, path: &str) {
    assert!(answer.status < 500, "{who} {path}: {answer:?}");
    let open = ["/healthz", "/readyz", "/version"].contains(&path)
        || path.starts_with("/a/")
        || path.starts_with("/v1/hooks/")
        || path == "/v1/login"
        || path.starts_with("/v1/openapi");
    if ["-", "?"].contains(&who) && !open {
        assert_eq!(answer.status, 401, "{who} {path}: {answer:?}");
    }
    if answer.status >= 400 && !path.starts_with("/a/") {
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    }
}

fn row(table: &mut String, what: &str, answers: &[String]) {
    writeln!(table, "{what:<44}{}", answers.join(" ")).unwrap();
}

fn head(table: &mut String, title: &str, callers: &[(&str, &str)]) {
    let callers: Vec<String> = callers
        .iter()
        .map(|(_, role)| format!("{role:<9}"))
        .collect();
    writeln!(table, "\n{title:<44}{}", callers.join(" ").trim_end()).unwrap();
}

/// The status, and for a refusal its code's initial letters, so that a change of the reason is seen too.
fn cell(answer: &Answer) -> String {
    let code = match answer.status {
        400.. => serde_json::from_str::<Value>(&answer.text).ok(),
        _ => None,
    };
    let code = code.and_then(|body| body["code"].as_str().map(str::to_owned));
    let letters: String = code
        .iter()
        .flat_map(|code| code.split('-'))
        .filter_map(|word| word.chars().next())
        .collect();
    format!("{:<9}", format!("{} {letters}", answer.status))
}

fn actions_in(service: &Service, table: &mut String, standing: &str) {
    // Without the one who guesses: so many guesses are answered with 429.
    let callers = &CALLERS[..CALLERS.len() - 1];
    let title = format!("POST /v1/tickets/{{id}}/actions, {standing}");
    head(table, &title, callers);
    let own = ["open", "accept", "resolve"];
    let words = Operation::ALL
        .into_iter()
        .filter(|operation| !matches!(operation, Operation::Act | Operation::Hold))
        .map(word);
    for action in own.into_iter().chain(words) {
        let mut fresh: Option<String> = None;
        let cells: Vec<String> = callers
            .iter()
            .map(|(who, _)| {
                // Another ticket once somebody has done something: the next caller is to meet the same.
                let key = || format!("{standing}-{action}-{who}");
                let id = fresh
                    .take()
                    .unwrap_or_else(|| ticket(service, standing, &key()));
                let path = format!("/v1/tickets/{id}/actions/{action}");
                let answer = ask(service, who, "POST", &path, &body(action));
                is_sound(&answer, who, &path);
                if answer.status >= 400 {
                    fresh = Some(id);
                }
                cell(&answer)
            })
            .collect();
        row(table, action, &cells);
    }
}

fn questions_in(service: &Service, table: &mut String, standing: &str) {
    head(table, &format!("of a ticket that is {standing}"), &CALLERS);
    let id = ticket(service, standing, &format!("{standing}-questions"));
    let routes = ROUTES
        .iter()
        .filter(|(_, route)| route.starts_with("/v1/tickets/{id}") && !route.contains("{action}"));
    for (method, route) in routes {
        let path = route.replace("{id}", &id).replace("{message}", "no-such");
        let path = match path.ends_with("/preview") {
            true => format!("{path}?topic=assigned"),
            false => path,
        };
        let cells: Vec<String> = CALLERS
            .iter()
            .map(|(who, _)| {
                let body = match *method {
                    "PATCH" => body("save"),
                    _ => json!({}),
                };
                let answer = ask(service, who, method, &path, &body);
                is_sound(&answer, who, &path);
                cell(&answer)
            })
            .collect();
        row(table, &format!("{method} {route}"), &cells);
    }
}

fn others(service: &Service, table: &mut String) {
    head(table, "without a ticket", &CALLERS);
    let routes = ROUTES
        .iter()
        .filter(|(_, route)| !route.starts_with("/v1/tickets/{id}"));
    for (method, route) in routes {
        let path = route.replace("{name}", "none.yaml");
        let path = path.replace("{source}", "none").replace("{token}", "none");
        let path = path.replace("{schedule}", "duty-officer");
        // Whoever comes first makes one, and removes it.
        let path = path.replace("{id}", if *method == "DELETE" { "1" } else { "none" });
        let comment = json!({ "ticket": "none", "action": "comment", "with": body("comment") });
        let body = match path.as_str() {
            "/v1/tickets:batch" => json!({ "commands": [comment] }),
            _ if path.ends_with("/overrides") => json!({ "to": "2026-03-07", "on-call": "max" }),
            _ => json!({ "workflow": "trouble-ticket", "fields": {} }),
        };
        let cells: Vec<String> = CALLERS
            .iter()
            .map(|(who, _)| {
                let answer = ask(service, who, method, &path, &body);
                is_sound(&answer, who, &path);
                cell(&answer)
            })
            .collect();
        row(table, &format!("{method} {route}"), &cells);
    }
}

#[test]
fn every_role_on_every_route_in_every_standing() {
    let service = Service::start();
    let mut table = String::from(
        "Answers by role: the status, and the first letters of the code of a refusal.\n",
    );
    others(&service, &mut table);
    for standing in STANDINGS {
        questions_in(&service, &mut table, standing);
        actions_in(&service, &mut table, standing);
    }
    let table: String = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tests/table.txt");
    if std::env::var_os("UPLINE_BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (line, (was, is)) in kept.lines().zip(table.lines()).enumerate() {
        assert_eq!(was, is, "line {} of table.txt", line + 1);
    }
    assert_eq!(kept.lines().count(), table.lines().count());
}
