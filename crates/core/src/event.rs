//! Events: what happened, in the past tense, understandable without the workflow.
//!
//! Once released an event keeps its meaning: variants are added, never altered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ticket::{
    Actor, Branch, Clock, ClockId, Delivery, Holder, Level, NoticeId, Parent, Why,
};
use crate::{Name, Value};

mod hop;
mod personal;

pub use hop::{Cause, Hop, LeftOut, Reason, StandIn};
pub use personal::Personal;

/// Most people whose reason for not being asked a hop records; of a larger group the rest is counted.
pub const MAX_LEFT_OUT: usize = 64;

/// A fact of a ticket's journal, with the time of the commit that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it was decided.
    #[serde(with = "crate::instant")]
    pub at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

/// What can happen to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// The ticket exists.
    Opened {
        /// Its id.
        ticket: Name,
        /// Its workflow.
        workflow: Name,
        /// The version that it keeps.
        version: u32,
        /// Who opened it.
        by: Actor,
        /// The key by which another system finds it.
        key: Option<Name>,
        /// The ticket that waits for its end.
        parent: Option<Parent>,
    },
    /// Fields changed; `None` is emptied.
    FieldsSet {
        /// Who changed them.
        by: Actor,
        /// What they hold now.
        values: Vec<(Name, Option<Value>)>,
    },
    /// Somebody took an action.
    Acted {
        /// Where.
        branch: Branch,
        /// Which.
        action: Name,
        /// Who.
        by: Actor,
        /// What he said to it.
        note: Option<String>,
    },
    /// A state was entered; the one before, its clocks and its branches are over.
    Entered {
        /// Where.
        branch: Branch,
        /// The state.
        state: Name,
        /// Number of the visit.
        visit: u32,
        /// What led here.
        cause: Cause,
        /// The clocks of `after`.
        clocks: Vec<Clock>,
        /// Who has it until a hop says otherwise: who had it before.
        holder: Holder,
        /// Whether that person has taken it rather than having been asked.
        taken: bool,
    },
    /// The answerable person changed, or was asked anew. One record: the old ladder clock is gone, the new
    /// person, his clock and the messages are there.
    Hopped(Box<Hop>),
    /// A level that changes nobody was reached, or the ladder was armed for whoever has it.
    LevelReached {
        /// Where.
        branch: Branch,
        /// The ladder.
        ladder: Name,
        /// The level.
        level: Level,
        /// The round, from 1.
        round: u32,
        /// What led to it.
        cause: Cause,
        /// Who was told.
        notices: Vec<Notice>,
        /// The ladder's next clock.
        clock: Option<Clock>,
    },
    /// A level had nobody and was passed at once.
    LevelPassed {
        /// Where.
        branch: Branch,
        /// The level.
        level: Level,
        /// What was asked.
        why: Why,
        /// Each who was looked at, and why not.
        left_out: Vec<LeftOut>,
    },
    /// The last resort was reminded.
    Reminded {
        /// Where.
        branch: Branch,
        /// The fired clock.
        late: i64,
        /// The messages.
        notices: Vec<Notice>,
        /// The next reminder.
        clock: Clock,
    },
    /// People were told about something that changed nobody.
    Notified {
        /// Where.
        branch: Branch,
        /// The messages.
        notices: Vec<Notice>,
        /// A fired clock of a person's own notification rule, if that was the reason.
        clock: Option<ClockId>,
    },
    /// The fate of a message.
    Delivery {
        /// Where.
        branch: Branch,
        /// Which message.
        notice: NoticeId,
        /// The channel.
        via: Name,
        /// What became of it.
        state: Delivery,
        /// What the peer said.
        detail: Option<String>,
    },
    /// The ladder stands still.
    Suspended {
        /// Where.
        branch: Branch,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
        /// When it goes on by itself.
        clock: Clock,
    },
    /// The ladder goes on.
    Resumed {
        /// Where.
        branch: Branch,
        /// What led to it.
        cause: Cause,
        /// The ladder's clock, armed anew.
        clock: Option<Clock>,
        /// The holder is told.
        notices: Vec<Notice>,
    },
    /// A due time was changed by somebody, or put off by a link.
    ClockMoved {
        /// Where.
        branch: Branch,
        /// The old clock.
        old: ClockId,
        /// What it became; a new id, so that the old one's firing does nothing.
        new: Clock,
        /// Who.
        by: Actor,
        /// How it came about.
        how: ClockMove,
    },
    /// Something was said.
    Commented {
        /// Where.
        branch: Branch,
        /// Who.
        by: Actor,
        /// What.
        text: String,
        /// Whether the caller sees it: an answer to him.
        to_caller: bool,
    },
    /// A checklist item was ticked, or the tick taken away.
    Ticked {
        /// Where.
        branch: Branch,
        /// The item.
        item: Name,
        /// Whether it is ticked now.
        done: bool,
        /// Who.
        by: Actor,
    },
    /// A promise's ledger changed.
    Promise {
        /// Which.
        promise: Name,
        /// How.
        change: PromiseChange,
        /// Its clocks from now on, in place of the earlier ones.
        clocks: Vec<Clock>,
        /// The messages.
        notices: Vec<Notice>,
    },
    /// A machine was called.
    RunStarted {
        /// Where.
        branch: Branch,
        /// The webhook's name.
        webhook: Name,
        /// Number of the try, from 1. With ticket and visit it is the idempotency key.
        attempt: u32,
        /// What is sent.
        body: Vec<(Name, Value)>,
        /// When the try is given up.
        clock: Clock,
    },
    /// A try failed.
    RunFailed {
        /// Where.
        branch: Branch,
        /// Number of the try.
        attempt: u32,
        /// What went wrong.
        reason: String,
        /// The next try; `None` if it was the last.
        clock: Option<Clock>,
    },
    /// Another workflow is to be opened; its end moves this ticket on.
    Called {
        /// Where.
        branch: Branch,
        /// The visit that waits.
        visit: u32,
        /// The workflow.
        workflow: Name,
        /// The new ticket's fields.
        fields: Vec<(Name, Value)>,
    },
    /// A branch has ended.
    BranchEnded {
        /// Which.
        branch: Branch,
        /// The end state, in which it stands until the others are done.
        state: Name,
        /// The outcome.
        outcome: Name,
        /// The messages.
        notices: Vec<Notice>,
    },
    /// The ticket has ended; its clocks and promises are over.
    Ended {
        /// The end state; empty if it was cancelled.
        state: Name,
        /// The outcome.
        outcome: Name,
        /// What led to it.
        cause: Cause,
        /// The messages.
        notices: Vec<Notice>,
    },
    /// The ticket goes on in another version of its workflow.
    Migrated {
        /// The version from now on.
        version: u32,
        /// Who.
        by: Actor,
        /// Where its positions are in it, and the clocks of their states and ladders from now on.
        positions: Vec<MigratedPosition>,
    },
}

/// A position in another version of the workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigratedPosition {
    /// Which.
    pub branch: Branch,
    /// Its state.
    pub state: Name,
    /// Its ladder.
    pub ladder: Option<Name>,
    /// Where on the ladder it is.
    pub level: Level,
    /// Its clocks, in place of those of `after` and of the ladder.
    pub clocks: Vec<Clock>,
}

impl Fact {
    /// The branch that it is about; `None` for what concerns the ticket as a whole.
    pub fn branch(&self) -> Option<&Branch> {
        match self {
            Self::Hopped(hop) => Some(&hop.branch),
            Self::Acted { branch, .. }
            | Self::Entered { branch, .. }
            | Self::LevelReached { branch, .. }
            | Self::LevelPassed { branch, .. }
            | Self::Reminded { branch, .. }
            | Self::Notified { branch, .. }
            | Self::Delivery { branch, .. }
            | Self::Suspended { branch, .. }
            | Self::Resumed { branch, .. }
            | Self::ClockMoved { branch, .. }
            | Self::Commented { branch, .. }
            | Self::Ticked { branch, .. }
            | Self::RunStarted { branch, .. }
            | Self::RunFailed { branch, .. }
            | Self::Called { branch, .. }
            | Self::BranchEnded { branch, .. } => Some(branch),
            Self::Opened { .. }
            | Self::FieldsSet { .. }
            | Self::Promise { .. }
            | Self::Ended { .. }
            | Self::Migrated { .. } => None,
        }
    }

    /// The messages that this fact sends.
    pub fn notices(&self) -> &[Notice] {
        match self {
            Self::Hopped(hop) => &hop.notices,
            Self::LevelReached { notices, .. }
            | Self::Reminded { notices, .. }
            | Self::Notified { notices, .. }
            | Self::Resumed { notices, .. }
            | Self::Promise { notices, .. }
            | Self::BranchEnded { notices, .. }
            | Self::Ended { notices, .. } => notices,
            _ => &[],
        }
    }
}

/// A message to be sent: written in the commit of the event that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its number.
    pub id: NoticeId,
    /// To whom.
    pub to: Recipient,
    /// The channel.
    pub via: Name,
    /// What about.
    pub topic: Topic,
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Recipient {
    /// Somebody of the directory.
    Person(Name),
    /// Whoever this contact field names.
    Contact(Name),
}

impl Recipient {
    /// The person, or the contact field.
    pub fn name(&self) -> &Name {
        match self {
            Self::Person(name) | Self::Contact(name) => name,
        }
    }
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topic {
    /// You have it.
    Assigned,
    /// You may claim it.
    Offered,
    /// You should know (a `notify` of a state, a level or an end).
    Informed,
    /// You still have it (last resort, wake-up).
    Reminded,
    /// A promise is about to be broken.
    PromiseWarned {
        /// Which.
        promise: Name,
        /// Percentage used up.
        percent: u8,
    },
    /// A promise is broken.
    PromiseBreached {
        /// Which.
        promise: Name,
    },
    /// You had it, or delegated it; somebody else has acted.
    Outcome,
    /// Somebody has said something: you have it, or you are the caller and were answered.
    Commented,
}

/// How a due time came to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockMove {
    /// By an operator or lead, with a reason.
    Changed {
        /// Why.
        reason: String,
    },
    /// The assignee said by when he answers.
    AnswerBy,
    /// A link without login holds the ladder.
    Held,
}

/// How a promise's ledger changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromiseChange {
    /// It runs, with this budget in seconds of its calendar.
    Started {
        /// The budget.
        budget: i64,
    },
    /// It stands still.
    Paused {
        /// Seconds used up.
        consumed: i64,
    },
    /// It goes on.
    Resumed,
    /// It was reached.
    Met {
        /// Seconds used up.
        consumed: i64,
    },
    /// A warning was given.
    Warned {
        /// Percentage.
        percent: u8,
        /// Seconds between its due time and now.
        late: i64,
    },
    /// It is broken.
    Breached {
        /// Seconds between its due time and now.
        late: i64,
    },
    /// Its budget changed; it counts from the true start.
    Retargeted {
        /// The new budget.
        budget: i64,
    },
}
