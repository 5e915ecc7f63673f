//! What a letter says, before it is in words: everything that a template can name.

use jiff::Timestamp;
use serde::Serialize;
use upline::core::{Branch, Directory, Person, Recipient, Ticket, Topic, Workflow};
use upline::notify::{Comment, Message};

use super::clean;
use super::people::short;
use crate::tell::Button;

/// A message, and what it takes to put it into words.
#[derive(Clone, Copy)]
pub struct Matter<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// The branch that it is about.
    pub branch: &'a Branch,
    /// To whom.
    pub to: &'a Recipient,
    /// The person, if it goes to one.
    pub person: Option<&'a Person>,
    /// What about.
    pub topic: &'a Topic,
    /// What was said, if it is about that.
    pub comment: Option<&'a Comment>,
    /// The ticket's workflow.
    pub workflow: &'a Workflow,
    /// The people.
    pub directory: &'a Directory,
    /// The time of writing.
    pub now: Timestamp,
}

impl<'a> Matter<'a> {
    /// Of a message; `None` if the files of its ticket are gone.
    #[must_use]
    pub fn of(message: &'a Message) -> Option<Self> {
        Some(Self {
            ticket: &message.ticket,
            branch: &message.branch,
            to: &message.to,
            person: message.person.as_ref(),
            topic: &message.topic,
            comment: message.comment.as_ref(),
            workflow: message.workflow.as_deref()?,
            directory: message.directory.as_deref()?,
            now: message.now,
        })
    }
}

/// Everything that a template can name.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Facts {
    pub(super) topic: &'static str,
    /// `L2 · 30 min`, or less.
    pub(super) tag: String,
    /// `10238 Trouble ticket: no dial tone`.
    pub(super) heading: String,
    pub(super) ticket: TicketFacts,
    pub(super) state: String,
    pub(super) since: String,
    pub(super) rung: String,
    pub(super) holder: HolderFacts,
    pub(super) you: You,
    pub(super) due: Option<Due>,
    pub(super) then: Then,
    pub(super) suspended: Option<String>,
    pub(super) actions: Vec<String>,
    pub(super) fields: Vec<FieldFact>,
    pub(super) promise: Option<PromiseFact>,
    pub(super) comment: Option<CommentFact>,
    pub(super) ended: Option<EndedFact>,
    pub(super) buttons: Vec<ButtonFact>,
    pub(super) zone: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct TicketFacts {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) opened: String,
    pub(super) key: String,
}

/// Who has it: `one` person, a `group` that it is offered to, its `branches`, or `nobody`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HolderFacts {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) candidates: Vec<String>,
    pub(super) is_you: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct You {
    pub(super) id: String,
    pub(super) name: String,
    /// The rule by which he has it, or may claim it.
    pub(super) why: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Due {
    pub(super) at: String,
    pub(super) left: String,
    pub(super) is_over: bool,
}

/// What happens when nobody acts by then: it `asks` somebody, `tells` somebody, goes to a `state`, the ladder
/// begins anew with the `next-round`, the `last-resort` has it, is reminded (`reminds`), a suspension ends
/// (`wakes`); or nothing.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Then {
    pub(super) kind: &'static str,
    pub(super) who: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct FieldFact {
    pub(super) label: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PromiseFact {
    pub(super) name: String,
    pub(super) percent: u8,
    pub(super) due: String,
}

/// What was said. Its lines are those of its text.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CommentFact {
    /// Who; empty in what customers get.
    pub(super) by: String,
    pub(super) text: String,
    pub(super) lines: Vec<String>,
    /// Its beginning, in one line.
    pub(super) brief: String,
    /// Whether a colleague has said it to the caller.
    pub(super) to_caller: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct EndedFact {
    pub(super) state: String,
    pub(super) at: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ButtonFact {
    pub(super) label: String,
    pub(super) href: String,
    pub(super) number: Option<String>,
    pub(super) is_main: bool,
}

impl From<&Button> for ButtonFact {
    fn from(button: &Button) -> Self {
        Self {
            label: short(&button.label),
            href: clean::line(&button.href),
            number: button.number.as_deref().map(clean::line),
            is_main: button.is_main,
        }
    }
}

/// The template of a message's words.
pub(super) fn topic(matter: &Matter<'_>) -> &'static str {
    if matches!(matter.to, Recipient::Contact(_)) {
        return match matter.topic {
            Topic::Commented => "answered",
            _ => "customer",
        };
    }
    match matter.topic {
        Topic::Assigned => "assigned",
        Topic::Offered => "offered",
        Topic::Informed => "informed",
        Topic::Reminded => "reminded",
        Topic::PromiseWarned { .. } => "promise-warned",
        Topic::PromiseBreached { .. } => "promise-breached",
        Topic::Outcome => "outcome",
        Topic::Commented => "commented",
    }
}
