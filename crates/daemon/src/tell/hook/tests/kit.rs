//! Real messages of a real engine, and webhooks to send them to.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::Webhook;
use tempfile::TempDir;
use upline::clock::ManualClock;
use upline::core::Actor;
use upline::notify::{Message, Notifier, SendError, Sending};
use upline::{Engine, Handle};

use super::super::*;
use crate::settings::Secret;
use crate::tell::{Button, Language, Letter, Writer};
use crate::tests::peer::{Peer, Reaction, Seen};

const DIRECTORY: &str = "
directory: test
last-resort: user max
people:
  ann: { name: Ann Berg, notify: [{ webhook: phone }, { webhook: chat, after: 1 h }] }
  max: { name: Max Roth, notify: { webhook: backup } }
groups:
  desk: { members: [ann], lead: max }
";

const WORKFLOW: &str = "
workflow: call
fields:
  what: { type: text }
ladders:
  slow: [{ after: 1 h, assign: lead of desk }]
start: asked
states:
  asked:
    assign: next in desk
    escalate: slow
    actions: { done: closed }
  closed: { end: done }
";

/// 24 bytes, in base64.
pub(super) const KEY: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
pub(super) const OLD_KEY: &str = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4";

pub(super) struct Plain;

impl Writer for Plain {
    fn language(&self, _: &Message) -> Language {
        Language::Zh
    }

    fn write(&self, message: &Message, buttons: Vec<Button>) -> Result<Letter, SendError> {
        Ok(Letter {
            language: Language::Zh,
            subject: format!("[L0] {} 宽带中断", message.ticket.id),
            text: "文本\nhttps://u.example/a/T\n".to_owned(),
            html: None,
            brief: "现在轮到您".to_owned(),
            buttons,
        })
    }
}

pub(super) fn letter(message: &Message) -> Letter {
    let button = Button {
        label: "受理".to_owned(),
        href: "https://u.example/a/T".to_owned(),
        number: Some("47".to_owned()),
        is_main: true,
    };
    Plain.write(message, vec![button]).unwrap()
}

/// Gives every message away.
struct Catch(std::sync::Mutex<mpsc::Sender<Message>>);

impl Notifier for Catch {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        self.0.lock().unwrap().send(message.clone()).unwrap();
        Box::pin(async { Ok(()) })
    }
}

pub(super) async fn engine(notifier: impl Notifier + 'static, clock: &ManualClock) -> Engine {
    let builder = Engine::builder().clock(clock.clone()).notifier(notifier);
    let builder = builder
        .file("directory.yaml", DIRECTORY)
        .file("call.yaml", WORKFLOW);
    builder.start().await.unwrap()
}

pub(super) fn clock() -> ManualClock {
    ManualClock::at("2026-03-06T09:10:00+08:00".parse().unwrap())
}

pub(super) async fn open(handle: &Handle) {
    let fields = vec![("what".into(), "网络".to_owned())];
    let by = Actor::System("pbx".into());
    handle.open("call", by, fields).await.unwrap();
}

/// A message of an engine.
pub(super) async fn message() -> Message {
    let (sender, messages) = mpsc::channel();
    let clock = clock();
    let engine = engine(Catch(sender.into()), &clock).await;
    open(&engine.handle()).await;
    engine.handle().settled().await.unwrap();
    engine.stop().await.unwrap();
    messages.recv().unwrap()
}

pub(super) struct Kept {
    folder: TempDir,
}

impl Kept {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub(super) fn secret(&self, name: &str, text: &str) -> Option<Secret> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(Secret::File(path))
    }

    pub(super) fn settings(&self, url: String) -> WebhookSettings {
        WebhookSettings {
            allow_private: true,
            secret: self.secret("key", KEY),
            ..WebhookSettings::new(url)
        }
    }
}

pub(super) fn hooks(settings: &[(&str, WebhookSettings)]) -> Hooks {
    let settings: BTreeMap<String, WebhookSettings> = settings
        .iter()
        .map(|(name, settings)| ((*name).to_owned(), settings.clone()))
        .collect();
    Hooks::new(&settings, None, "https://u.example/").unwrap()
}

pub(super) async fn send(settings: WebhookSettings) -> Result<(), SendError> {
    let hooks = hooks(&[("phone", settings)]);
    let message = message().await;
    hooks
        .get("phone")
        .unwrap()
        .send(&message, &letter(&message))
        .await
}

pub(super) async fn sent_to(reaction: Reaction) -> (Result<(), SendError>, Vec<Seen>) {
    let peer = Peer::start([reaction]);
    let kept = Kept::new();
    let mut settings = kept.settings(peer.url());
    settings.timeout = Some(SignedDuration::from_millis(700));
    (send(settings).await, peer.seen())
}

pub(super) fn temporary(result: Result<(), SendError>) -> (String, Option<Duration>) {
    match result {
        Err(SendError::Temporary { reason, after }) => (reason, after),
        other => panic!("{other:?}"),
    }
}

pub(super) fn permanent(result: Result<(), SendError>) -> String {
    match result {
        Err(SendError::Permanent { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// As a receiver does it, with a library that is not ours.
pub(super) fn verified(seen: &Seen, key: &str) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in &seen.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    Webhook::new(key)
        .unwrap()
        .verify(&seen.body, &headers)
        .is_ok()
}
