//! A walk along a schedule, from change to change.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Schedule;
use super::layer::{NEVER, Turn};
use crate::Name;
use crate::calendar::local::{join, split};

/// Who is on duty now, and what may change it next. Each layer is asked again only when its turn is over.
#[derive(Debug, Clone)]
pub(super) struct Walk<'a> {
    schedule: &'a Schedule,
    at: i64,
    turns: Vec<Turn<'a>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(schedule: &'a Schedule, at: i64) -> Self {
        let turns = schedule
            .0
            .layers
            .iter()
            .map(|layer| layer.turn(at))
            .collect();
        Self {
            schedule,
            at,
            turns,
        }
    }

    /// When something may change next: later than now, or [`NEVER`].
    pub(super) fn next_edge(&self) -> i64 {
        let edges = &self.schedule.0.edges;
        let laid = edges
            .get(edges.partition_point(|edge| *edge <= self.at))
            .copied();
        let turns = self.turns.iter().map(|turn| turn.until);
        turns.chain(laid).min().unwrap_or(NEVER)
    }

    /// Goes on to a later second.
    pub(super) fn go_to(&mut self, at: i64) {
        self.at = at;
        for (turn, layer) in self.turns.iter_mut().zip(&self.schedule.0.layers) {
            if turn.until <= at {
                *turn = layer.turn(at);
            }
        }
    }

    /// Whether anybody is on duty.
    pub(super) fn is_covered(&self) -> bool {
        let added = |laid: &super::layer::Laid| laid.instead_of.is_none() && laid.holds(self.at);
        self.turns.iter().any(|turn| !turn.on.is_empty())
            || self.schedule.0.overrides.iter().any(added)
    }

    /// Who is on duty, in order, each once.
    pub(super) fn on_duty(&self) -> Vec<&'a Name> {
        let mut on: Vec<&Name> = self.turns.iter().flat_map(|turn| turn.on).collect();
        for laid in self
            .schedule
            .0
            .overrides
            .iter()
            .filter(|laid| laid.holds(self.at))
        {
            match &laid.instead_of {
                None => on.insert(0, &laid.on_call),
                Some(other) => {
                    for name in on.iter_mut().filter(|name| **name == other) {
                        *name = &laid.on_call;
                    }
                }
            }
        }
        // A set is quicker only where there are many.
        if on.len() <= 8 {
            let mut kept = 0;
            for place in 0..on.len() {
                if !on[..kept].contains(&on[place]) {
                    on.swap(kept, place);
                    kept += 1;
                }
            }
            on.truncate(kept);
        } else {
            let mut seen = BTreeSet::new();
            on.retain(|name| seen.insert(*name));
        }
        on
    }
}

/// A change of who is on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    /// When.
    pub at: Timestamp,
    /// Who is on duty from then on, in order; empty if nobody is.
    pub on_duty: Vec<Name>,
    /// Who of them was not on duty just before.
    pub comes_on: Vec<Name>,
}

/// The changes of a schedule within a time, in order: see [`Schedule::handoffs`].
#[derive(Debug, Clone)]
pub struct Handoffs<'a> {
    walk: Walk<'a>,
    on: Vec<&'a Name>,
    to: Timestamp,
}

impl<'a> Handoffs<'a> {
    pub(super) fn new(schedule: &'a Schedule, from: Timestamp, to: Timestamp) -> Self {
        // The last whole second before `from`, so that a change exactly at `from` is one.
        let (second, nanos) = split(from);
        let walk = Walk::new(
            schedule,
            if nanos > 0 {
                second
            } else {
                second.saturating_sub(1)
            },
        );
        Self {
            on: walk.on_duty(),
            walk,
            to,
        }
    }
}

impl Iterator for Handoffs<'_> {
    type Item = Handoff;

    fn next(&mut self) -> Option<Handoff> {
        loop {
            let edge = self.walk.next_edge();
            if edge == NEVER || join(edge, 0) >= self.to {
                return None;
            }
            self.walk.go_to(edge);
            let on = self.walk.on_duty();
            if on != self.on {
                let before: BTreeSet<&Name> = self.on.iter().copied().collect();
                let new = on.iter().copied().filter(|name| !before.contains(name));
                let comes_on = new.cloned().collect();
                let on_duty = on.iter().copied().cloned().collect();
                self.on = on;
                return Some(Handoff {
                    at: join(edge, 0),
                    on_duty,
                    comes_on,
                });
            }
        }
    }
}
