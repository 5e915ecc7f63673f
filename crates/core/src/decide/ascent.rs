//! Taking a step of the ladder: asking, and writing the hop.

use crate::decide::ladder::{
    LAST_RESORT, STAND_IN, Step, asks_another, has_colleagues, is_last, level, number,
};
use crate::decide::resolve::{Found, Limits, Outcome, Search};
use crate::decide::{AsItWas, Draft};
use crate::event::{Cause, Fact, Hop, LeftOut, Notice, Topic};
use crate::ticket::{Actor, Branch, Clock, Holder, Level, Why};
use crate::workflow::{self, Ladder, Work};
use crate::{Name, Operation, Person, Place};

/// One climb: the position as it was, and who was left out so far.
pub(super) struct Ascent<'d, 'a> {
    pub(super) branch: &'d Branch,
    pub(super) position: AsItWas<'a>,
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
        let again = !matches!(cause, Cause::Entered)
            && step.level == self.position.level
            && step.round == self.position.round
            && level.is_some_and(asks_another);
        let otherwise = assign.who.otherwise.as_deref().filter(|_| !again);
        let ctx = draft.ctx;
        let search = Search::new(&ctx, draft.ticket(), &self.position, &limits);
        let Outcome {
            found,
            left_out,
            others,
        } = search.resolve(&assign.who, otherwise);
        // Whether a colleague is left after him is known now, unless somebody is barred from this step only.
        let barred_only = self.barred.is_some_and(|barred| !had.contains(barred));
        let why = Why {
            rule: assign.text.clone(),
            place: assign.place.clone(),
        };
        let Some(mut found) = found else {
            self.leave_out(left_out);
            draft.push(Fact::LevelPassed {
                branch: self.branch.clone(),
                level: step.level,
                why,
                left_out: std::mem::take(&mut self.left_out),
            });
            return false;
        };
        found.others = Some(others).filter(|_| !barred_only);
        let notify = level.map_or(&[][..], |level| &level.notify);
        // A later level that names who has it already is no change: his messages don't start anew.
        let entering = matches!(cause, Cause::Entered);
        if !entering && step.level != Level::Entry && found.asked.is(&self.position.holder) {
            return self.keep(draft, step, cause, level);
        }
        self.leave_out(left_out);
        // Whoever acted his way in has taken it; everybody else was asked.
        let taken = entering
            && self.work.watches()
            && self.position.taken
            && found.asked.is(&self.position.holder);
        let taken = taken
            || entering && self.work.watches() && self.acted_in(draft, found.asked.answerable());
        self.hop(draft, step, found, why, cause, taken, notify);
        true
    }

    fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        match self.left_out.is_empty() {
            true => self.left_out = left_out,
            false => self.left_out.extend(left_out),
        }
    }

    /// A round begins on entering the state, and with each repetition of the ladder.
    fn new_round(&self, step: Step, cause: &Cause) -> bool {
        step.round > self.position.round || matches!(cause, Cause::Entered)
    }

    /// Whether the person led the ticket in here by an action.
    fn acted_in(&self, draft: &Draft<'_>, person: &Name) -> bool {
        let events = draft.events.iter().rev();
        let mut by = events.filter_map(|event| match &event.fact {
            Fact::Acted { by, .. } | Fact::Opened { by, .. } => Some(by),
            _ => None,
        });
        by.next().and_then(Actor::person) == Some(person)
    }

    /// A level that changes nobody. `false`: whoever has it gave it up or is gone, so it can't stay.
    fn keep(
        &mut self,
        draft: &mut Draft<'_>,
        step: Step,
        cause: &Cause,
        level: Option<&workflow::Level>,
    ) -> bool {
        let stays = self.barred.is_none() && !matches!(cause, Cause::Gone);
        let (Some(ladder), true) = (self.ladder, stays) else {
            return false;
        };
        let mut notices = Vec::new();
        if let Some(level) = level {
            draft.tell_all(
                &mut notices,
                &self.position,
                &self.position.holder,
                &level.notify,
                &Topic::Informed,
            );
        }
        draft.level_reached(self.branch, ladder, step, cause.clone(), notices);
        true
    }

    pub(super) fn last_resort(&mut self, draft: &mut Draft<'_>, step: Step, cause: &Cause) {
        let directory = draft.ctx.directory;
        let person = &directory.last_resort;
        let why = Why {
            rule: Name::new(LAST_RESORT),
            place: Place::default(),
        };
        let has_it = matches!(&self.position.holder, Holder::Assignee(holder) if holder == person);
        let same = has_it && !matches!(cause, Cause::Entered);
        let Some(ladder) = self.ladder.filter(|_| same) else {
            let found = Found::given(person);
            self.hop(draft, step, found, why, cause, false, &[]);
            return;
        };
        let mut notices = Vec::new();
        draft.tell(&mut notices, person, &Topic::Reminded);
        draft.level_reached(self.branch, ladder, step, cause.clone(), notices);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a hop is one record of all these"
    )]
    fn hop(
        &mut self,
        draft: &mut Draft<'_>,
        step: Step,
        found: Found<'_>,
        why: Why,
        cause: &Cause,
        taken: bool,
        notify: &[crate::Who],
    ) {
        let colleagues = level(self.ladder, number(step.level)).is_some_and(asks_another)
            && match found.others {
                Some(others) => {
                    let asked = found.asked.answerable();
                    debug_assert_eq!(others, self.colleagues(draft, step, cause, asked));
                    others
                }
                None => self.colleagues(draft, step, cause, found.asked.answerable()),
            };
        let clock = draft.next_clock(self.branch, self.ladder, step, colleagues);
        let (holder, stand_ins) = found.asked.into_holder();
        let (mut notices, reach) = self.messages(draft, &holder, found.known, cause);
        draft.tell_all(
            &mut notices,
            &self.position,
            &holder,
            notify,
            &Topic::Informed,
        );
        // What was decided before may have raised the epoch already.
        draft.ticket();
        draft.last_epoch += 1;
        let hop = Box::new(Hop {
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
            deputy_of: found.deputy_of.cloned(),
            stand_ins,
            left_out: std::mem::take(&mut self.left_out),
            turn_of: found.turn_of.cloned(),
            clock,
            reach,
            notices,
        });
        draft.push_hop(hop);
    }

    /// Whether anybody of the level is left once `person` has had it.
    fn colleagues(&self, draft: &mut Draft<'_>, step: Step, cause: &Cause, person: &Name) -> bool {
        let mut had = match self.new_round(step, cause) {
            true => Vec::new(),
            false => self.position.had.clone(),
        };
        had.push(person.clone());
        has_colleagues(draft, &self.position, self.ladder, step, &had)
    }

    /// What the new holder, or the candidates, are told, and by which channels later.
    fn messages(
        &self,
        draft: &mut Draft<'_>,
        holder: &Holder,
        known: Option<&Person>,
        cause: &Cause,
    ) -> (Vec<Notice>, Vec<Clock>) {
        match holder {
            Holder::Assignee(person) => {
                let by_himself = match cause {
                    Cause::Person { by, .. } => by.person() == Some(person),
                    Cause::Entered => self.acted_in(draft, person),
                    _ => false,
                };
                if by_himself {
                    return Default::default();
                }
                let mut notices = Vec::with_capacity(2);
                let directory = draft.ctx.directory;
                let Some(known) = known.or_else(|| directory.people.get(person)) else {
                    return Default::default();
                };
                draft.tell_by(&mut notices, person, known, &Topic::Assigned);
                (notices, draft.reach(self.branch, person, known))
            }
            Holder::Offer {
                lead, candidates, ..
            } => {
                let mut notices = Vec::with_capacity(candidates.len() + 1);
                for person in candidates.iter().chain([lead]) {
                    draft.tell(&mut notices, person, &Topic::Offered);
                }
                (notices, Vec::new())
            }
            Holder::Branches | Holder::Nobody => Default::default(),
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
    let found = Found::given(to);
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
    draft.push_hop(Box::new(hop));
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
