//! `upline oncall override`, `overrides` and `remove`: who stands in for whom, at a running service.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use upline_core::Name;
use upline_lab::oncall::Someone;
use upline_lab::render::Times;

use super::{people, read};
use crate::cmd::server::At;
use crate::cmd::server::client::{Client, part};
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::output::Output;

#[derive(clap::Args)]
pub(super) struct Make {
    /// The schedule
    schedule: String,
    /// Who is on call then
    #[arg(long, value_name = "PERSON")]
    on_call: String,
    /// Whose place he takes; without it he comes before everybody
    #[arg(long, value_name = "PERSON")]
    instead_of: Option<String>,
    /// From when: `2026-03-06 18:00` by the clocks of the schedule, or with an offset [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when; a day is meant with its end
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Given twice with one of these, it is made once; by itself each call has its own
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct List {
    /// The schedule
    schedule: String,
    #[command(flatten)]
    lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct Remove {
    /// The schedule
    schedule: String,
    /// The number of the override; `upline oncall overrides` lists them
    id: String,
    #[command(flatten)]
    lang: Lang,
}

/// An override, as the service tells it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Override {
    id: String,
    schedule: Name,
    zone: Option<String>,
    from: Timestamp,
    to: Timestamp,
    on_call: Name,
    instead_of: Option<Name>,
    made: Deed,
    removed: Option<Deed>,
    left_out: Option<String>,
    /// Only where it was changed.
    then: Option<Then>,
}

#[derive(Deserialize)]
struct Deed {
    at: Timestamp,
    token: Name,
    person: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Then {
    at: Timestamp,
    on_duty: Vec<Someone>,
}

#[derive(Deserialize)]
struct Listed {
    at: Timestamp,
    overrides: Vec<Override>,
}

fn path(schedule: &str) -> String {
    format!("/v1/oncall/{}/overrides", part(schedule))
}

pub(super) fn make(server: &At, make: &Make, output: &mut Output) -> Result<Exit, Failure> {
    let mut body = json!({ "to": make.to, "on-call": make.on_call });
    for (name, value) in [("from", &make.from), ("instead-of", &make.instead_of)] {
        if let Some(value) = value {
            body[name] = value.as_str().into();
        }
    }
    let own = make.idempotency_key.as_deref();
    let own: Vec<(&str, &str)> = own
        .map(|key| ("idempotency-key", key))
        .into_iter()
        .collect();
    let answer = Client::new(server)?.post(&path(&make.schedule), &own, &body)?;
    changed(answer.body, &make.lang, output)
}

pub(super) fn remove(server: &At, remove: &Remove, output: &mut Output) -> Result<Exit, Failure> {
    let path = format!("{}/{}", path(&remove.schedule), part(&remove.id));
    let answer = Client::new(server)?.delete(&path)?;
    changed(answer.body, &remove.lang, output)
}

fn changed(answer: Value, lang: &Lang, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&answer)?;
        return Ok(Exit::Ok);
    }
    let one: Override = read(answer, lang)?;
    let times = Times::new(one.zone(), lang.get());
    let now = one.removed.as_ref().unwrap_or(&one.made).at;
    let (id, schedule, on_call) = (&one.id, &one.schedule, &one.on_call);
    let (from, to) = (times.around(now, one.from), times.around(now, one.to));
    let line = match (&one.removed, &one.instead_of) {
        (Some(_), _) => lang.pick(
            format!("override {id} is removed: {on_call}, {schedule}, {from} to {to}"),
            format!("已撤销代班 {id}：{on_call}，{schedule}，{from} 到 {to}"),
        ),
        (None, Some(other)) => lang.pick(
            format!(
                "override {id}: {on_call} is on call by {schedule} instead of {other}, {from} to {to}"
            ),
            format!("代班 {id}：{from} 到 {to}，{schedule} 由 {on_call} 代替 {other} 值班"),
        ),
        (None, None) => lang.pick(
            format!(
                "override {id}: {on_call} is on call by {schedule} before all others, {from} to {to}"
            ),
            format!("代班 {id}：{from} 到 {to}，{schedule} 由 {on_call} 优先值班"),
        ),
    };
    output.line(line)?;
    if let Some(then) = &one.then {
        let (at, who) = (times.around(now, then.at), people(&then.on_duty, lang));
        output.line(lang.pick(
            format!("on duty at {at}: {who}"),
            format!("{at} 当班：{who}"),
        ))?;
    }
    if let Some(why) = &one.left_out {
        output.line(lang.pick(format!("left out: {why}"), format!("未生效：{why}")))?;
    }
    Ok(Exit::Ok)
}

pub(super) fn list(server: &At, list: &List, output: &mut Output) -> Result<Exit, Failure> {
    let lang = &list.lang;
    let answer = Client::new(server)?.get(&path(&list.schedule))?.body;
    if output.is_json() {
        output.json(&answer)?;
        return Ok(Exit::Ok);
    }
    let found: Listed = read(answer, lang)?;
    if found.overrides.is_empty() {
        output.line(lang.pick("there is none", "没有代班"))?;
        return Ok(Exit::Ok);
    }
    let rows = found.overrides.iter().map(|one| {
        let times = Times::new(one.zone(), lang.get());
        let by = one.made.person.as_ref().unwrap_or(&one.made.token);
        let instead_of = one.instead_of.as_ref().map(Name::to_string);
        vec![
            one.id.clone(),
            one.on_call.to_string(),
            instead_of.unwrap_or_default(),
            times.around(found.at, one.from),
            times.around(found.at, one.to),
            by.to_string(),
            times.around(found.at, one.made.at),
            one.left_out.clone().unwrap_or_default(),
        ]
    });
    let head = lang.pick(
        [
            "id",
            "on call",
            "instead of",
            "from",
            "to",
            "made by",
            "at",
            "left out",
        ],
        [
            "编号",
            "值班",
            "代替",
            "从",
            "到",
            "安排人",
            "时间",
            "未生效",
        ],
    );
    output.table(&head, rows.collect::<Vec<_>>(), &[])?;
    Ok(Exit::Ok)
}

impl Override {
    fn zone(&self) -> TimeZone {
        let zone = self.zone.as_deref().map(TimeZone::get);
        zone.and_then(Result::ok).unwrap_or_else(TimeZone::system)
    }
}
