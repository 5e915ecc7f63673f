//! Who is on duty, worked out once for some days at a time.
//!
//! A decision asks a schedule who is on duty now, and decisions ask about the same few days over and over.
//! Each [`Block`] holds the changes of 2¹⁸ seconds (three days) as sorted seconds, so that the answer is one
//! binary search and no zone lookup. What a block holds follows from the schedule alone: whether it has been
//! worked out already never changes an answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::Schedule;
use super::layer::NEVER;
use super::walk::Walk;
use crate::Name;

/// Seconds in a block, as a power of two. Of a thousand people with hours of their own a block takes some
/// milliseconds, which whoever asks first waits for.
const BLOCK_BITS: u32 = 18;

/// Blocks in a shelf, as a power of two: half a year.
const SHELF_BITS: u32 = 6;

/// How many shelves there are: 1970 to 2106. Outside of them the layers are asked each time.
const SHELVES: usize = 256;

/// Most names that the lists of a block hold: 1.5 MB. A schedule of more people who change more often asks
/// its layers each time.
const MAX_NAMES: usize = 1 << 16;

/// Most changes in a block: one each four seconds.
const MAX_CHANGES: usize = 1 << 16;

type Shelf = Box<[OnceLock<Option<Box<Block>>>]>;

/// The blocks of one schedule.
pub(super) struct Table(Box<[OnceLock<Shelf>]>);

/// Who is on duty when, within a block.
struct Block {
    /// Since when which of `lists` holds, in order; the first one begins with the block.
    changes: Box<[(i64, u32)]>,
    lists: Box<[Box<[Name]>]>,
}

impl Table {
    /// A table in which nothing has been worked out yet.
    pub(super) fn new() -> Self {
        Self((0..SHELVES).map(|_| OnceLock::new()).collect())
    }

    /// Who is on duty at `second`, in order; `None` if the layers must be asked.
    pub(super) fn on_duty(&self, schedule: &Schedule, second: i64) -> Option<&[Name]> {
        let number = usize::try_from(second >> BLOCK_BITS).ok()?;
        let shelf = self.0.get(number >> SHELF_BITS)?;
        let shelf = shelf.get_or_init(|| (0..1 << SHELF_BITS).map(|_| OnceLock::new()).collect());
        let block = shelf.get(number % (1 << SHELF_BITS))?;
        let build = || Block::build(schedule, (second >> BLOCK_BITS) << BLOCK_BITS).map(Box::new);
        block.get_or_init(build).as_ref()?.at(second)
    }
}

impl Block {
    /// Works out the block that begins with a second. `None`: it would be too large.
    fn build(schedule: &Schedule, begin: i64) -> Option<Self> {
        let end = begin + (1 << BLOCK_BITS);
        let mut walk = Walk::new(schedule, begin);
        let mut changes: Vec<(i64, u32)> = Vec::new();
        let mut numbers: BTreeMap<Vec<&Name>, u32> = BTreeMap::new();
        let mut lists: Vec<Box<[Name]>> = Vec::new();
        let (mut at, mut names) = (begin, 0);
        while at < end {
            let on_duty = walk.on_duty();
            let list = match numbers.get(&on_duty) {
                Some(list) => *list,
                None => {
                    let list = u32::try_from(lists.len()).ok()?;
                    names += on_duty.len();
                    lists.push(on_duty.iter().copied().cloned().collect());
                    numbers.insert(on_duty, list);
                    list
                }
            };
            if changes.last().is_none_or(|(_, last)| *last != list) {
                changes.push((at, list));
            }
            if names > MAX_NAMES || changes.len() > MAX_CHANGES {
                return None;
            }
            at = walk.next_edge();
            if at != NEVER {
                walk.go_to(at);
            }
        }
        Some(Self {
            changes: changes.into_boxed_slice(),
            lists: lists.into_boxed_slice(),
        })
    }

    fn at(&self, second: i64) -> Option<&[Name]> {
        let next = self.changes.partition_point(|change| change.0 <= second);
        let (_, list) = self.changes.get(next.checked_sub(1)?)?;
        self.lists.get(*list as usize).map(|list| &**list)
    }
}
