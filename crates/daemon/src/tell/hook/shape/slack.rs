//! Slack's incoming webhooks: blocks of plain text, and a line for what shows no blocks.

use serde_json::{Value, json};

use super::super::calm::{clip, slack};
use crate::tell::{Button, Letter};

/// Longest header, text, label and address that Slack takes; beyond, the whole message is refused.
const MAX_HEADER: usize = 150;
const MAX_TEXT: usize = 2900;
const MAX_LABEL: usize = 75;
const MAX_HREF: usize = 3000;
/// Most buttons in a row.
const MAX_BUTTONS: usize = 25;

pub(super) fn body(letter: &Letter, buttons: &[Button]) -> Value {
    let plain = |text: &str, most: usize| {
        // Clipped last: what stands for a sign may be longer than the sign.
        let text = clipped(&slack(text), most);
        json!({ "type": "plain_text", "text": text, "emoji": false })
    };
    let mut blocks = vec![
        json!({ "type": "header", "text": plain(&letter.subject, MAX_HEADER) }),
        json!({ "type": "section", "text": plain(&letter.brief, MAX_TEXT) }),
    ];
    let buttons = buttons.iter();
    let buttons = buttons
        .filter(|button| button.href.len() <= MAX_HREF)
        .take(MAX_BUTTONS);
    let buttons: Vec<Value> = buttons
        .map(|button| {
            let label = match &button.number {
                Some(number) => format!("{} · {number}", button.label),
                None => button.label.clone(),
            };
            let mut one = json!({
                "type": "button",
                "text": plain(&label, MAX_LABEL),
                "url": button.href,
            });
            if button.is_main {
                one["style"] = "primary".into();
            }
            one
        })
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    let line = format!("{}\n{}", letter.subject, letter.brief);
    json!({
        "text": clipped(&slack(&line), MAX_TEXT),
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// Clipped without leaving half of an escaped sign.
fn clipped(text: &str, most: usize) -> String {
    let clipped = clip(text, most);
    let cut = clipped
        .strip_suffix('…')
        .filter(|_| clipped.len() != text.len());
    let Some(cut) = cut else {
        return clipped.into_owned();
    };
    let whole = match cut.rfind('&') {
        Some(at) if !cut[at..].contains(';') => &cut[..at],
        _ => cut,
    };
    format!("{whole}…")
}

#[cfg(test)]
mod tests {
    use super::clipped;

    #[test]
    fn an_escaped_sign_is_not_cut_in_two() {
        assert_eq!(clipped("ab&lt;cd", 7), "ab…");
        assert_eq!(clipped("ab&lt;cdef", 9), "ab&lt;…");
        assert_eq!(clipped("ab&lt;", 6), "ab&lt;");
    }
}
