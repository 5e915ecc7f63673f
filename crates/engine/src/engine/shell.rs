//! What surrounds the writer in its thread: the clock, those who send messages, and what comes in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::OnIncident;
use crate::clock::Clock;
use crate::floor::Incident;
use crate::notify::{Message, Notifier, SendError};
use crate::outbox::MessageId;
use crate::writer::{Input, Turn, Writer};

/// What the writer's thread receives.
pub(super) enum Mail {
    Input(Box<Input>),
    /// Time has moved.
    Wake,
    /// Something for the operator, from beside the writer.
    #[cfg_attr(
        not(any(feature = "sled", test)),
        expect(dead_code, reason = "only the index has something to tell")
    )]
    Told(Incident),
    /// Stop; messages under way have so long.
    Stop(Duration),
}

/// In place of a time: all commands that ever came are remembered.
pub(super) const NOTHING_FORGOTTEN: i64 = i64::MIN;

/// What surrounds the writer in its thread.
pub(super) struct Shell {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) inbox: Sender<Mail>,
    pub(super) on_incident: OnIncident,
    /// Until when commands may have been forgotten, for the handles.
    pub(super) recall: Arc<AtomicI64>,
    /// It is to stop, and until when messages under way are waited for.
    pub(super) stop: Option<Instant>,
}

impl Shell {
    pub(super) fn recall(&self, writer: &Writer) {
        let until = writer.forgotten_until().unwrap_or(NOTHING_FORGOTTEN);
        self.recall.store(until, Ordering::Release);
    }

    pub(super) fn run(mut self, writer: &mut Writer, receiver: &Receiver<Mail>) {
        let mut inputs = Vec::new();
        loop {
            if self.stop.is_some() {
                writer.begin_no_message();
            }
            let turn = writer.turn(self.clock.read(), inputs.drain(..));
            let wake = turn.wake;
            self.recall(writer);
            self.carry_out(turn);
            if writer.is_busy() {
                self.take_all(receiver, &mut inputs);
                continue;
            }
            let mail = match self.stop {
                None => self.wait(receiver, wake),
                // Whatever the clock shows: notifiers take real time.
                Some(end) if writer.is_sending() => {
                    let rest = end.saturating_duration_since(Instant::now());
                    match receiver.recv_timeout(rest) {
                        Ok(mail) => Some(mail),
                        Err(_) => return,
                    }
                }
                Some(_) => return,
            };
            if let Some(mail) = mail {
                self.take(mail, &mut inputs);
            }
            self.take_all(receiver, &mut inputs);
        }
    }

    fn wait(&self, receiver: &Receiver<Mail>, wake: Option<Duration>) -> Option<Mail> {
        let rest = wake.unwrap_or(Duration::MAX);
        if rest.is_zero() {
            return None;
        }
        match self.clock.idle(rest) {
            Some(rest) => match receiver.recv_timeout(rest) {
                Ok(mail) => Some(mail),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Mail::Stop(Duration::ZERO)),
            },
            None => receiver.recv().ok().or(Some(Mail::Stop(Duration::ZERO))),
        }
    }

    /// Takes what has come meanwhile: that is the next commit.
    fn take_all(&mut self, receiver: &Receiver<Mail>, inputs: &mut Vec<Input>) {
        for mail in receiver.try_iter() {
            self.take(mail, inputs);
        }
    }

    fn take(&mut self, mail: Mail, inputs: &mut Vec<Input>) {
        match mail {
            Mail::Input(input) => inputs.push(*input),
            Mail::Told(incident) => self.tell(incident),
            Mail::Wake => (),
            Mail::Stop(grace) => {
                let end = Instant::now() + grace;
                self.stop = Some(self.stop.map_or(end, |before| before.min(end)));
            }
        }
    }

    /// Whoever is told may panic, as `eprintln!` does when nobody reads: tickets go on.
    fn tell(&mut self, incident: Incident) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.on_incident)(incident)));
    }

    fn carry_out(&mut self, turn: Turn) {
        for incident in turn.incidents {
            self.tell(incident);
        }
        for (id, message) in turn.messages {
            let notifier = Arc::clone(&self.notifier);
            let inbox = self.inbox.clone();
            self.runtime
                .spawn(async move { send(notifier, id, message, &inbox).await });
        }
    }
}

/// Sends one message in a task of its own, so that a notifier that panics has only failed.
async fn send(notifier: Arc<dyn Notifier>, id: MessageId, message: Message, inbox: &Sender<Mail>) {
    let task = tokio::spawn(async move { notifier.send(&message).await });
    let result = task.await.unwrap_or_else(|_| {
        Err(SendError::Temporary {
            reason: "the notifier has panicked".into(),
            after: None,
        })
    });
    // After the engine has stopped the message is tried again at the next start.
    let _ = inbox.send(Mail::Input(Box::new(Input::Sent(id, result))));
}
