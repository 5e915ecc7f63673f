//! The codes of refusals, by status. A test holds every answer of the daemon's tests against them.

/// Of every route.
pub(super) const UNAVAILABLE: &[&str] = &[
    "busy",
    "too-slow",
    "too-many-streams",
    "indexing",
    "no-index",
    "no-directory",
    "store",
    "folder",
    "stopped",
    "unknown-outcome",
];

/// 409 of a command.
pub(super) const CONFLICT: &[&str] = &[
    "held-by-another",
    "already-claimed",
    "moved-on",
    "has-ended",
    "not-possible",
    "not-awaited",
    "same-key",
    "already-open",
    "still-open",
    "set-aside",
    "workflow-wrong",
];

/// 422 of a command.
pub(super) const WRONG: &[&str] = &[
    "body-wrong",
    "name-wrong",
    "form-wrong",
    "not-ticked",
    "other-command",
    "no-such-workflow",
    "no-such-person",
    "cannot-have",
    "no-such-branch",
    "which-branch",
    "no-such-item",
    "no-such-level",
    "no-such-clock",
    "bad-time",
    "bad-text",
];
