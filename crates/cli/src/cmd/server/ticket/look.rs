//! What is asked about one ticket: `upline ticket show`, `timeline`, `explain` and `forecast`.

use serde_json::{Value, json};
use upline_lab::render::Language;

use super::show::{self, text, time};
use super::{Ahead, Desk, One, part};
use crate::exit::{Exit, Failure};
use crate::language::Lang;

/// Entries of a history that are asked for at once.
const PAGE: u16 = 200;

/// Comments that `show` prints.
const COMMENTS: usize = 5;

#[derive(clap::Args)]
pub(super) struct Timeline {
    /// The ticket
    id: String,
    /// Only the last so many things that happened
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=PAGE as i64))]
    last: Option<u16>,
    #[command(flatten)]
    lang: Lang,
}

impl Desk<'_> {
    pub(super) fn show(&mut self, one: &One) -> Result<Exit, Failure> {
        let (id, language) = (part(&one.id), one.lang.get());
        let path = format!("/v1/tickets/{id}?lang={}", language.tag());
        let mut ticket = self.client.get(&path)?.body;
        match self.entries(&id, Some(PAGE), language) {
            Ok(entries) => add_said(&mut ticket, &entries),
            // How it stands is worth showing without what was said.
            Err(_) => self.output.note(
                one.lang
                    .pick("what was said to it can't be shown now", "目前无法显示评论"),
            ),
        }
        self.print(&ticket, |ticket| show::ticket(ticket, language))
    }

    pub(super) fn timeline(&mut self, timeline: &Timeline) -> Result<Exit, Failure> {
        let language = timeline.lang.get();
        let entries = self.entries(&part(&timeline.id), timeline.last, language)?;
        self.print(&Value::Array(entries), |entries| {
            let entries = entries.as_array().into_iter().flatten();
            entries.flat_map(lines).collect()
        })
    }

    /// What has happened, the oldest first: the last so many, or all of it.
    fn entries(
        &self,
        id: &str,
        last: Option<u16>,
        language: Language,
    ) -> Result<Vec<Value>, Failure> {
        let path = format!("/v1/tickets/{id}/timeline?lang={}", language.tag());
        if let Some(last) = last {
            let page = self.client.get(&format!("{path}&last=true&limit={last}"))?;
            return Ok(page.body["entries"].as_array().cloned().unwrap_or_default());
        }
        let (mut entries, mut after): (Vec<Value>, u64) = (Vec::new(), 0);
        loop {
            let page = self
                .client
                .get(&format!("{path}&limit={PAGE}&after={after}"))?;
            entries.extend(page.body["entries"].as_array().cloned().unwrap_or_default());
            match page.body["next"].as_u64() {
                Some(next) => after = next,
                None => return Ok(entries),
            }
        }
    }

    pub(super) fn explain(&mut self, one: &One) -> Result<Exit, Failure> {
        let language = one.lang.get();
        let path = format!(
            "/v1/tickets/{}/explain?lang={}",
            part(&one.id),
            language.tag()
        );
        let answer = self.client.get(&path)?.body;
        self.print(&answer, |answer| explanation(answer, &one.lang))
    }

    pub(super) fn forecast(&mut self, ahead: &Ahead) -> Result<Exit, Failure> {
        let (id, lang) = (part(&ahead.one.id), ahead.one.lang.get());
        let days = ahead.days;
        let path = format!("/v1/tickets/{id}/forecast?lang={}&days={days}", lang.tag());
        let answer = self.client.get(&path)?.body;
        self.print(&answer, |answer| {
            let lines = lines(answer);
            match lines.is_empty() {
                true => vec![
                    ahead
                        .one
                        .lang
                        .pick("nothing happens until then", "此前不会发生什么")
                        .to_owned(),
                ],
                false => lines,
            }
        })
    }
}

/// What was said last, and whether the ticket was erased, beside how it stands.
fn add_said(ticket: &mut Value, entries: &[Value]) {
    let comments = entries.iter().flat_map(|entry| {
        let comments = entry["comments"].as_array().into_iter().flatten();
        comments.map(|comment| {
            let mut comment = comment.clone();
            comment["at"] = entry["at"].clone();
            comment
        })
    });
    let comments: Vec<Value> = comments.collect();
    let last = comments.len().saturating_sub(COMMENTS);
    ticket["comments"] = Value::Array(comments.into_iter().skip(last).collect());
    let erased = entries.iter().find(|entry| entry["erased-by"].is_string());
    if let Some(erased) = erased {
        ticket["erased"] = json!({ "by": erased["erased-by"], "at": erased["at"] });
    }
}

/// The lines of an answer, which can't do anything to a terminal.
fn lines(answer: &Value) -> Vec<String> {
    let lines = answer["lines"].as_array().into_iter().flatten();
    let lines = lines.map(|line| match line {
        Value::String(line) => line.as_str(),
        line => text(&line["text"]),
    });
    lines.map(harmless).collect()
}

/// Without what a terminal would obey, or what turns the direction of writing.
fn harmless(line: &str) -> String {
    let turns = |c| {
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let seen = |c: char| match c.is_control() || turns(c) {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    line.chars().map(seen).collect()
}

/// Who has it, since when and why, and what each clock does.
fn explanation(answer: &Value, lang: &Lang) -> Vec<String> {
    let mut lines = lines(answer);
    if answer["set-aside"].is_string() {
        let ticket = text(&answer["ticket"]);
        lines.push(lang.pick(
            format!(
                "now: see to what is wrong, and let it go on with `upline ticket put-back {ticket}`"
            ),
            format!("现在：解决问题，再用 `upline ticket put-back {ticket}` 让它继续"),
        ));
    }
    let put_back = &answer["put-back"];
    if let Some(by) = put_back["by"].as_str() {
        let at = time(&put_back["at"]);
        lines.push(lang.pick(
            format!("put back by {by}, {at}"),
            format!("{by} 让它继续，{at}"),
        ));
    }
    lines
}
