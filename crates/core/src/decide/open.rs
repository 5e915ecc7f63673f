//! A ticket begins.

use crate::command::Typed;
use crate::decide::{Draft, enter, fields, promise};
use crate::event::{Cause, Fact};
use crate::ticket::{Actor, Branch, Holder, Parent};
use crate::{Name, Rejection};

/// Longest id and key of a ticket, in bytes. Both are of one line.
pub const MAX_ID_BYTES: usize = 256;

pub(super) fn open(
    draft: &mut Draft<'_>,
    id: &Name,
    key: Option<&Name>,
    parent: Option<&Parent>,
    typed: &Typed,
    by: &Actor,
) -> Result<(), Rejection> {
    if !draft.ticket().id.is_empty() {
        return Err(Rejection::AlreadyOpen);
    }
    let is_bad = |text: &str| text.len() > MAX_ID_BYTES || text.chars().any(char::is_control);
    if is_bad(id) || key.is_some_and(|key| key.is_empty() || is_bad(key)) {
        return Err(Rejection::BadId {
            limit: MAX_ID_BYTES,
        });
    }
    if let Actor::Person(person) = by
        && !draft.ctx.directory.people.contains_key(person)
    {
        return Err(Rejection::NoSuchPerson {
            person: person.clone(),
        });
    }
    let values = fields::read_any(draft.ctx.workflow, typed)?;
    draft.push(Fact::Opened {
        ticket: id.clone(),
        workflow: draft.ctx.workflow.name.clone(),
        version: draft.ctx.workflow.version,
        by: by.clone(),
        key: key.cloned(),
        parent: parent.cloned(),
    });
    if !values.is_empty() {
        draft.push(Fact::FieldsSet {
            by: by.clone(),
            values,
        });
    }
    // Until the first state has asked somebody, it is the opener's, or the last resort's.
    let opener = by
        .person()
        .filter(|person| draft.ctx.directory.people.contains_key(*person));
    let first = opener.unwrap_or(&draft.ctx.directory.last_resort).clone();
    let start = draft.ctx.workflow.start.clone();
    enter::enter(
        draft,
        &Branch::default(),
        &start,
        Cause::Opened,
        Some(Holder::Assignee(first)),
    )?;
    // Who opens a ticket from outside has spoken with it.
    match by {
        Actor::Contact(_) => promise::caller_spoke(draft),
        _ => promise::sync(draft),
    }
    Ok(())
}
