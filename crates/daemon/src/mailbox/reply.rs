//! A short mail back to whoever wrote a word of command that was not carried out.
//!
//! It goes to somebody of the directory, at the address that stands there, never to the one that the mail
//! names. What is to be sent is in the file `mailbox.NAME.replies` of the data folder before the mail counts
//! as taken, and leaves it when the server has it: so it is sent at least once, under one id. Mails that no
//! person wrote are put aside before anybody comes here, and what is sent says of itself that no person wrote
//! it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use upline::core::Name;
use upline::notify::SendError;

use super::room::{Room, Stop};
use crate::tell::{Language, Letter, Replier, Reply};

/// Most replies to one person within an hour; of more words the ticket tells alone.
pub const MAX_REPLIES_PER_HOUR: usize = 10;

/// Most replies of a mailbox that wait to be sent.
pub const MAX_REPLIES: usize = 1_000;

/// For how long a reply is tried, in seconds: later it says nothing that helps.
pub const REPLY_SECONDS: i64 = 24 * 3600;

/// After how long it is tried again, in seconds.
const AGAIN_SECONDS: i64 = 60;

const HOUR: i64 = 3600;

/// A reply that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// The same for every try, and for no other reply.
    pub(super) key: String,
    pub(super) ticket: Name,
    pub(super) person: Name,
    /// What he wrote.
    pub(super) word: String,
    /// Why it was not done, in his language.
    pub(super) why: String,
    pub(super) language: String,
    /// Since when it waits, in seconds since 1970.
    pub(super) since: i64,
}

/// The replies of a mailbox.
pub(super) struct Replies {
    path: PathBuf,
    /// `None`: no mail is sent at all.
    replier: Option<Replier>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// As far as they were read; `None`: not yet.
    waiting: Option<Vec<Waiting>>,
    /// When each person was written to in the last hour, and by which replies.
    written: BTreeMap<Name, Vec<(i64, String)>>,
    /// Not before this.
    again: i64,
}

impl Replies {
    pub(super) fn new(path: PathBuf, replier: Option<Replier>) -> Self {
        Self {
            path,
            replier,
            state: Mutex::default(),
        }
    }

    /// Notes what is to be sent; when this returns it is on disk. Whether it will be.
    pub(super) fn add(&self, reply: Waiting) -> Result<bool, String> {
        if self.replier.is_none() {
            return Ok(false);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting = self.waiting(&mut state)?;
        let written = state.written.entry(reply.person.clone()).or_default();
        written.retain(|(at, _)| reply.since.saturating_sub(*at) < HOUR);
        let is_known = waiting.iter().any(|one| one.key == reply.key);
        if is_known || written.iter().any(|(_, key)| *key == reply.key) {
            return Ok(true);
        }
        if written.len() >= MAX_REPLIES_PER_HOUR || waiting.len() >= MAX_REPLIES {
            return Ok(false);
        }
        let known = (reply.since, reply.key.clone());
        waiting.push(reply);
        // Known only when it is on disk: the mail that could not be noted is read again.
        self.store(&waiting)?;
        written.push(known);
        state.waiting = Some(waiting);
        Ok(true)
    }

    fn waiting(&self, state: &mut State) -> Result<Vec<Waiting>, String> {
        if let Some(waiting) = &state.waiting {
            return Ok(waiting.clone());
        }
        let read = match fs::read(&self.path) {
            // What can't be read says nothing that could still be sent.
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(format!("`{}`: {error}", self.path.display())),
        };
        state.waiting = Some(read);
        Ok(state.waiting.clone().unwrap_or_default())
    }

    fn store(&self, waiting: &[Waiting]) -> Result<(), String> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let written = (|| {
            if waiting.is_empty() {
                return match fs::remove_file(&self.path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                };
            }
            let mut file = fs::File::create(&new)?;
            file.write_all(&serde_json::to_vec(waiting)?)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            match self.path.parent() {
                Some(folder) => fs::File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        })();
        written.map_err(|error| format!("`{}`: {error}", self.path.display()))
    }

    /// The next one that is due to be sent.
    fn next(&self, now: i64) -> Option<Waiting> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.again {
            return None;
        }
        let waiting = self.waiting(&mut state).ok()?;
        waiting.first().cloned()
    }

    fn done(&self, reply: &Waiting) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = &mut state.waiting else {
            return;
        };
        waiting.retain(|one| one.key != reply.key);
        let waiting = waiting.clone();
        if let Err(why) = self.store(&waiting) {
            tracing::warn!(code = "mail-reply", why = %why, "a reply may be sent once more");
        }
    }

    fn wait(&self, now: i64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.again = now.saturating_add(AGAIN_SECONDS);
    }
}

impl Room {
    /// Notes that a person is to learn what was not done, and why. What stands in the way of that is in the
    /// log: the ticket tells it in any case.
    pub(super) async fn reply(&self, reply: Waiting) -> Result<(), Stop> {
        let (person, ticket) = (reply.person.clone(), reply.ticket.clone());
        match self.replies.add(reply) {
            Ok(true) => Ok(()),
            Ok(false) => {
                tracing::info!(
                    code = "mail-reply",
                    mailbox = %self.name,
                    ticket = %ticket,
                    person = %person,
                    "no reply is sent: he has got many, or no mail is sent"
                );
                Ok(())
            }
            Err(why) => Err(Stop::Later(why)),
        }
    }

    /// Sends what waits, until the server takes no more.
    pub(super) async fn send_replies(&self) {
        let now = self.now();
        while let Some(reply) = self.replies.next(now.as_second()) {
            let sent = self.send_reply(&reply, now).await;
            match sent {
                Ok(()) => (),
                Err(SendError::Temporary { reason, .. })
                    if now.as_second().saturating_sub(reply.since) < REPLY_SECONDS =>
                {
                    self.replies.wait(now.as_second());
                    tracing::info!(
                        code = "mail-reply",
                        mailbox = %self.name,
                        why = %reason,
                        "a reply waits and is tried again"
                    );
                    return;
                }
                Err(SendError::Temporary { reason, .. } | SendError::Permanent { reason }) => {
                    tracing::warn!(
                        code = "mail-reply",
                        mailbox = %self.name,
                        ticket = %reply.ticket,
                        person = %reply.person,
                        why = %reason,
                        "a reply was given up"
                    );
                }
            }
            self.replies.done(&reply);
        }
    }

    async fn send_reply(&self, reply: &Waiting, now: Timestamp) -> Result<(), SendError> {
        let Some(replier) = &self.replies.replier else {
            return Ok(());
        };
        let gone = |reason: String| SendError::Permanent { reason };
        let passing = |reason: String| SendError::Temporary {
            reason,
            after: None,
        };
        let directory = self.handle.directory().await;
        let directory = directory.map_err(|error| passing(error.to_string()))?;
        let person = directory.and_then(|all| all.people.get(&reply.person).cloned());
        let person = person.ok_or_else(|| gone("he is not in the directory any more".into()))?;
        let language = Language::of_tag(&reply.language).unwrap_or_default();
        let letter = letter(reply, language);
        let written = Timestamp::from_second(reply.since).unwrap_or(now);
        let reply = Reply {
            key: &reply.key,
            ticket: &reply.ticket,
            person: &person,
            written,
        };
        replier.send(&reply, &letter).await
    }
}

fn letter(reply: &Waiting, language: Language) -> Letter {
    let (ticket, word, why) = (&reply.ticket, &reply.word, &reply.why);
    let (subject, brief) = match language {
        Language::En => (
            format!("Not done: {word} (ticket {ticket})"),
            format!("You wrote “{word}” about ticket {ticket}. It was not done: {why}."),
        ),
        Language::Zh => (
            format!("未执行：{word}（工单 {ticket}）"),
            format!("您就工单 {ticket} 回复了“{word}”，未执行：{why}。"),
        ),
    };
    let rest = match language {
        Language::En => "Whatever else you wrote is kept with the ticket as a comment.",
        Language::Zh => "您写的其他内容已作为评论保存在工单中。",
    };
    Letter {
        language,
        text: format!("{brief}\n\n{rest}\n"),
        subject,
        html: None,
        brief,
        buttons: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Waiting {
        Waiting {
            key: "1-ann".into(),
            ticket: Name::new("1"),
            person: Name::new("ann"),
            word: "accept".into(),
            why: "it has ended".into(),
            language: "en".into(),
            since: 1_000,
        }
    }

    #[test]
    fn a_reply_that_could_not_be_noted_is_noted_when_its_mail_is_read_again() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("later").join("mailbox.desk.replies");
        let mail = "server = \"127.0.0.1\"\nsecurity = \"none\"\nfrom = \"desk@example.com\"";
        let threads = crate::tell::threads(data.path()).unwrap();
        let replier = Replier::new(&toml::from_str(mail).unwrap(), threads).unwrap();
        let replies = Replies::new(path.clone(), Some(replier));
        assert!(replies.add(one()).is_err());
        fs::create_dir(path.parent().unwrap()).unwrap();
        assert_eq!(replies.add(one()), Ok(true));
        let kept: Vec<Waiting> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(kept, [one()]);
    }
}
