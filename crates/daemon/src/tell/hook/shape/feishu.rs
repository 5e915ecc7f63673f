//! Feishu's and Lark's custom robots: a card of plain text, and a signature in the body.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::calm::clip;
use super::mac;
use crate::settings::Hidden;
use crate::tell::{Button, Letter};

/// Most bytes of the subject, the brief and a label.
const MAX_SUBJECT: usize = 500;
const MAX_BRIEF: usize = 4000;
const MAX_LABEL: usize = 100;

pub(super) fn body(letter: &Letter, buttons: &[Button]) -> Value {
    // Text of this kind mentions nobody and formats nothing; only `lark_md` does.
    let plain = |text: &str, most| json!({ "tag": "plain_text", "content": clip(text, most) });
    let mut elements = vec![json!({ "tag": "div", "text": plain(&letter.brief, MAX_BRIEF) })];
    let buttons: Vec<Value> = buttons
        .iter()
        .map(|button| {
            let label = match &button.number {
                Some(number) => format!("{} · {number}", button.label),
                None => button.label.clone(),
            };
            let kind = if button.is_main { "primary" } else { "default" };
            json!({ "tag": "button", "text": plain(&label, MAX_LABEL), "url": button.href, "type": kind })
        })
        .collect();
    if !buttons.is_empty() {
        elements.push(json!({ "tag": "action", "actions": buttons }));
    }
    json!({
        "msg_type": "interactive",
        "card": {
            "config": { "wide_screen_mode": true },
            "header": { "title": plain(&letter.subject, MAX_SUBJECT) },
            "elements": elements,
        },
    })
}

/// Adds the time in seconds, and a signature of nothing by a key that is made of it and the secret.
pub(super) fn sign(body: &mut Value, key: &Hidden, now: Timestamp) {
    let time = now.as_second().to_string();
    let signature = mac(format!("{time}\n{}", key.reveal()).as_bytes(), b"");
    body["timestamp"] = time.into();
    body["sign"] = signature.into();
}

/// Newer robots answer `code`, older ones `StatusCode`.
pub(super) const ANSWERS: [(&str, &str); 2] = [("code", "msg"), ("StatusCode", "StatusMessage")];

/// Busy, or more messages than five in a second or a hundred in a minute.
pub(super) fn is_passing(code: i64) -> bool {
    matches!(code, 11_232 | 11_233 | 11_247 | 230_020 | 99_991_400)
}
