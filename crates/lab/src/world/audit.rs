//! P1 as a question: does every open ticket have somebody answerable, and a clock that moves it on?

use std::fmt;

use upline_core::{Branch, ClockKind, Directory, Holder, Name, Position, Ticket};

use super::{Observer, World};

/// A place where a ticket could be forgotten. There must never be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The ticket.
    pub ticket: Name,
    /// The branch.
    pub branch: Branch,
    /// The state that it is in.
    pub state: Name,
    /// What is missing.
    pub missing: Missing,
}

/// What an open position lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The ticket is nowhere.
    Position,
    /// Nobody is answerable.
    Answerable,
    /// Whoever is answerable is not in the directory.
    Person,
    /// No clock moves it on.
    Clock,
    /// It waits for branches, and there are none.
    Branches,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.missing {
            Missing::Position => "it is in no state",
            Missing::Answerable => "nobody is answerable",
            Missing::Person => "who is answerable is not in the directory",
            Missing::Clock => "no clock moves it on",
            Missing::Branches => "it waits for branches that are not there",
        };
        write!(f, "ticket {} in `{}`: {what}", self.ticket, self.state)
    }
}

impl<O: Observer> World<O> {
    /// Every place in which an open ticket could be forgotten: empty, or something is wrong.
    pub fn audit(&self) -> Vec<Gap> {
        let open = self.tickets().filter(|ticket| ticket.is_open());
        open.flat_map(|ticket| gaps(ticket, &self.directory))
            .collect()
    }
}

/// Every place in which this ticket could be forgotten.
pub fn gaps(ticket: &Ticket, directory: &Directory) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if !ticket.is_open() {
        return gaps;
    }
    let mut gap = |branch: &Branch, state: &Name, missing| {
        gaps.push(Gap {
            ticket: ticket.id.clone(),
            branch: branch.clone(),
            state: state.clone(),
            missing,
        });
    };
    if !ticket.positions.contains_key("") {
        gap(&Branch::default(), &Name::default(), Missing::Position);
    }
    for (branch, position) in &ticket.positions {
        if let Some(missing) = missing(ticket, branch, position, directory) {
            gap(branch, &position.state, missing);
        }
    }
    gaps
}

fn missing(
    ticket: &Ticket,
    branch: &Branch,
    position: &Position,
    directory: &Directory,
) -> Option<Missing> {
    if position.ended.is_some() {
        return None;
    }
    if position.holder == Holder::Branches {
        let inner = |other: &Branch| match branch.is_empty() {
            true => !other.is_empty(),
            false => other.starts_with(&format!("{branch}/")),
        };
        let waits = ticket.positions.iter();
        let mut waits = waits.filter(|(_, position)| position.ended.is_none());
        return match waits.any(|(other, _)| inner(other)) {
            true => None,
            false => Some(Missing::Branches),
        };
    }
    let Some(person) = position.holder.answerable() else {
        return Some(Missing::Answerable);
    };
    if !directory.people.contains_key(person) {
        return Some(Missing::Person);
    }
    let mut clocks = ticket.clocks.iter().filter(|clock| clock.branch == *branch);
    match clocks.any(|clock| moves_on(&clock.kind)) {
        true => None,
        false => Some(Missing::Clock),
    }
}

/// Whether the clock asks somebody, or leaves the state, when nobody does anything.
fn moves_on(kind: &ClockKind) -> bool {
    match kind {
        ClockKind::After { .. }
        | ClockKind::RunTimeout
        | ClockKind::RunRetry
        | ClockKind::Wake
        | ClockKind::Level { .. }
        | ClockKind::Remind => true,
        ClockKind::PromiseWarn { .. }
        | ClockKind::PromiseBreach { .. }
        | ClockKind::Reach { .. } => false,
    }
}
