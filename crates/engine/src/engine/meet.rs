//! Questions of one caller: what he may see, and what he could do.

use std::sync::Arc;

use upline_core::{Actor, Directory, Name};

use super::Handle;
use crate::error::Error;
use crate::floor::{Met, Target};

impl Handle {
    /// The people as they are now; `None` until a directory was deployed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn directory(&self) -> Result<Option<Arc<Directory>>, Error> {
        self.look(|floor, _| floor.directory()).await
    }

    /// A ticket as this caller meets it: with all that he could do to it now, asked of the same table by
    /// which commands are decided. With an index also one that has ended. `None`: there is no such ticket.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn meet(&self, ticket: &str, by: &Actor) -> Result<Option<Met>, Error> {
        let (target, caller) = (Target::Id(Name::new(ticket)), by.clone());
        let open = self.look(move |floor, store| {
            let Some(number) = floor.find(&target) else {
                return Ok(None);
            };
            let ticket = floor.record(store, number)?.ticket.clone();
            floor.meet(ticket, &caller).map(Some)
        });
        let open = open.await??;
        #[cfg(feature = "sled")]
        if open.is_none()
            && let Ok(archive) = self.archive()
            && let Some(ended) = archive.ticket(ticket).await?
        {
            let caller = by.clone();
            let met = self.look(move |floor, _| floor.meet(ended, &caller));
            return Ok(met.await?.map(Some)?);
        }
        Ok(open)
    }
}
