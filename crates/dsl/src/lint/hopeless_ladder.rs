//! `hopeless-ladder`: a phrase that can never lead to anybody, because those whom it asks are all excluded
//! (four eyes), away, without a channel or without a skill. From the language's list of checks.
//!
//! The proof finds them; only four eyes among one pair is looked at here: `except who did ACTION`, where the
//! only one who is left is the only one who is to take the action.

use std::collections::BTreeSet;

use upline_core::proof::{Gap, GapWhy};
use upline_core::workflow::Work;
use upline_core::{Base, Name, Who};

use super::graph::work;
use super::phrases::{Asked, alternatives};
use super::subject::{MAX_ALSO, Subject};
use super::team::{Team, Teams};
use crate::{Code, Diagnostic, Found, Site};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let Some((directory, proof)) = at.directory.zip(at.proof) else {
        return;
    };
    for gap in proof.gaps.iter().filter(|gap| gap.always) {
        if let Some(why) = why(at, gap) {
            let mut sites = gap.asked.iter().map(|asked| at.asked_at(asked));
            let site = sites.next().unwrap_or_else(|| at.key_at("workflow"));
            found.add(|| diagnostic(site, sites, why));
        }
    }
    let four_eyes = |asked: &&Asked<'_>| asked.assigns() && watched(asked.who).next().is_some();
    let mut phrases = at.phrases.iter().filter(four_eyes).peekable();
    if phrases.peek().is_none() {
        return;
    }
    let teams = Teams::new(directory, at.from);
    let mut seen = BTreeSet::new();
    for asked in phrases {
        if seen.insert(asked.who.to_string())
            && alternatives(asked.who).all(|who| alone(at, &teams, who))
        {
            let why = "the only one who is left is the only one who is to do that";
            found.add(|| diagnostic(at.phrase_at(asked), std::iter::empty(), why));
        }
    }
}

fn diagnostic(site: Site, others: impl Iterator<Item = Site>, why: &str) -> Diagnostic {
    let message = "this can never find anybody";
    let mut diagnostic = Diagnostic::new(Code::HopelessLadder, site, message);
    diagnostic.label(why);
    for site in others.take(MAX_ALSO) {
        diagnostic.also(site, "asked here too");
    }
    diagnostic
}

/// What leaves nobody; `None` if another rule says it.
fn why(at: &Subject<'_>, gap: &Gap) -> Option<&'static str> {
    match gap.why {
        GapWhy::Skills => Some("none of them has the skill"),
        GapWhy::Excluded => Some("`except` leaves none of them"),
        GapWhy::Unreachable => Some("none of them can be told: they have no channel"),
        GapWhy::Away => Some("none of them is ever on shift and present"),
        GapWhy::Nobody => {
            let mut phrases = at.phrases.iter().filter(|asked| asked.assigns());
            let phrase = phrases.find(|asked| asked.who.to_string() == *gap.who)?;
            let of_group = alternatives(phrase.who).any(|who| who.base.group().is_some());
            (!of_group).then_some("there is nobody whom it could mean")
        }
    }
}

/// The actions whose doers a phrase leaves out.
fn watched(who: &Who) -> impl Iterator<Item = &Name> {
    let except = alternatives(who).flat_map(|who| &who.except);
    except.filter_map(|base| match base {
        Base::WhoDid(action) => Some(action),
        _ => None,
    })
}

/// Whether the phrase leaves one person only, and leaves him out.
fn alone(at: &Subject<'_>, teams: &Teams<'_>, who: &Who) -> bool {
    let Team::These(people) = teams.of(&who.base) else {
        return false;
    };
    let people = people.iter();
    let mut left = people.filter_map(|person| teams.stands_for(who, person));
    let Some(first) = left.next() else {
        return false;
    };
    let excluded = who.except.iter().any(|base| match base {
        Base::WhoDid(action) => sole_doer(at, teams, action) == Some(first),
        _ => false,
    });
    excluded && left.all(|other| other == first)
}

/// The only person whom the states with the action ask.
fn sole_doer<'d>(at: &Subject<'d>, teams: &Teams<'d>, action: &str) -> Option<&'d Name> {
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
        let skill = "none of them has the skill";
        let except = "`except` leaves none of them";
        for (first, phrase, why) in [
            ("next in desk", "another in desk with skill tax", skill),
            ("next in desk", "user ann except user ann", except),
            (
                "next in desk",
                "another in desk except anyone in desk",
                except,
            ),
            (
                "next in desk",
                "next in away",
                "none of them is ever on shift and present",
            ),
            (
                "next in desk",
                "next in off-shift",
                "none of them is ever on shift and present",
            ),
            (
                "next in desk",
                "\"lead of desk with skill billing, else user ann with skill tax\"",
                skill,
            ),
            (
                "user ann",
                "next in pair except who did ask",
                "the only one who is left is the only one who is to do that",
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
            "manager of desk",
            "assignee except user ann",
        ] {
            find("next in desk", phrase, &[]);
        }
    }
}
