//! What is refused, with which status and code, and that nothing changes by it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::kit::{Service, bearer, trouble};
use crate::limits::{MAX_BODY_BYTES, MAX_KEY_BYTES, MAX_REST_BYTES};

const KEY: (&str, &str) = ("idempotency-key", "k");

#[test]
fn without_a_known_token_nothing_is_told() {
    let service = Service::start();
    let id = service.call("tom", "one");
    let paths = [
        "/v1/tickets".to_owned(),
        format!("/v1/tickets/{id}"),
        format!("/v1/tickets/{id}/timeline"),
        "/metrics".to_owned(),
    ];
    for path in &paths {
        for header in ["", "Bearer upl_nobody", "Basic dG9t", "upl_tom", "Bearer "] {
            let answer = service.send("GET", path, &[("authorization", header)], b"");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            answer.refuses(401, "no-token");
        }
        service.send("GET", path, &[], b"").refuses(401, "no-token");
    }
}

#[test]
fn an_opening_must_be_right() {
    let service = Service::start();
    let open =
        |headers: &[(&str, &str)], body: &Value| service.post("tom", "/v1/tickets", headers, body);
    open(&[], &trouble()).refuses(400, "key-missing");
    let long = "x".repeat(MAX_KEY_BYTES + 1);
    open(&[("idempotency-key", &long)], &trouble()).refuses(400, "key-wrong");
    open(&[KEY], &json!({ "workflow": "nothing" })).refuses(422, "no-such-workflow");
    open(&[KEY], &json!({ "workflow": "" })).refuses(422, "name-wrong");
    open(&[KEY], &json!({ "fields": {} })).refuses(422, "body-wrong");
    let unknown = json!({ "workflow": "trouble-ticket", "feilds": {} });
    let said = open(&[KEY], &unknown).refuses(422, "body-wrong");
    assert!(
        said["detail"].as_str().unwrap().contains("feilds"),
        "{said}"
    );
    let mut nested = trouble();
    nested["fields"]["problem"] = json!({ "deep": true });
    open(&[KEY], &nested).refuses(422, "body-wrong");
    let mut wrong = trouble();
    wrong["fields"]["impact"] = json!("The moon");
    wrong["fields"]["colour"] = json!("red");
    let said = open(&[KEY], &wrong).refuses(422, "form-wrong");
    let fields: Vec<_> = said["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert_eq!(fields, ["unknown", "value"]);

    let token = bearer("tom");
    let raw = |kind: &str, body: &[u8]| {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", kind),
            KEY,
        ];
        service.send("POST", "/v1/tickets", &headers, body)
    };
    raw("application/json", b"{ not json").refuses(400, "not-json");
    for none in [
        &b"[]"[..],
        b" [\"trouble-ticket\"]",
        b"3",
        b"\"x\"",
        b"null",
    ] {
        let said = raw("application/json", none).refuses(422, "body-wrong");
        assert_eq!(said["detail"], "the body must be an object, such as `{}`");
    }
    raw("application/json", b"[,]").refuses(400, "not-json");
    raw("text/plain", b"{}").refuses(415, "not-json");
    let large = format!("{{\"workflow\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES));
    raw("application/json", large.as_bytes()).refuses(413, "too-large");
    service
        .post("eye", "/v1/tickets", &[KEY], &trouble())
        .refuses(403, "not-allowed");
    let all = service.get("eye", "/v1/tickets?standing=all").json();
    assert_eq!(
        all["tickets"],
        json!([]),
        "none of them has opened anything"
    );
}

#[test]
fn a_key_is_for_one_command() {
    let service = Service::start();
    let id = service.call("tom", "k");
    let mut other = trouble();
    other["fields"]["problem"] = json!("something else");
    service
        .post("tom", "/v1/tickets", &[KEY], &other)
        .refuses(422, "other-command");
    let mut elsewhere = trouble();
    elsewhere["workflow"] = json!("complaint");
    service
        .post("tom", "/v1/tickets", &[KEY], &elsewhere)
        .refuses(422, "other-command");
    // Another token's key is another key.
    assert_ne!(service.call("lea", "k"), id);

    // For actions it may be given: then a second try does not ask for the revision of the first.
    let path = format!("/v1/tickets/{id}/actions/comment");
    let etag = service
        .get("tom", &format!("/v1/tickets/{id}"))
        .header("etag")
        .to_owned();
    let headers = [("if-match", etag.as_str()), ("idempotency-key", "c")];
    let text = json!({ "text": "hello" });
    let first = service.post("tom", &path, &headers, &text).is(200);
    let again = service.post("tom", &path, &headers, &text).is(200);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.json()["revision"], again.json()["revision"]);
    let other = service.call("tom", "two");
    let path = format!("/v1/tickets/{other}/actions/comment");
    let headers = [("if-match", "*"), ("idempotency-key", "c")];
    service
        .post("tom", &path, &headers, &text)
        .refuses(422, "other-command");
}

#[test]
fn an_action_must_be_right() {
    let service = Service::start();
    let id = service.call("tom", "one");
    service.act("tom", &id, "open", &json!({})).is(200);
    let path = |action: &str| format!("/v1/tickets/{id}/actions/{action}");
    let stale = service
        .get("tom", &format!("/v1/tickets/{id}"))
        .header("etag")
        .to_owned();
    service
        .post("ann", &path("accept"), &[], &json!({}))
        .refuses(428, "if-match-missing");
    let weak = [("if-match", "W/\"1\"")];
    service
        .post("ann", &path("accept"), &weak, &json!({}))
        .refuses(400, "if-match-wrong");
    service.pass(15);

    // She is too late, and is told so; when she looks again, she is told who has it now.
    let late = [("if-match", stale.as_str())];
    let said = service
        .post("ann", &path("accept"), &late, &json!({}))
        .refuses(412, "changed");
    assert!(said["revision"].is_u64());
    let said = service
        .act("ann", &id, "accept", &json!({}))
        .refuses(409, "held-by-another");
    assert_eq!(said["holder"], "bob");
    let act = |who: &str, action: &str, body: Value| service.act(who, &id, action, &body);
    act("eye", "comment", json!({ "text": "x" })).refuses(403, "not-allowed");
    act("bob", "cancel", json!({ "reason": "x" })).refuses(403, "not-allowed");
    act("bob", "dance", json!({})).refuses(404, "no-such-action");
    act("bob", "claim", json!({})).refuses(409, "not-possible");
    act("bob", "claim", json!({ "to": "ann" })).refuses(422, "body-wrong");
    act("bob", "delegate", json!({})).refuses(422, "body-wrong");
    act("bob", "delegate", json!({ "to": "nobody" })).refuses(422, "no-such-person");
    act("bob", "comment", json!({ "text": " " })).refuses(422, "bad-text");
    act("bob", "accept", json!({ "branch": "left" })).refuses(422, "no-such-branch");
    act(
        "bob",
        "accept",
        json!({ "fields": { "cause": "Hardware" } }),
    )
    .refuses(422, "form-wrong");
    act("bob", "accept", json!({})).is(200);
    let said = act("bob", "resolve", json!({})).refuses(422, "form-wrong");
    assert_eq!(said["fields"].as_array().unwrap().len(), 2, "{said}");
    act("bob", "suspend", json!({ "until": "yesterday" })).refuses(422, "body-wrong");
    act("bob", "suspend", json!({ "until": "2020-01-01T00:00:00Z" })).refuses(422, "bad-time");
    act("bob", "resume", json!({})).refuses(409, "not-possible");
}

#[test]
fn paths_methods_and_questions_must_be_right() {
    let service = Service::start();
    service
        .get("eye", "/v1/nothing")
        .refuses(404, "no-such-path");
    service
        .get("eye", "/v1/tickets/77")
        .refuses(404, "no-such-ticket");
    service
        .get("eye", "/v1/tickets/77/explain")
        .refuses(404, "no-such-ticket");
    service
        .get("eye", "/v1/workflows:check")
        .refuses(405, "other-method");
    for query in [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?stat=new",
        "?standing=maybe",
        "?assignee=me",
    ] {
        service
            .get("eye", &format!("/v1/tickets{query}"))
            .refuses(400, "query-wrong");
    }
    service
        .get("eye", "/v1/tickets?cursor=77")
        .refuses(400, "cursor-wrong");
    let id = service.call("tom", "one");
    let ticket = format!("/v1/tickets/{id}");
    service
        .get("eye", &format!("{ticket}?lang=fr"))
        .refuses(400, "query-wrong");
    service
        .get("eye", &format!("{ticket}/forecast?days=0"))
        .refuses(400, "query-wrong");
    service
        .get("eye", &format!("{ticket}/explain?why=so"))
        .refuses(400, "query-wrong");
}

/// Sends a head and so many bytes, and then asks on the same connection whether the service lives: the heads
/// of the answers.
fn one_after_another(service: &Service, head: &str, body: usize) -> Vec<String> {
    let mut stream = TcpStream::connect(service.daemon().address()).unwrap();
    let token = bearer("tom");
    write!(stream, "{head}Host: x\r\nAuthorization: {token}\r\n\r\n").unwrap();
    stream.write_all(&vec![b'a'; body]).unwrap();
    // Whoever was told that the connection ends may no longer be listened to.
    let next = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let _ = stream.write_all(next.as_bytes());
    let mut answers = Vec::new();
    // A connection that was closed with something unread ends as one that was reset.
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8(answers).unwrap().to_lowercase();
    let heads = answers.split("http/1.1 ").skip(1);
    heads.map(str::to_owned).collect()
}

#[test]
fn a_body_that_nobody_reads_leaves_the_connection_as_it_was_or_closes_it_and_says_so() {
    let service = Service::start();
    for (path, status) in [("/v1/tickets", "413"), ("/nothing", "404"), ("/a/x", "404")] {
        let length = 2 * MAX_BODY_BYTES;
        let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {length}\r\n");
        let answers = one_after_another(&service, &head, length);
        let [first, second] = answers.as_slice() else {
            panic!("{path}: {answers:?}");
        };
        assert!(first.starts_with(status), "{path}: {first}");
        assert!(!first.contains("connection: close"), "{path}: {first}");
        assert!(second.starts_with("200"), "{path}: {second}");
    }
    let sent = 2 * MAX_BODY_BYTES + MAX_REST_BYTES;
    let head = format!(
        "POST /v1/tickets HTTP/1.1\r\nContent-Length: {}\r\n",
        9 * sent
    );
    let answers = one_after_another(&service, &head, sent);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].starts_with("413"), "{answers:?}");
    assert!(answers[0].contains("connection: close"), "{answers:?}");
    // Asks first whether the body is wanted, and is told that it is not.
    let head = "POST /nothing HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n";
    let answers = one_after_another(&service, head, 0);
    assert!(answers[0].starts_with("404"), "{answers:?}");
    assert!(answers[0].contains("connection: close"), "{answers:?}");
}
