//! What names can refer to.

use std::collections::{BTreeMap, BTreeSet};

use upline_core::{Directory, Field, Name};

use crate::reader::Reader;
use crate::{Reference, Site};

/// All that the parts of a workflow may refer to.
pub(crate) struct Scope<'a> {
    /// The people, if they are known.
    pub(crate) directory: Option<&'a Directory>,
    /// Skills that somebody has.
    pub(crate) skills: BTreeSet<Name>,
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
    pub(crate) fn new(directory: Option<&'a Directory>) -> Self {
        let people = directory.map(|directory| directory.people.values());
        let skills = people.into_iter().flatten();
        Self {
            directory,
            skills: skills
                .flat_map(|person| person.skills.iter().cloned())
                .collect(),
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
            Reference::Person(name) => self.check_person(reader, site, name),
            Reference::Group(name) => self.check_group(reader, site, name),
            Reference::Schedule(name) => self.check_schedule(reader, site, name),
            Reference::Calendar(name) => self.check_calendar(reader, site, name),
            Reference::Skill(name) => {
                if self.directory.is_some() && !self.skills.contains(name) {
                    let names = reader.candidates(self.skills.iter().map(Name::as_str));
                    reader.found.unknown_skill(site, name, names);
                }
            }
        }
    }

    fn check_person(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if let Some(directory) = self.directory
            && !directory.people.contains_key(name)
        {
            let names = reader.candidates(directory.people.keys().map(Name::as_str));
            reader.found.unknown_person(site, name, names);
        }
    }

    fn check_group(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if let Some(directory) = self.directory
            && !directory.groups.contains_key(name)
        {
            let names = reader.candidates(directory.groups.keys().map(Name::as_str));
            reader.found.unknown_group(site, name, names);
        }
    }

    fn check_schedule(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if let Some(directory) = self.directory
            && !directory.schedules.contains_key(name)
        {
            let names = reader.candidates(directory.schedules.keys().map(Name::as_str));
            reader.found.unknown_schedule(site, name, names);
        }
    }

    pub(crate) fn check_calendar(&self, reader: &mut Reader<'_>, site: Site, name: &Name) {
        if let Some(directory) = self.directory
            && !directory.calendars.contains_key(name)
        {
            let names = reader.candidates(directory.calendars.keys().map(Name::as_str));
            reader.found.unknown_calendar(site, name, names);
        }
    }
}
