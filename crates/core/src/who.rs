//! The *who* phrases: whom a state, a level or a message asks.

use std::fmt;

use crate::Name;

/// One *who* phrase, such as `least busy in service-desk with skill billing, else lead of service-desk`.
///
/// `Display` gives the phrase back in its canonical form; the journal, the page and the file say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Whom to start from.
    pub base: Base,
    /// Who is left out (four eyes).
    pub except: Vec<Base>,
    /// Skills that each must have.
    pub skills: Vec<Name>,
    /// Asked when nobody is found.
    pub otherwise: Option<Box<Who>>,
}

/// The closed set of starting points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// Who has the ticket.
    Assignee,
    /// Who opened the ticket.
    Opener,
    /// The person outside whom this contact field names.
    Contact(Name),
    /// The person of the directory whom this `person` field names.
    Named(Name),
    /// This person.
    User(Name),
    /// Offered to the group; one claims; its lead is answerable meanwhile.
    AnyoneIn(Name),
    /// Who holds the fewest open tickets; among equals, who has waited longest for one.
    LeastBusy(Name),
    /// Who was given a ticket the longest time ago.
    LongestIdle(Name),
    /// Round robin.
    NextIn(Name),
    /// Who has not had it in this round; longest ago first.
    AnotherIn(Name),
    /// Who is on call in the schedule.
    OnCall(Name),
    /// The lead of the group.
    LeadOf(Name),
    /// The manager of the group.
    ManagerOf(Name),
    /// Who took the action last, in this ticket.
    WhoDid(Name),
}

impl Base {
    /// The group that the phrase asks, if it asks one.
    pub fn group(&self) -> Option<&Name> {
        match self {
            Self::AnyoneIn(group)
            | Self::LeastBusy(group)
            | Self::LongestIdle(group)
            | Self::NextIn(group)
            | Self::AnotherIn(group)
            | Self::LeadOf(group)
            | Self::ManagerOf(group) => Some(group),
            _ => None,
        }
    }
}

impl From<Base> for Who {
    fn from(base: Base) -> Self {
        Self {
            base,
            except: Vec::new(),
            skills: Vec::new(),
            otherwise: None,
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assignee => f.write_str("assignee"),
            Self::Opener => f.write_str("opener"),
            Self::Contact(field) | Self::Named(field) => write!(f, "{field}"),
            Self::User(person) => write!(f, "user {person}"),
            Self::AnyoneIn(group) => write!(f, "anyone in {group}"),
            Self::LeastBusy(group) => write!(f, "least busy in {group}"),
            Self::LongestIdle(group) => write!(f, "longest idle in {group}"),
            Self::NextIn(group) => write!(f, "next in {group}"),
            Self::AnotherIn(group) => write!(f, "another in {group}"),
            Self::OnCall(schedule) => write!(f, "on call for {schedule}"),
            Self::LeadOf(group) => write!(f, "lead of {group}"),
            Self::ManagerOf(group) => write!(f, "manager of {group}"),
            Self::WhoDid(action) => write!(f, "who did {action}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)?;
        for skill in &self.skills {
            write!(f, " with skill {skill}")?;
        }
        for base in &self.except {
            write!(f, " except {base}")?;
        }
        match &self.otherwise {
            Some(otherwise) => write!(f, ", else {otherwise}"),
            None => Ok(()),
        }
    }
}
