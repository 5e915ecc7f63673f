//! People who are no longer there: the directory changed, or an absence began.

use crate::decide::{Draft, ascent, ladder};
use crate::event::{Cause, LeftOut, Reason};
use crate::ticket::{Branch, Holder, Level, Position};
use crate::{Name, Rejection};

/// Looks at every position of the ticket.
pub(super) fn recheck(draft: &mut Draft<'_>) -> Result<(), Rejection> {
    let branches: Vec<Branch> = draft
        .ticket()
        .answerable()
        .map(|(branch, _)| branch.clone())
        .collect();
    for branch in branches {
        let Some(position) = draft.position(&branch).cloned() else {
            continue;
        };
        match &position.holder {
            Holder::Assignee(person) if position.level == Level::LastResort => {
                last_resort(draft, &branch, person)?
            }
            Holder::Assignee(person) => assignee(draft, &branch, &position, person)?,
            Holder::Offer { .. } => offer(draft, &branch, &position)?,
            Holder::Branches | Holder::Nobody => (),
        }
    }
    Ok(())
}

/// The directory may name another last resort now.
fn last_resort(draft: &mut Draft<'_>, branch: &Branch, person: &Name) -> Result<(), Rejection> {
    if *person == draft.ctx.directory.last_resort {
        return Ok(());
    }
    let round = draft.position(branch).map_or(1, |position| position.round);
    let step = ladder::Step {
        level: Level::LastResort,
        round,
    };
    ladder::climb(
        draft,
        branch,
        step,
        ladder::Climb {
            cause: &Cause::Gone,
            barred: None,
            left_out: Vec::new(),
        },
    )
}

fn assignee(
    draft: &mut Draft<'_>,
    branch: &Branch,
    position: &Position,
    person: &Name,
) -> Result<(), Rejection> {
    if draft.ctx.directory.people.contains_key(person) {
        // Whoever is merely away keeps what he was asked: the ladder moves it on. Where it was left with him
        // because nobody was asked, somebody else stands in.
        return replace_if_gone(draft, branch);
    }
    let left_out = vec![LeftOut {
        who: person.clone(),
        reason: Reason::Unknown,
    }];
    let asks = draft.work(branch).is_some_and(|work| work.assign.is_some());
    if !asks && position.level == Level::Entry {
        return replace(draft, branch, person, left_out);
    }
    // Same level's next: its phrase again, without him.
    let step = ladder::Step {
        level: position.level,
        round: position.round,
    };
    let climb = ladder::Climb {
        cause: &Cause::Gone,
        barred: Some(person),
        left_out,
    };
    ladder::climb(draft, branch, step, climb)
}

/// In a state without `assign`: a holder who is away or gone is replaced by his deputy, else by his group's
/// lead, else by the last resort.
pub(super) fn replace_if_gone(draft: &mut Draft<'_>, branch: &Branch) -> Result<(), Rejection> {
    let ctx = draft.ctx;
    let asks = draft.work(branch).is_none_or(|work| work.assign.is_some());
    let Some(position) = draft.position(branch).cloned() else {
        return Ok(());
    };
    let Holder::Assignee(person) = &position.holder else {
        return Ok(());
    };
    if asks || position.level != Level::Entry || *person == ctx.directory.last_resort {
        return Ok(());
    }
    let reason = match ctx.directory.absence(person, ctx.now) {
        _ if !ctx.directory.people.contains_key(person) => Reason::Unknown,
        Some(absence) => Reason::Absent { until: absence.to },
        None => return Ok(()),
    };
    replace(
        draft,
        branch,
        person,
        vec![LeftOut {
            who: person.clone(),
            reason,
        }],
    )
}

fn replace(
    draft: &mut Draft<'_>,
    branch: &Branch,
    person: &Name,
    left_out: Vec<LeftOut>,
) -> Result<(), Rejection> {
    let ctx = draft.ctx;
    let other = ctx.directory.replacement(person, ctx.now);
    match other.filter(|other| **other != ctx.directory.last_resort) {
        Some(other) => {
            ascent::stand_in(draft, branch, other, left_out);
            Ok(())
        }
        None => {
            let round = draft.position(branch).map_or(1, |position| position.round);
            let step = ladder::Step {
                level: Level::LastResort,
                round,
            };
            ladder::climb(
                draft,
                branch,
                step,
                ladder::Climb {
                    cause: &Cause::Gone,
                    barred: None,
                    left_out,
                },
            )
        }
    }
}

fn offer(draft: &mut Draft<'_>, branch: &Branch, position: &Position) -> Result<(), Rejection> {
    let ctx = draft.ctx;
    let Holder::Offer {
        group,
        lead,
        candidates,
    } = &position.holder
    else {
        return Ok(());
    };
    let there = |person: &&Name| {
        ctx.directory.people.contains_key(*person)
            && ctx.directory.absence(person, ctx.now).is_none()
    };
    let left: Vec<Name> = candidates.iter().filter(there).cloned().collect();
    let lead_now = match ctx.directory.groups.get(group) {
        Some(group) => ctx.directory.answerable_lead(group, ctx.now),
        None => &ctx.directory.last_resort,
    };
    if left.is_empty() {
        return ladder::pass_on(draft, branch, &Cause::Gone, None, Vec::new());
    }
    if left.len() == candidates.len() && lead_now == lead {
        return Ok(());
    }
    let holder = Holder::Offer {
        group: group.clone(),
        lead: lead_now.clone(),
        candidates: left,
    };
    ascent::offer_goes_on(draft, branch, holder, Cause::Gone);
    Ok(())
}
