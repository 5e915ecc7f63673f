//! The tickets of somebody outside: of a caller, a customer, whoever stands in a field of the type `contact`.

use upline_core::Ticket;

use super::{Handle, MAX_PAGE, Page};
use crate::contact::comparable;
use crate::error::Error;
use crate::floor::{Fault, Floor};
use crate::record::Number;
use crate::store::{Store, StoreError};

/// Most tickets that a store without an index is asked for in one go: between two such pieces, other
/// people's commands have their turn.
const LOOKED_AT_ONCE: usize = 256;

impl Handle {
    /// The tickets with this contact in one of their fields, open and ended, the last opened first: those
    /// with lower numbers than `before`, or the last. At most `limit`, 1 to [`MAX_PAGE`]; their fields are
    /// not in it. Spellings of one number or address are one, see [`comparable`]. A ticket that was erased
    /// is not found. A page may be short, and have a next one all the same.
    ///
    /// What is answered has in it all that was answered before the question was asked: it comes from the
    /// index, or where tickets are kept in memory from there. No command waits for it.
    ///
    /// ```
    /// # use upline::core::Actor;
    /// # use upline::Engine;
    /// # const DESK: &str = "
    /// # directory: acme
    /// # last-resort: user max
    /// # people: { max: { mail: max@example.com } }
    /// # ";
    /// # const CALL: &str = "
    /// # workflow: call
    /// # start: asked
    /// # fields: { caller: { type: contact } }
    /// # ladders: { climb: [{ after: 15 min, assign: user max }] }
    /// # states:
    /// #   asked: { assign: user max, escalate: climb, form: [caller], actions: { done: { goto: closed } } }
    /// #   closed: { end: done }
    /// # ";
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::builder().file("desk.yaml", DESK).file("call.yaml", CALL).start().await?;
    /// let handle = engine.handle();
    /// let caller = vec![("caller".into(), "Mr Low <low@example.com>".into())];
    /// let opened = handle.open("call", Actor::Person("max".into()), caller).await?;
    /// let found = handle.of_contact("Low@example.com", None, 50).await?;
    /// assert_eq!(found.items[0].id, opened.id);
    /// # engine.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoIndex`] if the tickets are on disk and no index is kept, and [`Error`].
    pub async fn of_contact(
        &self,
        contact: &str,
        before: Option<Number>,
        limit: usize,
    ) -> Result<Page<Ticket>, Error> {
        let (below, limit) = (before.unwrap_or(Number::MAX), limit.clamp(1, MAX_PAGE));
        #[cfg(feature = "sled")]
        if let Ok(archive) = self.archive() {
            return archive.of_contact(contact, below, limit).await;
        }
        let mut page = Page {
            items: Vec::new(),
            next: None,
        };
        let Some(contact) = comparable(contact) else {
            return Ok(page);
        };
        let mut next = Some(below);
        while let Some(below) = next
            && page.items.len() < limit
        {
            let (wanted, left) = (contact.clone(), limit - page.items.len());
            let some = self.look(move |floor, store| some(floor, store, &wanted, below, left));
            let (found, goes_on) = some.await??.ok_or_else(none)?;
            page.items.extend(found);
            next = goes_on;
        }
        page.next = next;
        Ok(page)
    }
}

fn none() -> Error {
    Error::NoIndex("this engine keeps none".to_owned())
}

/// Tickets, and below which number to go on.
type Piece = (Vec<Ticket>, Option<Number>);

/// Those among the next tickets of a store that are the contact's. `None`: it has not all of them.
fn some(
    floor: &Floor,
    store: &mut dyn Store,
    contact: &str,
    below: Number,
    limit: usize,
) -> Result<Option<Piece>, Fault> {
    let Some(numbers) = store.all(below, LOOKED_AT_ONCE).map_err(Fault::Store)? else {
        return Ok(None);
    };
    let more = numbers.len() == LOOKED_AT_ONCE;
    let mut found = Vec::new();
    for number in &numbers {
        let record = match store.ticket(*number) {
            Ok(record) => record,
            // One that can't be read hides no other.
            Err(StoreError::Ticket { .. }) => None,
            Err(error) => return Err(Fault::Store(error)),
        };
        let ticket = record.map(|record| record.ticket);
        if let Some(mut ticket) = ticket.filter(|ticket| floor.is_of_contact(ticket, contact)) {
            ticket.fields.clear();
            found.push(ticket);
            if found.len() == limit {
                let is_last = !more && numbers.last() == Some(number);
                return Ok(Some((found, (!is_last).then_some(*number))));
            }
        }
    }
    Ok(Some((found, numbers.last().copied().filter(|_| more))))
}
