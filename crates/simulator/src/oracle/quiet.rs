//! The rule on quiet hours: each message to a person goes by a way that is for its moment, and whoever is
//! asked is told at once by the ways that he has for it. Read from the directory's text as the generator
//! writes it, a line for each person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use upline_core::{Event, Fact, Holder, Notice, Recipient, Topic};

use super::fold::Wrong;
use crate::counters::Counters;

/// The zone of the generator's first calendar: nobody names his own.
const ZONE: &str = "Europe/Berlin";

/// How people are told.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways(BTreeMap<String, Person>);

#[derive(Debug, Clone, Default)]
struct Person {
    /// From and to, on the clock of [`ZONE`].
    quiet: Option<(Time, Time)>,
    ways: Vec<Way>,
}

#[derive(Debug, Clone)]
struct Way {
    via: String,
    /// Minutes.
    after: u32,
    /// Whether it is for quiet hours, or for all others.
    quiet: Option<bool>,
}

impl Ways {
    /// Those of a directory's text.
    pub(super) fn of(text: &str) -> Self {
        let after = text
            .split_once("\npeople:\n")
            .map_or("", |(_, after)| after);
        let lines = after.lines().take_while(|line| line.starts_with("  "));
        let people = lines.filter_map(|line| {
            let (name, rest) = line.trim().split_once(':')?;
            Some((name.to_owned(), Person::of(rest)))
        });
        Self(people.collect())
    }

    /// Whether the messages of an event go as they must.
    pub(super) fn fit(&self, event: &Event, counters: &mut Counters) -> Result<(), Wrong> {
        for notice in event.fact.notices() {
            let Recipient::Person(to) = &notice.to else {
                continue;
            };
            let Some(person) = self.0.get(to.as_str()) else {
                continue;
            };
            let quiet = person.is_quiet(event.at);
            let fits =
                |way: &&Way| notice.via == *way.via && way.quiet.is_none_or(|is| is == quiet);
            let Some(way) = person.ways.iter().find(fits) else {
                return Err(format!("{to} is told by {} at {}", notice.via, event.at));
            };
            if way.quiet == Some(true) {
                counters.add("quiet_hours_told");
            }
        }
        match &event.fact {
            Fact::Hopped(hop) => self.asked(&hop.holder, &hop.notices, event.at),
            _ => Ok(()),
        }
    }

    /// Whoever is asked, and not by his own doing, is told by what begins at once, or by the next way.
    fn asked(&self, holder: &Holder, notices: &[Notice], at: Timestamp) -> Result<(), Wrong> {
        let Holder::Assignee(to) = holder else {
            return Ok(());
        };
        let Some(person) = self.0.get(to.as_str()) else {
            return Ok(());
        };
        let told = notices.iter().filter(|notice| {
            notice.topic == Topic::Assigned && notice.to == Recipient::Person(to.clone())
        });
        let told: Vec<&str> = told.map(|notice| notice.via.as_str()).collect();
        let expected = person.at_once(at);
        match told.is_empty() || told == expected {
            true => Ok(()),
            false => Err(format!(
                "{to} is told by {told:?} at {at}, and not by {expected:?}"
            )),
        }
    }
}

impl Person {
    fn of(line: &str) -> Self {
        let quiet = line.split_once("quiet-hours: \"").and_then(|(_, rest)| {
            let (from, rest) = rest.split_once('-')?;
            let (to, _) = rest.split_once('"')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        });
        let list = line
            .split_once("notify: [")
            .map_or("{ mail: now }", |(_, list)| list);
        let list = list.split(']').next().unwrap_or_default();
        let items = list.split('}').filter(|item| item.contains('{'));
        Self {
            quiet,
            ways: items.map(Way::of).collect(),
        }
    }

    fn is_quiet(&self, at: Timestamp) -> bool {
        let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
        let now = zone.to_datetime(at).time();
        self.quiet.is_some_and(|(from, to)| match from < to {
            true => from <= now && now < to,
            false => from <= now || now < to,
        })
    }

    fn at_once(&self, at: Timestamp) -> Vec<&str> {
        let quiet = self.is_quiet(at);
        let for_now = || {
            let all = self.ways.iter();
            all.filter(|way| way.quiet.is_none_or(|is| is == quiet))
        };
        let now = |way: &&Way| way.after == 0;
        let at_once: Vec<&str> = for_now().filter(now).map(|way| way.via.as_str()).collect();
        if !at_once.is_empty() || !self.ways.iter().any(|way| way.after == 0) {
            return at_once;
        }
        let next = for_now().min_by_key(|way| way.after);
        next.map(|way| way.via.as_str()).into_iter().collect()
    }
}

impl Way {
    fn of(item: &str) -> Self {
        let after = |key: &str| {
            let (_, rest) = item.split_once(key)?;
            let mut words = rest.trim_start().split([' ', ',']);
            let count: u32 = words.next()?.parse().ok()?;
            Some(if words.next()? == "h" {
                count * 60
            } else {
                count
            })
        };
        let via = item.split_once("webhook: ").map(|(_, rest)| {
            let name = rest.split([' ', ',']).next().unwrap_or_default();
            format!("webhook:{name}")
        });
        let quiet = match (item.contains("quiet: skip"), item.contains("quiet: only")) {
            (true, _) => Some(false),
            (_, true) => Some(true),
            _ => None,
        };
        Self {
            via: via.unwrap_or_else(|| "mail".to_owned()),
            after: after("after:").or_else(|| after("mail:")).unwrap_or(0),
            quiet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_not_for_the_moment_is_found() {
        let text = "directory: acme\npeople:\n  ann: { mail: ann@example.com, quiet-hours: \"22:00-07:00\", \
                    notify: [{ mail: now, quiet: skip }, { webhook: phone, after: 5 min, quiet: only }] }\n";
        let ways = Ways::of(text);
        let told = |via: &str, at: &str| {
            let notice = Notice {
                id: 1,
                to: Recipient::Person("ann".into()),
                via: via.into(),
                topic: Topic::Assigned,
            };
            let at: Timestamp = at.parse().unwrap();
            let holder = Holder::Assignee("ann".into());
            let asked = ways.asked(&holder, std::slice::from_ref(&notice), at);
            let fact = Fact::Notified {
                branch: "".into(),
                notices: vec![notice],
                clock: None,
            };
            let fits = ways.fit(&Event { at, fact }, &mut Counters::default());
            assert_eq!(fits.is_ok(), asked.is_ok(), "{fits:?} {asked:?}");
            fits.is_ok()
        };
        // In Berlin it is 22:00 and 07:00.
        assert!(told("mail", "2026-03-06T20:59:59Z"));
        assert!(!told("webhook:phone", "2026-03-06T20:59:59Z"));
        assert!(told("webhook:phone", "2026-03-06T21:00:00Z"));
        assert!(!told("mail", "2026-03-07T05:59:59Z"));
        assert!(told("mail", "2026-03-07T06:00:00Z"));
        assert!(!told("webhook:chat", "2026-03-07T06:00:00Z"));
    }
}
