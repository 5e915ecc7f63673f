//! What happens to tickets, as events: a page of them, or a stream that goes on.

mod stream;
mod view;

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use upline::feed::{EventId, Happening};

use super::State;
use super::extract::{Asked, By, secret};
use super::tickets::{met, page};
use crate::limits::MAX_PAGE;
use crate::problem::Problem;
use crate::tokens::Caller;

pub(crate) use stream::{Pace, Streams};
pub(crate) use view::KINDS;
use view::{Source, kind};

/// By this header a client that was cut off says what it has seen.
const LAST_EVENT_ID: &str = "last-event-id";
/// Pages of the journal that are read for one answer at most, if few of its events are wanted.
const MAX_READS: usize = 8;
/// Events that are read from the journal at once.
const READ_AT_ONCE: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The `id` of the last event that was seen, `next` of a page, or `0`.
    after: Option<String>,
    /// Events on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
    /// Types with commas between; each may end with `*`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only those of this ticket.
    ticket: Option<String>,
    /// Only what happened then or later.
    since: Option<Timestamp>,
}

/// `GET /v1/events`.
pub(super) async fn events(
    Shared(state): Shared<State>,
    By(caller): By,
    headers: HeaderMap,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let limit = page(wanted.limit)?;
    let sight = Sight::new(&state, caller, &wanted).await?;
    let seen = headers
        .get(LAST_EVENT_ID)
        .map(|seen| seen.to_str().unwrap_or_default().to_owned());
    let after = seen.filter(|seen| !seen.is_empty()).or(wanted.after);
    let wrong =
        |error: upline::feed::ParseEventIdError| Problem::bad("cursor-wrong", error.to_string());
    let after = after
        .map(|after| after.trim().parse::<EventId>().map_err(wrong))
        .transpose()?;
    if is_stream(&headers) {
        let from = match (after, sight.since) {
            (Some(after), _) => Some(after),
            // From the oldest that is kept: the first that is late enough is sought there.
            (None, Some(_)) => None,
            (None, None) => Some(state.handle().end_of_events()?),
        };
        let token = blake3::hash(secret(&headers)?.as_bytes());
        return stream::begin(state, sight, token, from).await;
    }
    let (mut items, mut next, mut more) = (Vec::new(), after, true);
    for _ in 0..MAX_READS {
        let found = sight.read(&state, next, limit - items.len()).await?;
        items.extend(found.events);
        (next, more) = (Some(found.next), found.more);
        if !more || items.len() >= limit {
            break;
        }
    }
    let next = next.unwrap_or(EventId::START).to_string();
    Ok(axum::Json(json!({ "events": items, "next": next, "more": more })).into_response())
}

fn is_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(ACCEPT).iter();
    let mut kinds = accept
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    kinds.any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

/// Which events a caller wants, and is let see.
pub(super) struct Sight {
    caller: Caller,
    /// Types, or beginnings of types; empty: all.
    kinds: Vec<Wish>,
    ticket: Option<String>,
    since: Option<Timestamp>,
    source: Source,
}

enum Wish {
    Exactly(String),
    Begins(String),
}

/// A piece of the journal, as one caller sees it.
struct Found {
    events: Vec<Value>,
    next: EventId,
    more: bool,
}

impl Sight {
    async fn new(state: &State, caller: Caller, wanted: &Wanted) -> Result<Self, Problem> {
        if let Some(ticket) = &wanted.ticket {
            // What is not his to see is not there.
            met(state, &caller, ticket).await?;
        }
        let kinds = wanted.kind.as_deref().map_or(Ok(Vec::new()), wishes)?;
        Ok(Self {
            caller,
            kinds,
            ticket: wanted.ticket.clone(),
            since: wanted.since,
            source: Source::of(state.handle().folder_id()?),
        })
    }

    /// What this caller sees of the next `limit` events.
    async fn read(
        &self,
        state: &State,
        after: Option<EventId>,
        limit: usize,
    ) -> Result<Found, Problem> {
        let events = state
            .handle()
            .events(after, limit.min(READ_AT_ONCE))
            .await?;
        let wanted = events.items.into_iter().filter(|one| self.wants(one));
        let seen = self.seen(state, wanted.collect()).await?;
        Ok(Found {
            events: seen.iter().map(|one| self.source.event(one)).collect(),
            next: events.next,
            more: events.more,
        })
    }

    fn wants(&self, one: &Happening) -> bool {
        let Some(kind) = kind(&one.what) else {
            return false;
        };
        let is_kind = self.kinds.is_empty()
            || self.kinds.iter().any(|wish| match wish {
                Wish::Exactly(name) => name == kind,
                Wish::Begins(start) => kind.starts_with(start.as_str()),
            });
        let ticket = one.subject.as_ref().map(|subject| subject.id.as_str());
        is_kind
            && self.since.is_none_or(|since| one.at >= since)
            && (self.ticket.is_none() || ticket == self.ticket.as_deref())
    }

    /// Without those of tickets that have nothing to do with the caller.
    async fn seen(&self, state: &State, all: Vec<Happening>) -> Result<Vec<Happening>, Problem> {
        if self.caller.sees_all() || all.is_empty() {
            return Ok(all);
        }
        let Some(actor) = self.caller.actor() else {
            return Ok(Vec::new());
        };
        let numbers = all.iter().filter_map(|one| one.subject.as_ref());
        let numbers = numbers.map(|subject| subject.number).collect();
        let his = state.handle().concerning(&numbers, &actor).await?;
        let is_his = |one: &Happening| {
            let subject = one.subject.as_ref();
            subject.is_some_and(|subject| his.contains(&subject.number))
        };
        Ok(all.into_iter().filter(is_his).collect())
    }
}

/// What all types of events end with so far.
const VERSION: &str = ".v1";

/// `ticket.*,upline.notification.failed.v1`: with `upline.` in front or without, with the version or without.
fn wishes(text: &str) -> Result<Vec<Wish>, Problem> {
    let one = |word: &str| {
        let word = word.trim();
        let full = match word.starts_with("upline.") {
            true => word.to_owned(),
            false => format!("upline.{word}"),
        };
        let wish = match full.strip_suffix('*') {
            Some(start) => Wish::Begins(start.to_owned()),
            // As `upline events tail` prints them.
            None if !full.ends_with(VERSION) => Wish::Exactly(full + VERSION),
            None => Wish::Exactly(full),
        };
        let mut known = KINDS.iter();
        let fits = match &wish {
            Wish::Exactly(name) => known.any(|kind| kind == name),
            Wish::Begins(start) => known.any(|kind| kind.starts_with(start.as_str())),
        };
        match fits {
            true => Ok(wish),
            false => {
                let detail = format!("`type`: there is no type of events `{word}`");
                let hint = format!("the types are: {}", KINDS.join(", "));
                Err(Problem::bad("query-wrong", detail).hint(hint))
            }
        }
    };
    text.split(',').map(one).collect()
}
