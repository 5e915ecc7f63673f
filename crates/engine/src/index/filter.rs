//! Which tickets a list has: what can be asked for, where that is looked for, and what is wanted of it.

use upline_core::{Holder, Level, Name, Ticket};

use super::contacts;
use super::keys::{self, Key, kind};
use super::walk::Range;
use crate::contact::comparable;
use crate::record::{Millis, Record};
use crate::vault::contacts::Secret;

/// Whether a ticket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is.
    Open,
    /// It has ended.
    Ended,
}

/// Which tickets are wanted. What is left out is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Those of this workflow.
    pub workflow: Option<Name>,
    /// Those in this state, in one of their branches at least; of ended ones those with this outcome.
    pub state: Option<Name>,
    /// Those that this person is answerable for. They are open.
    pub person: Option<Name>,
    /// Those that are offered to this person, in one of their branches at least. They are open.
    pub candidate: Option<Name>,
    /// Those with this contact in one of their fields, however it is spelled: see
    /// [`comparable`](crate::contact::comparable). Erased ones are not found.
    pub contact: Option<String>,
    /// Open or ended ones.
    pub standing: Option<Standing>,
    /// Those at this level of a ladder, in one of their branches at least. They are open.
    pub level: Option<Level>,
    /// Those with a clock that is due before that time. They are open, and in order of it as with
    /// `due_first`.
    pub due_before: Option<Millis>,
    /// Those whose clock is due first come first, whatever it does then, and those without a running one
    /// last. They are open.
    pub due_first: bool,
    /// Opened at that time or later. If ended ones are asked for: ended then or later.
    pub from: Option<Millis>,
    /// Opened, or ended, before that time.
    pub to: Option<Millis>,
    /// The highest numbers first, or of ended ones the last ended.
    pub newest_first: bool,
}

impl Filter {
    /// Only those of this workflow.
    #[must_use]
    pub fn workflow(mut self, workflow: &str) -> Self {
        self.workflow = Some(Name::new(workflow));
        self
    }

    /// Only those in this state; of ended ones those with this outcome.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        self.state = Some(Name::new(state));
        self
    }

    /// Only those that this person is answerable for.
    #[must_use]
    pub fn person(mut self, person: &str) -> Self {
        self.person = Some(Name::new(person));
        self
    }

    /// Only those that are offered to this person.
    #[must_use]
    pub fn candidate(mut self, person: &str) -> Self {
        self.candidate = Some(Name::new(person));
        self
    }

    /// Only those of this contact: a number, an address or a name.
    #[must_use]
    pub fn contact(mut self, contact: &str) -> Self {
        self.contact = Some(contact.to_owned());
        self
    }

    /// Only open, or only ended ones.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    /// Only those at this level, in one of their branches at least.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Only those with a clock that is due before that time.
    #[must_use]
    pub fn due_before(mut self, time: Millis) -> Self {
        self.due_before = Some(time);
        self
    }

    /// Those whose clock is due first come first.
    #[must_use]
    pub fn due_first(mut self) -> Self {
        self.due_first = true;
        self
    }

    /// The newest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    pub(super) fn is_by_clock(&self) -> bool {
        self.due_first || self.due_before.is_some()
    }
}

pub(super) fn by_state(standing: Standing, workflow: Option<&str>) -> Key {
    let key = Key::of(kind::STATE).byte(match standing {
        Standing::Open => keys::OPEN,
        Standing::Ended => keys::ENDED,
    });
    match workflow {
        Some(workflow) => key.text(workflow),
        None => key,
    }
}

/// Where to look for what is wanted, in order.
pub(super) fn plan(filter: &Filter, secret: &Secret) -> Vec<Range> {
    let timed = filter.from.is_some() || filter.to.is_some();
    if let Some(contact) = &filter.contact {
        let mark = comparable(contact).map(|contact| secret.mark(&contact));
        let range = mark.map(|mark| Range::all_of(contacts::of_contact(&mark)));
        return range.into_iter().collect();
    }
    if let Some(person) = &filter.person {
        return match filter.standing {
            Some(Standing::Ended) => Vec::new(),
            _ => vec![Range::all_of(Key::of(kind::PERSON).text(person))],
        };
    }
    if filter.standing == Some(Standing::Ended) && timed {
        let all = Range::all_of(Key::of(kind::ENDED));
        let at = |at: Millis| Key::of(kind::ENDED).time(at).0;
        return vec![Range {
            start: filter.from.map_or(all.start, at),
            end: filter.to.map_or(all.end, at),
        }];
    }
    let standings = match filter.standing {
        Some(standing) => vec![standing],
        None if filter.workflow.is_none() => return vec![Range::all_of(Key::of(kind::TICKET))],
        None if filter.newest_first => vec![Standing::Ended, Standing::Open],
        None => vec![Standing::Open, Standing::Ended],
    };
    let ranges = standings.into_iter().map(|standing| {
        let key = by_state(standing, filter.workflow.as_deref());
        match (&filter.workflow, &filter.state) {
            (Some(_), Some(state)) => Range::all_of(key.text(state)),
            _ => Range::all_of(key),
        }
    });
    ranges.collect()
}

/// Whether one of its branches is offered to this person.
fn is_offered(ticket: &Ticket, person: &Name) -> bool {
    let mut holders = ticket.positions.values().map(|position| &position.holder);
    holders.any(
        |holder| matches!(holder, Holder::Offer { candidates, .. } if candidates.contains(person)),
    )
}

/// Whether the filter wants it, at this one of its keys.
pub(super) fn wanted(filter: &Filter, key: &[u8], record: &Record) -> bool {
    let ticket = &record.ticket;
    let is = |wanted: &Option<Name>, name: &Name| wanted.as_ref().is_none_or(|it| it == name);
    let standing = match ticket.ended {
        Some(_) => Standing::Ended,
        None => Standing::Open,
    };
    let mut states = ticket.positions.values().map(|position| &position.state);
    let state = match &ticket.ended {
        Some(ended) => is(&filter.state, &ended.outcome),
        None => filter.state.is_none() || states.any(|state| is(&filter.state, state)),
    };
    let mut levels = ticket.positions.values().map(|position| position.level);
    let level = match filter.level {
        Some(level) => ticket.is_open() && levels.any(|its| its == level),
        None => true,
    };
    let clock = match filter.due_before {
        Some(time) => keys::due(record).is_some_and(|due| due < time),
        None => !filter.due_first || ticket.is_open(),
    };
    let person = match &filter.person {
        Some(person) => ticket.answerable().any(|(_, holder)| holder == person),
        None => true,
    };
    let candidate = match &filter.candidate {
        Some(person) => ticket.is_open() && is_offered(ticket, person),
        None => true,
    };
    let time = match &ticket.ended {
        Some(ended) if filter.standing == Some(Standing::Ended) => {
            let at = ended.at.as_millisecond();
            filter.from.is_none_or(|from| from <= at) && filter.to.is_none_or(|to| at < to)
        }
        _ => true,
    };
    // With branches it has several keys by state, and is shown at one of them.
    let here = key.first() != Some(&kind::STATE) || keys::is_shown_at(record, &filter.state, key);
    here && is(&filter.workflow, &ticket.workflow)
        && state
        && level
        && clock
        && person
        && candidate
        && time
        && filter.standing.is_none_or(|wanted| wanted == standing)
}
