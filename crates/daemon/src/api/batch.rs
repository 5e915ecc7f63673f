//! Several commands in one request: each is carried out, or refused, as if it had come alone.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use upline::record::CommandId;

use super::State;
use super::actions::give;
use super::extract::{By, Json, is_name, needed_id, read, too_many};
use super::tickets::acting;
use super::wishes::wish;
use crate::limits::MAX_BATCH;
use crate::problem::Problem;
use crate::tokens::Caller;

/// The body.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `commands`")]
pub(super) struct Batch {
    /// What is to be done, in this order.
    #[schemars(length(min = 1, max = MAX_BATCH))]
    commands: Vec<One>,
}

/// One command.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a command: an object with `ticket` and `action`"
)]
pub(super) struct One {
    /// Which ticket.
    ticket: String,
    /// What is done to it, as in the path of a single command.
    action: String,
    /// The revision that was seen; without it any will do.
    revision: Option<u64>,
    /// The body of the single command.
    #[serde(default)]
    with: Map<String, Value>,
}

/// `POST /v1/tickets:batch`.
pub(super) async fn batch(
    Shared(state): Shared<State>,
    By(caller): By,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    acting(&caller)?;
    let id = needed_id(&headers, &caller, "batch")?;
    let Batch { commands } = read(&body)?;
    if !(1..=MAX_BATCH).contains(&commands.len()) {
        let detail = format!("`commands` must have 1 to {MAX_BATCH} of them");
        return Err(Problem::unprocessable("body-wrong", detail));
    }
    let mut results = Vec::with_capacity(commands.len());
    for (place, one) in commands.into_iter().enumerate() {
        let ticket = Value::from(one.ticket.as_str());
        let done = one.carry_out(&state, &caller, own_id(id, place)).await;
        let mut result = done.unwrap_or_else(
            |problem| json!({ "status": problem.status().as_u16(), "problem": problem.body() }),
        );
        result["ticket"] = ticket;
        results.push(result);
    }
    let body = axum::Json(json!({ "results": results }));
    Ok((StatusCode::MULTI_STATUS, body).into_response())
}

impl One {
    async fn carry_out(
        self,
        state: &State,
        caller: &Caller,
        id: CommandId,
    ) -> Result<Value, Problem> {
        // A batch is no way round the limits: each of its commands counts.
        let asked = state.rates().asked(&caller.name);
        asked.map_err(|after| too_many("this token asks too often", after))?;
        is_name("ticket", &self.ticket)?;
        is_name("action", &self.action)?;
        let meant = wish(
            &self.action,
            Value::Object(self.with).to_string().as_bytes(),
        )?;
        let done = give(
            state,
            caller,
            &self.ticket,
            Some(id),
            &self.action,
            (self.revision, meant),
        )
        .await?;
        if *done.id != *self.ticket {
            return Err(Problem::other_command());
        }
        Ok(json!({ "status": 200, "revision": done.revision, "replayed": done.again }))
    }
}

/// Each command of a batch is known again by the batch's key and its place.
fn own_id(id: CommandId, place: usize) -> CommandId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&id);
    hasher.update(&(place as u64).to_le_bytes());
    let hash = hasher.finalize();
    std::array::from_fn(|at| hash.as_bytes()[at])
}
