//! The routes, and what holds for all of them.

mod actions;
mod batch;
mod events;
mod extract;
mod files;
mod hooks;
mod links;
mod login;
mod messages;
mod oncall;
mod openapi;
mod operator;
mod overrides;
mod questions;
mod service;
mod telling;
mod tickets;
mod trace;
mod view;
mod wishes;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONNECTION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tokio::sync::{Mutex, MutexGuard, Semaphore, watch};
use tracing::Instrument;
use upline::Handle;

use self::trace::Asker;
use crate::folder::Folder;
use crate::held::HeldFiles;
use crate::inbound::Sources;
use crate::limits::{MAX_BODY_BYTES, MAX_REQUESTS};
use crate::links::Links;
use crate::overrides::Overrides;
use crate::passwords::Logins;
use crate::problem::Problem;
use crate::rates::Rates;
use crate::rest::Rest;
use crate::server::Peer;
use crate::tell::{Hooks, Letters, Trials};
use crate::tokens::{Caller, Tokens};
use crate::watch::Watch;

/// Every route with its method, in the order of the documentation.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/v1/tickets"),
    ("GET", "/v1/tickets"),
    ("GET", "/v1/tickets/{id}"),
    ("PATCH", "/v1/tickets/{id}"),
    ("POST", "/v1/tickets/{id}/actions/{action}"),
    ("POST", "/v1/tickets:batch"),
    ("POST", "/v1/tickets/{id}/messages/{message}"),
    ("GET", "/v1/tickets/{id}/timeline"),
    ("GET", "/v1/tickets/{id}/messages"),
    ("GET", "/v1/tickets/{id}/preview"),
    ("POST", "/v1/notify-tests"),
    ("GET", "/v1/tickets/{id}/explain"),
    ("GET", "/v1/tickets/{id}/forecast"),
    ("GET", "/v1/oncall"),
    ("GET", "/v1/oncall/{schedule}/overrides"),
    ("POST", "/v1/oncall/{schedule}/overrides"),
    ("DELETE", "/v1/oncall/{schedule}/overrides/{id}"),
    ("POST", "/v1/tickets/{id}/erase"),
    ("POST", "/v1/tickets/{id}/put-back"),
    ("GET", "/v1/set-aside"),
    ("GET", "/v1/events"),
    ("GET", "/v1/files"),
    ("GET", "/v1/files/{name}"),
    ("PUT", "/v1/files/{name}"),
    ("POST", "/v1/workflows:check"),
    ("POST", "/v1/hooks/{source}"),
    ("POST", "/v1/login"),
    ("POST", "/v1/logout"),
    ("GET", "/v1/openapi.json"),
    ("GET", "/a/{token}"),
    ("POST", "/a/{token}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/version"),
];

#[cfg(test)]
pub(crate) use events::KINDS;
pub(crate) use events::{Pace, Streams};
#[cfg(test)]
pub(crate) use openapi::document as openapi_document;
#[cfg(test)]
pub(crate) use wishes::word;

/// Answers so far, by the hundreds of their status: `1xx` to `5xx`.
pub(crate) type Answered = [AtomicU64; 5];

/// Ways in and out besides the API.
pub(crate) struct Ways {
    /// By which people act on messages.
    pub(crate) links: Option<Arc<Links>>,
    /// Other systems that open tickets.
    pub(crate) sources: Sources,
    /// Webhooks that people are told by.
    pub(crate) hooks: Hooks,
    /// Who writes letters.
    pub(crate) letters: Arc<Letters>,
    /// Who sends tests of them.
    pub(crate) trials: Trials,
    /// What people have changed of who is on call.
    pub(crate) overrides: Overrides,
    /// Who has asked how often lately.
    pub(crate) rates: Rates,
    /// Who has come in by a password.
    pub(crate) logins: Logins,
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct State(Arc<Inner>);

struct Inner {
    handle: Handle,
    folder: Folder,
    files: HeldFiles,
    /// Others take their place when their file changes.
    tokens: RwLock<Arc<Tokens>>,
    ways: Ways,
    watch: Arc<Watch>,
    /// Bounds what is worked on at once.
    room: Semaphore,
    /// Whoever changes which files hold has it: the folder and the engine change together.
    deploying: Mutex<()>,
    answered: Answered,
    streams: Streams,
    pace: Pace,
    /// Whether the service stops.
    stopped: watch::Receiver<bool>,
}

impl std::fmt::Debug for State {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let folder = &self.0.folder;
        f.debug_struct("State")
            .field("folder", folder)
            .finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn new(
        handle: Handle,
        folder: Folder,
        tokens: Tokens,
        ways: Ways,
        watch: Arc<Watch>,
        stopped: watch::Receiver<bool>,
        pace: Pace,
    ) -> Self {
        Self(Arc::new(Inner {
            handle,
            folder,
            files: HeldFiles::default(),
            tokens: RwLock::new(Arc::new(tokens)),
            ways,
            watch,
            room: Semaphore::new(MAX_REQUESTS),
            deploying: Mutex::new(()),
            answered: Answered::default(),
            streams: Streams::default(),
            pace,
            stopped,
        }))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.0.handle
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// What was deployed last.
    pub(crate) fn files(&self) -> &HeldFiles {
        &self.0.files
    }

    pub(crate) fn tokens(&self) -> Arc<Tokens> {
        let tokens = self.0.tokens.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&tokens)
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.ways.rates
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.0.ways.logins
    }

    pub(crate) fn set_tokens(&self, tokens: Tokens) {
        let mut held = self
            .0
            .tokens
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(tokens);
    }

    /// `None`: messages have no links.
    pub(crate) fn links(&self) -> Option<&Links> {
        self.0.ways.links.as_deref()
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.0.ways.sources
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.0.ways.hooks
    }

    pub(crate) fn letters(&self) -> &Letters {
        &self.0.ways.letters
    }

    pub(crate) fn trials(&self) -> &Trials {
        &self.0.ways.trials
    }

    pub(crate) fn overrides(&self) -> &Overrides {
        &self.0.ways.overrides
    }

    pub(crate) async fn deploying(&self) -> MutexGuard<'_, ()> {
        self.0.deploying.lock().await
    }

    /// Whose the token with this hash is now, of a program or of somebody who has logged in.
    pub(crate) fn caller(&self, token: &blake3::Hash) -> Option<Caller> {
        let tokens = self.tokens();
        let caller = tokens.by_hash(token).cloned();
        caller.or_else(|| self.logins().find(token, &tokens))
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    pub(crate) fn pace(&self) -> Pace {
        self.0.pace
    }

    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.0.stopped.clone()
    }

    pub(crate) fn answered(&self) -> &Answered {
        &self.0.answered
    }
}

pub(crate) use service::is_well;

pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/v1/tickets", post(tickets::open).get(tickets::list))
        .route("/v1/tickets/{id}", get(tickets::show).patch(actions::save))
        .route("/v1/tickets:batch", post(batch::batch))
        .route("/v1/tickets/{id}/actions/{action}", post(actions::act))
        .route(
            "/v1/tickets/{id}/messages/{message}",
            post(actions::message),
        )
        .route("/v1/tickets/{id}/timeline", get(questions::timeline))
        .route("/v1/tickets/{id}/messages", get(messages::list))
        .route("/v1/tickets/{id}/preview", get(telling::preview))
        .route("/v1/notify-tests", post(telling::test))
        .route("/v1/tickets/{id}/explain", get(questions::explain))
        .route("/v1/tickets/{id}/forecast", get(questions::forecast))
        .route("/v1/oncall", get(oncall::oncall))
        .route(
            "/v1/oncall/{schedule}/overrides",
            get(overrides::list).post(overrides::make),
        )
        .route(
            "/v1/oncall/{schedule}/overrides/{id}",
            delete(overrides::remove),
        )
        .route("/v1/tickets/{id}/erase", post(operator::erase))
        .route("/v1/tickets/{id}/put-back", post(operator::put_back))
        .route("/v1/set-aside", get(operator::set_aside))
        .route("/v1/events", get(events::events))
        .route("/v1/hooks/{source}", post(hooks::take))
        .route("/v1/files", get(files::list))
        .route("/v1/files/{name}", get(files::show).put(files::put))
        .route("/v1/workflows:check", post(files::check))
        .route("/v1/login", post(login::login))
        .route("/v1/logout", post(login::logout))
        .route("/v1/openapi.json", get(openapi::openapi))
        .route("/a/{token}", get(links::show).post(links::press))
        .route("/healthz", get(service::healthz))
        .route("/readyz", get(service::readyz))
        .route("/metrics", get(service::metrics))
        .route("/version", get(service::version))
        .fallback(no_such_path)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(state.clone(), admit))
        .with_state(state)
}

async fn no_such_path() -> Problem {
    let detail = "there is nothing at this path";
    Problem::new(StatusCode::NOT_FOUND, "no-such-path", detail)
}

async fn other_method() -> Problem {
    let detail = "this path is asked with another method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "other-method", detail)
}

/// Lets a request in if there is room, gives it its time, and notes how it ended.
async fn admit(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("", MatchedPath::as_str).to_owned();
    let (mut head, body) = request.into_parts();
    let peer = head.extensions.get::<Peer>().map(|Peer(peer)| peer.ip());
    let peer = state.rates().address(peer, &head.headers);
    let (id, asker) = (trace::id(&head.headers), Asker::default());
    head.extensions.insert(asker.clone());
    let span = tracing::info_span!("request", id);
    state.rates().note(&path, &head.headers);
    let (body, rest) = Rest::of(body, &head.headers);
    let request = Request::from_parts(head, body);
    let work = next.run(request).instrument(span.clone());
    let mut response = match state.0.room.try_acquire() {
        Ok(_room) => match tokio::time::timeout(state.0.pace.request, work).await {
            Ok(response) => response,
            Err(_) => Problem::unavailable("too-slow", "the request took too long", 5)
                .hint("if it was a command, give it again with the same `Idempotency-Key`")
                .into_response(),
        },
        Err(_) => {
            let detail = "too many requests are worked on";
            Problem::unavailable("busy", detail, 1).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(trace::REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    if let Some(count) = state
        .0
        .answered
        .get(usize::from(status / 100).wrapping_sub(1))
    {
        count.fetch_add(1, Ordering::Relaxed);
    }
    // The route, not the path: what callers write into a path is not for the log.
    span.in_scope(|| {
        tracing::info!(
            code = "request",
            method = %method,
            route = %path,
            status,
            token = asker.token(),
            peer = peer.map(tracing::field::display),
            milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    });
    if !rest.read(state.0.pace.rest).await {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}
