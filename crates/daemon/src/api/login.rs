//! People who come with a password, and get a token that ends by itself.

use axum::Extension;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::State;
use super::extract::{By, Json, guessed, read, secret, too_many};
use super::questions::Nothing;
use crate::limits::{MAX_NAME_BYTES, MAX_PASSWORD_BYTES};
use crate::passwords::NotTried;
use crate::problem::Problem;
use crate::server::Peer;
use crate::tokens::Role;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The login's name.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    name: String,
    /// Its password.
    #[schemars(length(min = 1, max = MAX_PASSWORD_BYTES))]
    password: String,
}

/// What somebody gets who has logged in.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedIn {
    /// To be sent with each request, as `Authorization: Bearer`. It is told only now.
    token: String,
    /// When it ends, unless the service is started anew before.
    ends: Timestamp,
    role: Role,
    /// Of the directory; an admin need not be one.
    person: Option<String>,
}

/// `POST /v1/login`. That a name is not known is answered as a wrong password is, and takes as long.
pub(super) async fn login(
    Shared(state): Shared<State>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    let Given { name, password } = read(&body)?;
    let connection = peer.map(|Extension(peer)| peer);
    let from = connection.as_ref().map(|Peer(peer)| peer.ip());
    let from = state.rates().address(from, &headers);
    let tried = state.rates().tried(&name, from);
    tried.map_err(|after| too_many("too many passwords were tried for this name", after))?;
    let tokens = state.tokens();
    let login = tokens.login(&name);
    let is_possible = password.len() <= MAX_PASSWORD_BYTES;
    let tried = state.logins().is_right(login, password).await;
    let is_right = tried.map_err(|not| match not {
        NotTried::Busy => Problem::unavailable("busy", "too many are logging in", 1),
        NotTried::Stopped => Problem::unavailable("stopped", "it was broken off", 5),
    })?;
    let login = match login {
        Some(login) if is_right && is_possible => login,
        _ => {
            // A name that nobody has is not logged: people type passwords there too.
            let known = login.map_or("", |login| login.caller.name.as_str());
            let peer = from.map(tracing::field::display);
            tracing::warn!(
                code = "login-refused",
                login = known,
                peer,
                "a wrong password"
            );
            guessed(state.rates(), connection.as_ref(), &headers).await?;
            let detail = "the name or the password is wrong";
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "login-wrong",
                detail,
            ));
        }
    };
    let begun = state.logins().begin(login);
    let (token, ends) = begun.map_err(|error| {
        tracing::error!(code = "no-random", error = %error, "the system gives no random bytes");
        Problem::unavailable("stopped", "the system gives no random bytes", 5)
    })?;
    let caller = &login.caller;
    let peer = from.map(tracing::field::display);
    tracing::info!(code = "login", login = %caller.name, peer, "somebody has logged in");
    let person = caller.person.as_ref().map(ToString::to_string);
    let role = caller.role;
    Ok(axum::Json(LoggedIn {
        token,
        ends,
        role,
        person,
    })
    .into_response())
}

/// `POST /v1/logout`: the token that it comes with ends.
pub(super) async fn logout(
    Shared(state): Shared<State>,
    By(caller): By,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    let Nothing {} = read(&body)?;
    if !state.logins().end(secret(&headers)?) {
        let detail = "this token did not come from a login";
        let problem = Problem::new(StatusCode::CONFLICT, "no-login", detail);
        return Err(problem.hint("the operator takes it out of the file of tokens"));
    }
    let peer = caller.from.map(tracing::field::display);
    tracing::info!(code = "logout", login = %caller.name, peer, "somebody has logged out");
    Ok(StatusCode::NO_CONTENT.into_response())
}
