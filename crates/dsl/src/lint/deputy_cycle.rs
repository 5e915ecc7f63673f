//! `deputy-cycle`: people who stand in for each other while all of them are away. From the language's list of
//! checks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use upline_core::directory::MAX_DEPUTY_CHAIN;
use upline_core::{Absence, Directory, Name};

use super::subject::{MAX_ALSO, listed};
use crate::syntax::Node;
use crate::{Code, Diagnostic, Found, Read, Site, Sources};

/// When somebody is away, each instant once, as the core sees it: of absences that overlap the first counts.
type Away<'d> = BTreeMap<&'d Name, Vec<(Timestamp, &'d Absence)>>;

pub(super) fn check(read: &Read<Directory>, sources: &Sources, found: &mut Found) {
    let away = away(&read.value);
    let mut said: BTreeSet<Vec<&Name>> = BTreeSet::new();
    // Where a circle begins to be one, somebody's absence begins.
    for (person, absences) in &away {
        for (begin, _) in absences {
            let Some(mut circle) = circle(&away, person, *begin) else {
                continue;
            };
            let first = circle
                .iter()
                .enumerate()
                .min_by_key(|(_, absence)| &absence.who);
            let first = first.map_or(0, |(index, _)| index);
            circle.rotate_left(first);
            let people: Vec<&Name> = circle.iter().map(|absence| &absence.who).collect();
            if said.insert(people) {
                found.add(|| diagnostic(read, sources, &circle));
            }
        }
    }
}

fn away(directory: &Directory) -> Away<'_> {
    let mut away = Away::new();
    for (person, absences) in &directory.absences {
        let mut free = Timestamp::MIN;
        for absence in absences {
            if absence.to > free {
                let begin = absence.from.max(free);
                away.entry(person).or_default().push((begin, absence));
                free = absence.to;
            }
        }
    }
    away
}

/// The absences that lead from the person back to him at this instant.
fn circle<'d>(away: &Away<'d>, person: &Name, at: Timestamp) -> Option<Vec<&'d Absence>> {
    let mut circle = Vec::new();
    let mut current = person;
    for _ in 0..=MAX_DEPUTY_CHAIN {
        let absences = away.get(current)?;
        let next = absences.partition_point(|(begin, _)| *begin <= at);
        let (_, absence) = absences.get(next.checked_sub(1)?)?;
        if absence.to <= at {
            return None;
        }
        circle.push(*absence);
        current = absence.deputy.as_ref()?;
        if current == person {
            return Some(circle);
        }
    }
    None
}

fn diagnostic(read: &Read<Directory>, sources: &Sources, circle: &[&Absence]) -> Diagnostic {
    let names: Vec<&str> = circle.iter().map(|absence| absence.who.as_str()).collect();
    let message = format!(
        "{} stand in for each other while they are away",
        listed(names.into_iter())
    );
    let sites: Vec<Site> = circle
        .iter()
        .map(|absence| deputy_at(read, sources, absence))
        .collect();
    let mut diagnostic = Diagnostic::new(Code::DeputyCycle, sites[0], message);
    diagnostic.label("so nobody is there for any of them");
    for (site, absence) in sites.iter().zip(circle).skip(1).take(MAX_ALSO) {
        diagnostic.also(*site, format!("who stands in for `{}`", absence.who));
    }
    diagnostic
}

/// Where the deputy of an absence stands. The core's absences are sorted, so it is found by what it says.
fn deputy_at(read: &Read<Directory>, sources: &Sources, absence: &Absence) -> Site {
    let all = read.spans.root().find(&["absences"]);
    let says = |item: &Node, key: &str, name: &str| {
        let text = sources.slice(item.find(&[key]).at);
        text.trim_matches(['"', '\'']) == name
    };
    let deputy = absence.deputy.as_deref().unwrap_or_default();
    let same = |item: &&Node| says(item, "who", &absence.who) && says(item, "deputy", deputy);
    let begins = |item: &&Node| {
        let text = sources
            .slice(item.find(&["from"]).at)
            .trim_matches(['"', '\'']);
        let date: Option<Date> = text.get(..10).and_then(|date| date.parse().ok());
        // Zones move a date by a day at most.
        let begin = absence.from.to_zoned(TimeZone::UTC).date();
        date.is_some_and(|date| date.duration_until(begin).as_hours().abs() <= 24)
    };
    let mut items = all.items().iter().filter(same);
    let item = items.clone().find(begins).or_else(|| items.next());
    item.unwrap_or(all).find(&["deputy"]).at
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check_directory, fine_directory};

    const PEOPLE: &str = "
people:
  ann: { mail: ann@example.com }
  bob: { mail: bob@example.com }
  cem: { mail: cem@example.com }
  max: { mail: max@example.com }
";

    #[test]
    fn circles_of_two_and_of_three() {
        check_directory(
            &format!(
                "{PEOPLE}
absences:
  - {{ who: ann, from: 2026-01-01, to: 2026-01-09, deputy: bob }}
  - {{ who: ann, from: 2026-08-01, to: 2026-08-21, deputy: bob }}
  - {{ who: bob, from: 2026-08-10, to: 2026-08-14, deputy: ann }}
  - {{ who: bob, from: 2026-08-15, to: 2026-08-19, deputy: cem }}
  - {{ who: cem, from: 2026-08-16, to: 2026-08-30, deputy: ann }}
"
            ),
            &[
                "deputy-cycle `bob` `ann` and `bob` stand in for each other while they are away + `ann`",
                "deputy-cycle `bob` `ann`, `bob` and `cem` stand in for each other while they are away \
                 + `cem` + `ann`",
            ],
        );
    }

    #[test]
    fn one_after_the_other_is_fine() {
        fine_directory(&format!(
            "{PEOPLE}
absences:
  - {{ who: ann, from: 2026-08-01, to: 2026-08-09, deputy: bob }}
  - {{ who: bob, from: 2026-08-10, to: 2026-08-14, deputy: ann }}
  - {{ who: cem, from: 2026-08-01, to: 2026-08-30, deputy: ann }}
  - {{ who: max, from: 2026-08-01, to: 2026-08-30 }}
"
        ));
    }
}
