//! Forms: what people type is read, checked as a whole, and saved or refused as a whole.

use crate::command::Typed;
use crate::decide::{Draft, ladder, notice, pause, promise, roles};
use crate::event::{Cause, Fact};
use crate::ticket::{Actor, Branch, Ticket};
use crate::value::MAX_TEXT_BYTES;
use crate::workflow::{Action, Work, Workflow};
use crate::{FieldFault, Name, Operation, Rejection, Value};

/// Longest note, reason or answer of a peer that is kept, in bytes; longer ones of machines are cut.
pub const MAX_NOTE_BYTES: usize = 4 * 1024;

type Values = Vec<(Name, Option<Value>)>;

/// Reads fields that may be any of the workflow's.
pub(super) fn read_any(workflow: &Workflow, typed: &Typed) -> Result<Values, Rejection> {
    read(workflow, None, typed)
}

/// Reads fields that must be in `form`.
pub(super) fn read_form(
    workflow: &Workflow,
    form: &[Name],
    typed: &Typed,
) -> Result<Values, Rejection> {
    read(workflow, Some(form), typed)
}

fn read(workflow: &Workflow, form: Option<&[Name]>, typed: &Typed) -> Result<Values, Rejection> {
    let mut values = Values::new();
    let mut faults = Vec::new();
    for (name, text) in typed {
        let Some(field) = workflow.fields.get(name) else {
            faults.push(FieldFault::Unknown {
                field: name.clone(),
            });
            continue;
        };
        if form.is_some_and(|form| !form.contains(name)) {
            faults.push(FieldFault::NotInForm {
                field: name.clone(),
            });
            continue;
        }
        match Value::read(&field.kind, text) {
            Ok(value) => values.push((name.clone(), value)),
            Err(fault) => faults.push(FieldFault::Value {
                field: name.clone(),
                fault,
            }),
        }
    }
    match faults.is_empty() {
        true => Ok(values),
        false => Err(Rejection::Form { faults }),
    }
}

/// The fields that must be filled for the action: its own, and those of the state's form.
pub(super) fn wanted<'a>(
    workflow: &Workflow,
    work: &'a Work,
    action: &'a Action,
    by: &Actor,
) -> Vec<&'a Name> {
    let required = work.form.iter().filter(|name| {
        let field = workflow.fields.get(*name);
        field.is_some_and(|field| field.required)
    });
    let mut wanted: Vec<&Name> = action.requires.iter().chain(required).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // A caller, a system or a clock can't fill the agents' form: for them only the action's own needs count.
    if by.person().is_none() {
        wanted.retain(|name| action.requires.contains(name));
    }
    wanted
}

/// Fields among `wanted` that would be empty once `values` are saved.
pub(super) fn missing<'a>(
    ticket: &Ticket,
    values: &Values,
    wanted: impl Iterator<Item = &'a Name>,
) -> Vec<FieldFault> {
    let empty = |name: &&Name| {
        let typed = values.iter().rev().find(|(field, _)| field == *name);
        match typed {
            Some((_, value)) => value.is_none(),
            None => !ticket.fields.contains_key(*name),
        }
    };
    wanted
        .filter(empty)
        .map(|field| FieldFault::Missing {
            field: field.clone(),
        })
        .collect()
}

impl Draft<'_> {
    /// The fields that an action, a level or a breach sets.
    pub(super) fn set_fields(&mut self, set: &[(Name, Value)]) {
        if !set.is_empty() {
            let values = set
                .iter()
                .map(|(name, value)| (name.clone(), Some(value.clone())))
                .collect();
            self.push(Fact::FieldsSet {
                by: Actor::Clock,
                values,
            });
        }
    }
}

pub(super) fn save(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    typed: &Typed,
) -> Result<(), Rejection> {
    let (branch, work) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Save, by, None)?;
    let values = match by {
        Actor::Operator(_) => read_any(draft.ctx.workflow, typed)?,
        _ => read_form(draft.ctx.workflow, &work.form, typed)?,
    };
    if values.is_empty() {
        return Ok(());
    }
    draft.push(Fact::FieldsSet {
        by: by.clone(),
        values,
    });
    activity(draft, &branch, by);
    promise::sync(draft);
    Ok(())
}

pub(super) fn tick(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    item: &Name,
    done: bool,
) -> Result<(), Rejection> {
    let (branch, work) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Tick, by, None)?;
    if !work.checklist.iter().any(|known| known.name == *item) {
        return Err(Rejection::NoSuchItem { item: item.clone() });
    }
    draft.push(Fact::Ticked {
        branch,
        item: item.clone(),
        done,
        by: by.clone(),
    });
    Ok(())
}

pub(super) fn comment(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    text: &str,
    to_caller: bool,
) -> Result<(), Rejection> {
    // A comment may be about the ticket as a whole: in a parallel state it needs no branch.
    let branch = match branch {
        Some(branch) => branch.clone(),
        None => draft
            .meant(None)
            .map(|(branch, _)| branch)
            .unwrap_or_default(),
    };
    roles::guard(draft, &branch, Operation::Comment, by, None)?;
    if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
        return Err(Rejection::BadText {
            limit: MAX_TEXT_BYTES,
        });
    }
    let text = text.to_owned();
    draft.push(Fact::Commented {
        branch: branch.clone(),
        by: by.clone(),
        text,
        to_caller,
    });
    let notices = notice::of_comment(draft, &branch, by, to_caller);
    if !notices.is_empty() {
        draft.push(Fact::Notified {
            branch: branch.clone(),
            notices,
            clock: None,
        });
    }
    match by {
        Actor::Contact(_) => promise::caller_spoke(draft),
        _ if to_caller => promise::caller_answered(draft),
        _ => (),
    }
    activity(draft, &branch, by);
    Ok(())
}

/// A sign of life of the assignee restarts a ladder that runs against silence; an offer's ladder goes on.
fn activity(draft: &mut Draft<'_>, branch: &Branch, by: &Actor) {
    let workflow = draft.ctx.workflow;
    let Some(position) = draft.position(branch) else {
        return;
    };
    let his = by.person().is_some() && by.person() == position.holder.answerable();
    let taken = position.taken;
    let ladder = position
        .ladder
        .as_ref()
        .and_then(|ladder| workflow.ladders.get(ladder));
    let quiet = ladder.is_some_and(|ladder| ladder.restart_on_activity.unwrap_or(taken));
    if his && quiet && position.suspended.is_none() && !is_set_later(draft, branch) {
        ladder::arm(draft, branch, Cause::Activity);
    }
}

/// Whether somebody has set the ladder's due time, and later than a restart would: whoever answers by a time
/// has until then, whatever he says meanwhile.
fn is_set_later(draft: &mut Draft<'_>, branch: &Branch) -> bool {
    let Some(clock) = pause::level_clock(draft, branch).filter(|clock| clock.span.is_none()) else {
        return false;
    };
    let first = draft
        .ladder(branch)
        .and_then(|ladder| ladder.levels.first());
    first.is_some_and(|first| draft.due(draft.ctx.now, first.after) < clock.due)
}

/// A note or reason, refused when it is too long.
pub(super) fn note(text: Option<&str>) -> Result<Option<String>, Rejection> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.len() > MAX_NOTE_BYTES => Err(Rejection::BadText {
            limit: MAX_NOTE_BYTES,
        }),
        text => Ok(text.map(str::to_owned)),
    }
}

/// A text that must not be empty.
pub(super) fn reason(text: &str) -> Result<String, Rejection> {
    note(Some(text))?.ok_or(Rejection::BadText {
        limit: MAX_NOTE_BYTES,
    })
}

/// What a machine said, cut to [`MAX_NOTE_BYTES`] at a character's edge.
pub(super) fn clip(text: &str) -> String {
    let mut end = text.len().min(MAX_NOTE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
