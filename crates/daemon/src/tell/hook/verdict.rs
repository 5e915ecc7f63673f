//! What a peer's answer means for a message.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Most bytes of an answer that are read.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Shortest wait that a peer can ask for.
pub const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait that a peer can ask for: a ladder waits for nobody.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Most characters of an answer that are shown to people.
const MAX_SHOWN: usize = 200;

/// What a peer answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// When it wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of its body.
    pub(super) body: Vec<u8>,
}

/// What is to become of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was accepted.
    Delivered,
    /// Another time, perhaps.
    Later {
        reason: String,
        after: Option<Duration>,
    },
    /// It will not be accepted.
    Never { reason: String },
    /// Nothing will be accepted there any more.
    Gone { reason: String },
}

impl Verdict {
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            reason: reason.into(),
            after: None,
        }
    }

    pub(super) fn never(reason: impl Into<String>) -> Self {
        Self::Never {
            reason: reason.into(),
        }
    }
}

impl Answer {
    /// What its status says.
    pub(super) fn verdict(&self) -> Verdict {
        let status = self.status;
        if status.is_success() {
            return Verdict::Delivered;
        }
        let said = shown(&self.body);
        let reason = match said.is_empty() {
            true => format!("the peer answers {status}"),
            false => format!("the peer answers {status}: {said}"),
        };
        match status.as_u16() {
            410 => Verdict::Gone { reason },
            408 | 425 | 429 | 500..=599 => Verdict::Later {
                reason,
                after: self.retry_after,
            },
            300..=399 => Verdict::Never {
                reason: format!("{reason}; redirects are not followed"),
            },
            _ => Verdict::Never { reason },
        }
    }
}

/// What is shown of a peer's answer: one line without control characters.
pub(super) fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let clean = text.chars().map(|c| match c.is_control() || is_turning(c) {
        true => ' ',
        false => c,
    });
    let clean: String = clean.take(MAX_SHOWN).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ")
}

/// Whether it changes the direction in which a text is read, so that a line shows what it does not say.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// When the peer wants to be asked again, within bounds: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(at.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16) -> Verdict {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: Some(Duration::from_secs(7)),
            body: b"no\r\n\x1b[31mway \xe2\x80\xaetxt.exe".to_vec(),
        };
        answer.verdict()
    }

    #[test]
    fn each_status_has_its_meaning() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(status), Verdict::Delivered);
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            let Verdict::Later { after, reason } = verdict(status) else {
                panic!("{status}");
            };
            assert_eq!(after, Some(Duration::from_secs(7)));
            assert!(reason.contains(": no [31mway txt.exe"), "{reason:?}");
        }
        for status in [
            301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422, 451,
        ] {
            assert!(matches!(verdict(status), Verdict::Never { .. }), "{status}");
        }
        assert!(matches!(verdict(410), Verdict::Gone { .. }));
    }

    #[test]
    fn a_peer_may_ask_for_a_wait_within_bounds() {
        let now: Timestamp = "2026-03-06T09:10:00Z".parse().unwrap();
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("30"), Some(30));
        assert_eq!(wait("0"), Some(1));
        assert_eq!(wait("99999999999"), Some(900));
        assert_eq!(wait("Fri, 06 Mar 2026 09:12:00 GMT"), Some(120));
        assert_eq!(wait("Fri, 06 Mar 2020 09:12:00 GMT"), Some(1));
        assert_eq!(wait("Sat, 06 Mar 2055 09:12:00 GMT"), Some(900));
        for nothing in ["soon", "-1", "1.5", "", "99999999999999999999999"] {
            assert_eq!(wait(nothing), None, "{nothing}");
        }
    }
}
