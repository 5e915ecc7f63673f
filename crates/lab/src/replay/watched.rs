//! A run that somebody else watches too.

use upline_core::{Command, Event, Name, Ticket};

use super::tally::Tally;
use crate::world::{Asked, Observer, Refusal};

/// Counts, and tells somebody else.
pub(super) struct Watched<O> {
    pub(super) tally: Tally,
    pub(super) other: O,
}

impl<O: Observer> Observer for Watched<O> {
    fn happened(&mut self, ticket: &Ticket, event: &Event) {
        self.tally.happened(ticket, event);
        self.other.happened(ticket, event);
    }

    fn asked(&mut self, asked: impl FnOnce() -> Asked) {
        self.other.asked(asked);
    }

    fn over(&mut self, ticket: &Ticket) {
        self.tally.over(ticket);
        self.other.over(ticket);
    }

    fn refused(&mut self, ticket: &Name, command: &Command, refusal: &Refusal) {
        self.tally.refused(ticket, command, refusal);
        self.other.refused(ticket, command, refusal);
    }
}
