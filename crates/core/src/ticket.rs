//! The ticket: what its journal adds up to. Changed by [`evolve`](crate::evolve) only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::StandIn;
use crate::{Name, Place, Span, Value};

/// Where in a ticket something is: empty for the ticket itself, `parts` for the branch of that name,
/// `parts/customs` for a branch of that branch.
pub type Branch = Name;

/// Number of a clock, unique in its ticket and never used again.
pub type ClockId = u32;

/// Number of a notice, unique in its ticket. With the ticket's id and the channel it is the idempotency key.
pub type NoticeId = u32;

/// Most notices to its holder that a position remembers: the newest. Whoever is reminded for a year would
/// else make the ticket as large as its journal.
pub const MAX_TOLD: usize = 32;

/// One ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id; empty until it was opened.
    pub id: Name,
    /// The workflow that it runs.
    pub workflow: Name,
    /// The version that it was opened with.
    pub version: u32,
    /// The key by which another system finds it.
    pub key: Option<Name>,
    /// When it was opened.
    #[serde(with = "crate::instant")]
    pub opened: Timestamp,
    /// Who opened it.
    pub opener: Actor,
    /// The ticket that waits for this one's end.
    pub parent: Option<Parent>,
    /// What the form's fields hold.
    pub fields: BTreeMap<Name, Value>,
    /// Where it is: one position, and in a parallel state one more for each branch.
    pub positions: BTreeMap<Branch, Position>,
    /// The clocks that are armed, by id.
    pub clocks: Vec<Clock>,
    /// The ledgers of the promises.
    pub promises: BTreeMap<Name, Ledger>,
    /// Who took each action last.
    pub did: BTreeMap<Name, Name>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// How many events it is made of.
    pub revision: u64,
    /// The last id given to a clock.
    pub last_clock: ClockId,
    /// The last id given to a notice.
    pub last_notice: NoticeId,
    /// How many states were entered.
    pub visits: u32,
    /// The last epoch: raised at each change of an answerable person, whatever the branch.
    pub last_epoch: u32,
}

/// Who a command comes from, as the surroundings have established it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Actor {
    /// Somebody of the directory.
    Person(Name),
    /// Somebody with the operator's rights: may do what a lead of everybody may.
    Operator(Name),
    /// Whoever this contact field names, for example the caller.
    Contact(Name),
    /// Another system.
    System(Name),
    /// Upline itself, by a clock.
    #[default]
    Clock,
}

impl Actor {
    /// The person of the directory, if it is one.
    pub fn person(&self) -> Option<&Name> {
        match self {
            Self::Person(person) | Self::Operator(person) => Some(person),
            Self::Contact(_) | Self::System(_) | Self::Clock => None,
        }
    }
}

/// The ticket whose `call` opened this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub ticket: Name,
    /// The branch that waits.
    pub branch: Branch,
    /// The visit that waits; a later visit does not hear of this end.
    pub visit: u32,
}

/// How a ticket ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    #[serde(with = "crate::instant")]
    pub at: Timestamp,
    /// The end state; empty if it was cancelled.
    pub state: Name,
    /// The outcome: the end state's, or `cancelled`.
    pub outcome: Name,
}

/// Where a ticket is, and who has it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The state.
    pub state: Name,
    /// Number of this visit, unique in the ticket: links and clocks of an earlier one do nothing.
    pub visit: u32,
    /// When the state was entered.
    #[serde(with = "crate::instant")]
    pub entered: Timestamp,
    /// Who has it.
    pub holder: Holder,
    /// Since when.
    #[serde(with = "crate::instant")]
    pub since: Timestamp,
    /// Raised at each change of the answerable person.
    pub epoch: u32,
    /// Why this holder.
    pub why: Why,
    /// The ladder chosen on entry.
    pub ladder: Option<Name>,
    /// Where on the ladder the holder was asked.
    pub level: Level,
    /// The round, from 1.
    pub round: u32,
    /// Who has had it in this round, in order.
    pub had: Vec<Name>,
    /// Whom no message reached in this visit: no phrase asks him again in it.
    pub unreachable: BTreeSet<Name>,
    /// Whether the holder has taken it (claimed it, or acted his way in) rather than having been asked.
    pub taken: bool,
    /// Who delegated it and is to learn the outcome.
    pub delegated_by: Option<Name>,
    /// Who has set his own next due time in this visit: each may once, whatever he says or does since.
    pub answered_by: BTreeSet<Name>,
    /// Whether a link without login has held the ladder since the last hop.
    pub held: bool,
    /// Until when the ladder is suspended.
    pub suspended: Option<Suspension>,
    /// Ticked items of the state's checklist.
    pub ticked: BTreeSet<Name>,
    /// The candidates of an offer who stand in for others.
    pub stand_ins: Vec<StandIn>,
    /// What was sent to the holder in this epoch, and how it went; the newest [`MAX_TOLD`].
    pub told: Vec<Told>,
    /// The try of the machine's call that is under way, from 1; 0 is none.
    pub attempt: u32,
    /// The outcome of a branch that has ended and waits for the others.
    pub ended: Option<Name>,
}

/// Who has a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// This person.
    Assignee(Name),
    /// Nobody yet: one of the candidates may claim it, and the lead is answerable.
    Offer {
        /// The group asked.
        group: Name,
        /// Answerable meanwhile.
        lead: Name,
        /// Who may claim.
        candidates: Vec<Name>,
    },
    /// The branches' holders (a parallel state).
    Branches,
    /// Nobody: the branch has ended.
    Nobody,
}

impl Holder {
    /// Whose name is on it.
    pub fn answerable(&self) -> Option<&Name> {
        match self {
            Self::Assignee(person) | Self::Offer { lead: person, .. } => Some(person),
            Self::Branches | Self::Nobody => None,
        }
    }
}

/// Where on its ladder a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Level {
    /// Whom the state itself asked.
    #[default]
    Entry,
    /// A level of the ladder, from 1.
    Number(u16),
    /// After all levels and rounds.
    LastResort,
}

/// Why something happened: the rule, in the author's words, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Why {
    /// The phrase.
    pub rule: Name,
    /// Its place.
    pub place: Place,
}

/// A ladder that stands still until a given time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// When it goes on by itself.
    #[serde(with = "crate::instant")]
    pub until: Timestamp,
    /// Who suspended it.
    pub by: Actor,
}

/// A notice to the holder, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which.
    pub notice: NoticeId,
    /// To whom.
    pub to: Name,
    /// The channel.
    pub via: Name,
    /// What became of it.
    pub state: Delivery,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// On its way.
    Queued,
    /// Accepted by the peer.
    Delivered,
    /// Refused for good.
    Failed,
}

/// An armed clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Its id.
    pub id: ClockId,
    /// The position that it belongs to; it ends when that state is left.
    /// Empty and of a promise: the ticket's.
    pub branch: Branch,
    /// What it does.
    pub kind: ClockKind,
    /// When.
    #[serde(with = "crate::instant")]
    pub due: Timestamp,
    /// Since when it runs.
    #[serde(with = "crate::instant")]
    pub armed: Timestamp,
    /// The span that was given, if the author gave one.
    pub span: Option<Span>,
}

/// What a clock does when it is due. At the same instant: promise, then `after`, then level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClockKind {
    /// Warns that this share of a promise's budget is used up.
    PromiseWarn {
        /// Which promise.
        promise: Name,
        /// Percentage.
        percent: u8,
    },
    /// A promise is broken.
    PromiseBreach {
        /// Which promise.
        promise: Name,
    },
    /// A state is left by itself.
    After {
        /// Index in the state's `after`.
        index: u16,
    },
    /// The call to a machine took too long.
    RunTimeout,
    /// The next try of a call to a machine.
    RunRetry,
    /// A suspension is over.
    Wake,
    /// The next channel of a person who was asked.
    Reach {
        /// Who.
        person: Name,
        /// Index in the person's channels.
        channel: u16,
        /// Dropped when the person has acted.
        unless_acted: bool,
    },
    /// The ladder's next step.
    Level {
        /// Which.
        next: Level,
        /// The round in which it is taken, from 1.
        round: u32,
    },
    /// The last resort is reminded.
    Remind,
}

/// A promise's budget and what of it is used up. Spans are seconds of the promise's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// When it started.
    #[serde(with = "crate::instant")]
    pub started: Timestamp,
    /// The budget, in seconds of its calendar.
    pub budget: i64,
    /// Used up before `running`.
    pub consumed: i64,
    /// Since when it runs; `None` while paused, met or not started.
    #[serde(with = "crate::instant::option", default)]
    pub running: Option<Timestamp>,
    /// How it stands.
    pub state: PromiseState,
    /// The highest percentage warned of.
    pub warned: u8,
    /// When it was broken.
    #[serde(with = "crate::instant::option", default)]
    pub breached: Option<Timestamp>,
}

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromiseState {
    /// The budget is being used up.
    Running,
    /// It stands still in this state.
    Paused,
    /// It was kept, or its state was reached after the breach.
    Met,
}

impl Ticket {
    /// Whether it was opened and has not ended.
    pub fn is_open(&self) -> bool {
        !self.id.is_empty() && self.ended.is_none()
    }

    /// Whose name is on it, for each position that has a holder.
    pub fn answerable(&self) -> impl Iterator<Item = (&Branch, &Name)> {
        let holders = self.positions.iter();
        holders.filter_map(|(branch, position)| Some((branch, position.holder.answerable()?)))
    }

    /// The id of the person whom a `person` field names; whether the directory knows him is another question.
    pub fn named(&self, field: &str) -> Option<&str> {
        match self.fields.get(field)? {
            Value::Text(id) => Some(id),
            _ => None,
        }
    }

    /// The clock that is due first. Among those due at one instant: promise, `after`, machine, level.
    pub fn next_due(&self) -> Option<&Clock> {
        self.clocks
            .iter()
            .min_by(|a, b| (a.due, &a.kind, a.id).cmp(&(b.due, &b.kind, b.id)))
    }

    /// The armed clock of this id.
    pub fn clock(&self, id: ClockId) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.id == id)
    }
}
