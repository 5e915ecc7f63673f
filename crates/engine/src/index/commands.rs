//! What is remembered of commands, so that one that comes again is answered and not carried out again.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use serde::{Deserialize, Serialize};

use super::build::{Changes, checked};
use super::keys::{self, Key, Parts};
use super::tree::{Failure, Tree};
use super::value;
use crate::record::{CommandId, Millis, Number};

/// For how long commands are remembered, in milliseconds of the engine's time: 7 days.
pub const COMMANDS_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// Commands that a batch forgets at least, if their time is over.
const FORGOTTEN: usize = 64;

/// What is kept of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Command {
    pub(super) at: Millis,
    pub(super) wish: u64,
    pub(super) number: Number,
    pub(super) revision: u64,
}

/// What is kept of a command.
pub(super) fn command(tree: &Tree, id: &CommandId) -> Result<Option<(Command, u128)>, Failure> {
    let key = Key::of(keys::kind::COMMAND).id(id).0;
    let Some(bytes) = tree.get(&key)? else {
        return Ok(None);
    };
    let (content, hash) = checked(tree, &key, &bytes)?;
    let command = postcard::from_bytes(content);
    let command = command.map_err(|error| tree.condemn(format!("a command: {error}")))?;
    Ok(Some((command, hash)))
}

impl Changes<'_> {
    pub(super) fn command(
        &mut self,
        tree: &Tree,
        id: &CommandId,
        new: &Command,
    ) -> Result<(), Failure> {
        // An id that comes again after its time is another command's.
        if let Some((old, hash)) = command(tree, id)? {
            self.gone(hash);
            self.remove(by_time(old.at, id));
        }
        let key = Key::of(keys::kind::COMMAND).id(id).0;
        let content = postcard::to_stdvec(new);
        let content = content.map_err(|error| Failure::Broken(error.to_string()))?;
        let (value, hash) = value::seal(&key, &content);
        self.put((key, Some(value)), hash);
        self.add(by_time(new.at, id));
        Ok(())
    }

    /// Forgets some of the commands whose time is over, but none that comes again in this batch.
    pub(super) fn forget(
        &mut self,
        tree: &Tree,
        coming: &BTreeMap<CommandId, Command>,
    ) -> Result<(), Failure> {
        let at_most = FORGOTTEN.max(2 * coming.len());
        for (_, id) in over(tree, self.at(), at_most)? {
            if coming.contains_key(&id) {
                continue;
            }
            let Some((old, hash)) = command(tree, &id)? else {
                return Err(tree.condemn("a command is missing".to_owned()));
            };
            self.gone(hash);
            let key = Key::of(keys::kind::COMMAND).id(&id).0;
            self.writes.push((key, None));
            self.remove(by_time(old.at, &id));
        }
        Ok(())
    }
}

/// Commands whose time is over at `now`, oldest first.
fn over(tree: &Tree, now: Millis, at_most: usize) -> Result<Vec<(Millis, CommandId)>, Failure> {
    let from = Key::of(keys::kind::COMMAND_AT);
    let until = from.clone().time(now.saturating_sub(COMMANDS_MS));
    let range = (Bound::Included(from.0), Bound::Excluded(until.0));
    let mut found = Vec::new();
    tree.scan(range, false, &mut |key, _| {
        let mut parts = Parts(key);
        parts.byte();
        if let (Some(at), Some(id)) = (parts.time(), parts.id()) {
            found.push((at, id));
        }
        match found.len() < at_most {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(found)
}

fn by_time(at: Millis, id: &CommandId) -> Vec<u8> {
    Key::of(keys::kind::COMMAND_AT).time(at).id(id).0
}
