//! Which reasons need a line, and which are told already.

use upline_core::{Actor, Branch, Cause, Event, Fact, Holder, Hop, LeftOut, Name, Reason};

use super::Say;

/// A state whose person is whoever led the ticket there is one line with that person's name.
pub(super) fn merged<'a>(event: &'a Event, hop: &Hop, opener: &Actor) -> Option<(&'a Branch, Say)> {
    let Fact::Entered {
        branch,
        state,
        cause,
        ..
    } = &event.fact
    else {
        return None;
    };
    let actor = match cause {
        Cause::Opened => opener,
        Cause::Action { by, .. } => by,
        _ => return None,
    };
    let Holder::Assignee(person) = &hop.holder else {
        return None;
    };
    let himself = actor.person() == Some(person) && hop.branch == *branch;
    let quiet = hop.notices.is_empty() && hop.left_out.iter().all(is_rank);
    let merged = Say::State {
        state: state.clone(),
        holder: Some(person.clone()),
        cause: told_cause(cause),
    };
    (himself && quiet).then_some((branch, merged))
}

/// Whether somebody was left out only because somebody else came first; that needs no line.
pub(super) fn is_rank(left: &LeftOut) -> bool {
    matches!(
        left.reason,
        Reason::Busier { .. }
            | Reason::LaterInLine
            | Reason::HadIt
            | Reason::HasIt
            | Reason::More { .. }
    )
}

/// The causes that no other line tells.
pub(super) fn told_cause(cause: &Cause) -> Option<Cause> {
    match cause {
        Cause::Clock { .. } | Cause::Chosen { .. } | Cause::Joined | Cause::Breach { .. } => {
            Some(cause.clone())
        }
        _ => None,
    }
}

/// Seconds by which a clock fired late; 0 for other causes.
pub(super) fn lateness(cause: &Cause) -> i64 {
    match cause {
        Cause::Clock { late, .. } => *late,
        _ => 0,
    }
}

/// An actor's name; `None` for Upline itself.
pub(super) fn actor(by: &Actor) -> Option<&Name> {
    match by {
        Actor::Person(name)
        | Actor::Operator(name)
        | Actor::Contact(name)
        | Actor::System(name) => Some(name),
        Actor::Clock => None,
    }
}

/// Whether the rule is no more than what the person did.
pub(super) fn is_by_hand(cause: &Cause, rule: &Name) -> bool {
    matches!(cause, Cause::Person { operation, .. } if rule.as_str() == operation.word())
}
