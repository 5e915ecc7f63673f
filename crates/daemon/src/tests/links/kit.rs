//! A service whose messages are kept, and somebody who opens and presses their links.

use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use upline::core::Recipient;
use upline::notify::{Message, SendError, Sending};

use super::super::kit::{Answer, Service};
use crate::Start;
use crate::links::LinksSettings;
use crate::tell::{Button, Channel, Language, Letter, Teller, Writer};

/// A small desk: one offer that waits for a month, and one that is somebody's own.
pub(super) const DESK: &str = "\
directory: small
last-resort: user max
people:
  ann: { name: Ann Berg, mail: ann@example.com }
  bob: { name: Bob Stone, mail: bob@example.com }
  mei: { name: '刘梅 <b>', mail: mei@example.com, languages: [de, zh], time-zone: Asia/Shanghai }
  max: { name: Max Roth, mail: max@example.com }
groups:
  desk: { members: [ann, bob], lead: max }
";

pub(super) const ASK: &str = "\
workflow: ask
version: 1
title: { en: A question, zh: 提问 }
fields:
  what: { type: paragraph, label: { en: What?, zh: 内容 } }
ladders:
  slow:
    - { after: 30 days, assign: lead of desk }
start: offered
states:
  offered:
    title: { en: Who takes it?, zh: 等待认领 }
    assign: anyone in desk
    escalate: slow
    form: [what]
    actions:
      done: { label: { en: Answered, zh: 已答复 }, goto: closed }
      far: { label: { en: To China, zh: 转中国 }, goto: china }
  china:
    title: { en: In China, zh: 中国处理 }
    assign: user mei
    escalate: slow
    form: [what]
    actions:
      accept: { label: { en: I am on it, zh: 受理 }, goto: busy }
  busy:
    assign: who did accept
    escalate: slow
    actions:
      done: { label: { en: Answered, zh: 已答复 }, goto: closed }
  closed:
    end: done
";

/// Where links lead.
const PUBLIC: &str = "https://tickets.example.com/desk";

/// Letters that came.
#[derive(Clone, Default)]
pub(in crate::tests) struct Post(Arc<Mutex<Vec<(String, Letter)>>>);

impl Post {
    /// The path of the first link in the last letter that this person got.
    pub(in crate::tests) fn link(&self, to: &str) -> String {
        let letters = self.0.lock().unwrap();
        let mut own = letters.iter().rev().filter(|(other, _)| other == to);
        let (_, letter) = own.next().unwrap();
        let link = letter.buttons[0].href.strip_prefix(PUBLIC);
        link.unwrap().to_owned()
    }
}

impl Channel for Post {
    fn send<'a>(&'a self, message: &'a Message, letter: &'a Letter) -> Sending<'a> {
        let to = match &message.to {
            Recipient::Person(person) => person.to_string(),
            Recipient::Contact(field) => format!("contact {field}"),
        };
        self.0.lock().unwrap().push((to, letter.clone()));
        Box::pin(async { Ok(()) })
    }
}

struct Plain;

impl Writer for Plain {
    fn language(&self, message: &Message) -> Language {
        let speaks = message.person.iter().flat_map(|person| &person.languages);
        match speaks.into_iter().any(|tag| tag.as_str() == "zh") {
            true => Language::Zh,
            false => Language::En,
        }
    }

    fn write(&self, message: &Message, buttons: Vec<Button>) -> Result<Letter, SendError> {
        Ok(Letter {
            language: self.language(message),
            subject: format!("{:?}", message.topic),
            text: String::new(),
            html: None,
            brief: String::new(),
            buttons,
        })
    }
}

/// A service, and what it has sent.
pub(super) struct Desk {
    pub(super) service: Service,
    pub(super) post: Post,
}

fn adjust(post: Post, links: LinksSettings) -> impl Fn(Start) -> Start {
    move |start| adjusted(start, &post, links.clone())
}

/// Started so that its letters are kept, and have these links.
pub(in crate::tests) fn adjusted(start: Start, post: &Post, links: LinksSettings) -> Start {
    let teller = Teller::new(Arc::new(Plain)).channel("mail".into(), Arc::new(post.clone()));
    let public = PUBLIC.parse().unwrap();
    start.teller(teller).links(public, links, Language::En)
}

impl Desk {
    /// With the shipped workflows.
    pub(super) fn shipped() -> Self {
        let post = Post::default();
        let service = Service::adjusted(adjust(post.clone(), LinksSettings::default()));
        Self { service, post }
    }

    /// With the small desk, and these links.
    pub(super) fn small(actions: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("directory.yaml"), DESK).unwrap();
        fs::write(folder.path().join("ask.yaml"), ASK).unwrap();
        let links = LinksSettings {
            actions: actions.iter().map(ToString::to_string).collect(),
            ..LinksSettings::default()
        };
        let post = Post::default();
        let service = Service::with(folder, adjust(post.clone(), links)).unwrap();
        Self { service, post }
    }

    /// Opens a question.
    pub(super) fn ask(&self, what: &str) -> String {
        let body = json!({ "workflow": "ask", "fields": { "what": what } });
        let key = [("idempotency-key", what)];
        let opened = self
            .service
            .post("boss", "/v1/tickets", &key, &body)
            .is(201);
        self.service.settle();
        opened.json()["id"].as_str().unwrap().to_owned()
    }

    /// A trouble ticket that ann was asked to take.
    pub(super) fn dispatched(&self) -> String {
        let id = self.service.call("tom", "one");
        self.service.act("tom", &id, "open", &json!({})).is(200);
        self.service.settle();
        id
    }

    /// The last letter that this person got.
    pub(super) fn letter(&self, to: &str) -> Letter {
        let letters = self.post.0.lock().unwrap();
        let mut own = letters.iter().rev().filter(|(other, _)| other == to);
        own.next()
            .unwrap_or_else(|| panic!("nothing came for {to}"))
            .1
            .clone()
    }

    /// The link of this label in the last letter that the person got.
    pub(super) fn link(&self, to: &str, label: &str) -> Linked {
        let letter = self.letter(to);
        let found = letter.buttons.iter().find(|button| button.label == label);
        let found = found.unwrap_or_else(|| panic!("no `{label}` in {:?}", letter.buttons));
        let path = found.href.strip_prefix(PUBLIC).unwrap();
        Linked {
            path: path.to_owned(),
            number: found.number.clone().unwrap(),
        }
    }

    pub(super) fn labels(&self, to: &str) -> Vec<String> {
        let buttons = self.letter(to).buttons;
        buttons.into_iter().map(|button| button.label).collect()
    }

    pub(super) fn open(&self, link: &Linked) -> Answer {
        self.service.send("GET", &link.path, &[], b"")
    }

    /// Presses with this number, as a browser does.
    pub(super) fn press_with(&self, link: &Linked, number: &str) -> Answer {
        let form = format!("number={number}");
        self.submit(link, &form)
    }

    pub(super) fn submit(&self, link: &Linked, form: &str) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "null"),
        ];
        self.service
            .send("POST", &link.path, &headers, form.as_bytes())
    }

    pub(super) fn press(&self, link: &Linked) -> Answer {
        self.press_with(link, &link.number)
    }

    /// Lets seconds pass.
    pub(super) fn wait(&self, seconds: u64) {
        self.service
            .clock
            .forward(std::time::Duration::from_secs(seconds));
        self.service.settle();
    }

    pub(super) fn ticket(&self, id: &str) -> Value {
        self.service.settle();
        self.service
            .get("eye", &format!("/v1/tickets/{id}"))
            .is(200)
            .json()
    }
}

/// Where a link leads, and what stands beside it.
#[derive(Debug, Clone)]
pub(super) struct Linked {
    pub(super) path: String,
    pub(super) number: String,
}

impl Linked {
    /// Two digits that are not its own.
    pub(super) fn wrong(&self) -> String {
        let number: u32 = self.number.parse().unwrap();
        format!("{:02}", (number + 1) % 100)
    }
}
