//! What is due when: one entry of 16 bytes an open ticket, for its clock that is due first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use upline_core::ClockId;
use upline_lab::world::Rank;

use crate::record::{Millis, Number};

/// When a ticket is due next. Ordered by time, then by what comes first at the same instant, then by the
/// ticket's age.
///
/// The bits, from the top: 48 of milliseconds since 1970, 4 of the rank, 44 of the ticket's number, 32 of the
/// clock's id. An instant before 1970 is due at once, one after the year 10,000 is due then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due(u128);

const AT_BITS: u32 = 48;
const NUMBER_BITS: u32 = 44;
const CLOCK_BITS: u32 = 32;

impl Due {
    pub(crate) fn new(at: Millis, rank: Rank, number: Number, clock: ClockId) -> Self {
        let at = at.clamp(0, (1 << AT_BITS) - 1).unsigned_abs();
        let number = u128::from(number) & ((1 << NUMBER_BITS) - 1);
        let bits = u128::from(at) << (4 + NUMBER_BITS + CLOCK_BITS);
        let bits = bits | (u128::from(rank as u8) << (NUMBER_BITS + CLOCK_BITS));
        Self(bits | (number << CLOCK_BITS) | u128::from(clock))
    }

    pub(crate) fn at(self) -> Millis {
        (self.0 >> (4 + NUMBER_BITS + CLOCK_BITS)) as Millis
    }

    pub(crate) fn number(self) -> Number {
        ((self.0 >> CLOCK_BITS) & ((1 << NUMBER_BITS) - 1)) as Number
    }

    pub(crate) fn clock(self) -> ClockId {
        self.0 as ClockId
    }
}

/// The queue. Entries that are no longer true stay in it until their time, and are then seen to be stale.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Due>>,
    /// Fired entries that were stale.
    pub(crate) stale: u64,
}

impl Timers {
    pub(crate) fn arm(&mut self, due: Due) {
        self.heap.push(Reverse(due));
    }

    pub(crate) fn first(&self) -> Option<Due> {
        self.heap.peek().map(|Reverse(due)| *due)
    }

    pub(crate) fn pop(&mut self) -> Option<Due> {
        self.heap.pop().map(|Reverse(due)| due)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Keeps the entries that are still true.
    pub(crate) fn sweep(&mut self, mut is_true: impl FnMut(Due) -> bool) {
        self.heap.retain(|Reverse(due)| is_true(*due));
    }
}
