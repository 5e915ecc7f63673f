//! `upline ticket`.

mod args;
mod look;
mod messages;
mod operator;
mod show;

use clap::Subcommand;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use upline_lab::render::Language;

use args::{Act, Ahead, Bare, Because, List, One, Open, Say, To, Until, Up, Why};

use super::At;
use super::client::{Client, part};
use super::events::{follow, print};
use crate::exit::{Exit, Failure};
use crate::language::pick;
use crate::moment::Moment;
use crate::output::Output;

/// Open, find and move tickets of a running service
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Open a ticket; prints its id
    Open(Open),
    /// List tickets
    List(List),
    /// Show a ticket, what was said last, and what could be done with it
    Show(One),
    /// What has happened to a ticket, the oldest first
    Timeline(look::Timeline),
    /// Who was told of it, by which channel, and what became of each message
    Messages(One),
    /// Take an action of the ticket's state
    Act(Act),
    /// Take what is offered
    Claim(Bare),
    /// Not me: the next, at once
    Decline(Why),
    /// Give it back to whom the state asks
    Release(Why),
    /// Let somebody do it, and learn the outcome
    Delegate(To),
    /// Hand it to somebody
    Reassign(To),
    /// The next level, at once, or this one
    Escalate(Up),
    /// Let the ladder stand still until then
    Suspend(Until),
    /// Let the ladder go on
    Resume(Bare),
    /// Say something
    Comment(Say),
    /// Give the ticket up
    Cancel(Because),
    /// Print what happens to it, until it has ended
    Watch(One),
    /// Who has it, since when and why, and what the clocks have counted
    Explain(One),
    /// Who is asked when, if nobody acts
    Forecast(Ahead),
    /// Destroy what is personal in a ticket that has ended; for an admin
    Erase(operator::Erase),
    /// List the tickets that are set aside, and why; for an admin
    SetAside(operator::SetAside),
    /// Let a ticket go on that was set aside; for an admin
    PutBack(operator::PutBack),
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let client = Client::new(&args.at)?;
    let desk = &mut Desk {
        client: &client,
        output,
    };
    let reason = |why: &Option<String>| json!({ "reason": why });
    match &args.what {
        What::Open(open) => desk.open(open),
        What::List(list) => desk.list(list),
        What::Show(one) => desk.show(one),
        What::Timeline(timeline) => desk.timeline(timeline),
        What::Messages(one) => desk.messages(one),
        What::Explain(one) => desk.explain(one),
        What::Forecast(ahead) => desk.forecast(ahead),
        What::Watch(one) => desk.watch(one),
        What::Erase(erase) => desk.erase(erase),
        What::SetAside(aside) => desk.set_aside(aside),
        What::PutBack(put_back) => desk.put_back(put_back),
        What::Act(act) => {
            let body = json!({ "fields": fields(&act.fields)?, "note": act.note });
            desk.act(&act.on, &act.action, body)
        }
        What::Claim(on) => desk.act(on, "claim", json!({})),
        What::Resume(on) => desk.act(on, "resume", json!({})),
        What::Decline(why) => desk.act(&why.on, "decline", reason(&why.reason)),
        What::Release(why) => desk.act(&why.on, "release", reason(&why.reason)),
        What::Cancel(why) => desk.act(&why.on, "cancel", json!({ "reason": why.reason })),
        What::Delegate(to) => {
            let body = json!({ "to": to.to, "reason": to.reason });
            desk.act(&to.on, "delegate", body)
        }
        What::Reassign(to) => {
            let body = json!({ "to": to.to, "reason": to.reason });
            desk.act(&to.on, "reassign", body)
        }
        What::Escalate(up) => {
            let body = json!({ "level": up.level, "reason": up.reason });
            desk.act(&up.on, "escalate", body)
        }
        What::Suspend(until) => {
            let at = Moment::read("--until", &until.until)?.in_zone(&TimeZone::system())?;
            let body = json!({ "until": at.to_string(), "reason": until.reason });
            desk.act(&until.on, "suspend", body)
        }
        What::Comment(say) => {
            let body = json!({ "text": say.text, "to-caller": say.to_caller });
            desk.act(&say.on, "comment", body)
        }
    }
}

/// A service, and where its answers go.
struct Desk<'a> {
    client: &'a Client,
    output: &'a mut Output,
}

impl Desk<'_> {
    fn open(&mut self, open: &Open) -> Result<Exit, Failure> {
        let body = json!({
            "workflow": open.workflow,
            "key": open.key,
            "fields": fields(&open.fields)?,
        });
        let own = open.idempotency_key.as_deref();
        let own: Vec<(&str, &str)> = own
            .map(|key| ("idempotency-key", key))
            .into_iter()
            .collect();
        let ticket = self.client.post("/v1/tickets", &own, &body)?.body;
        self.print(&ticket, |ticket| vec![show::text(&ticket["id"]).to_owned()])
    }

    fn list(&mut self, list: &List) -> Result<Exit, Failure> {
        let mut query: Vec<String> = Vec::new();
        let due_before = list.due_before.as_deref().map(|text| {
            let moment = Moment::read("--due-before", text)?;
            Ok::<_, Failure>(moment.in_zone(&TimeZone::system())?.to_string())
        });
        let due_before = due_before.transpose()?;
        let named = [
            ("standing", &list.standing),
            ("contact", &list.contact),
            ("workflow", &list.workflow),
            ("state", &list.state),
            ("assignee", &list.assignee),
            ("candidate", &list.candidate),
            ("level", &list.level),
            ("sort", &list.sort),
            ("due-before", &due_before),
        ];
        for (name, value) in named {
            query.extend(
                value
                    .as_ref()
                    .map(|value| format!("{name}={}", part(value))),
            );
        }
        let (mut tickets, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
        while tickets.len() < list.limit {
            let left = (list.limit - tickets.len()).min(200);
            let after = cursor.map(|cursor| format!("&cursor={}", part(&cursor)));
            let after = after.unwrap_or_default();
            let path = format!("/v1/tickets?limit={left}{after}&{}", query.join("&"));
            let page = self.client.get(&path)?.body;
            tickets.extend(page["tickets"].as_array().cloned().unwrap_or_default());
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        if self.output.is_json() {
            self.output.json(&tickets)?;
        } else {
            show::table(&tickets, list.lang.get(), self.output)?;
        }
        Ok(Exit::Ok)
    }

    /// Does something to a ticket, and says how it stands then.
    fn act(&mut self, on: &Bare, action: &str, mut body: Value) -> Result<Exit, Failure> {
        if let Some(members) = body.as_object_mut() {
            members.retain(|_, value| !value.is_null());
            members.extend(
                on.branch
                    .as_deref()
                    .map(|branch| ("branch".into(), branch.into())),
            );
        }
        let language = on.lang.get();
        let revision = on.revision.map(|revision| format!("\"{revision}\""));
        let seen = ("if-match", revision.as_deref().unwrap_or("*"));
        let path = format!("/v1/tickets/{}/actions/{}", part(&on.id), part(action));
        let done = self.client.post(&path, &[seen], &body);
        let ticket = done
            .map_err(|failure| self.who_has_it(&on.id, failure, language))?
            .body;
        self.print(&ticket, |ticket| show::standing(ticket, language))
    }

    /// Whoever was too late learns who has it, and since when.
    fn who_has_it(&self, id: &str, failure: Failure, language: Language) -> Failure {
        let Some(holder) = failure.holder.clone() else {
            return failure;
        };
        let ticket = self.client.get(&format!("/v1/tickets/{}", part(id)));
        let said = ticket
            .ok()
            .and_then(|ticket| show::held(id, &ticket.body, &holder, language));
        let said = said.unwrap_or_else(|| {
            pick(
                language,
                format!("{id}: {holder} has it"),
                format!("{id}：{holder} 正在处理"),
            )
        });
        let help = pick(
            language,
            format!(
                "whoever leads the group takes it over: `upline ticket reassign {id} --to PERSON`"
            ),
            format!("组长可以接管：`upline ticket reassign {id} --to PERSON`"),
        );
        Failure::of(Exit::Conflict, said).help(help)
    }

    /// What happens to it from now on, until it has ended.
    fn watch(&mut self, one: &One) -> Result<Exit, Failure> {
        let ticket = self
            .client
            .get(&format!("/v1/tickets/{}", part(&one.id)))?
            .body;
        if !self.output.is_json() {
            for line in show::standing(&ticket, one.lang.get()) {
                self.output.line(line)?;
            }
            self.output.flush()?;
        }
        if !ticket["ended"].is_null() {
            return Ok(Exit::Ok);
        }
        let output = &mut *self.output;
        follow(
            self.client,
            &format!("ticket={}", part(&one.id)),
            None,
            &mut |event| {
                print(event, one.lang.get(), output)?;
                let kind = show::text(&event["type"]);
                Ok(!matches!(
                    kind,
                    "upline.ticket.ended.v1" | "upline.ticket.cancelled.v1"
                ))
            },
        )?;
        Ok(Exit::Ok)
    }

    fn print(
        &mut self,
        answer: &Value,
        lines: impl FnOnce(&Value) -> Vec<String>,
    ) -> Result<Exit, Failure> {
        if self.output.is_json() {
            self.output.json(answer)?;
            return Ok(Exit::Ok);
        }
        for line in lines(answer) {
            self.output.line(line)?;
        }
        Ok(Exit::Ok)
    }
}

/// `NAME=VALUE`, of which the service reads the value.
fn fields(given: &[String]) -> Result<Map<String, Value>, Failure> {
    let one = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| {
            Failure::usage(format!("`--field '{text}'`: this is no field"))
                .help("such as `--field problem='no dial tone'`")
        })?;
        Ok((name.to_owned(), value.into()))
    };
    given.iter().map(one).collect()
}
