//! Many at once, and bodies without end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;

use super::kit::{Service, bearer, token, tokens_text};
use crate::tokens::Tokens;

/// How many reach for one ticket.
const MANY: usize = 64;

#[test]
fn of_many_who_claim_one_ticket_at_once_one_has_it_and_the_others_learn_who() {
    let workflows = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(workflows.path().join(name), text).unwrap();
    let names: Vec<String> = (0..MANY).map(|number| format!("p{number}")).collect();
    let people: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: {{ mail: {name}@example.com }}"))
        .collect();
    file(
        "desk.yaml",
        &format!(
            "directory: acme\nlast-resort: user p0\npeople: {{ {} }}\n\
             groups: {{ desk: {{ members: [{}], lead: p0 }} }}\n",
            people.join(", "),
            names.join(", ")
        ),
    );
    file(
        "call.yaml",
        "workflow: call\nstart: offered\nladders: { climb: [{ after: 1 h, assign: user p0 }] }\n\
         states:\n  offered: { assign: anyone in desk, escalate: climb, \
         actions: { done: { goto: closed } } }\n  closed: { end: done }\n",
    );
    let more: String = names
        .iter()
        .map(|name| token(name, "agent", name))
        .collect();
    let text = format!("{}{more}", tokens_text());
    let service = Service::with(workflows, move |start| {
        start.tokens(Tokens::read(&text).unwrap())
    });
    let service = service.unwrap();
    let body = json!({ "workflow": "call", "fields": {} });
    let key = [("idempotency-key", "one")];
    service.post("pbx", "/v1/tickets", &key, &body).is(201);
    service.settle();
    let ready = Barrier::new(MANY);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let claim = |name: &String| {
            let name = name.clone();
            let (ready, service) = (&ready, &service);
            scope.spawn(move || {
                ready.wait();
                let any = [("if-match", "*")];
                let path = "/v1/tickets/1/actions/claim";
                (service.post(&name, path, &any, &json!({})), name)
            })
        };
        let threads: Vec<_> = names.iter().map(claim).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (has, late): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|(answer, _)| answer.status == 200);
    let [(_, first)] = &has[..] else {
        panic!("{has:?}");
    };
    assert_eq!(&service.standing("1").1, first);
    assert_eq!(late.len(), MANY - 1);
    for (answer, name) in late {
        let said = answer.refuses(409, "already-claimed");
        assert_eq!(said["holder"], first.as_str(), "{name}: {said}");
    }
}

#[test]
fn a_body_that_never_ends_has_the_time_of_a_request_and_no_more() {
    let mut service = Service::start();
    service.pace.request = Duration::from_millis(300);
    service.pace.rest = Duration::from_millis(300);
    service.restart();
    let mut stream = TcpStream::connect(service.daemon().address()).unwrap();
    let token = bearer("tom");
    let head = format!(
        "POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nIdempotency-Key: a\r\n\
         Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{\"workflow\": \""
    );
    stream.write_all(head.as_bytes()).unwrap();
    let patience = Some(Duration::from_millis(20));
    stream.set_read_timeout(patience).unwrap();
    let began = Instant::now();
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => said.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert!(began.elapsed() < Duration::from_secs(20), "it is let go on");
                if stream.write_all(b"x").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.starts_with("HTTP/1.1 503 ") && said.contains("\"code\":\"too-slow\""),
        "{said}"
    );
    assert!(said.contains("connection: close\r\n"), "{said}");
    let tickets = service.get("eye", "/v1/tickets").is(200).json();
    assert_eq!(tickets["tickets"], json!([]));
}
