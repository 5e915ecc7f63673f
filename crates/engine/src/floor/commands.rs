//! The commands that were carried out last, so that one that comes again is answered and not carried out
//! again.
//!
//! A desk with much to do remembers as many as it may, so what one takes is what counts: each stands here
//! once, and an id leads to its place in the queue. All of them together take no more than [`MOST_BYTES`].

use std::collections::{HashMap, VecDeque};

use super::Done;
use crate::record::{CommandId, Millis};
use crate::store::Seen;
use crate::store::fold::MAX_COMMANDS;

/// What [`MAX_COMMANDS`] of them take in memory.
#[cfg(test)]
const MOST_BYTES: usize = 30 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// Oldest first.
    seen: VecDeque<Seen>,
    /// Of each id the place of the youngest that bears it: how many were remembered before it, counted from
    /// 0 again behind the last number. There are never so many at a time that two have the same.
    places: HashMap<CommandId, u32>,
    /// The place of the oldest.
    first: u32,
}

impl Commands {
    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }

    /// The hash of what a command wished, and its answer when it comes again.
    pub(super) fn get(&self, id: &CommandId) -> Option<(u64, Done)> {
        let place = self.places.get(id)?.wrapping_sub(self.first);
        let seen = self.seen.get(usize::try_from(place).ok()?)?;
        let done = Done {
            number: seen.number,
            id: seen.ticket.clone(),
            revision: seen.revision,
            again: true,
        };
        Some((seen.wish, done))
    }

    /// Remembers one more. The time of the last one that had to give way to it.
    pub(super) fn add(&mut self, seen: Seen) -> Option<Millis> {
        // First: a queue that is longer for a moment has twice the room from then on.
        let forgotten = self.keep_at_most(MAX_COMMANDS - 1);
        let place = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        self.places.insert(seen.id, self.first.wrapping_add(place));
        self.seen.push_back(seen);
        forgotten
    }

    /// Forgets the oldest, if there are more than so many. The time of the last one that is forgotten.
    pub(super) fn keep_at_most(&mut self, commands: usize) -> Option<Millis> {
        let mut forgotten = None;
        while self.seen.len() > commands
            && let Some(oldest) = self.seen.pop_front()
        {
            // The same id may have come again since, with the command carried out again.
            if self.places.get(&oldest.id) == Some(&self.first) {
                self.places.remove(&oldest.id);
            }
            self.first = self.first.wrapping_add(1);
            forgotten = forgotten.max(Some(oldest.at));
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: u64, id: u64) -> Seen {
        let mut bytes = CommandId::default();
        bytes[..8].copy_from_slice(&id.to_le_bytes());
        Seen {
            id: bytes,
            wish: number + 1,
            at: number.cast_signed(),
            number,
            ticket: number.to_string().as_str().into(),
            revision: number + 2,
        }
    }

    fn number(commands: &Commands, id: u64) -> Option<u64> {
        let found = commands.get(&seen(0, id).id);
        found.map(|(wish, done)| {
            assert_eq!((wish, done.revision), (done.number + 1, done.number + 2));
            assert!(done.again && *done.id == *done.number.to_string());
            done.number
        })
    }

    #[test]
    fn the_youngest_are_remembered_and_the_oldest_forgotten_one_by_one() {
        // So that places are counted from 0 again on the way.
        let mut commands = Commands {
            first: u32::MAX - 2,
            ..Commands::default()
        };
        for one in 0..10 {
            assert_eq!(commands.add(seen(one, one)), None);
        }
        let all: Vec<u64> = commands.iter().map(|seen| seen.number).collect();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(commands.keep_at_most(10), None);
        assert_eq!(commands.keep_at_most(4), Some(5));
        let known: Vec<_> = (0..10).map(|id| number(&commands, id)).collect();
        let expected: Vec<_> = (0..10).map(|id| (id >= 6).then_some(id)).collect();
        assert_eq!(known, expected);
    }

    #[test]
    fn an_id_that_came_again_is_known_until_the_younger_one_is_forgotten() {
        let mut commands = Commands::default();
        for (one, id) in [(1, 7), (2, 8), (3, 7), (4, 9)] {
            commands.add(seen(one, id));
        }
        for (most, known) in [(4, Some(3)), (3, Some(3)), (2, Some(3)), (1, None)] {
            commands.keep_at_most(most);
            assert_eq!(number(&commands, 7), known, "{most}");
        }
    }

    #[test]
    fn as_many_as_there_may_be_take_no_more_than_is_said() {
        let mut commands = Commands::default();
        let count = 2 * MAX_COMMANDS as u64 + 1;
        for one in 0..count {
            commands.add(seen(one, one));
        }
        assert_eq!(commands.seen.len(), MAX_COMMANDS);
        assert_eq!(commands.places.len(), MAX_COMMANDS);
        assert_eq!(number(&commands, count - 1), Some(count - 1));
        // A table is filled to seven eighths, and has a byte for each entry beside it.
        let entries = (commands.places.capacity() * 8).div_ceil(7);
        let bytes = commands.seen.capacity() * size_of::<Seen>()
            + entries * (size_of::<(CommandId, u32)>() + 1);
        assert!(bytes <= MOST_BYTES, "{bytes}");
    }
}
