//! Following what happens: pages of the feed, with the ids of the tickets, and whose they are to see.

use std::collections::{BTreeMap, BTreeSet};

use upline_core::decide::concerns;
use upline_core::{Actor, Directory, Name, Ticket};

use super::{Handle, MAX_PAGE, aside};
use crate::error::Error;
use crate::feed::{EventId, Events, Feed, Happening, RawPage, Subject, Tide};
use crate::floor::{Fault, Floor, instant};
use crate::journal::FolderId;
use crate::record::Number;
use crate::store::{Store, StoreError};

/// Most tickets that the writer looks at in one go: between two such pieces, other people's commands have
/// their turn.
const LOOKED_AT_ONCE: usize = 64;

impl Handle {
    /// What has happened to all tickets behind `after`, the oldest first; without it, from the oldest that is
    /// kept. At most `limit` events, 1 to [`MAX_PAGE`]. Only what is on disk is told.
    ///
    /// It is read from the journal, beside the writer, who is asked for the ids of tickets that have not been
    /// met before.
    ///
    /// # Errors
    /// [`Error::TooOld`] if the retention rule has removed what was asked for, [`Error::Cursor`] if `after`
    /// has not happened yet (the journal was put back from a backup), [`Error::NoFeed`], and the others.
    pub async fn events(&self, after: Option<EventId>, limit: usize) -> Result<Events, Error> {
        let feed = self.feed()?;
        let reads = feed.clone();
        let limit = limit.clamp(1, MAX_PAGE);
        let page = aside(move || reads.read(after, limit)).await;
        let page = page.ok_or(Error::Stopped)??;
        self.named(feed, page).await
    }

    /// Before the oldest event that is kept.
    ///
    /// # Errors
    /// [`Error::NoFeed`]; [`Error::Stopped`].
    pub fn begin_of_events(&self) -> Result<EventId, Error> {
        self.feed()?.begin()
    }

    /// Behind what has happened until now: what to ask [`Handle::events`] with for what is to come.
    ///
    /// # Errors
    /// [`Error::NoFeed`]; [`Error::Stopped`].
    pub fn end_of_events(&self) -> Result<EventId, Error> {
        self.feed()?.end()
    }

    /// The identity of the data folder: with it the names of events are unique in the world.
    ///
    /// # Errors
    /// [`Error::NoFeed`]; [`Error::Stopped`].
    pub fn folder_id(&self) -> Result<FolderId, Error> {
        self.feed()?.folder()
    }

    /// Says when there is more to read. Make it, then read to the end, then wait: so nothing is missed.
    ///
    /// # Errors
    /// [`Error::NoFeed`].
    pub fn tide(&self) -> Result<Tide, Error> {
        Ok(self.feed()?.tide())
    }

    /// Which of these tickets have to do with somebody, as they are now; see
    /// [`concerns`](upline_core::decide::concerns). One that nobody knows any more has to do with nobody.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn concerning(
        &self,
        numbers: &BTreeSet<Number>,
        by: &Actor,
    ) -> Result<BTreeSet<Number>, Error> {
        let caller = by.clone();
        let see = move |people: Option<&Directory>, ticket: &Ticket| {
            people.is_some_and(|people| concerns(people, ticket, &caller))
        };
        let seen = self.at_hand(numbers, see).await?;
        let mut concerning: BTreeSet<Number> = BTreeSet::new();
        let directory = self.directory().await?;
        for (number, seen) in seen {
            let concerns = match (seen, &directory) {
                (Some(seen), _) => seen,
                (None, Some(directory)) => self.ended_concerns(number, directory, by).await?,
                (None, None) => false,
            };
            if concerns {
                concerning.insert(number);
            }
        }
        Ok(concerning)
    }

    fn feed(&self) -> Result<&Feed, Error> {
        self.feed.as_ref().ok_or(Error::NoFeed)
    }

    /// A page with the ids of its tickets.
    async fn named(&self, feed: &Feed, page: RawPage) -> Result<Events, Error> {
        let mut names: BTreeMap<Number, (Name, Name)> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for one in &page.items {
            if let Some((number, id, workflow)) = one.opened() {
                feed.remember(number, id.clone(), workflow.clone());
                names.insert(number, (id.clone(), workflow.clone()));
            }
            if let Some(number) = one.number
                && !names.contains_key(&number)
            {
                match feed.name(number) {
                    Some(known) => drop(names.insert(number, known)),
                    None => drop(unknown.insert(number)),
                }
            }
        }
        let name =
            |_: Option<&Directory>, ticket: &Ticket| (ticket.id.clone(), ticket.workflow.clone());
        for (number, found) in self.at_hand(&unknown, name).await? {
            let found = match found {
                Some(found) => Some(found),
                None => self.ended_name(number).await?,
            };
            // Of one that is not known any more nothing is remembered: it is rare, and costs a question.
            if let Some((id, workflow)) = found {
                feed.remember(number, id.clone(), workflow.clone());
                names.insert(number, (id, workflow));
            }
        }
        let subject = |number: Number| {
            let gone = || (Name::new(number.to_string()), Name::default());
            let (id, workflow) = names.get(&number).cloned().unwrap_or_else(gone);
            Subject {
                number,
                id,
                workflow,
            }
        };
        let items = page.items.into_iter().map(|one| Happening {
            id: one.id,
            at: instant(one.at),
            subject: one.number.map(subject),
            what: one.what,
        });
        Ok(Events {
            items: items.collect(),
            next: page.next,
            more: page.more,
        })
    }

    /// What can be said of tickets that are on the floor; `None` of those that are not.
    async fn at_hand<T: Send + 'static>(
        &self,
        numbers: &BTreeSet<Number>,
        say: impl Fn(Option<&Directory>, &Ticket) -> T + Clone + Send + 'static,
    ) -> Result<Vec<(Number, Option<T>)>, Error> {
        let numbers: Vec<Number> = numbers.iter().copied().collect();
        let mut all = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(LOOKED_AT_ONCE) {
            let (some, say) = (some.to_vec(), say.clone());
            let said = self.look(move |floor, store| {
                let people = floor.directory();
                let one = |number: Number| -> Result<(Number, Option<T>), Fault> {
                    let ticket = on_floor(floor, store, number)?;
                    Ok((number, ticket.map(|ticket| say(people.as_deref(), ticket))))
                };
                some.into_iter().map(one).collect::<Result<Vec<_>, Fault>>()
            });
            all.extend(said.await??);
        }
        Ok(all)
    }

    #[cfg(feature = "sled")]
    async fn ended_name(&self, number: Number) -> Result<Option<(Name, Name)>, Error> {
        let Ok(archive) = self.archive() else {
            return Ok(None);
        };
        let ticket = archive.numbered(number).await?;
        Ok(ticket.map(|ticket| (ticket.id, ticket.workflow)))
    }

    #[cfg(not(feature = "sled"))]
    async fn ended_name(&self, _: Number) -> Result<Option<(Name, Name)>, Error> {
        Ok(None)
    }

    #[cfg(feature = "sled")]
    async fn ended_concerns(
        &self,
        number: Number,
        directory: &Directory,
        by: &Actor,
    ) -> Result<bool, Error> {
        let Ok(archive) = self.archive() else {
            return Ok(false);
        };
        let Some(mut ticket) = archive.numbered(number).await? else {
            return Ok(false);
        };
        if concerns(directory, &ticket, by) {
            return Ok(true);
        }
        // One of its fields may name him.
        if !matches!(by, Actor::Person(_)) {
            return Ok(false);
        }
        ticket.fields = archive.fields(number).await?;
        Ok(concerns(directory, &ticket, by))
    }

    #[cfg(not(feature = "sled"))]
    async fn ended_concerns(&self, _: Number, _: &Directory, _: &Actor) -> Result<bool, Error> {
        Ok(false)
    }
}

/// A ticket, if it is on the floor and can be read.
fn on_floor<'f>(
    floor: &'f mut Floor,
    store: &mut dyn Store,
    number: Number,
) -> Result<Option<&'f Ticket>, Fault> {
    if !floor.has(number) {
        return Ok(None);
    }
    match floor.record(store, number) {
        Ok(record) => Ok(Some(&record.ticket)),
        // One that can't be read hides no other.
        Err(Fault::Store(StoreError::Ticket { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
