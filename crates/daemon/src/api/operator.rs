//! What only an admin does: destroying what is personal in a ticket, and letting those go on that were set
//! aside.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upline::core::{Actor, Name, Rejection};
use upline::lab::render::Language;
use upline::{Error, SetAside};

use super::State;
use super::extract::{Asked, By, Json, Named, read};
use super::questions::Nothing;
use super::tickets::{answer, met, page, paged};
use crate::limits::MAX_PAGE;
use crate::problem::Problem;
use crate::tokens::{Caller, Role};

/// The name under which an admin does it. Others learn nothing of the ticket, not even whether it is there.
fn admin(caller: &Caller, what: &str) -> Result<Name, Problem> {
    match (caller.role, caller.actor()) {
        (Role::Admin, Some(Actor::Operator(name))) => Ok(name),
        _ => Err(Problem::forbidden(format!("only an admin may {what}"))),
    }
}

/// `POST /v1/tickets/{id}/erase`. It is carried out though it was before: an older file of keys that was put
/// back since has the key again.
pub(super) async fn erase(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Json(body): Json,
) -> Result<Response, Problem> {
    let by = admin(&caller, "erase tickets")?;
    let Nothing {} = read(&body)?;
    // Not looked at before: what can't be read can be erased all the same.
    let erased = state.handle().erase(&id, &by).await;
    erased.map_err(|error| refused(&id, error))?;
    let peer = caller.from.map(tracing::field::display);
    tracing::info!(code = "erased", ticket = %id, by = %caller.name, peer, "a ticket was erased");
    Ok(done(&state, &caller, &id).await)
}

/// `POST /v1/tickets/{id}/put-back`. One that was not set aside goes on as it does.
pub(super) async fn put_back(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Json(body): Json,
) -> Result<Response, Problem> {
    let by = admin(&caller, "put tickets back")?;
    let Nothing {} = read(&body)?;
    match state.handle().meet(&id, &Actor::Operator(by.clone())).await {
        Ok(None) => return Err(Problem::no_ticket(&id)),
        Ok(Some(met)) if met.ticket.ended.is_some() => return Err(Rejection::HasEnded.into()),
        // One that can't be read may be one to put back: the engine says.
        Ok(Some(_)) | Err(_) => (),
    }
    let released = state.handle().release(&id, &by).await;
    released.map_err(|error| stays(&id, error))?;
    let peer = caller.from.map(tracing::field::display);
    tracing::info!(code = "put-back", ticket = %id, by = %caller.name, peer, "a ticket was put back");
    Ok(done(&state, &caller, &id).await)
}

/// Why a ticket is not put back. One that can't be read from its snapshot is read from the journal by the
/// next start.
fn stays(id: &str, error: Error) -> Problem {
    match error {
        Error::SetAside { .. } => Problem::from(error).hint(
            "start the service again, so that it is read from the journal, and put it back then",
        ),
        other => refused(id, other),
    }
}

fn refused(id: &str, error: Error) -> Problem {
    match error {
        Error::Rejected(Rejection::NotOpen) => Problem::no_ticket(id),
        other => other.into(),
    }
}

/// The ticket as it is now; if it can't be looked at, that it was done is told all the same.
async fn done(state: &State, caller: &Caller, id: &str) -> Response {
    match met(state, caller, id).await {
        Ok(met) => answer(state, &met, false, Language::English).await,
        Err(_) => axum::Json(json!({ "id": id })).into_response(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Tickets on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
}

/// A ticket that is set aside.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Aside {
    id: String,
    /// What is wrong, as the engine found it.
    why: String,
}

impl From<&SetAside> for Aside {
    fn from(one: &SetAside) -> Self {
        Self {
            id: one.ticket.to_string(),
            why: one.why.clone(),
        }
    }
}

/// `GET /v1/set-aside`: the oldest ticket first.
pub(super) async fn set_aside(
    Shared(state): Shared<State>,
    By(caller): By,
    uri: axum::http::Uri,
    Asked(piece): Asked<Piece>,
) -> Result<Response, Problem> {
    admin(&caller, "see what is set aside")?;
    let limit = page(piece.limit)?;
    let after = piece.cursor.as_deref().map_or(Ok(0), str::parse);
    let after = after.map_err(|_| Problem::from(Error::Cursor))?;
    let found = state.handle().set_aside(after).await?;
    let tickets: Vec<Aside> = found.items.iter().take(limit).map(Aside::from).collect();
    let last = found.items.get(limit.saturating_sub(1));
    let next = match found.items.len() > limit {
        true => last.map(|last| last.number),
        false => found.next,
    };
    Ok(paged(
        &uri,
        "tickets",
        &tickets,
        next.map(|next| next.to_string()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_cannot_be_read_needs_a_start_first() {
        let why = || "its record is damaged".to_owned();
        let told = |problem: Problem| format!("{problem:?}");
        let stays_so = told(stays("1", Error::SetAside { why: why() }));
        assert!(stays_so.contains("start the service again"), "{stays_so}");
        let erased = told(refused("1", Error::SetAside { why: why() }));
        assert!(erased.contains("`upline ticket put-back ID`"), "{erased}");
        let none = Error::Rejected(Rejection::NotOpen);
        assert_eq!(stays("1", none), Problem::no_ticket("1"));
    }
}
