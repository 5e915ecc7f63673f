//! `hopeless-ladder`: a phrase that can never lead to anybody, because those whom it asks are all excluded (four
//! eyes), away, without a channel or without a skill. From the language's list of checks.

use std::collections::BTreeSet;

use upline_core::workflow::Work;
use upline_core::{Base, Name, Who};

use super::graph::work;
use super::phrases::{Asked, Role, alternatives};
use super::subject::{Subject, listed};
use super::team::{Team, Teams};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let Some(directory) = at.directory else {
        return;
    };
    let teams = Teams::new(directory, at.from);
    let mut fine: BTreeSet<String> = BTreeSet::new();
    for asked in at
        .phrases
        .iter()
        .filter(|asked| asked.assigns() && !is_simple(asked.who))
    {
        let text = asked.who.to_string();
        if fine.contains(&text) {
            continue;
        }
        let Some(why) = hopeless(at, &teams, asked) else {
            fine.insert(text);
            continue;
        };
        found.add(|| {
            let message = match asked.role {
                Role::Level(ladder, level) => {
                    format!("level {} of `{ladder}` can never find anybody", level + 1)
                }
                _ => "this can never find anybody".to_owned(),
            };
            let site = at.phrase_at(asked);
            let mut diagnostic = Diagnostic::new(Code::HopelessLadder, site, message);
            diagnostic.label(why);
            diagnostic
        });
    }
}

/// Whether nothing but an empty group could leave nobody, which another rule says.
fn is_simple(who: &Who) -> bool {
    matches!(who.base, Base::Assignee | Base::Opener | Base::WhoDid(_)) && who.except.is_empty()
}

/// Why the phrase never leads to anybody; `None` if it can, or if its group is empty to begin with.
fn hopeless(at: &Subject<'_>, teams: &Teams<'_>, asked: &Asked<'_>) -> Option<String> {
    let mut why = Vec::new();
    for who in alternatives(asked.who) {
        let Team::These(people) = teams.of(&who.base) else {
            return None;
        };
        let mut left = people
            .iter()
            .filter_map(|person| teams.stands_for(who, person));
        let Some(first) = left.next() else {
            if people.is_empty() {
                return None;
            }
            why.extend(people.into_iter().map(|person| {
                let reason = teams.never(who, person).unwrap_or("away all year");
                (person, reason)
            }));
            continue;
        };
        // Four eyes among one pair.
        let alone = left.all(|other| other == first);
        let doer = alone.then(|| sole_doer(at, teams, who)).flatten();
        if doer == Some(first) {
            why.push((first, "excluded, for nobody else does it"));
            continue;
        }
        return None;
    }
    Some(reasons(&why))
}

/// The only person whom the states ask that have the action which a phrase's `except` is about.
fn sole_doer<'d>(at: &Subject<'d>, teams: &Teams<'d>, who: &Who) -> Option<&'d Name> {
    let actions = who.except.iter().filter_map(|base| match base {
        Base::WhoDid(action) => Some(action),
        _ => None,
    });
    let action = actions.into_iter().next()?;
    let mut only = None;
    for state in &at.graph.states {
        let Some(work) = work(state).filter(|work| work.action(action).is_some()) else {
            continue;
        };
        for person in doers(teams, work, action)? {
            if *only.get_or_insert(person) != person {
                return None;
            }
        }
    }
    only
}

/// Those who are to take the action in the state; `None` if that may be anybody.
fn doers<'d>(teams: &Teams<'d>, work: &'d Work, action: &str) -> Option<Vec<&'d Name>> {
    let by = work.action(action).map_or(&[][..], |action| &action.by);
    let assigned = work.assign.iter().map(|assign| &assign.who);
    let phrases: Vec<&Who> = match by {
        [] => assigned.collect(),
        by => by.iter().collect(),
    };
    let mut all = Vec::new();
    for who in phrases.iter().flat_map(|who| alternatives(who)) {
        match teams.of(&who.base) {
            Team::Anybody => return None,
            Team::These(people) => {
                all.extend(
                    people
                        .into_iter()
                        .filter_map(|one| teams.stands_for(who, one)),
                );
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

fn reasons(why: &[(&Name, &'static str)]) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for (_, reason) in why {
        if !kinds.contains(reason) {
            kinds.push(reason);
        }
    }
    let parts = kinds.iter().map(|kind| {
        let people = why.iter().filter(|(_, reason)| reason == kind);
        let people: Vec<&str> = people.map(|(person, _)| person.as_str()).collect();
        format!("{kind}: {}", listed(people.into_iter()))
    });
    parts.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_files, states};

    const DIRECTORY: &str = "
directory: acme
last-resort: user max
people:
  ann: { mail: ann@example.com, skills: [billing] }
  bob: { mail: bob@example.com }
  cem: { mail: cem@example.com }
  lea: { mail: lea@example.com, skills: [tax] }
  max: { mail: max@example.com }
groups:
  desk: { members: [ann, bob], lead: lea, manager: max }
  pair: { members: [ann], lead: lea, manager: max }
  away: { members: [cem], lead: lea, manager: max }
  off-shift: { members: [ann, bob], lead: lea, schedule: duty }
schedules:
  duty: { time-zone: UTC, rotation: { every: 1 week, from: 2026-03-02 08:00, members: [lea, max] } }
absences:
  - { who: cem, from: 2026-01-01, to: 2028-12-31 }
  - { who: max, from: 2026-08-01, to: 2026-08-20 }
";

    fn find(first: &str, phrase: &str, expected: &[&str]) {
        let workflow = format!(
            "
  new: {{ assign: {first}, escalate: climb, actions: {{ ask: sign }} }}
  sign: {{ assign: {phrase}, escalate: climb, actions: {{ go: done }} }}
  done: {{ end: done }}
"
        );
        check_files(&[&states("fault", &workflow), DIRECTORY], expected);
    }

    #[test]
    fn nobody_is_left() {
        for (first, phrase, why) in [
            (
                "next in desk",
                "another in desk with skill tax",
                "without the skill: `ann` and `bob`",
            ),
            (
                "next in desk",
                "user ann except user ann",
                "excluded: `ann`",
            ),
            (
                "next in desk",
                "another in desk except anyone in desk",
                "excluded: `ann` and `bob`",
            ),
            ("next in desk", "next in away", "away all year: `cem`"),
            (
                "next in desk",
                "\"lead of desk with skill billing, else user ann with skill tax\"",
                "without the skill: `lea` and `ann`",
            ),
            (
                "user ann",
                "next in pair except who did ask",
                "excluded, for nobody else does it: `ann`",
            ),
        ] {
            let wrong = format!("hopeless-ladder `{phrase}` this can never find anybody ({why})");
            find(first, phrase, &[&wrong]);
        }
    }

    #[test]
    fn somebody_is_left() {
        for phrase in [
            "another in desk except user ann",
            "next in pair except who did ask",
            "lead of desk except who did ask",
            "\"another in desk with skill tax, else lead of desk\"",
            "another in desk with skill billing",
            "on call for duty except user lea",
            "manager of desk",
            "assignee except user ann",
        ] {
            find("next in desk", phrase, &[]);
        }
    }
}
