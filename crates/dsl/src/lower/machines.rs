//! `run:`, `call:` and `parallel:`

use std::collections::BTreeSet;

use upline_core::workflow::{BodyValue, Call, Doing, Join, Parallel, Run};
use upline_core::{Action, Name, Span, State, Value};

use super::states::{Region, states};
use super::{Scope, leaf};
use crate::names::{normal, valid_name};
use crate::reader::{Fields, Reader, quoted};
use crate::syntax::{Entry, Kind, Node};
use crate::{Code, Site};

/// How long one try of a call to a machine may take, if the author says nothing.
pub const DEFAULT_TIMEOUT: Span = Span::seconds(30).around_the_clock();

/// How many more tries a call to a machine has, if the author says nothing.
pub const DEFAULT_RETRIES: u32 = 5;

/// The wait before the second try, if the author says nothing.
pub const DEFAULT_BACKOFF: Span = Span::seconds(10).around_the_clock();

/// Most retries: with doubled waits more than these would take years.
pub const MAX_RETRIES: u32 = 20;

/// Most branches of a parallel state.
pub const MAX_BRANCHES: usize = 50;

/// `run:` or `call:`, if the state has one.
pub(super) fn doing(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    map: &mut Fields<'_>,
) -> Option<Doing> {
    let run = map.optional(reader, "run");
    let call = map.optional(reader, "call");
    if let (Some(run), Some(_)) = (run, call) {
        let message = "a state has `run` or `call`, not both";
        reader.error(Code::BadValue, run.key_at, message);
    }
    let run = run.map(|entry| Doing::Run(read_run(reader, scope, entry)));
    let call = call.map(|entry| Doing::Call(read_call(reader, scope, entry)));
    run.or(call)
}

/// Failure is never silent: what a machine answers must lead somewhere.
pub(super) fn outcomes(reader: &mut Reader<'_>, doing: &Doing, actions: &[Action], site: Site) {
    let has = |name: &str| actions.iter().any(|action| action.name == *name);
    match doing {
        Doing::Run(_) => {
            for outcome in ["done", "failed"] {
                if !has(outcome) {
                    let message = format!("a state with `run` needs the action `{outcome}`");
                    let label = format!("add `{outcome}: {{ goto: STATE }}` to its actions");
                    reader.error_with(Code::MissingKey, site, message, label);
                }
            }
        }
        Doing::Call(call) if actions.is_empty() => {
            let message = format!("nothing leads on when `{}` has ended", call.workflow);
            let label = "add an action for each of its ends, by the word after `end`";
            reader.error_with(Code::MissingKey, site, message, label);
        }
        Doing::Call(_) | Doing::Parallel(_) => (),
    }
}

fn read_run(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Run {
    let shape = "`{ webhook: NAME, body: { order: field number } }`";
    let mut map = reader.map(entry, "`run`", shape);
    let webhook = map
        .required(reader, "webhook")
        .and_then(|webhook| own_name(reader, &webhook.value, "a webhook's name"));
    let body = map.optional(reader, "body");
    let timeout = map.optional(reader, "timeout");
    let retries = map.optional(reader, "retries");
    let backoff = map.optional(reader, "backoff");
    let take = map.optional(reader, "take");
    map.finish(reader);
    Run {
        webhook: webhook.unwrap_or_default(),
        body: body.map_or_else(Vec::new, |body| read_body(reader, scope, body)),
        timeout: physical(reader, timeout).unwrap_or(DEFAULT_TIMEOUT),
        retries: retries
            .and_then(|retries| reader.number(retries, 0, MAX_RETRIES))
            .unwrap_or(DEFAULT_RETRIES),
        backoff: physical(reader, backoff).unwrap_or(DEFAULT_BACKOFF),
        take: take.map_or_else(Vec::new, |take| {
            let pairs = pairs(reader, take, "`take`", "`{ FIELD: NAME-IN-THE-ANSWER }`");
            let mut taken = Vec::new();
            for (key, site, value, _) in pairs {
                if leaf::field(reader, scope, &key, site).is_some() {
                    taken.push((key, value));
                }
            }
            taken
        }),
    }
}

/// Machines have no office hours.
fn physical(reader: &mut Reader<'_>, entry: Option<&Entry>) -> Option<Span> {
    Some(leaf::span(reader, &entry?.value)?.around_the_clock())
}

/// `body: { order: field number, kind: fixed }`, or `body: [caller, problem]`.
fn read_body(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<(Name, BodyValue)> {
    if matches!(entry.value.kind, Kind::List(_)) {
        let fields = leaf::field_names(reader, scope, entry);
        return fields
            .into_iter()
            .map(|field| (field.clone(), BodyValue::Field(field)))
            .collect();
    }
    let shape = "`{ NAME: field FIELD, OTHER: \"a text\" }`";
    let mut body = Vec::new();
    for one in reader.named(entry, "`body`", shape) {
        if let Some(value) = body_value(reader, scope, one) {
            body.push((one.key.clone(), value));
        }
    }
    body
}

fn body_value(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Option<BodyValue> {
    let text = reader.free_text(&entry.value, &quoted(&entry.key))?;
    let Kind::Text { plain: true, .. } = entry.value.kind else {
        return Some(BodyValue::Literal(Value::Text(text.to_string())));
    };
    if let Some(field) = text.strip_prefix("field ") {
        let name = normal(field.trim());
        let offset = text.len() - field.trim_start().len();
        let range = offset..text.trim_end().len();
        let site = reader.sources.within(entry.value.at, text, &range);
        leaf::field(reader, scope, &name, site)?;
        return Some(BodyValue::Field(name));
    }
    let number = text.parse().ok().filter(|_| is_plain_decimal(text));
    Some(BodyValue::Literal(match (text.as_str(), number) {
        ("true", _) => Value::Flag(true),
        ("false", _) => Value::Flag(false),
        (_, Some(number)) => Value::Number(number),
        (text, None) => Value::Text(text.to_owned()),
    }))
}

/// Whether every YAML tool reads the text as the same decimal number.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    number(whole) && number(part) && (whole == "0" || !whole.starts_with('0'))
}

fn read_call(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Call {
    let shape = "`{ workflow: NAME, with: { ITS-FIELD: OUR-FIELD } }`";
    let mut map = reader.map(entry, "`call`", shape);
    let workflow = map
        .required(reader, "workflow")
        .and_then(|workflow| own_name(reader, &workflow.value, "a workflow's name"));
    let with = map.optional(reader, "with");
    let take = map.optional(reader, "take");
    map.finish(reader);
    let mut call = Call {
        workflow: workflow.unwrap_or_default(),
        with: Vec::new(),
        take: Vec::new(),
    };
    if let Some(with) = with {
        for (theirs, _, ours, site) in pairs(reader, with, "`with`", "`{ ITS-FIELD: OUR-FIELD }`") {
            if leaf::field(reader, scope, &ours, site).is_some() {
                call.with.push((theirs, ours));
            }
        }
    }
    if let Some(take) = take {
        for (ours, site, theirs, _) in pairs(reader, take, "`take`", "`{ OUR-FIELD: ITS-FIELD }`") {
            if leaf::field(reader, scope, &ours, site).is_some() {
                call.take.push((ours, theirs));
            }
        }
    }
    call
}

/// Names to names, each with its place.
fn pairs(
    reader: &mut Reader<'_>,
    entry: &Entry,
    what: &str,
    shape: &str,
) -> Vec<(Name, Site, Name, Site)> {
    let mut pairs = Vec::new();
    for one in reader.named(entry, what, shape) {
        if let Some((value, site)) = leaf::name(reader, &one.value, &quoted(&one.key)) {
            pairs.push((one.key.clone(), one.key_at, value, site));
        }
    }
    pairs
}

fn own_name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Name> {
    let text = reader.text(node, what)?;
    let read = valid_name(text);
    reader.checked_name(node.at, text, read)
}

/// `parallel:`; the states of the branches are added to `all`.
pub(super) fn parallel(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    region: &Region,
    state: &Name,
    entry: &Entry,
    all: &mut Vec<State>,
) -> Parallel {
    let shape = "`{ branches: { NAME: { start: STATE, states: … } }, join: all, goto: STATE }`";
    let mut map = reader.map(entry, "`parallel`", shape);
    let branches = map.required(reader, "branches");
    let join = map.required(reader, "join");
    let goto = map.required(reader, "goto");
    map.finish(reader);
    let goto =
        goto.and_then(|goto| leaf::state(reader, &goto.value, &region.names, &scope.all_states));
    let join = join.map_or(Join::All, |join| read_join(reader, join));
    let mut parallel = Parallel {
        branches: Vec::new(),
        join,
        goto: goto.unwrap_or_default(),
    };
    let Some(branches) = branches else {
        return parallel;
    };
    let entries = reader.named(
        branches,
        "`branches`",
        "`NAME: { start: STATE, states: … }`",
    );
    let is_map = matches!(branches.value.kind, Kind::Map(_));
    if is_map && entries.len() < 2 {
        let message = "a parallel state has at least two branches";
        reader.error(Code::BadBranch, branches.key_at, message);
    }
    if entries.len() > MAX_BRANCHES {
        let message = format!("a parallel state has at most {MAX_BRANCHES} branches");
        reader.error(Code::TooMany, branches.key_at, message);
    }
    for one in entries.iter().take(MAX_BRANCHES) {
        let name = reader.key_name(one);
        let start = branch(reader, scope, state, one, all);
        parallel.branches.extend(name.zip(start));
    }
    parallel
}

fn read_join(reader: &mut Reader<'_>, entry: &Entry) -> Join {
    let word = reader.text(&entry.value, "`join`").map(Name::as_str);
    match word {
        Some("any") => return Join::Any,
        Some("all") | None => (),
        Some(other) => {
            let message = format!("`join` must be `all` or `any`, not `{other}`");
            reader.error(Code::BadValue, entry.value.at, message);
        }
    }
    Join::All
}

/// One branch: a little state machine of its own. Its first state.
fn branch(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    state: &Name,
    entry: &Entry,
    all: &mut Vec<State>,
) -> Option<Name> {
    let mut map = reader.map(entry, "a branch", "`NAME: { start: STATE, states: … }`");
    let start = map.required(reader, "start");
    let inner = map.required(reader, "states");
    map.finish(reader);
    let within = Some((state.clone(), entry.key.clone()));
    let region = Region::new(within, inner.map_or(&[], |inner| inner.value.entries()));
    if let Some(inner) = inner {
        states(reader, scope, &region, inner, all);
    }
    let start = start?;
    let nowhere = BTreeSet::new();
    let elsewhere = if inner.is_some() {
        &scope.all_states
    } else {
        &nowhere
    };
    leaf::state(reader, &start.value, &region.names, elsewhere)
}
