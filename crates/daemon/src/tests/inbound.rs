//! Other systems post what they have to say, in their own words, to the real daemon.

mod alertmanager;
mod kinds;
mod maps;
mod proofs;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::kit::{Answer, Service, shipped_copy};
use crate::StartError;
use crate::inbound::{Signature, SourceSettings};
use crate::settings::Secret;

/// The token of each source.
const TOKEN: &str = "a-token-of-some-length";

/// A service with sources, and the folder that their secrets are in.
struct Inbound {
    service: Service,
    secrets: TempDir,
}

impl Inbound {
    /// Each source with its map, and the token.
    fn with(maps: &[(&str, &str)]) -> Self {
        let secrets = tempfile::tempdir().unwrap();
        let token = kept(&secrets, "token", TOKEN);
        let source = |map: &str| SourceSettings {
            token: Some(token.clone()),
            ..SourceSettings::new(map)
        };
        let sources = maps
            .iter()
            .map(|(name, map)| ((*name).to_owned(), source(map)));
        let service = started(sources.collect()).unwrap();
        Self { service, secrets }
    }

    /// Posts what it is as JSON, with the token.
    fn post(&self, source: &str, body: &Value) -> Answer {
        self.raw(source, &[], body.to_string().as_bytes())
    }

    fn raw(&self, source: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        let path = format!("/v1/hooks/{source}");
        self.service.send("POST", &path, &all, body)
    }

    /// What became of the only message of a request that was taken.
    fn outcome(&self, source: &str, body: &Value) -> (String, Option<String>) {
        let answer = self.post(source, body).is(200).json();
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{answer}");
        outcome(&results[0])
    }

    /// How many tickets there are, open or ended.
    fn tickets(&self) -> usize {
        let all = self
            .service
            .get("eye", "/v1/tickets?standing=all&limit=200")
            .is(200)
            .json();
        all["tickets"].as_array().unwrap().len()
    }

    fn ticket(&self, id: &str) -> Value {
        self.service
            .get("boss", &format!("/v1/tickets/{id}"))
            .is(200)
            .json()
    }

    fn state(&self, id: &str) -> String {
        self.service.standing(id).0
    }

    fn figure(&self, line: &str) -> bool {
        let text = self.service.get("boss", "/metrics").is(200).text;
        text.lines().any(|known| known == line)
    }
}

/// With the shipped workflows, and these sources.
fn started(sources: BTreeMap<String, SourceSettings>) -> Result<Service, StartError> {
    Service::with(shipped_copy(), move |start| start.sources(sources.clone()))
}

fn outcome(result: &Value) -> (String, Option<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&result["outcome"]).unwrap(), text(&result["ticket"]))
}

pub(super) fn kept(folder: &TempDir, name: &str, text: &str) -> Secret {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Secret::File(path)
}

fn one(id: &str) -> Option<String> {
    Some(id.to_owned())
}

/// An alert as Alertmanager sends it.
pub(super) fn alert(fingerprint: &str, status: &str, starts: &str) -> Value {
    let ends = match status {
        "firing" => "0001-01-01T00:00:00Z",
        _ => "2026-03-06T02:00:00Z",
    };
    json!({
        "status": status,
        "labels": { "alertname": "DiskFull", "instance": "db1:9100", "severity": "critical" },
        "annotations": { "summary": "/var on db1 is 97 % full", "description": "磁盘将满" },
        "startsAt": starts,
        "endsAt": ends,
        "generatorURL": "http://prometheus.example/graph?g0",
        "fingerprint": fingerprint,
    })
}

/// A group of alerts, which is what Alertmanager posts.
pub(super) fn group(alerts: &[Value]) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "upline",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example", "alerts": alerts,
    })
}

pub(super) const MORNING: &str = "2026-03-06T01:00:00Z";
const LATER: &str = "2026-03-06T05:00:00Z";

#[test]
fn a_line_break_where_one_line_is_meant_loses_no_alert() {
    let inbound = Inbound::with(&[("alertmanager", "alertmanager")]);
    let mut broken = alert("f9", "firing", MORNING);
    broken["labels"]["alertname"] = json!("Disk\r\n\tfull");
    let fires = group(&[broken]);
    let opened = inbound.outcome("alertmanager", &fires);
    assert_eq!(opened, ("opened".into(), one("1")));
    assert_eq!(inbound.ticket("1")["fields"]["alert"], "Disk full");
    // The same message again is the same.
    let again = inbound.outcome("alertmanager", &fires);
    assert_eq!(again.0, "known");
}

#[test]
fn an_alert_is_one_ticket_from_its_firing_to_its_end() {
    let inbound = Inbound::with(&[("alertmanager", "alertmanager")]);
    let fires = group(&[alert("f1", "firing", MORNING)]);
    assert_eq!(
        inbound.outcome("alertmanager", &fires),
        ("opened".into(), one("1"))
    );
    let ticket = inbound.ticket("1");
    assert_eq!(ticket["workflow"], "it-incident");
    assert_eq!(ticket["key"], "f1");
    assert_eq!(
        ticket["opener"],
        json!({ "kind": "system", "name": "alertmanager" })
    );
    let fields = &ticket["fields"];
    assert_eq!(
        (&fields["alert"], &fields["severity"]),
        (&json!("DiskFull"), &json!("Sev 1"))
    );
    let summary = fields["summary"].as_str().unwrap();
    for part in [
        "/var on db1 is 97 % full",
        "磁盘将满",
        "instance: db1:9100",
        "http://prometheus.example",
    ] {
        assert!(summary.contains(part), "{summary}");
    }
    // Nobody fills in a form: whoever is on call is asked at once.
    assert_eq!(inbound.state("1"), "paged");

    // It comes again as long as it fires, and says nothing new; a restart between changes nothing.
    assert_eq!(
        inbound.outcome("alertmanager", &fires),
        ("known".into(), one("1"))
    );
    let mut inbound = inbound;
    inbound.service.restart();
    let mut other_words = alert("f1", "firing", MORNING);
    other_words["annotations"]["summary"] = json!("/var on db1 is 98 % full");
    let again = inbound.outcome("alertmanager", &group(&[other_words]));
    assert_eq!((again.0.as_str(), inbound.tickets()), ("known", 1));

    let over = group(&[alert("f1", "resolved", MORNING)]);
    assert_eq!(
        inbound.outcome("alertmanager", &over),
        ("moved".into(), one("1"))
    );
    assert_eq!(inbound.state("1"), "restored");
    assert_eq!(
        inbound.outcome("alertmanager", &over),
        ("moved".into(), one("1"))
    );
    // It is back before the day has passed.
    let back = group(&[alert("f1", "firing", LATER)]);
    assert_eq!(
        inbound.outcome("alertmanager", &back),
        ("moved".into(), one("1"))
    );
    assert_eq!(inbound.state("1"), "paged");
    assert_eq!(inbound.tickets(), 1);
    let timeline = inbound
        .service
        .get("boss", "/v1/tickets/1/timeline")
        .is(200)
        .text;
    assert!(timeline.contains("source alertmanager"), "{timeline}");
    assert!(
        inbound
            .figure("upline_inbound_messages_total{source=\"alertmanager\",outcome=\"known\"} 1")
    );
}

#[test]
fn what_is_over_before_it_began_and_what_nobody_awaits_does_no_harm() {
    let inbound = Inbound::with(&[("am", "alertmanager")]);
    let over = group(&[alert("f1", "resolved", MORNING)]);
    assert_eq!(inbound.outcome("am", &over), ("no-ticket".into(), None));
    let fires = group(&[alert("f1", "firing", MORNING)]);
    assert_eq!(inbound.outcome("am", &fires).0, "opened");
    assert_eq!(inbound.outcome("am", &over).0, "moved");
    // In the post-mortem nobody awaits that it is over: it is said at the ticket, once.
    inbound
        .service
        .act("boss", "1", "holds", &json!({}))
        .is(200);
    assert_eq!(inbound.state("1"), "post-mortem");
    let again = group(&[alert("f1", "resolved", LATER)]);
    assert_eq!(
        inbound.outcome("am", &again),
        ("commented".into(), one("1"))
    );
    assert_eq!(
        inbound.outcome("am", &again),
        ("commented".into(), one("1"))
    );
    let timeline = inbound
        .service
        .get("boss", "/v1/tickets/1/timeline")
        .is(200)
        .json();
    let entries = timeline["entries"].as_array().unwrap().iter();
    let says = entries.filter(|entry| entry.to_string().contains("The alert is over since"));
    assert_eq!(says.count(), 1, "{timeline}");
    // A late copy of what opened it opens nothing when it has ended; a new alert does.
    inbound
        .service
        .act("boss", "1", "cancel", &json!({ "reason": "a test" }))
        .is(200);
    assert_eq!(inbound.outcome("am", &fires), ("known".into(), one("1")));
    let anew = group(&[alert("f1", "firing", LATER)]);
    assert_eq!(inbound.outcome("am", &anew), ("opened".into(), one("2")));
}

#[test]
fn a_hundred_alerts_at_once_are_answered_each_on_its_own() {
    let inbound = Inbound::with(&[("am", "alertmanager")]);
    let mut alerts: Vec<Value> = (0..100)
        .map(|number| alert(&format!("f{number}"), "firing", MORNING))
        .collect();
    let answer = inbound.post("am", &group(&alerts)).is(200).json();
    let outcomes: Vec<_> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(outcome)
        .collect();
    assert_eq!(outcomes.len(), 100);
    assert!(
        outcomes.iter().all(|(outcome, _)| outcome == "opened"),
        "{outcomes:?}"
    );
    assert_eq!(inbound.tickets(), 100);
    // Two that can't be understood keep none of the others from being taken, and are told apart.
    alerts[3]["fingerprint"] = json!("new-one");
    alerts[7].as_object_mut().unwrap().remove("fingerprint");
    alerts[8]["status"] = json!("pending");
    let refused = inbound
        .post("am", &group(&alerts))
        .refuses(422, "not-understood");
    let results = refused["results"].as_array().unwrap();
    assert_eq!(outcome(&results[3]), ("opened".into(), one("101")));
    assert_eq!(outcome(&results[4]).0, "known");
    assert_eq!(results[7]["outcome"], "refused");
    let said = results[7]["detail"].as_str().unwrap();
    assert!(said.contains("`/fingerprint` is missing"), "{said}");
    let said = results[8]["detail"].as_str().unwrap();
    assert!(
        said.contains("no rule is for what stands at `/status`"),
        "{said}"
    );
    assert!(
        refused["detail"].as_str().unwrap().contains("2 of 100"),
        "{refused}"
    );
    assert_eq!(inbound.tickets(), 101);
    assert!(inbound.figure("upline_inbound_messages_total{source=\"am\",outcome=\"refused\"} 2"));
    let many: Vec<Value> = (0..501).map(|_| alert("f", "firing", MORNING)).collect();
    inbound.post("am", &group(&many)).refuses(413, "too-many");
}

#[test]
fn the_same_alert_from_two_senders_at_once_is_one_ticket() {
    let inbound = Inbound::with(&[("am", "alertmanager")]);
    let body = group(&[
        alert("f1", "firing", MORNING),
        alert("f2", "firing", MORNING),
    ])
    .to_string();
    let outcomes: Vec<String> = std::thread::scope(|scope| {
        let post = || {
            let answer = inbound.raw("am", &[], body.as_bytes()).is(200).json();
            let results = answer["results"].as_array().unwrap().clone();
            results
                .iter()
                .map(|result| outcome(result).0)
                .collect::<Vec<_>>()
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(post)).collect();
        all.into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| *outcome == "opened")
            .count(),
        2,
        "{outcomes:?}"
    );
    assert_eq!(outcomes.len(), 16);
    assert_eq!(inbound.tickets(), 2);
}

#[test]
fn whatever_is_posted_is_answered_and_nothing_falls_over() {
    let inbound = Inbound::with(&[
        ("am", "alertmanager"),
        ("ce", "cloudevents"),
        ("pbx", "call-centre"),
    ]);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let in_objects = format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500));
    let broken: [&[u8]; 6] = [
        b"{",
        b"not json",
        b"\xff\xfe{}",
        b"{} {}",
        deep.as_bytes(),
        in_objects.as_bytes(),
    ];
    let strange = [
        "null",
        "3",
        "\"x\"",
        "[]",
        "{}",
        "true",
        "[[[]]]",
        "{\"alerts\":{}}",
        "{\"alerts\":[1,null,[]]}",
    ];
    for source in ["am", "ce", "pbx"] {
        for body in broken {
            inbound.raw(source, &[], body).refuses(400, "not-json");
        }
        for body in strange {
            inbound
                .raw(source, &[], body.as_bytes())
                .refuses(422, "not-understood");
        }
        inbound.raw(source, &[], b"").refuses(422, "not-understood");
        let large = vec![b' '; crate::limits::MAX_BODY_BYTES + 1];
        inbound.raw(source, &[], &large).refuses(413, "too-large");
    }
    assert_eq!(
        inbound.post("am", &group(&[])).is(200).json()["results"],
        json!([])
    );
    assert_eq!(inbound.tickets(), 0);
    inbound
        .post("nobody", &json!({}))
        .refuses(404, "no-such-source");
    inbound
        .service
        .get("boss", "/v1/hooks/am")
        .refuses(405, "other-method");

    // Signs that a field can't hold, and texts that are too long, are no reason to lose an alert.
    let mut odd = alert("f\u{0}1\n", "firing", MORNING);
    odd["labels"]["alertname"] = json!("Disk\u{7}Full\u{1b}[31m");
    odd["annotations"]["summary"] = json!("长".repeat(30_000));
    assert_eq!(inbound.outcome("am", &group(&[odd])).0, "opened");
    let fields = inbound.ticket("1")["fields"].clone();
    assert_eq!(fields["alert"], "Disk Full [31m");
    assert!(fields["summary"].as_str().unwrap().len() <= crate::inbound::MAX_TEMPLATE_BYTES);
    let long_key = alert(&"f".repeat(300), "firing", MORNING);
    let said = inbound
        .post("am", &group(&[long_key]))
        .refuses(422, "not-understood");
    assert!(
        said["detail"]
            .as_str()
            .unwrap()
            .contains("longer than 256 bytes"),
        "{said}"
    );
}
