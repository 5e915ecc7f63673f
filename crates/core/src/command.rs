//! Commands: what people, clocks and machines wish.

use jiff::Timestamp;

use serde::Serialize;

use crate::Name;
use crate::ticket::{Actor, Branch, ClockId, NoticeId, Parent};

/// A wish concerning one ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// Who wishes it, as the surroundings have established it.
    pub by: Actor,
    /// Where; `None` is the only position that it can mean.
    pub branch: Option<Branch>,
    /// What.
    pub wish: Wish,
}

impl Command {
    /// A wish of somebody of the directory, at the only position that it can mean.
    pub fn person(who: impl Into<Name>, wish: Wish) -> Self {
        Self {
            by: Actor::Person(who.into()),
            branch: None,
            wish,
        }
    }

    /// A clock has fallen due.
    pub fn due(clock: ClockId) -> Self {
        Self {
            by: Actor::Clock,
            branch: None,
            wish: Wish::Due { clock },
        }
    }
}

/// Fields as people typed them: name and text; an empty text empties the field.
pub type Typed = Vec<(Name, String)>;

/// What can be wished. New wishes are added at the end: a wish is recognised by its serialized form when it
/// comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Wish {
    /// Open the ticket.
    Open {
        /// Its id: one line of at most [`MAX_ID_BYTES`](crate::decide::MAX_ID_BYTES). To an engine an empty
        /// one is the ticket's number, and one of digits alone is refused, since those are numbers.
        ticket: Name,
        /// The key by which another system finds it.
        key: Option<Name>,
        /// The ticket that waits for its end.
        parent: Option<Parent>,
        /// What is known already. Any field of the workflow.
        fields: Typed,
    },
    /// Take an action of the state.
    Act {
        /// Which.
        action: Name,
        /// Fields of the state's form, saved before.
        fields: Typed,
        /// What to say to it.
        note: Option<String>,
    },
    /// Another system's message: the action that awaits it is taken.
    Message {
        /// Which.
        message: Name,
        /// Any field of the workflow.
        fields: Typed,
    },
    /// Become the assignee of what was offered.
    Claim,
    /// Not me: the next, at once.
    Decline {
        /// Why.
        reason: Option<String>,
    },
    /// Give it back to whom the state asks.
    Release {
        /// Why.
        reason: Option<String>,
    },
    /// Let somebody else do it, and learn the outcome.
    Delegate {
        /// To whom.
        to: Name,
        /// Why.
        reason: Option<String>,
    },
    /// Hand it to somebody.
    Reassign {
        /// To whom.
        to: Name,
        /// Why.
        reason: Option<String>,
    },
    /// The next level, at once.
    Escalate {
        /// A level of the ladder, from 1; `None` is the next one.
        to: Option<u16>,
        /// Why.
        reason: Option<String>,
    },
    /// Let the ladder stand still until a given time.
    Suspend {
        /// When it goes on by itself.
        until: Timestamp,
        /// Why.
        reason: Option<String>,
    },
    /// Let the ladder go on.
    Resume,
    /// Say something.
    Comment {
        /// What.
        text: String,
        /// Whether the caller sees it.
        to_caller: bool,
    },
    /// Save fields of the state's form.
    Save {
        /// Which.
        fields: Typed,
    },
    /// Tick a checklist item, or take the tick away.
    Tick {
        /// Which.
        item: Name,
        /// Ticked or not.
        done: bool,
    },
    /// "I answer by …": set the next due time of one's own ladder, once.
    AnswerBy {
        /// When.
        at: Timestamp,
    },
    /// Change the due time of a running clock.
    ChangeClock {
        /// Which.
        clock: ClockId,
        /// The new due time.
        due: Timestamp,
        /// Why; it is audited.
        reason: String,
    },
    /// A link without login was used: hold the ladder for a moment.
    Hold,
    /// Give the ticket up.
    Cancel {
        /// Why.
        reason: String,
    },
    /// A clock has fallen due. One that is no longer armed does nothing.
    Due {
        /// Which.
        clock: ClockId,
    },
    /// What a machine answered.
    RunDone {
        /// The visit that was waiting.
        visit: u32,
        /// The answer's values by name.
        answer: Typed,
    },
    /// A call to a machine failed.
    RunFailed {
        /// The visit that was waiting.
        visit: u32,
        /// The try.
        attempt: u32,
        /// What went wrong.
        reason: String,
        /// Whether another try makes sense.
        retry: bool,
    },
    /// A called workflow has ended.
    ChildEnded {
        /// The visit that was waiting.
        visit: u32,
        /// The child's outcome.
        outcome: Name,
        /// The child's fields, as text.
        fields: Typed,
    },
    /// A message was accepted by its peer.
    Delivered {
        /// Which.
        notice: NoticeId,
    },
    /// A message was refused for good.
    Undeliverable {
        /// Which.
        notice: NoticeId,
        /// What the peer said.
        reason: String,
    },
    /// The directory changed, or an absence began: look whether the holders are still there.
    Recheck,
}

impl Wish {
    /// Whether it reports something that has happened elsewhere: too late, it does no harm.
    pub(crate) fn is_report(&self) -> bool {
        matches!(
            self,
            Self::Due { .. }
                | Self::RunDone { .. }
                | Self::RunFailed { .. }
                | Self::ChildEnded { .. }
                | Self::Delivered { .. }
                | Self::Undeliverable { .. }
                | Self::Recheck
        )
    }
}
