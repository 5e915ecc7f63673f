//! `groups:`

use std::collections::{BTreeMap, BTreeSet};

use upline_core::{Group, Name};

use super::directory::People;
use super::leaf;
use crate::reader::Reader;
use crate::syntax::Entry;

const SHAPE: &str = "`NAME: { members: [ann, bob], lead: lea, manager: max }`";

/// The groups by name.
pub(super) fn groups(
    reader: &mut Reader<'_>,
    people: &People,
    schedules: &BTreeSet<Name>,
    entry: &Entry,
) -> BTreeMap<Name, Group> {
    let mut all = BTreeMap::new();
    for one in reader.named(entry, "`groups`", SHAPE) {
        let id = reader.key_name(one);
        let mut map = reader.map(one, "a group", SHAPE);
        let members = map.required(reader, "members");
        let lead = map.optional(reader, "lead");
        let manager = map.optional(reader, "manager");
        let schedule = map.optional(reader, "schedule");
        map.finish(reader);
        let group = Group {
            id: id.clone().unwrap_or_default(),
            members: members.map_or_else(Vec::new, |entry| people.several(reader, entry)),
            lead: lead.and_then(|entry| people.one(reader, &entry.value)),
            manager: manager.and_then(|entry| people.one(reader, &entry.value)),
            schedule: schedule.and_then(|entry| {
                let (name, site) = leaf::name(reader, &entry.value, "a schedule's name")?;
                if schedules.contains(&name) {
                    return Some(name);
                }
                let names = reader.candidates(schedules.iter().map(Name::as_str));
                reader.found.unknown_schedule(site, &name, names);
                None
            }),
        };
        if let Some(id) = id {
            all.insert(id, group);
        }
    }
    all
}
