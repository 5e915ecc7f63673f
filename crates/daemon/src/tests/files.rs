//! What holds is read, replaced only by whoever has seen it, and checked before it holds.

use std::fs;

use serde_json::{Value, json};

use super::kit::{Answer, Service, bearer, shipped, shipped_copy};

const ONE: &str = "/v1/files/trouble-ticket.yaml";

fn put(service: &Service, path: &str, seen: Option<&str>, text: &str) -> Answer {
    let token = bearer("boss");
    let mut headers = vec![("authorization", token.as_str())];
    headers.extend(seen.map(|seen| ("if-match", seen)));
    service.send("PUT", path, &headers, text.as_bytes())
}

fn check(service: &Service, who: &str, files: &[(&str, &str)]) -> Answer {
    let one = |(name, text): &(&str, &str)| json!({ "name": name, "text": text });
    let files: Vec<Value> = files.iter().map(one).collect();
    service.post(who, "/v1/workflows:check", &[], &json!({ "files": files }))
}

fn trouble_ticket() -> String {
    fs::read_to_string(shipped().join("trouble-ticket.yaml")).unwrap()
}

#[test]
fn the_files_that_hold_are_listed_and_read_as_they_were_written() {
    let mut service = Service::start();
    let all = service.get("lea", "/v1/files").is(200).json();
    let all = all["files"].as_array().unwrap();
    let names: Vec<&str> = all
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    assert!(
        names.is_sorted() && names.contains(&"directory.yaml"),
        "{names:?}"
    );
    let one = all
        .iter()
        .find(|file| file["name"] == "trouble-ticket.yaml")
        .unwrap();
    let text = trouble_ticket();
    let known = (
        &one["workflow"],
        &one["version"],
        &one["directory"],
        &one["bytes"],
    );
    let expected = (
        json!("trouble-ticket"),
        json!(1),
        json!(false),
        json!(text.len()),
    );
    assert_eq!(known, (&expected.0, &expected.1, &expected.2, &expected.3));
    let directories = all.iter().filter(|file| file["directory"] == true);
    assert_eq!(directories.count(), 1);
    for who in ["boss", "lea", "eye"] {
        let shown = service.get(who, ONE).is(200);
        assert_eq!(shown.text, text);
        assert_eq!(shown.header("content-type"), "application/yaml");
        assert_eq!(json!(shown.header("etag")), one["etag"]);
    }
    for who in ["ann", "pbx"] {
        service.get(who, "/v1/files").refuses(403, "not-allowed");
        service.get(who, ONE).refuses(403, "not-allowed");
        check(&service, who, &[("a.yaml", "")]).refuses(403, "not-allowed");
    }
    for none in ["none.yaml", "..%2Ftokens.toml", "trouble-ticket.yaml%00"] {
        let path = format!("/v1/files/{none}");
        service.get("boss", &path).refuses(404, "no-such-file");
    }
    // With somebody who stands in, the engine has another text: an author sees his own.
    let directory = "/v1/files/directory.yaml";
    let before = service.get("boss", directory).is(200);
    let night = json!({ "to": "2026-03-07", "on-call": "mei" });
    let made = service.post(
        "lea",
        "/v1/oncall/platform-first/overrides",
        &[("idempotency-key", "1")],
        &night,
    );
    made.is(201);
    let after = service.get("boss", directory).is(200);
    assert_eq!(
        (before.header("etag"), &before.text),
        (after.header("etag"), &after.text)
    );
    // A broken file is not what holds; after a start on it nobody knows what is.
    let path = service.workflows.path().join("trouble-ticket.yaml");
    fs::write(&path, "workflow: [").unwrap();
    assert!(service.runtime.block_on(service.daemon().reload()).is_err());
    assert_eq!(service.get("boss", ONE).is(200).text, text);
    service.restart();
    service.get("boss", ONE).refuses(503, "folder");
    service.get("boss", "/v1/files").refuses(503, "folder");
    check(&service, "boss", &[("a.yaml", "")]).refuses(503, "folder");
    fs::write(&path, text).unwrap();
    service.runtime.block_on(service.daemon().reload()).unwrap();
    service.get("boss", ONE).is(200);
}

#[test]
fn a_file_takes_the_place_only_of_the_one_that_was_seen() {
    let mut service = Service::start();
    let text = trouble_ticket();
    let version = |number: u32| text.replace("\nversion: 1\n", &format!("\nversion: {number}\n"));
    let first = service.get("boss", ONE).is(200);
    let second = put(&service, ONE, Some(first.header("etag")), &version(2)).is(200);
    assert_eq!(
        service.get("eye", ONE).header("etag"),
        second.header("etag")
    );
    // Somebody else had read the first one.
    let refused =
        put(&service, ONE, Some(first.header("etag")), &version(3)).refuses(412, "changed");
    assert_eq!(refused["etag"], second.header("etag"));
    assert_eq!(service.get("eye", ONE).text, version(2));
    let kept = fs::read_to_string(service.workflows.path().join("trouble-ticket.yaml"));
    assert_eq!(kept.unwrap(), version(2));
    service.restart();
    put(&service, ONE, Some(second.header("etag")), &version(3)).is(200);
    put(&service, ONE, Some("*"), &version(4)).is(200);
    put(&service, ONE, None, &version(5)).is(200);
    for wrong in ["7", "\"", "\"a\", \"b\"", "W/\"a\"", ""] {
        put(&service, ONE, Some(wrong), &version(6)).refuses(400, "if-match-wrong");
    }
    let new = "/v1/files/new.yaml";
    let none = put(&service, new, Some("\"0\""), &version(6)).refuses(412, "changed");
    assert_eq!(none["etag"], Value::Null);
    // What is refused leaves what is listed as it was.
    put(&service, ONE, None, "workflow: [").refuses(422, "files-wrong");
    assert_eq!(service.get("eye", ONE).text, version(5));
}

#[test]
fn files_are_checked_with_all_that_holds_and_none_is_deployed() {
    let service = Service::start();
    let text = trouble_ticket();
    let fine = check(&service, "lea", &[("trouble-ticket.yaml", &text)])
        .is(200)
        .json();
    assert_eq!(
        fine,
        json!({ "fine": true, "diagnostics": fine["diagnostics"], "left-out": 0 })
    );
    let broken = text.replace("goto: working }", "goto: wroking }");
    let found = check(&service, "eye", &[("trouble-ticket.yaml", &broken)])
        .is(200)
        .json();
    assert_eq!(found["fine"], false);
    let first = &found["diagnostics"][0];
    let line = 1 + broken[..broken.find("wroking").unwrap()]
        .matches('\n')
        .count();
    assert_eq!(
        (
            &first["code"],
            &first["file"],
            &first["line"],
            &first["severity"]
        ),
        (
            &json!("unknown-state"),
            &json!("trouble-ticket.yaml"),
            &json!(line),
            &json!("error")
        )
    );
    let start = usize::try_from(first["start"].as_u64().unwrap()).unwrap();
    assert!(broken[start..].starts_with("wroking"));
    assert_eq!(first["label"], "did you mean `working`?");
    // A directory without somebody breaks what stands elsewhere, and that is told.
    let directory = fs::read_to_string(shipped().join("directory.yaml")).unwrap();
    let without = directory.replace("platform-second:", "platform-third:");
    let found = check(&service, "boss", &[("directory.yaml", &without)])
        .is(200)
        .json();
    let told = found["diagnostics"].as_array().unwrap();
    let incident = |one: &&Value| one["file"] == "it-incident.yaml" && one["severity"] == "error";
    assert!(told.iter().any(|one| incident(&one)), "{found}");
    // Both at once are right again.
    let incident = fs::read_to_string(shipped().join("it-incident.yaml")).unwrap();
    let incident = incident.replace("platform-second", "platform-third");
    let both = [
        ("directory.yaml", without.as_str()),
        ("it-incident.yaml", &incident),
    ];
    let found = check(&service, "boss", &both).is(200).json();
    assert_eq!(found["fine"], true, "{found}");
    // Nothing of it holds, and nothing was written.
    assert_eq!(service.get("eye", ONE).text, text);
    let written = fs::read_dir(service.workflows.path()).unwrap().count();
    assert_eq!(
        written,
        fs::read_dir(shipped_copy().path()).unwrap().count()
    );
    for bytes in [
        "",
        "\u{feff}",
        "a: *b",
        "%YAML",
        "directory: d",
        "{",
        "- - -",
        "\u{0}",
    ] {
        let found = check(&service, "boss", &[("a.yaml", bytes)]).is(200).json();
        assert_eq!(found["fine"], false, "{bytes:?}");
        assert!(
            !found["diagnostics"].as_array().unwrap().is_empty(),
            "{bytes:?}"
        );
    }
    check(&service, "boss", &[]).refuses(422, "body-wrong");
    check(&service, "boss", &[("../a.yaml", "")]).refuses(422, "name-wrong");
    let twice = [("a.yaml", ""), ("a.yaml", "")];
    check(&service, "boss", &twice).refuses(422, "body-wrong");
}
