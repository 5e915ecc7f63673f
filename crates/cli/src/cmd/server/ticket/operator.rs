//! What only an admin may do: `upline ticket erase`, `put-back` and `set-aside`.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use serde_json::{Value, json};

use super::show::{plain, text, time};
use super::{Desk, part};
use crate::exit::{Exit, Failure};
use crate::language::Lang;

/// Tickets that are asked for at once.
const PAGE: usize = 200;

#[derive(clap::Args)]
pub(super) struct Erase {
    /// The ticket; it must have ended
    id: String,
    /// Erase without asking, for scripts
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct PutBack {
    /// The ticket
    id: String,
    #[command(flatten)]
    lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct SetAside {
    #[command(flatten)]
    lang: Lang,
}

impl Desk<'_> {
    pub(super) fn erase(&mut self, erase: &Erase) -> Result<Exit, Failure> {
        let (id, lang) = (&erase.id, &erase.lang);
        if !erase.yes {
            self.ask_whether(erase)?;
        }
        let path = format!("/v1/tickets/{}/erase", part(id));
        let ticket = self.client.post(&path, &[], &json!({}))?.body;
        let said = lang.pick(format!("{id}: erased"), format!("{id}：已抹除"));
        self.tell(&ticket, &[said])
    }

    /// Whoever is there says once more which ticket he means: there is no way back.
    fn ask_whether(&mut self, erase: &Erase) -> Result<(), Failure> {
        let (id, lang) = (&erase.id, &erase.lang);
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            let message = lang.pick(
                "there is no terminal to ask on, and what is erased is gone for good",
                "没有终端可以询问，而抹除的内容无法找回",
            );
            let help = lang.pick("`--yes` erases without asking", "`--yes` 不询问就抹除");
            return Err(Failure::usage(message).help(help));
        }
        let ticket = self.client.get(&format!("/v1/tickets/{}", part(id)))?.body;
        if ticket["ended"].is_null() {
            let message = lang.pick(
                format!("ticket {id} is still open: whoever works on it must be able to read it"),
                format!("工单 {id} 还没有结束：处理它的人必须能读到它"),
            );
            let help = format!("`upline ticket cancel {id} --reason TEXT`");
            return Err(Failure::of(Exit::Conflict, message).help(help));
        }
        let (workflow, opened) = (text(&ticket["workflow"]), time(&ticket["opened"]));
        self.output.note(lang.pick(
            format!(
                "ticket {id} ({workflow}, opened {opened}): what its fields hold and what people wrote to it \
                 can't be read by anybody any more"
            ),
            format!("工单 {id}（{workflow}，{opened} 打开）：字段里的内容和人们写下的话，以后谁也读不到了"),
        ));
        let question = lang.pick("type its id to erase it: ", "输入工单号以抹除：");
        let mut screen = io::stderr();
        write!(screen, "{question}").and_then(|()| screen.flush())?;
        match is_meant(id, &mut io::stdin().lock())? {
            true => Ok(()),
            false => Err(Failure::usage(
                lang.pick("nothing was erased", "什么也没有抹除"),
            )),
        }
    }

    pub(super) fn put_back(&mut self, put_back: &PutBack) -> Result<Exit, Failure> {
        let (id, lang) = (&put_back.id, &put_back.lang);
        let path = format!("/v1/tickets/{}/put-back", part(id));
        let ticket = self.client.post(&path, &[], &json!({}))?.body;
        let positions = ticket["positions"].as_array().into_iter().flatten();
        let mut lines = vec![lang.pick(format!("{id}: goes on"), format!("{id}：继续"))];
        lines.extend(positions.map(|at| goes_on(at, lang)));
        self.tell(&ticket, &lines)
    }

    pub(super) fn set_aside(&mut self, aside: &SetAside) -> Result<Exit, Failure> {
        let lang = &aside.lang;
        let (mut tickets, mut after): (Vec<Value>, String) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/set-aside?limit={PAGE}{after}");
            let page = self.client.get(&path)?.body;
            tickets.extend(page["tickets"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(next) => after = format!("&cursor={}", part(next)),
                None => break,
            }
        }
        if self.output.is_json() {
            self.output.json(&tickets)?;
            return Ok(Exit::Ok);
        }
        if tickets.is_empty() {
            let none = lang.pick("no ticket is set aside", "没有被搁置的工单");
            self.output.line(none)?;
            return Ok(Exit::Ok);
        }
        let rows = tickets.iter();
        let rows = rows.map(|one| vec![text(&one["id"]).to_owned(), plain(&one["why"])]);
        let head = lang.pick(["id", "why"], ["工单", "原因"]);
        self.output.table(&head, rows, &[])?;
        let help = lang.pick(
            "`upline ticket explain ID` says how one stands; when what is wrong is put right, `upline ticket \
             put-back ID` lets it go on",
            "`upline ticket explain ID` 说明它的情况；问题解决后，`upline ticket put-back ID` 让它继续",
        );
        self.output.note(help);
        Ok(Exit::Ok)
    }

    fn tell(&mut self, answer: &Value, lines: &[String]) -> Result<Exit, Failure> {
        if self.output.is_json() {
            self.output.json(answer)?;
            return Ok(Exit::Ok);
        }
        for line in lines {
            self.output.line(line)?;
        }
        Ok(Exit::Ok)
    }
}

/// Whether the id was typed. Its letters are the same in every language, and nobody types it by habit.
fn is_meant(id: &str, answer: &mut impl BufRead) -> io::Result<bool> {
    let mut line = String::new();
    answer.read_line(&mut line)?;
    Ok(line.trim() == id)
}

/// Where a ticket goes on, and who has it there.
fn goes_on(at: &Value, lang: &Lang) -> String {
    let mut line = format!("  {}", text(&at["state"]));
    if let Some(who) = at["answerable"].as_str() {
        line.push_str(&lang.pick(format!(", {who} is answerable"), format!("，负责人 {who}")));
    }
    if !at["next-due"].is_null() {
        let due = time(&at["next-due"]);
        line.push_str(&lang.pick(format!(", next due {due}"), format!("，下次到期 {due}")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_id_erases_a_ticket() {
        for (typed, meant) in [
            ("4\n", true),
            (" 4 \r\n", true),
            ("4", true),
            ("y\n", false),
            ("44\n", false),
            ("\n4\n", false),
            ("", false),
        ] {
            let is = is_meant("4", &mut typed.as_bytes()).unwrap();
            assert_eq!(is, meant, "{typed:?}");
        }
    }
}
