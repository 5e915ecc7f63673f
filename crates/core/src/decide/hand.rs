//! Handing a ticket on by hand: claim, decline, release, delegate, reassign, escalate, cancel.

use crate::decide::{Draft, act, ascent, fields, ladder, promise, roles};
use crate::event::{Cause, Fact};
use crate::ticket::{Actor, Branch, Holder, Level};
use crate::{Name, Operation, Reason, Rejection};

fn cause(operation: Operation, by: &Actor, reason: Option<String>) -> Cause {
    Cause::Person {
        operation,
        by: by.clone(),
        reason,
    }
}

pub(super) fn claim(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Claim, by, None)?;
    let (Some(person), Some(position)) = (by.person(), draft.position(&branch).cloned()) else {
        return Err(Rejection::NotAllowed {
            operation: Operation::Claim,
        });
    };
    // An operator need not be of the directory, but whoever has a ticket must.
    if !draft.ctx.directory.people.contains_key(person) {
        return Err(Rejection::NoSuchPerson {
            person: person.clone(),
        });
    }
    ascent::hand_to(
        draft,
        &branch,
        person,
        Level::Entry,
        (Operation::Claim, by, None),
        true,
    );
    act::tell_outcome(draft, &branch, &position, by);
    Ok(())
}

pub(super) fn decline(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Decline, by, None)?;
    let cause = cause(Operation::Decline, by, fields::note(reason)?);
    let (Some(person), Some(position)) = (by.person(), draft.position(&branch)) else {
        return Err(Rejection::NotAllowed {
            operation: Operation::Decline,
        });
    };
    // One candidate of several: the others are still asked, and the lead's clock runs on.
    if let Holder::Offer {
        candidates,
        lead,
        group,
    } = &position.holder
        && candidates.len() > 1
        && candidates.contains(person)
    {
        let others = candidates
            .iter()
            .filter(|candidate| *candidate != person)
            .cloned()
            .collect();
        let holder = Holder::Offer {
            group: group.clone(),
            lead: lead.clone(),
            candidates: others,
        };
        ascent::offer_goes_on(draft, &branch, holder, cause);
        return Ok(());
    }
    ladder::pass_on(draft, &branch, &cause, Some(person), Vec::new())
}

pub(super) fn release(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Release, by, None)?;
    let cause = cause(Operation::Release, by, fields::note(reason)?);
    let position = draft.position(&branch);
    let (round, holder) = match position {
        Some(position) => (position.round, position.holder.answerable().cloned()),
        None => (1, None),
    };
    let step = ladder::Step {
        level: Level::Entry,
        round,
    };
    let barred = holder.as_ref();
    ladder::climb(
        draft,
        &branch,
        step,
        ladder::Climb {
            cause: &cause,
            barred,
            left_out: Vec::new(),
        },
    )
}

pub(super) fn delegate(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    to: &Name,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let branch = may_give(draft, branch, Operation::Delegate, by, to)?;
    let how = (Operation::Delegate, by, fields::note(reason)?);
    // The last resort hands on like anybody else, and the ladder begins anew below it.
    let level = match draft.position(&branch).map(|position| position.level) {
        Some(level @ Level::Number(_)) => level,
        _ => Level::Entry,
    };
    ascent::hand_to(draft, &branch, to, level, how, false);
    Ok(())
}

pub(super) fn reassign(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    to: &Name,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let branch = may_give(draft, branch, Operation::Reassign, by, to)?;
    let how = (Operation::Reassign, by, fields::note(reason)?);
    let taken = by.person() == Some(to);
    ascent::hand_to(draft, &branch, to, Level::Entry, how, taken);
    Ok(())
}

/// The branch that is meant, if `by` may hand it on and the person named can have it.
fn may_give(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    operation: Operation,
    by: &Actor,
    to: &Name,
) -> Result<Branch, Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, operation, by, None)?;
    can_have(draft, &branch, to)?;
    Ok(branch)
}

/// Whether the person named can be made answerable. Capacity and skills don't bind a person's own choice.
fn can_have(draft: &mut Draft<'_>, branch: &Branch, to: &Name) -> Result<(), Rejection> {
    let ctx = draft.ctx;
    let Some(person) = ctx.directory.people.get(to) else {
        return Err(Rejection::NoSuchPerson { person: to.clone() });
    };
    let has_it = draft
        .position(branch)
        .is_some_and(|position| match &position.holder {
            Holder::Assignee(holder) => holder == to,
            // The lead is merely answerable for the offer: it can be given to him.
            _ => false,
        });
    let reason = match ctx.directory.absence(to, ctx.now) {
        Some(absence) => Reason::Absent { until: absence.to },
        None if has_it => Reason::HasIt,
        None if person.channels.is_empty() => Reason::Unreachable,
        None => return Ok(()),
    };
    Err(Rejection::CannotHave {
        person: to.clone(),
        reason,
    })
}

pub(super) fn escalate(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    to: Option<u16>,
    reason: Option<&str>,
) -> Result<(), Rejection> {
    let (branch, _) = draft.meant(branch)?;
    roles::guard(draft, &branch, Operation::Escalate, by, None)?;
    let cause = cause(Operation::Escalate, by, fields::note(reason)?);
    match to {
        Some(level) => ladder::to_level(draft, &branch, level, &cause),
        None => ladder::next_level(draft, &branch, &cause),
    }
}

pub(super) fn cancel(
    draft: &mut Draft<'_>,
    branch: Option<&Branch>,
    by: &Actor,
    reason: &str,
) -> Result<(), Rejection> {
    // The ticket as a whole is given up, whatever branch is named.
    let branch = match branch {
        Some(branch) => branch.clone(),
        None => Branch::default(),
    };
    roles::guard(draft, &branch, Operation::Cancel, by, None)?;
    let reason = fields::reason(reason)?;
    promise::close(draft, "");
    draft.push(Fact::Ended {
        state: Name::default(),
        outcome: Name::new("cancelled"),
        cause: cause(Operation::Cancel, by, Some(reason)),
        notices: Vec::new(),
    });
    Ok(())
}
