//! Who can be asked at all: how many hops a level makes at most.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::directory::MAX_DEPUTY_CHAIN;
use crate::{Base, Directory, Name, Person, Who};

/// People by what a phrase asks for, from an instant on.
pub(super) struct People<'a> {
    pub(super) directory: &'a Directory,
    from: Timestamp,
    known: BTreeMap<String, BTreeSet<&'a Name>>,
}

/// Somebody of the group that a phrase asks.
pub(super) fn members<'a>(directory: &'a Directory, base: &Base) -> Option<&'a [Name]> {
    match base {
        Base::AnyoneIn(group)
        | Base::LeastBusy(group)
        | Base::LongestIdle(group)
        | Base::NextIn(group)
        | Base::AnotherIn(group) => {
            let group = directory.groups.get(group);
            Some(group.map_or(&[], |group| group.members.as_slice()))
        }
        _ => None,
    }
}

/// The one person that a phrase always means.
pub(super) fn fixed<'a>(directory: &'a Directory, base: &'a Base) -> Option<&'a Name> {
    let group = |name: &Name| directory.groups.get(name);
    match base {
        Base::User(person) => Some(person),
        Base::LeadOf(name) => group(name).and_then(|group| group.lead.as_ref()),
        Base::ManagerOf(name) => group(name).and_then(|group| group.manager.as_ref()),
        _ => None,
    }
}

/// Whether `except` always leaves the person out.
pub(super) fn is_excluded(directory: &Directory, who: &Who, person: &Name) -> bool {
    who.except
        .iter()
        .any(|base| match members(directory, base) {
            Some(members) => members.contains(person),
            None => fixed(directory, base) == Some(person),
        })
}

/// Whether the phrase may ever ask this person, as far as skills, channels and `except` go.
pub(super) fn is_fit(directory: &Directory, who: &Who, person: &Person) -> bool {
    who.skills.iter().all(|skill| person.skills.contains(skill))
        && !person.channels.is_empty()
        && !is_excluded(directory, who, &person.id)
}

impl<'a> People<'a> {
    pub(super) fn new(directory: &'a Directory, from: Timestamp) -> Self {
        Self {
            directory,
            from,
            known: BTreeMap::new(),
        }
    }

    /// Everybody whom the first alternative of a phrase may ever find, deputies included. `None` if that
    /// depends on the ticket or the hour.
    pub(super) fn asked(&mut self, who: &'a Who) -> Option<&BTreeSet<&'a Name>> {
        let directory = self.directory;
        let asked = match members(directory, &who.base) {
            Some(members) => members,
            None => std::slice::from_ref(fixed(directory, &who.base)?),
        };
        let key = match &who.otherwise {
            None => who.to_string(),
            Some(_) => Who {
                otherwise: None,
                ..who.clone()
            }
            .to_string(),
        };
        if !self.known.contains_key(&key) {
            let mut all = self.with_deputies(asked);
            all.retain(|id| {
                let person = directory.people.get(*id);
                person.is_some_and(|person| is_fit(directory, who, person))
            });
            self.known.insert(key.clone(), all);
        }
        self.known.get(&key)
    }

    /// These people, and whoever may stand in for them from now on.
    fn with_deputies(&self, people: &'a [Name]) -> BTreeSet<&'a Name> {
        let mut all: BTreeSet<&'a Name> = people.iter().collect();
        let mut ahead: Vec<&'a Name> = people.iter().collect();
        for _ in 0..=MAX_DEPUTY_CHAIN {
            let absences = ahead
                .iter()
                .filter_map(|person| self.directory.absences.get(*person));
            let coming = absences.flatten().filter(|absence| absence.to > self.from);
            let deputies = coming.filter_map(|absence| absence.deputy.as_ref());
            ahead = deputies.filter(|deputy| all.insert(deputy)).collect();
        }
        all
    }

    /// Everybody whom a phrase may find, if that is known of each of its alternatives and all of them make
    /// one
    /// person answerable.
    pub(super) fn found(&mut self, who: &'a Who) -> Option<BTreeSet<&'a Name>> {
        let mut all = BTreeSet::new();
        let mut phrase = Some(who);
        while let Some(who) = phrase {
            if matches!(who.base, Base::AnyoneIn(_)) {
                return None;
            }
            all.extend(self.asked(who)?);
            phrase = who.otherwise.as_deref();
        }
        Some(all)
    }
}
