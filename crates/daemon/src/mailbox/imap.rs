//! A mailbox on a server.
//!
//! Which mails were taken is known by their UIDs: a file in the data folder says how far it got, and under
//! which UIDVALIDITY. Where that file is missing, or the server has numbered its mails anew, those are taken
//! that are unseen. What was taken is marked on the server too, for people and for that case; a mail is
//! marked only when what it asks for is on disk.

mod place;
mod wire;

use std::path::Path;
use std::time::Duration;

use async_imap::Session;
use async_imap::error::Error;
use async_imap::types::Fetch;
use futures_util::TryStreamExt as _;
use tokio::time::timeout;

use super::mail::{MAX_MAIL_BYTES, line};
use super::maildir::REFUSED;
use super::room::{Outcome, Room};
use super::run::{Call, Lines, Woken};
use super::settings::ImapSettings;
use place::Place;
use wire::{MAX_ANSWER_BYTES, MAX_MAIL_ANSWER_BYTES, Wire};

/// How long a server may take for one answer.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// The first pause after a connection broke; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of them.
const LAST_PAUSE: Duration = Duration::from_secs(300);
/// How often one mail is tried that the server does not give, before it is passed over.
const MAX_TRIES: u32 = 5;
/// The flag of what was taken or put aside.
const TAKEN: &str = "upline-taken";
/// Longest part of what a server says that is told on, in characters.
const MAX_SAID_CHARS: usize = 300;

/// A mail that the server did not give.
#[derive(Debug, Default)]
struct Stuck {
    uid: u32,
    tries: u32,
}

/// Why a connection is over.
enum Over {
    /// It is to be.
    Stop,
    /// It broke, or a mail must wait.
    Broke(String),
}

impl From<Error> for Over {
    fn from(error: Error) -> Self {
        Self::Broke(line(&error.to_string(), MAX_SAID_CHARS))
    }
}

fn late<T>(_: T) -> Over {
    let seconds = ANSWER_TIME.as_secs();
    Over::Broke(format!("the server has not answered for {seconds} s"))
}

/// Before each command: what the server may answer, and what it said unasked is forgotten. It would be kept,
/// up to a hundred such answers, each as large as any.
fn begin(session: &mut Session<Wire>, bytes: usize) -> &mut Session<Wire> {
    session.as_mut().allow(bytes);
    while session.unsolicited_responses.try_recv().is_ok() {}
    session
}

/// Takes what comes until the daemon stops. A server that can't be reached is tried again, ever more rarely.
pub(super) async fn serve(room: &Room, settings: &ImapSettings, data: &Path, mut lines: Lines) {
    let mut pause = FIRST_PAUSE;
    let mut call: Option<Call> = None;
    let mut stuck = Stuck::default();
    loop {
        let mut client = Client {
            room,
            settings,
            data,
            stuck: &mut stuck,
            pause: &mut pause,
            call: &mut call,
        };
        let why = match client.serve(&mut lines).await {
            Over::Stop => return,
            Over::Broke(why) => why,
        };
        let server = &settings.server;
        room.figures
            .set_fault(&room.name, Some(format!("`{server}`: {why}")));
        if let Some(call) = call.take() {
            // Whoever called may have gone.
            let _ = call.send(());
        }
        match lines.wait(pause).await {
            Woken::Stop => return,
            Woken::Called(by) => call = Some(by),
            Woken::Time => pause = LAST_PAUSE.min(pause * 2),
        }
    }
}

struct Client<'a> {
    room: &'a Room,
    settings: &'a ImapSettings,
    data: &'a Path,
    stuck: &'a mut Stuck,
    pause: &'a mut Duration,
    call: &'a mut Option<Call>,
}

impl Client<'_> {
    async fn serve(&mut self, lines: &mut Lines) -> Over {
        match self.connected(lines).await {
            Ok(over) | Err(over) => over,
        }
    }

    async fn connected(&mut self, lines: &mut Lines) -> Result<Over, Over> {
        let connecting = timeout(ANSWER_TIME, wire::connect(self.settings));
        let mut session = connecting.await.map_err(late)?.map_err(Over::Broke)?;
        let asked = timeout(
            ANSWER_TIME,
            begin(&mut session, MAX_ANSWER_BYTES).capabilities(),
        );
        let can_idle = asked.await.map_err(late)??.has_str("IDLE");
        let selecting = begin(&mut session, MAX_ANSWER_BYTES).select(&self.settings.mailbox);
        let selecting = timeout(ANSWER_TIME, selecting);
        let mailbox = selecting.await.map_err(late)??;
        let validity = mailbox.uid_validity.ok_or_else(|| {
            Over::Broke(
                "the server does not number its mails, so none can be told from another".into(),
            )
        })?;
        let mut place = Place::read(self.data, &self.room.name, validity).map_err(Over::Broke)?;
        loop {
            if self.take_all(&mut session, &mut place, lines).await? {
                return Ok(Over::Stop);
            }
            self.room.send_replies().await;
            // Those from before that were seen are nobody's business any more.
            if let Some(next) = mailbox.uid_next {
                place.passed(next.saturating_sub(1)).map_err(Over::Broke)?;
            }
            self.room.figures.set_fault(&self.room.name, None);
            *self.pause = FIRST_PAUSE;
            if let Some(call) = self.call.take() {
                // Whoever called may have gone.
                let _ = call.send(());
            }
            let woken;
            (session, woken) = self.wait(session, can_idle, lines).await?;
            match woken {
                Woken::Stop => {
                    let leaving = begin(&mut session, MAX_ANSWER_BYTES).logout();
                    let _ = timeout(ANSWER_TIME, leaving).await;
                    return Ok(Over::Stop);
                }
                Woken::Called(by) => *self.call = Some(by),
                Woken::Time => (),
            }
        }
    }

    /// Waits until something may have come: the server says so, or it is time to look.
    async fn wait(
        &self,
        mut session: Session<Wire>,
        can_idle: bool,
        lines: &mut Lines,
    ) -> Result<(Session<Wire>, Woken), Over> {
        let every = self.room.settings.every();
        if !can_idle {
            let woken = lines.wait(every).await;
            return Ok((session, woken));
        }
        begin(&mut session, MAX_ANSWER_BYTES);
        let mut idle = session.idle();
        timeout(ANSWER_TIME, idle.init()).await.map_err(late)??;
        let woken = {
            let (news, _interrupt) = idle.wait_with_timeout(every);
            tokio::select! {
                woken = lines.wait(every) => woken,
                news = news => news.map(|_| Woken::Time)?,
            }
        };
        idle.as_mut().allow(MAX_ANSWER_BYTES);
        let session = timeout(ANSWER_TIME, idle.done()).await.map_err(late)??;
        Ok((session, woken))
    }

    /// Takes what is new; whether the daemon is stopping.
    async fn take_all(
        &mut self,
        session: &mut Session<Wire>,
        place: &mut Place,
        lines: &Lines,
    ) -> Result<bool, Over> {
        let query = match place.last() {
            Some(last) => format!("UID {}:* UNKEYWORD {TAKEN}", last.saturating_add(1)),
            None => format!("UNSEEN UNKEYWORD {TAKEN}"),
        };
        let searching = begin(session, MAX_ANSWER_BYTES).uid_search(&query);
        let found = timeout(ANSWER_TIME, searching);
        let found = found.await.map_err(late)??;
        // A range that ends in `*` has the last mail in it, also if it begins behind that.
        let is_new = |uid: &u32| place.last().is_none_or(|last| *uid > last);
        let mut uids: Vec<u32> = found.into_iter().filter(is_new).collect();
        uids.sort_unstable();
        for uid in uids {
            if *lines.stop.borrow() {
                return Ok(true);
            }
            self.take(session, uid).await?;
            place.passed(uid).map_err(Over::Broke)?;
        }
        Ok(false)
    }

    async fn take(&mut self, session: &mut Session<Wire>, uid: u32) -> Result<(), Over> {
        if self.stuck.uid == uid && self.stuck.tries >= MAX_TRIES {
            *self.stuck = Stuck::default();
            let why = format!("the server did not give it {MAX_TRIES} times; it has UID {uid}");
            let _ = self.room.aside(None, why);
            return Ok(());
        }
        let got = match fetch(session, uid).await {
            Ok(got) => got,
            Err(over) => {
                let tries = if self.stuck.uid == uid {
                    self.stuck.tries
                } else {
                    0
                };
                let tries = tries + 1;
                *self.stuck = Stuck { uid, tries };
                return Err(over);
            }
        };
        let outcome = match got {
            Got::Mail(bytes) => self.room.take(bytes).await,
            Got::TooLarge(bytes) => {
                let why = format!("it has {bytes} bytes, and at most {MAX_MAIL_BYTES} are read");
                self.room.aside(None, why)
            }
            // Somebody has removed it meanwhile.
            Got::Nothing => return Ok(()),
        };
        match outcome {
            Outcome::Taken => mark(session, uid, "").await,
            Outcome::Aside(_) => set_aside(session, uid).await,
            Outcome::Later(why) => Err(Over::Broke(why)),
        }
    }
}

enum Got {
    Mail(Vec<u8>),
    TooLarge(u32),
    Nothing,
}

/// What of a mail's data `wanted` finds first. Others' answers come in between: that a flag was set, for
/// example. They are not kept: a server can send any number.
async fn ask<T>(
    session: &mut Session<Wire>,
    uid: u32,
    what: (&str, usize),
    wanted: impl Fn(&Fetch) -> Option<T>,
) -> Result<Option<T>, Over> {
    let (query, most) = what;
    let all = async {
        let mut answers = begin(session, most)
            .uid_fetch(uid.to_string(), query)
            .await?;
        let mut found = None;
        while let Some(answer) = answers.try_next().await? {
            if found.is_none() && answer.uid == Some(uid) {
                found = wanted(&answer);
            }
        }
        Ok::<_, Error>(found)
    };
    let found = timeout(ANSWER_TIME, all).await.map_err(late)?;
    Ok(found?)
}

async fn fetch(session: &mut Session<Wire>, uid: u32) -> Result<Got, Over> {
    let size = ("(UID RFC822.SIZE)", MAX_ANSWER_BYTES);
    let Some(size) = ask(session, uid, size, |answer| answer.size).await? else {
        return Ok(Got::Nothing);
    };
    if usize::try_from(size).is_ok_and(|size| size > MAX_MAIL_BYTES) {
        return Ok(Got::TooLarge(size));
    }
    // Without `PEEK` it would be seen before it was taken. The size was only what the server says.
    let body = ("(UID BODY.PEEK[])", MAX_MAIL_ANSWER_BYTES);
    let body = ask(session, uid, body, |answer| {
        answer.body().map(<[u8]>::to_vec)
    })
    .await?;
    body.map(Got::Mail)
        .ok_or_else(|| Over::Broke(format!("the server gives no mail for UID {uid}")))
}

/// Marks it as seen and as taken; a server that keeps no flags of ours at least as seen.
async fn mark(session: &mut Session<Wire>, uid: u32, more: &str) -> Result<(), Over> {
    let flags = format!("+FLAGS.SILENT (\\Seen {TAKEN}{more})");
    match store(session, uid, &flags).await? {
        Ok(()) => Ok(()),
        Err(Error::No(_) | Error::Bad(_)) => {
            Ok(store(session, uid, "+FLAGS.SILENT (\\Seen)").await??)
        }
        Err(other) => Err(other.into()),
    }
}

async fn store(
    session: &mut Session<Wire>,
    uid: u32,
    flags: &str,
) -> Result<Result<(), Error>, Over> {
    let stored = async {
        let session = begin(session, MAX_ANSWER_BYTES);
        let answers = session.uid_store(uid.to_string(), flags).await?;
        answers.try_for_each(async |_| Ok(())).await
    };
    timeout(ANSWER_TIME, stored).await.map_err(late)
}

/// Puts a copy into the folder of what was put aside, and marks it.
async fn set_aside(session: &mut Session<Wire>, uid: u32) -> Result<(), Over> {
    let id = uid.to_string();
    let copying = begin(session, MAX_ANSWER_BYTES).uid_copy(&id, REFUSED);
    let copied = timeout(ANSWER_TIME, copying).await.map_err(late)?;
    match copied {
        Ok(()) => (),
        Err(Error::No(_) | Error::Bad(_)) => {
            // The folder is not there yet. Where none can be made, the flag says it alone.
            let making = begin(session, MAX_ANSWER_BYTES).create(REFUSED);
            let made = timeout(ANSWER_TIME, making).await.map_err(late)?;
            if made.is_ok() {
                let copying = begin(session, MAX_ANSWER_BYTES).uid_copy(&id, REFUSED);
                match timeout(ANSWER_TIME, copying).await.map_err(late)? {
                    Ok(()) | Err(Error::No(_) | Error::Bad(_)) => (),
                    Err(other) => return Err(other.into()),
                }
            }
        }
        Err(other) => return Err(other.into()),
    }
    mark(session, uid, &format!(" {REFUSED}")).await
}
