//! Files, health, figures, and starts that are refused.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::kit::{Service, bearer, shipped, tokens};
use super::peer::{Peer, Reaction};
use crate::heartbeat::HeartbeatSettings;
use crate::{Daemon, ROUTES, Start, StartError};

fn put(service: &Service, who: &str, name: &str, text: &str) -> super::kit::Answer {
    let token = bearer(who);
    let path = format!("/v1/files/{name}");
    service.send("PUT", &path, &[("authorization", &token)], text.as_bytes())
}

#[test]
fn a_file_is_deployed_kept_in_the_folder_and_read_by_the_next_start() {
    let mut service = Service::start();
    let text = fs::read_to_string(shipped().join("trouble-ticket.yaml")).unwrap();
    let id = service.call("tom", "one");
    let newer = text.replace("\nversion: 1\n", "\nversion: 2\n");
    put(&service, "lea", "trouble-ticket.yaml", &newer).refuses(403, "not-allowed");
    for name in ["..%2Fa.yaml", "A.yaml", "a.txt", ".yaml", "a%00.yaml"] {
        put(&service, "boss", name, &newer).refuses(422, "name-wrong");
    }
    let changed = text.replace("15 min", "20 min");
    put(&service, "boss", "trouble-ticket.yaml", &changed).refuses(409, "same-version");
    let broken = newer.replace("goto: working }", "goto: wroking }");
    let said = put(&service, "boss", "trouble-ticket.yaml", &broken).refuses(422, "files-wrong");
    let first = &said["diagnostics"][0];
    assert_eq!(
        (&first["code"], &first["file"]),
        (&json!("unknown-state"), &json!("trouble-ticket.yaml"))
    );
    assert!(first["line"].as_u64().unwrap() > 1);
    let kept = || fs::read_to_string(service.workflows.path().join("trouble-ticket.yaml")).unwrap();
    assert_eq!(kept(), text, "what is wrong is not kept");

    let answer = put(&service, "boss", "trouble-ticket.yaml", &newer)
        .is(200)
        .json();
    assert_eq!(
        answer["workflows"],
        json!([{ "name": "trouble-ticket", "version": 2 }])
    );
    assert_eq!(kept(), newer);
    service.restart();
    let version =
        |id: &str| service.get("eye", &format!("/v1/tickets/{id}")).json()["version"].clone();
    let second = service.call("tom", "two");
    assert_eq!((version(&id), version(&second)), (json!(1), json!(2)));
}

#[test]
fn who_is_on_call_follows_the_directory_that_holds() {
    let service = Service::start();
    let desk = |query: &str| {
        let found = service.get("rosa", &format!("/v1/oncall?team=service-desk{query}"));
        let found = found.is(200).json();
        assert_eq!(found["teams"].as_array().unwrap().len(), 1, "{found}");
        found["teams"][0].clone()
    };
    // Friday, 10:00 in Shanghai; the desk has shifts from 09:00 to 18:00.
    let at = "&at=2026-03-06T02:00:00Z&days=1";
    let found = desk(at);
    let ids = |people: &serde_json::Value| {
        let people = people.as_array().unwrap().iter();
        people
            .map(|one| one["person"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&found["on-duty"]), ["ann", "bob", "cem"]);
    assert_eq!(found["until"], "2026-03-06T10:00:00Z");
    let gap = json!([{ "from": "2026-03-06T10:00:00Z", "to": "2026-03-07T01:00:00Z" }]);
    assert_eq!(found["gaps"], gap);
    assert_eq!(found["changes"].as_array().unwrap().len(), 2, "{found}");
    assert_eq!(desk("")["changes"], json!([]));

    let path = service.workflows.path().join("directory.yaml");
    let text = fs::read_to_string(path).unwrap();
    let changed = text.replace("members: [ann, bob, cem]", "members: [ann, bob]");
    assert_ne!(changed, text);
    put(&service, "boss", "directory.yaml", &changed).is(200);
    assert_eq!(ids(&desk(at)["on-duty"]), ["ann", "bob"]);

    let refused = |query: &str| service.get("ann", &format!("/v1/oncall?{query}"));
    refused("team=none").refuses(404, "no-such-team");
    refused("calendar=none").refuses(404, "no-such-calendar");
    for query in ["days=367", "days=-1", "at=now", "who=ann"] {
        refused(query).refuses(400, "query-wrong");
    }
}

#[test]
fn a_monitor_is_told_that_all_is_well() {
    let monitor = Peer::start([Reaction::ok(), Reaction::status(503), Reaction::ok()]);
    let mut settings = HeartbeatSettings::new(monitor.url()).beating(Duration::from_millis(50));
    settings.allow_private = true;
    let mut service = Service::start();
    service.adjust(move |start| start.heartbeat(Some(settings.clone())));
    service.restart();
    let heard = monitor.wait_for(4);
    assert!(
        heard
            .iter()
            .all(|beat| beat.path == "/hook" && beat.body.is_empty())
    );
    let ready = service.get("eye", "/readyz").is(200).json();
    assert_eq!(ready["warnings"], json!([]));
}

#[test]
fn a_broken_folder_keeps_what_held_and_says_so() {
    let mut service = Service::start();
    let id = service.call("tom", "one");
    let path = service.workflows.path().join("trouble-ticket.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("start: new", "start: nwe")).unwrap();
    let reloaded = service.runtime.block_on(service.daemon().reload());
    assert!(
        matches!(reloaded, Err(StartError::Files(_))),
        "{reloaded:?}"
    );
    let ready = |service: &Service| service.send("GET", "/readyz", &[], b"").is(200).json();
    assert_eq!(ready(&service)["warnings"][0]["code"], "files");
    let figures = service.get("eye", "/metrics").text;
    assert!(figures.contains("\nupline_files_broken 1\n"), "{figures}");
    let warning = "\nupline_warnings{code=\"files\"} 1\n";
    assert!(figures.contains(warning), "{figures}");

    service.restart();
    assert_eq!(ready(&service)["warnings"][0]["code"], "files");
    service.act("tom", &id, "open", &json!({})).is(200);
    fs::write(&path, &text).unwrap();
    service.runtime.block_on(service.daemon().reload()).unwrap();
    assert_eq!(
        ready(&service),
        json!({ "ready": true, "reasons": [], "warnings": [] })
    );
}

#[test]
fn health_and_figures_are_told() {
    let service = Service::start();
    service.call("tom", "one");
    let health = service.send("GET", "/healthz", &[], b"").is(200);
    assert_eq!(health.json(), json!({ "ok": true }));
    assert_eq!(health.header("cache-control"), "no-store");
    let version = service.send("GET", "/version", &[], b"").is(200).json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    service.get("tom", "/v1/nothing").is(404);
    let metrics = service.get("eye", "/metrics").is(200);
    let expected = [
        "upline_tickets 1",
        "upline_tickets_open{workflow=\"trouble-ticket\",state=\"new\",level=\"0\"} 1",
        "upline_timer_lag_seconds 0",
        "upline_tickets_forgotten 0",
        "upline_incidents_total{kind=\"gap\"} 0",
        "upline_http_answers_total{status=\"4xx\"} 1",
    ];
    for line in expected {
        assert!(
            metrics.text.lines().any(|known| known == line),
            "{line}\n{}",
            metrics.text
        );
    }
    for line in metrics.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with("upline_") && value.parse::<f64>().is_ok(),
            "{line}"
        );
    }
}

#[test]
fn every_route_is_there() {
    let service = Service::start();
    for (method, path) in ROUTES {
        let path = path
            .replace("{id}", "1")
            .replace("{action}", "claim")
            .replace("{message}", "m")
            .replace("{name}", "a.yaml");
        let answer = service.send(method, &path, &[], b"");
        let open = matches!(
            path.as_str(),
            "/healthz" | "/readyz" | "/version" | "/v1/openapi.json"
        );
        let status = match open {
            true => 200,
            // Its token is another one.
            false if path.starts_with("/a/") => 404,
            // It says nothing of who comes.
            false if path == "/v1/login" => 422,
            // There is no such source.
            false if answer.text.contains("no-such-source") => 404,
            false => 401,
        };
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[test]
fn what_would_be_unsafe_or_forgets_tickets_does_not_start() {
    let service = Service::start();
    let other = tempfile::tempdir().unwrap();
    let start = |listen: &str| Start::new(other.path(), shipped(), listen.parse().unwrap());
    let begin = |start: Start| service.runtime.block_on(Daemon::start(start));
    let refused = begin(start("0.0.0.0:0"));
    assert!(
        matches!(refused, Err(StartError::NoTokens { .. })),
        "{refused:?}"
    );
    let refused = begin(start("[::]:0").tokens(tokens()));
    assert!(
        matches!(refused, Err(StartError::NoTls { .. })),
        "{refused:?}"
    );
    let taken = service.daemon().address().to_string();
    let refused = begin(start(&taken));
    assert!(
        matches!(refused, Err(StartError::Listen { .. })),
        "{refused:?}"
    );

    let workflows = tempfile::tempdir().unwrap();
    let refused = Service::on(workflows);
    assert!(matches!(refused, Err(StartError::NoDirectory)));
    let workflows = tempfile::tempdir().unwrap();
    for name in ["directory.yaml", "trouble-ticket.yaml"] {
        let text = fs::read_to_string(shipped().join(name)).unwrap();
        let text = text
            .replace("start: new", "start: nwe")
            .replace("goto: resolved,", "goto: solved,");
        fs::write(workflows.path().join(name), text).unwrap();
    }
    let Err(StartError::Files(checked)) = Service::on(workflows) else {
        panic!("it has started");
    };
    assert!(
        checked.diagnostics.len() >= 2,
        "all mistakes are told at once"
    );
}
