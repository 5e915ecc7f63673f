//! When more comes for one person than he can read: beyond so many mails a minute, what comes next is
//! gathered for a moment and goes in one mail. Each message waits for that mail, so that the fate of each is
//! known.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use upline::core::Name;
use upline::notify::SendError;

use crate::tell::{Language, Letter};

/// Most mails a minute to one person, unless the settings say otherwise, before the rest is gathered.
pub const DEFAULT_DIGEST_OVER: usize = 20;

/// For how long messages are gathered, unless the settings say otherwise; it is the longest too, so that what
/// is gathered is sent before the engine gives up waiting.
pub const MAX_DIGEST_WAIT: Duration = Duration::from_secs(15);

/// Most messages in one mail; what is more is tried again, and comes into the next one.
pub const MAX_IN_DIGEST: usize = 100;

/// In which time mails are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// From how many people on those who got nothing lately are forgotten.
const MANY: usize = 1000;

pub(super) type Verdict = Result<(), SendError>;

/// A message that waits for the mail it will be in.
pub(super) struct Item {
    letter: Letter,
    done: oneshot::Sender<Verdict>,
}

#[derive(Default)]
struct Flow {
    sent: VecDeque<Instant>,
    /// What is gathered, while somebody waits to send it.
    batch: Option<Vec<Item>>,
}

/// What has gone to whom lately, and what is gathered.
pub(super) struct Digests {
    most: usize,
    wait: Duration,
    people: Mutex<BTreeMap<Name, Flow>>,
}

/// What is to be done with a message.
pub(super) enum Turn<'a> {
    /// It is sent.
    Now,
    /// It is the first of a mail: whoever has it gathers the others, and sends them.
    First(Gathering<'a>),
    /// It is gathered.
    Joined(oneshot::Receiver<Verdict>),
    /// There is no room in the mail that is gathered.
    Full,
}

/// The right to send what is gathered. Dropped, the others are tried again.
pub(super) struct Gathering<'a> {
    digests: &'a Digests,
    person: Name,
    is_over: bool,
}

impl Digests {
    pub(super) fn new(most: usize, wait: Duration) -> Self {
        Self {
            most,
            wait,
            people: Mutex::default(),
        }
    }

    pub(super) fn turn(&self, person: &Name, letter: &Letter) -> Turn<'_> {
        let now = Instant::now();
        let is_old = |sent: &Instant| now.duration_since(*sent) >= WINDOW;
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() > MANY {
            people.retain(|_, flow| flow.batch.is_some() || !flow.sent.iter().all(is_old));
        }
        let flow = people.entry(person.clone()).or_default();
        while flow.sent.front().is_some_and(is_old) {
            flow.sent.pop_front();
        }
        match &mut flow.batch {
            None if flow.sent.len() < self.most => {
                flow.sent.push_back(now);
                Turn::Now
            }
            None => {
                flow.batch = Some(Vec::new());
                let person = person.clone();
                let digests = self;
                Turn::First(Gathering {
                    digests,
                    person,
                    is_over: false,
                })
            }
            // The first is not among them.
            Some(batch) if batch.len() + 1 >= MAX_IN_DIGEST => Turn::Full,
            Some(batch) => {
                let (done, verdict) = oneshot::channel();
                let letter = letter.clone();
                batch.push(Item { letter, done });
                Turn::Joined(verdict)
            }
        }
    }

    fn take(&self, person: &Name) -> Vec<Item> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let flow = people.get_mut(person);
        flow.and_then(|flow| flow.batch.take()).unwrap_or_default()
    }
}

impl Gathering<'_> {
    /// Waits until it is time; what was gathered besides the first.
    pub(super) async fn gathered(mut self) -> Vec<Item> {
        tokio::time::sleep(self.digests.wait).await;
        // What is gathered from now on is somebody else's.
        self.is_over = true;
        self.digests.take(&self.person)
    }
}

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // Whoever was gathered hears that nothing came of it.
            drop(self.digests.take(&self.person));
        }
    }
}

/// Tells each what became of the mail that it was in.
pub(super) fn settle(items: Vec<Item>, verdict: &Verdict) {
    for item in items {
        // The engine may have given up waiting.
        let _ = item.done.send(verdict.clone());
    }
}

/// What those hear whose mail was not sent by whoever gathered it.
pub(super) fn left() -> SendError {
    SendError::Temporary {
        reason: "the mail that it was to be in was not sent".to_owned(),
        after: None,
    }
}

/// What the id of a mail with several messages begins with.
const KEY: &str = "digest-";

/// The key of a mail with several messages: by that of the first, and how many others are in it.
pub(super) fn key(first: &str, others: usize) -> String {
    format!("{KEY}{first}-{others}")
}

/// Whether the id of a mail is that of one with several messages. It proves nothing, and need not: what
/// answers one is put aside.
pub(crate) fn is_digest(id: &str) -> bool {
    let local = id.split('@').next().unwrap_or_default();
    let Some(key) = local.strip_prefix(KEY) else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    key.split('-').count() == 3 && key.split('-').all(is_number)
}

/// The letter with all of them.
pub(super) fn letter(first: &Letter, items: &[Item]) -> Letter {
    let letters: Vec<&Letter> = std::iter::once(first)
        .chain(items.iter().map(|item| &item.letter))
        .collect();
    let count = letters.len();
    let (subject, words) = match first.language {
        Language::En => (
            format!("{count} messages"),
            format!(
                "So much has come for you that these {count} messages are in one mail. Nobody reads an \
                 answer to it: answer a mail about one ticket, or use the links below.\n"
            ),
        ),
        Language::Zh => (
            format!("{count} 条消息"),
            format!(
                "发给您的消息较多，以下 {count} 条合为一封邮件。对它的回复不会被处理：请回复单个工单的邮件，\
                 或使用下面的链接。\n"
            ),
        ),
    };
    let mut text = words;
    for (index, letter) in letters.iter().enumerate() {
        // Writing to a text can't fail.
        let _ = writeln!(text, "\n{}. {}", index + 1, letter.subject);
    }
    for (index, letter) in letters.iter().enumerate() {
        let line = "=".repeat(20);
        let (number, subject) = (index + 1, &letter.subject);
        let _ = write!(text, "\n{line}\n{number}. {subject}\n\n{}", letter.text);
    }
    Letter {
        language: first.language,
        brief: subject.clone(),
        subject,
        text,
        html: None,
        buttons: Vec::new(),
    }
}
