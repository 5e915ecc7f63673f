//! Doing something to a ticket.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use upline::core::{Command, Operation, Rejection};
use upline::record::CommandId;
use upline::{Done, Error, Met, Submission};

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
    let meant = wish(&action, &body)?;
    submit(&state, &caller, &id, &headers, &action, (seen, meant)).await
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
    let save = word(Operation::Save);
    let meant = wish(save, &body)?;
    submit(&state, &caller, &id, &headers, save, (seen, meant)).await
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
    let meant = message_wish(&message, &body)?;
    submit(&state, &caller, &id, &headers, &message, (None, meant)).await
}

async fn submit(
    state: &State,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    what: &str,
    (seen, meant): (Option<u64>, Meant),
) -> Result<Response, Problem> {
    let command = command_id(headers, caller)?;
    let done = give(state, caller, id, command, what, (seen, meant)).await?;
    after(state, caller, id, &done).await
}

/// Gives a command, if the ticket is the caller's to see. The log calls it `what`.
pub(super) async fn give(
    state: &State,
    caller: &Caller,
    id: &str,
    command: Option<CommandId>,
    what: &str,
    (seen, (branch, wish)): (Option<u64>, Meant),
) -> Result<Done, Problem> {
    let by = acting(caller)?;
    // What is not his to see is not his to guess at, by the ways in which it refuses.
    let met = met(state, caller, id).await?;
    let mut submission = Submission::of(Command { by, branch, wish }).origin(origin(caller));
    if let Some(command) = command {
        submission = submission.id(command);
    }
    if let Some(revision) = seen {
        submission = submission.expecting(revision);
    }
    let done = state.handle().submit(id, submission).await;
    let done = done.map_err(|error| match error {
        Error::Rejected(Rejection::NoSuchAction { action, .. }) if was_there(&met, &action) => {
            moved_on(&met, &action)
        }
        other => other.into(),
    });
    given(caller, id, what, done.as_ref());
    done
}

/// Whether another state of the workflow has the action: then somebody was quicker.
fn was_there(met: &Met, action: &str) -> bool {
    let mut states = met.workflow.states.keys();
    states.any(|state| {
        let work = met.workflow.work(state);
        work.is_some_and(|work| work.action(action).is_some())
    })
}

fn moved_on(met: &Met, action: &str) -> Problem {
    let position = met.ticket.positions.values().next();
    let state = position.map_or("", |position| position.state.as_str());
    let detail = format!("`{action}` can't be done any more: the ticket has moved on to `{state}`");
    let problem = Problem::new(StatusCode::CONFLICT, "moved-on", detail).with("state", state);
    match position.and_then(|position| position.holder.answerable()) {
        Some(holder) => problem.with("holder", holder.as_str()),
        None => problem,
    }
}
