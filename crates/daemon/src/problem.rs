//! Refusals, as RFC 9457 has them: `application/problem+json` with `status`, `title`, `code`, `detail` and,
//! where one is known, the way out as `hint`.
//!
//! `code` is a word that programs may rely on; `detail` is for people and may change.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use upline::Error;
use upline::core::{Because, FieldFault, Rejection};
use upline::dsl::render::Report;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    hint: Option<String>,
    more: Map<String, Value>,
    retry_after: Option<u32>,
}

impl Problem {
    /// A refusal with this status, a code for programs, and what people read.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            hint: None,
            more: Map::new(),
            retry_after: None,
        }
    }

    /// The way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// One more member of the answer.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// After how many seconds it makes sense to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The word for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What people read.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.more.clone();
        let title = self.status.canonical_reason().unwrap_or("Refused");
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("title".into(), title.into());
        body.insert("code".into(), self.code.into());
        body.insert("detail".into(), self.detail.clone().into());
        if let Some(hint) = &self.hint {
            body.insert("hint".into(), hint.clone().into());
        }
        Value::Object(body)
    }

    /// Whether the caller has not proved who he is.
    pub(crate) fn is_unproved(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Whether the same request may be answered otherwise in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        self.status.is_server_error()
    }

    /// There is no such ticket, or it is not this caller's to see: which of the two is not told.
    pub(crate) fn no_ticket(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-ticket",
            format!("there is no ticket `{id}`"),
        )
    }

    /// The request itself is wrong.
    pub(crate) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// What it asks for can't be done as it is written.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// The token's role has no right to it.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", detail)
    }

    /// Not now.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<String>, seconds: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(seconds)
    }

    /// The same idempotency key came with something else.
    pub(crate) fn other_command() -> Self {
        let detail = "this `Idempotency-Key` was used for another request";
        Self::unprocessable("other-command", detail).hint("use a new key for each new command")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let conflict = |code| Self::new(StatusCode::CONFLICT, code, detail.clone());
        match error {
            Error::Rejected(rejection) => rejection.into(),
            Error::SameKey { ticket, .. } => conflict("same-key")
                .with("ticket", ticket.as_str())
                .hint("go on with that ticket"),
            Error::NoSuchWorkflow { .. } => Self::unprocessable("no-such-workflow", detail),
            Error::StillOpen => conflict("still-open")
                .hint("whoever works on it must be able to read it: end it first, or `cancel` it"),
            Error::Changed { revision } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
                    .with("revision", revision)
                    .hint("read the ticket again: somebody has acted since, or a clock has")
            }
            Error::OtherCommand => Self::other_command(),
            Error::SetAside { .. } => conflict("set-aside").hint(
                "an admin sees to what is wrong, and lets it go on: `upline ticket put-back ID`",
            ),
            Error::Files(checked) => {
                let reports = checked.diagnostics.iter();
                let reports: Vec<Value> = reports
                    .map(|one| json!(Report::new(&checked.sources, one)))
                    .collect();
                Self::unprocessable("files-wrong", detail).with("diagnostics", reports)
            }
            Error::SameVersion { .. } => {
                conflict("same-version").hint("raise `version` in the file")
            }
            Error::Cursor => Self::bad("cursor-wrong", detail),
            Error::TooOld { oldest } => Self::new(StatusCode::GONE, "too-old", detail)
                .with("oldest", oldest.to_string())
                .hint("start again from a list of tickets, and from `oldest`"),
            Error::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail),
            Error::Busy => Self::unavailable("busy", detail, 1),
            Error::Unknown(_) => Self::unavailable("unknown-outcome", detail, 1)
                .hint("give the same request again, with the same `Idempotency-Key`"),
            Error::Indexing { .. } => Self::unavailable("indexing", detail, 2),
            Error::NoDirectory => Self::unavailable("no-directory", detail, 30),
            Error::Unavailable(_) => Self::unavailable("store", detail, 5),
            Error::NoIndex(_) => Self::unavailable("no-index", detail, 15),
            // What the engine learns to say is at least not taken for a success.
            _ => Self::unavailable("stopped", detail, 5),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let detail = rejection.to_string();
        let conflict = |code| Self::new(StatusCode::CONFLICT, code, detail.clone());
        let wrong = |code| Self::unprocessable(code, detail.clone());
        let missing = |code| Self::new(StatusCode::NOT_FOUND, code, detail.clone());
        match rejection {
            Rejection::HeldBy { holder } => conflict("held-by-another")
                .with("holder", holder.as_str())
                .hint("whoever leads the group may `reassign` it"),
            Rejection::AlreadyClaimed { by } => {
                conflict("already-claimed").with("holder", by.as_str())
            }
            Rejection::NotAllowed { .. } | Rejection::Excluded { .. } => Self::forbidden(detail),
            Rejection::NotPossible { because, .. } => conflict("not-possible").with(
                "because",
                match because {
                    Because::NotOffered => "not-offered",
                    Because::NotTaken => "not-taken",
                    Because::LastResort => "last-resort",
                    Because::Suspended => "suspended",
                    Because::NotSuspended => "not-suspended",
                    Because::NoLadder => "no-ladder",
                    Because::NotGiven => "not-given",
                    Because::Branches => "branches",
                },
            ),
            Rejection::AlreadyOpen => conflict("already-open"),
            Rejection::NotOpen => missing("no-such-ticket"),
            Rejection::HasEnded => conflict("has-ended"),
            Rejection::WhichBranch { branches } => {
                let branches: Vec<&str> = branches.iter().map(|branch| branch.as_str()).collect();
                wrong("which-branch").with("branches", branches)
            }
            Rejection::NoSuchBranch { .. } => wrong("no-such-branch"),
            Rejection::NoSuchAction { actions, .. } => {
                let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                missing("no-such-action").with("possible", actions)
            }
            Rejection::NotAwaited { .. } => conflict("not-awaited"),
            Rejection::NoSuchPerson { .. } => wrong("no-such-person"),
            Rejection::CannotHave { .. } => wrong("cannot-have"),
            Rejection::Form { faults } => {
                let faults: Vec<Value> = faults.iter().map(field).collect();
                wrong("form-wrong").with("fields", faults)
            }
            Rejection::NotTicked { items } => {
                let items: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
                wrong("not-ticked").with("items", items)
            }
            Rejection::NoSuchItem { .. } => wrong("no-such-item"),
            Rejection::NoSuchLevel { .. } => wrong("no-such-level"),
            Rejection::NoSuchClock => wrong("no-such-clock"),
            Rejection::BadTime { latest } => wrong("bad-time").with("latest", latest.to_string()),
            Rejection::BadText { .. } | Rejection::BadId { .. } => wrong("bad-text"),
            Rejection::InstantLoop { .. }
            | Rejection::CannotMigrate { .. }
            | Rejection::WrongWorkflow { .. } => conflict("workflow-wrong"),
        }
    }
}

fn field(fault: &FieldFault) -> Value {
    let (field, code) = match fault {
        FieldFault::Unknown { field } => (field, "unknown"),
        FieldFault::NotInForm { field } => (field, "not-in-form"),
        FieldFault::Missing { field } => (field, "missing"),
        FieldFault::Value { field, .. } => (field, "value"),
    };
    json!({ "field": field.as_str(), "code": code, "detail": fault.to_string() })
}
