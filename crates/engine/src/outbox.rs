//! What must still be sent: written in the commit of what caused it, tried until it is delivered or can't be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use upline_core::ticket::NoticeId;
use upline_core::{Holder, Name, Recipient, Topic};

use crate::clock::millis;
use crate::record::{Millis, Number, Record, Unsent};

/// How messages are tried.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutboxOptions {
    /// For how long the answer to one try is waited for.
    pub lease: Duration,
    /// The wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After how long a message that fails for the moment is given up for good.
    pub give_up: Duration,
    /// After how long without being delivered, while the engine runs and its store works, a message is an
    /// [`Incident::Outbox`](crate::Incident::Outbox).
    pub alarm_after: Duration,
    /// How many messages are under way at once, counted until it is on disk that they were sent. A channel
    /// whose peers take fewer bounds that itself.
    pub at_once: usize,
}

impl Default for OutboxOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(15 * 60),
            give_up: Duration::from_secs(24 * 3600),
            alarm_after: Duration::from_secs(10 * 60),
            at_once: 512,
        }
    }
}

/// Which message: the ticket's number, and the notice's in it.
pub type MessageId = (Number, NoticeId);

#[derive(Debug, Clone, Copy)]
struct State {
    next: Millis,
    tries: u32,
    /// Steady time since when this engine knows of it.
    since: Millis,
}

/// The message that is not delivered for longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oldest {
    pub(crate) id: MessageId,
    /// When it was written, by the engine's time.
    pub(crate) written: Millis,
    /// Steady time since when this engine knows of it.
    pub(crate) since: Millis,
}

/// The queue of messages. Only their numbers: the rest is in the tickets' records.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    options: OutboxOptions,
    states: BTreeMap<MessageId, State>,
    /// Those whose turn comes.
    waiting: BTreeSet<(Millis, MessageId)>,
    /// Those that are under way, with the end of their lease.
    leased: BTreeSet<(Millis, MessageId)>,
    /// All of them, the oldest first; and some that have gone since.
    written: BinaryHeap<Reverse<(Millis, MessageId)>>,
    /// How many were given up since the start.
    pub(crate) given_up: u64,
    /// The random part of waits, so that what failed together does not come back together.
    seed: u64,
}

/// What is to be done with a message whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is to be sent; the number of the try.
    Send(u32),
    /// It has failed for too long.
    GiveUp,
}

impl Outbox {
    pub(crate) fn new(options: OutboxOptions, seed: u64) -> Self {
        Self {
            options,
            seed: seed | 1,
            ..Self::default()
        }
    }

    /// Takes in the ticket's messages that are not known yet. `steady` is what the steady clock shows.
    pub(crate) fn add(&mut self, record: &Record, now: Millis, steady: Millis) {
        for unsent in &record.unsent {
            let id = (record.number, unsent.notice.id);
            self.states.entry(id).or_insert_with(|| {
                self.waiting.insert((now, id));
                self.written.push(Reverse((unsent.at, id)));
                State {
                    next: now,
                    tries: 0,
                    since: steady,
                }
            });
        }
    }

    /// Forgets all messages: they are taken in anew.
    pub(crate) fn forget(&mut self) {
        self.states.clear();
        self.waiting.clear();
        self.leased.clear();
        self.written.clear();
    }

    /// Whether no message is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.leased.is_empty()
    }

    /// Whether a message waits or is under way.
    pub(crate) fn has(&self, id: MessageId) -> bool {
        self.states.contains_key(&id)
    }

    /// How many messages wait or are under way.
    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// How many of them are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.leased.len()
    }

    /// The one that is not delivered for longest.
    pub(crate) fn oldest(&mut self) -> Option<Oldest> {
        const SMALL: usize = 4096;
        if self.written.len() > SMALL + 4 * self.states.len() {
            let states = &self.states;
            self.written
                .retain(|Reverse((_, id))| states.contains_key(id));
        }
        while let Some(Reverse((written, id))) = self.written.peek().copied() {
            if let Some(state) = self.states.get(&id) {
                let since = state.since;
                return Some(Oldest { id, written, since });
            }
            self.written.pop();
        }
        None
    }

    /// After how long without being delivered one is an incident.
    pub(crate) fn alarm_after(&self) -> Millis {
        millis(self.options.alarm_after)
    }

    /// When the next one's time comes, or a lease ends.
    pub(crate) fn next(&self) -> Option<Millis> {
        let room = self.leased.len() < self.options.at_once;
        let waiting = self.waiting.first().filter(|_| room);
        let ends = self.leased.first();
        waiting.into_iter().chain(ends).map(|(at, _)| *at).min()
    }

    /// The next message whose time has come. It is leased until it is answered, or until the lease ends and
    /// it is tried again.
    pub(crate) fn take(&mut self, now: Millis) -> Option<MessageId> {
        while let Some(&(end, id)) = self.leased.first()
            && end <= now
        {
            self.leased.pop_first();
            self.waiting.insert((end, id));
        }
        if self.leased.len() >= self.options.at_once {
            return None;
        }
        let (_, id) = self.waiting.first().copied().filter(|(at, _)| *at <= now)?;
        self.waiting.pop_first();
        let state = self.states.get_mut(&id)?;
        state.tries += 1;
        state.next = now + millis(self.options.lease);
        self.leased.insert((state.next, id));
        Some(id)
    }

    /// Whether the message is to be tried at all.
    pub(crate) fn turn(&self, id: MessageId, unsent: &Unsent, now: Millis) -> Turn {
        let tries = self.states.get(&id).map_or(1, |state| state.tries);
        match tries > 1 && now - unsent.at > millis(self.options.give_up) {
            true => Turn::GiveUp,
            false => Turn::Send(tries),
        }
    }

    /// It failed for the moment: another try later.
    pub(crate) fn failed(&mut self, id: MessageId, now: Millis, after: Option<Duration>) {
        let Some(tries) = self.states.get(&id).map(|state| state.tries) else {
            return;
        };
        let doubled = 1u32 << tries.saturating_sub(1).min(20);
        let wait = self.options.first_wait.saturating_mul(doubled);
        let wait = after.unwrap_or(wait).min(self.options.longest_wait);
        // Four fifths to six fifths of it.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let share = 800 + i64::try_from(self.seed % 401).unwrap_or(0);
        let next = now + (millis(wait) / 1000 * share + millis(wait) % 1000 * share / 1000).max(1);
        if let Some(state) = self.states.get_mut(&id) {
            let before = (std::mem::replace(&mut state.next, next), id);
            self.leased.remove(&before);
            self.waiting.remove(&before);
            self.waiting.insert((next, id));
        }
    }

    /// Its fate is known: it goes out. After how many tries; `None` if it was out already.
    pub(crate) fn done(&mut self, id: MessageId) -> Option<u32> {
        let state = self.states.remove(&id)?;
        let before = (state.next, id);
        self.leased.remove(&before);
        self.waiting.remove(&before);
        Some(state.tries)
    }
}

/// Whether somebody still needs to be told: nobody is told about what is over.
pub(crate) fn is_needed(record: &Record, unsent: &Unsent) -> bool {
    match unsent.notice.topic {
        Topic::Informed | Topic::Outcome => true,
        Topic::PromiseWarned { .. } | Topic::PromiseBreached { .. } => record.ticket.is_open(),
        // What he was answered the caller is told, also when the ticket has ended meanwhile.
        Topic::Commented => match unsent.notice.to {
            Recipient::Person(_) => record.ticket.is_open(),
            Recipient::Contact(_) => true,
        },
        Topic::Assigned | Topic::Offered | Topic::Reminded => {
            let position = record.ticket.positions.get(&unsent.branch);
            position.is_some_and(|position| {
                position.epoch == unsent.epoch
                    && position.ended.is_none()
                    && is_asked(&position.holder, &unsent.notice.to)
            })
        }
    }
}

fn is_asked(holder: &Holder, to: &Recipient) -> bool {
    let Recipient::Person(to) = to else {
        return true;
    };
    let is = |person: &Name| person == to;
    match holder {
        Holder::Assignee(person) => is(person),
        Holder::Offer {
            lead, candidates, ..
        } => is(lead) || candidates.iter().any(is),
        Holder::Branches | Holder::Nobody => false,
    }
}
