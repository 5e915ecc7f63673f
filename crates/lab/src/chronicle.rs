//! Writes down what happens in a world: lines with their times.

use std::collections::BTreeMap;

use upline_core::{Event, Name, Ticket};

use crate::render::{Language, Times, say_some};
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
            for said in say_some(events, ticket, workflow) {
                let text = said.text(self.language, &self.times);
                let stamp = self.times.stamp(said.at);
                let text = match *name == self.first {
                    true => format!("{stamp}  {text}"),
                    false => format!("{stamp}  {name}: {text}"),
                };
                lines.push(Line { at: said.at, text });
            }
        }
        lines
    }
}
