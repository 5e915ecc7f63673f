//! Who is on call is changed while the service runs: through the API, for the tickets that come then, and for
//! good.

mod rights;

use std::fs;

use serde_json::{Value, json};

use super::kit::{Answer, BEGIN, Service, bearer};
use crate::{Daemon, Start};

const FIRST: &str = "/v1/oncall/platform-first/overrides";
const SECOND: &str = "/v1/oncall/platform-second/overrides";
/// Saturday morning in Berlin, when the night of the first on call is over.
const MORNING: &str = "2026-03-07 09:00";

/// By the directory, chen-hao is the first on call of this week and mei the second.
fn night(on_call: &str, instead_of: &str) -> Value {
    json!({ "to": MORNING, "on-call": on_call, "instead-of": instead_of })
}

fn make(service: &Service, who: &str, path: &str, key: &str, body: &Value) -> Answer {
    service.post(who, path, &[("idempotency-key", key)], body)
}

fn remove(service: &Service, who: &str, path: &str, id: &str) -> Answer {
    let path = format!("{path}/{id}");
    service.send("DELETE", &path, &[("authorization", &bearer(who))], b"")
}

fn list(service: &Service, path: &str) -> Vec<Value> {
    let all = service.get("eye", path).is(200).json();
    all["overrides"].as_array().unwrap().clone()
}

/// Who is on duty by this schedule now.
fn on_duty(service: &Service, schedule: &str) -> Vec<String> {
    let found = service.get("pbx", &format!("/v1/oncall?team={schedule}"));
    let found = found.is(200).json();
    let people = found["teams"][0]["on-duty"].as_array().unwrap().clone();
    let people = people.iter().map(|one| one["person"].as_str().unwrap());
    people.map(str::to_owned).collect()
}

/// An alert opens an incident; its id.
fn alarm(service: &Service, key: &str) -> String {
    let incident = json!({
        "workflow": "it-incident",
        "fields": { "alert": "disk full", "severity": "Sev 1", "summary": "the shop is down" },
    });
    let opened = make(service, "pbx", "/v1/tickets", key, &incident).is(201);
    service.settle();
    opened.json()["id"].as_str().unwrap().to_owned()
}

fn asked(service: &Service, key: &str) -> String {
    let id = alarm(service, key);
    service.standing(&id).1
}

fn warnings(service: &Service) -> Vec<String> {
    let ready = service.send("GET", "/readyz", &[], b"").is(200).json();
    let all = ready["warnings"].as_array().unwrap().iter();
    let own = all.filter(|one| one["code"] == "overrides");
    own.map(|one| one["detail"].as_str().unwrap().to_owned())
        .collect()
}

/// The text of the directory is another from now on.
fn edit(service: &Service, change: impl Fn(&str) -> String) {
    let path = service.workflows.path().join("directory.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let new = change(&text);
    assert_ne!(new, text);
    fs::write(path, new).unwrap();
}

fn reload(service: &Service) {
    service.runtime.block_on(service.daemon().reload()).unwrap();
}

#[test]
fn whoever_stands_in_is_on_call_and_has_the_tickets_also_after_a_restart_and_a_reload() {
    let mut service = Service::start();
    assert_eq!(asked(&service, "before"), "chen-hao");
    let made = make(&service, "lea", FIRST, "1", &night("jonas", "chen-hao")).is(201);
    assert_eq!(made.header("location"), format!("{FIRST}/1"));
    let made = made.json();
    let expected = json!({
        "id": "1",
        "schedule": "platform-first",
        "zone": "Europe/Berlin",
        "from": "2026-03-06T01:10:00Z",
        "to": "2026-03-07T08:00:00Z",
        "on-call": "jonas",
        "instead-of": "chen-hao",
        "made": { "at": "2026-03-06T01:10:00Z", "token": "lea", "person": "lea" },
        "removed": null,
        "left-out": null,
        "then": { "at": "2026-03-06T01:10:00Z", "on-duty": [{
            "person": "jonas", "name": "Jonas Weber", "away-until": null, "stand-in": null,
        }] },
    });
    assert_eq!(made, expected);
    let told = list(&service, FIRST);
    assert_eq!((told.len(), &told[0]["made"]), (1, &made["made"]));
    assert_eq!(on_duty(&service, "platform-first"), ["jonas"]);
    assert_eq!(asked(&service, "made"), "jonas");

    service.restart();
    assert_eq!(on_duty(&service, "platform-first"), ["jonas"]);
    assert_eq!(list(&service, FIRST), told);
    assert_eq!(asked(&service, "restarted"), "jonas");
    edit(&service, |text| format!("{text}# another text\n"));
    reload(&service);
    assert_eq!(asked(&service, "reloaded"), "jonas");
    // A directory that is put through the API is the one they are laid over, too.
    let text = fs::read(service.workflows.path().join("directory.yaml")).unwrap();
    let text = [&text[..], b"# and once more\n"].concat();
    let headers = [("authorization", bearer("boss"))];
    let headers = headers.each_ref().map(|(a, b)| (*a, b.as_str()));
    let put = service.send("PUT", "/v1/files/directory.yaml", &headers, &text);
    assert_eq!(put.is(200).json()["directory"], true);
    assert_eq!(asked(&service, "put"), "jonas");
    let kept = fs::read(service.workflows.path().join("directory.yaml"));
    assert_eq!(kept.unwrap(), text, "the author's file is as he wrote it");

    // A broken folder takes nothing away either, and then a start on it.
    edit(&service, |text| text.replace("directory:", "diretcory"));
    assert!(service.runtime.block_on(service.daemon().reload()).is_err());
    assert_eq!(asked(&service, "broken"), "jonas");
    service.restart();
    assert_eq!(asked(&service, "broken start"), "jonas");
    let refused = make(
        &service,
        "lea",
        FIRST,
        "2",
        &json!({ "to": "2026-03-09", "on-call": "mei" }),
    );
    refused.refuses(503, "folder");
    edit(&service, |text| text.replace("diretcory", "directory:"));
    reload(&service);

    service.pass(31 * 60);
    assert_eq!(on_duty(&service, "platform-first"), ["chen-hao"]);
    assert_eq!(list(&service, FIRST), [Value::Null; 0]);
    assert_eq!(asked(&service, "over"), "chen-hao");
    let yesterday = "/v1/oncall?team=platform-first&at=2026-03-06T12:00:00Z";
    let past = service.get("eye", yesterday).is(200).json();
    assert_eq!(past["teams"][0]["on-duty"][0]["person"], "jonas");
    remove(&service, "lea", FIRST, "1").refuses(409, "is-over");
    assert_eq!(warnings(&service), [""; 0]);
}

#[test]
fn a_ladder_that_is_under_way_goes_to_the_one_who_stands_in() {
    let service = Service::start();
    let (one, other) = (alarm(&service, "one"), alarm(&service, "other"));
    let body = json!({ "from": BEGIN, "to": "2026-03-06T02:00:00Z", "on-call": "viktor", "instead-of": "mei" });
    make(&service, "boss", SECOND, "1", &body).is(201);
    service
        .act("boss", &other, "cancel", &json!({ "reason": "r" }))
        .is(200);
    service.pass(5);
    assert_eq!(service.standing(&one).1, "viktor");
    // Removed while it is under way, it ends now, and what was is known.
    service.pass(1);
    let removed = remove(&service, "lea", SECOND, "1").is(200).json();
    assert_eq!(removed["then"]["on-duty"][0]["person"], "mei");
    assert_eq!(removed["removed"]["person"], "lea");
    assert_eq!(on_duty(&service, "platform-second"), ["mei"]);
    let before = "/v1/oncall?team=platform-second&at=2026-03-06T01:12:00Z";
    let before = service.get("eye", before).is(200).json();
    assert_eq!(before["teams"][0]["on-duty"][0]["person"], "viktor");
    let again = remove(&service, "boss", SECOND, "1").is(200).json();
    assert_eq!(again["removed"], removed["removed"], "as the first time");
    let next = alarm(&service, "next");
    service.pass(5);
    assert_eq!(service.standing(&next).1, "mei");
}

#[test]
fn one_that_is_removed_before_it_begins_leaves_nothing() {
    let mut service = Service::start();
    let body = json!({ "from": "2026-03-06", "to": "2026-03-06", "on-call": "nadia" });
    let made = make(&service, "boss", FIRST, "1", &body).is(201).json();
    // A day ends with its last second, by the clocks of Berlin, where it has not begun yet.
    let span = (&made["from"], &made["to"]);
    assert_eq!(
        span,
        (
            &json!("2026-03-05T23:00:00Z"),
            &json!("2026-03-06T23:00:00Z")
        )
    );
    assert_eq!(on_duty(&service, "platform-first"), ["nadia", "chen-hao"]);
    let body =
        json!({ "from": "2026-03-08T10:00:00Z", "to": "2026-03-08T11:00:00Z", "on-call": "nadia" });
    let id = make(&service, "boss", FIRST, "2", &body).is(201).json()["id"].clone();
    remove(&service, "boss", FIRST, id.as_str().unwrap()).is(200);
    remove(&service, "boss", FIRST, "1").is(200);
    service.restart();
    assert_eq!(list(&service, FIRST), [Value::Null; 0]);
    let then = "/v1/oncall?team=platform-first&at=2026-03-08T10:30:00Z";
    let then = service.get("eye", then).is(200).json();
    assert_eq!(then["teams"][0]["on-duty"].as_array().unwrap().len(), 1);
    for (schedule, id) in [
        ("platform-first", "7"),
        ("platform-first", "x"),
        ("duty-officer", "1"),
    ] {
        let path = format!("/v1/oncall/{schedule}/overrides");
        remove(&service, "boss", &path, id).refuses(404, "no-such-override");
    }
}

#[test]
fn the_same_request_again_makes_no_second_one() {
    let mut service = Service::start();
    let body = night("jonas", "chen-hao");
    let first = make(&service, "lea", FIRST, "one", &body).is(201);
    let again = make(&service, "lea", FIRST, "one", &body).is(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        (first.json(), first.header("location")),
        (again.json(), again.header("location"))
    );
    let other = night("nadia", "chen-hao");
    make(&service, "lea", FIRST, "one", &other).refuses(422, "other-command");
    make(&service, "lea", SECOND, "one", &body).refuses(422, "other-command");
    // Each token has its own keys.
    make(&service, "boss", FIRST, "one", &other).refuses(409, "overlapping");
    service.restart();
    make(&service, "lea", FIRST, "one", &body).is(201);
    assert_eq!(list(&service, FIRST).len(), 1);
    let missing = service.post("lea", FIRST, &[], &body);
    missing.refuses(400, "key-missing");
    // Removed, it stays removed, whoever asks for it again by that key.
    remove(&service, "lea", FIRST, "1").is(200);
    let told = make(&service, "lea", FIRST, "one", &body).is(201).json();
    assert_eq!(told["removed"]["token"], "lea");
    assert_eq!(on_duty(&service, "platform-first"), ["chen-hao"]);
    // After a week nobody tries again.
    service.pass(9 * 24 * 60);
    let later = json!({ "to": "2026-03-20", "on-call": "nadia" });
    let made = make(&service, "lea", FIRST, "one", &later).is(201);
    assert_eq!(
        (
            made.json()["id"].clone(),
            made.header("idempotent-replayed")
        ),
        (json!("2"), "")
    );
    let file = fs::read_to_string(service.data.path().join("overrides")).unwrap();
    assert!(!file.contains("jonas"), "{file}");
}

#[test]
fn what_can_not_be_is_refused_and_changes_nothing() {
    let service = Service::start();
    make(&service, "lea", FIRST, "there", &night("jonas", "chen-hao")).is(201);
    let before = list(&service, FIRST);
    let mut count = 0;
    let mut refused = |path: &str, body: Value, status: u16, code: &str| {
        count += 1;
        let answer = make(&service, "lea", path, &format!("{count}"), &body);
        let body = answer.refuses(status, code);
        format!("{} / {}", body["detail"], body["hint"])
    };
    let none = "/v1/oncall/platform-frist/overrides";
    let said = refused(none, night("jonas", "chen-hao"), 404, "no-such-schedule");
    assert!(said.contains("did you mean `platform-first`?"), "{said}");
    let said = refused(FIRST, night("jona", "chen-hao"), 422, "no-such-person");
    assert!(said.contains("did you mean `jonas`?"), "{said}");
    refused(FIRST, night("jonas", "nobody"), 422, "no-such-person");
    let said = refused(FIRST, night("mei", "chen-hao"), 409, "overlapping");
    assert!(said.contains("override 1 has put `jonas`"), "{said}");
    let said = refused(SECOND, night("jonas", "chen-hao"), 422, "no-effect");
    assert!(said.contains("he is on duty next from 2026-03-"), "{said}");
    refused(SECOND, night("mei", "mei"), 422, "no-effect");
    let span = |from: &str, to: &str| json!({ "from": from, "to": to, "on-call": "nadia" });
    for (from, to, why) in [
        ("2026-03-08 10:00", "2026-03-08 10:00", "it would end at"),
        ("2026-03-08 10:00", "2026-03-08 09:00", "it would end at"),
        ("2026-03-05 10:00", "2026-03-05 12:00", "it is over"),
        ("2026-03-08 10:00", "2029-03-08", "at most 732 days ahead"),
        ("2026-03-08 10:00", "soon", "`to`: this is no time"),
        ("10:00", "2026-03-08 10:00", "`from`: this is no time"),
        ("2026-03-08 10:00", "-009999-01-01", "`to`: "),
        // Half past two comes twice in this night, and schedules know the first one only.
        ("2026-10-25T01:30:00Z", "2026-10-25 12:00", "set back"),
    ] {
        let said = refused(FIRST, span(from, to), 422, "bad-time");
        assert!(said.contains(why), "{from} {to}: {said}");
    }
    refused(FIRST, json!({ "to": MORNING }), 422, "body-wrong");
    refused(
        FIRST,
        json!({ "to": MORNING, "on-call": "mei", "who": "mei" }),
        422,
        "body-wrong",
    );
    refused(
        FIRST,
        json!({ "to": "9".repeat(200), "on-call": "mei" }),
        422,
        "bad-time",
    );
    refused(
        FIRST,
        json!({ "to": MORNING, "on-call": "" }),
        422,
        "name-wrong",
    );
    assert_eq!(list(&service, FIRST), before);
    service.get("eye", none).refuses(404, "no-such-schedule");
    // Of two that come before everybody it would not be plain who is the first.
    make(
        &service,
        "lea",
        FIRST,
        "all",
        &span("2026-03-08", "2026-03-08"),
    )
    .is(201);
    let mut again = span("2026-03-08 23:00", "2026-03-09 01:00");
    again["on-call"] = "viktor".into();
    make(&service, "lea", FIRST, "all again", &again).refuses(409, "overlapping");
    // One that takes the place of the one who stands in is another matter.
    make(&service, "lea", FIRST, "ill", &night("mei", "jonas")).is(201);
    assert_eq!(on_duty(&service, "platform-first"), ["mei"]);
}

#[test]
fn what_a_new_directory_does_not_have_is_left_out_and_told() {
    let service = Service::start();
    make(&service, "lea", FIRST, "1", &night("jonas", "chen-hao")).is(201);
    let field = json!({ "to": "2026-03-08", "on-call": "vera" });
    make(&service, "lea", SECOND, "2", &field).is(201);
    let original = fs::read_to_string(service.workflows.path().join("directory.yaml")).unwrap();
    edit(&service, |text| {
        let text = text.replace("vera", "verena");
        text.replace("verena.blum@", "vera.blum@")
    });
    reload(&service);
    let told = "override 2, vera on call by platform-second, is left out: the directory has no person `vera`";
    assert_eq!(warnings(&service), [told]);
    assert_eq!(
        list(&service, SECOND)[0]["left-out"],
        "the directory has no person `vera`"
    );
    assert_eq!(list(&service, FIRST)[0]["left-out"], Value::Null);
    assert_eq!(on_duty(&service, "platform-second"), ["mei"]);
    assert_eq!(asked(&service, "one"), "jonas");
    // It is there again when she is.
    fs::write(service.workflows.path().join("directory.yaml"), original).unwrap();
    reload(&service);
    assert_eq!(warnings(&service), [""; 0]);
    assert_eq!(on_duty(&service, "platform-second"), ["vera", "mei"]);
    // What is left out can be seen and removed, whatever has gone.
    edit(&service, |text| {
        text.replace("duty-officer", "officer-of-duty")
    });
    let put = service.workflows.path().join("trouble-ticket.yaml");
    let workflow = fs::read_to_string(&put)
        .unwrap()
        .replace("duty-officer", "officer-of-duty");
    fs::write(put, workflow.replace("version: ", "version: 9")).unwrap();
    reload(&service);
    assert_eq!(warnings(&service), [""; 0]);
    remove(&service, "lea", SECOND, "2").is(200);
    assert_eq!(on_duty(&service, "platform-second"), ["mei"]);
    make(&service, "lea", SECOND, "3", &field).is(201);
    edit(&service, |text| text.replace("vera", "verena"));
    reload(&service);
    assert_eq!(warnings(&service).len(), 1);
    service.pass(3 * 24 * 60);
    assert_eq!(warnings(&service), [""; 0], "over, it concerns nobody");
}

#[test]
fn a_file_that_is_not_what_was_written_stops_the_start_and_says_what_to_do() {
    let mut service = Service::start();
    make(&service, "lea", FIRST, "1", &night("jonas", "chen-hao")).is(201);
    service.stop();
    let path = service.data.path().join("overrides");
    let text = fs::read_to_string(&path).unwrap();
    for wrong in [
        &text[..text.len() / 2],
        "",
        &text.replace("\"format\":1", "\"format\":2"),
    ] {
        fs::write(&path, wrong).unwrap();
        let start = Start::new(
            service.data.path(),
            service.workflows.path(),
            "127.0.0.1:0".parse().unwrap(),
        );
        let failed = service.runtime.block_on(Daemon::start(start)).unwrap_err();
        let said = failed.to_string();
        assert!(
            said.contains("overrides`: ") && said.contains("put it back"),
            "{said}"
        );
    }
    fs::write(&path, &text).unwrap();
    service.start_again();
    assert_eq!(on_duty(&service, "platform-first"), ["jonas"]);
    // The file is what counts: without it the directory of the journal does not go on with what it had.
    service.stop();
    fs::remove_file(&path).unwrap();
    service.start_again();
    assert_eq!(on_duty(&service, "platform-first"), ["chen-hao"]);
    // So a daemon that dies between the file and the engine has made the override.
    service.stop();
    fs::write(&path, &text).unwrap();
    service.start_again();
    assert_eq!(on_duty(&service, "platform-first"), ["jonas"]);
}
