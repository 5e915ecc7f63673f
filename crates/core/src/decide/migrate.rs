//! A ticket goes on in another version of its workflow: the real code path, whether it is a plan or done.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::decide::ladder::{self, Step};
use crate::decide::{Context, Draft, promise};
use crate::event::{Fact, MigratedPosition};
use crate::ticket::{Actor, Branch, Clock, ClockKind, Holder, Level, Position, Ticket};
use crate::workflow::{Doing, Ladder, Work, Workflow};
use crate::{Event, MigrationFault, Name, Rejection, Span};

/// How tickets move to another version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// Old state to new; a state that is not named keeps its name.
    pub states: BTreeMap<Name, Name>,
    /// What becomes of the clocks that run.
    pub clocks: MigratedClocks,
}

/// What becomes of a clock whose rule the new version may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MigratedClocks {
    /// It keeps its due time; only what the new version adds is armed anew.
    #[default]
    KeepRemaining,
    /// It begins anew, by the new rule.
    Restart,
    /// It counts by the new rule from when it began; one that is over by that is due at once.
    Rebase,
}

/// What moving `ticket` from `ctx.workflow` to `target` means at `ctx.now`. Pure, like
/// [`decide()`](crate::decide()); a plan that is only looked at and one that is carried out are the same
/// call.
///
/// Holders, epochs and visits are kept, so links stay good; promises go on with their ledgers and get the new
/// targets from the true start.
///
/// # Errors
/// [`Rejection::CannotMigrate`] if a position would have no state, no clock, or lose the branches or the
/// machine that it waits for: nobody would be answerable, or nothing would move it on.
pub fn migrate(
    ctx: &Context<'_>,
    target: &Workflow,
    ticket: &Ticket,
    plan: &Migration,
    by: &Actor,
) -> Result<Vec<Event>, Rejection> {
    if ticket.id.is_empty() {
        return Err(Rejection::NotOpen);
    }
    if ticket.ended.is_some() {
        return Err(Rejection::HasEnded);
    }
    if let Actor::Person(person) = by
        && !ctx.directory.people.contains_key(person)
    {
        return Err(Rejection::NoSuchPerson {
            person: person.clone(),
        });
    }
    let target_ctx = Context {
        workflow: target,
        ..*ctx
    };
    let mut draft = Draft::new(target_ctx, ticket);
    let mut positions = Vec::new();
    for (branch, position) in &ticket.positions {
        positions.push(moved(&mut draft, ctx.workflow, branch, position, plan)?);
    }
    let version = target.version;
    draft.push(Fact::Migrated {
        version,
        by: by.clone(),
        positions,
    });
    promise::rearm(&mut draft, ctx.workflow);
    promise::sync(&mut draft);
    Ok(draft.events)
}

fn refused(state: &Name, because: MigrationFault) -> Rejection {
    Rejection::CannotMigrate {
        state: state.clone(),
        because,
    }
}

/// One position in the new version.
fn moved(
    draft: &mut Draft<'_>,
    old: &Workflow,
    branch: &Branch,
    position: &Position,
    plan: &Migration,
) -> Result<MigratedPosition, Rejection> {
    let target = draft.ctx.workflow;
    let from = &position.state;
    let state = plan.states.get(from).unwrap_or(from);
    let Some(found) = target.states.get(state) else {
        return Err(refused(from, MigrationFault::NoSuchState));
    };
    let mut result = MigratedPosition {
        branch: branch.clone(),
        state: state.clone(),
        ladder: None,
        level: position.level,
        clocks: Vec::new(),
    };
    if position.ended.is_some() {
        return Ok(result);
    }
    let (Some(new), Some(was)) = (target.work(state), old.work(from)) else {
        return Err(refused(from, MigrationFault::NobodyAnswerable));
    };
    let branch_of = |state: &crate::State| state.within.as_ref().map(|(_, branch)| branch.clone());
    if Some(branch_of(found)) != old.states.get(from).map(branch_of) {
        return Err(refused(from, MigrationFault::OtherBranch));
    }
    same_machine(was, new, from)?;
    after_clocks(
        draft,
        branch,
        position,
        new,
        plan.clocks,
        &mut result.clocks,
    );
    ladder_clock(draft, branch, position, new, plan.clocks, &mut result);
    let waits = position.suspended.is_some() || position.holder == Holder::Branches;
    if result.clocks.is_empty() && !waits && !matches!(new.doing, Some(Doing::Run(_))) {
        return Err(refused(from, MigrationFault::NothingWatches));
    }
    Ok(result)
}

/// What is under way must be there in the new version too.
fn same_machine(was: &Work, new: &Work, state: &Name) -> Result<(), Rejection> {
    match (&was.doing, &new.doing) {
        (None, None | Some(Doing::Run(_) | Doing::Call(_))) => Ok(()),
        (Some(Doing::Run(_)), Some(Doing::Run(_)) | None) => Ok(()),
        (Some(Doing::Call(was)), Some(Doing::Call(new))) if was.workflow == new.workflow => Ok(()),
        (Some(Doing::Parallel(was)), Some(Doing::Parallel(new))) => {
            let names = |parallel: &crate::workflow::Parallel| -> Vec<Name> {
                parallel
                    .branches
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect()
            };
            match names(was) == names(new) {
                true => Ok(()),
                false => Err(refused(state, MigrationFault::OtherBranches)),
            }
        }
        _ => Err(refused(state, MigrationFault::NothingAwaited)),
    }
}

fn after_clocks(
    draft: &mut Draft<'_>,
    branch: &Branch,
    position: &Position,
    new: &Work,
    how: MigratedClocks,
    clocks: &mut Vec<Clock>,
) {
    let now = draft.ctx.now;
    let old: Vec<Clock> = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| clock.branch == *branch)
        .cloned()
        .collect();
    for (index, after) in new.after.iter().enumerate() {
        let kind = ClockKind::After {
            index: u16::try_from(index).unwrap_or(u16::MAX),
        };
        let running = old.iter().find(|clock| clock.kind == kind);
        let due = match (how, running) {
            (MigratedClocks::KeepRemaining, Some(running)) => running.due,
            (MigratedClocks::Restart, _) => draft.due(now, after.span),
            _ => draft.due(position.entered, after.span).max(now),
        };
        clocks.push(draft.clock(branch, kind, due, Some(after.span)));
    }
}

fn ladder_clock(
    draft: &mut Draft<'_>,
    branch: &Branch,
    position: &Position,
    new: &Work,
    how: MigratedClocks,
    result: &mut MigratedPosition,
) {
    let Some(chosen) = draft.chosen_ladder(new) else {
        let last_resort = position.level == Level::LastResort;
        result
            .clocks
            .extend(last_resort.then(|| draft.remind_clock(branch, None)));
        return;
    };
    result.ladder = Some(chosen.name.clone());
    let levels = u16::try_from(chosen.levels.len()).unwrap_or(u16::MAX);
    // A shorter ladder: whoever stood above its end stands on its last level now.
    if let Level::Number(number) = position.level {
        result.level = Level::Number(number.min(levels));
    }
    if position.suspended.is_some() || matches!(position.holder, Holder::Branches | Holder::Nobody)
    {
        return;
    }
    let clocks = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| clock.branch == *branch);
    let mut of_ladder = clocks.filter(|clock| crate::evolve::is_of_ladder(&clock.kind));
    let running = of_ladder.next().cloned();
    let step = Step {
        level: result.level,
        round: position.round,
    };
    let Some(fresh) = ladder::plain_next(draft, branch, chosen, step) else {
        return;
    };
    let now = draft.ctx.now;
    let (due, armed): (Timestamp, Timestamp) = match (how, &running) {
        (MigratedClocks::KeepRemaining, Some(running)) => (running.due, running.armed),
        (MigratedClocks::Rebase, Some(running)) => {
            let span = fresh.span.unwrap_or(Span::seconds(0));
            (draft.due(running.armed, span).max(now), running.armed)
        }
        (MigratedClocks::Restart, _) | (_, None) => (fresh.due, now),
    };
    // A level that is still there is taken as it was to be; else what the new ladder says comes next.
    let kind = match running.map(|running| running.kind) {
        Some(ClockKind::Level { next, round })
            if how != MigratedClocks::Restart
                && exists(chosen, next)
                && result.level == position.level =>
        {
            ClockKind::Level { next, round }
        }
        _ => fresh.kind.clone(),
    };
    result.clocks.push(Clock {
        due,
        armed,
        kind,
        ..fresh
    });
}

fn exists(ladder: &Ladder, level: Level) -> bool {
    match level {
        Level::Number(number) => usize::from(number) <= ladder.levels.len(),
        Level::Entry | Level::LastResort => true,
    }
}
