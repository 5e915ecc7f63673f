//! WeCom's group robots: Markdown of at most 4,096 bytes.

use serde_json::{Value, json};

use super::super::calm::{clip, wide};
use crate::tell::{Button, Letter};

/// Most bytes of the text, as WeCom has it.
const MAX_TEXT: usize = 4096;
/// Of these, for the subject and for the brief.
const MAX_SUBJECT: usize = 300;
const MAX_BRIEF: usize = 1500;

pub(super) fn body(letter: &Letter, buttons: &[Button]) -> Value {
    let mut text = format!("**{}**", clip(&wide(&letter.subject), MAX_SUBJECT));
    for line in clip(&wide(&letter.brief), MAX_BRIEF).lines() {
        text.push_str("\n>");
        text.push_str(line);
    }
    for button in buttons {
        let line = format!(
            "\n{}",
            link(&button.label, &button.href, button.number.as_deref())
        );
        if text.len() + line.len() <= MAX_TEXT {
            text.push_str(&line);
        }
    }
    json!({ "msgtype": "markdown", "markdown": { "content": text } })
}

/// A link of Markdown, and the number to type behind it.
pub(super) fn link(label: &str, href: &str, number: Option<&str>) -> String {
    let label = clip(&wide(label), 100).into_owned();
    // Brackets of an address would end the link.
    let href = href.replace('(', "%28").replace(')', "%29");
    match number {
        Some(number) => format!("[{label}]({href}) · {number}"),
        None => format!("[{label}]({href})"),
    }
}

/// Busy, or more than 20 messages in a minute.
pub(super) fn is_passing(code: i64) -> bool {
    matches!(code, -1 | 45009 | 45033 | 45047)
}
