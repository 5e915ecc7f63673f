//! What has happened, in lines for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline::core::{Actor, Directory, Holder, Name, Position, Ticket};
use upline::lab::forecast::Horizon;
use upline::lab::render::Times;
use upline::lab::timeline::What;
use upline::{Error, Handle, Met};

use super::ZONE;
use super::clock::FastClock;
use super::office::Mail;
use crate::tell::Language;

/// Moves that lie further ahead than so many real seconds are not announced.
const SOON_SECONDS: f64 = 600.0;
/// How many clocks are looked ahead at: some change nobody.
const LOOK_AHEAD: usize = 12;

/// How a ticket was when it was told of last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    state: Name,
    who: Name,
    visit: u32,
    epoch: u32,
    ended: bool,
}

impl Seen {
    fn of(ticket: &Ticket, position: Option<&Position>) -> Self {
        let who = position.and_then(|at| at.holder.answerable());
        Self {
            state: position.map(|at| at.state.clone()).unwrap_or_default(),
            who: who.cloned().unwrap_or_default(),
            visit: position.map_or(0, |at| at.visit),
            epoch: position.map_or(0, |at| at.epoch),
            ended: ticket.ended.is_some(),
        }
    }
}

/// Tells what is new about tickets and mail.
#[derive(Debug)]
pub(super) struct News {
    pub(super) handle: Handle,
    pub(super) clock: FastClock,
    pub(super) language: Language,
    /// By ticket.
    seen: BTreeMap<String, Option<Seen>>,
    /// The number of the last mail.
    mails: usize,
}

impl News {
    pub(super) fn new(handle: Handle, clock: FastClock, language: Language) -> Self {
        Self {
            handle,
            clock,
            language,
            seen: BTreeMap::new(),
            mails: 0,
        }
    }

    /// There is this ticket too.
    pub(super) fn follow(&mut self, id: String) {
        self.seen.insert(id, None);
    }

    /// Mail that came since, with where it can be read below `page`.
    pub(super) fn mail(&mut self, mails: &[Mail], page: &str, lines: &mut Vec<String>) {
        let known = self.mails;
        for mail in mails.iter().rev().filter(|mail| mail.number > known) {
            let word = match (self.language, mail.is_call) {
                (Language::En, false) => "mail to",
                (Language::Zh, false) => "邮件发给",
                (Language::En, true) => "call to",
                (Language::Zh, true) => "电话打给",
            };
            let (time, to, number) = (time(mail.at), &mail.to, mail.number);
            lines.push(format!("{time}  {word} {to}  {page}/{number}"));
            self.mails = number;
        }
    }

    /// What has become of the tickets since.
    pub(super) async fn tickets(&mut self, lines: &mut Vec<String>) -> Result<(), Error> {
        let Some(directory) = self.handle.directory().await? else {
            return Ok(());
        };
        let ids: Vec<String> = self.seen.keys().cloned().collect();
        for id in ids {
            let me = Actor::Operator(Name::new_static("demo"));
            let Some(met) = self.handle.meet(&id, &me).await? else {
                continue;
            };
            let position = met.ticket.positions.values().next();
            let now = Seen::of(&met.ticket, position);
            let before = self.seen.insert(id.clone(), Some(now.clone())).flatten();
            if before.as_ref() == Some(&now) {
                continue;
            }
            let mut line = self.line(&met, &directory, before.as_ref(), &now);
            if let Some(ahead) = self.ahead(&id, &directory).await? {
                line.push_str(&ahead);
            }
            lines.push(line);
        }
        Ok(())
    }

    fn line(&self, met: &Met, directory: &Directory, before: Option<&Seen>, now: &Seen) -> String {
        let tag = crate::links::rendered(self.language).tag();
        let ticket = &met.ticket;
        let workflow = met.workflow.title.text(tag);
        let who = name(directory, &now.who);
        let at = ticket.positions.values().next();
        let state = at.and_then(|at| met.workflow.states.get(&at.state));
        let state = state.map(|state| state.title.text(tag)).unwrap_or_default();
        let since = at.map_or(ticket.opened, |at| at.since.max(at.entered));
        let when = time(ticket.ended.as_ref().map_or(since, |ended| ended.at));
        let id = &ticket.id;
        if let Some(ended) = &ticket.ended {
            return match self.language {
                Language::En => format!("{when}  ticket {id} has ended: {}", ended.outcome),
                Language::Zh => format!("{when}  工单 {id} 已结束：{}", ended.outcome),
            };
        }
        let is_hop = before.is_some_and(|before| before.visit == now.visit);
        let is_taken = at.is_some_and(|at| at.taken);
        let is_offer = at.is_some_and(|at| matches!(at.holder, Holder::Offer { .. }));
        let rule = at.map(|at| at.why.rule.as_str()).unwrap_or_default();
        match (self.language, before) {
            (Language::En, None) => {
                format!("{when}  ticket {id}, {workflow}: {who} is asked ({rule})")
            }
            (Language::Zh, None) => format!("{when}  工单 {id}，{workflow}：询问 {who}（{rule}）"),
            (Language::En, _) if is_taken => format!("{when}  ticket {id}: {state}, {who} has it"),
            (Language::Zh, _) if is_taken => format!("{when}  工单 {id}：{state}，由 {who} 负责"),
            (Language::En, _) if is_hop && !is_offer => {
                format!("{when}  ticket {id}: nobody has acted, so {who} is asked now ({rule})")
            }
            (Language::Zh, _) if is_hop && !is_offer => {
                format!("{when}  工单 {id}：无人处理，现在询问 {who}（{rule}）")
            }
            (Language::En, _) => format!("{when}  ticket {id}: {state}, {who} is asked ({rule})"),
            (Language::Zh, _) => format!("{when}  工单 {id}：{state}，询问 {who}（{rule}）"),
        }
    }

    /// To whom a ticket will pass next, and when, in seconds of the room that we sit in.
    async fn ahead(&self, id: &str, directory: &Directory) -> Result<Option<String>, Error> {
        let horizon = Horizon {
            fired: LOOK_AHEAD,
            ..Horizon::default()
        };
        let rendered = crate::links::rendered(self.language);
        let times = Times::new(TimeZone::UTC, rendered);
        // It has ended meanwhile, perhaps: nothing lies ahead then.
        let ahead = self.handle.forecast(id, horizon, times, rendered).await;
        let Ok(timeline) = ahead else {
            return Ok(None);
        };
        let hop = timeline.steps.iter().find_map(|step| match &step.what {
            What::Asked { who, .. } => Some((step.at, who)),
            _ => None,
        });
        let Some((at, who)) = hop else {
            return Ok(None);
        };
        let seconds = self.clock.real_seconds_until(at).max(0.0);
        let who = name(directory, who);
        Ok((seconds <= SOON_SECONDS).then(|| match self.language {
            Language::En => format!(". In about {seconds:.0} s it will pass to {who}"),
            Language::Zh => format!("。约 {seconds:.0} 秒后将转给 {who}"),
        }))
    }
}

fn name(directory: &Directory, person: &Name) -> String {
    let known = directory.people.get(person);
    known.map_or(person.to_string(), |known| known.name.clone())
}

/// `09:25`, where the demo's office is.
fn time(at: Timestamp) -> String {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%H:%M").to_string()
}
