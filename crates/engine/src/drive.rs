//! The engine without a thread, a clock or a runtime: whoever has a loop of his own drives it turn by turn.
//!
//! It is the code that [`Engine`](crate::Engine) runs, so a simulation that kills it between any two
//! operations
//! of its disk tests what runs.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use upline::core::{Actor, Wish};
//! use upline::drive::{Driver, Reading};
//! use upline::record::File;
//! use upline::store::MemoryStore;
//! use upline::Submission;
//!
//! let desk = "
//! directory: acme
//! last-resort: user max
//! people: { ann: { mail: ann@example.com }, max: { mail: max@example.com } }
//! ";
//! let call = "
//! workflow: call
//! start: asked
//! ladders: { climb: [{ after: 15 min, assign: user max }] }
//! states:
//!   asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
//!   closed: { end: done }
//! ";
//! let mut reading = Reading { wall: 1_772_791_200_000, steady: 0 };
//! let mut driver = Driver::open(MemoryStore::new(), reading, Default::default(), 1)?;
//! let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
//! driver.deploy(vec![file("desk.yaml", desk), file("call.yaml", call)], |done| assert!(done.is_ok()));
//! let open = Wish::Open { ticket: "".into(), key: None, parent: None, fields: vec![] };
//! let open = Submission::new(Actor::Person("max".into()), open);
//! driver.open_ticket("call", open, |done| assert_eq!(done.unwrap().id, "1"));
//!
//! let turn = driver.turn(reading);
//! assert_eq!(turn.messages.len(), 1, "ann is told");
//! reading.wall += 15 * 60_000;
//! reading.steady += 15 * 60_000;
//! let turn = driver.turn(reading);
//! assert_eq!(turn.messages[0].1.to.name(), "max");
//! # Ok::<(), upline::store::StoreError>(())
//! ```

use std::time::Duration;

use upline_core::{Name, Ticket};

use crate::error::Error;
use crate::floor::{Deployed, Done, Incident, Status, Target};
use crate::notify::{Message, SendError};
use crate::record::File;
use crate::store::{Store, StoreError};
use crate::writer::{Input, Writer};
use crate::{Submission, engine};

pub use crate::clock::Reading;
pub use crate::outbox::{MessageId, OutboxOptions};

/// See the module.
pub struct Driver {
    writer: Writer,
    inputs: Vec<Input>,
}

/// What a turn has come to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Turn {
    /// After how long the next turn is needed though nothing comes in. `None`: only when something does.
    pub wake: Option<Duration>,
    /// Messages that must be sent now; what became of each goes to [`Driver::sent`].
    pub messages: Vec<(MessageId, Message)>,
    /// What an operator must know.
    pub incidents: Vec<Incident>,
}

impl Driver {
    /// Goes on from what the store says. The seed spreads the waits between tries of messages.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(
        store: impl Store + 'static,
        reading: Reading,
        outbox: OutboxOptions,
        seed: u64,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            writer: Writer::open(Box::new(store), reading, outbox, seed)?,
            inputs: Vec::new(),
        })
    }

    /// Opens a ticket in the next turn; `reply` is called when that is on disk, or was refused.
    pub fn open_ticket(
        &mut self,
        workflow: &str,
        submission: Submission,
        reply: impl FnOnce(Result<Done, Error>) + Send + 'static,
    ) {
        let request = submission.opening(workflow);
        let input = Input::Open(Name::new(workflow), request, Box::new(reply));
        self.inputs.push(input);
    }

    /// Does something to a ticket in the next turn.
    pub fn submit(
        &mut self,
        target: Target,
        submission: Submission,
        reply: impl FnOnce(Result<Done, Error>) + Send + 'static,
    ) {
        let request = submission.moving(&target);
        self.inputs
            .push(Input::Submit(target, request, Box::new(reply)));
    }

    /// Files that hold from the next turn on. They are checked now, together with those that hold.
    pub fn deploy(
        &mut self,
        files: Vec<File>,
        reply: impl FnOnce(Result<Deployed, Error>) + Send + 'static,
    ) {
        let known = self.writer.files();
        match engine::check(known, &files, self.writer.now()) {
            Ok(_) => self.inputs.push(Input::Deploy(files, Box::new(reply))),
            Err(error) => reply(Err(error)),
        }
    }

    /// What became of a message.
    pub fn sent(&mut self, message: MessageId, result: Result<(), SendError>) {
        self.inputs.push(Input::Sent(message, result));
    }

    /// An operator says that the clock on the wall is right.
    pub fn believe_clock(&mut self) {
        self.inputs.push(Input::Believe);
    }

    /// The ticket as it is on disk, in the next turn; `None`: no such ticket is open.
    pub fn ticket(
        &mut self,
        id: &str,
        reply: impl FnOnce(Result<Option<Ticket>, Error>) + Send + 'static,
    ) {
        let target = Target::Id(Name::new(id));
        self.inputs.push(Input::Look(Box::new(move |open| {
            reply(open.and_then(|(floor, store)| {
                let Some(number) = floor.find(&target) else {
                    return Ok(None);
                };
                Ok(Some(floor.record(store, number)?.ticket.clone()))
            }));
        })));
    }

    /// How everything is, in the next turn.
    pub fn status(&mut self, reply: impl FnOnce(Result<Status, Error>) + Send + 'static) {
        self.inputs.push(Input::Status(Box::new(reply)));
    }

    /// Takes in what was given since the last turn, lets due clocks fire, commits, answers. If there is more
    /// than fits into one commit, there are several.
    pub fn turn(&mut self, reading: Reading) -> Turn {
        let mut turn = self.writer.turn(reading, std::mem::take(&mut self.inputs));
        let mut whole = Turn {
            wake: turn.wake,
            messages: std::mem::take(&mut turn.messages),
            incidents: std::mem::take(&mut turn.incidents),
        };
        while self.writer.is_busy() {
            let more = self.writer.turn(reading, []);
            whole.wake = more.wake;
            whole.messages.extend(more.messages);
            whole.incidents.extend(more.incidents);
        }
        // A later commit of this turn may have withdrawn what an earlier one had to tell.
        whole
            .messages
            .retain(|(message, _)| self.writer.is_to_be_sent(*message));
        whole
    }
}
