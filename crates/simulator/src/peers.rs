//! Those who take messages, and their ledger: what they were sent must have been written before, and what is
//! written must reach them.

use std::collections::BTreeMap;
use std::time::Duration;

use upline::core::Topic;
use upline::drive::MessageId;
use upline::notify::{Message, SendError};

use crate::counters::Counters;
use crate::oracle::Oracle;
use crate::oracle::fold::Wrong;
use crate::oracle::journal::Fate;
use crate::plan::Mood;
use crate::random::Random;

/// The shortest time for which history is kept, in milliseconds: what a rule on it may say at least.
const SHORTEST_HISTORY: i64 = 7 * 86_400_000;

/// What a peer knows of one message.
#[derive(Debug, Clone, Default)]
struct Known {
    key: String,
    taken: u32,
    refused: bool,
}

/// Whether the message has the words that it is about. Those of a ticket that has ended may be erased, and
/// those that nobody could be told for so long may be gone with old history.
fn is_whole(message: &Message) -> bool {
    let waits = message.now.as_millisecond() - message.written.as_millisecond();
    let may_be_gone = message.ticket.ended.is_some() || waits >= SHORTEST_HISTORY;
    let said = message.comment.as_ref();
    said.map_or(may_be_gone, |said| !said.text.is_empty())
}

/// The peers.
#[derive(Debug)]
pub struct Peers {
    random: Random,
    /// How they answer.
    pub mood: Mood,
    answers: BTreeMap<(i64, u64), (MessageId, Result<(), SendError>)>,
    count: u64,
    known: BTreeMap<MessageId, Known>,
    keys: BTreeMap<String, MessageId>,
    lease: i64,
    give_up: i64,
}

impl Peers {
    /// Peers that take everything.
    #[must_use]
    pub fn new(seed: u64, lease: i64, give_up: i64) -> Self {
        Self {
            random: Random::new(seed),
            mood: Mood::Well,
            answers: BTreeMap::new(),
            count: 0,
            known: BTreeMap::new(),
            keys: BTreeMap::new(),
            lease,
            give_up,
        }
    }

    /// They are sent a message.
    ///
    /// # Errors
    /// It must not have been sent.
    pub fn send(
        &mut self,
        now: i64,
        id: MessageId,
        message: &Message,
        oracle: &Oracle,
        counters: &mut Counters,
    ) -> Result<(), Wrong> {
        let (number, notice) = id;
        let ticket = oracle.tickets.get(&number);
        let told = ticket.and_then(|ticket| ticket.told.get(&notice));
        let Some(told) = told else {
            return Err(format!("{id:?} was sent and is not on disk"));
        };
        if told.fate.is_some() || told.notice.to != message.to {
            return Err(format!("{id:?} was sent to {:?}: {told:?}", message.to));
        }
        if message.topic == Topic::Commented && !is_whole(message) {
            return Err(format!("{id:?} lacks what was said: {:?}", message.comment));
        }
        let owner = *self.keys.entry(message.key.clone()).or_insert(id);
        let known = self.known.entry(id).or_insert_with(|| Known {
            key: message.key.clone(),
            ..Known::default()
        });
        if known.key != message.key || owner != id {
            return Err(format!(
                "{id:?} was sent as {} and {}",
                known.key, message.key
            ));
        }
        if message.attempt >= 10 {
            counters.add("outbox_retry_10");
        }
        let mood = match self.mood {
            Mood::Mixed => self.random.one(&[
                Mood::Well,
                Mood::Well,
                Mood::Temporary,
                Mood::Permanent,
                Mood::Never,
                Mood::Late,
                Mood::Twice,
            ]),
            mood => mood,
        };
        if matches!(mood, Mood::Well | Mood::Late | Mood::Twice) {
            known.taken += 1;
            if known.taken > 1 {
                counters.add("delivered_twice_same_key");
            }
        }
        self.answer(now, id, mood);
        Ok(())
    }

    fn answer(&mut self, now: i64, id: MessageId, mood: Mood) {
        let soon = i64::try_from(self.random.below(3_000)).unwrap_or(0);
        let reason = "as the plan says".to_owned();
        match mood {
            Mood::Well | Mood::Mixed => self.say(now + soon, id, Ok(())),
            Mood::Twice => {
                self.say(now + soon, id, Ok(()));
                self.say(now + 2 * soon, id, Ok(()));
            }
            Mood::Late => self.say(now + self.lease + 1 + soon, id, Ok(())),
            Mood::Never => (),
            Mood::Temporary => {
                let after = self.random.percent(20).then_some(Duration::from_secs(40));
                self.say(now + soon, id, Err(SendError::Temporary { reason, after }));
            }
            Mood::Permanent => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.refused = true;
                }
                self.say(now + soon, id, Err(SendError::Permanent { reason }));
            }
        }
    }

    fn say(&mut self, at: i64, id: MessageId, result: Result<(), SendError>) {
        self.count += 1;
        self.answers.insert((at, self.count), (id, result));
    }

    /// When the next of them answers.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        self.answers.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next answer that has come by now.
    pub fn take(&mut self, now: i64) -> Option<(MessageId, Result<(), SendError>)> {
        let first = self.answers.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The process that waited for answers is gone.
    pub fn hang_up(&mut self, counters: &mut Counters) {
        let taken = |(_, result): &(MessageId, Result<(), SendError>)| result.is_ok();
        if self.answers.values().any(taken) {
            counters.add("crash_after_send_before_mark");
        }
        self.answers.clear();
    }

    /// Holds the fates in the journal against what really became of the messages.
    ///
    /// # Errors
    /// What is wrong.
    pub fn audit(&self, settled: &[(u64, u32, Fate, i64)], at: i64) -> Result<(), Wrong> {
        for (number, notice, fate, written) in settled {
            let known = self.known.get(&(*number, *notice));
            let is = match fate {
                Fate::Delivered => known.is_some_and(|known| known.taken > 0),
                Fate::Failed => {
                    known.is_some_and(|known| known.refused) || at - written > self.give_up
                }
                Fate::Withdrawn => true,
            };
            if !is {
                return Err(format!(
                    "the journal says that message {notice} of ticket number {number} is {fate:?}: {known:?}"
                ));
            }
        }
        Ok(())
    }
}
