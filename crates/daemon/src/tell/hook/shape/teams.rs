//! Microsoft Teams: a workflow that takes webhooks and posts an Adaptive Card.

use serde_json::{Value, json};

use super::super::calm::clip;
use super::super::verdict::{Answer, Verdict, shown};
use crate::tell::{Button, Letter};

/// Most bytes of one text on a card, and most lines below the subject.
const MAX_TEXT: usize = 3000;
const MAX_LINES: usize = 20;

pub(super) fn body(letter: &Letter, buttons: &[Button]) -> Value {
    // Runs of rich text, since a plain text block reads Markdown.
    let brief = clip(&letter.brief, MAX_TEXT);
    let lines = brief.lines().filter(|line| !line.trim().is_empty());
    let lines = lines.take(MAX_LINES).map(|line| rich(line, "Default"));
    let mut blocks = vec![rich(&letter.subject, "Bolder")];
    blocks.extend(lines);
    let mut actions = Vec::new();
    for button in buttons {
        let label = match &button.number {
            Some(number) => format!("{} · {number}", button.label),
            None => button.label.clone(),
        };
        actions.push(json!({
            "type": "Action.OpenUrl",
            "title": clip(&undated(&label), 100),
            "url": button.href,
        }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": blocks,
                "actions": actions,
            },
        }],
    })
}

fn rich(text: &str, weight: &str) -> Value {
    let text = undated(text);
    let run = json!({ "type": "TextRun", "text": clip(&text, MAX_TEXT), "weight": weight });
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

/// Cards replace `{{DATE(…)}}` by something else, and bind `${…}`.
fn undated(text: &str) -> String {
    text.replace("{{", "{ {").replace("${", "$ {")
}

/// What stood behind the older kind of address answered 200 and said in words that Teams took nothing.
pub(super) fn verdict(answer: &Answer) -> Verdict {
    let (by_status, said) = (answer.verdict(), shown(&answer.body));
    match by_status == Verdict::Delivered && said.contains("delivery failed") {
        true => Verdict::later(format!("Teams took nothing: {said}")),
        false => by_status,
    }
}
