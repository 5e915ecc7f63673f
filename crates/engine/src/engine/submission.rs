//! A command on its way to the engine, and how it is recognised when it comes again.

use serde::Serialize;
use upline_core::{Actor, Branch, Command, Name, Wish};

use crate::floor::{Request, Target};
use crate::record::CommandId;

/// A command on its way: what is wished, and what is known besides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Submission {
    request: Request,
}

impl Submission {
    /// Somebody's wish, at the only position that it can mean.
    pub fn new(by: Actor, wish: Wish) -> Self {
        Self::of(Command {
            by,
            branch: None,
            wish,
        })
    }

    /// A whole command.
    pub fn of(command: Command) -> Self {
        Self {
            request: Request {
                command,
                id: None,
                origin: Name::new_static("library"),
                expected: None,
            },
        }
    }

    /// To open a ticket of this workflow.
    pub(crate) fn opening(self, workflow: &str) -> Request {
        self.aimed(&["workflow", workflow])
    }

    /// To move this ticket.
    pub(crate) fn moving(self, target: &Target) -> Request {
        match target {
            Target::Id(id) => self.aimed(&["ticket", id]),
            Target::Key { workflow, key } => self.aimed(&["key", workflow, key]),
        }
    }

    /// An id that comes again is the same command's only if that is also given to the same ticket.
    fn aimed(self, at: &[&str]) -> Request {
        let mut request = self.request;
        if let Some((_, wish)) = &mut request.id {
            *wish = hash(&(*wish, at));
        }
        request
    }

    /// In a parallel state: the branch.
    pub fn branch(mut self, branch: Branch) -> Self {
        self.request.command.branch = Some(branch);
        match self.request.id {
            Some((id, _)) => self.id(id),
            None => self,
        }
    }

    /// An id that is never used for another command: given again with it, to the same ticket, the command is
    /// answered as before and not carried out twice.
    pub fn id(mut self, id: CommandId) -> Self {
        self.request.id = Some((id, hash(&self.request.command)));
        self
    }

    /// By which way it came, for the journal: a page, a link, a token.
    pub fn origin(mut self, origin: impl Into<Name>) -> Self {
        self.request.origin = origin.into();
        self
    }

    /// The revision of the ticket that the caller has seen: of another one nothing is done.
    pub fn expecting(mut self, revision: u64) -> Self {
        self.request.expected = Some(revision);
        self
    }
}

/// A hash of what is wished, for when it comes again.
fn hash(wished: &impl Serialize) -> u64 {
    // Only what can't be written would not do, and all that a command has can be.
    let bytes = postcard::to_stdvec(wished).unwrap_or_default();
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}
