//! Where in a calendar a mistake stands that only the whole of it shows.

use jiff::civil::Date;
use jiff::civil::Weekday;
use upline_core::calendar::{CalendarError, Opening};

use super::moments::{parse_date, parse_days, parse_opening};
use crate::Site;
use crate::syntax::{Entry, Kind, Node};

/// The parts of a calendar in which mistakes stand.
pub(super) struct Parts<'n> {
    pub(super) hours: Option<&'n Entry>,
    pub(super) working_days: Option<&'n Entry>,
}

impl Parts<'_> {
    /// Where the mistake stands, and the other thing that it has to do with. `None`: it is the calendar's.
    pub(super) fn of(&self, error: &CalendarError) -> Option<(Site, Option<Site>)> {
        match error {
            CalendarError::OverlappingOpenings { day, first, second } => {
                // Hours of a working day stand there; those of the week are the first that fit.
                let in_week = self
                    .opening(*day, *first)
                    .zip(self.second(*day, *first, *second));
                let found = in_week.or_else(|| {
                    let working = self.working_days?;
                    overlap(&working.value, *first, *second)
                });
                found.map(|(first, second)| (second, Some(first)))
            }
            CalendarError::WorkingDayTwice { date } => {
                let sites = self.working_sites(*date);
                let [first, second, ..] = sites[..] else {
                    return None;
                };
                Some((second, Some(first)))
            }
            CalendarError::WorkingDayWithoutHours { date } => {
                self.working_sites(*date).first().map(|site| (*site, None))
            }
            _ => None,
        }
    }

    /// The texts that say the hours of a day.
    fn texts(&self, day: Weekday) -> Vec<&Node> {
        let Some(hours) = self.hours.map(|entry| &entry.value) else {
            return Vec::new();
        };
        if !matches!(hours.kind, Kind::Map(_)) {
            return items(hours);
        }
        let entries = hours.entries().iter();
        let of_day = entries.filter(|entry| {
            let mut parts = entry.key.split(',').filter_map(parse_days);
            entry.key == "daily" || parts.any(|days| days.contains(&day))
        });
        of_day.flat_map(|entry| items(&entry.value)).collect()
    }

    fn opening(&self, day: Weekday, opening: Opening) -> Option<Site> {
        let texts = self.texts(day).into_iter();
        texts
            .filter(|node| says(node, opening))
            .map(|node| node.at)
            .next()
    }

    /// Where the second of two stands: on the same day, or on the next.
    fn second(&self, day: Weekday, first: Opening, second: Opening) -> Option<Site> {
        let skipped = usize::from(first == second);
        let on = |day| {
            let texts = self.texts(day).into_iter();
            texts.filter(|node| says(node, second)).map(|node| node.at)
        };
        on(day).nth(skipped).or_else(|| on(day.next()).next())
    }

    fn working_sites(&self, date: Date) -> Vec<Site> {
        let Some(working) = self.working_days.map(|entry| &entry.value) else {
            return Vec::new();
        };
        let is = |text: &str| parse_date(text) == Some(date);
        let keys = working.entries().iter().filter(|entry| is(&entry.key));
        let listed = working.items().iter();
        let listed = listed.filter(|node| node.text().is_some_and(|text| is(text)));
        keys.map(|entry| entry.key_at)
            .chain(listed.map(|node| node.at))
            .collect()
    }
}

/// The first two items of one list below `node` that say so.
fn overlap(node: &Node, first: Opening, second: Opening) -> Option<(Site, Site)> {
    let mut lists = node.entries().iter().map(|entry| items(&entry.value));
    lists.find_map(|list| {
        let of = |opening: Opening| list.iter().filter(move |node| says(node, opening));
        let begin = of(first).next()?;
        let other = of(second).nth(usize::from(first == second))?;
        Some((begin.at, other.at))
    })
}

fn items(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::List(items) => items.iter().collect(),
        _ => vec![node],
    }
}

fn says(node: &Node, opening: Opening) -> bool {
    node.text().and_then(|text| parse_opening(text)) == Some(Ok(opening))
}
