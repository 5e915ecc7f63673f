//! Who is answered what: every role on every route, in every standing that a ticket can have.
//!
//! The table is made by asking, and compared with `table.txt`, which people have read. `UPLINE_BLESS=1` writes
//! it anew. What must hold whatever the table says is asserted for each answer.

mod standings;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use upline::core::Operation;

use super::inbound::{MORNING, alert, group, kept};
use super::kit::{Answer, Service, shipped_copy, tokens_text};
use super::links::kit::{Post, adjusted};
use super::login::entry;
use super::operator::set_aside;
use crate::ROUTES;
use crate::api::word;
use crate::inbound::SourceSettings;
use crate::links::LinksSettings;
use crate::tokens::Tokens;
use standings::{ROUNDS, STANDINGS, ticket};

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

/// A token of a source, the password of a login, and who has it.
const SOURCE: &str = "a token of sixteen bytes or more";
const PASSWORD: &str = "correct horse battery staple";
const LOGIN: &str = "ann-web";

/// How many tickets are set aside before anybody asks.
const ASIDE: u64 = 3;

fn ask(service: &Service, who: &str, method: &str, path: &str, body: &Value) -> Answer {
    // A source has a token of its own, which the other system has; who logs out has logged in.
    let bearer = match path {
        "/v1/hooks/monitor" if who == "pbx" => format!("Bearer {SOURCE}"),
        "/v1/logout" if who == "ann" => format!("Bearer {}", logged_in(service)),
        _ => format!("Bearer upl_{who}"),
    };
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
    let body = match (method, body) {
        ("GET", _) | (_, Value::Null) => String::new(),
        (_, Value::String(text)) => text.clone(),
        _ => body.to_string(),
    };
    service.send(method, path, &headers, body.as_bytes())
}

/// The token of somebody who has just logged in.
fn logged_in(service: &Service) -> String {
    let body = json!({ "name": LOGIN, "password": PASSWORD }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = service.send("POST", "/v1/login", &headers, body.as_bytes());
    answer.is(200).json()["token"].as_str().unwrap().to_owned()
}

/// A body with which the operation would be taken, if the caller may.
fn body(service: &Service, id: &str, standing: &str, operation: &str) -> Value {
    let mut body = body_of(operation);
    match operation {
        // The clock that runs, if there is one.
        "change-clock" => body["clock"] = json!(clock(service, id).unwrap_or(1)),
        "resolve" => body = json!({ "fields": { "cause": "Hardware", "solution": "new" } }),
        "accept" | "open" => (),
        _ if standing == "parallel" => body["branch"] = json!("left"),
        _ => (),
    }
    body
}

/// A clock of the ticket that runs.
fn clock(service: &Service, id: &str) -> Option<u64> {
    let handle = service.daemon().handle();
    let ticket = service.runtime.block_on(handle.ticket(id)).ok()??;
    ticket.clocks.first().map(|clock| clock.id.into())
}

fn body_of(operation: &str) -> Value {
    match operation {
        "delegate" | "reassign" => json!({ "to": "bob", "reason": "r" }),
        "escalate" | "cancel" | "decline" | "release" => json!({ "reason": "r" }),
        "suspend" => json!({ "until": "2026-03-06T17:00:00+08:00", "reason": "r" }),
        "comment" => json!({ "text": "t" }),
        "save" => json!({ "fields": {} }),
        "tick" => json!({ "item": "looked", "done": true }),
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

/// What was answered to anybody with less than 400: actions and routes.
type Done = BTreeSet<String>;

fn actions_in(service: &Service, table: &mut String, done: &mut Done, standing: &str) {
    // Without the one who guesses: so many guesses are answered with 429.
    let callers = &CALLERS[..CALLERS.len() - 1];
    let title = format!("POST /v1/tickets/{{id}}/actions, {standing}");
    head(table, &title, callers);
    for action in actions() {
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
                let body = body(service, &id, standing, action);
                let answer = ask(service, who, "POST", &path, &body);
                is_sound(&answer, who, &path);
                match answer.status {
                    400.. => fresh = Some(id),
                    _ => _ = done.insert(action.to_owned()),
                }
                cell(&answer)
            })
            .collect();
        row(table, action, &cells);
    }
}

/// Some of the states' own, and each that the API has for every state.
fn actions() -> impl Iterator<Item = &'static str> {
    let words = Operation::ALL
        .into_iter()
        .filter(|operation| !matches!(operation, Operation::Act | Operation::Hold))
        .map(word);
    ["open", "accept", "resolve"].into_iter().chain(words)
}

fn questions_in(service: &Service, table: &mut String, done: &mut Done, standing: &str) {
    // Guesses are counted: who guesses does so in some standings.
    let callers = match standing {
        "new" | "working" | "ended" | "missing" => &CALLERS[..],
        _ => &CALLERS[..CALLERS.len() - 1],
    };
    head(table, &format!("of a ticket that is {standing}"), callers);
    let routes = ROUTES
        .iter()
        .filter(|(_, route)| route.starts_with("/v1/tickets/{id}") && !route.contains("{action}"));
    for (method, route) in routes {
        let mut fresh: Option<String> = None;
        let cells: Vec<String> = callers
            .iter()
            .map(|(who, _)| {
                let key = || format!("{standing}-{method}-{route}-{who}");
                let id = fresh
                    .take()
                    .unwrap_or_else(|| ticket(service, standing, &key()));
                let path = route.replace("{id}", &id);
                let path = match standing {
                    "offered" | "taken" | "parallel" => path.replace("{message}", "go"),
                    _ => path.replace("{message}", "call-ended"),
                };
                let path = match path.ends_with("/preview") {
                    true => format!("{path}?topic=assigned"),
                    false => path,
                };
                let body = match (*method, standing) {
                    ("PATCH", _) => body(service, &id, standing, "save"),
                    (_, "parallel") if path.ends_with("/go") => json!({ "branch": "left" }),
                    _ => json!({}),
                };
                let answer = ask(service, who, method, &path, &body);
                is_sound(&answer, who, &path);
                match (answer.status, *method) {
                    (400.., _) => fresh = Some(id),
                    (_, "GET") => {
                        done.insert(format!("{method} {route}"));
                        fresh = Some(id);
                    }
                    _ => _ = done.insert(format!("{method} {route}")),
                }
                cell(&answer)
            })
            .collect();
        row(table, &format!("{method} {route}"), &cells);
    }
}

/// What is sent to a route that is of no ticket.
fn body_for(service: &Service, method: &str, path: &str) -> Value {
    let file = service.workflows.path().join("trouble-ticket.yaml");
    let file = || std::fs::read_to_string(&file).unwrap();
    let comment = json!({ "ticket": "none", "action": "comment", "with": body_of("comment") });
    match (method, path) {
        ("PUT", _) => json!(file()),
        (_, "/v1/tickets:batch") => json!({ "commands": [comment] }),
        (_, "/v1/workflows:check") => {
            json!({ "files": [{ "name": "trouble-ticket.yaml", "text": file() }] })
        }
        (_, "/v1/hooks/monitor") => group(&[alert("f1", "firing", MORNING)]),
        (_, "/v1/login") => json!({ "name": LOGIN, "password": PASSWORD }),
        (_, "/v1/logout") => Value::Null,
        _ if path.ends_with("/overrides") => json!({ "to": "2026-03-07", "on-call": "max" }),
        _ => json!({ "workflow": "trouble-ticket", "fields": {} }),
    }
}

fn others(service: &Service, table: &mut String, done: &mut Done, link: &str) {
    head(table, "without a ticket", &CALLERS);
    let routes = ROUTES
        .iter()
        .filter(|(_, route)| !route.starts_with("/v1/tickets/{id}"));
    for (method, route) in routes {
        let path = route.replace("{name}", "trouble-ticket.yaml");
        let path = path.replace("{source}", "monitor");
        let path = path.replace("/a/{token}", link);
        let path = path.replace("{schedule}", "duty-officer");
        // Whoever comes first makes one, and removes it.
        let path = path.replace("{id}", if *method == "DELETE" { "1" } else { "none" });
        let body = body_for(service, method, &path);
        let cells: Vec<String> = CALLERS
            .iter()
            .map(|(who, _)| {
                let answer = ask(service, who, method, &path, &body);
                is_sound(&answer, who, &path);
                if answer.status < 400 {
                    done.insert(format!("{method} {route}"));
                }
                cell(&answer)
            })
            .collect();
        row(table, &format!("{method} {route}"), &cells);
    }
}

/// A service with all that a route can be about, some tickets of which are set aside, and a link to one of them.
fn service() -> (Service, String) {
    let workflows = shipped_copy();
    std::fs::write(workflows.path().join("rounds.yaml"), ROUNDS).unwrap();
    // Nobody has too much to do, however many tickets the table takes.
    let directory = workflows.path().join("directory.yaml");
    let people = std::fs::read_to_string(&directory).unwrap();
    std::fs::write(directory, people.replace(", at-most: 8 tickets", "")).unwrap();
    let secrets = tempfile::tempdir().unwrap();
    let source = SourceSettings {
        token: Some(kept(&secrets, "token", SOURCE)),
        ..SourceSettings::new("alertmanager")
    };
    let sources = BTreeMap::from([("monitor".to_owned(), source)]);
    let text = tokens_text() + &entry(LOGIN, PASSWORD, "agent", "ann");
    let post = Post::default();
    let sent = post.clone();
    let mut service = Service::with(workflows, move |start| {
        let start = start.tokens(Tokens::read(&text).unwrap());
        let start = start.sources(sources.clone());
        adjusted(start, &sent, LinksSettings::default())
    })
    .unwrap();
    let id = ticket(&service, "asked", "linked");
    assert_eq!(service.standing(&id).1, "ann");
    let link = post.link("ann");
    for number in 0..ASIDE {
        ticket(&service, "asked", &format!("aside-{number}"));
    }
    service.settle();
    service.stop();
    let numbers: Vec<u64> = (2..2 + ASIDE).collect();
    set_aside(&service, &numbers);
    service.start_again();
    (service, link)
}

#[test]
fn every_role_on_every_route_in_every_standing() {
    let (service, link) = service();
    let mut done = Done::new();
    let mut table = String::from(
        "Answers by role: the status, and the first letters of the code of a refusal.\n",
    );
    others(&service, &mut table, &mut done, &link);
    for standing in STANDINGS {
        questions_in(&service, &mut table, &mut done, standing);
        actions_in(&service, &mut table, &mut done, standing);
    }
    // A table of refusals alone would say nothing: each is done by somebody. A link is pressed, and a message
    // is tried, in tests of their own.
    let elsewhere = [("POST", "/a/{token}"), ("POST", "/v1/notify-tests")];
    let routes = ROUTES.iter().filter(|(method, route)| {
        !route.contains("{action}") && !elsewhere.contains(&(*method, *route))
    });
    let all = routes.map(|(method, route)| format!("{method} {route}"));
    let never: Vec<String> = all
        .chain(actions().map(str::to_owned))
        .filter(|one| !done.contains(one))
        .collect();
    assert_eq!(never, [""; 0]);
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
