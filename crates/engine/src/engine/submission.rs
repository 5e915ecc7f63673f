//! A command on its way to the engine, and how it is recognised when it comes again.

use serde::Serialize;
use upline_core::{Actor, Branch, Command, Name, Rejection, Wish};

use crate::error::Error;
use crate::floor::{Request, Target};
use crate::record::CommandId;

/// Most bytes of one command: all its texts and names, those of its ticket and of who gives it. It is twice
/// what the HTTP API takes as a body.
pub const MAX_COMMAND_BYTES: usize = 2 << 20;

/// Most bytes of the name of whoever gives a command, and of the way by which it comes: they stand in the
/// journal, and in every list that shows the ticket.
pub const MAX_WHO_BYTES: usize = 256;

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

    /// Refused if it is too large: before the writer has it, for whom it would be much to do.
    pub(crate) fn within_limits(self, at: &str) -> Result<Self, Error> {
        let request = &self.request;
        must_fit(&(&request.command, &request.origin, at))?;
        is_actor(&request.command.by)?;
        is_who(&request.origin)?;
        Ok(self)
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

/// What is too large for one command is refused.
pub(crate) fn must_fit(given: &impl Serialize) -> Result<(), Error> {
    let bytes = postcard::experimental::serialized_size(given).unwrap_or(usize::MAX);
    match bytes <= MAX_COMMAND_BYTES {
        true => Ok(()),
        false => Err(Error::TooLarge { bytes }),
    }
}

/// Nobody, or a name that no list could show, is refused.
pub(crate) fn is_who(name: &str) -> Result<(), Error> {
    match name.len() {
        1..=MAX_WHO_BYTES => Ok(()),
        _ => Err(Error::Rejected(Rejection::BadText {
            limit: MAX_WHO_BYTES,
        })),
    }
}

/// The same of whoever acts.
pub(crate) fn is_actor(by: &Actor) -> Result<(), Error> {
    match by {
        Actor::Person(name)
        | Actor::Operator(name)
        | Actor::Contact(name)
        | Actor::System(name) => is_who(name),
        Actor::Clock => Ok(()),
    }
}

/// A hash of what is wished, for when it comes again.
fn hash(wished: &impl Serialize) -> u64 {
    // Only what can't be written would not do, and all that a command has can be.
    let bytes = postcard::to_stdvec(wished).unwrap_or_default();
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(std::array::from_fn(|at| hash.as_bytes()[at]))
}

#[cfg(test)]
mod tests {
    use upline_core::Typed;

    use super::*;
    use crate::kit::{CALL, DESK, begin, person};
    use crate::{Engine, StartError};

    fn builder() -> crate::Builder {
        Engine::builder()
            .clock(crate::clock::ManualClock::at(begin()))
            .file("desk.yaml", DESK)
            .file("call.yaml", CALL)
    }

    fn too_large<T: std::fmt::Debug>(result: Result<T, Error>) {
        match result {
            Err(Error::TooLarge { bytes }) => assert!(bytes > MAX_COMMAND_BYTES, "{bytes}"),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_command_that_is_too_large_never_reaches_the_writer() {
        let engine = builder().start().await.unwrap();
        let handle = engine.handle();
        let one = || ("caller".into(), "x".repeat(60_000));
        let many: Typed = (0..50).map(|_| one()).collect();
        let huge = "x".repeat(MAX_COMMAND_BYTES + 1);
        too_large(handle.open("call", person("max"), many).await);
        too_large(handle.open("call", person(&huge), Vec::new()).await);
        too_large(handle.open(&huge, person("max"), Vec::new()).await);
        let opened = handle.open("call", person("max"), vec![one()]).await;
        let opened = opened.unwrap();
        let id = opened.id;
        let comment = |text: &str| Wish::Comment {
            text: text.to_owned(),
            to_caller: false,
        };
        let said = Submission::new(person("max"), comment(&huge));
        too_large(handle.submit(&id, said).await);
        let said = Submission::new(person("max"), comment("so")).origin(huge.as_str());
        too_large(handle.submit(&id, said).await);
        too_large(handle.act(&huge, person("max"), "done").await);
        too_large(handle.erase(&id, &huge).await);
        too_large(handle.release(&id, &huge).await);
        let plan = upline_core::decide::Migration::default();
        too_large(handle.migrate(&id, 1, plan, person(&huge)).await);
        let now = handle.ticket(&id).await.unwrap().unwrap();
        assert_eq!(now.revision, opened.revision);
    }

    #[tokio::test]
    async fn a_command_of_nobody_or_of_a_name_without_end_is_refused() {
        let engine = builder().start().await.unwrap();
        let handle = engine.handle();
        let opened = handle.open("call", person("max"), Vec::new()).await;
        let id = opened.unwrap().id;
        let is_refused = |result: Result<(), Error>| match result {
            Err(Error::Rejected(Rejection::BadText { limit })) => assert_eq!(limit, MAX_WHO_BYTES),
            other => panic!("{other:?}"),
        };
        let resume = |by| Submission::new(by, Wish::Resume);
        for name in [String::new(), "x".repeat(MAX_WHO_BYTES + 1)] {
            let name = || Name::new(&name);
            for by in [
                Actor::Person(name()),
                Actor::Operator(name()),
                Actor::Contact(name()),
                Actor::System(name()),
            ] {
                let opened = handle.open("call", by.clone(), Vec::new()).await;
                is_refused(opened.map(drop));
                is_refused(handle.submit(&id, resume(by.clone())).await.map(drop));
                let plan = upline_core::decide::Migration::default();
                is_refused(handle.migrate(&id, 1, plan, by).await.map(drop));
            }
            let by_way = resume(person("max")).origin(name());
            is_refused(handle.submit(&id, by_way).await.map(drop));
            is_refused(handle.erase(&id, &name()).await);
            is_refused(handle.release(&id, &name()).await);
        }
    }

    #[tokio::test]
    async fn a_start_that_fails_has_given_the_folder_back() {
        let home = tempfile::tempdir().unwrap();
        let on = || builder().folder(home.path()).unwrap();
        on().start().await.unwrap().stop().await.unwrap();
        let other = CALL.replace("15 min", "17 min");
        for _ in 0..3 {
            let failed = on().file("call.yaml", other.as_str()).start().await;
            assert!(matches!(failed.unwrap_err(), StartError::Files(_)));
        }
        on().start().await.unwrap().stop().await.unwrap();
    }
}
