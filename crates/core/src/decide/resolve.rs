//! From a *who* phrase to somebody who can be asked now, with the reason for each who can't.

use std::cell::RefCell;
use std::rc::Rc;

use crate::decide::Context;
use crate::decide::fields::clip;
use crate::decide::roles::base_means;
use crate::event::{MAX_LEFT_OUT, StandIn};
use crate::ticket::{Holder, Position, Ticket};
use crate::{Actor, Base, Group, LeftOut, Name, Person, Reason, Schedule, Who};

/// Whom a phrase led to.
pub(super) struct Found {
    pub(super) holder: Holder,
    pub(super) deputy_of: Option<Name>,
    pub(super) turn_of: Option<Name>,
    pub(super) stand_ins: Vec<StandIn>,
}

/// What a phrase led to, and everybody who was looked at on the way.
pub(super) struct Outcome {
    pub(super) found: Option<Found>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Whom must not be asked, and what does not bind, besides what the phrase says.
pub(super) struct Limits<'a> {
    /// Who gave it up just now: he isn't asked again by the same stroke.
    pub(super) barred: Option<&'a Name>,
    /// Who has had it in this round; counts for `another` only.
    pub(super) had: &'a [Name],
    /// Capacity does not bind the last level.
    pub(super) ignore_capacity: bool,
    /// The ticket as the decision found it: the workload knows nothing of what was decided since.
    pub(super) before: &'a Ticket,
}

/// Who is on duty now, asked of each schedule once in a decision: a schedule's answer costs more than the
/// rest of a hop.
#[derive(Default)]
pub(super) struct Shifts(RefCell<Vec<(Name, Rc<[Name]>)>>);

impl Shifts {
    fn on_duty(&self, ctx: &Context<'_>, schedule: &Name) -> Rc<[Name]> {
        let mut known = self.0.borrow_mut();
        if let Some((_, on_duty)) = known.iter().find(|(name, _)| name == schedule) {
            return on_duty.clone();
        }
        let found = ctx.directory.schedules.get(schedule);
        let on_duty: Rc<[Name]> = found
            .map(|found| found.on_duty(ctx.now))
            .unwrap_or_default()
            .into();
        known.push((schedule.clone(), on_duty.clone()));
        on_duty
    }
}

/// Whether the phrase, without its `else`, leads to anybody.
pub(super) fn anybody(
    ctx: &Context<'_>,
    shifts: &Shifts,
    ticket: &Ticket,
    position: &Position,
    who: &Who,
    limits: &Limits<'_>,
) -> bool {
    let mut search = Search {
        ctx: *ctx,
        shifts,
        ticket,
        position,
        limits,
        left_out: Vec::new(),
        deputies: Vec::new(),
    };
    match who
        .base
        .group()
        .and_then(|group| ctx.directory.groups.get(group))
    {
        Some(group) => {
            let shift = search.shift(group);
            let mut members = group.members.iter();
            members.any(|member| search.look_at(who, member, shift.as_ref(), 0).is_some())
        }
        None => search.phrase(who).is_some(),
    }
}

/// Resolves the phrase against the directory as it is now.
pub(super) fn resolve(
    ctx: &Context<'_>,
    shifts: &Shifts,
    ticket: &Ticket,
    position: &Position,
    who: &Who,
    limits: &Limits<'_>,
) -> Outcome {
    let mut search = Search {
        ctx: *ctx,
        shifts,
        ticket,
        position,
        limits,
        left_out: Vec::new(),
        deputies: Vec::new(),
    };
    let mut phrase = Some(who);
    while let Some(who) = phrase {
        if let Some(found) = search.phrase(who) {
            return Outcome {
                found: Some(found),
                left_out: search.capped(),
            };
        }
        phrase = who.otherwise.as_deref();
    }
    Outcome {
        found: None,
        left_out: search.capped(),
    }
}

struct Search<'a> {
    ctx: Context<'a>,
    shifts: &'a Shifts,
    ticket: &'a Ticket,
    position: &'a Position,
    limits: &'a Limits<'a>,
    left_out: Vec<LeftOut>,
    /// Deputies among them. Each may be a member, too, and have another deputy's place: said once is enough.
    deputies: Vec<&'a Name>,
}

/// Who of a group with a schedule is on shift.
struct Shift<'a> {
    schedule: Option<&'a Schedule>,
    on_duty: Rc<[Name]>,
}

impl Shift<'_> {
    /// A deputy from outside of the schedule has no shifts in it.
    fn binds(&self, deputy: &Name) -> bool {
        let known = |schedule: &Schedule| schedule.knows(deputy);
        !self.on_duty.contains(deputy) && self.schedule.is_some_and(known)
    }
}

/// Somebody who can be asked, and where he stands in the line.
struct Eligible<'a> {
    person: &'a Name,
    deputy_of: Option<&'a Name>,
    index: usize,
}

impl<'a> Search<'a> {
    fn phrase(&mut self, who: &'a Who) -> Option<Found> {
        let (ctx, ticket) = (self.ctx, self.ticket);
        let group = |name: &Name| ctx.directory.groups.get(name);
        let one = match &who.base {
            Base::User(person) => Some(person),
            Base::Assignee => self.position.holder.answerable(),
            Base::Opener => ticket.opener.person(),
            Base::WhoDid(action) => ticket.did.get(action),
            Base::LeadOf(name) => group(name).and_then(|group| group.lead.as_ref()),
            Base::ManagerOf(name) => group(name).and_then(|group| group.manager.as_ref()),
            Base::OnCall(schedule) => return self.on_call(who, schedule),
            Base::Named(field) => return self.named(who, field),
            Base::Contact(_) => None,
            Base::AnyoneIn(name)
            | Base::LeastBusy(name)
            | Base::LongestIdle(name)
            | Base::NextIn(name)
            | Base::AnotherIn(name) => {
                let Some(group) = group(name) else {
                    self.leave_out(Name::default(), Reason::Nobody);
                    return None;
                };
                return self.group(who, group);
            }
        };
        let Some(person) = one else {
            self.leave_out(Name::default(), Reason::Nobody);
            return None;
        };
        let eligible = self.look_at(who, person, None, 0)?;
        Some(Found::person(&eligible))
    }

    /// The person whom a field of the ticket names.
    fn named(&mut self, who: &'a Who, field: &Name) -> Option<Found> {
        let Some(id) = self.ticket.named(field) else {
            return self.no(&Name::default(), Reason::Nobody);
        };
        let known = self.ctx.directory.people.get_key_value(id);
        let Some((person, _)) = known else {
            return self.no(&Name::new(clip(id)), Reason::Unknown);
        };
        let eligible = self.look_at(who, person, None, 0)?;
        Some(Found::person(&eligible))
    }

    fn on_call(&mut self, who: &'a Who, schedule: &Name) -> Option<Found> {
        let on_duty = self.shifts.on_duty(&self.ctx, schedule);
        if on_duty.is_empty() {
            self.leave_out(Name::default(), Reason::Nobody);
        }
        for (index, person) in on_duty.iter().enumerate() {
            // The schedule's list is made for this question; the directory's own names outlive it.
            let known = self
                .ctx
                .directory
                .people
                .get_key_value(person)
                .map(|(id, _)| id);
            match known {
                Some(person) => {
                    if let Some(eligible) = self.look_at(who, person, None, index) {
                        return Some(Found::person(&eligible));
                    }
                }
                None => self.leave_out(person.clone(), Reason::Unknown),
            }
        }
        None
    }

    /// Who of a group with a schedule is on shift; `None`: everybody always is.
    fn shift(&self, group: &Group) -> Option<Shift<'a>> {
        let name = group.schedule.as_ref()?;
        Some(Shift {
            schedule: self.ctx.directory.schedules.get(name),
            on_duty: self.shifts.on_duty(&self.ctx, name),
        })
    }

    fn group(&mut self, who: &'a Who, group: &'a Group) -> Option<Found> {
        let shift = self.shift(group);
        let mut eligible: Vec<Eligible<'a>> = Vec::new();
        for (index, member) in group.members.iter().enumerate() {
            let found = self.look_at(who, member, shift.as_ref(), index);
            // Two who are away may have the same deputy.
            if let Some(found) = found
                && !eligible.iter().any(|other| other.person == found.person)
            {
                eligible.push(found);
            }
        }
        if let Base::AnyoneIn(_) = who.base {
            return self.offer(group, &eligible);
        }
        let chosen = self.choose(&who.base, group, &eligible)?;
        for other in eligible
            .iter()
            .filter(|other| other.person != chosen.person)
        {
            let reason = self.why_not(&who.base, other, chosen);
            self.leave_out(other.person.clone(), reason);
        }
        let turn_of = matches!(who.base, Base::NextIn(_)).then(|| group.id.clone());
        Some(Found {
            turn_of,
            ..Found::person(chosen)
        })
    }

    fn choose<'e>(
        &self,
        base: &Base,
        group: &Group,
        eligible: &'e [Eligible<'a>],
    ) -> Option<&'e Eligible<'a>> {
        let load = |eligible: &Eligible<'_>| self.ctx.workload.of(eligible.person);
        match base {
            Base::LeastBusy(_) => eligible
                .iter()
                .min_by_key(|one| (self.open(one.person), load(one).last_given, one.index)),
            Base::NextIn(_) => {
                // The turn goes on after who was served last, even if he has left the line since.
                let last = self.ctx.workload.turns.get(&group.id);
                let last =
                    last.and_then(|last| group.members.iter().position(|member| member == last));
                let start = last.map_or(0, |last| last + 1);
                let after = eligible.iter().find(|one| one.index >= start);
                after.or_else(|| eligible.first())
            }
            _ => eligible
                .iter()
                .min_by_key(|one| (load(one).last_given, one.index)),
        }
    }

    fn why_not(&self, base: &Base, other: &Eligible<'_>, chosen: &Eligible<'_>) -> Reason {
        let open = self.open(other.person);
        match base {
            Base::LeastBusy(_) if open > self.open(chosen.person) => Reason::Busier { open },
            _ => Reason::LaterInLine,
        }
    }

    fn offer(&mut self, group: &'a Group, eligible: &[Eligible<'a>]) -> Option<Found> {
        if eligible.is_empty() {
            return None;
        }
        let candidates = eligible.iter().map(|one| one.person.clone()).collect();
        let (lead, led) = self.ctx.directory.answerable_for(group, self.ctx.now);
        let stand_ins = eligible.iter().filter_map(Eligible::stand_in).collect();
        let holder = Holder::Offer {
            group: group.id.clone(),
            lead: lead.clone(),
            candidates,
        };
        Some(Found {
            holder,
            deputy_of: led.cloned(),
            turn_of: None,
            stand_ins,
        })
    }

    /// Checks one person and, if he is away, his deputy. Records why not.
    fn look_at(
        &mut self,
        who: &'a Who,
        person: &'a Name,
        shift: Option<&Shift<'_>>,
        index: usize,
    ) -> Option<Eligible<'a>> {
        let (directory, now) = (self.ctx.directory, self.ctx.now);
        if !directory.people.contains_key(person) {
            return self.no(person, Reason::Unknown);
        }
        // A deputy stands in for an absence; for somebody who is merely off shift the others are there.
        if shift.is_some_and(|shift| !shift.on_duty.contains(person)) {
            return self.no(person, Reason::OffShift);
        }
        let Some(absence) = directory.absence(person, now) else {
            let reason = self.unfit(who, person);
            return match reason {
                None => Some(Eligible {
                    person,
                    deputy_of: None,
                    index,
                }),
                Some(reason) => self.no(person, reason),
            };
        };
        let until = absence.to;
        self.leave_out(person.clone(), Reason::Absent { until });
        let deputy = directory.stand_in(person, now)?;
        let off_shift = shift.is_some_and(|shift| shift.binds(deputy));
        let unfit = match off_shift {
            true => Some(Reason::OffShift),
            false => self.unfit(who, deputy),
        };
        if let Some(reason) = unfit {
            self.deputies.push(deputy);
            return self.no(deputy, reason);
        }
        Some(Eligible {
            person: deputy,
            deputy_of: Some(person),
            index,
        })
    }

    /// Why somebody who is there can't be asked all the same.
    fn unfit(&self, who: &Who, id: &Name) -> Option<Reason> {
        let Some(person) = self.ctx.directory.people.get(id) else {
            return Some(Reason::Unknown);
        };
        let actor = Actor::Person(id.clone());
        let means = |base| base_means(&self.ctx, self.ticket, self.position, base, &actor);
        if who.except.iter().any(means) {
            return Some(Reason::Excluded);
        }
        if self.limits.barred == Some(id) {
            return Some(Reason::HadIt);
        }
        if matches!(who.base, Base::AnotherIn(_)) && self.limits.had.contains(id) {
            return Some(Reason::HadIt);
        }
        if self.position.unreachable.contains(id) {
            return Some(Reason::Unreachable);
        }
        self.unable(who, person)
    }

    fn unable(&self, who: &Who, person: &Person) -> Option<Reason> {
        if let Some(skill) = who
            .skills
            .iter()
            .find(|skill| !person.skills.contains(*skill))
        {
            return Some(Reason::LacksSkill {
                skill: skill.clone(),
            });
        }
        if person.channels.is_empty() {
            return Some(Reason::Unreachable);
        }
        // Whoever has the ticket already doesn't need room for it.
        let has_it = self.position.holder.answerable() == Some(&person.id);
        match person.at_most {
            Some(at_most) if !self.limits.ignore_capacity && !has_it => {
                (self.open(&person.id) >= at_most).then_some(Reason::AtCapacity { at_most })
            }
            _ => None,
        }
    }

    /// How many the person holds now: what the ticket gave or took in this decision counts already.
    fn open(&self, person: &Name) -> u32 {
        let held = |ticket: &Ticket| {
            let held = ticket.answerable().filter(|(_, holder)| *holder == person);
            u32::try_from(held.count()).unwrap_or(u32::MAX)
        };
        let open = self.ctx.workload.of(person).open;
        open.saturating_add(held(self.ticket))
            .saturating_sub(held(self.limits.before))
    }

    fn no<T>(&mut self, who: &Name, reason: Reason) -> Option<T> {
        self.leave_out(who.clone(), reason);
        None
    }

    fn leave_out(&mut self, who: Name, reason: Reason) {
        let one = LeftOut { who, reason };
        if !self.deputies.contains(&&one.who) || !self.left_out.contains(&one) {
            self.left_out.push(one);
        }
    }

    fn capped(mut self) -> Vec<LeftOut> {
        if self.left_out.len() > MAX_LEFT_OUT {
            let count = u32::try_from(self.left_out.len() - MAX_LEFT_OUT).unwrap_or(u32::MAX);
            self.left_out.truncate(MAX_LEFT_OUT);
            self.leave_out(Name::default(), Reason::More { count });
        }
        self.left_out
    }
}

impl Found {
    fn person(eligible: &Eligible<'_>) -> Self {
        Self {
            holder: Holder::Assignee(eligible.person.clone()),
            deputy_of: eligible.deputy_of.cloned(),
            turn_of: None,
            stand_ins: Vec::new(),
        }
    }
}

impl Eligible<'_> {
    fn stand_in(&self) -> Option<StandIn> {
        let (who, of) = (self.person.clone(), self.deputy_of?.clone());
        Some(StandIn { who, of })
    }
}
