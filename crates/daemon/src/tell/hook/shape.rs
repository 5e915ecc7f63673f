//! The forms that peers take: our own, and those of chat robots.

mod dingtalk;
mod feishu;
mod slack;
mod standard;
mod teams;
#[cfg(test)]
mod tests;
mod wecom;

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::HMAC;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use upline::notify::Message;
use url::Url;

use super::verdict::{self, Answer, Verdict};
use crate::settings::Hidden;
use crate::tell::{Button, Letter};

/// Most bytes of a body that is sent. Some robots take no more, and no receiver needs more.
pub const MAX_SENT_BYTES: usize = 20 * 1000;

/// How long a robot that was asked too often is left alone: what these count, they count by the minute.
const BREATH: Duration = Duration::from_secs(60);

/// What a peer takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// CloudEvents as JSON, signed as Standard Webhooks has it: for programs.
    #[default]
    Standard,
    /// An incoming webhook of Slack, or of what is like it.
    Slack,
    /// A workflow of Microsoft Teams that takes webhooks.
    Teams,
    /// A group robot of WeCom.
    Wecom,
    /// A custom robot of DingTalk.
    Dingtalk,
    /// A custom robot of Feishu or Lark.
    Feishu,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
        })
    }
}

/// Whether a peer needs, can have or has no use for a secret to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signs {
    Always,
    IfGiven,
    Never,
}

/// What a message is made of.
pub(super) struct Content<'a> {
    /// What the peer knows it by.
    pub(super) key: &'a str,
    pub(super) written: Timestamp,
    /// `None`: a trial.
    pub(super) message: Option<&'a Message>,
    pub(super) letter: &'a Letter,
    /// Whether the links by which people act are sent.
    pub(super) links: bool,
    /// Which installation it comes from.
    pub(super) source: &'a str,
}

impl Content<'_> {
    /// The links, if they are to be sent.
    fn buttons(&self) -> &[Button] {
        match self.links {
            true => &self.letter.buttons,
            false => &[],
        }
    }
}

/// What is sent.
pub(super) struct Parcel {
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Shape {
    pub(super) fn signs(self) -> Signs {
        match self {
            Self::Standard => Signs::Always,
            Self::Dingtalk | Self::Feishu => Signs::IfGiven,
            Self::Slack | Self::Teams | Self::Wecom => Signs::Never,
        }
    }

    /// Looks whether a secret is one that this peer could have.
    pub(super) fn knows(self, key: &Hidden) -> Result<(), String> {
        match self {
            Self::Standard => standard::signer(key).map(drop),
            _ => Ok(()),
        }
    }

    /// Gives a message its form. `keys` are the secrets to sign with, the newest first.
    ///
    /// # Errors
    /// If a secret is none that this peer could have.
    pub(super) fn pack(
        self,
        content: &Content<'_>,
        url: &Url,
        keys: &[Hidden],
        now: Timestamp,
    ) -> Result<Parcel, String> {
        let mut parcel = Parcel {
            url: url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let (letter, buttons) = (content.letter, content.buttons());
        let body = match self {
            Self::Standard => {
                parcel.body = standard::body(content).to_string().into_bytes();
                parcel.headers = standard::headers(content.key, &parcel.body, keys, now)?;
                return Ok(parcel);
            }
            Self::Slack => slack::body(letter, buttons),
            Self::Teams => teams::body(letter, buttons),
            Self::Wecom => wecom::body(letter, buttons),
            Self::Dingtalk => {
                if let Some(key) = keys.first() {
                    dingtalk::sign(&mut parcel.url, key, now);
                }
                dingtalk::body(letter, buttons)
            }
            Self::Feishu => {
                let mut body = feishu::body(letter, buttons);
                if let Some(key) = keys.first() {
                    feishu::sign(&mut body, key, now);
                }
                body
            }
        };
        parcel.headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        parcel.body = body.to_string().into_bytes();
        Ok(parcel)
    }

    /// What the answer means: some robots say only in its body that they did not take the message.
    pub(super) fn verdict(self, answer: &Answer) -> Verdict {
        match self {
            Self::Standard | Self::Slack => answer.verdict(),
            Self::Teams => teams::verdict(answer),
            Self::Wecom => robot(answer, &[("errcode", "errmsg")], wecom::is_passing),
            Self::Dingtalk => robot(answer, &[("errcode", "errmsg")], dingtalk::is_passing),
            Self::Feishu => robot(answer, &feishu::ANSWERS, feishu::is_passing),
        }
    }
}

/// The answer of a robot that puts a number into its body: 0 is the only one that is good. `names` are the
/// number's and the text's, in one version of the robot or another.
fn robot(answer: &Answer, names: &[(&str, &str)], is_passing: fn(i64) -> bool) -> Verdict {
    let by_status = answer.verdict();
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let found = names
        .iter()
        .find_map(|(code, text)| Some((body.get(code)?.as_i64()?, text)));
    let Some((code, text)) = found else {
        return match by_status {
            // Whatever stands in between says 200 to everything.
            Verdict::Delivered => {
                let said = verdict::shown(&answer.body);
                Verdict::later(format!("the robot's answer can't be understood: {said}"))
            }
            other => other,
        };
    };
    let said = verdict::shown(body[*text].as_str().unwrap_or_default().as_bytes());
    let reason = format!("the robot answers {code}: {said}");
    match code {
        0 => by_status,
        // With any status: a robot that is asked too often may say so with one that is for good.
        code if is_passing(code) => Verdict::Later {
            reason,
            after: Some(answer.retry_after.unwrap_or(BREATH)),
        },
        _ if by_status == Verdict::Delivered => Verdict::Never { reason },
        _ => by_status,
    }
}

/// HMAC-SHA256 in base64.
fn mac(key: &[u8], text: &[u8]) -> String {
    STANDARD.encode(HMAC::mac(text, key))
}
