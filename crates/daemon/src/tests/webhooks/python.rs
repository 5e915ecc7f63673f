//! Signatures against a library that is not the one we sign with: the receiver in Python that the documentation
//! shows. Where `UPLINE_TEST_STANDARD_WEBHOOKS` names a Python that has the package `standardwebhooks`, these
//! tests start it; the checks that run before a change lands install it and set the variable.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use standardwebhooks::Webhook;

use super::*;
use crate::inbound::SourceSettings;
use crate::tests::inbound::{MORNING, alert, group, kept};
use crate::tests::kit::Answer;

/// The variable that names the program.
const PROGRAM: &str = "UPLINE_TEST_STANDARD_WEBHOOKS";

const KEY: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const NEXT_KEY: &str = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4";
const OTHER_KEY: &str = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY";

/// `None`: nobody asked for it.
fn program() -> Option<String> {
    let program = std::env::var(PROGRAM).ok();
    if program.is_none() {
        eprintln!("passed over: {PROGRAM} is not set");
    }
    program
}

/// A running receiver.
struct Receiver {
    child: Child,
    port: u16,
    agent: ureq::Agent,
}

impl Receiver {
    /// The one of this page, with this secret.
    fn start(program: &str, page: &str, secret: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(program)
            .arg(here.join("src/tests/webhooks/receiver.py"))
            .arg(here.join("../../docs").join(page))
            .arg(secret)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut port).unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Self {
            child,
            port: port.trim().parse().expect("it has started"),
            agent: config.build().into(),
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What it has queued.
    fn queued(&self) -> Vec<Value> {
        let answer = self.agent.get(self.url()).call().unwrap();
        let text = answer.into_body().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Its answer to this.
    fn told(&self, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
        let url = self.url().replace("/hook", path);
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            if name.starts_with("webhook-") {
                request = request.header(name, value);
            }
        }
        let answer = request.send(body).unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().read_to_string().unwrap())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service whose people have this webhook, signed with the new secret and the one before.
fn service(url: &str) -> Service {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("next"), NEXT_KEY).unwrap();
    std::fs::write(path("key"), KEY).unwrap();
    let section = |name: &str| {
        format!(
            "[webhook.{name}]\nurl = \"{url}\"\nallow-private = true\nsecret = {{ file = \"next\" }}\n\
             previous-secret = {{ file = \"key\" }}\n"
        )
    };
    let text = format!(
        "data = \"d\"\nworkflows = \"w\"\n{}{}",
        section("phone"),
        section("chat")
    );
    let given = Given::default().text(path("upline.toml"), text);
    let webhooks = Settings::read(&given).unwrap().webhooks;
    Service::with(workflows(), move |start| start.webhooks(webhooks.clone())).unwrap()
}

#[test]
fn what_we_sign_is_believed_by_a_library_that_is_not_ours() {
    let Some(program) = program() else { return };
    for page in ["webhooks.md", "webhooks.zh-CN.md"] {
        for key in [NEXT_KEY, KEY] {
            let receiver = Receiver::start(&program, page, key);
            let service = service(&receiver.url());
            open(&service, "a");
            open(&service, "b");
            let queued = receiver.queued();
            assert_eq!(queued.len(), 2, "{page} {key}: {queued:?}");
            assert_eq!(queued[0]["type"], "upline.message.assigned.v1");
            let metrics = service.get("boss", "/metrics").is(200).text;
            let delivered = "upline_webhook_tries_total{webhook=\"phone\",fate=\"delivered\"} 2\n";
            assert!(metrics.contains(delivered), "{metrics}");
        }
        let receiver = Receiver::start(&program, page, OTHER_KEY);
        let service = service(&receiver.url());
        open(&service, "a");
        assert_eq!(receiver.queued(), [] as [Value; 0]);
        let messages = service.get("eye", "/v1/tickets/1/messages").is(200).text;
        assert!(!messages.contains("delivered"), "{messages}");
    }
}

#[test]
fn what_was_changed_or_is_old_is_not() {
    let Some(program) = program() else { return };
    let peer = Peer::start([Reaction::ok()]);
    let service = service(&peer.url());
    open(&service, "a");
    let sent = peer.wait_for(1).remove(0);
    let receiver = Receiver::start(&program, "webhooks.md", KEY);
    let told = |headers: &[(String, String)], body: &[u8]| receiver.told("/hook", headers, body);
    let refused = |told: (u16, String), why: &str| {
        assert!(told.0 == 400 && told.1.contains(why), "{told:?}");
    };
    let text = String::from_utf8(sent.body.clone()).unwrap();
    let changed = text.replacen("assigned", "Assigned", 1);
    assert_ne!(changed, text);
    refused(
        told(&sent.headers, changed.as_bytes()),
        "No matching signature",
    );
    refused(
        told(&sent.headers, format!("{text} ").as_bytes()),
        "No matching signature",
    );
    let with = |name: &str, value: &str| -> Vec<(String, String)> {
        let mut headers = sent.headers.clone();
        let header = headers.iter_mut().find(|(known, _)| known == name).unwrap();
        header.1 = value.to_owned();
        headers
    };
    refused(
        told(&with("webhook-id", "other"), &sent.body),
        "No matching signature",
    );
    let second: i64 = sent.header("webhook-timestamp").parse().unwrap();
    let later = (second + 1).to_string();
    refused(
        told(&with("webhook-timestamp", &later), &sent.body),
        "No matching signature",
    );
    for (away, why) in [(-301, "too old"), (400, "too new")] {
        let time = second + away;
        let signature = Webhook::new(KEY)
            .unwrap()
            .sign("m1", time, &sent.body)
            .unwrap();
        let mut headers = with("webhook-timestamp", &time.to_string());
        for (name, value) in &mut headers {
            match name.as_str() {
                "webhook-id" => *value = "m1".to_owned(),
                "webhook-signature" => value.clone_from(&signature),
                _ => (),
            }
        }
        refused(told(&headers, &sent.body), why);
    }
    assert_eq!(receiver.queued(), [] as [Value; 0]);
    // As it was sent it is believed, and the second time it is the same message.
    for _ in 0..2 {
        assert_eq!(told(&sent.headers, &sent.body), (204, String::new()));
    }
    assert_eq!(receiver.queued(), [sent.json()]);
}

#[test]
fn what_that_library_signs_is_believed_by_us() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = SourceSettings {
        secret: Some(kept(&folder, "next", NEXT_KEY)),
        previous_secret: Some(kept(&folder, "key", KEY)),
        ..SourceSettings::new("alertmanager")
    };
    let sources = BTreeMap::from([("monitor".to_owned(), source)]);
    let service = Service::adjusted(move |start| start.sources(sources.clone()));
    let body = group(&[alert("f1", "firing", MORNING)]).to_string();
    let post = |key: &str, sent: &str| -> Answer {
        let signer = Receiver::start(&program, "webhooks.md", key);
        let (status, said) = signer.told("/sign", &[], body.as_bytes());
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        let headers = [
            ("webhook-id", "m1"),
            ("webhook-timestamp", said["timestamp"].as_str().unwrap()),
            ("webhook-signature", said["signature"].as_str().unwrap()),
        ];
        service.send("POST", "/v1/hooks/monitor", &headers, sent.as_bytes())
    };
    for key in [NEXT_KEY, KEY] {
        post(key, &body).is(200);
        post(key, &format!("{body} ")).refuses(401, "not-proved");
    }
    post(OTHER_KEY, &body).refuses(401, "not-proved");
}
