//! Writes down what happens in a world: lines with their times.

use std::collections::BTreeMap;

use jiff::Timestamp;
use upline_core::{Branch, Event, Fact, Name, Ticket};

use crate::forecast::REMINDERS_SHOWN;
use crate::render::{Language, Times, more_reminders, say_some};
use crate::timeline::Line;
use crate::world::{Entry, Log, World};

/// Follows the tickets of a world, so that each line is told with what was known then.
pub(crate) struct Chronicle {
    tickets: BTreeMap<Name, Ticket>,
    pub(crate) times: Times,
    pub(crate) language: Language,
    /// The ticket whose lines bear no name.
    pub(crate) first: Name,
}

impl Chronicle {
    /// A chronicle of tickets that have this history already.
    pub(crate) fn new<'a>(
        tickets: impl IntoIterator<Item = &'a Ticket>,
        first: &Name,
        times: Times,
        language: Language,
    ) -> Self {
        let tickets = tickets.into_iter();
        Self {
            tickets: tickets
                .map(|ticket| (ticket.id.clone(), ticket.clone()))
                .collect(),
            times,
            language,
            first: first.clone(),
        }
    }

    /// The lines of the next entries of the world's log; those that are not shown are only followed.
    pub(crate) fn lines<'a>(
        &mut self,
        world: &World<Log>,
        entries: impl IntoIterator<Item = (&'a Entry, bool)>,
    ) -> Vec<Line> {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut lines = Vec::new();
        let same = |a: &(&Entry, bool), b: &(&Entry, bool)| {
            a.0.ticket == b.0.ticket && a.0.event.at == b.0.event.at
        };
        for command in entries.chunk_by(same) {
            let Some((Entry { ticket: name, .. }, _)) = command.first() else {
                continue;
            };
            let ticket = self.tickets.entry(name.clone()).or_default();
            let workflow = world.workflow_of(name).map(AsRef::as_ref);
            let events = command.iter().map(|(entry, shown)| (&entry.event, *shown));
            let events: Vec<(&Event, bool)> = events.collect();
            for said in say_some(events, ticket, workflow, Some(world.directory())) {
                let text = said.text(self.language, &self.times);
                lines.push(self.line(name, said.at, &text));
            }
        }
        lines
    }

    /// The lines for reminders that are not shown one by one.
    pub(crate) fn more_reminders(&mut self, entries: &[Entry], shown: &[bool]) -> Vec<Line> {
        let hidden = Reminders::hidden(entries, shown).into_iter();
        let lines = hidden.map(|(count, last, branch)| {
            let text = more_reminders(count, self.language);
            let text = match branch.is_empty() {
                true => text,
                false => format!("{branch}: {text}"),
            };
            self.line(&last.ticket, last.event.at, &text)
        });
        lines.collect()
    }

    fn line(&mut self, ticket: &Name, at: Timestamp, text: &str) -> Line {
        let stamp = self.times.stamp(at);
        let text = match *ticket == self.first {
            true => format!("{stamp}  {text}"),
            false => format!("{stamp}  {ticket}: {text}"),
        };
        Line { at, text }
    }
}

/// Reminders of the last resort say the same again and again: of those that follow each other only the first
/// few are shown, the others are counted.
pub(crate) struct Reminders;

impl Reminders {
    /// Which of the entries are shown.
    pub(crate) fn shown(entries: &[Entry]) -> Vec<bool> {
        let mut reminded: BTreeMap<(&Name, &Branch), usize> = BTreeMap::new();
        let shown = entries.iter().map(|entry| match &entry.event.fact {
            Fact::Reminded { branch, .. } => {
                let count = reminded.entry((&entry.ticket, branch)).or_default();
                *count += 1;
                *count <= REMINDERS_SHOWN
            }
            Fact::Hopped(hop) => {
                reminded.remove(&(&entry.ticket, &hop.branch));
                true
            }
            _ => true,
        });
        shown.collect()
    }

    /// For each ticket and branch with reminders that are not shown: how many, and the last.
    pub(crate) fn hidden<'a>(
        entries: &'a [Entry],
        shown: &[bool],
    ) -> Vec<(usize, &'a Entry, &'a Branch)> {
        let mut hidden: Vec<(usize, &Entry, &Branch)> = Vec::new();
        for (entry, _) in entries.iter().zip(shown).filter(|(_, shown)| !**shown) {
            let Fact::Reminded { branch, .. } = &entry.event.fact else {
                continue;
            };
            let same = |(_, other, at): &&mut (usize, &Entry, &Branch)| {
                other.ticket == entry.ticket && *at == branch
            };
            match hidden.iter_mut().find(same) {
                Some((count, last, _)) => {
                    *count += 1;
                    *last = entry;
                }
                None => hidden.push((1, entry, branch)),
            }
        }
        hidden
    }
}
