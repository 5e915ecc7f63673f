//! The mailboxes at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use upline::Handle;
use upline::clock::Clock;
use upline::core::Name;

use super::figures::Figures;
use super::reply::Replies;
use super::room::Room;
use super::settings::{MailboxSettings, Where};
use super::{imap, maildir};
use crate::limits::GRACE;
use crate::tell::{MailSettings, Replier};
use crate::thread::Threads;

/// Most calls to look that wait.
const MAX_CALLS: usize = 16;

/// Somebody wants to know when the next look is over.
pub(super) type Call = oneshot::Sender<()>;

/// All that the mailboxes need.
pub(crate) struct Given {
    pub(crate) mailboxes: BTreeMap<String, MailboxSettings>,
    pub(crate) data: PathBuf,
    pub(crate) handle: Handle,
    pub(crate) threads: Threads,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) figures: Figures,
    /// How mail is sent, if any is.
    pub(crate) mail: Option<MailSettings>,
}

/// The mailboxes at work. Dropped, they stop by themselves.
#[derive(Debug)]
pub(crate) struct Mailboxes {
    tasks: Vec<(mpsc::Sender<Call>, JoinHandle<()>)>,
    stop: watch::Sender<bool>,
}

/// One mailbox's ways from outside.
pub(super) struct Lines {
    pub(super) calls: mpsc::Receiver<Call>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Why a wait is over.
pub(super) enum Woken {
    Stop,
    Called(Call),
    /// The time has passed.
    Time,
}

impl Lines {
    /// Waits for a stop, a call, or this long.
    pub(super) async fn wait(&mut self, time: Duration) -> Woken {
        tokio::select! {
            // An error is a daemon that was dropped: that is a stop too.
            _ = self.stop.wait_for(|stop| *stop) => Woken::Stop,
            called = self.calls.recv() => called.map_or(Woken::Stop, Woken::Called),
            () = tokio::time::sleep(time) => Woken::Time,
        }
    }
}

/// Lets each mailbox work, in a task of its own.
pub(crate) fn start(given: Given) -> Mailboxes {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    for (name, settings) in given.mailboxes {
        let Some(place) = settings.place() else {
            continue;
        };
        let replier = given.mail.as_ref().and_then(|mail| {
            // The same settings have made the way by which messages go.
            Replier::new(mail, given.threads.clone()).ok()
        });
        let replies = given.data.join(format!("mailbox.{name}.replies"));
        let replies = Replies::new(replies, replier);
        let room = Room::new(
            Name::new(name),
            settings,
            given.handle.clone(),
            given.threads.clone(),
            Arc::clone(&given.clock),
            given.figures.clone(),
            replies,
        );
        // It is there from now on, and nothing is wrong yet.
        room.figures.set_fault(&room.name, None);
        let (call, calls) = mpsc::channel(MAX_CALLS);
        let stop = stopped.clone();
        let lines = Lines { calls, stop };
        let data = given.data.clone();
        let task = tokio::spawn(async move {
            match place {
                Where::Folder(folder) => watch_folder(&room, &folder, lines).await,
                Where::Imap(settings) => imap::serve(&room, &settings, &data, lines).await,
            }
        });
        tasks.push((call, task));
    }
    Mailboxes { tasks, stop }
}

async fn watch_folder(room: &Room, folder: &Path, mut lines: Lines) {
    let mut call: Option<Call> = None;
    loop {
        let looked = maildir::look(room, folder, &lines.stop).await;
        room.send_replies().await;
        room.figures.set_fault(&room.name, looked.err());
        if let Some(call) = call.take() {
            // Whoever called may have gone.
            let _ = call.send(());
        }
        match lines.wait(room.settings.every()).await {
            Woken::Stop => return,
            Woken::Called(by) => call = Some(by),
            Woken::Time => (),
        }
    }
}

impl Mailboxes {
    /// Looks at all of them now, and answers when that is over.
    pub(crate) async fn look(&self) {
        for (calls, _) in &self.tasks {
            let (call, over) = oneshot::channel();
            if calls.send(call).await.is_ok() {
                // An error is a look that was broken off.
                let _ = over.await;
            }
        }
    }

    /// Stops them, after the mail that each is at; all together have [`GRACE`].
    pub(crate) async fn stop(self) {
        let end = Instant::now() + GRACE;
        // Nobody listens if there is no mailbox.
        let _ = self.stop.send(true);
        for (calls, mut task) in self.tasks {
            drop(calls);
            if timeout_at(end, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
