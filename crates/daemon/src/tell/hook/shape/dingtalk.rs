//! DingTalk's custom robots: Markdown, and a signature in the address.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::super::calm::{clip, wide};
use super::mac;
use super::wecom::link;
use crate::settings::Hidden;
use crate::tell::{Button, Letter};

/// Most bytes of the subject and of the brief.
const MAX_SUBJECT: usize = 300;
const MAX_BRIEF: usize = 3000;

pub(super) fn body(letter: &Letter, buttons: &[Button]) -> Value {
    let subject = clip(&wide(&letter.subject), MAX_SUBJECT).into_owned();
    let mut parts = vec![format!("### {subject}")];
    let brief = clip(&wide(&letter.brief), MAX_BRIEF).into_owned();
    parts.extend(brief.lines().map(str::to_owned));
    parts.extend(
        buttons
            .iter()
            .map(|button| link(&button.label, &button.href, button.number.as_deref())),
    );
    json!({
        "msgtype": "markdown",
        "markdown": { "title": subject, "text": parts.join("\n\n") },
        "at": { "isAtAll": false, "atMobiles": [], "atUserIds": [] },
    })
}

/// Adds the time in milliseconds, and what the secret makes of it, to the address.
pub(super) fn sign(url: &mut Url, key: &Hidden, now: Timestamp) {
    let time = now.as_millisecond().to_string();
    let signature = mac(
        key.reveal().as_bytes(),
        format!("{time}\n{}", key.reveal()).as_bytes(),
    );
    url.query_pairs_mut()
        .append_pair("timestamp", &time)
        .append_pair("sign", &signature);
}

/// Busy, or too many messages in a minute.
pub(super) fn is_passing(code: i64) -> bool {
    matches!(code, -1 | 90_030 | 130_101 | 410_100)
}
