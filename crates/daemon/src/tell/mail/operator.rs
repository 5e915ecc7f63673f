//! Mail to the operator: what is wrong around the daemon, and when it is right again.
//!
//! He is told of what lasts, from the list of what is wrong now and not from what happens: so nothing waits
//! for a mail, and what begins while no mail may go is told later, or never if it is over by then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lettre::message::Mailbox;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::address::mailbox;
use super::compose::Sender;
use super::smtp::Smtp;
use super::{ALARM, MailSettings};
use crate::tell::letters::clipped;
use crate::tell::{Language, Letter};
use crate::watch::Watch;

/// Most addresses of operators: who is to be told is a list of the mail server's.
pub const MAX_OPERATORS: usize = 5;

/// Most times an hour that operators are written to: something that comes and goes all the time must not
/// bury what else there is to know. What is wrong when the hour allows it again is told then.
pub const MAX_OPERATOR_MAILS: usize = 12;

/// In which time they are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// After how long it is tried again when nobody could be written to.
const AGAIN: Duration = Duration::from_secs(300);

/// Most characters that are told of one thing; the log has the rest.
const MAX_TOLD: usize = 6_000;

/// `operator`: one address, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "must be an address, or a list of addresses")]
pub enum Operators {
    /// `"ops@example.com"`
    One(String),
    /// `["ann@example.com", "bob@example.com"]`
    Several(Vec<String>),
}

impl Default for Operators {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl fmt::Display for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.all().join(", "))
    }
}

impl Operators {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }

    fn mailboxes(&self) -> Result<Vec<Mailbox>, String> {
        let all = self.all().iter().map(|one| mailbox(one));
        let all: Result<_, String> = all.collect();
        all.map_err(|why| format!("`operator`: {why}"))
    }

    /// What is wrong with them, each a line for the operator.
    pub(super) fn faults(&self) -> Option<String> {
        match self.all().len() > MAX_OPERATORS {
            true => Some(format!("`operator`: at most {MAX_OPERATORS} addresses")),
            false => self.mailboxes().err(),
        }
    }
}

/// Writes to the operators in the background, if the settings name any, until it is stopped. `place` says
/// which daemon it is about.
pub(crate) fn tell_operator(
    settings: &MailSettings,
    place: String,
    seen: Arc<Watch>,
    mut stop: watch::Receiver<bool>,
) {
    let teller = match Operator::new(settings, place) {
        Ok(teller) if !teller.to.is_empty() => teller,
        Ok(_) => return,
        // The same settings have made the way by which messages go.
        Err(why) => return not_told(&why),
    };
    tokio::spawn(async move {
        tokio::select! {
            // An error is a daemon that was dropped: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => (),
            () = teller.run(&seen) => (),
        }
    });
}

fn not_told(why: &str) {
    tracing::warn!(
        code = "operator-not-told",
        why,
        "the operator could not be told by mail"
    );
}

/// What is wrong now that can be told by mail.
fn troubles(seen: &Watch) -> BTreeMap<&'static str, String> {
    let mut troubles = seen.troubles();
    // A mail that mail can't be sent can't be sent.
    troubles.remove(ALARM);
    troubles
}

struct Operator {
    sender: Sender,
    smtp: Smtp,
    to: Vec<Mailbox>,
    language: Language,
    place: String,
}

impl Operator {
    fn new(settings: &MailSettings, place: String) -> Result<Self, String> {
        let sender = Sender::new(settings)?;
        Ok(Self {
            smtp: Smtp::new(settings, sender.from.email.domain())?,
            sender,
            to: settings.operator.mailboxes()?,
            language: settings.language,
            place,
        })
    }

    async fn run(&self, seen: &Watch) {
        let mut told = BTreeSet::new();
        let mut pace = Pace::default();
        loop {
            let now = troubles(seen);
            let Some(news) = News::of(&told, &now) else {
                seen.alarms().changed().await;
                continue;
            };
            if let Some(rest) = pace.rest(Instant::now()) {
                not_told("there were too many mails within an hour: what is so then is told later");
                sleep(rest).await;
                continue;
            }
            match self.tell(&news).await {
                true => told = now.into_keys().collect(),
                false => sleep(AGAIN).await,
            }
        }
    }

    /// Whether somebody was told, or nobody ever will be.
    async fn tell(&self, news: &News<'_>) -> bool {
        let letter = news.letter(self.language, &self.place);
        let date = Timestamp::now();
        let mut told = false;
        for (number, to) in self.to.iter().enumerate() {
            let key = format!("operator-{}-{number}", date.as_millisecond());
            let ready = match self.sender.to_operator(to, &key, date, &letter) {
                Ok(ready) => ready,
                Err(why) => {
                    not_told(&why);
                    told = true;
                    continue;
                }
            };
            let from = &self.sender.from.email;
            match self.smtp.send(from, &ready.to, &ready.bytes).await {
                Ok(()) => told = true,
                Err(failed) => not_told(&failed.reason),
            }
        }
        told
    }
}

/// When mails went out within the last hour.
#[derive(Default)]
struct Pace(VecDeque<Instant>);

impl Pace {
    /// How long the next one must wait; if it need not, it counts as sent now.
    fn rest(&mut self, now: Instant) -> Option<Duration> {
        while self.0.front().is_some_and(|at| now - *at >= HOUR) {
            self.0.pop_front();
        }
        if let Some(first) = self.0.front()
            && self.0.len() >= MAX_OPERATOR_MAILS
        {
            return Some(*first + HOUR - now);
        }
        self.0.push_back(now);
        None
    }
}

/// What is new since the operator was told.
struct News<'a> {
    begun: Vec<(&'static str, &'a str)>,
    over: Vec<&'static str>,
    /// What he knows, and is still so.
    still: Vec<&'static str>,
}

impl<'a> News<'a> {
    fn of(told: &BTreeSet<&'static str>, now: &'a BTreeMap<&'static str, String>) -> Option<Self> {
        let begun = now.iter().filter(|(code, _)| !told.contains(*code));
        let over = told.iter().filter(|code| !now.contains_key(*code));
        let still = told.iter().filter(|code| now.contains_key(*code));
        let news = Self {
            begun: begun.map(|(code, why)| (*code, why.as_str())).collect(),
            over: over.copied().collect(),
            still: still.copied().collect(),
        };
        (!news.begun.is_empty() || !news.over.is_empty()).then_some(news)
    }

    fn letter(&self, language: Language, place: &str) -> Letter {
        let begun: Vec<&str> = self.begun.iter().map(|(code, _)| *code).collect();
        let (begun, over, still) = (
            begun.join(", "),
            self.over.join(", "),
            self.still.join(", "),
        );
        let subject = match (language, self.begun.is_empty()) {
            (Language::En, false) => format!("Upline needs you: {begun}"),
            (Language::En, true) => format!("Upline: right again: {over}"),
            (Language::Zh, false) => format!("Upline 需要您处理：{begun}"),
            (Language::Zh, true) => format!("Upline 已恢复正常：{over}"),
        };
        let mut text = match language {
            Language::En => format!("This is Upline at {place}.\n"),
            Language::Zh => format!("这里是 Upline：{place}\n"),
        };
        for (code, why) in &self.begun {
            let (what, way) = words(code, language);
            let why = indented(&clipped(why, MAX_TOLD));
            // Writing to a text can't fail.
            let _ = match language {
                Language::En => write!(
                    text,
                    "\n{code}: {what}\nWhat to do: {way}\nWhat the log says:\n\n{why}\n"
                ),
                Language::Zh => write!(
                    text,
                    "\n{code}：{what}\n该做什么：{way}\n日志中的内容：\n\n{why}\n"
                ),
            };
        }
        for (list, en, zh) in [
            (over, "Right again", "已恢复正常"),
            (still, "Still wrong", "仍未恢复"),
        ] {
            let _ = match language {
                _ if list.is_empty() => Ok(()),
                Language::En => write!(text, "\n{en}: {list}\n"),
                Language::Zh => write!(text, "\n{zh}：{list}\n"),
            };
        }
        text.push_str(match language {
            Language::En => {
                "\n`upline status` and `/readyz` say how it is now; the log has more.\n"
            }
            Language::Zh => "\n现在的情况见 `upline status` 和 `/readyz`，详情见日志。\n",
        });
        Letter {
            language,
            brief: subject.clone(),
            subject,
            text,
            html: None,
            buttons: Vec::new(),
        }
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A code, what is wrong and what to do, in English and in Chinese.
type Words = (&'static str, [&'static str; 2], [&'static str; 2]);

/// What each trouble asks of the operator. One that is not here has the words of the last.
const WORDS: [Words; 9] = [
    (
        "files",
        [
            "a file of the folder of workflows has a mistake. What was in force before holds on.",
            "put the file right. It is read again by itself, or with SIGHUP.",
        ],
        [
            "流程文件夹中的文件有错误。此前生效的继续有效。",
            "改正该文件。它会自动重新读取，也可以用 SIGHUP。",
        ],
    ),
    (
        "no-files",
        [
            "the folder of workflows is empty. What was in force before holds on.",
            "put the files back.",
        ],
        ["流程文件夹是空的。此前生效的继续有效。", "把文件放回去。"],
    ),
    (
        "tokens",
        [
            "the file of tokens can't be used. Those from before hold on.",
            "put the file right. It is read again by itself, or with SIGHUP.",
        ],
        [
            "令牌文件无法使用。此前的令牌继续有效。",
            "改正该文件。它会自动重新读取，也可以用 SIGHUP。",
        ],
    ),
    (
        "templates",
        [
            "a template of yours can't be used. The shipped one is used in its place.",
            "put the template right; `upline notify preview` shows what it writes.",
        ],
        [
            "您的模板无法使用，已用自带的代替。",
            "改正该模板；`upline notify preview` 可以预览。",
        ],
    ),
    (
        "source",
        [
            "the map of a source names what the workflows do not have. Its messages are refused.",
            "put the map or the workflow right.",
        ],
        [
            "来源的映射用到了流程中没有的内容，其消息会被拒绝。",
            "改正映射或流程。",
        ],
    ),
    (
        "overrides",
        [
            "somebody was to stand in on call, and the directory does not have him or the schedule.",
            "put the directory right, or take it back with `upline oncall remove`.",
        ],
        [
            "有人安排了代班，而通讯录里没有这个人或这个值班表。",
            "改正通讯录，或用 `upline oncall remove` 撤销。",
        ],
    ),
    (
        "heartbeat",
        [
            "the monitor that is told that all is well can't be reached.",
            "look at the monitor, and at `url` in `[heartbeat]`.",
        ],
        [
            "无法向监控服务报平安。",
            "检查监控服务和 `[heartbeat]` 中的 `url`。",
        ],
    ),
    (
        "disk-full",
        [
            "the disk is full, and commands are refused. Nothing that was answered is lost.",
            "make room on it. It goes on by itself within seconds.",
        ],
        [
            "磁盘已满，命令被拒绝。已经回答过的都不会丢。",
            "腾出空间。几秒钟内它会自己继续。",
        ],
    ),
    (
        "",
        [
            "something around the daemon is wrong.",
            "see below, and the operators' page of the documentation.",
        ],
        ["守护进程周围有问题。", "见下文，以及文档中的运维页。"],
    ),
];

fn words(code: &str, language: Language) -> (&'static str, &'static str) {
    let found = WORDS.iter().find(|(known, ..)| *known == code);
    let (_, en, zh) = found.unwrap_or(&WORDS[WORDS.len() - 1]);
    let [what, way] = match language {
        Language::En => en,
        Language::Zh => zh,
    };
    (what, way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_an_hour_and_no_more() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let minute = |minute: usize| begin + Duration::from_secs(60) * minute as u32;
        for number in 0..MAX_OPERATOR_MAILS {
            assert_eq!(pace.rest(minute(number)), None);
        }
        let last = minute(MAX_OPERATOR_MAILS);
        let rest = pace.rest(last).unwrap();
        assert_eq!(last + rest, minute(60), "an hour after the first");
        assert_eq!(pace.rest(minute(60)), None);
        assert_eq!(pace.rest(minute(60)), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_letter_says_what_is_new_and_what_to_do_in_both_languages() {
        let told = BTreeSet::from(["tokens", "source"]);
        let now = BTreeMap::from([
            ("files", "error: one\n --> a.yaml:3:1".to_owned()),
            ("source", "x".to_owned()),
        ]);
        let news = News::of(&told, &now).unwrap();
        let letter = news.letter(Language::En, "https://t.example/");
        assert_eq!(letter.subject, "Upline needs you: files");
        for said in [
            "at https://t.example/.",
            "What to do: put the file right",
            "    error: one\n     --> a.yaml:3:1",
            "Right again: tokens",
            "Still wrong: source",
        ] {
            assert!(letter.text.contains(said), "{said}\n{}", letter.text);
        }
        let letter = news.letter(Language::Zh, "x");
        assert_eq!(letter.subject, "Upline 需要您处理：files");
        assert!(letter.text.contains("改正该文件") && letter.text.contains("已恢复正常：tokens"));
        let same = now.keys().copied().collect();
        assert!(News::of(&same, &now).is_none());
    }
}
