//! A hop: the person asked changes, with the reason, and with the reason why not the others.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Notice;
use crate::Name;
use crate::ticket::{Actor, Branch, Clock, ClockId, Holder, Level, Why};

/// One passing-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Where.
    pub branch: Branch,
    /// Who was answerable.
    pub from: Option<Name>,
    /// Who has it now.
    pub holder: Holder,
    /// The new epoch.
    pub epoch: u32,
    /// The ladder, if the state has one.
    pub ladder: Option<Name>,
    /// Where on the ladder.
    pub level: Level,
    /// The round, from 1. A new round forgets who has had it.
    pub round: u32,
    /// Whether the holder has taken it rather than being asked.
    pub taken: bool,
    /// The rule.
    pub why: Why,
    /// What led to it.
    pub cause: Cause,
    /// For whom the holder, or the lead of an offer, stands in (his deputy), if he does.
    pub deputy_of: Option<Name>,
    /// The candidates of an offer who stand in for others.
    pub stand_ins: Vec<StandIn>,
    /// Each who was looked at, and why not; at most [`MAX_LEFT_OUT`](super::MAX_LEFT_OUT).
    pub left_out: Vec<LeftOut>,
    /// The group whose round robin moved on to the holder.
    pub turn_of: Option<Name>,
    /// The ladder's next clock.
    pub clock: Option<Clock>,
    /// Clocks of the person's later notification rules.
    pub reach: Vec<Clock>,
    /// The messages.
    pub notices: Vec<Notice>,
}

/// Somebody who stands in for somebody else: his deputy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandIn {
    /// Who.
    pub who: Name,
    /// For whom, who is away.
    pub of: Name,
}

/// What led to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The ticket was opened.
    Opened,
    /// The state was entered.
    Entered,
    /// An action.
    Action {
        /// Which.
        action: Name,
        /// Who took it.
        by: Actor,
    },
    /// A clock fired.
    Clock {
        /// Which.
        clock: ClockId,
        /// Seconds between its due time and now.
        late: i64,
    },
    /// A condition chose the way.
    Chosen {
        /// The condition, or `else`.
        when: Name,
    },
    /// Somebody claimed, declined, released … it.
    Person {
        /// What he did.
        operation: crate::Operation,
        /// Who.
        by: Actor,
        /// What he said.
        reason: Option<String>,
    },
    /// No channel reaches the person.
    Undeliverable,
    /// The person is no longer in the directory, or is absent.
    Gone,
    /// A promise was broken.
    Breach {
        /// Which.
        promise: Name,
    },
    /// The branches came together.
    Joined,
    /// The holder gave a sign of life.
    Activity,
    /// The ticket was migrated.
    Migrated,
}

/// Somebody who was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Who; empty for a whole phrase that led to nobody.
    pub who: Name,
    /// Why.
    pub reason: Reason,
}

/// Why somebody was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Away, and no deputy is there.
    Absent {
        /// Until when.
        #[serde(with = "crate::instant")]
        until: Timestamp,
    },
    /// Not on shift.
    OffShift,
    /// Has as many open tickets as he may.
    AtCapacity {
        /// How many that is.
        at_most: u32,
    },
    /// Lacks this skill.
    LacksSkill {
        /// Which.
        skill: Name,
    },
    /// Excluded by the rule (four eyes).
    Excluded,
    /// No channel reaches him.
    Unreachable,
    /// Has had it in this round.
    HadIt,
    /// Has it now.
    HasIt,
    /// Holds more tickets than the one who was asked.
    Busier {
        /// How many.
        open: u32,
    },
    /// Was given a ticket more recently than the one who was asked, or stands later in the list.
    LaterInLine,
    /// Not in the directory.
    Unknown,
    /// Nobody is meant: nobody did the action, nobody is on call, the group has no such leader.
    Nobody,
    /// Of a large group, this many more.
    More {
        /// How many.
        count: u32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { until } => write!(f, "away until {until}"),
            Self::OffShift => f.write_str("off shift"),
            Self::AtCapacity { at_most } => write!(f, "has {at_most} tickets already"),
            Self::LacksSkill { skill } => write!(f, "lacks the skill {skill}"),
            Self::Excluded => f.write_str("excluded by the rule"),
            Self::Unreachable => f.write_str("no channel reaches them"),
            Self::HadIt => f.write_str("has had it"),
            Self::HasIt => f.write_str("has it now"),
            Self::Busier { open } => write!(f, "busier: {open} open"),
            Self::LaterInLine => f.write_str("later in line"),
            Self::Unknown => f.write_str("not in the directory"),
            Self::Nobody => f.write_str("nobody is meant"),
            Self::More { count } => write!(f, "{count} more"),
        }
    }
}
