//! The ladder: whom to ask next, and by when.

use jiff::Timestamp;

use crate::decide::resolve::{Found, Limits, Outcome, resolve};
use crate::decide::{Draft, due_in};
use crate::event::{Cause, Fact, Hop, LeftOut, Notice, Topic};
use crate::ticket::{Actor, Branch, Clock, ClockKind, Holder, Level, Position, Why};
use crate::workflow::{self, Assign, Ladder, Work};
use crate::{Base, Name, Operation, Place, Rejection, Span};

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
fn level(ladder: Option<&Ladder>, number: u16) -> Option<&workflow::Level> {
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
    fn ladder(&mut self, branch: &str) -> Option<&'a Ladder> {
        let workflow = self.ctx.workflow;
        let name = self.position(branch)?.ladder.clone();
        name.and_then(|name| workflow.ladders.get(&name))
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
    fn next_clock(
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

fn number(level: Level) -> u16 {
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
    let Some(position) = draft.position(branch).cloned() else {
        return Err(Rejection::NoSuchBranch {
            branch: branch.clone(),
        });
    };
    let Some(work) = draft.work(branch) else {
        return Err(Rejection::WrongWorkflow {
            state: position.state,
        });
    };
    let ladder = match position.ladder {
        Some(_) => draft.ladder(branch),
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
    let again = level(ladder, number(step.level)).is_some_and(asks_another);
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

fn asks_another(level: &workflow::Level) -> bool {
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
    let clock = draft.next_clock(branch, Some(ladder), step, false);
    draft.push(Fact::LevelReached {
        branch: branch.clone(),
        ladder: ladder.name.clone(),
        level: step.level,
        round,
        cause,
        notices: Vec::new(),
        clock,
    });
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

fn has_colleagues(
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
    };
    // An `else` behind `another` is not one of the colleagues.
    let mut who = assign.who.clone();
    who.otherwise = None;
    resolve(&ctx, draft.ticket(), position, &who, &limits)
        .found
        .is_some()
}

fn is_last(ladder: Option<&Ladder>, step: Step) -> bool {
    ladder.is_none_or(|ladder| ladder.levels.len() == usize::from(number(step.level)))
}

/// Hands the position to a person by somebody's will; the ladder's clock begins anew.
pub(super) fn hand_to(
    draft: &mut Draft<'_>,
    branch: &Branch,
    to: &Name,
    level: Level,
    (operation, by, reason): (Operation, &Actor, Option<String>),
    taken: bool,
) {
    let rule = Name::new(operation.word());
    let cause = Cause::Person {
        operation,
        by: by.clone(),
        reason,
    };
    give(draft, branch, to, level, (rule, cause), taken, Vec::new());
}

/// Somebody stands in for a holder who is away or gone, where nobody was asked by a phrase.
pub(super) fn stand_in(draft: &mut Draft<'_>, branch: &Branch, to: &Name, left_out: Vec<LeftOut>) {
    let rule = Name::new(STAND_IN);
    give(
        draft,
        branch,
        to,
        Level::Entry,
        (rule, Cause::Gone),
        false,
        left_out,
    );
}

fn give(
    draft: &mut Draft<'_>,
    branch: &Branch,
    to: &Name,
    level: Level,
    (rule, cause): (Name, Cause),
    taken: bool,
    left_out: Vec<LeftOut>,
) {
    let Some(work) = draft.work(branch) else {
        return;
    };
    let running = draft.ladder(branch);
    let ladder = running.or_else(|| draft.chosen_ladder(work));
    let Some(position) = draft.position(branch).cloned() else {
        return;
    };
    let found = Found {
        holder: Holder::Assignee(to.clone()),
        deputy_of: None,
        turn_of: None,
    };
    let why = Why {
        rule,
        place: Place::default(),
    };
    let step = Step {
        level,
        round: position.round,
    };
    let mut ascent = Ascent {
        branch,
        position,
        work,
        ladder,
        barred: None,
        left_out,
    };
    ascent.hop(draft, step, found, why, &cause, taken, &[]);
}

/// An offer to fewer people: same lead, same epoch (the others' links stay good), and the clock runs on.
pub(super) fn offer_goes_on(draft: &mut Draft<'_>, branch: &Branch, holder: Holder, cause: Cause) {
    let Some(position) = draft.position(branch).cloned() else {
        return;
    };
    let clocks = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| clock.branch == *branch);
    let clock = clocks
        .filter(|clock| crate::evolve::is_of_ladder(&clock.kind))
        .min_by_key(|clock| clock.due)
        .cloned();
    let clock = clock.map(|clock| {
        let again = draft.clock(branch, clock.kind.clone(), clock.due, clock.span);
        Clock {
            armed: clock.armed,
            ..again
        }
    });
    let hop = Hop {
        branch: branch.clone(),
        from: position.holder.answerable().cloned(),
        holder,
        epoch: position.epoch,
        ladder: position.ladder,
        level: position.level,
        round: position.round,
        taken: position.taken,
        why: position.why,
        cause,
        deputy_of: None,
        left_out: Vec::new(),
        turn_of: None,
        clock,
        reach: Vec::new(),
        notices: Vec::new(),
    };
    draft.push(Fact::Hopped(Box::new(hop)));
}

/// One climb: the position as it was, and who was left out so far.
struct Ascent<'d, 'a> {
    branch: &'d Branch,
    position: Position,
    work: &'a Work,
    ladder: Option<&'a Ladder>,
    barred: Option<&'d Name>,
    left_out: Vec<LeftOut>,
}

impl Ascent<'_, '_> {
    /// Takes one step. `false`: it leads to nobody.
    fn take(&mut self, draft: &mut Draft<'_>, step: Step, cause: &Cause) -> bool {
        let level = level(self.ladder, number(step.level));
        if let Some(level) = level {
            draft.set_fields(&level.set);
        }
        let assign = match level {
            Some(level) => level.assign.as_ref(),
            None => self.work.assign.as_ref(),
        };
        let Some(assign) = assign else {
            return self.keep(draft, step, cause, level);
        };
        let had: &[Name] = if self.new_round(step, cause) {
            &[]
        } else {
            &self.position.had
        };
        let limits = Limits {
            barred: self.barred,
            had,
            ignore_capacity: level.is_some() && is_last(self.ladder, step),
        };
        let ctx = draft.ctx;
        let Outcome { found, left_out } =
            resolve(&ctx, draft.ticket(), &self.position, &assign.who, &limits);
        let why = Why {
            rule: assign.text.clone(),
            place: assign.place.clone(),
        };
        let Some(found) = found else {
            let mut all = std::mem::take(&mut self.left_out);
            all.extend(left_out);
            draft.push(Fact::LevelPassed {
                branch: self.branch.clone(),
                level: step.level,
                why,
                left_out: all,
            });
            return false;
        };
        let notify = level.map_or(&[][..], |level| &level.notify);
        // A later level that names who has it already is no change: his messages don't start anew.
        let entering = *cause == Cause::Entered;
        if !entering && step.level != Level::Entry && found.holder == self.position.holder {
            return self.keep(draft, step, cause, level);
        }
        self.left_out.extend(left_out);
        // Whoever acted his way in has taken it; everybody else was asked.
        let taken = entering
            && self.work.watches()
            && self.position.taken
            && found.holder == self.position.holder;
        let taken = taken || entering && self.work.watches() && self.acted_in(draft, &found.holder);
        self.hop(draft, step, found, why, cause, taken, notify);
        true
    }

    /// A round begins on entering the state, and with each repetition of the ladder.
    fn new_round(&self, step: Step, cause: &Cause) -> bool {
        step.round > self.position.round || *cause == Cause::Entered
    }

    /// Whether the person led the ticket in here by an action.
    fn acted_in(&self, draft: &mut Draft<'_>, holder: &Holder) -> bool {
        let opener_or_actor = draft
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.fact {
                Fact::Acted { by, .. } | Fact::Opened { by, .. } => Some(by.clone()),
                _ => None,
            });
        holder.answerable().is_some()
            && opener_or_actor.as_ref().and_then(Actor::person) == holder.answerable()
    }

    /// A level that changes nobody. `false`: whoever has it gave it up, so it can't stay.
    fn keep(
        &mut self,
        draft: &mut Draft<'_>,
        step: Step,
        cause: &Cause,
        level: Option<&workflow::Level>,
    ) -> bool {
        let (Some(ladder), true) = (self.ladder, self.barred.is_none()) else {
            return false;
        };
        let mut notices = Vec::new();
        if let Some(level) = level {
            let holder = self.position.holder.clone();
            draft.tell_all(
                &mut notices,
                &self.position,
                &holder,
                &level.notify,
                &Topic::Informed,
            );
        }
        let clock = draft.next_clock(self.branch, Some(ladder), step, false);
        draft.push(Fact::LevelReached {
            branch: self.branch.clone(),
            ladder: ladder.name.clone(),
            level: step.level,
            round: step.round,
            cause: cause.clone(),
            notices,
            clock,
        });
        true
    }

    fn last_resort(&mut self, draft: &mut Draft<'_>, step: Step, cause: &Cause) {
        let person = draft.ctx.directory.last_resort.clone();
        let holder = Holder::Assignee(person);
        let why = Why {
            rule: Name::new(LAST_RESORT),
            place: Place::default(),
        };
        let same = holder == self.position.holder && *cause != Cause::Entered;
        let Some(ladder) = self.ladder.filter(|_| same) else {
            let found = Found {
                holder,
                deputy_of: None,
                turn_of: None,
            };
            self.hop(draft, step, found, why, cause, false, &[]);
            return;
        };
        let mut notices = Vec::new();
        if let Some(person) = holder.answerable() {
            draft.tell(&mut notices, person, &Topic::Reminded);
        }
        let clock = draft.next_clock(self.branch, Some(ladder), step, false);
        draft.push(Fact::LevelReached {
            branch: self.branch.clone(),
            ladder: ladder.name.clone(),
            level: step.level,
            round: step.round,
            cause: cause.clone(),
            notices,
            clock,
        });
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a hop is one record of all these"
    )]
    fn hop(
        &mut self,
        draft: &mut Draft<'_>,
        step: Step,
        found: Found,
        why: Why,
        cause: &Cause,
        taken: bool,
        notify: &[crate::Who],
    ) {
        let Found {
            holder,
            deputy_of,
            turn_of,
        } = found;
        let mut had = if self.new_round(step, cause) {
            Vec::new()
        } else {
            self.position.had.clone()
        };
        had.extend(holder.answerable().cloned());
        let colleagues = level(self.ladder, number(step.level)).is_some_and(asks_another)
            && has_colleagues(draft, &self.position, self.ladder, step, &had);
        let clock = draft.next_clock(self.branch, self.ladder, step, colleagues);
        let (mut notices, reach) = self.messages(draft, &holder, cause, step, taken);
        if !notify.is_empty() {
            draft.tell_all(
                &mut notices,
                &self.position,
                &holder,
                notify,
                &Topic::Informed,
            );
        }
        // What was decided before may have raised the epoch already.
        draft.ticket();
        draft.last_epoch += 1;
        let hop = Hop {
            branch: self.branch.clone(),
            from: self.position.holder.answerable().cloned(),
            holder,
            epoch: draft.last_epoch,
            ladder: self.ladder.map(|ladder| ladder.name.clone()),
            level: step.level,
            round: step.round,
            taken,
            why,
            cause: cause.clone(),
            deputy_of,
            left_out: std::mem::take(&mut self.left_out),
            turn_of,
            clock,
            reach,
            notices,
        };
        draft.push(Fact::Hopped(Box::new(hop)));
    }

    /// What the new holder, or the candidates, are told, and by which channels later.
    fn messages(
        &self,
        draft: &mut Draft<'_>,
        holder: &Holder,
        cause: &Cause,
        step: Step,
        taken: bool,
    ) -> (Vec<Notice>, Vec<Clock>) {
        let mut notices = Vec::new();
        match holder {
            Holder::Assignee(person) => {
                let by_himself = match cause {
                    Cause::Person { by, .. } => by.person() == Some(person),
                    Cause::Entered => taken || self.acted_in(draft, holder),
                    _ => false,
                };
                if by_himself {
                    return (notices, Vec::new());
                }
                let topic = match step.level {
                    Level::LastResort => Topic::Reminded,
                    _ => Topic::Assigned,
                };
                draft.tell(&mut notices, person, &topic);
                (notices, draft.reach(self.branch, person))
            }
            Holder::Offer {
                lead, candidates, ..
            } => {
                for person in candidates.iter().chain([lead]) {
                    draft.tell(&mut notices, person, &Topic::Offered);
                }
                (notices, Vec::new())
            }
            Holder::Branches | Holder::Nobody => (notices, Vec::new()),
        }
    }
}

/// Seconds that a clock is late.
pub(super) fn late(now: Timestamp, due: Timestamp) -> i64 {
    now.as_second().saturating_sub(due.as_second()).max(0)
}
