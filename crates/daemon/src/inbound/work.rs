//! Carrying out what a message means.

use serde_json::{Value, json};
use upline::core::{Actor, FieldFault, Name, Rejection, Typed, ValueError, Wish};
use upline::record::CommandId;
use upline::{Done, Error, Handle, Submission, Target};

use super::map::About;
use crate::problem::Problem;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) outcome: &'static str,
    ticket: Option<Name>,
    key: Option<Name>,
}

impl Taken {
    pub(super) fn ignored() -> Self {
        Self {
            outcome: "ignored",
            ticket: None,
            key: None,
        }
    }

    pub(super) fn json(&self) -> Value {
        let text = |name: &Option<Name>| name.as_ref().map(|name| name.as_str().to_owned());
        json!({ "outcome": self.outcome, "ticket": text(&self.ticket), "key": text(&self.key) })
    }
}

/// One message on its way.
struct Work<'a> {
    handle: &'a Handle,
    source: &'a Name,
    workflow: &'a Name,
    key: Name,
    /// What names the message.
    id: String,
}

/// What became of a command for a ticket that may not be there.
enum Move {
    Done(Done),
    /// The same message came before, when the map made something else of it.
    Before,
    NotAwaited,
    NotThere,
}

/// Opens the ticket, or moves it, or says something at it: the first that fits.
pub(super) async fn carry_out(
    handle: &Handle,
    source: &Name,
    workflow: &Name,
    about: About,
    item: &Value,
) -> Result<Taken, Problem> {
    let work = Work {
        handle,
        source,
        workflow,
        key: about.key,
        id: about.id.unwrap_or_else(|| item.to_string()),
    };
    let opened = match about.open {
        Some(fields) => Some(work.open(about.opener, fields, about.once).await?),
        None => None,
    };
    let message = match &opened {
        Some(Opened::Other(_)) if about.again.is_some() => {
            about.again.map(|name| (name, Vec::new()))
        }
        _ => about.message,
    };
    let mut is_there = false;
    if let Some((message, fields)) = message {
        match work
            .submit("message", Wish::Message { message, fields })
            .await?
        {
            Move::Done(done) => return Ok(work.taken("moved", Some(done.id))),
            Move::Before => return Ok(work.taken("known", None)),
            Move::NotAwaited => is_there = true,
            Move::NotThere => (),
        }
    }
    // There is nothing more to say of what was just opened, nor of what says the same again.
    let says = matches!(opened, None | Some(Opened::Other(_)));
    if let Some(text) = about.comment.filter(|_| says) {
        let to_caller = false;
        match work
            .submit("comment", Wish::Comment { text, to_caller })
            .await?
        {
            Move::Done(done) => return Ok(work.taken("commented", Some(done.id))),
            Move::Before => return Ok(work.taken("known", None)),
            Move::NotAwaited | Move::NotThere => (),
        }
    }
    Ok(match opened {
        Some(Opened::New(ticket)) => work.taken("opened", Some(ticket)),
        Some(Opened::Repeated(ticket) | Opened::Other(ticket)) => work.taken("known", ticket),
        None if is_there => work.taken("known", None),
        None => work.taken("no-ticket", None),
    })
}

/// What became of an opening.
enum Opened {
    New(Name),
    /// The same message has opened it before.
    Repeated(Option<Name>),
    /// Another message has.
    Other(Option<Name>),
}

impl Work<'_> {
    fn taken(&self, outcome: &'static str, ticket: Option<Name>) -> Taken {
        Taken {
            outcome,
            ticket,
            key: Some(self.key.clone()),
        }
    }

    fn submission(&self, what: &str, by: Actor, wish: Wish) -> Submission {
        let origin = Name::new(format!("source {}", self.source));
        Submission::new(by, wish)
            .id(self.command(what))
            .origin(origin)
    }

    /// The same for the same message, whenever it comes, and for no other.
    fn command(&self, what: &str) -> CommandId {
        let mut hasher = blake3::Hasher::new_derive_key("upline 2026 inbound message");
        for part in [
            self.source.as_str(),
            self.workflow.as_str(),
            what,
            self.key.as_str(),
            &self.id,
        ] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash = hasher.finalize();
        std::array::from_fn(|at| hash.as_bytes()[at])
    }

    fn system(&self) -> Actor {
        Actor::System(self.source.clone())
    }

    /// Opens it for whom the message names, or for the source if nobody is called so.
    async fn open(
        &self,
        opener: Option<Name>,
        fields: Typed,
        once: bool,
    ) -> Result<Opened, Problem> {
        let open = |by: Actor| self.opened(by, fields.clone());
        if once && let Some(ended) = self.ended().await? {
            return Ok(Opened::Repeated(Some(ended)));
        }
        let opened = match opener {
            None => open(self.system()).await,
            Some(person) => match open(Actor::Person(person)).await {
                Err(Error::Rejected(Rejection::NoSuchPerson { .. })) => open(self.system()).await,
                other => other,
            },
        };
        match opened {
            Ok(done) if done.again => Ok(Opened::Repeated(Some(done.id))),
            Ok(done) => Ok(Opened::New(done.id)),
            Err(Error::SameKey { ticket, .. }) => Ok(Opened::Other(Some(ticket))),
            // The same message, and a map that makes something else of it now.
            Err(Error::OtherCommand) => Ok(Opened::Repeated(None)),
            Err(error) => Err(error.into()),
        }
    }

    async fn opened(&self, by: Actor, mut fields: Typed) -> Result<Done, Error> {
        loop {
            let wish = Wish::Open {
                ticket: Name::default(),
                key: Some(self.key.clone()),
                parent: None,
                fields: fields.clone(),
            };
            let submission = self.submission("open", by.clone(), wish);
            let opened = self.handle.open_with(self.workflow, submission).await;
            if !is_joined(&opened, &mut fields) {
                return opened;
            }
        }
    }

    /// A ticket with this key that has ended, if none is open.
    async fn ended(&self) -> Result<Option<Name>, Problem> {
        let archive = self.handle.archive()?;
        let found = archive.by_key(self.workflow, &self.key, None, 1).await?;
        let newest = found.items.into_iter().next();
        Ok(newest
            .filter(|ticket| ticket.ended.is_some())
            .map(|ticket| ticket.id))
    }

    async fn submit(&self, what: &str, mut wish: Wish) -> Result<Move, Problem> {
        let target = Target::Key {
            workflow: self.workflow.clone(),
            key: self.key.clone(),
        };
        let moved = loop {
            let submission = self.submission(what, self.system(), wish.clone());
            let moved = self.handle.submit_to(target.clone(), submission).await;
            let is_to_try_again = match &mut wish {
                Wish::Message { fields, .. } => is_joined(&moved, fields),
                _ => false,
            };
            if !is_to_try_again {
                break moved;
            }
        };
        match moved {
            Ok(done) => Ok(Move::Done(done)),
            Err(Error::OtherCommand) => Ok(Move::Before),
            Err(Error::Rejected(Rejection::NotAwaited { .. })) => Ok(Move::NotAwaited),
            Err(Error::Rejected(Rejection::NotOpen | Rejection::HasEnded)) => Ok(Move::NotThere),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether nothing was wrong but that fields of one line had several; then they have one now. A system that
/// alarms rarely sends again what was refused, so that nothing is lost for a line break.
fn is_joined(tried: &Result<Done, Error>, fields: &mut Typed) -> bool {
    let Err(Error::Rejected(Rejection::Form { faults })) = tried else {
        return false;
    };
    let long = |fault: &FieldFault| match fault {
        FieldFault::Value {
            field,
            fault: ValueError::NotOneLine,
        } => Some(field.clone()),
        _ => None,
    };
    let Some(long) = faults.iter().map(long).collect::<Option<Vec<Name>>>() else {
        return false;
    };
    let mut is_changed = false;
    for (_, text) in fields.iter_mut().filter(|(field, _)| long.contains(field)) {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        is_changed |= joined != *text;
        *text = joined;
    }
    is_changed
}
