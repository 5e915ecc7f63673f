//! What comes in by itself while a demo runs.

use std::time::Duration;

use serde_json::{Value, json};

/// A ticket, and when it comes.
#[derive(Debug)]
pub(super) struct Scene {
    /// How long after the beginning, by the demo's clock.
    pub(super) after: Duration,
    pub(super) workflow: &'static str,
    pub(super) fields: Value,
    /// What whoever opens it does next.
    pub(super) then: Option<&'static str>,
}

/// How many more calls come after the first tickets.
const CALLS: u64 = 24;
/// How long lies between two of them, in minutes of the demo.
const MINUTES_BETWEEN: u64 = 40;

/// All that comes, in its order.
pub(super) fn scenes() -> Vec<Scene> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let call = |after: u64, caller: &str, service: &str, impact: &str, problem: &str| Scene {
        after: minutes(after),
        workflow: "trouble-ticket",
        fields: json!({ "caller": caller, "service": service, "impact": impact, "problem": problem }),
        then: Some("open"),
    };
    let mut scenes = vec![
        call(
            0,
            "Mr Low <low@example.com>",
            "Telephony",
            "A team",
            "No dial tone on the whole second floor.",
        ),
        Scene {
            after: minutes(1),
            workflow: "complaint",
            fields: json!({
                "customer": "陈女士 <chen@example.com>",
                "order": "20260214-0815",
                "complaint": "退款三周仍未到账，这是第二次来电。",
            }),
            then: None,
        },
        Scene {
            after: minutes(3),
            workflow: "it-incident",
            fields: json!({
                "caller": "门店 <shop@example.com>",
                "severity": "Sev 2",
                "service": "Payment",
                "summary": "网店付款失败 / Customers can't pay in the shop.",
            }),
            then: Some("page"),
        },
    ];
    let calls = [
        (
            "Ms Reed <reed@example.com>",
            "Internet",
            "One person",
            "The line drops every few minutes.",
        ),
        (
            "王先生 <wang@example.com>",
            "E-mail",
            "One person",
            "邮件发不出去，提示空间已满。",
        ),
        (
            "Dr Hall <hall@example.com>",
            "Internet",
            "Everyone",
            "Nothing loads since the storm.",
        ),
        (
            "李女士 <li@example.com>",
            "Telephony",
            "One person",
            "来电有回音，听不清对方。",
        ),
    ];
    let later = (1..=CALLS).zip(calls.into_iter().cycle());
    scenes.extend(later.map(|(index, (caller, service, impact, problem))| {
        call(index * MINUTES_BETWEEN, caller, service, impact, problem)
    }));
    scenes
}
