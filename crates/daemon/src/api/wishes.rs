//! What a body of an action means: each operation with the fields that it has, and no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use upline::core::{Branch, Name, Operation, Typed, Wish};

use super::extract::read;
use crate::problem::Problem;

/// In front of the name of a state's own action that is called like an operation.
pub(super) const OWN: &str = "own:";

/// The path's word for an operation.
pub(crate) fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::AnswerBy => "answer-by",
        Operation::ChangeClock => "change-clock",
        other => other.word(),
    }
}

/// The path's word for a state's own action.
pub(super) fn own_word(action: &str) -> String {
    let taken = Operation::ALL
        .iter()
        .any(|operation| word(*operation) == action);
    match taken || action.starts_with(OWN) {
        true => format!("{OWN}{action}"),
        false => action.to_owned(),
    }
}

/// Fields as they come: texts, numbers, `true` and `false`, lists of texts, and `null` for an empty one.
pub(super) type Fields = BTreeMap<String, Value>;

/// What such a field may be, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Given {
    Text(String),
    Texts(Vec<String>),
    Number(f64),
    Flag(bool),
    Empty(()),
}

/// The same as the core reads them.
pub(super) fn typed(fields: Fields) -> Result<Typed, Problem> {
    let text = |name: &str, value: Value| match value {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Ok(items.join(", "))
        }
        _ => {
            let detail =
                format!("field `{name}`: a text, a number, true, false, null or a list of texts");
            Err(Problem::unprocessable("body-wrong", detail))
        }
    };
    let fields = fields.into_iter();
    let typed = fields.map(|(name, value)| Ok((Name::new(&name), text(&name, value)?)));
    typed.collect()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bare {
    branch: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    branch: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct To {
    branch: Option<String>,
    to: String,
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Up {
    branch: Option<String>,
    level: Option<u16>,
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Until {
    branch: Option<String>,
    until: Timestamp,
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Say {
    branch: Option<String>,
    text: String,
    #[serde(default)]
    to_caller: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    branch: Option<String>,
    #[schemars(with = "BTreeMap<String, Given>")]
    fields: Fields,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tick {
    branch: Option<String>,
    item: String,
    done: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBy {
    branch: Option<String>,
    at: Timestamp,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeClock {
    clock: u32,
    due: Timestamp,
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    branch: Option<String>,
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    branch: Option<String>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Given>")]
    fields: Fields,
    note: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    branch: Option<String>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Given>")]
    fields: Fields,
}

/// A wish, and the branch that it is about, if one is named.
pub(super) type Meant = (Option<Branch>, Wish);

/// What `POST …/actions/{action}` with this body wishes.
pub(super) fn wish(action: &str, body: &[u8]) -> Result<Meant, Problem> {
    let mut all = Operation::ALL.into_iter();
    match all.find(|operation| word(*operation) == action) {
        Some(operation) => operation_wish(operation, action, body),
        None => own_wish(action, body),
    }
}

/// An action of the state, by its name.
fn own_wish(action: &str, body: &[u8]) -> Result<Meant, Problem> {
    let own = action.strip_prefix(OWN).unwrap_or(action);
    let given: Act = read(body)?;
    let wish = Wish::Act {
        action: Name::new(own),
        fields: typed(given.fields)?,
        note: given.note,
    };
    Ok((branch(given.branch), wish))
}

fn operation_wish(operation: Operation, action: &str, body: &[u8]) -> Result<Meant, Problem> {
    match operation {
        // Not asked for by these words: `act` names the action itself, and only a link holds.
        Operation::Act | Operation::Hold => own_wish(action, body),
        Operation::Claim => of(body, |given: Bare| (given.branch, Wish::Claim)),
        Operation::Resume => of(body, |given: Bare| (given.branch, Wish::Resume)),
        Operation::Decline => of(body, |Why { branch, reason }| {
            (branch, Wish::Decline { reason })
        }),
        Operation::Release => of(body, |Why { branch, reason }| {
            (branch, Wish::Release { reason })
        }),
        Operation::Delegate => of(body, |To { branch, to, reason }| {
            let to = Name::new(to);
            (branch, Wish::Delegate { to, reason })
        }),
        Operation::Reassign => of(body, |To { branch, to, reason }| {
            let to = Name::new(to);
            (branch, Wish::Reassign { to, reason })
        }),
        Operation::Escalate => of(body, |given: Up| {
            let (to, reason) = (given.level, given.reason);
            (given.branch, Wish::Escalate { to, reason })
        }),
        Operation::Suspend => of(body, |given: Until| {
            let (until, reason) = (given.until, given.reason);
            (given.branch, Wish::Suspend { until, reason })
        }),
        Operation::Comment => of(body, |given: Say| {
            let (text, to_caller) = (given.text, given.to_caller);
            (given.branch, Wish::Comment { text, to_caller })
        }),
        Operation::Save => {
            let given: Save = read(body)?;
            let fields = typed(given.fields)?;
            Ok((branch(given.branch), Wish::Save { fields }))
        }
        Operation::Tick => of(body, |given: Tick| {
            let (item, done) = (Name::new(given.item), given.done);
            (given.branch, Wish::Tick { item, done })
        }),
        Operation::AnswerBy => of(body, |AnswerBy { branch, at }| {
            (branch, Wish::AnswerBy { at })
        }),
        Operation::ChangeClock => of(body, |ChangeClock { clock, due, reason }| {
            (None, Wish::ChangeClock { clock, due, reason })
        }),
        Operation::Cancel => of(body, |Cancel { branch, reason }| {
            (branch, Wish::Cancel { reason })
        }),
    }
}

/// What `POST …/messages/{message}` with this body wishes.
pub(super) fn message(message: &str, body: &[u8]) -> Result<Meant, Problem> {
    let given: Message = read(body)?;
    let wish = Wish::Message {
        message: Name::new(message),
        fields: typed(given.fields)?,
    };
    Ok((branch(given.branch), wish))
}

fn of<T: DeserializeOwned>(
    body: &[u8],
    wish: impl FnOnce(T) -> (Option<String>, Wish),
) -> Result<Meant, Problem> {
    let (named, wish) = wish(read(body)?);
    Ok((branch(named), wish))
}

fn branch(named: Option<String>) -> Option<Branch> {
    named.map(Branch::new)
}
