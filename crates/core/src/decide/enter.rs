//! Entering a state: choices, splits, joins and ends on the way, until somebody is asked.

use crate::decide::{Draft, gone, ladder, machine, promise};
use crate::event::{Cause, Fact, Topic};
use crate::ticket::{Actor, Branch, ClockKind, Holder, Level};
use crate::workflow::{Doing, Join, MAX_AUTOMATIC_STEPS, Parallel, StateKind, Work};
use crate::{Name, Rejection, Who};

/// Enters `state` at `branch`, and goes on through choices until somebody is asked or it ends.
///
/// `first` is who has it if nobody had it before: at the opening, and at the start of a branch.
pub(super) fn enter(
    draft: &mut Draft<'_>,
    branch: &Branch,
    state: &Name,
    mut cause: Cause,
    first: Option<Holder>,
) -> Result<(), Rejection> {
    let workflow = draft.ctx.workflow;
    let mut state = state.clone();
    let mut first = first;
    loop {
        draft.steps += 1;
        if draft.steps > MAX_AUTOMATIC_STEPS {
            return Err(Rejection::InstantLoop { state });
        }
        let Some(found) = workflow.states.get(&state) else {
            return Err(Rejection::WrongWorkflow { state });
        };
        match &found.kind {
            StateKind::Work(work) => return enter_work(draft, branch, &state, work, cause, first),
            StateKind::End {
                outcome, notify, ..
            } => return end(draft, branch, &state, outcome, notify, cause),
            StateKind::Choose { cases, otherwise } => {
                let (holder, taken) = kept_holder(draft, branch, first.take());
                entered(draft, branch, &state, cause, holder, taken, Vec::new());
                let ctx = draft.ctx;
                let ticket = draft.ticket();
                let case = cases
                    .iter()
                    .find(|(when, _)| when.holds(ticket, ctx.directory, ctx.now));
                let (when, goto) = match case {
                    Some((when, goto)) => (Name::new(when.to_string()), goto),
                    None => (Name::new("else"), otherwise),
                };
                cause = Cause::Chosen { when };
                state = goto.clone();
            }
        }
    }
}

fn entered(
    draft: &mut Draft<'_>,
    branch: &Branch,
    state: &Name,
    cause: Cause,
    holder: Holder,
    taken: bool,
    clocks: Vec<crate::Clock>,
) {
    let visit = draft.ticket().visits + 1;
    draft.push(Fact::Entered {
        branch: branch.clone(),
        state: state.clone(),
        visit,
        cause,
        clocks,
        holder,
        taken,
    });
}

/// Who keeps it: who had it; a candidate who acted; else the last resort. Callers and systems never.
fn kept_holder(draft: &mut Draft<'_>, branch: &Branch, first: Option<Holder>) -> (Holder, bool) {
    let actor = draft
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.fact {
            Fact::Acted {
                by: Actor::Person(person),
                ..
            } => Some(person.clone()),
            _ => None,
        });
    let last_resort = Holder::Assignee(draft.ctx.directory.last_resort.clone());
    let Some(position) = draft.position(branch) else {
        let holder = first.unwrap_or(last_resort);
        return (holder, actor.is_some());
    };
    match &position.holder {
        Holder::Assignee(person) => {
            let taken = position.taken || actor.as_ref() == Some(person);
            (Holder::Assignee(person.clone()), taken)
        }
        Holder::Offer {
            lead, candidates, ..
        } => match actor {
            Some(actor) if actor == *lead || candidates.contains(&actor) => {
                (Holder::Assignee(actor), true)
            }
            _ => (Holder::Assignee(lead.clone()), false),
        },
        Holder::Branches | Holder::Nobody => (first.unwrap_or(last_resort), false),
    }
}

fn enter_work(
    draft: &mut Draft<'_>,
    branch: &Branch,
    state: &Name,
    work: &Work,
    cause: Cause,
    first: Option<Holder>,
) -> Result<(), Rejection> {
    let now = draft.ctx.now;
    let mut clocks = Vec::new();
    for (index, after) in work.after.iter().enumerate() {
        let due = draft.due(now, after.span);
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        clocks.push(draft.clock(branch, ClockKind::After { index }, due, Some(after.span)));
    }
    let (holder, taken) = kept_holder(draft, branch, first);
    if let Some(Doing::Parallel(parallel)) = &work.doing {
        entered(draft, branch, state, cause, Holder::Branches, false, clocks);
        notify(draft, branch, &work.notify);
        return split(draft, branch, parallel, &holder);
    }
    entered(draft, branch, state, cause, holder, taken, clocks);
    match &work.assign {
        Some(_) => {
            let step = ladder::Step {
                level: Level::Entry,
                round: 1,
            };
            let cause = Cause::Entered;
            ladder::climb(
                draft,
                branch,
                step,
                ladder::Climb {
                    cause: &cause,
                    barred: None,
                    left_out: Vec::new(),
                },
            )?;
        }
        None => {
            ladder::arm(draft, branch, Cause::Entered);
            gone::replace_if_gone(draft, branch)?;
        }
    }
    notify(draft, branch, &work.notify);
    match &work.doing {
        Some(Doing::Run(run)) => machine::start(draft, branch, run, 1),
        Some(Doing::Call(call)) => machine::call(draft, branch, call),
        Some(Doing::Parallel(_)) | None => (),
    }
    Ok(())
}

/// The state's own `notify`; whoever the hop has told already isn't told again.
fn notify(draft: &mut Draft<'_>, branch: &Branch, phrases: &[Who]) {
    if phrases.is_empty() {
        return;
    }
    let Some(position) = draft.position(branch).cloned() else {
        return;
    };
    let mut notices = draft
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.fact {
            Fact::Hopped(hop) if hop.branch == *branch => Some(hop.notices.clone()),
            Fact::Entered { .. } => Some(Vec::new()),
            _ => None,
        });
    let mut notices = notices.take().unwrap_or_default();
    let told = notices.len();
    let holder = position.holder.clone();
    draft.tell_all(&mut notices, &position, &holder, phrases, &Topic::Informed);
    let notices = notices.split_off(told);
    if !notices.is_empty() {
        draft.push(Fact::Notified {
            branch: branch.clone(),
            notices,
            clock: None,
        });
    }
}

fn split(
    draft: &mut Draft<'_>,
    branch: &Branch,
    parallel: &Parallel,
    holder: &Holder,
) -> Result<(), Rejection> {
    let visit = draft.position(branch).map(|position| position.visit);
    for (name, start) in &parallel.branches {
        // A branch that ends at once may have joined already, and the ticket is somewhere else now.
        if draft.position(branch).map(|position| position.visit) != visit {
            return Ok(());
        }
        enter(
            draft,
            &sub_branch(branch, name),
            start,
            Cause::Entered,
            Some(holder.clone()),
        )?;
    }
    // If each of them ended at once, the last one's end came before this list was through.
    join(draft, branch, visit)
}

/// The name of a branch of `branch`.
pub(crate) fn sub_branch(branch: &str, name: &str) -> Branch {
    match branch {
        "" => Branch::new(name),
        _ => Branch::new(format!("{branch}/{name}")),
    }
}

fn parent_branch(branch: &str) -> Option<Branch> {
    match branch.rsplit_once('/') {
        Some((parent, _)) => Some(Branch::new(parent)),
        None if branch.is_empty() => None,
        None => Some(Branch::default()),
    }
}

fn end(
    draft: &mut Draft<'_>,
    branch: &Branch,
    state: &Name,
    outcome: &Name,
    phrases: &[Who],
    cause: Cause,
) -> Result<(), Rejection> {
    let mut notices = Vec::new();
    if let Some(position) = draft.position(branch).cloned() {
        let holder = position.holder.clone();
        draft.tell_all(&mut notices, &position, &holder, phrases, &Topic::Informed);
    }
    let Some(parent) = parent_branch(branch) else {
        promise::close(draft, state);
        draft.push(Fact::Ended {
            state: state.clone(),
            outcome: outcome.clone(),
            cause,
            notices,
        });
        return Ok(());
    };
    if draft.position(branch).is_none() {
        // The branch's first state is an end, or a choice that led to one.
        entered(
            draft,
            branch,
            state,
            cause,
            Holder::Nobody,
            false,
            Vec::new(),
        );
    }
    draft.push(Fact::BranchEnded {
        branch: branch.clone(),
        state: state.clone(),
        outcome: outcome.clone(),
        notices,
    });
    let visit = draft.position(&parent).map(|position| position.visit);
    join(draft, &parent, visit)
}

/// Goes on from a parallel state if enough of its branches have ended.
fn join(draft: &mut Draft<'_>, branch: &Branch, visit: Option<u32>) -> Result<(), Rejection> {
    let Some(Doing::Parallel(parallel)) = draft.work(branch).and_then(|work| work.doing.as_ref())
    else {
        return Ok(());
    };
    if draft.position(branch).map(|position| position.visit) != visit {
        return Ok(());
    }
    let ticket = draft.ticket();
    let ended = |name: &Name| {
        let position = ticket.positions.get(&sub_branch(branch, name));
        position.is_some_and(|position| position.ended.is_some())
    };
    let mut branches = parallel.branches.iter().map(|(name, _)| name);
    let over = match parallel.join {
        Join::All => branches.all(ended),
        Join::Any => branches.any(ended),
    };
    if !over {
        return Ok(());
    }
    let goto = parallel.goto.clone();
    enter(draft, branch, &goto, Cause::Joined, None)
}
