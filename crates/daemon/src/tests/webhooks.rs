//! People who are told by webhooks, by the real daemon, from its settings.

mod python;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::kit::{Service, shipped_copy};
use super::peer::{Peer, Reaction, Seen};
use crate::settings::{Given, Settings};
use crate::tell::WebhookSettings;

const DIRECTORY: &str = "
directory: demo
last-resort: user max
people:
  wei: { name: 李伟, languages: [zh], notify: { webhook: phone } }
  max: { name: Max Roth, languages: [en], notify: [{ webhook: chat }, { webhook: phone, after: 5 min }] }
groups:
  desk: { members: [wei], lead: max }
";

const WORKFLOW: &str = "
workflow: fault
fields:
  what: { type: text, label: { en: What, zh: 故障现象 } }
ladders:
  slow: [{ after: 10 min, assign: lead of desk }]
start: asked
states:
  asked:
    title: { en: Waiting, zh: 等待受理 }
    assign: next in desk
    escalate: slow
    actions: { done: { label: { en: Done, zh: 完成 }, goto: closed } }
  closed: { end: done }
";

fn workflows() -> TempDir {
    let folder = shipped_copy();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    std::fs::write(folder.path().join("directory.yaml"), DIRECTORY).unwrap();
    std::fs::write(folder.path().join("fault.yaml"), WORKFLOW).unwrap();
    folder
}

/// The webhooks of a file of settings, as the operator writes it.
fn webhooks(folder: &TempDir, phone: &Peer, chat: &Peer) -> BTreeMap<String, WebhookSettings> {
    std::fs::write(
        folder.path().join("key"),
        "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("chat.url"),
        format!("{}?key=s3cret\n", chat.url()),
    )
    .unwrap();
    let text = format!(
        "data = \"d\"\nworkflows = \"w\"\n[webhook.phone]\nurl = \"{}\"\nallow-private = true\n\
         secret = {{ file = \"key\" }}\nlinks = true\n[webhook.chat]\nshape = \"dingtalk\"\n\
         url = {{ file = \"chat.url\" }}\nallow-private = true\n",
        phone.url()
    );
    let given = Given::default().text(folder.path().join("upline.toml"), text);
    let settings = Settings::read(&given).unwrap();
    let rows = settings.rows();
    let shown = |name: &str| rows.iter().find(|(row, ..)| row == name).unwrap().1.clone();
    assert!(shown("webhook.phone.url").ends_with("/…"), "{rows:?}");
    assert!(shown("webhook.chat.url").contains("chat.url"), "{rows:?}");
    settings.webhooks
}

fn open(service: &Service, key: &str) {
    let body = json!({ "workflow": "fault", "fields": { "what": "宽带中断 @all <!channel>" } });
    service
        .post("pbx", "/v1/tickets", &[("idempotency-key", key)], &body)
        .is(201);
    service.settle();
}

#[test]
fn people_are_told_in_their_language_and_a_peer_that_is_gone_is_told_of() {
    let robot = Reaction::Answer(200, "", r#"{"errcode":0,"errmsg":"ok"}"#.to_owned());
    let (phone, chat) = (
        Peer::start([Reaction::ok(), Reaction::status(410), Reaction::ok()]),
        Peer::start([robot]),
    );
    let kept = tempfile::tempdir().unwrap();
    let webhooks = webhooks(&kept, &phone, &chat);
    let service =
        Service::with(workflows(), move |start| start.webhooks(webhooks.clone())).unwrap();
    open(&service, "a");
    let told = phone.wait_for(1).remove(0).json();
    assert_eq!(
        (&told["data"]["to"]["id"], &told["data"]["language"]),
        (&json!("wei"), &json!("zh"))
    );
    assert!(
        told["data"]["text"].as_str().unwrap().contains("等待受理"),
        "{told}"
    );
    service.pass(11);
    let told: Vec<Value> = chat.wait_for(1).iter().map(Seen::json).collect();
    let text = told[0]["markdown"]["text"].as_str().unwrap();
    assert!(!text.contains("@all") && !text.contains('<'), "{text}");
    assert!(
        text.contains("fault") || text.contains("Waiting") || text.contains('1'),
        "{text}"
    );
    assert!(chat.seen()[0].path.contains("key=s3cret"));

    // The telephones answer 410: nothing goes there, the operator is told, and the next person is asked.
    open(&service, "b");
    service.settle();
    assert_eq!(
        service.get("boss", "/v1/tickets/2").json()["positions"][0]["answerable"],
        "max"
    );
    let ready = service.get("eye", "/readyz").is(200).json();
    let warnings = ready["warnings"].to_string();
    assert!(
        warnings.contains("webhook-closed") && warnings.contains("phone"),
        "{warnings}"
    );
    let figures = service.get("boss", "/metrics").is(200).text;
    for line in [
        "upline_webhooks_closed 1",
        "upline_webhook_tries_total{webhook=\"phone\",fate=\"delivered\"} 1",
        "upline_webhook_tries_total{webhook=\"phone\",fate=\"permanent\"} 1",
    ] {
        assert!(
            figures.lines().any(|known| known == line),
            "{line}\n{figures}"
        );
    }
    let came = phone.seen().len();
    open(&service, "c");
    assert_eq!(phone.seen().len(), came, "it is closed");
    service.runtime.block_on(service.daemon().reload()).unwrap();
    open(&service, "d");
    assert_eq!(phone.wait_for(came + 1).len(), came + 1);
    let ready = service.get("eye", "/readyz").is(200).json();
    assert!(
        !ready["warnings"].to_string().contains("webhook-closed"),
        "{ready}"
    );
}
