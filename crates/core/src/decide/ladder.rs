//! The ladder: whom to ask next, and by when.

use jiff::Timestamp;

use crate::decide::ascent::Ascent;
use crate::decide::resolve::{Limits, Search};
use crate::decide::{Draft, due_in};
use crate::event::{Cause, Fact, LeftOut, Notice};
use crate::ticket::{Branch, Clock, ClockKind, Level, Position};
use crate::workflow::{self, Assign, Ladder, Work};
use crate::{Base, Name, Operation, Rejection, Span};

/// The last resort is reminded at least this often, in seconds of the workflow's calendar.
pub const REMIND_SECONDS: i64 = 3600;

/// The rule that makes the last resort answerable, as journals name it.
pub const LAST_RESORT: &str = "last resort";

/// The rule by which somebody stands in for a holder who is away or gone, as journals name it.
pub const STAND_IN: &str = "stand-in";

/// A step of the ladder: a level in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) level: Level,
    pub(super) round: u32,
}

/// How a climb came about.
pub(super) struct Climb<'a> {
    /// What led to it.
    pub(super) cause: &'a Cause,
    /// Who gave it up just now.
    pub(super) barred: Option<&'a Name>,
    /// Who was left out before the first step.
    pub(super) left_out: Vec<LeftOut>,
}

/// The ladder's levels, as a workflow's author numbers them from 1.
pub(super) fn level(ladder: Option<&Ladder>, number: u16) -> Option<&workflow::Level> {
    ladder?.levels.get(usize::from(number).checked_sub(1)?)
}

/// The step after `step` once nobody of it is left, and how long whoever has it keeps it.
fn following(ladder: &Ladder, step: Step) -> (Step, Span) {
    let number = match step.level {
        Level::Entry => 1,
        Level::Number(number) => number.saturating_add(1),
        Level::LastResort => u16::MAX,
    };
    let Step { round, .. } = step;
    if let Some(next) = level(Some(ladder), number) {
        return (
            Step {
                level: Level::Number(number),
                round,
            },
            next.after,
        );
    }
    let last = ladder
        .levels
        .last()
        .map_or(Span::seconds(REMIND_SECONDS), |last| last.after);
    if step.level != Level::LastResort && round <= ladder.repeat {
        let level = match ladder.back_to.and_then(|level| u16::try_from(level).ok()) {
            Some(number) => Level::Number(number),
            None => Level::Entry,
        };
        return (
            Step {
                level,
                round: round + 1,
            },
            last,
        );
    }
    (
        Step {
            level: Level::LastResort,
            round,
        },
        last,
    )
}

impl<'a> Draft<'a> {
    /// The ladder that the position runs.
    pub(super) fn ladder(&mut self, branch: &Branch) -> Option<&'a Ladder> {
        let workflow = self.ctx.workflow;
        let name = self.position(branch)?.ladder.as_ref()?;
        workflow.ladders.get(name)
    }

    /// The ladder that a state's `escalate` chooses now.
    pub(super) fn chosen_ladder(&mut self, work: &Work) -> Option<&'a Ladder> {
        let ctx = self.ctx;
        let ticket = self.ticket();
        let holds = |choice: &&workflow::LadderChoice| match &choice.when {
            Some(when) => when.holds(ticket, ctx.directory, ctx.now),
            None => true,
        };
        let choice = work.escalate.iter().find(holds)?;
        ctx.workflow.ladders.get(&choice.ladder)
    }

    /// The clock that ends the time of whoever was asked by `step`.
    pub(super) fn next_clock(
        &mut self,
        branch: &Branch,
        ladder: Option<&Ladder>,
        step: Step,
        colleagues: bool,
    ) -> Option<Clock> {
        if step.level == Level::LastResort {
            return Some(self.remind_clock(branch, ladder));
        }
        let ladder = ladder?;
        let (next, after) = match (level(Some(ladder), number(step.level)), colleagues) {
            (Some(level), true) => (step, level.after),
            _ => following(ladder, step),
        };
        let due = self.due(self.base, after);
        Some(self.clock(
            branch,
            ClockKind::Level {
                next: next.level,
                round: next.round,
            },
            due,
            Some(after),
        ))
    }

    /// A level that changes nobody, with the clock of the next one.
    pub(super) fn level_reached(
        &mut self,
        branch: &Branch,
        ladder: &Ladder,
        step: Step,
        cause: Cause,
        notices: Vec<Notice>,
    ) {
        let clock = self.next_clock(branch, Some(ladder), step, false);
        self.push(Fact::LevelReached {
            branch: branch.clone(),
            ladder: ladder.name.clone(),
            level: step.level,
            round: step.round,
            cause,
            notices,
            clock,
        });
    }

    pub(super) fn remind_clock(&mut self, branch: &Branch, ladder: Option<&Ladder>) -> Clock {
        let hour = Span::seconds(REMIND_SECONDS);
        let last = ladder
            .and_then(|ladder| ladder.levels.last())
            .map_or(hour, |last| last.after);
        let calendar = self.calendar(self.ctx.workflow.calendar.as_ref());
        let (by_last, by_hour) = (
            due_in(calendar, self.base, last),
            due_in(calendar, self.base, hour),
        );
        let (due, span) = if by_last <= by_hour {
            (by_last, last)
        } else {
            (by_hour, hour)
        };
        self.clock(branch, ClockKind::Remind, due, Some(span))
    }
}

pub(super) fn number(level: Level) -> u16 {
    match level {
        Level::Number(number) => number,
        Level::Entry | Level::LastResort => 0,
    }
}

/// Takes `step`; when it leads to nobody, the one after it at once, and so on up to the last resort.
pub(super) fn climb(
    draft: &mut Draft<'_>,
    branch: &Branch,
    mut step: Step,
    climb: Climb<'_>,
) -> Result<(), Rejection> {
    let Some(position) = draft.position_as_it_is(branch) else {
        return Err(Rejection::NoSuchBranch {
            branch: branch.clone(),
        });
    };
    let workflow = draft.ctx.workflow;
    let Some(work) = workflow.work(&position.state) else {
        return Err(Rejection::WrongWorkflow {
            state: position.state.clone(),
        });
    };
    let ladder = match &position.ladder {
        Some(ladder) => workflow.ladders.get(ladder),
        None => draft.chosen_ladder(work),
    };
    let mut at = Ascent {
        branch,
        position,
        work,
        ladder,
        barred: climb.barred,
        left_out: climb.left_out,
    };
    // Each pass goes one level up, and rounds are bounded, so the last resort is reached.
    loop {
        if step.level == Level::LastResort {
            at.last_resort(draft, step, climb.cause);
            return Ok(());
        }
        if at.take(draft, step, climb.cause) {
            return Ok(());
        }
        step = match ladder {
            Some(ladder) => following(ladder, step).0,
            None => Step {
                level: Level::LastResort,
                ..step
            },
        };
    }
}

/// The next one, at once: of the same level while `another` has colleagues left, else of the next level.
pub(super) fn pass_on(
    draft: &mut Draft<'_>,
    branch: &Branch,
    cause: &Cause,
    barred: Option<&Name>,
    left_out: Vec<LeftOut>,
) -> Result<(), Rejection> {
    let ladder = draft.ladder(branch);
    let Some(position) = draft.position(branch) else {
        return Ok(());
    };
    let step = Step {
        level: position.level,
        round: position.round,
    };
    let another = level(ladder, number(step.level)).is_some_and(asks_another);
    // Who was the last to be asked has the next level's time. A colleague who is there again since
    // is asked if
    // somebody hands it on, but not because of a message that comes back late: silence would last longer.
    let up = |clock: &Clock| {
        clock.branch == *branch
            && matches!(clock.kind, ClockKind::Level { next, .. } if next != step.level)
    };
    let by_hand = matches!(cause, Cause::Person { .. });
    // Taken again, the level asks no `else`: two whom no message reaches would have it in turns for ever.
    let again = another && (by_hand || !draft.ticket().clocks.iter().any(up));
    let next = match ladder {
        _ if again => step,
        Some(ladder) => following(ladder, step).0,
        // Without a ladder the state asks somebody else by its own phrase.
        None => Step {
            level: Level::Entry,
            ..step
        },
    };
    climb(
        draft,
        branch,
        next,
        Climb {
            cause,
            barred,
            left_out,
        },
    )
}

/// The next level up, whoever may be left on this one.
pub(super) fn next_level(
    draft: &mut Draft<'_>,
    branch: &Branch,
    cause: &Cause,
) -> Result<(), Rejection> {
    let Some(ladder) = draft.ladder(branch) else {
        let because = crate::Because::NoLadder;
        return Err(Rejection::NotPossible {
            operation: Operation::Escalate,
            because,
        });
    };
    let Some(position) = draft.position(branch) else {
        return Ok(());
    };
    let step = Step {
        level: position.level,
        round: position.round,
    };
    climb(
        draft,
        branch,
        following(ladder, step).0,
        Climb {
            cause,
            barred: None,
            left_out: Vec::new(),
        },
    )
}

/// A level of the ladder by its number.
pub(super) fn to_level(
    draft: &mut Draft<'_>,
    branch: &Branch,
    to: u16,
    cause: &Cause,
) -> Result<(), Rejection> {
    let Some(ladder) = draft.ladder(branch) else {
        let because = crate::Because::NoLadder;
        return Err(Rejection::NotPossible {
            operation: Operation::Escalate,
            because,
        });
    };
    if level(Some(ladder), to).is_none() {
        return Err(Rejection::NoSuchLevel {
            levels: ladder.levels.len(),
        });
    }
    let round = draft.position(branch).map_or(1, |position| position.round);
    let step = Step {
        level: Level::Number(to),
        round,
    };
    climb(
        draft,
        branch,
        step,
        Climb {
            cause,
            barred: None,
            left_out: Vec::new(),
        },
    )
}

pub(super) fn asks_another(level: &workflow::Level) -> bool {
    matches!(&level.assign, Some(Assign { who, .. }) if matches!(who.base, Base::AnotherIn(_)))
}

/// Arms the ladder from its start for whoever has the position.
pub(super) fn arm(draft: &mut Draft<'_>, branch: &Branch, cause: Cause) {
    let Some(work) = draft.work(branch) else {
        return;
    };
    let running = draft
        .position(branch)
        .and_then(|position| position.ladder.clone());
    let ladder = match running {
        Some(_) => draft.ladder(branch),
        None => draft.chosen_ladder(work),
    };
    let round = draft.position(branch).map_or(1, |position| position.round);
    let step = Step {
        level: Level::Entry,
        round,
    };
    let Some(ladder) = ladder else {
        return;
    };
    draft.level_reached(branch, ladder, step, cause, Vec::new());
}

/// The clock of a step, anew, whoever may be left on its level.
pub(super) fn plain_next(
    draft: &mut Draft<'_>,
    branch: &Branch,
    ladder: &Ladder,
    step: Step,
) -> Option<Clock> {
    let colleagues = level(Some(ladder), number(step.level)).is_some_and(asks_another);
    draft.next_clock(branch, Some(ladder), step, colleagues)
}

/// The clock of the level that the position is on, anew.
pub(super) fn same_level_clock(draft: &mut Draft<'_>, branch: &Branch) -> Option<Clock> {
    let ladder = draft.ladder(branch);
    let position = draft.position(branch)?.clone();
    let step = Step {
        level: position.level,
        round: position.round,
    };
    let colleagues = level(ladder, number(step.level)).is_some_and(asks_another)
        && has_colleagues(draft, &position, ladder, step, &position.had);
    draft.next_clock(branch, ladder, step, colleagues)
}

pub(super) fn has_colleagues(
    draft: &mut Draft<'_>,
    position: &Position,
    ladder: Option<&Ladder>,
    step: Step,
    had: &[Name],
) -> bool {
    let ctx = draft.ctx;
    let Some(level) = level(ladder, number(step.level)).filter(|level| asks_another(level)) else {
        return false;
    };
    let Some(assign) = &level.assign else {
        return false;
    };
    let limits = Limits {
        barred: None,
        had,
        ignore_capacity: is_last(ladder, step),
        before: draft.before,
    };
    // An `else` behind `another` is not one of the colleagues.
    Search::new(&ctx, draft.ticket(), position, &limits).anybody(&assign.who)
}

pub(super) fn is_last(ladder: Option<&Ladder>, step: Step) -> bool {
    ladder.is_none_or(|ladder| ladder.levels.len() == usize::from(number(step.level)))
}

/// Seconds that a clock is late.
pub(super) fn late(now: Timestamp, due: Timestamp) -> i64 {
    now.as_second().saturating_sub(due.as_second()).max(0)
}
