//! How the service is: for watchdogs, for monitoring, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use upline::core::{Level, Name};
use upline::{Count, OVERDUE, Status, index};

use super::State;
use super::extract::By;
use crate::mailbox::BECAME;
use crate::problem::Problem;
use crate::watch::{DISK_FULL, DISK_IS_FULL, FILES};

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> Response {
    axum::Json(json!({ "ok": true })).into_response()
}

/// `GET /version`.
pub(super) async fn version() -> Response {
    let version = env!("CARGO_PKG_VERSION");
    axum::Json(json!({ "name": "upline", "version": version })).into_response()
}

/// `GET /readyz`: whether it does its work, and if not, why. What an operator should look at, though it
/// works, is a warning.
pub(super) async fn readyz(Shared(state): Shared<State>) -> Response {
    let (reasons, warnings) = match state.handle().status().await {
        Ok(status) => (reasons(&status), warnings(&state, &status)),
        // The store could not even be opened again.
        Err(_) if state.watch().is_disk_full() => (vec![disk_full()], Vec::new()),
        Err(error) => (
            vec![json!({ "code": "engine", "detail": error.to_string() })],
            Vec::new(),
        ),
    };
    let code = match reasons.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = json!({ "ready": reasons.is_empty(), "reasons": reasons, "warnings": warnings });
    (code, axum::Json(body)).into_response()
}

/// Whether `/readyz` would say that it does its work.
pub(crate) async fn is_well(state: State) -> bool {
    let status = state.handle().status().await;
    status.is_ok_and(|status| reasons(&status).is_empty())
}

fn disk_full() -> Value {
    json!({ "code": DISK_FULL, "detail": DISK_IS_FULL })
}

fn reasons(status: &Status) -> Vec<Value> {
    let mut reasons = Vec::new();
    if status.disk_full {
        reasons.push(disk_full());
    }
    if status.late > OVERDUE {
        let detail = format!("clocks fire {} s late", status.late.as_secs());
        reasons.push(json!({ "code": "overdue", "detail": detail }));
    }
    if status.forgotten > 0 {
        let detail = format!(
            "{} tickets have no answerable person or no clock",
            status.forgotten
        );
        reasons.push(json!({ "code": "forgotten", "detail": detail }));
    }
    reasons
}

fn warnings(state: &State, status: &Status) -> Vec<Value> {
    let mut warnings = Vec::new();
    if let Some(fault) = state.watch().files_fault() {
        let detail = format!("the files of the folder are not in force: {}", fault.first);
        warnings.push(json!({ "code": FILES, "detail": detail }));
    }
    for (mailbox, figure) in state.watch().mailboxes().all() {
        if let Some(why) = figure.fault {
            let detail = format!("mail waits in `{mailbox}`: {why}");
            warnings.push(json!({ "code": "mailbox", "detail": detail }));
        }
    }
    if status.set_aside > 0 {
        let tickets = match status.set_aside {
            1 => "1 ticket is".to_owned(),
            count => format!("{count} tickets are"),
        };
        let detail = format!("{tickets} set aside: `upline ticket set-aside` says which, and why");
        warnings.push(json!({ "code": "set-aside", "detail": detail }));
    }
    if let Some(ahead) = status.clock_ahead {
        let detail = format!(
            "the machine's clock has jumped ahead by {} s",
            ahead.as_secs()
        );
        warnings.push(json!({ "code": "clock", "detail": detail }));
    }
    if let Some(index::State::Failed { why }) = &status.index {
        warnings.push(json!({ "code": "index", "detail": why }));
    }
    if state.rates().is_proxy_silent() {
        let detail = "requests come without `X-Forwarded-For`, though `behind-proxy` is set: let the \
            proxy set it to the address that it sees, else all count as one";
        warnings.push(json!({ "code": "proxy", "detail": detail }));
    }
    // One that was left out may be over meanwhile.
    state.overrides().tell(status.now);
    let alarms = state.watch().alarms().current().into_iter();
    let alarms = alarms.filter(|(code, _)| *code != DISK_FULL);
    warnings.extend(alarms.map(|(code, why)| json!({ "code": code, "detail": why })));
    let hooks = state.hooks().standings().into_iter();
    warnings.extend(hooks.filter_map(|hook| {
        let why = hook.closed?;
        let detail = format!("nothing goes to the webhook `{}`: {why}", hook.name);
        Some(json!({ "code": "webhook-closed", "detail": detail }))
    }));
    warnings
}

/// `GET /metrics`: the text form of Prometheus.
pub(super) async fn metrics(Shared(state): Shared<State>, By(_): By) -> Result<Response, Problem> {
    let status = state.handle().status().await?;
    let mut text = Text::default();
    let seconds = |duration: std::time::Duration| duration.as_secs_f64();
    let count = |number: usize| number as f64;
    text.gauge(
        "tickets",
        "Tickets that are open, or have messages still to be sent.",
        count(status.tickets),
    );
    text.gauge(
        "timer_lag_seconds",
        "How late the clock is that is due and has not fired for longest.",
        seconds(status.late),
    );
    text.gauge(
        "notifications_unsent",
        "Messages that are not delivered yet.",
        count(status.unsent),
    );
    text.gauge(
        "notifications_oldest_seconds",
        "How old the oldest of them is.",
        seconds(status.oldest_unsent_for),
    );
    text.gauge(
        "tickets_set_aside",
        "Tickets that need an operator.",
        count(status.set_aside),
    );
    text.gauge(
        "tickets_forgotten",
        "Open tickets without an answerable person or a clock: an alarm.",
        count(status.forgotten),
    );
    text.gauge(
        "files_broken",
        "1: the files of the folder are not in force.",
        f64::from(u8::from(state.watch().files_fault().is_some())),
    );
    text.gauge(
        "disk_full",
        "1: the disk is full, and commands are refused.",
        f64::from(u8::from(status.disk_full)),
    );
    text.gauge(
        "clock_ahead_seconds",
        "How far the machine's clock is ahead, while that is not believed.",
        status.clock_ahead.map_or(0.0, seconds),
    );
    text.gauge(
        "event_streams",
        "Streams of events that are open.",
        count(state.streams().count()),
    );
    text.counter(
        "notifications_given_up_total",
        "Messages that were given up since the start.",
        [("", status.given_up)],
    );
    text.counter(
        "stale_clocks_total",
        "Clocks that came up and were over already, since the start.",
        [("", status.stale_clocks)],
    );
    let open = state.handle().counts().await?;
    let open: Vec<(String, u64)> = open.iter().map(place).collect();
    let open = open
        .iter()
        .map(|(labels, tickets)| (labels.as_str(), *tickets));
    let help = "Open tickets by workflow, state and level; 0 is whom the state itself asks.";
    text.several("tickets_open", help, "gauge", open);
    let kinds: Vec<(String, u64)> = state
        .watch()
        .counts()
        .map(|(kind, count)| (format!("kind=\"{kind}\""), count))
        .collect();
    let kinds = kinds
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count));
    text.counter(
        "incidents_total",
        "What an operator had to know, since the start.",
        kinds,
    );
    wrong(&state, &status, &mut text);
    mailboxes(&state, &mut text);
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| format!("status=\"{class}\""));
    let answered = state
        .answered()
        .iter()
        .map(|count| count.load(Ordering::Relaxed));
    let answered = classes.iter().map(String::as_str).zip(answered);
    text.counter(
        "http_answers_total",
        "Requests that were answered, since the start.",
        answered,
    );
    around(&mut text, &state);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text.0).into_response())
}

/// What `/readyz` warns of, by its code: an alert needs to know no more than that there is something.
fn wrong(state: &State, status: &Status, text: &mut Text) {
    let mut counts = BTreeMap::<String, u64>::new();
    for warning in warnings(state, status) {
        let code = warning["code"].as_str().unwrap_or_default();
        *counts.entry(format!("code=\"{code}\"")).or_default() += 1;
    }
    let counts = counts
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count));
    let help = "What `/readyz` warns of now, by its code.";
    text.several("warnings", help, "gauge", counts);
}

/// How the mailboxes are, if there are any.
fn mailboxes(state: &State, text: &mut Text) {
    let all = state.watch().mailboxes().all();
    if all.is_empty() {
        return;
    }
    let named = |name: &Name| format!("mailbox=\"{name}\"");
    let faults: Vec<_> = all
        .iter()
        .map(|(name, figure)| (named(name), u64::from(figure.fault.is_some())))
        .collect();
    let mails: Vec<_> = all
        .iter()
        .flat_map(|(name, figure)| {
            let counts = BECAME.iter().zip(figure.mails);
            let label = |became| format!("{},became=\"{became}\"", named(name));
            counts.map(move |(became, count)| (label(became), count))
        })
        .collect();
    let bounced: Vec<_> = all
        .iter()
        .map(|(name, figure)| (named(name), figure.bounced))
        .collect();
    let tell = |text: &mut Text, name, help, kind, all: Vec<(String, u64)>| {
        let all = all.iter().map(|(labels, count)| (labels.as_str(), *count));
        text.several(name, help, kind, all);
    };
    let help = "1: mail waits in this mailbox, and `/readyz` says why.";
    tell(text, "mailbox_waits", help, "gauge", faults);
    let help = "Mails that came in, by what became of them, since the start.";
    tell(text, "mails_total", help, "counter", mails);
    let help = "Reports that a mail about a ticket was not delivered, since the start.";
    tell(text, "mails_bounced_total", help, "counter", bounced);
}

/// Figures of other systems: those that open tickets, and those that people are told by.
fn around(text: &mut Text, state: &State) {
    let taken: Vec<(String, u64)> = state
        .sources()
        .counts()
        .into_iter()
        .flat_map(|(source, counts)| {
            counts.map(|(outcome, count)| {
                let labels = format!("source=\"{source}\",outcome=\"{outcome}\"");
                (labels, count)
            })
        })
        .collect();
    let taken = taken
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count));
    let help = "What became of messages of other systems, since the start.";
    text.counter("inbound_messages_total", help, taken);
    let failed = state.watch().tries().failed().into_iter();
    let failed: Vec<(String, u64)> = failed
        .map(|(channel, count)| (format!("channel={}", quoted(&channel)), count))
        .collect();
    let failed = failed
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count));
    let help = "Tries to tell somebody that have failed, by channel, since the start.";
    text.counter("notification_failures_total", help, failed);
    let standings = state.hooks().standings();
    let tries = standings.iter().flat_map(|hook| {
        hook.tries.map(|(fate, count)| {
            let labels = format!("webhook=\"{}\",fate=\"{fate}\"", hook.name);
            (labels, count)
        })
    });
    let tries: Vec<(String, u64)> = tries.collect();
    let tries = tries
        .iter()
        .map(|(labels, count)| (labels.as_str(), *count));
    text.counter(
        "webhook_tries_total",
        "Tries to send a message, since the start.",
        tries,
    );
    let closed = standings
        .iter()
        .filter(|hook| hook.closed.is_some())
        .count();
    text.gauge(
        "webhooks_closed",
        "Webhooks whose peer takes nothing any more.",
        closed as f64,
    );
}

/// A label's value. The quotes and escapes of JSON are those of labels.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A count of tickets, and its labels.
fn place(count: &Count) -> (String, u64) {
    let level = match count.level {
        Level::Entry => "0".to_owned(),
        Level::Number(number) => number.to_string(),
        Level::LastResort => "last-resort".to_owned(),
    };
    let (workflow, state) = (quoted(&count.workflow), quoted(&count.state));
    let labels = format!("workflow={workflow},state={state},level=\"{level}\"");
    (labels, count.tickets)
}

/// Figures as Prometheus reads them.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a text can't fail.
        let _ = writeln!(
            self.0,
            "# HELP upline_{name} {help}\n# TYPE upline_{name} {kind}"
        );
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.0, "upline_{name} {value}");
    }

    fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        self.several(name, help, "counter", values);
    }

    fn several<'a>(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        self.head(name, help, kind);
        for (labels, value) in values {
            let _ = match labels.is_empty() {
                true => writeln!(self.0, "upline_{name} {value}"),
                false => writeln!(self.0, "upline_{name}{{{labels}}} {value}"),
            };
        }
    }
}
