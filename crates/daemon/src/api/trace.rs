//! By what the lines of the log that belong to one request are found, here and in the systems before it.

use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderName};
use upline::core::Name;
use upline::vault::system_entropy;

/// The id of a request: what a proxy or a caller has given it, and what the answer tells.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whose request it is, as soon as his token is known: it goes with the request, and is in the log's line of
/// it however it ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Asker(Arc<OnceLock<Name>>);

impl Asker {
    pub(super) fn tell(&self, token: &Name) {
        // One request has one token.
        let _ = self.0.set(token.clone());
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.0.get().map(|token| token.as_str())
    }
}

/// Longest id of others that is taken over into the log.
const MAX_ID: usize = 64;

/// The trace that the request belongs to (W3C Trace Context, level 1: `00-TRACE-PARENT-FLAGS`), or the id
/// that it has already, or a new one. It proves nothing: whoever asks may name any.
pub(super) fn id(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let trace = text("traceparent").and_then(trace);
    let given = text(REQUEST_ID.as_str()).filter(|id| is_plain(id));
    match trace.or(given) {
        Some(id) => id.to_owned(),
        None => new(),
    }
}

fn trace(parent: &str) -> Option<&str> {
    let mut parts = parent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| {
        let mut digits = text.bytes();
        digits.all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_one = version.len() == 2 && version != "ff" && is_hex(version);
    let is_known = trace.len() == 32 && is_hex(trace) && trace.bytes().any(|digit| digit != b'0');
    (is_one && is_known).then_some(trace)
}

fn is_plain(id: &str) -> bool {
    let mut letters = id.bytes();
    (1..=MAX_ID).contains(&id.len())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter))
}

/// Empty if the system gives no random bytes: no request waits for its name.
fn new() -> String {
    let mut bytes = [0; 16];
    match system_entropy()(&mut bytes) {
        Ok(()) => format!("{:032x}", u128::from_be_bytes(bytes)),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> String {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        id(&headers.collect())
    }

    #[test]
    fn a_request_keeps_the_id_that_it_comes_with() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of(&[("traceparent", parent), ("x-request-id", "7")]), trace);
        assert_eq!(of(&[("x-request-id", "a-7_b.c")]), "a-7_b.c");
    }

    #[test]
    fn what_is_no_id_gets_a_new_one() {
        let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let upper = "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01";
        let long = "x".repeat(MAX_ID + 1);
        for wrong in [
            &[][..],
            &[("traceparent", zeros.as_str())],
            &[("traceparent", upper)],
            &[("traceparent", "00")],
            &[("x-request-id", "")],
            &[("x-request-id", long.as_str())],
            &[("x-request-id", "a b")],
            &[("x-request-id", "\"},{")],
        ] {
            let (one, other) = (of(wrong), of(wrong));
            assert_eq!(one.len(), 32, "{wrong:?}");
            assert_ne!(one, other, "{wrong:?}");
        }
    }
}
