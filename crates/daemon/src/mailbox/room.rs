//! What becomes of a mail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use upline::clock::Clock;
use upline::core::{Actor, Branch, Command, Directory, Name, Rejection, Wish};
use upline::record::CommandId;
use upline::{Done, Error, Handle, Submission};

use super::attachments;
use super::automatic::Automatic;
use super::figures::{Became, Figures};
use super::mail::{self, Mail, cut};
use super::reply::Replies;
use super::settings::MailboxSettings;
use crate::tell::is_digest;
use crate::thread::Threads;

/// Most senders that are counted at once; beyond that those count anew who have sent least lately.
const MAX_SENDERS: usize = 10_000;
/// An hour, in seconds.
const HOUR: i64 = 3600;

/// What becomes of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What it asks for is on disk.
    Taken,
    /// It is put where an operator finds it, and this is why.
    Aside(String),
    /// It stays where it is until later, and this is why.
    Later(String),
}

/// A mailbox's way to the engine.
pub(crate) struct Room {
    pub(crate) name: Name,
    pub(crate) settings: MailboxSettings,
    pub(super) handle: Handle,
    pub(super) threads: Threads,
    pub(super) clock: Arc<dyn Clock>,
    pub(crate) figures: Figures,
    pub(super) replies: Replies,
    senders: Mutex<Senders>,
}

/// Why a mail is not taken.
#[derive(Debug)]
pub(super) enum Stop {
    Aside(String),
    Later(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => {
                Self::Aside(format!("the ticket refuses it: {rejection}"))
            }
            Error::SetAside { .. } => Self::Aside(error.to_string()),
            // The engine is busy, or stopping, or its files are wrong: a mail can wait.
            other => Self::Later(other.to_string()),
        }
    }
}

impl Room {
    pub(crate) fn new(
        name: Name,
        settings: MailboxSettings,
        handle: Handle,
        threads: Threads,
        clock: Arc<dyn Clock>,
        figures: Figures,
        replies: Replies,
    ) -> Self {
        Self {
            name,
            settings,
            handle,
            threads,
            clock,
            figures,
            replies,
            senders: Mutex::default(),
        }
    }

    /// Takes one mail. Given again it is the same: what was done is not done twice.
    pub(crate) async fn take(&self, bytes: Vec<u8>) -> Outcome {
        let read = tokio::task::spawn_blocking(move || mail::read(&bytes)).await;
        let read = read.unwrap_or_else(|_| Err("it can't be read".to_owned()));
        let mail = match read {
            Ok(mail) => mail,
            Err(why) => return self.aside(None, why),
        };
        match self.decide(&mail).await {
            Ok((became, ticket)) => {
                self.count_sender(&mail);
                self.figures.count(&self.name, became);
                tracing::info!(
                    code = "mail",
                    mailbox = %self.name,
                    id = mail.id.as_deref().unwrap_or_default(),
                    from = %mail.from.address,
                    ticket = %ticket,
                    became = ?became,
                    "a mail was taken"
                );
                Outcome::Taken
            }
            Err(Stop::Aside(why)) => self.aside(Some(&mail), why),
            Err(Stop::Later(why)) => Outcome::Later(why),
        }
    }

    /// A mail is put aside: it is there for the operator, and the log says why.
    pub(crate) fn aside(&self, mail: Option<&Mail>, why: String) -> Outcome {
        self.figures.count(&self.name, Became::Aside);
        tracing::warn!(
            code = "mail-aside",
            mailbox = %self.name,
            id = mail.and_then(|mail| mail.id.as_deref()).unwrap_or_default(),
            from = mail.map(|mail| mail.from.address.as_str()).unwrap_or_default(),
            subject = mail.map(|mail| mail.subject.as_str()).unwrap_or_default(),
            why = %why,
            "a mail was put aside"
        );
        Outcome::Aside(why)
    }

    async fn decide(&self, mail: &Mail) -> Result<(Became, Name), Stop> {
        let aside = |why: &str| Err(Stop::Aside(why.to_owned()));
        if self.settings.addresses.contains(&mail.from.address) {
            return aside("it is from this mailbox's own address");
        }
        match &mail.automatic {
            Some(Automatic::Own) => return aside("it is one of our own mails"),
            Some(Automatic::Says(what)) => {
                let why = format!("no person wrote it: {what} says so");
                return Err(Stop::Aside(why));
            }
            Some(Automatic::Report {
                about,
                reason,
                failed,
            }) => return self.report(mail, about, reason, *failed).await,
            None => (),
        }
        if !self.may_send(mail) {
            let why = format!(
                "its sender has sent more than {} mails in an hour",
                self.settings.per_hour()
            );
            return Err(Stop::Aside(why));
        }
        match self.answered(mail).await? {
            Some(answered) => self.answer(mail, answered).await,
            // It would open a ticket of what others were told, with their links in it.
            None if mail.refers.iter().any(|id| is_digest(id)) => {
                aside("it answers a mail with several messages in it, and does not say which")
            }
            None => self.open(mail, None).await,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.read().wall).unwrap_or_default()
    }

    pub(super) async fn directory(&self) -> Result<Arc<Directory>, Stop> {
        let directory = self.handle.directory().await?;
        directory.ok_or_else(|| Stop::Later(Error::NoDirectory.to_string()))
    }

    /// This mailbox, where it says something itself.
    pub(super) fn system(&self) -> Actor {
        Actor::System(Name::new(format!("mailbox {}", self.name)))
    }

    /// A command that a mail gives: the same, however often the mail is read.
    pub(super) fn submission(
        &self,
        mail: &Mail,
        what: &str,
        by: Actor,
        branch: Option<Branch>,
        wish: Wish,
    ) -> Submission {
        let mut hasher = blake3::Hasher::new_derive_key("upline 2026 command of a mail");
        hasher.update(&mail.digest());
        hasher.update(what.as_bytes());
        let hash = hasher.finalize();
        let id: CommandId = std::array::from_fn(|at| hash.as_bytes()[at]);
        let command = Command { by, branch, wish };
        let origin = Name::new(format!("mailbox {}", self.name));
        Submission::of(command).id(id).origin(origin)
    }

    /// Gives a command to a ticket. `Ok(Err)`: its rules refuse it.
    pub(super) async fn give(
        &self,
        ticket: &Name,
        submission: Submission,
    ) -> Result<Result<(), Rejection>, Stop> {
        match self.handle.submit(ticket, submission).await {
            Ok(Done { .. }) => Ok(Ok(())),
            // The mail was read before, when the settings or the ticket were others: it was carried out then.
            Err(Error::OtherCommand) => Ok(Ok(())),
            Err(Error::Rejected(rejection)) => Ok(Err(rejection)),
            Err(other) => Err(other.into()),
        }
    }

    /// A text with what is said of the attachments, no longer than a ticket holds.
    pub(super) fn whole_text(&self, mail: &Mail, text: &str, limit: usize) -> String {
        let language = self.settings.language;
        let folder = self.settings.attachments.as_deref();
        let lines = attachments::lines(mail, folder, language).join("\n");
        let text = match (text.trim(), lines.is_empty()) {
            ("", true) => language.without_text(),
            (text, _) => text,
        };
        let beside = lines.len() + language.cut_here().len() + 8;
        let room = limit.saturating_sub(beside);
        let mut all = cut(text, room).to_owned();
        if all.len() < text.len() {
            all = format!("{all}\n\n{}", language.cut_here());
        }
        if !lines.is_empty() {
            all = format!("{all}\n\n{lines}");
        }
        all.trim().to_owned()
    }

    /// The mail's attachments are on disk when this returns.
    pub(super) async fn keep_attachments(&self, mail: &Mail) -> Result<(), Stop> {
        let Some(folder) = self.settings.attachments.clone() else {
            return Ok(());
        };
        let (files, shown) = (mail.attachments.clone(), folder.display().to_string());
        let kept = tokio::task::spawn_blocking(move || attachments::keep(&files, &folder)).await;
        match kept {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Stop::Later(format!(
                "attachments can't be kept in `{shown}`: {error}"
            ))),
            Err(_) => Err(Stop::Later("stopped".to_owned())),
        }
    }

    fn may_send(&self, mail: &Mail) -> bool {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = senders.sent(&mail.from.address, self.now().as_second());
        sent < self.settings.per_hour()
    }

    fn count_sender(&self, mail: &Mail) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.count(&mail.from.address, self.now().as_second());
    }
}

/// How much each sender has sent in his hour.
#[derive(Debug, Default)]
struct Senders(BTreeMap<String, (i64, u32)>);

impl Senders {
    fn sent(&mut self, address: &str, now: i64) -> u32 {
        match self.0.get(address) {
            Some((since, count)) if now.saturating_sub(*since) < HOUR => *count,
            _ => 0,
        }
    }

    fn count(&mut self, address: &str, now: i64) {
        let over = |since: i64| now.saturating_sub(since) >= HOUR;
        if self.0.len() >= MAX_SENDERS {
            self.0.retain(|_, (since, _)| !over(*since));
        }
        if self.0.len() >= MAX_SENDERS {
            let least = self.0.values().map(|(_, count)| *count).min();
            self.0.retain(|_, (_, count)| Some(*count) > least);
        }
        let (since, count) = self.0.entry(address.to_owned()).or_insert((now, 0));
        if over(*since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_counted_by_the_hour_and_in_bounded_memory() {
        let mut senders = Senders::default();
        for _ in 0..5 {
            senders.count("a@x", 100);
        }
        assert_eq!(senders.sent("a@x", 100 + HOUR - 1), 5);
        assert_eq!(senders.sent("a@x", 100 + HOUR), 0);
        for other in 0..2 * MAX_SENDERS {
            senders.count(&format!("{other}@x"), 200);
        }
        assert!(senders.0.len() <= MAX_SENDERS);
        assert_eq!(senders.sent("a@x", 200), 5, "who sends much is remembered");
    }
}
