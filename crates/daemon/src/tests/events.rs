//! Events over HTTP: pages, streams that go on where they were cut off, and what each role sees of them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::kit::{Service, bearer};
use crate::limits::GRACE;

/// A client of a stream.
struct Reader(BufReader<TcpStream>);

impl Reader {
    /// Asks for a stream; the status that came.
    fn open(service: &Service, who: &str, query: &str, seen: Option<&str>) -> (Self, u16) {
        let address = service.daemon().address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let seen = seen
            .map(|id| format!("Last-Event-ID: {id}\r\n"))
            .unwrap_or_default();
        let token = bearer(who);
        write!(
            stream,
            "GET /v1/events{query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\
             Authorization: {token}\r\n{seen}\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        (Self(reader), status)
    }

    fn begin(service: &Service, who: &str, query: &str, seen: Option<&str>) -> Self {
        let (mut reader, status) = Self::open(service, who, query, seen);
        assert_eq!(status, 200);
        let first = reader.message().unwrap();
        assert!(
            first.iter().all(|line| !line.starts_with("data")),
            "{first:?}"
        );
        reader
    }

    /// A line of the body, without the lengths of its chunks; `None` at the end.
    fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).ok()?;
            let text = line.trim_end();
            let is_length = line.ends_with("\r\n") && text.bytes().all(|c| c.is_ascii_hexdigit());
            if read == 0 || (is_length && text == "0") {
                return None;
            }
            if !(is_length || line == "\r\n") {
                return Some(line.trim_end_matches('\n').to_owned());
            }
        }
    }

    /// The lines of a message, up to the empty one.
    fn message(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.line()?.as_str() {
                "" => return Some(lines),
                line => lines.push(line.to_owned()),
            }
        }
    }

    /// The next event: its id as the stream has it, and what it is.
    fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let message = self.message()?;
            let find = |name: &str| {
                message
                    .iter()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            if let Some(data) = find("data: ") {
                let event: Value = serde_json::from_str(&data).unwrap();
                let id = find("id: ").unwrap();
                assert_eq!(event["id"], id.as_str());
                return Some((id, event));
            }
        }
    }
}

/// All pages of this size.
fn pages(service: &Service, who: &str, query: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/events?limit={limit}{query}{after}");
        let page = service.get(who, &path).is(200).json();
        all.extend(page["events"].as_array().unwrap().clone());
        after = format!("&after={}", page["next"].as_str().unwrap());
        if page["more"] == false {
            return all;
        }
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    let all = events.iter().map(|one| one["type"].as_str().unwrap());
    all.map(|kind| kind.trim_start_matches("upline.").trim_end_matches(".v1"))
        .collect()
}

fn ids(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_stream_goes_on_without_gap_or_double_over_a_restart() {
    let mut service = Service::start();
    let mut seen: Vec<String> = Vec::new();
    let mut reader = Reader::begin(&service, "eye", "?after=0", None);
    service.call("tom", "one");
    service.act("tom", "1", "open", &json!({})).is(200);
    service.pass(15);
    let all = ids(&pages(&service, "eye", "", 200));
    while seen.len() < all.len() {
        seen.push(reader.event().unwrap().0);
    }
    // It is told that the service stops, and when to come again.
    let began = Instant::now();
    service.restart();
    assert!(began.elapsed() < Duration::from_secs(10));
    let mut last = Vec::new();
    while let Some(message) = reader.message() {
        last = message;
    }
    assert_eq!(last, ["retry: 2000"]);

    let from = seen.last().unwrap().clone();
    let mut reader = Reader::begin(&service, "eye", "", Some(&from));
    service.act("bob", "1", "accept", &json!({})).is(200);
    service.settle();
    let all = ids(&pages(&service, "eye", "", 200));
    while seen.len() < all.len() {
        seen.push(reader.event().unwrap().0);
    }
    assert_eq!(seen, all);
    // Cut off after any event, it goes on behind it.
    for (at, id) in all.iter().enumerate().take(all.len() - 1) {
        let mut again = Reader::begin(&service, "eye", "", Some(id));
        assert_eq!(again.event().unwrap().0, all[at + 1]);
    }
    assert_eq!(ids(&pages(&service, "eye", "", 1)), all);
}

#[test]
fn events_are_cloud_events_and_say_what_happened() {
    let service = Service::start();
    service.call("tom", "one");
    service.act("tom", "1", "open", &json!({})).is(200);
    service.pass(15);
    service.settle();
    let all = pages(&service, "eye", "&ticket=1", 200);
    for event in &all {
        assert_eq!(
            (&event["specversion"], &event["subject"]),
            (&json!("1.0"), &json!("1"))
        );
        assert!(event["source"].as_str().unwrap().starts_with("urn:upline:"));
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert_eq!(event["data"]["workflow"], "trouble-ticket");
    }
    let types = types(&all);
    assert_eq!(types[..2], ["ticket.opened", "ticket.fields-set"]);
    for kind in [
        "ticket.acted",
        "ticket.entered",
        "ticket.assigned",
        "notification.delivered",
    ] {
        assert!(types.contains(&kind), "{kind}: {types:?}");
    }
    let find = |kind: &str| all.iter().find(|one| one["type"] == kind).unwrap();
    let hop = &find("upline.ticket.escalated.v1")["data"];
    assert_eq!(
        (&hop["from"], &hop["answerable"]),
        (&json!("ann"), &json!("bob"))
    );
    assert_eq!(hop["cause"], json!({ "kind": "clock", "late-seconds": 0 }));
    assert_eq!(
        hop["notices"][0]["to"],
        json!({ "kind": "person", "name": "bob" })
    );
    let fields = &find("upline.ticket.fields-set.v1")["data"]["fields"];
    assert_eq!(fields["problem"], "no dial tone");
    let some = |query: &str| pages(&service, "eye", query, 200).len();
    let both = some("&type=ticket.escalated.v1") + some("&type=upline.ticket.assigned.v1");
    assert_eq!(some("&type=ticket.escalated.v1,ticket.assigned*"), both);
    assert_eq!(
        some("&since=2026-03-06T09:25:00%2B08:00&type=ticket.opened.v1"),
        0
    );
    assert!(some("&since=2026-03-06T09:25:00%2B08:00") > 0);
}

#[test]
fn each_role_sees_the_events_of_the_tickets_that_it_sees() {
    let service = Service::start();
    service.call("tom", "one");
    service.act("tom", "1", "open", &json!({})).is(200);
    service.call("pbx", "two");
    service.settle();
    let subjects = |who: &str| -> Vec<String> {
        let mut all: Vec<String> = pages(&service, who, "", 50)
            .iter()
            .map(|one| one["subject"].as_str().unwrap_or("files").to_owned())
            .collect();
        all.dedup();
        all.sort();
        all.dedup();
        all
    };
    for who in ["boss", "lea", "eye"] {
        assert_eq!(subjects(who), ["1", "2", "files"], "{who}");
    }
    for who in ["tom", "ann", "bob", "rosa", "pbx", "erp"] {
        let list = service.get(who, "/v1/tickets?standing=all").is(200).json();
        let list = list["tickets"].as_array().unwrap().iter();
        let mut seen: Vec<&str> = list.map(|one| one["id"].as_str().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(subjects(who), seen, "{who}");
    }
    assert_eq!(
        (subjects("tom"), subjects("pbx")),
        (vec!["1".into()], vec!["2".into()])
    );
    assert!(subjects("erp").is_empty() && !subjects("rosa").contains(&"1".into()));
    service
        .get("rosa", "/v1/events?ticket=1")
        .refuses(404, "no-such-ticket");
    // On streams too.
    let mut reader = Reader::begin(&service, "pbx", "?after=0", None);
    service
        .act("tom", "1", "comment", &json!({ "text": "not for pbx" }))
        .is(200);
    service
        .act("pbx", "2", "comment", &json!({ "text": "the last" }))
        .is(200);
    loop {
        let (_, event) = reader.event().unwrap();
        assert_eq!(event["subject"], "2");
        if event["data"]["text"] == "the last" {
            break;
        }
    }
}

#[test]
fn wrong_questions_are_refused_and_too_many_streams_too() {
    let service = Service::start();
    service
        .send("GET", "/v1/events", &[], b"")
        .refuses(401, "no-token");
    for after in ["x", "1.", "-1", "999999"] {
        service
            .get("eye", &format!("/v1/events?after={after}"))
            .refuses(400, "cursor-wrong");
    }
    for query in [
        "limit=0",
        "limit=201",
        "type=ticket.nothing",
        "since=yesterday",
        "x=1",
    ] {
        service
            .get("eye", &format!("/v1/events?{query}"))
            .refuses(400, "query-wrong");
    }
    let (_, status) = Reader::open(&service, "eye", "", Some("999999"));
    assert_eq!(status, 400);
    let own = crate::limits::MAX_STREAMS_A_TOKEN;
    let mut open: Vec<Reader> = (0..own)
        .map(|_| Reader::begin(&service, "eye", "", None))
        .collect();
    assert_eq!(Reader::open(&service, "eye", "", None).1, 503);
    Reader::begin(&service, "tom", "", None);
    // Whoever goes makes room.
    open.pop();
    while Reader::open(&service, "eye", "", None).1 != 200 {}
}

#[test]
fn a_client_that_reads_nothing_is_cut_off_and_holds_up_no_stop() {
    let mut service = Service::start();
    service.pace.slow = Duration::from_millis(200);
    service.restart();
    let address = service.daemon().address();
    let mut slow = TcpStream::connect(address).unwrap();
    let token = bearer("eye");
    write!(
        slow,
        "GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: {token}\r\n\r\n"
    )
    .unwrap();
    slow.read_exact(&mut [0; 12]).unwrap();
    service.call("tom", "one");
    let text = "x".repeat(60_000);
    let streams = || {
        let metrics = service.get("boss", "/metrics").is(200).text;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("upline_event_streams "));
        line.unwrap().to_owned()
    };
    let mut said = 0;
    while streams() != "0" {
        if said < 400 {
            service
                .act("tom", "1", "comment", &json!({ "text": text }))
                .is(200);
            said += 1;
        }
    }
    assert!(said >= 10, "it was let wait while there was room");
    let mut reader = Reader::begin(&service, "eye", "?after=0", None);
    assert!(reader.event().is_some(), "others go on");
    let daemon = service.daemon.take().unwrap();
    let began = Instant::now();
    service.runtime.block_on(daemon.stop()).unwrap();
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
    drop(slow);
}

#[test]
fn a_stream_without_events_says_that_it_lives() {
    let mut service = Service::start();
    service.pace.heartbeat = Duration::from_millis(200);
    service.restart();
    let mut reader = Reader::begin(&service, "eye", "", None);
    let beat = reader.message().unwrap();
    assert!(
        beat[0].starts_with(':') && beat[1].starts_with("id: "),
        "{beat:?}"
    );
}
