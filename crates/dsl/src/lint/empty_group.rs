//! `empty-group`: a phrase asks a group for people whom it does not have. From the language's list of
//! checks. A warning where an offer has neither a lead nor a manager to be answerable meanwhile.

use upline_core::{Base, Group};

use super::phrases::{Asked, Role, alternatives};
use super::subject::Subject;
use crate::{Code, Diagnostic, Found, Severity};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let Some(directory) = at.directory else {
        return;
    };
    for asked in &at.phrases {
        for who in alternatives(asked.who) {
            let group = who.base.group().and_then(|name| directory.groups.get(name));
            let Some((group, (what, severity))) =
                group.and_then(|group| Some((group, missing(asked, &who.base, group)?)))
            else {
                continue;
            };
            found.add(|| {
                let site = at.word_at(at.phrase_at(asked), &group.id);
                let message = format!("the group `{}` has no {what}", group.id);
                let mut diagnostic = Diagnostic::new(Code::EmptyGroup, site, message);
                diagnostic.severity = severity;
                diagnostic.label(match severity {
                    Severity::Error => "so this leads to nobody",
                    Severity::Warning => "until somebody claims it, the last resort is answerable",
                });
                if let Some(read) = &at.loaded.directory {
                    diagnostic.also(read.spans.group(&group.id), "the group");
                }
                diagnostic
            });
        }
    }
}

fn missing(asked: &Asked<'_>, base: &Base, group: &Group) -> Option<(&'static str, Severity)> {
    match base {
        Base::LeadOf(_) => group.lead.is_none().then_some(("lead", Severity::Error)),
        Base::ManagerOf(_) => group
            .manager
            .is_none()
            .then_some(("manager", Severity::Error)),
        _ if group.members.is_empty() => Some(("members", Severity::Error)),
        Base::AnyoneIn(_) => {
            let offer = matches!(asked.role, Role::Assign(_) | Role::Level(..));
            let alone = group.lead.is_none() && group.manager.is_none();
            (offer && alone).then_some(("lead", Severity::Warning))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, states};

    const DIRECTORY: &str = "
directory: acme
last-resort: user max
people:
  ann: { mail: ann@example.com }
  max: { mail: max@example.com }
groups:
  desk: { members: [ann], lead: max, manager: max }
  nobody: { members: [], lead: max }
  alone: { members: [ann] }
";

    fn one(phrase: &str, wrong: &[&str]) {
        let workflow = states(
            "fault",
            &format!(
                "
  new:
    assign: {phrase}
    escalate: climb
    actions: {{ go: {{ goto: done, by: [anyone in alone, opener] }} }}
  done: {{ end: done, notify: manager of desk }}
"
            ),
        );
        check_files(&[&workflow, DIRECTORY], wrong);
    }

    #[test]
    fn groups_without_the_people_that_are_asked() {
        one(
            "next in nobody",
            &["empty-group `nobody` the group `nobody` has no members + `nobody`"],
        );
        one(
            "\"lead of desk, else manager of nobody\"",
            &["empty-group `nobody` the group `nobody` has no manager + `nobody`"],
        );
        one(
            "lead of alone",
            &["empty-group `alone` the group `alone` has no lead + `alone`"],
        );
        one(
            "anyone in alone",
            &["empty-group `alone` the group `alone` has no lead + `alone`"],
        );
        one("next in alone", &[]);
        one("anyone in desk", &[]);
    }
}
