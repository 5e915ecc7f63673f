//! A disk that fills up under a daemon.

use std::time::Duration;

use serde_json::{Value, json};
use upline::disk::sim::SimDisk;

use super::kit::{Answer, Service, shipped_copy, trouble};
use super::peer::{Peer, Reaction};
use crate::Start;
use crate::heartbeat::HeartbeatSettings;

/// How often the monitor hears that all is well.
const BEAT: Duration = Duration::from_millis(25);

fn ready(service: &Service) -> (u16, Value) {
    let answer = service.send("GET", "/readyz", &[], b"");
    (answer.status, answer.json())
}

fn open(service: &Service, key: usize) -> Answer {
    let key = key.to_string();
    service.post(
        "tom",
        "/v1/tickets",
        &[("idempotency-key", &key)],
        &trouble(),
    )
}

#[test]
fn while_the_disk_is_full_it_is_not_ready_and_the_monitor_hears_nothing() {
    let (disk, monitor) = (SimDisk::new(7), Peer::start([Reaction::ok()]));
    let mut heartbeat = HeartbeatSettings::new(monitor.url()).beating(BEAT);
    heartbeat.allow_private = true;
    let on_it = disk.clone();
    let adjust = move |start: Start| {
        let start = start.heartbeat(Some(heartbeat.clone()));
        start.disk(on_it.clone())
    };
    let service = Service::with(shipped_copy(), adjust).unwrap();
    let well = json!({ "ready": true, "reasons": [], "warnings": [] });
    assert_eq!(ready(&service), (200, well.clone()));
    monitor.wait_for(1);
    disk.set_capacity(Some(disk.used()));
    // What is reserved already is used first.
    let mut answers = (0..10_000).map(|key| open(&service, key));
    let refused = answers.find(|answer| answer.status != 201);
    refused.unwrap().refuses(503, "store");
    let (status, said) = ready(&service);
    assert_eq!((status, &said["ready"]), (503, &json!(false)));
    let reason = &said["reasons"][0];
    assert_eq!(reason["code"], "disk-full", "{said}");
    assert!(reason["detail"].as_str().unwrap().contains("make room"));
    assert_eq!(said["warnings"], json!([]), "it is said once");
    // One may have been under way.
    std::thread::park_timeout(2 * BEAT);
    let heard = monitor.seen().len();
    std::thread::park_timeout(20 * BEAT);
    assert_eq!(monitor.seen().len(), heard);
    assert_eq!(ready(&service).0, 503, "and is not over by itself");

    disk.set_capacity(None);
    service.clock.forward(Duration::from_secs(6));
    service.settle();
    assert_eq!(ready(&service), (200, well));
    monitor.wait_for(heard + 2);
    open(&service, 10_001).is(201);
    let figures = service.get("eye", "/metrics").is(200).text;
    for figure in [
        "upline_disk_full 0",
        "upline_incidents_total{kind=\"disk-full\"} 1",
    ] {
        assert!(figures.contains(&format!("\n{figure}\n")), "{figures}");
    }
}
