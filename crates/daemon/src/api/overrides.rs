//! Overrides of who is on call: "ann takes bob's night".

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upline::Error;
use upline::core::{Directory, Name};
use upline::lab::oncall::Someone;

use super::State;
use super::extract::{By, Json, Named, is_name, needed_id, read};
use super::tickets::REPLAYED;
use crate::limits::MAX_NAME_BYTES;
use crate::overrides::{Around, Asked, Deed, Made, Unchanged, judge, may, may_remove, no_schedule};
use crate::problem::Problem;
use crate::tokens::Caller;

/// Longest text of a time.
const MAX_TIME_BYTES: usize = 100;

/// What stands for itself in a part of a path is left.
const NOT_IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Wanted {
    /// From when: an instant, or a time by the clocks of the schedule; else now.
    #[schemars(length(max = MAX_TIME_BYTES))]
    from: Option<String>,
    /// Until when, likewise. A day is meant with its end.
    #[schemars(length(max = MAX_TIME_BYTES))]
    to: String,
    /// Who is on call then.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    on_call: String,
    /// Whose place he takes; else he comes before everybody.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    instead_of: Option<String>,
}

/// An override as it is told.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct View {
    id: String,
    schedule: Name,
    /// By whose clocks the schedule is; `None`: the directory does not have it any more.
    zone: Option<String>,
    from: Timestamp,
    to: Timestamp,
    on_call: Name,
    instead_of: Option<Name>,
    made: Deed,
    removed: Option<Deed>,
    /// Why it is not in the directory; `None`: it is.
    left_out: Option<String>,
}

/// One that was changed just now.
#[derive(Serialize)]
struct Changed {
    #[serde(flatten)]
    view: View,
    /// `None`: the directory does not have the schedule any more.
    then: Option<Then>,
}

/// Who is on duty when it begins to count.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Then {
    at: Timestamp,
    on_duty: Vec<Someone>,
}

/// `GET /v1/oncall/{schedule}/overrides`: those that are not over. Whoever has a token may know them, as he
/// may know who is on call.
pub(super) async fn list(
    Shared(state): Shared<State>,
    By(_): By,
    Named(schedule): Named<String>,
) -> Result<Response, Problem> {
    let (directory, now) = directory(&state).await?;
    let kept = state.overrides().kept();
    let mut own: Vec<&Made> = kept
        .overrides
        .iter()
        .filter(|one| one.schedule == *schedule && !one.is_over(now))
        .collect();
    // Those of a schedule that has gone must be seen, and removed.
    if own.is_empty() && !directory.schedules.contains_key(schedule.as_str()) {
        return Err(no_schedule(&directory, &schedule));
    }
    own.sort_by_key(|one| (one.from, one.id));
    let views: Vec<View> = own
        .iter()
        .map(|one| view(&state, &directory, one))
        .collect();
    let answer = serde_json::json!({
        "at": now,
        "schedule": schedule,
        "zone": zone(&directory, &schedule),
        "overrides": views,
    });
    Ok(axum::Json(answer).into_response())
}

/// `POST /v1/oncall/{schedule}/overrides`.
pub(super) async fn make(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(schedule): Named<String>,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    may(&caller)?;
    let command = needed_id(&headers, &caller, "override")?;
    let wanted: Wanted = read(&body)?;
    is_name("on-call", &wanted.on_call)?;
    if let Some(other) = &wanted.instead_of {
        is_name("instead-of", other)?;
    }
    let asked = Asked {
        schedule,
        from: wanted.from,
        to: wanted.to,
        on_call: wanted.on_call,
        instead_of: wanted.instead_of,
    };
    let times = [Some(&asked.to), asked.from.as_ref()];
    if times
        .into_iter()
        .flatten()
        .any(|time| time.len() > MAX_TIME_BYTES)
    {
        let detail = format!("a time has at most {MAX_TIME_BYTES} bytes");
        return Err(Problem::unprocessable("bad-time", detail));
    }
    let command = blake3::hash(&command).to_string();
    // A caller who goes away leaves nothing half done.
    let made = tokio::spawn(make_alone(state, caller, asked, command)).await;
    made.map_err(|_| broken_off())?
}

async fn make_alone(
    state: State,
    caller: Caller,
    asked: Asked,
    command: String,
) -> Result<Response, Problem> {
    let _alone = state.deploying().await;
    let (directory, now) = directory(&state).await?;
    let kept = state.overrides().kept().pruned(now);
    let known = kept.overrides.iter().find(|one| one.command == command);
    let (made, again) = match known {
        Some(known) if known.asked != asked.hash() => return Err(Problem::other_command()),
        Some(known) => (known.clone(), true),
        None => {
            let base = state.overrides().base().ok_or_else(no_base)?;
            // A year of turns takes a while, and other requests have their turn meanwhile.
            let (caller, kept) = (caller.clone(), kept.clone());
            let judged = tokio::task::spawn_blocking(move || {
                let around = Around {
                    base: &base.directory,
                    directory: &directory,
                    kept: &kept,
                    now,
                };
                judge(&caller, &asked, command, around)
            });
            (judged.await.map_err(|_| broken_off())??, false)
        }
    };
    if !made.is_over(now) {
        // Also of one that is known: whether the engine has it is not, if the answer was lost.
        let mut with = kept.clone();
        let must = if again { None } else { Some(made.id) };
        if !again {
            with.next += 1;
            with.overrides.push(made.clone());
        }
        change(&state, with, must, now).await?;
    }
    if !again {
        tracing::info!(
            code = "override",
            id = made.id,
            schedule = %made.schedule,
            on_call = %made.on_call,
            instead_of = made.instead_of.as_deref(),
            from = %made.from,
            to = %made.to,
            by = %caller.name,
            peer = caller.from.map(tracing::field::display),
            person = caller.person.as_deref(),
            "somebody else is on call for a time"
        );
    }
    let mut response = answer(&state, &made).await?;
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    let schedule = utf8_percent_encode(&made.schedule, NOT_IN_A_PATH);
    let path = format!("/v1/oncall/{schedule}/overrides/{}", made.id);
    if let Ok(location) = HeaderValue::try_from(path) {
        headers.insert(LOCATION, location);
    }
    if again {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// `DELETE /v1/oncall/{schedule}/overrides/{id}`: one that is under way ends now. Done again, it is answered
/// as the first time.
pub(super) async fn remove(
    Shared(state): Shared<State>,
    By(caller): By,
    Named((schedule, id)): Named<(String, String)>,
) -> Result<Response, Problem> {
    may(&caller)?;
    let removed = tokio::spawn(remove_alone(state, caller, schedule, id)).await;
    removed.map_err(|_| broken_off())?
}

async fn remove_alone(
    state: State,
    caller: Caller,
    schedule: String,
    id: String,
) -> Result<Response, Problem> {
    let _alone = state.deploying().await;
    let (_, now) = directory(&state).await?;
    let kept = state.overrides().kept().pruned(now);
    let number: Option<u64> = id.parse().ok();
    let found = number.and_then(|number| kept.get(number));
    let found = found
        .filter(|one| one.schedule == *schedule)
        .ok_or_else(|| {
            let detail = format!("`{schedule}` has no override `{id}`");
            Problem::new(StatusCode::NOT_FOUND, "no-such-override", detail)
        })?;
    may_remove(&caller, found)?;
    let mut removed = found.clone();
    if removed.removed.is_none() && removed.to <= now {
        let detail = format!("it was over at {}", removed.to);
        return Err(Problem::new(StatusCode::CONFLICT, "is-over", detail));
    }
    if removed.removed.is_none() {
        removed.removed = Some(Deed {
            at: Timestamp::from_second(now.as_second()).unwrap_or(now),
            token: caller.name.clone(),
            person: caller.person.clone(),
        });
        tracing::info!(
            code = "override-removed",
            id = removed.id,
            schedule = %removed.schedule,
            by = %caller.name,
            peer = caller.from.map(tracing::field::display),
            person = caller.person.as_deref(),
            "an override is removed"
        );
    }
    let mut with = kept.clone();
    for one in &mut with.overrides {
        if one.id == removed.id {
            one.clone_from(&removed);
        }
    }
    change(&state, with, None, now).await?;
    answer(&state, &removed).await
}

async fn change(
    state: &State,
    kept: crate::overrides::Kept,
    must: Option<u64>,
    now: Timestamp,
) -> Result<(), Problem> {
    let changed = state.overrides().change(state.handle(), kept, must, now);
    changed.await.map_err(|unchanged| match unchanged {
        Unchanged::NoDirectory => no_base(),
        Unchanged::LeftOut(why) => Problem::unprocessable("cannot-have", why),
        Unchanged::Refused(error) => error.into(),
        Unchanged::Unwritten(error) => {
            tracing::error!(code = "data-folder", error = %error, "the data folder can't be written");
            let detail = "the data folder can't be written; the log says why";
            Problem::unavailable("folder", detail, 30)
        }
    })
}

/// The directory that holds, and the engine's time.
async fn directory(state: &State) -> Result<(Arc<Directory>, Timestamp), Problem> {
    let directory = state.handle().directory().await?;
    let now = state.handle().status().await?.now;
    Ok((directory.ok_or(Error::NoDirectory)?, now))
}

/// The override, and who is on duty then.
async fn answer(state: &State, made: &Made) -> Result<Response, Problem> {
    let (directory, now) = directory(state).await?;
    let changed = Changed {
        view: view(state, &directory, made),
        then: then(&directory, made, now),
    };
    Ok(axum::Json(changed).into_response())
}

fn view(state: &State, directory: &Directory, made: &Made) -> View {
    View {
        id: made.id.to_string(),
        schedule: made.schedule.clone(),
        zone: zone(directory, &made.schedule),
        from: made.from,
        to: made.to,
        on_call: made.on_call.clone(),
        instead_of: made.instead_of.clone(),
        made: made.made.clone(),
        removed: made.removed.clone(),
        left_out: state.overrides().why_left_out(made.id),
    }
}

fn zone(directory: &Directory, schedule: &str) -> Option<String> {
    let schedule = directory.schedules.get(schedule)?;
    schedule.parts().zone.iana_name().map(str::to_owned)
}

/// When it begins, or now if it has begun; if he comes on duty later, then.
fn then(directory: &Directory, made: &Made, now: Timestamp) -> Option<Then> {
    let schedule = directory.schedules.get(&made.schedule)?;
    let begin = made.from.max(now);
    let mut at = begin;
    if made.removed.is_none() && !schedule.on_duty(begin).contains(&made.on_call) {
        let mut changes = schedule.handoffs(begin, made.to);
        let comes = changes.find(|change| change.on_duty.contains(&made.on_call));
        at = comes.map_or(begin, |change| change.at);
    }
    let on_duty = schedule.on_duty(at);
    let on_duty = on_duty.iter().map(|person| someone(directory, person, at));
    Some(Then {
        at,
        on_duty: on_duty.collect(),
    })
}

fn someone(directory: &Directory, person: &Name, at: Timestamp) -> Someone {
    let known = directory.people.get(person);
    let away = directory.absence(person, at);
    let stand_in = away.and_then(|_| directory.stand_in(person, at));
    Someone {
        person: person.clone(),
        name: known.map_or_else(|| person.to_string(), |known| known.name.clone()),
        away_until: away.map(|away| away.to),
        stand_in: stand_in.cloned(),
    }
}

fn no_base() -> Problem {
    let detail = "the files of the folder have not been right since the start, and what holds is from \
                  before it: who is on call can't be changed until they are";
    Problem::unavailable("folder", detail, 30).hint("`/readyz` says what is wrong")
}

fn broken_off() -> Problem {
    Problem::unavailable("stopped", "it was broken off", 5)
}
