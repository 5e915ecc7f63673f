//! The engine: a writer with a thread, messages with their senders, and the handle that callers have.

#[cfg(feature = "sled")]
mod archive;
mod contacts;
mod follow;
mod handle;
mod meet;
mod operator;
mod shell;
mod submission;

#[cfg(feature = "sled")]
#[cfg(test)]
mod callers;
#[cfg(feature = "sled")]
#[cfg(test)]
mod ended;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod journals;
#[cfg(test)]
mod kill;
#[cfg(feature = "sled")]
#[cfg(test)]
mod old;
#[cfg(feature = "sled")]
#[cfg(test)]
mod said;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc;
#[cfg(feature = "sled")]
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::{Clock, SystemClock};
use crate::disk::RealDisk;
use crate::error::{Error, StartError};
use crate::floor::Incident;
#[cfg(feature = "sled")]
use crate::index::{Event, Follower, FollowerOptions, Index, IndexHandle, IndexOptions};
use crate::notify::{Notifier, Silent};
use crate::outbox::OutboxOptions;
use crate::record::File;
use crate::store::{LogOptions, LogStore, MemoryStore, Store, StoreError};
use crate::vault::system_entropy;
use crate::writer::Writer;

#[cfg(feature = "sled")]
pub use archive::Archive;
pub(crate) use handle::check;
pub use handle::{Handle, MAX_PAGE, Page};
use shell::{Mail, NOTHING_FORGOTTEN, Shell};
pub use submission::{MAX_COMMAND_BYTES, MAX_WHO_BYTES, Submission};

/// Most commands that wait for their commit; one more is refused with [`Error::Busy`].
pub const MAX_WAITING: usize = 8192;

/// What is told to the operator.
type OnIncident = Box<dyn FnMut(Incident) + Send>;

/// Work that takes long, beside whoever waits for it; where there is no runtime, in its own thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.ok(),
        Err(_) => Some(work()),
    }
}

/// What an engine is made of. Everything has a default: a store in memory, the system's clock, nobody told.
pub struct Builder {
    store: Box<dyn Store>,
    clock: Arc<dyn Clock>,
    notifier: Arc<dyn Notifier>,
    outbox: OutboxOptions,
    files: Vec<File>,
    on_incident: OnIncident,
    seed: u64,
    remembered: usize,
    keep_history: Option<Duration>,
    #[cfg(feature = "sled")]
    index: Option<(IndexHandle, FollowerOptions)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            store: Box::new(MemoryStore::new()),
            clock: Arc::new(SystemClock::new()),
            notifier: Arc::new(Silent),
            outbox: OutboxOptions::default(),
            files: Vec::new(),
            on_incident: Box::new(|_| ()),
            seed: u64::from(std::process::id()),
            remembered: usize::MAX,
            keep_history: None,
            #[cfg(feature = "sled")]
            index: None,
        }
    }
}

impl Builder {
    /// Where tickets are kept.
    #[must_use]
    pub fn store(mut self, store: impl Store + 'static) -> Self {
        self.store = Box::new(store);
        self
    }

    /// Keeps tickets in this folder: the journal, and what follows from it. An empty folder, or one that is
    /// not there, becomes a data folder.
    ///
    /// With the feature `sled`, on by default, `index` in it is kept too, for questions about tickets that
    /// have ended ([`Handle::archive`]): by a thread of its own, which no command waits for.
    ///
    /// # Errors
    /// [`StoreError`] if another process has it, or it is something else's.
    pub fn folder(self, path: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        let disk = Arc::new(RealDisk::new(path.as_ref()));
        let store = LogStore::open(disk, LogOptions::default(), system_entropy())?;
        #[cfg(feature = "sled")]
        {
            let index = Index::in_folder(path.as_ref().join("index"), IndexOptions::default());
            let index = IndexHandle::new(index);
            let store = store.listener(index.clone());
            Ok(self.store(store).index(index, FollowerOptions::default()))
        }
        #[cfg(not(feature = "sled"))]
        Ok(self.store(store))
    }

    /// Keeps an index of all tickets; the store must tell it of its journal, as
    /// [`LogStore::listener`] does. [`Builder::folder`] sees to both.
    #[cfg(feature = "sled")]
    #[must_use]
    pub fn index(mut self, index: IndexHandle, options: FollowerOptions) -> Self {
        self.index = Some((index, options));
        self
    }

    /// How many commands the engine remembers in memory at most, 115 bytes each, so that one that comes again
    /// with its id is answered and not carried out again: 262,144 unless fewer are asked for. Beyond that,
    /// for 7 days, the index does.
    #[must_use]
    pub fn remember_at_most(mut self, commands: usize) -> Self {
        self.remembered = commands;
        self
    }

    /// For how long history is kept; without this for ever. What ended longer ago is removed for good, so
    /// that the folder does not grow for ever: tickets can't be found any more, their keys are destroyed, and
    /// segments of the journal are removed. It is at least [`MIN_HISTORY`](crate::store::log::MIN_HISTORY), 7
    /// days, and up to a quarter longer than said here; a snapshot has to have been made in time, and that
    /// takes real time, also if a clock is moved by hand. A shorter time, or a store without such a rule, is
    /// an error of [`Builder::start`].
    #[must_use]
    pub fn keep_history(mut self, keep: Duration) -> Self {
        self.keep_history = Some(keep);
        self
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Who tells people.
    #[must_use]
    pub fn notifier(mut self, notifier: impl Notifier + 'static) -> Self {
        self.notifier = Arc::new(notifier);
        self
    }

    /// How messages are tried.
    #[must_use]
    pub fn outbox(mut self, options: OutboxOptions) -> Self {
        self.outbox = options;
        self
    }

    /// A file to deploy at the start: a workflow or the directory, in YAML. One that holds already changes
    /// nothing.
    #[must_use]
    pub fn file(mut self, name: &str, text: impl Into<String>) -> Self {
        self.files.push(File {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// What to do with what an operator must know. It is called in the writer's thread and must return at
    /// once; if it panics, that one is lost and nothing else.
    #[must_use]
    pub fn on_incident(mut self, tell: impl FnMut(Incident) + Send + 'static) -> Self {
        self.on_incident = Box::new(tell);
        self
    }

    /// Starts the engine: reads the store, deploys the files, lets due clocks fire.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(self) -> Result<Engine, StartError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let mut store = self.store;
        if let Some(keep) = self.keep_history {
            store.keep_history(keep)?;
        }
        let feed = store.feed();
        let (sender, receiver) = mpsc::channel();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let recall = Arc::new(AtomicI64::new(NOTHING_FORGOTTEN));
        let shell = Shell {
            clock: Arc::clone(&self.clock),
            notifier: self.notifier,
            runtime,
            inbox: sender.clone(),
            on_incident: self.on_incident,
            recall: Arc::clone(&recall),
            stop: None,
        };
        let wake = sender.clone();
        self.clock.watch(Box::new(move || {
            // After the engine has stopped there is nobody to wake.
            let _ = wake.send(Mail::Wake);
        }));
        #[cfg(feature = "sled")]
        let (index, follower) = follow(self.index, &sender)?;
        let (store, outbox, seed) = (store, self.outbox, self.seed);
        let remembered = self.remembered;
        let thread = std::thread::Builder::new()
            .name("upline-writer".into())
            .spawn(move || {
                let writer = Writer::open(store, shell.clock.read(), outbox, seed);
                match writer {
                    Ok(mut writer) => {
                        writer.remember_at_most(remembered);
                        shell.recall(&writer);
                        // Whoever starts it waits for this.
                        let _ = started.send(Ok(()));
                        shell.run(&mut writer, &receiver);
                        // Before the store, whose lock keeps the whole folder.
                        #[cfg(feature = "sled")]
                        drop(follower);
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            })
            .map_err(StartError::Thread)?;
        match has_started.await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => {
                ended(thread).await;
                return Err(error.into());
            }
            Err(_) => return Err(StartError::Files(Box::new(Error::Stopped))),
        }
        let handle = Handle {
            writer: sender,
            room: Arc::new(Semaphore::new(MAX_WAITING)),
            recall,
            feed,
            #[cfg(feature = "sled")]
            index,
        };
        let engine = Engine {
            handle,
            thread: Some(thread),
        };
        if !self.files.is_empty()
            && let Err(error) = engine.handle.deploy(self.files).await
        {
            // The next one that is started finds the folder free.
            let _ = engine.stop().await;
            return Err(StartError::Files(Box::new(error)));
        }
        Ok(engine)
    }
}

/// A running engine. Dropping it stops it without waiting; [`Engine::stop`] waits.
#[derive(Debug)]
pub struct Engine {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// What an engine is made of.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What callers need; cheap to clone.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops: what was accepted is committed and answered, then the store is closed. Clocks and messages
    /// go on at the next start.
    ///
    /// # Errors
    /// [`Error::Stopped`] if it had stopped by itself before.
    pub async fn stop(self) -> Result<(), Error> {
        self.stop_within(Duration::ZERO).await
    }

    /// The same, but messages that a notifier is sending have so long, in real time, to be sent and noted as
    /// sent; none is begun any more. One that is cut off is sent again at the next start, under its key.
    ///
    /// # Errors
    /// As [`Engine::stop`].
    pub async fn stop_within(mut self, grace: Duration) -> Result<(), Error> {
        self.handle.send(Mail::Stop(grace))?;
        let Some(thread) = self.thread.take() else {
            return Err(Error::Stopped);
        };
        match ended(thread).await {
            true => Ok(()),
            false => Err(Error::Stopped),
        }
    }
}

/// Waits for a thread. Whether it has ended well.
async fn ended(thread: JoinHandle<()>) -> bool {
    let joined = tokio::task::spawn_blocking(move || thread.join()).await;
    matches!(joined, Ok(Ok(())))
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A writer that has ended needs no word.
        let _ = self.handle.send(Mail::Stop(Duration::ZERO));
    }
}

/// Starts the thread that keeps the index.
#[cfg(feature = "sled")]
fn follow(
    index: Option<(IndexHandle, FollowerOptions)>,
    inbox: &Sender<Mail>,
) -> Result<(Option<IndexHandle>, Option<Follower>), StartError> {
    let Some((index, options)) = index else {
        return Ok((None, None));
    };
    let inbox = inbox.clone();
    let tell = move |event| {
        let why = match event {
            Event::SetAside(aside) => {
                let folder = aside.folder.display();
                format!(
                    "it could not be used, is kept as `{folder}` and is built anew: {}",
                    aside.why
                )
            }
            Event::Failed { why } => why,
        };
        // After the engine has stopped nobody hears it; the next start finds the same.
        let _ = inbox.send(Mail::Told(Incident::Index { why }));
    };
    let follower = Follower::start(index.clone(), options, Box::new(tell));
    let follower = follower.map_err(StartError::Thread)?;
    Ok((Some(index), Some(follower)))
}
