//! What a request brings, read strictly: an unknown field, a wrong type or a missing header is refused.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use upline::record::CommandId;

use super::State;
use super::trace::Asker;
use crate::limits::{MAX_BODY_BYTES, MAX_KEY_BYTES, MAX_NAME_BYTES};
use crate::problem::Problem;
use crate::rates::{Guess, Rates};
use crate::server::Peer;
use crate::tokens::Caller;

/// The header by which a command that comes again is recognised.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Whose request it is.
pub(super) struct By(pub(super) Caller);

impl FromRequestParts<State> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let secret = secret(&parts.headers)?;
        let caller = state.caller(&blake3::hash(secret.as_bytes()));
        let rates = state.rates();
        let peer = parts.extensions.get::<Peer>();
        let Some(mut caller) = caller else {
            guessed(rates, peer, &parts.headers).await?;
            return Err(no_token("this token is not known"));
        };
        if let Some(asker) = parts.extensions.get::<Asker>() {
            asker.tell(&caller.name);
        }
        caller.from = rates.address(peer.map(|Peer(peer)| peer.ip()), &parts.headers);
        let asked = rates.asked(&caller.name);
        asked.map_err(|after| too_many("this token asks too often", after))?;
        Ok(Self(caller))
    }
}

fn no_token(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "no-token", detail)
        .hint("send `Authorization: Bearer` and a token that the operator gave you, or log in")
}

/// The token that a request brings.
pub(super) fn secret(headers: &HeaderMap) -> Result<&str, Problem> {
    let header = headers.get(AUTHORIZATION);
    let header = header.ok_or_else(|| no_token("a token is needed"))?;
    let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
    match parts {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Ok(secret.trim()),
        _ => Err(no_token("the token can't be read")),
    }
}

/// Counts a wrong token.
///
/// # Errors
/// Too many have come from there.
pub(super) async fn guessed(
    rates: &Rates,
    peer: Option<&Peer>,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let peer = peer.map(|Peer(peer)| peer.ip());
    let guessed = rates
        .guessed(Guess::Token, rates.address(peer, headers))
        .await;
    guessed.map_err(|after| too_many("too many wrong tokens came from there", after))
}

pub(super) fn too_many(detail: &str, after: u32) -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail);
    problem.retry_after(after)
}

/// What stands in a path.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<State> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(path)| Self(path))
            .map_err(|error: PathRejection| Problem::bad("path-wrong", error.body_text()))
    }
}

/// What stands behind a question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|error: QueryRejection| Problem::bad("query-wrong", error.body_text()))
    }
}

/// The bytes of a body that is not too large.
pub(super) struct Body(pub(super) Bytes);

impl FromRequest<State> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|error: BytesRejection| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let detail = format!("the body is larger than {MAX_BODY_BYTES} bytes");
                return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail);
            }
            Problem::bad("body-broken", error.body_text())
        })
    }
}

/// The bytes of a body that says that it is JSON. Empty, it needs to say nothing.
pub(super) struct Json(pub(super) Bytes);

impl FromRequest<State> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_json = kind.eq_ignore_ascii_case("application/json");
        let Body(bytes) = Body::from_request(request, state).await?;
        match is_json || bytes.is_empty() {
            true => Ok(Self(bytes)),
            false => {
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                let problem = Problem::new(status, "not-json", "the body must be JSON");
                Err(problem.hint("send `Content-Type: application/json`"))
            }
        }
    }
}

/// Reads a body. An empty one is `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let is_object = body.trim_ascii_start().starts_with(b"{");
    // An array would be taken for the members in their order.
    if !is_object && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        let detail = "the body must be an object, such as `{}`";
        return Err(Problem::unprocessable("body-wrong", detail));
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            Problem::unprocessable("body-wrong", error.to_string())
        }
        _ => Problem::bad("not-json", error.to_string()),
    })
}

/// Refuses names that are longer than any that there can be.
pub(super) fn is_name(what: &str, name: &str) -> Result<(), Problem> {
    match name.len() {
        1..=MAX_NAME_BYTES => Ok(()),
        _ => Err(Problem::unprocessable(
            "name-wrong",
            format!("`{what}` must have 1 to {MAX_NAME_BYTES} bytes"),
        )),
    }
}

/// The id of the command, if the request has a key. Keys of different tokens are different ones.
pub(super) fn command_id(
    headers: &HeaderMap,
    caller: &Caller,
) -> Result<Option<CommandId>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let detail = format!("`Idempotency-Key` must have 1 to {MAX_KEY_BYTES} bytes");
        return Err(Problem::bad("key-wrong", detail));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(caller.name.as_bytes());
    hasher.update(&[0]);
    hasher.update(key.as_bytes());
    let hash = hasher.finalize();
    Ok(Some(std::array::from_fn(|at| hash.as_bytes()[at])))
}

/// The same, where a request needs a key: a new one `for_each` of these.
pub(super) fn needed_id(
    headers: &HeaderMap,
    caller: &Caller,
    for_each: &str,
) -> Result<CommandId, Problem> {
    command_id(headers, caller)?.ok_or_else(|| {
        let hint =
            format!("send a new one for each {for_each}, and the same one when you try again");
        Problem::bad("key-missing", format!("`{IDEMPOTENCY_KEY}` is missing")).hint(hint)
    })
}

/// Which revision the caller has seen; `None`: any will do, `If-Match: *`.
pub(super) fn seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let missing = || {
        let status = StatusCode::PRECONDITION_REQUIRED;
        Problem::new(
            status,
            "if-match-missing",
            "say which revision of the ticket you have seen",
        )
        .hint("send `If-Match` with the `ETag` of the ticket")
    };
    let header = headers.get(IF_MATCH).ok_or_else(missing)?;
    let text = header.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let number = number.and_then(|number| number.parse().ok());
    number.map(Some).ok_or_else(|| {
        let detail = "`If-Match` must be one ETag of the ticket, such as \"7\", or `*`";
        Problem::bad("if-match-wrong", detail)
    })
}
