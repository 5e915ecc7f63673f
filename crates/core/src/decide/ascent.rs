//! Taking a step of the ladder: asking, and writing the hop.

use std::borrow::Cow;

use crate::decide::Draft;
use crate::decide::ladder::{
    LAST_RESORT, STAND_IN, Step, asks_another, has_colleagues, is_last, level, number,
};
use crate::decide::resolve::{Found, Limits, Outcome, resolve};
use crate::event::{Cause, Fact, Hop, LeftOut, Notice, Topic};
use crate::ticket::{Actor, Branch, Clock, Holder, Level, Position, Why};
use crate::workflow::{self, Ladder, Work};
use crate::{Name, Operation, Place};

/// One climb: the position as it was, and who was left out so far.
pub(super) struct Ascent<'d, 'a> {
    pub(super) branch: &'d Branch,
    pub(super) position: Cow<'a, Position>,
    pub(super) work: &'a Work,
    pub(super) ladder: Option<&'a Ladder>,
    pub(super) barred: Option<&'d Name>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Ascent<'_, '_> {
    /// Takes one step. `false`: it leads to nobody.
    pub(super) fn take(&mut self, draft: &mut Draft<'_>, step: Step, cause: &Cause) -> bool {
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
            before: draft.before,
        };
        // Who is asked because no colleague is left is asked once: a level that is taken again is over when
        // its colleagues are.
        let again = *cause != Cause::Entered
            && step.level == self.position.level
            && step.round == self.position.round
            && level.is_some_and(asks_another);
        let mut who = Cow::Borrowed(&assign.who);
        if again && who.otherwise.is_some() {
            who.to_mut().otherwise = None;
        }
        let (ctx, shifts) = (draft.ctx, draft.shifts.clone());
        let Outcome { found, left_out } =
            resolve(&ctx, &shifts, draft.ticket(), &self.position, &who, &limits);
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

    /// A level that changes nobody. `false`: whoever has it gave it up or is gone, so it can't stay.
    fn keep(
        &mut self,
        draft: &mut Draft<'_>,
        step: Step,
        cause: &Cause,
        level: Option<&workflow::Level>,
    ) -> bool {
        let stays = self.barred.is_none() && *cause != Cause::Gone;
        let (Some(ladder), true) = (self.ladder, stays) else {
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

    pub(super) fn last_resort(&mut self, draft: &mut Draft<'_>, step: Step, cause: &Cause) {
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
                stand_ins: Vec::new(),
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
            stand_ins,
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
        let (mut notices, reach) = self.messages(draft, &holder, cause);
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
            stand_ins,
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
    ) -> (Vec<Notice>, Vec<Clock>) {
        let mut notices = Vec::new();
        match holder {
            Holder::Assignee(person) => {
                let by_himself = match cause {
                    Cause::Person { by, .. } => by.person() == Some(person),
                    Cause::Entered => self.acted_in(draft, holder),
                    _ => false,
                };
                if by_himself {
                    return (notices, Vec::new());
                }
                draft.tell(&mut notices, person, &Topic::Assigned);
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
    let Some(position) = draft.position_as_it_is(branch) else {
        return;
    };
    let found = Found {
        holder: Holder::Assignee(to.clone()),
        deputy_of: None,
        turn_of: None,
        stand_ins: Vec::new(),
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
    let (deputy_of, mut stand_ins) = (lead_of(draft, &holder), position.stand_ins);
    if let Holder::Offer { candidates, .. } = &holder {
        stand_ins.retain(|one| candidates.contains(&one.who));
    }
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
        deputy_of,
        stand_ins,
        left_out: Vec::new(),
        turn_of: None,
        clock,
        reach: Vec::new(),
        notices: Vec::new(),
    };
    draft.push(Fact::Hopped(Box::new(hop)));
}

/// For whom the lead of an offer stands in, if he does.
fn lead_of(draft: &Draft<'_>, holder: &Holder) -> Option<Name> {
    let Holder::Offer { group, lead, .. } = holder else {
        return None;
    };
    let ctx = draft.ctx;
    let group = ctx.directory.groups.get(group)?;
    let (person, of) = ctx.directory.answerable_for(group, ctx.now);
    of.filter(|_| person == lead).cloned()
}
