//! What happens to one ticket: a plan of commands, and what must be so after each.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Scale;
use super::desk::EYES;
use crate::line::Request;

/// A command of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Open,
    Accept,
    Decline,
    Claim,
    /// Whoever has it says something.
    Comment,
    /// The telephone system does.
    Heard,
    Ask,
    Answered,
    PassOn,
    Resolve,
}

use Step::{Accept, Answered, Ask, Claim, Comment, Decline, Heard, Open, PassOn, Resolve};

/// The lives of twenty tickets one after the other; in spans, how long before each step somebody waits.
const PLANS: [&[(Step, f64)]; 20] = {
    const PLAIN: &[(Step, f64)] = &[
        (Open, 0.0),
        (Accept, 0.2),
        (Comment, 0.3),
        (Heard, 0.2),
        (Resolve, 0.3),
    ];
    const TALK: &[(Step, f64)] = &[
        (Open, 0.0),
        (Accept, 0.4),
        (Comment, 0.2),
        (Ask, 0.3),
        (Heard, 0.4),
        (Answered, 0.2),
        (Comment, 0.4),
        (Resolve, 0.2),
    ];
    const PASSED: &[(Step, f64)] = &[
        (Open, 0.0),
        (Decline, 0.3),
        (Accept, 0.3),
        (PassOn, 0.2),
        (Accept, 0.3),
        (Resolve, 0.4),
    ];
    const HOPS: &[(Step, f64)] = &[(Open, 0.0), (Accept, 1.6), (Resolve, 0.3)];
    const CLIMBS: &[(Step, f64)] = &[(Open, 0.0), (Accept, 4.6), (Comment, 0.3), (Resolve, 0.3)];
    const QUIET: &[(Step, f64)] = &[(Open, 0.0), (Accept, 0.2), (Resolve, 4.4)];
    const OFFERED: &[(Step, f64)] = &[(Open, 0.0), (Claim, 0.3), (Comment, 0.3), (Resolve, 0.3)];
    const LATE: &[(Step, f64)] = &[(Open, 0.0), (Claim, 1.4), (Resolve, 0.3)];
    const SILENT: &[(Step, f64)] = &[(Open, 0.0)];
    [
        PLAIN, TALK, HOPS, OFFERED, PASSED, PLAIN, SILENT, TALK, CLIMBS, PLAIN, TALK, QUIET, PLAIN,
        LATE, TALK, PASSED, PLAIN, TALK, HOPS, PLAIN,
    ]
};

/// How often a step may come too late or meet a busy daemon before that is wrong.
const MAX_TRIES: u32 = 40;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What follows from an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Then {
    /// The next command, after so long.
    Wait(Duration),
    /// Nothing more is done to it; it ends in this state.
    Ends(&'static str),
    /// That must not be.
    Wrong(String),
}

/// A ticket that the driver has opened, or is about to.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) number: u64,
    pub(super) id: String,
    team: usize,
    is_offer: bool,
    steps: VecDeque<(Step, f64)>,
    /// What it must be in, while no clock has moved it on.
    state: &'static str,
    /// Since when at least.
    entered: Instant,
    answerable: String,
    candidates: Vec<String>,
    revision: u64,
    is_last_resort: bool,
    /// Commands that were answered with success.
    pub(super) done: u32,
    /// The command whose outcome is not known yet.
    pending: Option<Request>,
    /// When that was sent first.
    sent: Instant,
    keys: u32,
    tries: u32,
    /// It was too late: it looks at the ticket first.
    pub(super) looks: bool,
}

impl Life {
    pub(super) fn new(number: u64, scale: &Scale) -> Self {
        let plan = PLANS[(number % PLANS.len() as u64) as usize];
        let is_offer = plan.iter().any(|(step, _)| *step == Claim);
        Self {
            number,
            id: String::new(),
            team: (number / 3 % scale.teams as u64) as usize,
            is_offer,
            steps: plan.iter().copied().collect(),
            state: if is_offer { "offered" } else { "asked" },
            entered: Instant::now(),
            answerable: String::new(),
            candidates: Vec::new(),
            revision: 0,
            is_last_resort: false,
            done: 0,
            pending: None,
            sent: Instant::now(),
            keys: 0,
            tries: 0,
            looks: false,
        }
    }

    /// The request by which one looks at it.
    pub(super) fn look(&self) -> Request {
        let eye = format!("eye{}", self.number % EYES as u64);
        Request::get(&eye, format!("/v1/tickets/{}", self.id))
    }

    /// The next command; the same one, with the same key, until its outcome is known.
    pub(super) fn request(&mut self) -> Request {
        if let Some(request) = &self.pending {
            return request.clone();
        }
        (self.keys, self.sent) = (self.keys + 1, Instant::now());
        if self.done == 0 {
            self.entered = self.sent;
        }
        let request = self.command();
        self.pending = Some(request.clone());
        request
    }

    fn command(&self) -> Request {
        let step = self.steps.front().map_or(Open, |(step, _)| *step);
        let number = self.number;
        let (who, action, body) = match step {
            Open => ("pbx", "", self.opening()),
            Accept => (self.answerable.as_str(), "accept", json!({})),
            Decline => (
                self.answerable.as_str(),
                "decline",
                json!({ "reason": "no time" }),
            ),
            Claim => {
                let at = number as usize % self.candidates.len().max(1);
                let who = self.candidates.get(at).unwrap_or(&self.answerable);
                (who.as_str(), "claim", json!({}))
            }
            Comment => {
                let text = format!("call {number}: they are looking for it, {}", self.keys);
                (self.answerable.as_str(), "comment", json!({ "text": text }))
            }
            Heard => ("pbx", "comment", json!({ "text": "the caller rang again" })),
            Ask => (self.answerable.as_str(), "ask", json!({})),
            Answered => (self.answerable.as_str(), "answered", json!({})),
            PassOn => (self.answerable.as_str(), "pass-on", json!({})),
            Resolve if self.is_offer => (self.answerable.as_str(), "resolve", json!({})),
            Resolve => {
                let fields = json!({ "fields": { "answer": "a new cable 新电缆" } });
                (self.answerable.as_str(), "resolve", fields)
            }
        };
        let mut headers = format!("idempotency-key: {number}-{}\r\n", self.keys);
        if step != Open {
            // One in four insists on what was seen.
            headers += &match number % 4 {
                0 => format!("if-match: \"{}\"\r\n", self.revision),
                _ => "if-match: *\r\n".to_owned(),
            };
        }
        let path = match step {
            Open => "/v1/tickets".to_owned(),
            _ => format!("/v1/tickets/{}/actions/{action}", self.id),
        };
        Request {
            method: "POST",
            path,
            who: who.to_owned(),
            headers,
            body: body.to_string(),
        }
    }

    fn opening(&self) -> Value {
        let (number, team) = (self.number, self.team);
        let kind = if self.is_offer { "offer" } else { "call" };
        json!({
            "workflow": format!("{kind}-{team}"),
            "fields": {
                "caller": format!("Caller {number} <c{number}@example.net>"),
                "problem": "no dial tone since this morning, on every telephone of the second floor",
            },
        })
    }

    /// What was seen of it by a look, before a step.
    pub(super) fn seen(&mut self, ticket: &Value, scale: &Scale) -> Option<Then> {
        self.looks = false;
        if let Some(ended) = ticket["ended"]["state"].as_str() {
            return Some(match ended {
                "lapsed" => self.lapsed(scale),
                other => Then::Wrong(format!("it has ended in {other}, from {}", self.state)),
            });
        }
        self.place(ticket);
        let state = ticket["positions"][0]["state"].as_str().unwrap_or_default();
        if state != self.state {
            let told = format!("it is in {state}, and must be in {}", self.state);
            return Some(Then::Wrong(told));
        }
        // What nobody can be asked for any more is left out.
        let step = self.steps.front().map(|(step, _)| *step);
        let is_over = match step {
            Some(Claim) => self.candidates.is_empty(),
            Some(Decline) => self.is_last_resort || self.tries > 3,
            _ => false,
        };
        if is_over {
            self.pending = None;
            self.steps.pop_front();
        }
        None
    }

    fn place(&mut self, ticket: &Value) {
        let at = &ticket["positions"][0];
        self.answerable = text(&at["answerable"]);
        let candidates = at["candidates"].as_array();
        self.candidates = candidates
            .map(|all| all.iter().map(text).collect())
            .unwrap_or_default();
        self.revision = ticket["revision"].as_u64().unwrap_or_default();
        self.is_last_resort = at["level"] == "last-resort";
    }

    /// Only these states are left by silence, and only after their time.
    fn lapsed(&self, scale: &Scale) -> Then {
        let may = ["asked", "waiting", "offered"].contains(&self.state);
        let for_long = self.entered.elapsed() >= Duration::from_secs(scale.lapse);
        match may && for_long {
            true => Then::Ends("lapsed"),
            false => Then::Wrong(format!(
                "it lapsed in {} after {} ms",
                self.state,
                self.entered.elapsed().as_millis()
            )),
        }
    }

    /// The command was carried out.
    pub(super) fn acknowledged(&mut self, ticket: &Value, is_replay: bool, scale: &Scale) -> Then {
        let Some((step, _)) = self.steps.pop_front() else {
            return Then::Wrong("an answer to nothing".to_owned());
        };
        self.pending = None;
        (self.done, self.tries) = (self.done + 1, 0);
        let before = self.state;
        self.state = match step {
            Accept | Answered => "working",
            PassOn => "asked",
            Ask => "waiting",
            Resolve if self.is_offer => "closed",
            Resolve => "resolved",
            Open | Decline | Claim | Comment | Heard => before,
        };
        if step == Open {
            self.id = ticket["id"].as_str().unwrap_or_default().to_owned();
        }
        let ended = ticket["ended"]["state"].as_str();
        let state = ended.or(ticket["positions"][0]["state"].as_str());
        // An answer that comes again may tell of what has happened since.
        if !is_replay && state != Some(self.state) {
            return Then::Wrong(format!("after {step:?} it is in {state:?}"));
        }
        if self.state != before {
            // The daemon's clock for it began later than this, never earlier.
            self.entered = self.sent;
        }
        self.looks = is_replay;
        self.place(ticket);
        match self.steps.front() {
            Some((_, wait)) => Then::Wait(Duration::from_secs_f64(wait * scale.span as f64)),
            None if step == Resolve => Then::Ends("closed"),
            None => Then::Ends("lapsed"),
        }
    }

    /// The command was refused, or nobody knows. With the last, it is given again as it was.
    pub(super) fn again(&mut self, is_refused: bool, wait: Duration) -> Then {
        self.tries += 1;
        if self.tries > MAX_TRIES {
            return Then::Wrong(format!("it was tried {MAX_TRIES} times"));
        }
        if is_refused {
            self.pending = None;
            self.looks = true;
        }
        Then::Wait(wait)
    }

    /// What it tells of itself where something is wrong.
    pub(super) fn name(&self) -> String {
        let step = self.steps.front().map(|(step, _)| step);
        format!(
            "ticket {:?} of life {}, before {step:?}",
            self.id, self.number
        )
    }
}
