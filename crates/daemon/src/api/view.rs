//! Tickets as callers see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use upline::Met;
use upline::core::ticket::PromiseState;
use upline::core::{
    Actor, Branch, Directory, Holder, Level, Name, Operation, Position, Ticket, Value, Workflow,
};
use upline::lab::explain::moves_to;
use upline::lab::render::{Language, Next, operation_words};

use super::wishes::{own_word, word};
use crate::tell::only_one;

/// By what is told when somebody else has a ticket, and who.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    /// The version that it keeps.
    pub(super) workflow: Option<&'a Workflow>,
    pub(super) directory: Option<&'a Directory>,
}

/// A ticket.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct TicketView<'t> {
    id: &'t str,
    workflow: &'t str,
    version: u32,
    revision: u64,
    key: Option<&'t str>,
    opened: Timestamp,
    opener: ActorView<'t>,
    ended: Option<EndedView<'t>>,
    positions: Vec<PositionView<'t>>,
    promises: Vec<PromiseView<'t>>,
    /// Not on lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<&'t str, Json>>,
    /// What the caller could do now; not on lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<ActionView>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ActorView<'t> {
    pub(super) kind: &'static str,
    pub(super) name: &'t str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct EndedView<'t> {
    at: Timestamp,
    state: &'t str,
    outcome: &'t str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct PositionView<'t> {
    branch: &'t str,
    state: &'t str,
    entered: Timestamp,
    answerable: Option<&'t str>,
    candidates: Vec<&'t str>,
    since: Timestamp,
    taken: bool,
    /// `entry`, `last-resort`, or the level's number.
    #[schemars(with = "AtLevel")]
    level: Json,
    round: u32,
    suspended_until: Option<Timestamp>,
    /// When somebody else has it, or the state is left, if nobody acts. Reminders change nothing of that.
    next_due: Option<Timestamp>,
    /// What happens then.
    then: Option<ThenView>,
}

/// What happens if nobody acts.
#[derive(Debug, Serialize, JsonSchema)]
struct ThenView {
    /// `asks`, `state`, `next-round` or `last-resort`.
    kind: &'static str,
    /// The rule by which somebody is asked, or the state.
    #[serde(rename = "by")]
    name: Option<String>,
    /// The person, where it can be one only as things are now.
    person: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct PromiseView<'t> {
    promise: &'t str,
    state: &'static str,
    breached: Option<Timestamp>,
}

/// A level, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
enum AtLevel {
    Word(String),
    Number(u16),
}

/// Something that the caller could do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct ActionView {
    name: String,
    branch: String,
    method: &'static str,
    href: String,
    label: String,
    /// Fields that must be filled with it.
    needs: Vec<String>,
}

impl<'t> TicketView<'t> {
    /// On a list: without its fields, and without what the caller could do.
    pub(super) fn row(ticket: &'t Ticket, ahead: Ahead<'_>) -> Self {
        let positions = ticket.positions.iter();
        let positions = positions.map(|(branch, at)| position(ticket, branch, at, ahead));
        let promises = ticket.promises.iter();
        Self {
            id: &ticket.id,
            workflow: &ticket.workflow,
            version: ticket.version,
            revision: ticket.revision,
            key: ticket.key.as_deref(),
            opened: ticket.opened,
            opener: actor(&ticket.opener),
            ended: ticket.ended.as_ref().map(|ended| EndedView {
                at: ended.at,
                state: &ended.state,
                outcome: &ended.outcome,
            }),
            positions: positions.collect(),
            promises: promises
                .map(|(name, ledger)| PromiseView {
                    promise: name,
                    state: match ledger.state {
                        PromiseState::Running => "running",
                        PromiseState::Paused => "paused",
                        PromiseState::Met => "met",
                    },
                    breached: ledger.breached,
                })
                .collect(),
            fields: None,
            actions: None,
        }
    }

    /// In full, for one caller.
    pub(super) fn whole(met: &'t Met, directory: Option<&Directory>, language: Language) -> Self {
        let ahead = Ahead {
            workflow: Some(&met.workflow),
            directory,
        };
        let fields = met.ticket.fields.iter();
        let fields = fields.map(|(name, value)| (name.as_str(), json(value)));
        Self {
            fields: Some(fields.collect()),
            actions: Some(actions(met, language)),
            ..Self::row(&met.ticket, ahead)
        }
    }
}

pub(super) fn actor(actor: &Actor) -> ActorView<'_> {
    let (kind, name) = match actor {
        Actor::Person(name) => ("person", name.as_str()),
        Actor::Operator(name) => ("operator", name.as_str()),
        Actor::Contact(name) => ("contact", name.as_str()),
        Actor::System(name) => ("system", name.as_str()),
        Actor::Clock => ("clock", ""),
    };
    ActorView { kind, name }
}

fn position<'t>(
    ticket: &'t Ticket,
    branch: &'t Branch,
    at: &'t Position,
    ahead: Ahead<'_>,
) -> PositionView<'t> {
    let next = moves_to(ticket, branch, ahead.workflow, ahead.directory);
    let (next_due, then) = match next {
        Some((due, next)) => (Some(due), then(ticket, at, due, next, ahead)),
        None => (None, None),
    };
    PositionView {
        branch,
        state: &at.state,
        entered: at.entered,
        answerable: at.holder.answerable().map(|person| person.as_str()),
        candidates: match &at.holder {
            Holder::Offer { candidates, .. } => candidates.iter().map(|one| one.as_str()).collect(),
            _ => Vec::new(),
        },
        since: at.since,
        taken: at.taken,
        level: level(at.level),
        round: at.round,
        suspended_until: at.suspended.as_ref().map(|suspended| suspended.until),
        next_due,
        then,
    }
}

fn then(
    ticket: &Ticket,
    at: &Position,
    due: Timestamp,
    next: Next,
    ahead: Ahead<'_>,
) -> Option<ThenView> {
    let (kind, name, person) = match next {
        Next::Ask(rule) => {
            let person = ahead.workflow.zip(ahead.directory);
            let person = person.and_then(|(workflow, directory)| {
                only_one(ticket, workflow, directory, &rule, (at, due))
            });
            ("asks", Some(rule), person)
        }
        Next::State(state) => ("state", Some(state), None),
        Next::Round(_) => ("next-round", None, None),
        Next::LastResort => {
            let person = ahead.directory.map(|people| people.last_resort.clone());
            ("last-resort", None, person)
        }
        // Without the workflow it is not known which.
        _ => return None,
    };
    let text = |name: Name| name.to_string();
    Some(ThenView {
        kind,
        name: name.map(text),
        person: person.map(text),
    })
}

/// `entry`, `last-resort`, or the level's number.
pub(super) fn level(level: Level) -> Json {
    match level {
        Level::Entry => "entry".into(),
        Level::Number(number) => number.into(),
        Level::LastResort => "last-resort".into(),
    }
}

pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(|item| item.as_str()).collect(),
        // As text: a number of JSON is read as binary by most, and 0.1 is none.
        Value::Number(number) => number.to_string().into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Date(date) => date.to_string().into(),
    }
}

fn actions(met: &Met, language: Language) -> Vec<ActionView> {
    let one = |possible: &upline::core::decide::Possible| {
        let name = match &possible.action {
            Some(action) => own_word(action),
            None => word(possible.operation).to_owned(),
        };
        let label = possible.action.as_ref().and_then(|action| {
            let position = met.ticket.positions.get(&possible.branch)?;
            let action = met.workflow.work(&position.state)?.action(action)?;
            let label = action.label.text(language.tag());
            (!label.is_empty()).then(|| label.to_owned())
        });
        let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (id, path) = (part(&met.ticket.id), part(&name));
        ActionView {
            href: format!("/v1/tickets/{id}/actions/{path}"),
            label: label.unwrap_or_else(|| match possible.operation {
                Operation::Act => name.clone(),
                other => operation_words(other, language).to_owned(),
            }),
            name,
            branch: possible.branch.to_string(),
            method: "POST",
            needs: possible.needs.iter().map(ToString::to_string).collect(),
        }
    };
    met.possible.iter().map(one).collect()
}
