//! Taking in: messages of other systems that open tickets and move them.
//!
//! A source is another system that posts JSON of its own kind to `/v1/hooks/NAME`. It proves itself by a
//! token or a signature; a [`Map`] says what its messages mean. Whatever comes a second time, because an
//! answer was lost or two senders agree, is carried out once: commands are known by what the message says,
//! and tickets by their key.

mod cloud;
mod map;
mod map_file;
mod proof;
mod settings;
mod work;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use serde_json::{Value, json};
use upline::Handle;
use upline::core::Name;
use upline::dsl::{Severity, Sources as Texts, render};
use upline::record::File;

use crate::problem::Problem;

use map::{Envelope, Meaning, Seen, Serde};
pub use map::{MAX_KEY_BYTES, MAX_TEMPLATE_BYTES, Map, TEMPLATE_FUEL};
pub use map_file::MAX_RULES;
use proof::Proof;
pub use proof::{MIN_SECRET_BYTES, REPLAY_WINDOW};
pub use settings::{Signature, SourceSettings};
use work::Taken;

/// Most messages in one request.
pub const MAX_MESSAGES: usize = 500;

/// Largest file of a map, in bytes.
pub const MAX_MAP_BYTES: u64 = 256 * 1024;

/// The maps that are shipped, by name.
const SHIPPED: [(&str, &str); 3] = [
    ("alertmanager", include_str!("../maps/alertmanager.yaml")),
    ("call-centre", include_str!("../maps/call-centre.yaml")),
    ("cloudevents", include_str!("../maps/cloudevents.yaml")),
];

/// The text of a map that is shipped.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    let found = SHIPPED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// What became of messages, in the order of their counters.
const OUTCOMES: [&str; 8] = [
    "opened",
    "known",
    "moved",
    "commented",
    "no-ticket",
    "ignored",
    "refused",
    "not-proved",
];

/// All sources of the settings.
#[derive(Default)]
pub struct Sources {
    all: BTreeMap<Name, Source>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

/// One of them.
struct Source {
    name: Name,
    map: Map,
    proof: Proof,
    workflow: Name,
    counts: [AtomicU64; OUTCOMES.len()],
}

impl Sources {
    /// Reads the maps and the secrets.
    ///
    /// # Errors
    /// All that is wrong with them, each as a text for the operator.
    pub fn new(settings: &BTreeMap<String, SourceSettings>) -> Result<Self, Vec<String>> {
        let mut all = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, settings) in settings {
            match Source::new(name, settings) {
                Ok(source) => {
                    all.insert(source.name.clone(), source);
                }
                Err(found) => {
                    let told = found
                        .into_iter()
                        .map(|fault| format!("`[source.{name}]`: {fault}"));
                    faults.extend(told);
                }
            }
        }
        match faults.is_empty() {
            true => Ok(Self { all }),
            false => Err(faults),
        }
    }

    /// What the maps name and the workflows of these files do not have, each as a line for the operator:
    /// messages for it would be refused.
    #[must_use]
    pub fn strange(&self, files: &[File]) -> Vec<String> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let files = files.iter();
        let files = files.map(|file| (file.name.as_str(), file.text.as_bytes()));
        let loaded = upline::dsl::load(files.collect::<Vec<_>>());
        let mut faults = Vec::new();
        for source in self.all.values() {
            let at = format!("`[source.{}]`", source.name);
            match loaded.workflow(&source.workflow) {
                None => faults.push(format!("{at}: there is no workflow `{}`", source.workflow)),
                Some(workflow) => {
                    let found = source.map.check(&workflow.value).into_iter();
                    faults.extend(found.map(|fault| format!("{at}: {fault}")));
                }
            }
        }
        faults
    }

    /// How many messages of each source had which outcome.
    pub(crate) fn counts(&self) -> Vec<(&Name, [(&'static str, u64); OUTCOMES.len()])> {
        let count = |source: &Source| {
            let mut counts = OUTCOMES.map(|outcome| (outcome, 0));
            for (count, counted) in counts.iter_mut().zip(&source.counts) {
                count.1 = counted.load(Ordering::Relaxed);
            }
            counts
        };
        self.all
            .values()
            .map(|source| (&source.name, count(source)))
            .collect()
    }

    /// Takes a request from this address in. The answer says what became of each message in it.
    pub(crate) async fn take(
        &self,
        handle: &Handle,
        name: &str,
        peer: Option<IpAddr>,
        (headers, body): (&HeaderMap, &[u8]),
    ) -> Result<Value, Problem> {
        let Some(source) = self.all.get(name) else {
            let detail = format!("there is no source `{name}`");
            let problem = Problem::new(axum::http::StatusCode::NOT_FOUND, "no-such-source", detail);
            return Err(problem.hint("the operator adds `[source.NAME]` to the settings"));
        };
        source.take(handle, peer, headers, body).await
    }
}

impl Source {
    fn new(name: &str, settings: &SourceSettings) -> Result<Self, Vec<String>> {
        let proof = Proof::new(settings);
        let map = read_map(settings);
        let mut faults = Vec::new();
        let workflow = settings.workflow.as_deref().map(Name::new);
        match (proof, map) {
            (Ok(proof), Ok(map)) => match workflow.or_else(|| map.workflow.clone()) {
                Some(workflow) => {
                    tracing::info!(
                        code = "source", source = name, map = %map.title, workflow = %workflow, "taken in"
                    );
                    return Ok(Self {
                        name: Name::new(name),
                        map,
                        proof,
                        workflow,
                        counts: Default::default(),
                    });
                }
                None => faults.push("`workflow` is missing, and the map names none".to_owned()),
            },
            (proof, map) => {
                faults.extend(proof.err());
                faults.extend(map.err().unwrap_or_default());
            }
        }
        Err(faults)
    }

    fn count(&self, outcome: &str) {
        let index = OUTCOMES.iter().position(|known| *known == outcome);
        if let Some(count) = index.and_then(|index| self.counts.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn take(
        &self,
        handle: &Handle,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, Problem> {
        if let Err(doubt) = self.proof.of(headers, body) {
            self.count("not-proved");
            let why = doubt.says();
            tracing::warn!(
                code = "inbound-not-proved",
                source = %self.name,
                why,
                peer = peer.map(tracing::field::display),
                "not believed"
            );
            let status = axum::http::StatusCode::UNAUTHORIZED;
            return Err(Problem::new(status, "not-proved", doubt.says()));
        }
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(body).map_err(|error| {
                self.refuse(peer, 0, &error.to_string());
                Problem::bad("not-json", error.to_string())
            })?,
        };
        let wrong = |fault: String| {
            self.refuse(peer, 0, &fault);
            Problem::unprocessable("not-understood", fault)
        };
        let bodies = match self.map.envelope {
            Envelope::Plain => vec![body],
            Envelope::CloudEvents => cloud::events(headers, body).map_err(wrong)?,
        };
        let mut messages = Vec::new();
        for body in &bodies {
            let items = self.map.items(body).map_err(wrong)?;
            let seen = Seen::from(Serde(body));
            messages.extend(items.into_iter().map(|item| (item, seen.clone())));
        }
        if messages.len() > MAX_MESSAGES {
            let detail = format!("at most {MAX_MESSAGES} messages are taken in one request");
            self.refuse(peer, 0, &detail);
            let status = axum::http::StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Problem::new(status, "too-many", detail));
        }
        let mut results = Vec::with_capacity(messages.len());
        for (index, (item, body)) in messages.into_iter().enumerate() {
            let result = self.one(handle, item, &body).await;
            if let Err(problem) = &result {
                self.refuse(peer, index, problem.detail());
            }
            results.push(result);
        }
        answer(results)
    }

    async fn one(&self, handle: &Handle, item: &Value, body: &Seen) -> Result<Taken, Problem> {
        let understood = self.map.understand(item, body);
        let meaning = understood
            .map_err(|faults| Problem::unprocessable("not-understood", faults.join("; ")))?;
        let taken = match meaning {
            Meaning::Nothing => Taken::ignored(),
            Meaning::About(about) => {
                work::carry_out(handle, &self.name, &self.workflow, *about, item).await?
            }
        };
        self.count(taken.outcome);
        Ok(taken)
    }

    /// What was not taken is counted, and said in the log: the sender knows it too.
    fn refuse(&self, peer: Option<IpAddr>, index: usize, why: &str) {
        self.count("refused");
        tracing::warn!(
            code = "inbound-refused",
            source = %self.name,
            index,
            why = %why,
            peer = peer.map(tracing::field::display),
            "a message was not taken"
        );
    }
}

/// The answer to a request: what became of each message. One that should come again makes all of them come
/// again, which does no harm; else one that was refused is a refusal, with what became of the others.
fn answer(results: Vec<Result<Taken, Problem>>) -> Result<Value, Problem> {
    let shown: Vec<Value> = results
        .iter()
        .map(|result| match result {
            Ok(taken) => taken.json(),
            Err(problem) => json!({
                "outcome": if problem.is_passing() { "later" } else { "refused" },
                "code": problem.code(),
                "detail": problem.detail(),
            }),
        })
        .collect();
    let of = results.len();
    let refused: Vec<Problem> = results.into_iter().filter_map(Result::err).collect();
    let count = refused.len();
    let passing = refused.iter().any(Problem::is_passing);
    let worst = refused
        .into_iter()
        .find(|problem| problem.is_passing() == passing);
    match worst {
        None => Ok(json!({ "results": shown })),
        // A single message is answered as the command that it is.
        Some(problem) if of == 1 => Err(problem.with("results", shown)),
        Some(problem) if passing => Err(problem.with("results", shown)),
        Some(_) => {
            let detail = format!("{count} of {of} messages were not taken");
            Err(Problem::unprocessable("not-understood", detail).with("results", shown))
        }
    }
}

fn read_map(settings: &SourceSettings) -> Result<Map, Vec<String>> {
    let (name, text) = match settings.file() {
        None => {
            let text = shipped(&settings.map).unwrap_or_default();
            (format!("{}.yaml", settings.map), text.to_owned())
        }
        Some(path) => {
            let text = read_file(&path).map_err(|fault| vec![fault])?;
            (path.display().to_string(), text)
        }
    };
    let mut texts = Texts::new();
    let (map, found) = Map::read(&mut texts, (name.as_str(), text.as_str()));
    let faults = found.iter().filter(|one| one.severity == Severity::Error);
    let faults: Vec<String> = faults
        .map(|one| format!("`map`:\n{}", render::text(&texts, one, Default::default())))
        .collect();
    map.map(|read| read.value).ok_or(faults)
}

fn read_file(path: &Path) -> Result<String, String> {
    let at = |why: String| {
        let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let known = known.join("`, `");
        format!(
            "`map`: `{}`: {why}; the maps that are shipped are `{known}`",
            path.display()
        )
    };
    let size = std::fs::metadata(path)
        .map_err(|error| at(error.to_string()))?
        .len();
    if size > MAX_MAP_BYTES {
        return Err(at(format!("it is larger than {MAX_MAP_BYTES} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| at(error.to_string()))
}
