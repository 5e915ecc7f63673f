//! `upline ticket messages`: who was told of a ticket, and what became of each message.

use serde_json::Value;
use upline_lab::render::Language;

use super::show::{plain, text, time};
use super::{Desk, One, part};
use crate::exit::{Exit, Failure};
use crate::language::pick;

/// Messages that are asked for at once: as many as the service gives.
const PAGE: u16 = 200;

impl Desk<'_> {
    pub(super) fn messages(&mut self, one: &One) -> Result<Exit, Failure> {
        let path = format!("/v1/tickets/{}/messages?limit={PAGE}", part(&one.id));
        let (mut all, mut after): (Vec<Value>, u64) = (Vec::new(), 0);
        loop {
            let page = self.client.get(&format!("{path}&after={after}"))?.body;
            all.extend(page["messages"].as_array().cloned().unwrap_or_default());
            match page["next"].as_u64() {
                Some(next) => after = next,
                None => break,
            }
        }
        if self.output.is_json() {
            self.output.json(&all)?;
            return Ok(Exit::Ok);
        }
        let language = one.lang.get();
        if all.is_empty() {
            let none = pick(
                language,
                "nobody was told anything yet",
                "还没有通知过任何人",
            );
            self.output.line(none)?;
            return Ok(Exit::Ok);
        }
        let head = pick(
            language,
            ["when", "to", "via", "about", "state", "tries", "why"],
            ["时间", "给", "渠道", "内容", "状态", "次数", "原因"],
        );
        let rows = all.iter().map(|message| row(message, language));
        self.output.table(&head, rows, &[5])?;
        Ok(Exit::Ok)
    }
}

fn row(message: &Value, language: Language) -> Vec<String> {
    let to = plain(&message["to"]["name"]);
    let is_contact = text(&message["to"]["kind"]) == "contact";
    vec![
        time(&message["written"]),
        match is_contact {
            true => pick(
                language,
                format!("{to} (contact)"),
                format!("{to}（来电人）"),
            ),
            false => to,
        },
        plain(&message["via"]),
        topic(text(&message["topic"]), language).to_owned(),
        state(text(&message["state"]), language).to_owned(),
        message["tries"].to_string(),
        plain(&message["why"]),
    ]
}

/// What a message is about. A word that this program does not know yet is shown as it came.
fn topic(word: &str, language: Language) -> &str {
    let chinese = match word {
        "assigned" => "分派",
        "offered" => "待认领",
        "informed" => "通知",
        "reminded" => "提醒",
        "promise-warned" => "承诺预警",
        "promise-breached" => "承诺违约",
        "outcome" => "结果",
        "commented" => "有留言",
        other => other,
    };
    pick(language, word, chinese)
}

fn state(word: &str, language: Language) -> &str {
    let chinese = match word {
        "waiting" => "等待发送",
        "delivered" => "已送达",
        "failed" => "失败",
        "withdrawn" => "已撤回",
        other => other,
    };
    pick(language, word, chinese)
}
