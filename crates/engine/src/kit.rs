//! What the engine's tests have in common: a small desk, and a writer that is driven by hand.

pub(crate) mod reads;
pub(crate) mod told;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use upline_core::{Actor, Command, Name, Wish};

use crate::clock::Reading;
use crate::error::Error;
use crate::floor::{Done, Incident, Request, Target};
use crate::notify::{Message, SendError};
use crate::outbox::{MessageId, OutboxOptions};
use crate::record::File;
use crate::store::{Store, StoreError};
use crate::vault::Entropy;
use crate::writer::{Input, Turn, Writer};

pub(crate) const DESK: &str = "
directory: acme
last-resort: user max
people:
  ann: { name: Ann, mail: ann@example.com }
  bob: { name: Bob, mail: bob@example.com }
  lea: { name: Lea, mail: lea@example.com }
  max: { name: Max, mail: max@example.com }
groups:
  desk: { members: [ann, bob], lead: lea, manager: max }
";

pub(crate) const CALL: &str = "
workflow: call
start: asked
fields:
  caller: { type: contact, label: Caller }
ladders:
  climb: [{ after: 15 min, assign: another in desk }, { after: 30 min, assign: lead of desk }]
states:
  asked:
    assign: least busy in desk
    escalate: climb
    form: [caller]
    actions: { accept: { goto: working }, done: { goto: closed } }
  working:
    assign: who did accept
    escalate: climb
    actions: { done: { goto: closed } }
  closed: { end: done }
";

pub(crate) fn begin() -> Timestamp {
    "2026-03-06T09:00:00Z".parse().unwrap()
}

pub(crate) fn person(name: &str) -> Actor {
    Actor::Person(name.into())
}

pub(crate) fn files() -> Vec<File> {
    let file = |name: &str, text: &str| File {
        name: name.into(),
        text: text.into(),
    };
    vec![file("desk.yaml", DESK), file("call.yaml", CALL)]
}

/// The same bytes at every run.
pub(crate) fn entropy(seed: u64) -> Entropy {
    let state = Mutex::new(seed | 1);
    Arc::new(move |bytes| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *byte = (*state >> 32) as u8;
        }
        Ok(())
    })
}

/// A writer that is driven by hand, one turn at a time.
pub(crate) struct Hand {
    pub(crate) writer: Writer,
    pub(crate) reading: Reading,
}

type Answer<T> = Arc<Mutex<Option<Result<T, Error>>>>;

impl Hand {
    pub(crate) fn open(store: impl Store + 'static, at: Timestamp) -> Result<Self, StoreError> {
        let reading = Reading {
            wall: at.as_millisecond(),
            steady: 0,
        };
        let writer = Writer::open(Box::new(store), reading, OutboxOptions::default(), 1)?;
        Ok(Self { writer, reading })
    }

    pub(crate) fn turn(&mut self, inputs: Vec<Input>) -> Turn {
        let mut turn = self.writer.turn(self.reading, inputs);
        while self.writer.is_busy() {
            let next = self.writer.turn(self.reading, []);
            turn.messages.extend(next.messages);
            turn.incidents.extend(next.incidents);
            turn.wake = next.wake;
        }
        turn
    }

    pub(crate) fn pass(&mut self, seconds: i64) -> Turn {
        self.reading.wall += seconds * 1000;
        self.reading.steady += seconds * 1000;
        self.turn(Vec::new())
    }

    /// Delivers all messages.
    pub(crate) fn deliver(&mut self, messages: Vec<(MessageId, Message)>) -> Turn {
        let sent = messages.into_iter();
        let sent = sent.map(|(id, _)| Input::Sent(id, Ok::<(), SendError>(())));
        self.turn(sent.collect())
    }

    pub(crate) fn ask<T: Send + 'static>(
        &mut self,
        input: impl FnOnce(crate::writer::Reply<T>) -> Input,
    ) -> Result<T, Error> {
        self.ask_and_hear(input).0
    }

    /// What was answered, and what was told to the operator.
    pub(crate) fn ask_and_hear<T: Send + 'static>(
        &mut self,
        input: impl FnOnce(crate::writer::Reply<T>) -> Input,
    ) -> (Result<T, Error>, Vec<Incident>) {
        let answer: Answer<T> = Arc::default();
        let reply = Arc::clone(&answer);
        let input = input(Box::new(move |done| {
            *reply.lock().unwrap() = Some(done);
        }));
        let turn = self.turn(vec![input]);
        let answered = answer.lock().unwrap().take();
        (answered.unwrap(), turn.incidents)
    }

    pub(crate) fn deploy(&mut self) {
        let deployed = self.ask(|reply| Input::Deploy(files(), reply)).unwrap();
        assert!(deployed.directory);
    }

    pub(crate) fn open_ticket(&mut self, caller: &str) -> Result<Done, Error> {
        self.open_ticket_and_hear(caller).0
    }

    pub(crate) fn open_ticket_and_hear(
        &mut self,
        caller: &str,
    ) -> (Result<Done, Error>, Vec<Incident>) {
        let wish = Wish::Open {
            ticket: Name::default(),
            key: None,
            parent: None,
            fields: vec![("caller".into(), caller.into())],
        };
        let request = Request::own(command("max", wish), "test");
        self.ask_and_hear(|reply| Input::Open("call".into(), request, reply))
    }

    pub(crate) fn act(&mut self, ticket: &str, by: &str, action: &str) -> Result<Done, Error> {
        let wish = Wish::Act {
            action: action.into(),
            fields: Vec::new(),
            note: Some("a private word".into()),
        };
        self.give(ticket, by, wish)
    }

    pub(crate) fn give(&mut self, ticket: &str, by: &str, wish: Wish) -> Result<Done, Error> {
        let request = Request::own(command(by, wish), "test");
        let target = Target::Id(ticket.into());
        self.ask(|reply| Input::Submit(target, request, reply))
    }
}

fn command(by: &str, wish: Wish) -> Command {
    Command {
        by: person(by),
        branch: None,
        wish,
    }
}
