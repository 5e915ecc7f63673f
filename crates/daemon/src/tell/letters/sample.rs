//! Samples on which templates are tried before a message needs them: with all that there can be, and with as
//! little as there can be.

use super::facts::{
    ButtonFact, CommentFact, Due, EndedFact, Facts, FieldFact, HolderFacts, PromiseFact, Then,
    TicketFacts, You,
};
use crate::tell::Language;

/// Every topic.
pub(super) const TOPICS: [&str; 10] = [
    "assigned",
    "offered",
    "informed",
    "reminded",
    "promise-warned",
    "promise-breached",
    "outcome",
    "commented",
    "customer",
    "answered",
];

/// What can come next.
const NEXT: [&str; 8] = [
    "nothing",
    "asks",
    "tells",
    "state",
    "next-round",
    "last-resort",
    "reminds",
    "wakes",
];

/// Every topic in every language, with each shape of what can be told.
pub(super) fn all() -> Vec<(&'static str, Language, Facts)> {
    let mut all = Vec::new();
    for topic in TOPICS {
        for language in [Language::En, Language::Zh] {
            all.push((topic, language, little(topic)));
            for (index, next) in NEXT.into_iter().enumerate() {
                all.push((topic, language, much(topic, next, index)));
            }
        }
    }
    all
}

fn promise(topic: &str, due: &str) -> Option<PromiseFact> {
    topic.starts_with("promise").then(|| PromiseFact {
        name: "answered".into(),
        percent: 80,
        due: due.into(),
    })
}

fn comment(topic: &str) -> Option<CommentFact> {
    let by = match topic {
        "commented" => "Mr Low",
        "answered" => "",
        _ => return None,
    };
    Some(CommentFact {
        by: by.into(),
        text: "It is the cable.\n+49 30 1234".into(),
        lines: vec!["It is the cable.".into(), "+49 30 1234".into()],
        brief: "It is the cable. +49 30 1234".into(),
        to_caller: topic == "commented",
    })
}

fn little(topic: &'static str) -> Facts {
    Facts {
        topic,
        tag: String::new(),
        heading: "1 Call".into(),
        ticket: TicketFacts {
            id: "1".into(),
            title: "Call".into(),
            opened: "Fri 2026-03-06 09:10 +08:00".into(),
            key: String::new(),
        },
        state: String::new(),
        since: String::new(),
        rung: String::new(),
        holder: holder("nobody", false),
        you: You {
            id: String::new(),
            name: String::new(),
            why: String::new(),
        },
        due: None,
        then: Then {
            kind: "nothing",
            who: String::new(),
        },
        suspended: None,
        actions: Vec::new(),
        fields: Vec::new(),
        promise: promise(topic, ""),
        comment: None,
        ended: None,
        buttons: Vec::new(),
        zone: "UTC".into(),
    }
}

fn much(topic: &'static str, next: &'static str, index: usize) -> Facts {
    let at = "Fri 2026-03-06 09:40 +08:00".to_owned();
    Facts {
        tag: "L2 · 30 min".into(),
        heading: "10238 Trouble ticket: no dial tone".into(),
        state: "Dispatched".into(),
        since: at.clone(),
        rung: "level 2".into(),
        holder: holder(
            ["one", "group", "branches"][index % 3],
            index.is_multiple_of(2),
        ),
        you: You {
            id: "lea".into(),
            name: "Lea Novak".into(),
            why: "the lead of service-desk".into(),
        },
        due: Some(Due {
            at: at.clone(),
            left: "30 min".into(),
            is_over: index == 1,
        }),
        then: Then {
            kind: next,
            who: "Max Roth".into(),
        },
        suspended: (next == "wakes").then(|| at.clone()),
        actions: vec!["Accept".into(), "decline it: not me".into()],
        fields: vec![FieldFact {
            label: "What is wrong?".into(),
            value: "no dial tone".into(),
        }],
        promise: promise(topic, &at),
        comment: comment(topic),
        ended: (next == "nothing").then(|| EndedFact {
            state: "Solved".into(),
            at: at.clone(),
        }),
        buttons: vec![ButtonFact {
            label: "Accept".into(),
            href: "https://tickets.example.com/a/sample".into(),
            number: (index.is_multiple_of(2)).then(|| "42".into()),
            is_main: true,
        }],
        ..little(topic)
    }
}

fn holder(kind: &'static str, is_you: bool) -> HolderFacts {
    let group = kind == "group";
    let known = kind == "one" || group;
    HolderFacts {
        kind,
        name: if known {
            "Lea Novak".into()
        } else {
            String::new()
        },
        group: if group {
            "service-desk".into()
        } else {
            String::new()
        },
        candidates: if group {
            vec!["Ann Berg".into()]
        } else {
            Vec::new()
        },
        is_you,
    }
}
