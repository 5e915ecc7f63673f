//! What an operator does with tickets that need one.

use upline_core::Name;

use super::submission::{is_who, must_fit};
use super::{Handle, MAX_PAGE, Page};
use crate::error::Error;
use crate::floor::{SetAside, Target};
use crate::record::Number;
use crate::writer::Input;

impl Handle {
    /// Tickets that are set aside, oldest first, behind the ticket number `after`, and why each is.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_aside(&self, after: Number) -> Result<Page<SetAside>, Error> {
        let found = self
            .look(move |floor, store| floor.all_set_aside(store, after, MAX_PAGE))
            .await?;
        let (items, next) = found?;
        Ok(Page { items, next })
    }

    /// Lets a ticket go on that was set aside, after what was wrong was put right. `by` is whoever says so:
    /// that is kept in the journal, and the ticket's timeline tells it. The ticket takes commands again, and
    /// its clocks fire, those that have fallen due meanwhile at once. If it still can't be moved, it is set
    /// aside again. A ticket that was not set aside goes on as it does.
    ///
    /// One that can't be read from its snapshot is read from the journal at the next start: start the engine
    /// again, and then release it.
    ///
    /// # Errors
    /// [`Error::SetAside`] if it can't be read, and [`Error`].
    pub async fn release(&self, ticket: &str, by: &str) -> Result<(), Error> {
        must_fit(&(ticket, by))?;
        is_who(by)?;
        let (target, by) = (Target::Id(Name::new(ticket)), Name::new(by));
        self.ask(|reply| Input::Release(target, by, reply)).await
    }
}
