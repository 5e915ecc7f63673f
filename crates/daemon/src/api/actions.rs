//! Doing something to a ticket.

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use upline::Submission;
use upline::core::Command;

use super::State;
use super::extract::{By, Json, Named, command_id, is_name, seen};
use super::tickets::{acting, after, met, origin};
use super::wishes::{Meant, message as message_wish, wish};
use crate::problem::Problem;
use crate::tokens::Caller;

/// `POST /v1/tickets/{id}/actions/{action}`.
pub(super) async fn act(
    Shared(state): Shared<State>,
    By(caller): By,
    Named((id, action)): Named<(String, String)>,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    is_name("action", &action)?;
    let seen = seen(&headers)?;
    submit(&state, &caller, &id, &headers, seen, wish(&action, &body)?).await
}

/// `POST /v1/tickets/{id}/messages/{message}`. A system that reports what happened has seen no revision.
pub(super) async fn message(
    Shared(state): Shared<State>,
    By(caller): By,
    Named((id, message)): Named<(String, String)>,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    is_name("message", &message)?;
    submit(
        &state,
        &caller,
        &id,
        &headers,
        None,
        message_wish(&message, &body)?,
    )
    .await
}

async fn submit(
    state: &State,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    seen: Option<u64>,
    (branch, wish): Meant,
) -> Result<Response, Problem> {
    let by = acting(caller)?;
    // What is not his to see is not his to guess at, by the ways in which it refuses.
    met(state, caller, id).await?;
    let mut submission = Submission::of(Command { by, branch, wish }).origin(origin(caller));
    if let Some(command) = command_id(headers, caller)? {
        submission = submission.id(command);
    }
    if let Some(revision) = seen {
        submission = submission.expecting(revision);
    }
    let done = state.handle().submit(id, submission).await?;
    after(state, caller, id, &done).await
}
