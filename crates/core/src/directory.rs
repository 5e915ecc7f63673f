//! The directory: people, groups, calendars, schedules and absences, as they are now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{Calendar, Name, Quiet, QuietHours, Schedule, Span};

/// Longest chain of deputies that is followed: a deputy of a deputy of a deputy.
pub const MAX_DEPUTY_CHAIN: usize = 8;

/// A snapshot of who is there. Checked when it was read: every name in it is known.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Its name.
    pub name: Name,
    /// Answerable for whatever nobody else takes; every ladder ends here. Never left out, can't decline.
    pub last_resort: Name,
    /// Everybody by id.
    pub people: BTreeMap<Name, Person>,
    /// Groups by id.
    pub groups: BTreeMap<Name, Group>,
    /// Calendars by name.
    pub calendars: BTreeMap<Name, Calendar>,
    /// Schedules by name.
    pub schedules: BTreeMap<Name, Schedule>,
    /// Absences by person, by their start.
    pub absences: BTreeMap<Name, Vec<Absence>>,
}

impl Directory {
    /// The absence in which `person` is at `at`, if any.
    pub fn absence(&self, person: &str, at: Timestamp) -> Option<&Absence> {
        away(self.absences.get(person)?, at)
    }

    /// See [`Directory::absence`].
    pub(crate) fn absence_of(&self, person: &Name, at: Timestamp) -> Option<&Absence> {
        away(self.absences.get(person)?, at)
    }

    /// Who stands in for `person` at `at`: himself when present, else his deputy, the deputy's deputy …
    ///
    /// `None` when the chain ends with nobody, runs in a circle, or is longer than [`MAX_DEPUTY_CHAIN`].
    pub fn stand_in<'a>(&'a self, person: &'a Name, at: Timestamp) -> Option<&'a Name> {
        let mut current = person;
        // The bound makes a circle end: whoever is met twice is absent, so the walk never returns him.
        for _ in 0..=MAX_DEPUTY_CHAIN {
            match self.absence_of(current, at) {
                None => return Some(current),
                Some(absence) => current = absence.deputy.as_ref()?,
            }
        }
        None
    }

    /// Who is answerable while a group is offered a ticket: its lead or his deputy, else its manager or his
    /// deputy, else the last resort.
    pub fn answerable_lead<'a>(&'a self, group: &'a Group, at: Timestamp) -> &'a Name {
        self.answerable_for(group, at).0
    }

    /// The same, and for whom he stands in if he is a deputy.
    pub fn answerable_for<'a>(
        &'a self,
        group: &'a Group,
        at: Timestamp,
    ) -> (&'a Name, Option<&'a Name>) {
        let leaders = [&group.lead, &group.manager].into_iter().flatten();
        let mut there = leaders.filter_map(|leader| Some((self.stand_in(leader, at)?, leader)));
        let there = there.find(|(person, _)| self.people.contains_key(*person));
        match there {
            Some((person, leader)) => (person, Some(leader).filter(|leader| *leader != person)),
            None => (&self.last_resort, None),
        }
    }

    /// Who has a ticket that nobody was asked for, when `person` who had it is away or gone: his deputy, else
    /// whoever is answerable for his first group. `None` is the last resort.
    pub fn replacement<'a>(&'a self, person: &'a Name, at: Timestamp) -> Option<&'a Name> {
        let known = |other: &&Name| *other != person && self.people.contains_key(*other);
        let deputy = self.stand_in(person, at).filter(known);
        let lead = || {
            let group = self.groups_of(person).next()?;
            Some(self.answerable_lead(group, at)).filter(known)
        };
        deputy.or_else(lead)
    }

    /// The groups that `person` leads or manages, or is a member of.
    pub fn groups_of<'a>(&'a self, person: &'a str) -> impl Iterator<Item = &'a Group> {
        self.groups
            .values()
            .filter(move |group| group.has(person) || group.is_led_by(person))
    }
}

fn away(absences: &[Absence], at: Timestamp) -> Option<&Absence> {
    let mut absences = absences.iter();
    absences.find(|absence| absence.from <= at && at < absence.to)
}

/// Somebody who can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Id: the key in the directory, and what journals say.
    pub id: Name,
    /// Name for people.
    pub name: String,
    /// Mail address.
    pub mail: Option<String>,
    /// What the person can do; asked for by `with skill`.
    pub skills: BTreeSet<Name>,
    /// Languages spoken, as tags.
    pub languages: Vec<Name>,
    /// Most open tickets at once; `None` is no limit.
    pub at_most: Option<u32>,
    /// Name of the person's own zone, for the times in what is sent.
    pub time_zone: Option<Name>,
    /// How to reach the person, in order. Never empty for who has a mail address.
    pub channels: Vec<Channel>,
    /// When rules that mind it are used, or are not.
    pub quiet_hours: Option<QuietHours>,
}

/// One of a person's own notification rules: `{ webhook: duty-phone, after: 5 min, unless: acted }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// `mail`, or `webhook:NAME`.
    pub via: Name,
    /// How long after being asked; `None` is now. Always physical time.
    pub after: Option<Span>,
    /// Not used when the person has acted by then.
    pub unless_acted: bool,
    /// Whether it is for quiet hours, or for all others.
    pub quiet: Quiet,
}

/// People who do the same work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Id: the key in the directory.
    pub id: Name,
    /// Members in the author's order.
    pub members: Vec<Name>,
    /// Answerable while the group is offered a ticket.
    pub lead: Option<Name>,
    /// The next level up.
    pub manager: Option<Name>,
    /// Who of the members is on shift; `None` is always everybody.
    pub schedule: Option<Name>,
}

impl Group {
    /// Whether `person` is a member.
    pub fn has(&self, person: &str) -> bool {
        self.members.iter().any(|member| member.as_str() == person)
    }

    /// Whether `person` is the lead or the manager.
    pub fn is_led_by(&self, person: &str) -> bool {
        [&self.lead, &self.manager]
            .into_iter()
            .flatten()
            .any(|leader| leader.as_str() == person)
    }
}

/// Time in which somebody can't be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Who is away.
    pub who: Name,
    /// First instant of it.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// Who stands in.
    pub deputy: Option<Name>,
}
