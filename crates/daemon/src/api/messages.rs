//! The messages of a ticket, and what became of each.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upline::core::ticket::{Delivery, NoticeId};
use upline::core::{Fact, Notice, Recipient, Topic};
use upline::index::Step;
use upline::record::{Entry, Fate};

use super::State;
use super::extract::{Asked, By, Named};
use super::questions::history;
use super::tickets::{met, page};
use crate::limits::MAX_PAGE;
use crate::problem::Problem;
use crate::tell::Tries;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// `next` of the page before.
    after: Option<NoticeId>,
    /// Messages on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
}

/// A message to somebody.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Sent {
    /// Its number in the ticket.
    id: NoticeId,
    /// What peers recognise a second copy by.
    key: String,
    to: To,
    via: String,
    topic: &'static str,
    branch: String,
    written: Timestamp,
    /// `waiting`, `delivered`, `failed` or `withdrawn`.
    state: &'static str,
    /// How often it was tried; while it waits, as far as this daemon knows.
    tries: u32,
    /// Why it failed, or has not gone yet.
    why: Option<String>,
    /// When what became of it was known.
    settled: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct To {
    /// `person` of the directory, or `contact` field.
    kind: &'static str,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Messages {
    messages: Vec<Sent>,
    /// What to ask with as `after` for more.
    next: Option<NoticeId>,
}

/// `GET /v1/tickets/{id}/messages`: the oldest first.
pub(super) async fn list(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(piece): Asked<Piece>,
) -> Result<Response, Problem> {
    let limit = page(piece.limit)?;
    let met = met(&state, &caller, &id).await?;
    let steps = history(&state, &met.ticket.id).await?;
    let all = all(steps, state.watch().tries());
    let after = piece.after.unwrap_or(0);
    let mut messages: Vec<Sent> = all.into_values().filter(|one| one.id > after).collect();
    let more = messages.len() > limit;
    messages.truncate(limit);
    let next = messages.last().filter(|_| more).map(|last| last.id);
    Ok(axum::Json(Messages { messages, next }).into_response())
}

/// Every message of the steps, which come newest first.
fn all(steps: Vec<Step>, tries: &Tries) -> BTreeMap<NoticeId, Sent> {
    let mut all: BTreeMap<NoticeId, Sent> = BTreeMap::new();
    for step in steps.into_iter().rev() {
        let Entry::Moved(moved) = step.entry else {
            continue;
        };
        let at = Timestamp::from_millisecond(step.at).unwrap_or_default();
        for event in &moved.events {
            let branch = event.fact.branch();
            for notice in event.fact.notices() {
                let key = format!("{}-{}", moved.number, notice.id);
                let branch = branch.map(ToString::to_string).unwrap_or_default();
                let sent = waiting(notice, key, branch, event.at, tries);
                all.insert(notice.id, sent);
            }
            if let Fact::Delivery {
                notice,
                state: Delivery::Failed,
                detail: Some(detail),
                ..
            } = &event.fact
                && let Some(sent) = all.get_mut(notice)
            {
                sent.why = Some(detail.clone());
            }
        }
        for settled in &moved.settled {
            let Some(sent) = all.get_mut(&settled.notice) else {
                continue;
            };
            sent.tries = settled.tries;
            sent.settled = Some(at);
            sent.state = match settled.fate {
                Fate::Delivered => "delivered",
                Fate::Failed => "failed",
                Fate::Withdrawn => "withdrawn",
            };
            if settled.fate != Fate::Failed {
                sent.why = None;
            }
        }
    }
    all
}

fn waiting(notice: &Notice, key: String, branch: String, at: Timestamp, tries: &Tries) -> Sent {
    let last = tries.last(&key);
    Sent {
        id: notice.id,
        to: match &notice.to {
            Recipient::Person(name) => to("person", name),
            Recipient::Contact(name) => to("contact", name),
        },
        via: notice.via.to_string(),
        topic: topic(&notice.topic),
        branch,
        written: at,
        state: "waiting",
        tries: last.as_ref().map_or(0, |last| last.number),
        why: last.map(|last| last.why),
        settled: None,
        key,
    }
}

pub(super) fn to(kind: &'static str, name: &str) -> To {
    let name = name.to_owned();
    To { kind, name }
}

fn topic(topic: &Topic) -> &'static str {
    match topic {
        Topic::Assigned => "assigned",
        Topic::Offered => "offered",
        Topic::Informed => "informed",
        Topic::Reminded => "reminded",
        Topic::PromiseWarned { .. } => "promise-warned",
        Topic::PromiseBreached { .. } => "promise-breached",
        Topic::Outcome => "outcome",
        Topic::Commented => "commented",
    }
}
