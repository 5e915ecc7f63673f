//! Callers who ask too often, and guesses at tokens.

use std::num::NonZeroU32;

use super::kit::{Service, bearer};
use crate::limits::MAX_GUESSES;

#[test]
fn who_asks_too_often_waits_and_nobody_else_does() {
    let service = Service::adjusted(|start| start.requests_per_second(NonZeroU32::MIN));
    let ask = |who: &str| service.get(who, "/v1/tickets");
    let answers: Vec<_> = (0..20).map(|_| ask("ann")).collect();
    let (fine, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert!(fine.len() >= 2 && !refused.is_empty(), "{}", fine.len());
    for answer in refused {
        let after: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&after));
        answer.refuses(429, "too-many-requests");
    }
    ask("bob").is(200);
    // What needs no token is not counted.
    service.send("GET", "/healthz", &[], b"").is(200);
}

#[test]
fn guesses_at_tokens_are_slowed_and_lock_nobody_out() {
    let service = Service::start();
    let guess = |number: u32| {
        let token = format!("Bearer upl_{number}");
        service.send("GET", "/v1/tickets", &[("authorization", &token)], b"")
    };
    for number in 0..MAX_GUESSES.get() {
        guess(number).refuses(401, "no-token");
    }
    // One a second is given back, and the guesses so far may have taken some.
    let late = (0..30).find(|number| guess(1000 + number).status == 429);
    assert!(late.is_some(), "guesses are not slowed");
    service.get("ann", "/v1/tickets").is(200);
}

/// Links that nobody has made are guesses as well, counted by themselves; a page says so.
#[test]
fn guesses_at_links_are_slowed_as_well() {
    let service = Service::start();
    let guess = |number: u32| service.send("GET", &format!("/a/x{number}"), &[], b"");
    for number in 0..MAX_GUESSES.get() {
        guess(number).is(404);
    }
    let mut late = (0..30).map(|number| guess(1000 + number));
    let late = late.find(|answer| answer.status == 429).unwrap();
    assert!(late.text.contains("Please wait a minute"), "{late:?}");
    assert!(late.header("retry-after").parse::<u32>().unwrap() >= 1);
    let token = [("authorization", "Bearer upl_nobody")];
    service.send("GET", "/v1/tickets", &token, b"").is(401);
    service.get("ann", "/v1/tickets").is(200);
}

#[test]
fn a_proxy_that_does_not_say_for_whom_it_asks_is_told() {
    let service = Service::adjusted(|start| start.behind_proxy(true));
    let warnings = || {
        let ready = service.send("GET", "/readyz", &[], b"").is(200).json();
        ready["warnings"].clone()
    };
    for _ in 0..30 {
        assert_eq!(
            warnings(),
            serde_json::json!([]),
            "whoever asks this is no caller"
        );
    }
    for _ in 0..30 {
        service.get("eye", "/v1/tickets").is(200);
    }
    assert_eq!(warnings()[0]["code"], "proxy");
    let token = bearer("eye");
    let headers = [
        ("authorization", token.as_str()),
        ("x-forwarded-for", "198.51.100.7"),
    ];
    service.send("GET", "/v1/tickets", &headers, b"").is(200);
    assert_eq!(warnings(), serde_json::json!([]));
}
