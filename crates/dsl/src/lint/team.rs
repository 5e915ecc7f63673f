//! Whom a phrase can lead to at all, by the directory as it is: group by group, person by person.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use upline_core::{Base, Directory, Name, Schedule, Who};

/// How far ahead absences are looked at: who is away for longer than this is not there.
const AHEAD_HOURS: i64 = 24 * 366;

/// Whom a starting point can lead to.
pub(super) enum Team<'d> {
    /// That depends on the ticket: its opener, its assignee, whoever did something or stands in a field.
    Anybody,
    /// These, in the author's order.
    These(Vec<&'d Name>),
}

/// A directory from a date on.
pub(super) struct Teams<'d> {
    directory: &'d Directory,
    from: Timestamp,
    on_duty: BTreeMap<&'d Name, BTreeSet<&'d Name>>,
}

impl<'d> Teams<'d> {
    pub(super) fn new(directory: &'d Directory, from: Timestamp) -> Self {
        let schedules = directory.schedules.iter();
        Self {
            on_duty: schedules
                .map(|(name, one)| (name, people_of(one)))
                .collect(),
            directory,
            from,
        }
    }

    /// Everybody whom a starting point names, there or not.
    pub(super) fn of(&self, base: &'d Base) -> Team<'d> {
        let group = |name: &Name| self.directory.groups.get(name);
        let one = |person: Option<&'d Name>| Team::These(person.into_iter().collect());
        match base {
            Base::Assignee | Base::Opener | Base::Contact(_) | Base::Named(_) | Base::WhoDid(_) => {
                Team::Anybody
            }
            Base::User(person) => Team::These(vec![person]),
            Base::LeadOf(name) => one(group(name).and_then(|group| group.lead.as_ref())),
            Base::ManagerOf(name) => one(group(name).and_then(|group| group.manager.as_ref())),
            Base::OnCall(schedule) => {
                let people = self.on_duty.get(schedule).into_iter().flatten();
                Team::These(people.copied().collect())
            }
            Base::AnyoneIn(name)
            | Base::LeastBusy(name)
            | Base::LongestIdle(name)
            | Base::NextIn(name)
            | Base::AnotherIn(name) => {
                let group = group(name);
                let duty = group.and_then(|group| group.schedule.as_ref());
                let duty = duty.and_then(|schedule| self.on_duty.get(schedule));
                let members = group.map_or(&[][..], |group| &group.members).iter();
                let on_duty = |member: &&Name| duty.is_none_or(|duty| duty.contains(*member));
                Team::These(members.filter(on_duty).collect())
            }
        }
    }

    /// Whether the person can be asked by this phrase when he is there.
    fn fits(&self, who: &Who, person: &Name) -> bool {
        let known = self.directory.people.get(person);
        known.is_some_and(|known| {
            !known.channels.is_empty()
                && who.skills.iter().all(|skill| known.skills.contains(skill))
                && !who.except.iter().any(|base| self.is_always(base, person))
        })
    }

    /// Whether the starting point always means the person.
    pub(super) fn is_always(&self, base: &Base, person: &Name) -> bool {
        let group = |name: &Name| self.directory.groups.get(name);
        match base {
            Base::User(user) => user == person,
            Base::LeadOf(name) => group(name).and_then(|one| one.lead.as_ref()) == Some(person),
            Base::ManagerOf(name) => {
                group(name).and_then(|one| one.manager.as_ref()) == Some(person)
            }
            Base::AnyoneIn(name)
            | Base::LeastBusy(name)
            | Base::LongestIdle(name)
            | Base::NextIn(name)
            | Base::AnotherIn(name) => group(name).is_some_and(|group| group.has(person)),
            _ => false,
        }
    }

    /// Whether the starting point can mean the person.
    pub(super) fn may_mean(&self, base: &Base, person: &Name) -> bool {
        match self.of(base) {
            Team::Anybody => true,
            Team::These(people) => people.contains(&person),
        }
    }

    /// Somebody who can be asked at some time of the year for this person: himself, or a deputy.
    pub(super) fn stands_for(&self, who: &Who, person: &'d Name) -> Option<&'d Name> {
        let end = self
            .from
            .checked_add(SignedDuration::from_hours(AHEAD_HOURS));
        let end = end.unwrap_or(Timestamp::MAX);
        let absences = self.directory.absences.get(person).into_iter().flatten();
        let mut at = self.from;
        for absence in absences {
            if absence.to <= at {
                continue;
            }
            if absence.from > at {
                break;
            }
            let deputy = self.directory.stand_in(person, at);
            if let Some(deputy) = deputy.filter(|deputy| self.fits(who, deputy)) {
                return Some(deputy);
            }
            at = absence.to;
        }
        let there = at < end && self.fits(who, person);
        there.then_some(person)
    }
}

/// Everybody who ever has a turn.
pub(super) fn people_of(schedule: &Schedule) -> BTreeSet<&Name> {
    let parts = schedule.parts();
    let rotations = parts.rotations.iter().flat_map(|one| &one.members);
    let shifts = parts.shifts.iter().flat_map(|one| &one.who);
    let weekly = parts.weekly.iter().flat_map(|one| &one.who);
    let overrides = parts.overrides.iter().map(|one| &one.on_call);
    rotations
        .chain(shifts)
        .chain(weekly)
        .chain(overrides)
        .collect()
}
