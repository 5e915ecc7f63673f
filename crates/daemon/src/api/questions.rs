//! What happened to a ticket, why it is where it is, and what comes next.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upline::Met;
use upline::core::Ticket;
use upline::index::{HistoryCursor, Step};
use upline::lab::forecast::Horizon;
use upline::lab::render::{Language, Times, say};
use upline::record::Entry;

use super::State;
use super::extract::{Asked, By, Named};
use super::tickets::{language, met, page};
use crate::limits::{MAX_HISTORY, MAX_PAGE};
use crate::problem::Problem;

/// Longest forecast, in days.
const MAX_DAYS: u16 = 366;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// `next` of the page before.
    after: Option<u64>,
    /// Entries on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
    /// The language of the lines: `en`, `zh`.
    lang: Option<String>,
}

/// One thing that happened: what a command did, or a clock.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Happened {
    /// The ticket's revision after it.
    revision: u64,
    at: Timestamp,
    /// By which way it came: a token, a clock, the outbox.
    origin: String,
    lines: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    entries: Vec<Happened>,
    /// What to ask with as `after` for more.
    next: Option<u64>,
}

/// What has happened to a ticket, the newest first: all of it, up to [`MAX_HISTORY`].
pub(super) async fn history(state: &State, ticket: &str) -> Result<Vec<Step>, Problem> {
    let archive = state.handle().archive()?;
    let (mut steps, mut cursor): (Vec<Step>, Option<HistoryCursor>) = (Vec::new(), None);
    loop {
        let some = archive.history(ticket, cursor, MAX_PAGE).await?;
        steps.extend(some.steps);
        cursor = some.next;
        if cursor.is_none() || steps.len() > MAX_HISTORY {
            return Ok(steps);
        }
    }
}

/// `GET /v1/tickets/{id}/timeline`: the oldest first.
pub(super) async fn timeline(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(piece): Asked<Piece>,
) -> Result<Response, Problem> {
    let limit = page(piece.limit)?;
    let language = language(piece.lang.as_deref())?;
    let met = met(&state, &caller, &id).await?;
    let steps = history(&state, &met.ticket.id).await?;
    let all = told(&met, steps, language);
    let after = piece.after.unwrap_or(0);
    let mut entries: Vec<Happened> = all.into_iter().filter(|one| one.revision > after).collect();
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| last.revision);
    Ok(axum::Json(History { entries, next }).into_response())
}

/// The steps, which come newest first, as lines, oldest first.
fn told(met: &Met, steps: Vec<Step>, language: Language) -> Vec<Happened> {
    let mut ticket = Ticket::default();
    let mut times = Times::new(met.zone.clone(), language);
    let mut all = Vec::new();
    for step in steps.into_iter().rev() {
        let Entry::Moved(moved) = step.entry else {
            continue;
        };
        // Only the fate of messages: the ticket did not move.
        let Some(first) = moved.events.first() else {
            continue;
        };
        let at = first.at;
        let said = say(&moved.events, &mut ticket, Some(&met.workflow));
        let lines = said.iter().map(|said| {
            let stamp = times.stamp(said.at);
            format!("{stamp}  {}", said.text(language, &times))
        });
        all.push(Happened {
            lines: lines.collect(),
            revision: moved.revision + moved.events.len() as u64,
            at,
            origin: moved.origin.to_string(),
        });
    }
    all
}

/// `GET /v1/tickets/{id}/explain`.
pub(super) async fn explain(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(_): Asked<Nothing>,
) -> Result<Response, Problem> {
    met(&state, &caller, &id).await?;
    let explanation = state.handle().explain(&id).await?;
    Ok(axum::Json(explanation).into_response())
}

/// A question that has no parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ahead {
    /// How far to look.
    #[schemars(range(min = 1, max = MAX_DAYS))]
    days: Option<u16>,
    /// The language of the lines: `en`, `zh`.
    lang: Option<String>,
}

/// `GET /v1/tickets/{id}/forecast`.
pub(super) async fn forecast(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(ahead): Asked<Ahead>,
) -> Result<Response, Problem> {
    let days = ahead.days.unwrap_or(MAX_DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        let detail = format!("`days` must be 1 to {MAX_DAYS}");
        return Err(Problem::bad("query-wrong", detail));
    }
    let language = language(ahead.lang.as_deref())?;
    let met = met(&state, &caller, &id).await?;
    let horizon = Horizon {
        within: SignedDuration::from_hours(i64::from(days) * 24),
        ..Horizon::default()
    };
    let times = Times::new(met.zone, language);
    let timeline = state.handle().forecast(&id, horizon, times, language);
    Ok(axum::Json(timeline.await?).into_response())
}
