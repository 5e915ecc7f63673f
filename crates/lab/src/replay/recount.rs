//! Counts a run that something else made.

use jiff::Timestamp;
use upline_core::{Event, Fact, Ticket, Workflow};

use super::PlayReport;
use super::tally::Tally;
use crate::world::Observer;

/// Counts the events of tickets that an engine ran, in the same way as [`play`](super::play) counts those of
/// its virtual run: the two reports can be compared.
#[derive(Debug, Default)]
pub struct Recount(Tally);

impl Recount {
    /// An event, and its ticket as it is after it; all tickets' events in the order in which they happened.
    /// What became of messages is not counted: in a virtual run there are none.
    pub fn happened(&mut self, ticket: &Ticket, event: &Event) {
        if !matches!(event.fact, Fact::Delivery { .. }) {
            self.0.happened(ticket, event);
        }
    }

    /// The report, with what a run has: its rows and what the log says are not known here.
    #[must_use]
    pub fn report(
        mut self,
        workflow: &Workflow,
        from: Timestamp,
        until: Timestamp,
        tickets: &[Ticket],
    ) -> PlayReport {
        let opened = tickets.iter().filter(|ticket| ticket.parent.is_none());
        let mut report = PlayReport {
            workflow: workflow.name.clone(),
            version: workflow.version,
            from: Some(from),
            until: Some(until),
            opened: opened.count() as u64,
            ..PlayReport::default()
        };
        for ticket in tickets {
            self.0.promises_of(ticket);
        }
        self.0.report(&mut report, workflow, until, tickets.iter());
        report
    }
}
