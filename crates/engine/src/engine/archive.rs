//! Questions about all tickets there ever were, also those that have ended: answered by the index, and by the
//! journal where the index says that something is. The writer is asked only to open what is sealed.

use std::time::Duration;

use upline_core::{Name, Ticket, evolve};

use super::{Handle, Page, aside};
use crate::error::Error;
use crate::floor::Done;
use crate::index::{
    Counts, Cursor, Filter, History, HistoryCursor, Index, IndexError, IndexHandle, Lag, Standing,
    State,
};
use crate::journal::{Mark, Position};
use crate::record::{CommandId, Entry, Millis, Moved, Number, Record};
use crate::store::Listener;
use crate::writer::Input;

/// For how long a question waits for the index to have everything that was answered before it was asked.
const WAIT: Duration = Duration::from_secs(2);

/// An index that is so many commits behind is not waited for.
const FAR_BEHIND: u64 = 20_000;

/// How often a question is asked again whose index was set aside meanwhile.
const TRIES: usize = 3;

/// Most commits that the writer opens at once: between two such pieces, other people's commands have their
/// turn.
const OPENED_AT_ONCE: usize = 32;

/// Most commits of a ticket that are read to find its fields.
const MAX_COMMITS: usize = 10_000;

/// All tickets there ever were, also those that have ended. Cheap to clone; see [`Handle::archive`].
///
/// What is answered has in it all that was answered before the question was asked. Where the index has not
/// come so far within two seconds, the answer is [`Error::Indexing`], which says how far it is. No command
/// waits for any of this.
///
/// ```
/// # use upline::core::{Actor, Wish};
/// # use upline::index::{Filter, Standing};
/// # use upline::Engine;
/// # const DESK: &str = "
/// # directory: acme
/// # last-resort: user max
/// # people: { max: { mail: max@example.com } }
/// # ";
/// # const CALL: &str = "
/// # workflow: call
/// # start: asked
/// # ladders: { climb: [{ after: 15 min, assign: user max }] }
/// # states:
/// #   asked: { assign: user max, escalate: climb, actions: { done: { goto: closed } } }
/// #   closed: { end: done }
/// # ";
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let engine = Engine::builder().folder(folder.path())?;
/// let engine = engine.file("desk.yaml", DESK).file("call.yaml", CALL).start().await?;
/// let handle = engine.handle();
/// let max = Actor::Person("max".into());
/// let opened = handle.open("call", max.clone(), vec![]).await?;
/// handle.act(&opened.id, max, "done").await?;
/// assert!(handle.ticket(&opened.id).await?.is_none(), "it is open no more");
///
/// let archive = handle.archive()?;
/// let ticket = archive.ticket(&opened.id).await?.expect("it was opened");
/// assert_eq!(ticket.ended.map(|ended| ended.outcome), Some("done".into()));
/// let ended = Filter::default().standing(Standing::Ended).state("done");
/// assert_eq!(archive.list(ended, None, 50).await?.items.len(), 1);
/// engine.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Archive {
    handle: Handle,
    index: IndexHandle,
}

impl Archive {
    pub(super) fn new(handle: Handle, index: IndexHandle) -> Self {
        Self { handle, index }
    }

    /// How it stands with the index.
    #[must_use]
    pub fn state(&self) -> State {
        self.index.state()
    }

    #[cfg(test)]
    pub(super) fn index(&self) -> &Index {
        self.index.index()
    }

    /// A ticket, open or ended, by its id, with its fields. Of several that have had it one after the other,
    /// the last. Its fields are empty if it was erased.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ticket(&self, id: &str) -> Result<Option<Ticket>, Error> {
        if let Some(open) = self.handle.ticket(id).await? {
            return Ok(Some(open));
        }
        let Some(record) = self.record(id).await? else {
            return Ok(None);
        };
        let mut ticket = record.ticket;
        ticket.fields = self.fields(record.number).await?;
        Ok(Some(ticket))
    }

    /// The tickets that another system knows by this key, newest first; their fields are not in it.
    ///
    /// # Errors
    /// [`Error::Cursor`], and the others.
    pub async fn by_key(
        &self,
        workflow: &str,
        key: &str,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Ticket, Cursor>, Error> {
        let (workflow, key) = (Name::new(workflow), Name::new(key));
        let ask = move |index: &Index| index.by_key(&workflow, &key, after.as_ref(), limit);
        Ok(tickets(self.ask(ask).await?))
    }

    /// The tickets of a contact.
    pub(super) async fn of_contact(
        &self,
        contact: &str,
        below: Number,
        limit: usize,
    ) -> Result<Page<Ticket>, Error> {
        let contact = contact.to_owned();
        let ask = move |index: &Index| index.of_contact(&contact, below, limit);
        let (records, next) = self.ask(ask).await?;
        let items = records.into_iter().map(|record| record.ticket).collect();
        Ok(Page { items, next })
    }

    /// Tickets that fit, at most [`MAX_PAGE`](crate::index::MAX_PAGE) at once; their fields are not in it. A
    /// page may be short, or empty, and have a next one all the same. See [`Index::list`] for the order.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a cursor of a list with another filter, and the others.
    pub async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Ticket, Cursor>, Error> {
        let ask = move |index: &Index| index.list(&filter, after.as_ref(), limit);
        Ok(tickets(self.ask(ask).await?))
    }

    /// How many tickets are in each state, or have each outcome.
    ///
    /// # Errors
    /// [`Error::Cursor`], and the others.
    pub async fn counts(
        &self,
        standing: Standing,
        workflow: Option<&str>,
        after: Option<Cursor>,
    ) -> Result<Counts, Error> {
        let workflow = workflow.map(Name::new);
        let ask = move |index: &Index| index.counts(standing, workflow.as_deref(), after.as_ref());
        self.ask(ask).await
    }

    /// What has happened to a ticket, open or ended, the last first; a few more than `limit` where a commit
    /// has several. What is personal is left out if the ticket was erased. Empty: there is no such ticket.
    /// Where the retention rule has removed the beginning, [`History::removed`] says up to when.
    ///
    /// # Errors
    /// [`Error::Cursor`] for a cursor of another ticket, and the others.
    pub async fn history(
        &self,
        id: &str,
        after: Option<HistoryCursor>,
        limit: usize,
    ) -> Result<History, Error> {
        match self.record(id).await? {
            Some(record) => self.steps(record.number, after, limit).await,
            None => Ok(History {
                steps: Vec::new(),
                next: None,
                removed: None,
            }),
        }
    }

    /// Destroys the key of a ticket that has ended.
    pub(super) async fn erase(&self, id: &str, by: Name) -> Result<(), Error> {
        let found = self.record(id).await?;
        let record = found.ok_or(Error::Rejected(upline_core::Rejection::NotOpen))?;
        if record.ticket.is_open() {
            return Err(Error::StillOpen);
        }
        let (number, key) = (record.number, record.key);
        self.handle
            .ask(|reply| Input::EraseEnded(number, key, by, reply))
            .await
    }

    /// What a command with this id did. All that the writer may have forgotten was carried out at `until` or
    /// before: only if the index has come so far it can say that there was none.
    pub(super) async fn done_before(
        &self,
        (id, wish): (CommandId, u64),
        until: Millis,
    ) -> Result<Option<Done>, Error> {
        let find = move |index: &Index| {
            let Some(seen) = index.command(&id)? else {
                return Ok((None, index.at()? > until));
            };
            Ok((Some(seen), true))
        };
        let found = match self.look(None, find).await {
            Ok(Some((found, true))) => found,
            // It may be behind, or gone; then all of it is needed.
            Ok(_) | Err(_) => self.ask(find).await?.0,
        };
        let Some(seen) = found else {
            return Ok(None);
        };
        if seen.wish != wish {
            return Err(Error::OtherCommand);
        }
        Ok(Some(Done {
            number: seen.number,
            id: seen.ticket,
            revision: seen.revision,
            again: true,
        }))
    }

    /// A ticket by its number; its fields are not in it.
    pub(super) async fn numbered(&self, number: Number) -> Result<Option<Ticket>, Error> {
        let record = self.ask(move |index| index.ticket(number)).await?;
        Ok(record.map(|record| record.ticket))
    }

    async fn record(&self, id: &str) -> Result<Option<Record>, Error> {
        let id = Name::new(id);
        self.ask(move |index| index.find(&id)).await
    }

    async fn steps(
        &self,
        number: Number,
        after: Option<HistoryCursor>,
        limit: usize,
    ) -> Result<History, Error> {
        let reader = self.index.reader();
        let mut history = self
            .ask(move |index| {
                let reader = reader.as_ref().ok_or(IndexError::NotOpen)?;
                index.history(reader, number, after, limit)
            })
            .await?;
        self.unseal(number, &mut history).await?;
        Ok(history)
    }

    /// Puts back what is personal, as far as its keys are there.
    async fn unseal(&self, number: Number, history: &mut History) -> Result<(), Error> {
        let is_sealed = |entry: &Entry| matches!(entry, Entry::Moved(it) if !it.sealed.is_empty());
        let sealed = history.steps.iter().filter(|step| is_sealed(&step.entry));
        let mut positions: Vec<Position> = sealed.map(|step| step.mark.position).collect();
        positions.dedup();
        let mut opened: Vec<(Position, Vec<Moved>)> = Vec::new();
        for some in positions.chunks(OPENED_AT_ONCE) {
            let some = some.to_vec();
            let read = self.handle.look(move |_, store| {
                let one = |position: Position| {
                    let commit = store.read(position.0)?;
                    let entries = commit.into_iter().flat_map(|commit| commit.entries);
                    let moves = entries.filter_map(|entry| match entry {
                        Entry::Moved(moved) if moved.number == number => Some(moved),
                        _ => None,
                    });
                    // The last first, as the steps are.
                    let mut moves: Vec<Moved> = moves.collect();
                    moves.reverse();
                    Ok((position, moves))
                };
                some.into_iter().map(one).collect::<Result<Vec<_>, _>>()
            });
            opened.extend(read.await?.map_err(|error| Error::from_store(&error))?);
        }
        let mut opened = opened.into_iter().peekable();
        let mut moves = Vec::new().into_iter();
        for step in &mut history.steps {
            if let Some((_, next)) = opened.next_if(|(position, _)| *position == step.mark.position)
            {
                moves = next.into_iter();
            }
            if let Entry::Moved(moved) = &mut step.entry
                && let Some(whole) = moves.next()
            {
                *moved = whole;
            }
        }
        Ok(())
    }

    /// The fields of a ticket that has ended, out of its history.
    pub(super) async fn fields(
        &self,
        number: Number,
    ) -> Result<std::collections::BTreeMap<Name, upline_core::Value>, Error> {
        let (mut steps, mut after, mut removed) = (Vec::new(), None, None);
        while steps.len() < MAX_COMMITS {
            let piece = self.steps(number, after, crate::index::MAX_PAGE).await?;
            steps.extend(piece.steps);
            (after, removed) = (piece.next, piece.removed);
            if after.is_none() {
                break;
            }
        }
        let mut ticket = match removed {
            Some(_) => self.at_base(number).await?,
            None => Ticket::default(),
        };
        for step in steps.into_iter().rev() {
            match step.entry {
                Entry::Moved(moved) => moved
                    .events
                    .iter()
                    .for_each(|event| evolve(&mut ticket, event)),
                Entry::Erased { .. } => ticket.fields.clear(),
                Entry::Files(_) | Entry::SetAside { .. } | Entry::Released { .. } => (),
            }
        }
        Ok(ticket.fields)
    }

    /// A ticket as it was where the journal begins, its fields too.
    async fn at_base(&self, number: Number) -> Result<Ticket, Error> {
        let reader = self.index.reader();
        let found = self.ask(move |index| {
            let reader = reader.as_ref().ok_or(IndexError::NotOpen)?;
            index.at_base(reader, number)
        });
        let Some(record) = found.await? else {
            return Ok(Ticket::default());
        };
        let opened = self.handle.look(move |_, store| store.unsealed(record));
        let opened = opened.await?.map_err(|error| Error::from_store(&error))?;
        Ok(opened.ticket)
    }

    /// Asks the index once it has all that was committed until now.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl Fn(&Index) -> Result<T, IndexError> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        for _ in 0..TRIES {
            let head = self.up_to_date().await?;
            if let Some(answer) = self.look(head, ask.clone()).await? {
                return Ok(answer);
            }
        }
        Err(self.how_far())
    }

    /// Asks the index as it is. `None`: it does not have the commit `head` any more, since it was set aside
    /// and another one is being built.
    async fn look<T: Send + 'static>(
        &self,
        head: Option<Mark>,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let index = self.index.index().clone();
        let asked = aside(move || {
            let generation = index.generation();
            let seq = |mark: Option<Mark>| mark.map_or(0, |mark| mark.seq);
            if seq(index.mark()?) < seq(head) {
                return Ok(None);
            }
            let answer = ask(&index)?;
            Ok((index.generation() == generation).then_some(answer))
        });
        let asked = asked.await.ok_or_else(broken_off)?;
        asked.map_err(|error| self.failed(&error))
    }

    /// Waits until the index has all that was committed until now; that is the last commit of it.
    async fn up_to_date(&self) -> Result<Option<Mark>, Error> {
        let Some(reader) = self.index.reader() else {
            return Err(Error::Indexing { done: 0, of: 0 });
        };
        let Some(head) = reader.head() else {
            return Ok(None);
        };
        if let State::Rebuilding { commits, of } = self.index.state()
            && of - commits > FAR_BEHIND
        {
            return Err(Error::Indexing { done: commits, of });
        }
        let index = self.index.clone();
        let waited = aside(move || index.wait(head.position, WAIT)).await;
        match waited.ok_or_else(broken_off)? {
            Ok(()) => Ok(Some(head)),
            Err(Lag::Behind) => Err(self.how_far()),
            Err(Lag::Failed(why)) => Err(Error::NoIndex(why)),
        }
    }

    fn how_far(&self) -> Error {
        let head = self.index.reader().and_then(|reader| reader.head());
        let of = head.map_or(0, |head| head.seq);
        match self.index.state() {
            State::Opening { checked, of } => Error::Indexing { done: checked, of },
            State::Rebuilding { commits, of } => Error::Indexing { done: commits, of },
            State::Following { behind } => Error::Indexing {
                done: of.saturating_sub(behind),
                of,
            },
            State::Failed { why } => Error::NoIndex(why),
            State::Stopped => Error::Stopped,
        }
    }

    fn failed(&self, error: &IndexError) -> Error {
        match error {
            IndexError::Cursor => Error::Cursor,
            IndexError::NotOpen | IndexError::Stopped => self.how_far(),
            IndexError::Broken(_) => {
                // Found by a question: it is set aside and built anew at once.
                self.index.committed();
                let head = self.index.reader().and_then(|reader| reader.head());
                Error::Indexing {
                    done: 0,
                    of: head.map_or(0, |head| head.seq),
                }
            }
            IndexError::Journal(_)
            | IndexError::Io { .. }
            | IndexError::Commit { .. }
            | IndexError::Trimmed { .. }
            | IndexError::Base(_)
            | IndexError::Keys(_) => Error::NoIndex(error.to_string()),
        }
    }
}

fn tickets(page: crate::index::Page<Record>) -> Page<Ticket, Cursor> {
    let records = page.items.into_iter();
    Page {
        items: records.map(|record| record.ticket).collect(),
        next: page.next,
    }
}

fn broken_off() -> Error {
    Error::NoIndex("the question was broken off".to_owned())
}
