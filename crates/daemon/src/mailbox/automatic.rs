//! Mails that no person wrote. None of them opens a ticket or moves one: two programs that answer each other
//! would never end.

use mail_parser::{HeaderName, Message, MessagePart, MimeHeaders, PartType};

use super::mail::{Sender, id, line};
use crate::thread::Threads;

/// Most ids of earlier mails that are sought in a report.
const MAX_IDS: usize = 20;
/// Most bytes of a report that are looked at.
const MAX_REPORT_BYTES: usize = 64 * 1024;
/// Longest reason of a report, in characters.
const MAX_REASON_CHARS: usize = 300;

/// That no person wrote it, and what did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Automatic {
    /// One of our own mails has come back.
    Own,
    /// A mail could not be delivered, or was read, or is late.
    Report {
        /// The ids of mails that it is about.
        about: Vec<String>,
        /// What the server said.
        reason: String,
        /// Whether it says that the mail was not delivered.
        failed: bool,
    },
    /// What says so.
    Says(&'static str),
}

/// Why nobody wrote the mail.
pub(crate) fn find(message: &Message<'_>, from: &Sender) -> Option<Automatic> {
    if message
        .message_id()
        .is_some_and(|id| Threads::read(id).is_some())
    {
        return Some(Automatic::Own);
    }
    if let Some(report) = report(message) {
        return Some(report);
    }
    header(message)
        .or_else(|| sender(from))
        .map(Automatic::Says)
}

fn raw(message: &Message<'_>, name: &'static str) -> Option<String> {
    let raw = message.header_raw(name)?;
    Some(raw.trim().to_lowercase())
}

fn header(message: &Message<'_>) -> Option<&'static str> {
    let says = |name, values: &[&str]| {
        let value = raw(message, name)?;
        let word = value.split([';', ' ', '(']).next().unwrap_or_default();
        values.contains(&word).then_some(())
    };
    if raw(message, "Auto-Submitted").is_some_and(|value| !value.starts_with("no")) {
        return Some("`Auto-Submitted`");
    }
    if says(
        "Precedence",
        &["bulk", "junk", "list", "auto_reply", "auto-reply"],
    )
    .is_some()
    {
        return Some("`Precedence`");
    }
    if raw(message, "Return-Path").is_some_and(|value| value == "<>") {
        return Some("an empty `Return-Path`");
    }
    let present = [
        ("X-Auto-Response-Suppress", "`X-Auto-Response-Suppress`"),
        ("X-Autoreply", "`X-Autoreply`"),
        ("X-Autorespond", "`X-Autorespond`"),
        ("List-Id", "`List-Id`"),
        ("List-Post", "`List-Post`"),
        ("List-Unsubscribe", "`List-Unsubscribe`"),
    ];
    let found = present
        .iter()
        .find(|(name, _)| raw(message, name).is_some_and(|value| value != "none"));
    found.map(|(_, what)| *what)
}

fn sender(from: &Sender) -> Option<&'static str> {
    let local = from.address.split('@').next().unwrap_or_default();
    let machine = ["mailer-daemon", "postmaster"].contains(&local);
    machine.then_some("the sender's address")
}

/// A report of a mail server (RFC 3462): what became of a mail.
fn report(message: &Message<'_>) -> Option<Automatic> {
    let kind = message.root_part().content_type()?;
    if kind.ctype() != "multipart" || kind.subtype() != Some("report") {
        return None;
    }
    let mut about = Vec::new();
    let mut reason = String::new();
    let mut failed = false;
    for part in &message.parts {
        if let PartType::Message(earlier) = &part.body {
            about.extend(id(earlier.message_id()));
        }
        let text = String::from_utf8_lossy(contents(part));
        for text in text.lines().map(str::trim) {
            let lower = text.to_ascii_lowercase();
            if let Some(found) = value(text, &lower, "message-id:") {
                about.extend(id(Some(found)));
            } else if let Some(found) = value(text, &lower, "diagnostic-code:") {
                reason = line(found, MAX_REASON_CHARS);
            } else if value(text, &lower, "action:")
                .is_some_and(|action| action.starts_with("failed"))
            {
                failed = true;
            }
        }
    }
    let answered = message.header_values(HeaderName::InReplyTo);
    about.extend(answered.filter_map(|value| id(value.as_text())));
    about.truncate(MAX_IDS);
    Some(Automatic::Report {
        about,
        reason,
        failed,
    })
}

fn value<'a>(text: &'a str, lower: &str, name: &str) -> Option<&'a str> {
    lower.starts_with(name).then(|| text[name.len()..].trim())
}

fn contents<'a>(part: &'a MessagePart<'_>) -> &'a [u8] {
    let bytes = match &part.body {
        PartType::Multipart(_) | PartType::Message(_) => &[],
        _ => part.contents(),
    };
    &bytes[..bytes.len().min(MAX_REPORT_BYTES)]
}
