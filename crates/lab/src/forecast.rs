//! What happens next to a ticket, and when, if nobody acts: the ladder ahead.

use jiff::{SignedDuration, Timestamp};
use upline_core::{ClockKind, Fact, Name};

use crate::chronicle::Chronicle;
use crate::render::{Language, Times};
use crate::timeline::{Timeline, timeline};
use crate::world::{Log, Observer, World};

/// Most clocks that a forecast lets fire.
pub const MAX_FIRED: usize = 10_000;

/// Reminders of the last resort that a forecast shows; after them nothing else happens.
pub const REMINDERS_SHOWN: usize = 2;

/// How far a forecast looks.
#[derive(Debug, Clone, Copy)]
pub struct Horizon {
    /// For how long at most; physical time.
    pub within: SignedDuration,
    /// How many clocks may fire at most; no more than [`MAX_FIRED`].
    pub fired: usize,
}

impl Default for Horizon {
    /// A year, and 1,000 clocks.
    fn default() -> Self {
        Self {
            within: SignedDuration::from_hours(366 * 24),
            fired: 1_000,
        }
    }
}

impl<O: Observer> World<O> {
    /// What happens to a ticket from now on if nobody acts. It is played in a copy with the same code, so
    /// it is what will happen as long as nobody acts and the directory stays as it is; tickets that compete
    /// for the same people stand still. `None` if there is no such ticket.
    pub fn forecast(
        &self,
        ticket: &str,
        horizon: Horizon,
        times: Times,
        language: Language,
    ) -> Option<Timeline> {
        let mut world = self.alone(ticket)?;
        let from = world.now();
        let chronicle = Chronicle::new(world.tickets(), &Name::new(ticket), times, language);
        world.recheck_all();
        let more = run_on(&mut world, ticket, horizon);
        Some(timeline(&world, from, more, &[], chronicle))
    }
}

/// Lets the clocks of a world fire until the ticket ends, only reminders are left, or the horizon is
/// reached; whether more would follow.
pub(crate) fn run_on(world: &mut World<Log>, ticket: &str, horizon: Horizon) -> bool {
    let limit = world.now().checked_add(horizon.within);
    let limit = limit.unwrap_or(Timestamp::MAX);
    let mut reminders = 0;
    for _ in 0..horizon.fired.min(MAX_FIRED) {
        let Some(open) = world.ticket(ticket).filter(|ticket| ticket.is_open()) else {
            return false;
        };
        let settled = open
            .clocks
            .iter()
            .all(|clock| clock.kind == ClockKind::Remind);
        if settled && reminders >= REMINDERS_SHOWN {
            return true;
        }
        if !world.step(limit) {
            // A clock beyond the horizon is still to come.
            return world.next_due().is_some();
        }
        let last = world.observer().entries.last();
        let reminded = last.is_some_and(|entry| matches!(entry.event.fact, Fact::Reminded { .. }));
        reminders = if reminded { reminders + 1 } else { 0 };
    }
    true
}
