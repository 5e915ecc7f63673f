//! Our own shape: a CloudEvent in JSON, signed as Standard Webhooks has it.

use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use upline::core::{Level, Recipient, Topic};
use upline::lab::explain::moves;
use upline::notify::Message;

use super::super::calm::clip;
use super::{Content, MAX_SENT_BYTES};
use crate::settings::Hidden;

/// What the `type` of every message begins with. The topic follows, then the version of the form.
const TYPE: &str = "upline.message";

/// Fewest and most bytes of a key, as Standard Webhooks has it.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Most bytes of a subject and of a brief; one message never comes near them.
const MAX_LINE_BYTES: usize = 1024;

/// What is said to a secret that is none.
const WRONG_KEY: &str = "must be `whsec_` and 24 to 64 bytes in base64";

/// The body. Where the letter is too long for a body, its text ends early.
pub(super) fn body(content: &Content<'_>) -> Value {
    let mut most = MAX_SENT_BYTES;
    loop {
        let body = with_text(content, most);
        // Each sign may become six, so it is tried.
        if most == 0 || body.to_string().len() <= MAX_SENT_BYTES {
            return body;
        }
        most /= 2;
    }
}

fn with_text(content: &Content<'_>, most: usize) -> Value {
    let letter = content.letter;
    let line = |text: &str| clip(text, MAX_LINE_BYTES).into_owned();
    let mut data = json!({
        "language": letter.language.to_string(),
        "subject": line(&letter.subject),
        "brief": line(&letter.brief),
    });
    if content.links {
        data["text"] = clip(&letter.text, most).into();
        let actions = letter.buttons.iter().map(|button| {
            json!({
                "label": line(&button.label),
                "href": button.href,
                "number": button.number,
                "main": button.is_main,
            })
        });
        data["actions"] = actions.collect();
    }
    let mut event = json!({
        "specversion": "1.0",
        "id": content.key,
        "source": content.source,
        "time": content.written.to_string(),
        "datacontenttype": "application/json",
    });
    let topic = match content.message {
        Some(message) => {
            let (topic, more) = topic(&message.topic);
            if let Some((name, value)) = more {
                data[name] = value;
            }
            data["to"] = recipient(message);
            data["ticket"] = ticket(message);
            event["subject"] = message.ticket.id.as_str().into();
            topic
        }
        // An operator looks whether anything comes.
        None => "test",
    };
    data["topic"] = topic.into();
    event["type"] = format!("{TYPE}.{topic}.v1").into();
    event["data"] = data;
    event
}

/// The topic's word, and what else it says.
fn topic(topic: &Topic) -> (&'static str, Option<(&'static str, Value)>) {
    match topic {
        Topic::Assigned => ("assigned", None),
        Topic::Offered => ("offered", None),
        Topic::Informed => ("informed", None),
        Topic::Reminded => ("reminded", None),
        Topic::PromiseWarned { promise, percent } => (
            "promise-warned",
            Some((
                "promise",
                json!({ "name": promise.as_str(), "percent": percent }),
            )),
        ),
        Topic::PromiseBreached { promise } => (
            "promise-breached",
            Some(("promise", json!({ "name": promise.as_str() }))),
        ),
        Topic::Outcome => ("outcome", None),
        Topic::Commented => ("commented", None),
    }
}

fn recipient(message: &Message) -> Value {
    match &message.to {
        Recipient::Person(id) => {
            let name = message.person.as_ref().map(|person| person.name.as_str());
            json!({ "kind": "person", "id": id.as_str(), "name": name })
        }
        Recipient::Contact(field) => json!({ "kind": "contact", "field": field.as_str() }),
    }
}

/// Where the ticket is, as the API has it; its fields are asked for there.
fn ticket(message: &Message) -> Value {
    let (ticket, branch) = (&message.ticket, &message.branch);
    let position = ticket.positions.get(branch).map(|position| {
        let (workflow, directory) = (message.workflow.as_deref(), message.directory.as_deref());
        json!({
            "branch": branch.as_str(),
            "state": position.state.as_str(),
            "answerable": position.holder.answerable().map(|person| person.as_str()),
            "level": match position.level {
                Level::Entry => json!("entry"),
                Level::Number(number) => json!(number),
                Level::LastResort => json!("last-resort"),
            },
            "next-due": moves(ticket, branch, workflow, directory).map(|due| due.to_string()),
        })
    });
    json!({
        "id": ticket.id.as_str(),
        "workflow": ticket.workflow.as_str(),
        "version": ticket.version,
        "revision": ticket.revision,
        "key": ticket.key.as_deref(),
        "opened": ticket.opened.to_string(),
        "position": position,
        "ended": ticket.ended.as_ref().map(|ended| {
            json!({ "at": ended.at.to_string(), "outcome": ended.outcome.as_str() })
        }),
    })
}

/// The headers: whose message it is, when it was sent, and a signature by each key.
pub(super) fn headers(
    id: &str,
    body: &[u8],
    keys: &[Hidden],
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, String> {
    let signed = keys.iter().map(|key| {
        let signed = signer(key)?.sign(id, now.as_second(), body);
        signed.map_err(|error| error.to_string())
    });
    let signed = signed.collect::<Result<Vec<_>, String>>()?.join(" ");
    Ok(vec![
        (
            "content-type",
            "application/cloudevents+json; charset=utf-8".to_owned(),
        ),
        (HEADER_WEBHOOK_ID, id.to_owned()),
        (HEADER_WEBHOOK_TIMESTAMP, now.as_second().to_string()),
        (HEADER_WEBHOOK_SIGNATURE, signed),
    ])
}

/// What signs with a secret.
pub(in crate::tell::hook) fn signer(key: &Hidden) -> Result<Webhook, String> {
    use base64::Engine as _;
    let text = key.reveal();
    let bytes = text.strip_prefix("whsec_").and_then(|text| {
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        decoded
            .ok()
            .filter(|bytes| KEY_BYTES.contains(&bytes.len()))
    });
    let bytes = bytes.ok_or_else(|| WRONG_KEY.to_owned())?;
    Webhook::from_bytes(bytes).map_err(|_| WRONG_KEY.to_owned())
}
