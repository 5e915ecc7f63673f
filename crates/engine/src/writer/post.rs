//! Messages: which must be sent now, and what became of them.

use upline_core::ticket::NoticeId;
use upline_core::{Actor, Command, Fact, Name, Recipient, Topic, Wish};

use super::{Input, Writer};
use crate::floor::{Fault, instant};
use crate::notify::{Comment, MAX_LOOKED_BACK, Message, SendError};
use crate::outbox::{self, MessageId};
use crate::record::{Entry, Fate, Millis, Moved, Number, Settled, Unsent};
use crate::store::StoreError;

/// Most messages that go out after a commit while more clocks are due: these come first.
const MESSAGES_IN_A_HERD: usize = 32;

impl Writer {
    /// Takes the messages of tickets that have changed into the outbox.
    ///
    /// # Errors
    /// If a ticket can't be read now. The outbox lacks its messages then, and knows of no time to look again:
    /// the store must count as failed, so that all of them are taken in anew when it is opened again.
    pub(super) fn take_messages(&mut self) -> Result<(), StoreError> {
        let now = self.floor.now;
        for number in std::mem::take(&mut self.floor.unsent) {
            match self.floor.record(&mut *self.store, number) {
                Ok(record) => self.outbox.add(record, now, self.last.steady),
                // A damaged ticket is set aside, and its messages are taken in when it is let go on.
                Err(Fault::Store(error)) if !matches!(error, StoreError::Ticket { .. }) => {
                    return Err(error);
                }
                Err(_) => (),
            }
        }
        Ok(())
    }

    /// The messages whose turn has come. Those about something that is over are withdrawn.
    pub(super) fn messages(&mut self, now: Millis) -> Vec<(MessageId, Message)> {
        let mut messages = Vec::new();
        let is_herd = self.floor.next_wake().is_some_and(|at| at <= now);
        let most = if is_herd {
            MESSAGES_IN_A_HERD
        } else {
            usize::MAX
        };
        while messages.len() < most
            && let Some(id) = self.outbox.take(now)
        {
            let (number, notice) = id;
            let directory = self.floor.directory.clone();
            let Ok(record) = self.floor.record(&mut *self.store, number) else {
                self.outbox.failed(id, now, None);
                continue;
            };
            let unsent = record.unsent.iter();
            let Some(unsent) = unsent.into_iter().find(|one| one.notice.id == notice) else {
                self.outbox.done(id);
                continue;
            };
            if !outbox::is_needed(record, unsent) {
                self.waiting.push_back(Input::Sent(id, Err(withdrawn())));
                continue;
            }
            let (unsent, ticket) = (unsent.clone(), record.ticket.clone());
            let last = record.last;
            let Ok(comment) = self.comment(id, &unsent, last) else {
                self.outbox.failed(id, now, None);
                continue;
            };
            match self.outbox.turn(id, &unsent, now) {
                outbox::Turn::GiveUp => {
                    let reason = "it could not be delivered for too long".to_owned();
                    let gone = SendError::Permanent { reason };
                    self.waiting.push_back(Input::Sent(id, Err(gone)));
                }
                outbox::Turn::Send(attempt) => {
                    let person = match &unsent.notice.to {
                        Recipient::Person(name) => directory
                            .as_ref()
                            .and_then(|directory| directory.people.get(name).cloned()),
                        Recipient::Contact(_) => None,
                    };
                    let workflows = &self.floor.workflows;
                    let workflow = workflows.version(&ticket.workflow, ticket.version);
                    let message = Message {
                        // Not by the id: when its ticket has ended, a caller may give it to another one.
                        key: format!("{number}-{notice}"),
                        workflow: workflow.cloned(),
                        directory,
                        ticket,
                        branch: unsent.branch,
                        to: unsent.notice.to,
                        person,
                        via: unsent.notice.via,
                        topic: unsent.notice.topic,
                        comment,
                        written: instant(unsent.at),
                        now: instant(now),
                        attempt,
                    };
                    messages.push((id, message));
                }
            }
        }
        messages
    }

    /// What was said, if the message is about that. Its text stands in the journal alone, sealed there, and
    /// not a second time beside the ticket: the ticket's commits are gone through backwards from the last.
    fn comment(
        &self,
        (number, notice): MessageId,
        unsent: &Unsent,
        last: u64,
    ) -> Result<Option<Comment>, StoreError> {
        if unsent.notice.topic != Topic::Commented {
            return Ok(None);
        }
        let mut next = Some(last);
        for _ in 0..MAX_LOOKED_BACK {
            let Some(position) = next else { break };
            let Some(commit) = self.store.read(position)? else {
                break;
            };
            if commit.at < unsent.at {
                break;
            }
            let of_it = commit.entries.into_iter().filter_map(|entry| match entry {
                Entry::Moved(moved) if moved.number == number => Some(moved),
                _ => None,
            });
            let moves: Vec<Moved> = of_it.collect();
            next = moves.first().and_then(|moved| moved.previous);
            let said = moves.into_iter().find_map(|moved| said(moved, notice));
            if let Some(said) = said {
                return Ok(Some(said).filter(|said| !said.text.is_empty()));
            }
        }
        Ok(None)
    }

    /// From now on no message is begun.
    pub(crate) fn begin_no_message(&mut self) {
        self.quiet = true;
    }

    /// Whether a message is under way.
    pub(crate) fn is_sending(&self) -> bool {
        self.outbox.under_way() > 0
    }

    /// Whether the fate of a message is not known yet.
    pub(crate) fn is_to_be_sent(&self, id: MessageId) -> bool {
        self.outbox.has(id)
    }

    /// What became of a message is a command like any other: too late, it does nothing.
    pub(super) fn sent(
        &mut self,
        id: MessageId,
        result: Result<(), SendError>,
    ) -> Result<(), StoreError> {
        let now = self.floor.now;
        let (number, notice) = id;
        let (fate, wish) = match result {
            Ok(()) => (Fate::Delivered, Some(Wish::Delivered { notice })),
            Err(error) if error == withdrawn() => (Fate::Withdrawn, None),
            Err(SendError::Temporary { after, .. }) => {
                self.outbox.failed(id, now, after);
                return Ok(());
            }
            Err(SendError::Permanent { reason }) => {
                (Fate::Failed, Some(Wish::Undeliverable { notice, reason }))
            }
        };
        let Some(tries) = self.outbox.done(id) else {
            return Ok(());
        };
        self.outbox.given_up += u64::from(fate == Fate::Failed);
        let settled = Settled {
            notice,
            fate,
            tries,
        };
        let told = self.tell(number, wish, settled);
        match told {
            Err(Fault::Store(error)) if !matches!(error, StoreError::Ticket { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    fn tell(&mut self, number: Number, wish: Option<Wish>, settled: Settled) -> Result<(), Fault> {
        let (floor, store) = (&mut self.floor, &mut *self.store);
        if let Some(wish) = wish {
            let command = Command {
                by: Actor::System(Name::new_static("outbox")),
                branch: None,
                wish,
            };
            floor.report(store, number, command)?;
        }
        floor.settled(store, number, vec![settled])
    }
}

/// How a message that is over leaves the outbox.
fn withdrawn() -> SendError {
    SendError::Permanent {
        reason: String::new(),
    }
}

/// The comment in these events that the message is about.
fn said(moved: Moved, notice: NoticeId) -> Option<Comment> {
    let mut before = None;
    for event in moved.events {
        if event.fact.notices().iter().any(|one| one.id == notice) {
            return before;
        }
        if let Fact::Commented {
            by,
            text,
            to_caller,
            ..
        } = event.fact
        {
            before = Some(Comment {
                by,
                text,
                to_caller,
            });
        }
    }
    None
}
