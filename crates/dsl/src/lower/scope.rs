//! What names can refer to.

use std::collections::{BTreeMap, BTreeSet};

use upline_core::{Directory, Field, Name};

use crate::syntax::{Kind, Node};

use crate::names::normal;
use crate::reader::Reader;
use crate::{Code, Reference, Site};

/// The names of a directory that a workflow may use.
#[derive(Debug, Default)]
pub(crate) struct Known {
    people: BTreeSet<Name>,
    groups: BTreeSet<Name>,
    schedules: BTreeSet<Name>,
    calendars: BTreeSet<Name>,
    /// Skills that somebody has.
    skills: BTreeSet<Name>,
}

impl Known {
    /// The names of a directory.
    pub(crate) fn of(directory: &Directory) -> Self {
        let people = directory.people.values();
        Self {
            people: directory.people.keys().cloned().collect(),
            groups: directory.groups.keys().cloned().collect(),
            schedules: directory.schedules.keys().cloned().collect(),
            calendars: directory.calendars.keys().cloned().collect(),
            skills: people
                .flat_map(|person| person.skills.iter().cloned())
                .collect(),
        }
    }

    /// The names of a directory that has mistakes: they are to be told with those of the workflows.
    pub(crate) fn of_tree(root: &Node) -> Self {
        let keys = |key: &str| -> BTreeSet<Name> {
            let entry = root.get(key);
            let entries = entry.map_or(&[][..], |entry| entry.value.entries());
            entries.iter().map(|entry| entry.key.clone()).collect()
        };
        let people = root.get("people");
        let mut skills = BTreeSet::new();
        for person in people.map_or(&[][..], |entry| entry.value.entries()) {
            let items = match person.value.get("skills").map(|entry| &entry.value) {
                Some(Node {
                    kind: Kind::List(items),
                    ..
                }) => items,
                Some(one) => std::slice::from_ref(one),
                None => &[],
            };
            skills.extend(items.iter().filter_map(|item| match &item.kind {
                Kind::Text { text, .. } => Some(normal(text)),
                _ => None,
            }));
        }
        Self {
            people: keys("people"),
            groups: keys("groups"),
            schedules: keys("schedules"),
            calendars: keys("calendars"),
            skills,
        }
    }
}

/// All that the parts of a workflow may refer to.
pub(crate) struct Scope<'a> {
    /// The names of the directory, if there is one.
    known: Option<&'a Known>,
    pub(crate) fields: BTreeMap<Name, Field>,
    pub(crate) ladders: BTreeSet<Name>,
    /// The ticket's own states.
    pub(crate) states: BTreeSet<Name>,
    /// Those and all of the branches.
    pub(crate) all_states: BTreeSet<Name>,
    /// The actions of all states.
    pub(crate) actions: BTreeSet<Name>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(known: Option<&'a Known>) -> Self {
        Self {
            known,
            fields: BTreeMap::new(),
            ladders: BTreeSet::new(),
            states: BTreeSet::new(),
            all_states: BTreeSet::new(),
            actions: BTreeSet::new(),
        }
    }

    /// Reports a name of a phrase that nothing has. Without a directory its names can't be checked.
    pub(crate) fn check(&self, reader: &mut Reader<'_>, site: Site, reference: &Reference) {
        match reference {
            Reference::Field(name) if !self.fields.contains_key(name) => {
                let names = reader.candidates(self.fields.keys().map(Name::as_str));
                reader.found.unknown_field(site, name, names);
            }
            Reference::Action(name) if !self.actions.contains(name) => {
                let names = reader.candidates(self.actions.iter().map(Name::as_str));
                reader.found.unknown_action(site, name, names);
            }
            Reference::Field(_) | Reference::Action(_) => (),
            Reference::Calendar(name) => self.check_calendar(reader, site, name),
            Reference::Person(name) => {
                if let Some(names) = self.missing(reader, name, |known| &known.people) {
                    reader.found.unknown_person(site, name, names);
                }
            }
            Reference::Group(name) => {
                if let Some(names) = self.missing(reader, name, |known| &known.groups) {
                    reader.found.unknown_group(site, name, names);
                }
            }
            Reference::Schedule(name) => {
                if let Some(names) = self.missing(reader, name, |known| &known.schedules) {
                    reader.found.unknown_schedule(site, name, names);
                }
            }
            Reference::Skill(name) => {
                if let Some(names) = self.missing(reader, name, |known| &known.skills) {
                    reader.found.unknown_skill(site, name, names);
                }
            }
        }
    }

    /// Reports a bare word of a *who* phrase that is no field: most often it is somebody, or a group.
    pub(crate) fn check_somebody(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if self.fields.contains_key(name) {
            return;
        }
        let in_directory = |of: fn(&Known) -> &BTreeSet<Name>| {
            self.known.is_some_and(|known| of(known).contains(name))
        };
        let label = match name.as_str() {
            "lead" | "manager" => format!("write `{name} of GROUP`"),
            _ if in_directory(|known| &known.people) => format!("write `user {name}`"),
            _ if in_directory(|known| &known.groups) => {
                format!("write `least busy in {name}`, `anyone in {name}` or `lead of {name}`")
            }
            _ if in_directory(|known| &known.schedules) => format!("write `on call for {name}`"),
            _ if self.actions.contains(name) => format!("write `who did {name}`"),
            _ => return self.check(reader, site, &Reference::Field(name.clone())),
        };
        let message = format!("`{name}` alone would be a field, and there is none of that name");
        reader.error_with(Code::UnknownField, site, message, label);
    }

    pub(crate) fn check_calendar(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if let Some(names) = self.missing(reader, name, |known| &known.calendars) {
            reader.found.unknown_calendar(site, name, names);
        }
    }

    /// The names there are, if the directory is known and does not have this one.
    fn missing(
        &self,
        reader: &mut Reader<'_>,
        name: &Name,
        of: fn(&Known) -> &BTreeSet<Name>,
    ) -> Option<Vec<&'a str>> {
        let names = of(self.known?);
        if names.contains(name) {
            return None;
        }
        Some(reader.candidates(names.iter().map(Name::as_str)))
    }
}
