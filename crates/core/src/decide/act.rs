//! Taking an action of a state: by a person, or by another system's message.

use crate::command::Typed;
use crate::decide::{Draft, enter, fields, promise, roles};
use crate::event::{Cause, Fact, Notice, Topic};
use crate::ticket::{Actor, Branch, Holder, Position};
use crate::workflow::{Action, Doing, Work};
use crate::{Name, Operation, Rejection};

pub(super) fn act(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    name: &Name,
    typed: &Typed,
    note: Option<&str>,
) -> Result<(), Rejection> {
    let (branch, work) = match branch {
        Some(_) => draft.meant(branch)?,
        None => with_action(draft, name)?,
    };
    let Some(action) = work.action(name) else {
        let state = draft
            .position(&branch)
            .map(|position| position.state.clone())
            .unwrap_or_default();
        let actions = work
            .actions
            .iter()
            .map(|action| action.name.clone())
            .collect();
        return Err(Rejection::NoSuchAction {
            state,
            action: name.clone(),
            actions,
        });
    };
    // What a machine is doing only the machine, or an operator in its place, can declare done.
    if is_outcome(work, name) && !matches!(by, Actor::Operator(_)) {
        return Err(Rejection::NotAllowed {
            operation: Operation::Act,
        });
    }
    if let Err(refused) = roles::guard(draft, &branch, Operation::Act, by, Some(action)) {
        return Err(match &refused {
            Rejection::NotAllowed { .. } | Rejection::HeldBy { .. } => {
                roles::excluded(draft, &branch, by, action).unwrap_or(refused)
            }
            _ => refused,
        });
    }
    let note = fields::note(note)?;
    let values = match by {
        Actor::Operator(_) => fields::read_any(draft.ctx.workflow, typed)?,
        _ => fields::read_form(draft.ctx.workflow, &work.form, typed)?,
    };
    take(draft, &branch, work, action, by, values, note)
}

/// The branch whose state has the action, when no branch is named: the only one that has it.
fn with_action<'a>(draft: &mut Draft<'a>, name: &Name) -> Result<(Branch, &'a Work), Rejection> {
    let workflow = draft.ctx.workflow;
    let positions = draft.ticket().positions.iter();
    let having = positions.filter_map(|(branch, position)| {
        let work = workflow
            .work(&position.state)
            .filter(|_| position.ended.is_none())?;
        work.action(name).map(|_| (branch.clone(), work))
    });
    let having: Vec<_> = having.collect();
    match <[_; 1]>::try_from(having) {
        Ok([one]) => Ok(one),
        Err(none) if none.is_empty() => draft.meant(None),
        Err(several) => Err(Rejection::WhichBranch {
            branches: several.into_iter().map(|(branch, _)| branch).collect(),
        }),
    }
}

/// Whether the action is a machine's to take.
pub(super) fn is_outcome(work: &Work, action: &str) -> bool {
    match &work.doing {
        Some(Doing::Run(_)) => matches!(action, super::machine::DONE | super::machine::FAILED),
        // A called workflow moves its parent on by its outcome, or by `done`.
        Some(Doing::Call(_)) => work
            .action(action)
            .is_some_and(|action| action.by.is_empty()),
        Some(Doing::Parallel(_)) | None => false,
    }
}

pub(super) fn message(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    message: &Name,
    typed: &Typed,
) -> Result<(), Rejection> {
    let workflow = draft.ctx.workflow;
    let positions = draft.ticket().positions.iter();
    let awaiting = positions.filter(|(here, _)| branch.is_none_or(|branch| branch == *here));
    let awaiting = awaiting.filter(|(_, position)| position.ended.is_none());
    let found = awaiting.filter_map(|(here, position)| {
        let work = workflow.work(&position.state)?;
        let action = work
            .actions
            .iter()
            .find(|action| action.message.as_ref() == Some(message))?;
        Some((here.clone(), work, action))
    });
    let found: Vec<_> = found.collect();
    // Only systems send messages: a person presses the button, under the button's rules.
    if !matches!(by, Actor::System(_) | Actor::Operator(_)) {
        return Err(Rejection::NotAllowed {
            operation: Operation::Act,
        });
    }
    let Some((here, work, action)) = found.into_iter().next() else {
        return Err(Rejection::NotAwaited {
            message: message.clone(),
        });
    };
    let values = fields::read_any(workflow, typed)?;
    take(draft, &here, work, action, by, values, None)
}

/// Takes the action: saves what came with it, checks what it needs, and goes where it leads.
pub(super) fn take(
    draft: &mut Draft<'_>,
    branch: &Branch,
    work: &Work,
    action: &Action,
    by: &Actor,
    values: Vec<(Name, Option<crate::Value>)>,
    note: Option<String>,
) -> Result<(), Rejection> {
    let wanted = fields::wanted(draft.ctx.workflow, work, action, by);
    let faults = fields::missing(draft.ticket(), &values, wanted.into_iter());
    if !faults.is_empty() {
        return Err(Rejection::Form { faults });
    }
    let Some(position) = draft.position(branch).cloned() else {
        return Err(Rejection::NoSuchBranch {
            branch: branch.clone(),
        });
    };
    let open = action
        .ticked
        .iter()
        .filter(|item| !position.ticked.contains(*item));
    let items: Vec<Name> = open.cloned().collect();
    if !items.is_empty() {
        return Err(Rejection::NotTicked { items });
    }
    if !values.is_empty() {
        draft.push(Fact::FieldsSet {
            by: by.clone(),
            values,
        });
    }
    draft.set_fields(&action.set);
    draft.push(Fact::Acted {
        branch: branch.clone(),
        action: action.name.clone(),
        by: by.clone(),
        note,
    });
    tell_outcome(draft, branch, &position, by);
    let cause = Cause::Action {
        action: action.name.clone(),
        by: by.clone(),
    };
    enter::enter(draft, branch, &action.goto, cause, None)?;
    promise::sync(draft);
    Ok(())
}

/// Those who were told of the ticket learn that somebody has acted, as does who delegated it.
pub(super) fn tell_outcome(
    draft: &mut Draft<'_>,
    branch: &Branch,
    position: &Position,
    by: &Actor,
) {
    let offered = match &position.holder {
        Holder::Offer { candidates, .. } => candidates.as_slice(),
        _ => &[],
    };
    // Whoever only ever had it by his own doing was not asked, so he waits for no answer.
    let asked = position.had.iter().filter(|_| position.had.len() > 1);
    let people = asked.chain(offered).chain(&position.delegated_by);
    let others: Vec<Name> = people
        .filter(|person| by.person() != Some(*person))
        .cloned()
        .collect();
    let mut notices: Vec<Notice> = Vec::new();
    for person in &others {
        draft.tell(&mut notices, person, &Topic::Outcome);
    }
    if !notices.is_empty() {
        draft.push(Fact::Notified {
            branch: branch.clone(),
            notices,
            clock: None,
        });
    }
}
