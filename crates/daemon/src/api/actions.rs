//! Doing something to a ticket.

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use upline::core::{Command, Operation};
use upline::record::CommandId;
use upline::{Done, Submission};

use super::State;
use super::extract::{By, Json, Named, command_id, is_name, seen};
use super::tickets::{acting, after, given, met, origin};
use super::wishes::{Meant, message as message_wish, wish, word};
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

/// `PATCH /v1/tickets/{id}`: the action `save`.
pub(super) async fn save(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    let seen = seen(&headers)?;
    let meant = wish(word(Operation::Save), &body)?;
    submit(&state, &caller, &id, &headers, seen, meant).await
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
    meant: Meant,
) -> Result<Response, Problem> {
    let command = command_id(headers, caller)?;
    let done = give(state, caller, id, command, seen, meant).await?;
    after(state, caller, id, &done).await
}

/// Gives a command, if the ticket is the caller's to see.
pub(super) async fn give(
    state: &State,
    caller: &Caller,
    id: &str,
    command: Option<CommandId>,
    seen: Option<u64>,
    (branch, wish): Meant,
) -> Result<Done, Problem> {
    let by = acting(caller)?;
    // What is not his to see is not his to guess at, by the ways in which it refuses.
    met(state, caller, id).await?;
    let mut submission = Submission::of(Command { by, branch, wish }).origin(origin(caller));
    if let Some(command) = command {
        submission = submission.id(command);
    }
    if let Some(revision) = seen {
        submission = submission.expecting(revision);
    }
    let done = state.handle().submit(id, submission).await;
    let done = done.map_err(Problem::from);
    given(caller, id, done.as_ref());
    done
}
