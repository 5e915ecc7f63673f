//! A service with the shipped workflows, and its callers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use upline::clock::ManualClock;

use crate::api::Pace;
use crate::tell::MailSettings;
use crate::tokens::{Tokens, hash};
use crate::{Daemon, Start, StartError};

/// Friday, ten past nine in Shanghai.
pub(super) const BEGIN: &str = "2026-03-06T09:10:00+08:00";

/// Tokens: name, role, person. The secret is `upl_` and the name.
const TOKENS: [(&str, &str, &str); 10] = [
    ("tom", "agent", "tom"),
    ("ann", "agent", "ann"),
    ("bob", "agent", "bob"),
    ("cem", "agent", "cem"),
    ("lea", "lead", "lea"),
    ("rosa", "agent", "rosa"),
    ("boss", "admin", ""),
    ("eye", "reader", ""),
    ("pbx", "integration", ""),
    ("erp", "integration", ""),
];

/// Where the shipped workflows are.
pub(super) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")
}

pub(super) fn tokens() -> Tokens {
    Tokens::read(&tokens_text()).unwrap()
}

/// The file of tokens.
pub(super) fn tokens_text() -> String {
    let entries = TOKENS.iter();
    entries
        .map(|(name, role, person)| token(name, role, person))
        .collect()
}

/// An entry of the file of tokens.
pub(super) fn token(name: &str, role: &str, person: &str) -> String {
    let hash = hash(&format!("upl_{name}"));
    let person = match person.is_empty() {
        true => String::new(),
        false => format!("person = \"{person}\"\n"),
    };
    format!("[[token]]\nname = \"{name}\"\nhash = \"{hash}\"\nrole = \"{role}\"\n{person}")
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
}

impl Answer {
    /// Its body, which must be JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A refusal: its status and code, and what every refusal has.
    pub(super) fn refuses(self, status: u16, code: &str) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(
            (self.status, body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && !body["detail"].as_str().unwrap().is_empty());
        body
    }
}

/// What changes how a service is started.
type Adjust = Box<dyn Fn(Start) -> Start + Sync>;

/// A running service.
pub(super) struct Service {
    pub(super) runtime: Runtime,
    pub(super) daemon: Option<Daemon>,
    pub(super) data: TempDir,
    pub(super) workflows: TempDir,
    pub(super) clock: ManualClock,
    /// What it is started with besides.
    adjust: Adjust,
    /// For the next start.
    pub(super) pace: Pace,
    agent: ureq::Agent,
}

impl Service {
    /// With the shipped workflows.
    pub(super) fn start() -> Self {
        Self::adjusted(|start| start)
    }

    /// With the shipped workflows, started in another way.
    pub(super) fn adjusted(adjust: impl Fn(Start) -> Start + Sync + 'static) -> Self {
        Self::with(shipped_copy(), adjust).unwrap()
    }

    /// With these workflows, and this section `[mail]` of the settings.
    pub(super) fn with_mail(workflows: TempDir, mail: &str) -> Result<Self, StartError> {
        let mail: MailSettings = toml::from_str(mail).unwrap();
        Self::with(workflows, move |start| start.mail(Some(mail.clone())))
    }

    /// With these workflows.
    pub(super) fn on(workflows: TempDir) -> Result<Self, StartError> {
        Self::with(workflows, |start| start)
    }

    /// With these workflows, started in another way.
    pub(super) fn with(
        workflows: TempDir,
        adjust: impl Fn(Start) -> Start + Sync + 'static,
    ) -> Result<Self, StartError> {
        Self::beginning(BEGIN.parse().unwrap(), workflows, adjust)
    }

    /// The same, at another time.
    pub(super) fn beginning(
        at: Timestamp,
        workflows: TempDir,
        adjust: impl Fn(Start) -> Start + Sync + 'static,
    ) -> Result<Self, StartError> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        let mut service = Self {
            runtime: Runtime::new().unwrap(),
            daemon: None,
            data: tempfile::tempdir().unwrap(),
            workflows,
            clock: ManualClock::at(at),
            adjust: Box::new(adjust),
            pace: Pace::default(),
            agent: config.build().into(),
        };
        service.begin()?;
        Ok(service)
    }

    fn begin(&mut self) -> Result<(), StartError> {
        let listen = "127.0.0.1:0".parse().unwrap();
        let start = Start::new(self.data.path(), self.workflows.path(), listen)
            .tokens(tokens())
            .pace(self.pace)
            .clock(self.clock.clone());
        let start = (self.adjust)(start);
        self.daemon = Some(self.runtime.block_on(Daemon::start(start))?);
        Ok(())
    }

    /// From the next restart on it is started like this.
    pub(super) fn adjust(&mut self, adjust: impl Fn(Start) -> Start + Sync + 'static) {
        self.adjust = Box::new(adjust);
    }

    /// Stops it, and starts another one on the same folders.
    pub(super) fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    pub(super) fn stop(&mut self) {
        let daemon = self.daemon.take().unwrap();
        self.runtime.block_on(daemon.stop()).unwrap();
    }

    pub(super) fn start_again(&mut self) {
        self.begin().unwrap();
    }

    pub(super) fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    /// Lets time pass, and all that falls due happen.
    pub(super) fn pass(&self, minutes: u64) {
        self.clock.forward(Duration::from_secs(minutes * 60));
        self.settle();
    }

    /// Waits until nothing is due, and no message is under way.
    pub(super) fn settle(&self) {
        let handle = self.daemon().handle();
        self.runtime.block_on(handle.settled()).unwrap();
    }

    /// Sends a request as it is.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let url = format!("http://{}{path}", self.daemon().address());
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).unwrap();
        let mut response = self.agent.run(request).unwrap();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let answer = Answer {
            status: response.status().as_u16(),
            headers,
            text: response.body_mut().read_to_string().unwrap(),
        };
        super::openapi::check(method, path, &answer);
        answer
    }

    pub(super) fn get(&self, who: &str, path: &str) -> Answer {
        let token = bearer(who);
        self.send("GET", path, &[("authorization", &token)], b"")
    }

    /// Posts JSON with more headers.
    pub(super) fn post(
        &self,
        who: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let token = bearer(who);
        let mut all = vec![
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend_from_slice(headers);
        self.send("POST", path, &all, body.to_string().as_bytes())
    }

    /// Does something to a ticket that was just looked at.
    pub(super) fn act(&self, who: &str, id: &str, action: &str, body: &Value) -> Answer {
        // That a message was delivered is an event of the ticket too.
        self.settle();
        let seen = self.get("eye", &format!("/v1/tickets/{id}")).is(200);
        let etag = seen.header("etag").to_owned();
        let path = format!("/v1/tickets/{id}/actions/{action}");
        self.post(who, &path, &[("if-match", &etag)], body)
    }

    /// Opens a trouble ticket under this key; its id.
    pub(super) fn call(&self, who: &str, key: &str) -> String {
        let opened = self.post(who, "/v1/tickets", &[("idempotency-key", key)], &trouble());
        opened.is(201).json()["id"].as_str().unwrap().to_owned()
    }

    /// The state of a ticket, and who is answerable.
    pub(super) fn standing(&self, id: &str) -> (String, String) {
        let ticket = self.get("eye", &format!("/v1/tickets/{id}")).is(200).json();
        let at = &ticket["positions"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&at["state"]), text(&at["answerable"]))
    }
}

/// A copy of the shipped workflows.
pub(super) fn shipped_copy() -> TempDir {
    let workflows = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            fs::copy(&path, workflows.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    workflows
}

pub(super) fn bearer(who: &str) -> String {
    format!("Bearer upl_{who}")
}

/// What opens a trouble ticket.
pub(super) fn trouble() -> Value {
    serde_json::json!({
        "workflow": "trouble-ticket",
        "fields": { "caller": "Mr Low <low@example.com>", "problem": "no dial tone" },
    })
}
