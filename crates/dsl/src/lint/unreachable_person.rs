//! `unreachable-person`: somebody whom a rule can ask has no channel. From the language's list of checks.
//!
//! A rule can ask whoever is in a group, leads or manages one, has turns in a schedule, stands in for
//! somebody, is the last resort, or is named in a phrase.

use std::collections::BTreeMap;

use upline_core::{Base, Directory, Name, Workflow};

use super::phrases::{bases, phrases};
use super::team::people_of;
use crate::{Code, Diagnostic, Found, Read};

pub(super) fn check(read: &Read<Directory>, workflows: &[Read<Workflow>], found: &mut Found) {
    let directory = &read.value;
    let silent = |person: &Name| {
        let person = directory.people.get(person);
        person.is_some_and(|person| person.channels.is_empty())
    };
    let mut why: BTreeMap<&Name, String> = BTreeMap::new();
    let mut note = |person: Option<&'_ Name>, reason: &dyn Fn() -> String| {
        if let Some((id, _)) = person
            .filter(|person| silent(person))
            .and_then(|person| directory.people.get_key_value(person))
        {
            why.entry(id).or_insert_with(reason);
        }
    };
    note(Some(&directory.last_resort), &|| {
        "is the last resort".into()
    });
    for group in directory.groups.values() {
        note(group.lead.as_ref(), &|| format!("leads `{}`", group.id));
        note(group.manager.as_ref(), &|| {
            format!("manages `{}`", group.id)
        });
        for member in &group.members {
            note(Some(member), &|| format!("is in `{}`", group.id));
        }
    }
    for (name, schedule) in &directory.schedules {
        for person in people_of(schedule) {
            note(Some(person), &|| format!("has turns in `{name}`"));
        }
    }
    for absence in directory.absences.values().flatten() {
        note(absence.deputy.as_ref(), &|| {
            format!("stands in for `{}`", absence.who)
        });
    }
    for workflow in workflows {
        for asked in phrases(&workflow.value) {
            for base in bases(asked.who) {
                if let Base::User(person) = base {
                    note(Some(person), &|| {
                        format!("is named in `{}`", workflow.value.name)
                    });
                }
            }
        }
    }
    for (person, reason) in why {
        found.add(|| {
            let message = format!("nothing can be sent to `{person}`");
            let site = read.spans.person(person);
            let mut diagnostic = Diagnostic::new(Code::UnreachablePerson, site, message);
            diagnostic.label(format!("add a `mail`: this person {reason}"));
            diagnostic
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_directory, fine_directory};

    #[test]
    fn whoever_can_be_asked_must_be_told() {
        check_directory(
            "
people:
  ann: { name: Ann }
  bob: { name: Bob }
  cem: { name: Cem }
  lea: { name: Lea }
  ida: { name: Ida }
  max: { mail: max@example.com }
groups:
  desk: { members: [ann, max], lead: lea, manager: max }
schedules:
  duty: { time-zone: UTC, rotation: { every: 1 week, from: 2026-03-02 08:00, members: [bob, max] } }
absences:
  - { who: max, from: 2026-08-01, to: 2026-08-21, deputy: cem }
",
            &[
                "unreachable-person `ann` nothing can be sent to `ann`",
                "unreachable-person `bob` nothing can be sent to `bob`",
                "unreachable-person `cem` nothing can be sent to `cem`",
                "unreachable-person `lea` nothing can be sent to `lea`",
            ],
        );
    }

    #[test]
    fn a_webhook_is_enough_and_who_is_never_asked_needs_none() {
        fine_directory(
            "
people:
  tom: { name: Tom }
  max: { notify: [{ webhook: phone }] }
groups:
  desk: { members: [max], lead: max, manager: max }
",
        );
    }
}
