//! From a *who* phrase to somebody who can be asked now, with the reason for each who can't.

use crate::decide::Context;
use crate::decide::fields::clip;
use crate::decide::roles::base_means;
use crate::event::{MAX_LEFT_OUT, StandIn};
use crate::schedule::OnDuty;
use crate::ticket::{Holder, Position, Ticket};
use crate::workload::Load;
use crate::{Actor, Base, Group, LeftOut, Name, Person, Reason, Schedule, Who};

/// Whom a phrase led to. The names are the directory's own, so that they are copied once, into the event.
pub(super) struct Found<'a> {
    pub(super) asked: Asked<'a>,
    /// What the directory knows of the person who is asked.
    pub(super) known: Option<&'a Person>,
    pub(super) deputy_of: Option<&'a Name>,
    pub(super) turn_of: Option<&'a Name>,
    /// Whether the level asks `another` and has more of them; `None`: not looked at.
    pub(super) others: Option<bool>,
}

/// Who is asked.
pub(super) enum Asked<'a> {
    Person(&'a Name),
    Group(Box<Offer<'a>>),
}

/// A group that is asked.
pub(super) struct Offer<'a> {
    group: &'a Name,
    lead: &'a Name,
    candidates: Vec<Name>,
    stand_ins: Vec<StandIn>,
}

/// What a phrase led to, and everybody who was looked at on the way.
pub(super) struct Outcome<'a> {
    pub(super) found: Option<Found<'a>>,
    pub(super) left_out: Vec<LeftOut>,
    /// Whether the phrase, before its `else`, leads to somebody besides whom it found.
    pub(super) others: bool,
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

/// The asking of a phrase, in the directory and the workflow (`'a`) and the ticket (`'t`) as they are now.
pub(super) struct Search<'a, 't> {
    ctx: Context<'a>,
    ticket: &'t Ticket,
    position: &'t Position,
    limits: &'t Limits<'t>,
    left_out: Vec<LeftOut>,
    /// Deputies among them. Each may be a member, too, and have another deputy's place: said once is enough.
    deputies: Vec<&'a Name>,
    /// Whether the phrase that was asked last had more than one to choose from.
    others: bool,
}

/// Who of a group with a schedule is on shift.
struct Shift<'a> {
    schedule: Option<&'a Schedule>,
    on_duty: OnDuty<'a>,
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
    known: &'a Person,
    deputy_of: Option<&'a Name>,
    index: usize,
}

impl<'a: 't, 't> Search<'a, 't> {
    pub(super) fn new(
        ctx: &Context<'a>,
        ticket: &'t Ticket,
        position: &'t Position,
        limits: &'t Limits<'t>,
    ) -> Self {
        Self {
            ctx: *ctx,
            ticket,
            position,
            limits,
            left_out: Vec::new(),
            deputies: Vec::new(),
            others: false,
        }
    }

    /// Whether the phrase, without its `else`, leads to anybody.
    pub(super) fn anybody(mut self, who: &'a Who) -> bool {
        let group = who.base.group();
        match group.and_then(|group| self.ctx.directory.groups.get(group)) {
            Some(group) => {
                let shift = self.shift(group);
                let mut members = group.members.iter();
                members.any(|member| self.look_at(who, member, shift.as_ref(), 0).is_some())
            }
            None => self.phrase(who).is_some(),
        }
    }

    /// Resolves the phrase, and then each `else` until one leads to somebody, against the directory as it is
    /// now.
    pub(super) fn resolve(mut self, who: &'a Who, mut otherwise: Option<&'a Who>) -> Outcome<'a> {
        let mut found = self.phrase(who);
        let others = self.others;
        while let (None, Some(who)) = (&found, otherwise) {
            found = self.phrase(who);
            otherwise = who.otherwise.as_deref();
        }
        Outcome {
            found,
            left_out: self.capped(),
            others,
        }
    }

    fn phrase(&mut self, who: &'a Who) -> Option<Found<'a>> {
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
    fn named(&mut self, who: &'a Who, field: &Name) -> Option<Found<'a>> {
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

    fn on_call(&mut self, who: &'a Who, schedule: &Name) -> Option<Found<'a>> {
        let schedule = self.ctx.directory.schedules.get(schedule);
        let on_duty = schedule.map(|schedule| schedule.duty(self.ctx.now));
        let on_duty = on_duty.filter(|on_duty| on_duty.len() > 0);
        let Some(on_duty) = on_duty else {
            return self.no(&Name::default(), Reason::Nobody);
        };
        let mut people = on_duty.iter().enumerate();
        let found = people.find_map(|(index, person)| self.look_at(who, person, None, index));
        found.map(|eligible| Found::person(&eligible))
    }

    /// Who of a group with a schedule is on shift; `None`: everybody always is.
    fn shift(&self, group: &Group) -> Option<Shift<'a>> {
        let schedule = self.ctx.directory.schedules.get(group.schedule.as_ref()?);
        let on_duty = schedule.map(|schedule| schedule.duty(self.ctx.now));
        Some(Shift {
            schedule,
            on_duty: on_duty.unwrap_or(OnDuty::Known(&[])),
        })
    }

    fn group(&mut self, who: &'a Who, group: &'a Group) -> Option<Found<'a>> {
        let shift = self.shift(group);
        let count = group.members.len();
        self.left_out.reserve(count.min(MAX_LEFT_OUT));
        let mut eligible: Vec<Eligible<'a>> = Vec::with_capacity(count);
        let mut stood_in = false;
        for (index, member) in group.members.iter().enumerate() {
            let found = self.look_at(who, member, shift.as_ref(), index);
            let Some(found) = found else { continue };
            // Two who are away may have the same deputy, and he may be a member.
            stood_in |= found.deputy_of.is_some();
            if !stood_in || !eligible.iter().any(|other| other.person == found.person) {
                eligible.push(found);
            }
        }
        self.others = eligible.len() > 1;
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
        let turn_of = matches!(who.base, Base::NextIn(_)).then_some(&group.id);
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
        let load = |eligible: &Eligible<'_>| self.load(eligible.person);
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
        let open = match base {
            Base::LeastBusy(_) => self.open(other.person),
            _ => return Reason::LaterInLine,
        };
        match open > self.open(chosen.person) {
            true => Reason::Busier { open },
            false => Reason::LaterInLine,
        }
    }

    fn offer(&mut self, group: &'a Group, eligible: &[Eligible<'a>]) -> Option<Found<'a>> {
        if eligible.is_empty() {
            return None;
        }
        let (lead, led) = self.ctx.directory.answerable_for(group, self.ctx.now);
        let offer = Offer {
            group: &group.id,
            lead,
            candidates: eligible.iter().map(|one| one.person.clone()).collect(),
            stand_ins: eligible.iter().filter_map(Eligible::stand_in).collect(),
        };
        Some(Found {
            asked: Asked::Group(Box::new(offer)),
            known: None,
            deputy_of: led,
            turn_of: None,
            others: None,
        })
    }

    /// Checks one person and, if he is away, his deputy. Records why not.
    fn look_at(
        &mut self,
        who: &'a Who,
        person: &Name,
        shift: Option<&Shift<'a>>,
        index: usize,
    ) -> Option<Eligible<'a>> {
        let (directory, now) = (self.ctx.directory, self.ctx.now);
        let Some((person, known)) = directory.people.get_key_value(person) else {
            return self.no(person, Reason::Unknown);
        };
        // A deputy stands in for an absence; for somebody who is merely off shift the others are there.
        if shift.is_some_and(|shift| !shift.on_duty.contains(person)) {
            return self.no(person, Reason::OffShift);
        }
        let Some(absence) = directory.absence_of(person, now) else {
            return match self.unfit(who, person, known) {
                None => Some(Eligible {
                    person,
                    known,
                    deputy_of: None,
                    index,
                }),
                Some(reason) => self.no(person, reason),
            };
        };
        let until = absence.to;
        self.leave_out(person.clone(), Reason::Absent { until });
        let deputy = directory.stand_in(person, now)?;
        let known = directory.people.get(deputy);
        let unfit = match known {
            _ if shift.is_some_and(|shift| shift.binds(deputy)) => Some(Reason::OffShift),
            Some(known) => self.unfit(who, deputy, known),
            None => Some(Reason::Unknown),
        };
        match (known, unfit) {
            (Some(known), None) => Some(Eligible {
                person: deputy,
                known,
                deputy_of: Some(person),
                index,
            }),
            (_, reason) => {
                self.deputies.push(deputy);
                self.no(deputy, reason.unwrap_or(Reason::Unknown))
            }
        }
    }

    /// Why somebody who is there can't be asked all the same.
    fn unfit(&self, who: &Who, person: &Name, known: &Person) -> Option<Reason> {
        if !who.except.is_empty() {
            let actor = Actor::Person(person.clone());
            let means = |base| base_means(&self.ctx, self.ticket, self.position, base, &actor);
            if who.except.iter().any(means) {
                return Some(Reason::Excluded);
            }
        }
        if self.limits.barred == Some(person) {
            return Some(Reason::HadIt);
        }
        if matches!(who.base, Base::AnotherIn(_)) && self.limits.had.contains(person) {
            return Some(Reason::HadIt);
        }
        if self.position.unreachable.contains(person) {
            return Some(Reason::Unreachable);
        }
        self.unable(who, known)
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
        let open = self.load(person).open;
        open.saturating_add(held(self.ticket))
            .saturating_sub(held(self.limits.before))
    }

    fn load(&self, person: &Name) -> Load {
        let load = self.ctx.workload.people.get(person);
        load.copied().unwrap_or_default()
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

impl<'a> Found<'a> {
    /// Nobody had to be looked for.
    pub(super) fn given(person: &'a Name) -> Self {
        Self {
            asked: Asked::Person(person),
            known: None,
            deputy_of: None,
            turn_of: None,
            others: None,
        }
    }

    fn person(eligible: &Eligible<'a>) -> Self {
        Self {
            known: Some(eligible.known),
            deputy_of: eligible.deputy_of,
            ..Self::given(eligible.person)
        }
    }
}

impl Asked<'_> {
    /// Whose name will be on it.
    pub(super) fn answerable(&self) -> &Name {
        match self {
            Self::Person(person) => person,
            Self::Group(offer) => offer.lead,
        }
    }

    /// Whether that is how it is already.
    pub(super) fn is(&self, holder: &Holder) -> bool {
        match (self, holder) {
            (Self::Person(person), Holder::Assignee(other)) => *person == other,
            (
                Self::Group(offer),
                Holder::Offer {
                    group,
                    lead,
                    candidates,
                },
            ) => offer.group == group && offer.lead == lead && offer.candidates == *candidates,
            _ => false,
        }
    }

    /// As the journal has it, and who of the candidates stands in for others.
    pub(super) fn into_holder(self) -> (Holder, Vec<StandIn>) {
        match self {
            Self::Person(person) => (Holder::Assignee(person.clone()), Vec::new()),
            Self::Group(offer) => {
                let holder = Holder::Offer {
                    group: offer.group.clone(),
                    lead: offer.lead.clone(),
                    candidates: offer.candidates,
                };
                (holder, offer.stand_ins)
            }
        }
    }
}

impl Eligible<'_> {
    fn stand_in(&self) -> Option<StandIn> {
        let (who, of) = (self.person.clone(), self.deputy_of?.clone());
        Some(StandIn { who, of })
    }
}
