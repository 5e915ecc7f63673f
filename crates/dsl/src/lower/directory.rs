//! A whole directory.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use upline_core::{Base, Calendar, Directory, Group, Name, Person, Schedule};

use super::workflow::start_of;
use super::{absences, calendars, groups, leaf, people, schedules};
use crate::names::valid_name;
use crate::phrase::who;
use crate::reader::Reader;
use crate::syntax::{Entry, Node};
use crate::{Code, Reference, Site};

/// Reads a directory. What it returns is whole only if no error was found.
pub(crate) fn directory(reader: &mut Reader<'_>, root: &Node) -> Option<Directory> {
    let start_of_file = start_of(root);
    let shape = "a directory begins with `directory: NAME`";
    let mut map = reader.map_of(root, start_of_file, "the directory", shape);
    let name = map.required(reader, "directory").and_then(|entry| {
        let text = reader.text(&entry.value, "the directory's name")?;
        let read = valid_name(text);
        reader.checked_name(entry.value.at, text, read)
    });
    if map.is_map() && !map.has("last-resort") {
        let message = "the directory names nobody who has what nobody else takes";
        let label = "add `last-resort: user ID`";
        reader.error_with(Code::NoLastResort, start_of_file, message, label);
    }
    let last_resort = map.optional(reader, "last-resort");
    let people = map.required(reader, "people");
    let groups = map.optional(reader, "groups");
    let calendars = map.optional(reader, "calendars");
    let schedules = map.optional(reader, "schedules");
    let absences = map.optional(reader, "absences");
    map.finish(reader);

    let calendars = calendars.map_or_else(Vec::new, |entry| calendars::calendars(reader, entry));
    let zone = calendars
        .first()
        .map_or(TimeZone::UTC, |calendar| calendar.zone().clone());
    let people = people.map_or_else(People::default, |entry| {
        People::new(people::people(reader, &zone, entry), entry)
    });
    let schedule_names: BTreeSet<Name> = schedules
        .map_or(&[][..], |entry| entry.value.entries())
        .iter()
        .map(|schedule| schedule.key.clone())
        .collect();
    let groups = groups.map_or_else(BTreeMap::new, |entry| {
        groups::groups(reader, &people, &schedule_names, entry)
    });
    let schedules = schedules.map_or_else(Vec::new, |entry| {
        schedules::schedules(reader, &people, &zone, entry)
    });
    let absences = absences.map_or_else(BTreeMap::new, |entry| {
        absences::absences(reader, &people, &zone, entry)
    });
    let last_resort = last_resort.and_then(|entry| one_person(reader, &people, &groups, entry));
    Some(Directory {
        name: name?,
        last_resort: last_resort?,
        people: people.all,
        groups,
        calendars: by_name(calendars, Calendar::name),
        schedules: by_name(schedules, Schedule::name),
        absences,
    })
}

fn by_name<T>(all: Vec<T>, name: impl Fn(&T) -> &Name) -> BTreeMap<Name, T> {
    all.into_iter()
        .map(|one| (name(&one).clone(), one))
        .collect()
}

/// The people, and all ids that were given: one that was read with mistakes is not unknown elsewhere.
#[derive(Default)]
pub(super) struct People {
    pub(super) all: BTreeMap<Name, Person>,
    ids: BTreeSet<Name>,
}

impl People {
    fn new(people: Vec<Person>, entry: &Entry) -> Self {
        let ids = entry.value.entries().iter();
        Self {
            ids: ids.map(|one| one.key.clone()).collect(),
            all: people
                .into_iter()
                .map(|person| (person.id.clone(), person))
                .collect(),
        }
    }

    /// The id of somebody who must exist.
    pub(super) fn one(&self, reader: &mut Reader<'_>, node: &Node) -> Option<Name> {
        let (name, site) = leaf::name(reader, node, "a person's id")?;
        self.known(reader, name, site)
    }

    fn known(&self, reader: &mut Reader<'_>, name: Name, site: Site) -> Option<Name> {
        if self.ids.contains(&name) {
            return Some(name);
        }
        let ids = reader.candidates(self.ids.iter().map(Name::as_str));
        reader.found.unknown_person(site, &name, ids);
        None
    }

    /// One or several who must exist, each once.
    pub(super) fn several(&self, reader: &mut Reader<'_>, entry: &Entry) -> Vec<Name> {
        let mut all: Vec<Name> = Vec::new();
        let mut seen = BTreeSet::new();
        for item in reader.items(entry) {
            let Some(name) = self.one(reader, item) else {
                continue;
            };
            if seen.insert(name.clone()) {
                all.push(name);
            } else {
                let message = format!("`{name}` is in this list twice");
                reader.error(Code::DuplicateName, item.at, message);
            }
        }
        all
    }
}

/// `user U`, `lead of G` or `manager of G`: a phrase that is always one person.
fn one_person(
    reader: &mut Reader<'_>,
    people: &People,
    groups: &BTreeMap<Name, Group>,
    entry: &Entry,
) -> Option<Name> {
    let node = &entry.value;
    let text = reader.text(node, "`last-resort`")?;
    let phrase = match who(text) {
        Ok(phrase) => phrase,
        Err(error) => {
            let found = &mut *reader.found;
            found.bad_phrase(reader.sources, node.at, text, &error);
            return None;
        }
    };
    let who = &phrase.value;
    let simple = who.except.is_empty() && who.skills.is_empty() && who.otherwise.is_none();
    let named = phrase
        .names
        .iter()
        .find(|(_, name)| matches!(name, Reference::Person(_) | Reference::Group(_)));
    let site = named.map_or(node.at, |(range, _)| {
        reader.sources.within(node.at, text, range)
    });
    let (group, word, leader): (_, _, fn(&Group) -> Option<&Name>) = match &who.base {
        Base::User(person) if simple => return people.known(reader, person.clone(), site),
        Base::LeadOf(group) if simple => (group, "lead", |group| group.lead.as_ref()),
        Base::ManagerOf(group) if simple => (group, "manager", |group| group.manager.as_ref()),
        _ => {
            let message = "the last resort must always be one person";
            let label = "write `user ID`, `lead of GROUP` or `manager of GROUP`";
            reader.error_with(Code::BadPhrase, node.at, message, label);
            return None;
        }
    };
    let Some(found) = groups.get(group) else {
        let names = reader.candidates(groups.keys().map(Name::as_str));
        reader.found.unknown_group(site, group, names);
        return None;
    };
    let person = leader(found);
    if person.is_none() {
        let message = format!("the group `{group}` has no {word}");
        reader.error(Code::NoLastResort, site, message);
    }
    person.cloned()
}
