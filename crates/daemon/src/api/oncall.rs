//! Who is on call.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use upline::Error;
use upline::lab::oncall::OnCall;

use super::State;
use super::extract::{Asked, By};
use crate::limits::MAX_NAME_BYTES;
use crate::problem::Problem;

/// How far changes and gaps may be asked for, in days.
const MAX_DAYS: u16 = 366;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The instant that is asked for, else now.
    at: Option<Timestamp>,
    /// Only this group, or this schedule that no group has.
    #[schemars(length(max = MAX_NAME_BYTES))]
    team: Option<String>,
    /// The changes and the gaps of so many days too.
    #[schemars(range(min = 0, max = MAX_DAYS))]
    days: Option<u16>,
    /// Gaps count only within the open time of this calendar.
    #[schemars(length(max = MAX_NAME_BYTES))]
    calendar: Option<String>,
}

/// `GET /v1/oncall`. Whoever has a token may know it: it is whom he would call.
pub(super) async fn oncall(
    Shared(state): Shared<State>,
    By(_): By,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let days = wanted.days.unwrap_or(0);
    if days > MAX_DAYS {
        let detail = format!("`days` must be 0 to {MAX_DAYS}");
        return Err(Problem::bad("query-wrong", detail));
    }
    let at = match wanted.at {
        Some(at) => at,
        None => state.handle().status().await?.now,
    };
    let within = SignedDuration::from_hours(i64::from(days) * 24);
    let to = at.saturating_add(within).unwrap_or(at);
    let directory = state.handle().directory().await?;
    let directory = directory.ok_or(Error::NoDirectory)?;
    let calendar =
        match &wanted.calendar {
            None => None,
            Some(name) => Some(directory.calendars.get(name.as_str()).cloned().ok_or_else(
                || {
                    Problem::new(
                        StatusCode::NOT_FOUND,
                        "no-such-calendar",
                        "there is no such calendar",
                    )
                },
            )?),
        };
    // A year of many schedules takes a while, and other requests have their turn meanwhile.
    let found = tokio::task::spawn_blocking(move || {
        let mut found = OnCall::of(&directory, at, to, calendar.as_ref());
        let is_there = wanted.team.is_none_or(|team| found.only(&team));
        is_there.then_some(found)
    });
    let broken_off = |_| Problem::unavailable("stopped", "it was broken off", 5);
    let found = found.await.map_err(broken_off)?.ok_or_else(|| {
        let detail = "there is no group, and no schedule that no group has, of this name";
        Problem::new(StatusCode::NOT_FOUND, "no-such-team", detail)
    })?;
    Ok(axum::Json(found).into_response())
}
