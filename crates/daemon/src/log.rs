//! The log: a line of JSON for each thing that happened, on stderr.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use upline::notify::{Message, Notifier, Sending};

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

impl Default for LogLevel {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl std::fmt::Display for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `error`, `warn`, `info`, `debug`, `trace` or `off`.
impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = "error, warn, info, debug, trace, off";
        let known = words.split(", ").any(|word| word == text);
        let level = known.then(|| text.parse().ok()).flatten();
        level
            .map(Self)
            .ok_or_else(|| format!("the levels are: {words}"))
    }
}

/// Lets everything of this process that is told by `tracing` be logged to stderr. A second call in one
/// process changes nothing.
pub fn start_log(level: LogLevel) {
    let subscriber = fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .with_max_level(level.0)
        .with_writer(std::io::stderr)
        .finish();
    // Whoever embeds the daemon may have a log of his own.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes each message into the log, and nothing else: there is no channel to people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogOnly;

impl Notifier for LogOnly {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        tracing::info!(
            code = "message-not-sent",
            key = %message.key,
            ticket = %message.ticket.id,
            to = %message.to.name(),
            via = %message.via,
            topic = ?message.topic,
            "a message would be sent, and nobody is told: no channel is set up"
        );
        Box::pin(async { Ok(()) })
    }
}
