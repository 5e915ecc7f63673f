//! [`Say`]: what can be said of a ticket, without a language.

use jiff::Timestamp;
use upline_core::{
    Actor, Cause, ClockMove, Delivery, Holder, LeftOut, Name, Notice, PromiseChange, StandIn, Value,
};

use super::Next;

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// The ticket exists.
    Opened {
        /// Who opened it.
        by: Actor,
        /// The key by which another system finds it.
        key: Option<Name>,
        /// The ticket that waits for its end.
        parent: Option<Name>,
    },
    /// Fields changed.
    Fields {
        /// Who changed them.
        by: Actor,
        /// What they hold now; `None` is empty.
        values: Vec<(Name, Option<Value>)>,
    },
    /// Somebody took an action.
    Acted {
        /// Who.
        by: Actor,
        /// Which.
        action: Name,
        /// What he said to it.
        note: Option<String>,
    },
    /// A state was entered.
    State {
        /// Which.
        state: Name,
        /// Who has it, if nobody had to be asked.
        holder: Option<Name>,
        /// What led here, if no person did.
        cause: Option<Cause>,
    },
    /// Somebody else was asked.
    Asked {
        /// Who had it before.
        from: Option<Name>,
        /// Who has it now.
        holder: Holder,
        /// For whom he stands in.
        deputy_of: Option<Name>,
        /// Candidates who stand in for others.
        stand_ins: Vec<StandIn>,
        /// The rule.
        rule: Name,
        /// Whether the state asked, and not its ladder or a person.
        entry: bool,
        /// Whether the last resort has it now.
        last_resort: bool,
        /// What led to it.
        cause: Cause,
    },
    /// Nobody was asked: it stays with whoever had it.
    Stays {
        /// Who.
        who: Name,
    },
    /// People who would have been asked, and why they were not.
    LeftOut(Vec<LeftOut>),
    /// A message was sent.
    Notice(Notice),
    /// What comes next if nobody acts, and when.
    Next(Next, Timestamp),
    /// A level that changes nobody was reached.
    Level {
        /// Which.
        number: u16,
        /// Of which ladder.
        ladder: Name,
        /// Seconds between the due time and when it happened.
        late: i64,
    },
    /// A level had nobody.
    Passed {
        /// Which; `None` is the state's own `assign`.
        number: Option<u16>,
        /// What was asked.
        rule: Name,
        /// Each who was looked at, and why not.
        left_out: Vec<LeftOut>,
    },
    /// The last resort was reminded.
    Reminded {
        /// Seconds between the due time and when it happened.
        late: i64,
    },
    /// The fate of a message.
    Delivery {
        /// The channel.
        via: Name,
        /// What became of it.
        state: Delivery,
        /// What the peer said.
        detail: Option<String>,
    },
    /// The ladder stands still.
    Suspended {
        /// Until when.
        until: Timestamp,
        /// Who.
        by: Actor,
        /// Why.
        reason: Option<String>,
    },
    /// The ladder goes on.
    Resumed {
        /// What led to it.
        cause: Cause,
    },
    /// A due time was changed.
    ClockMoved {
        /// The new one.
        due: Timestamp,
        /// What it does.
        next: Next,
        /// Who.
        by: Actor,
        /// How it came about.
        how: ClockMove,
    },
    /// Something was said.
    Commented {
        /// Who.
        by: Actor,
        /// What.
        text: String,
        /// Whether the caller sees it.
        to_caller: bool,
    },
    /// A checklist item was ticked, or the tick taken away.
    Ticked {
        /// Who.
        by: Actor,
        /// Which.
        item: Name,
        /// Whether it is ticked now.
        done: bool,
    },
    /// A promise's ledger changed.
    Promise {
        /// Which.
        promise: Name,
        /// How.
        change: PromiseChange,
        /// When it is due now.
        due: Option<Timestamp>,
    },
    /// A machine was called.
    RunStarted {
        /// The webhook.
        webhook: Name,
        /// Number of the try.
        attempt: u32,
        /// When the try is given up.
        until: Timestamp,
    },
    /// A try failed.
    RunFailed {
        /// Number of the try.
        attempt: u32,
        /// What went wrong.
        reason: String,
        /// The next try; `None` if it was the last.
        again: Option<Timestamp>,
    },
    /// Another workflow is opened.
    Called {
        /// Which.
        workflow: Name,
    },
    /// A branch has ended.
    BranchEnded {
        /// The outcome.
        outcome: Name,
    },
    /// The ticket has ended.
    Ended {
        /// The end state; empty if it was cancelled.
        state: Name,
        /// The outcome.
        outcome: Name,
        /// What led to it.
        cause: Cause,
    },
    /// The ticket goes on in another version.
    Migrated {
        /// Which.
        version: u32,
        /// Who.
        by: Actor,
    },
}
