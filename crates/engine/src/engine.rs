//! The engine: a writer with a thread, messages with their senders, and the handle that callers have.

mod handle;

#[cfg(test)]
mod journals;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::clock::{Clock, SystemClock};
use crate::disk::RealDisk;
use crate::error::Error;
use crate::floor::Incident;
use crate::notify::{Message, Notifier, SendError, Silent};
use crate::outbox::{MessageId, OutboxOptions};
use crate::record::File;
use crate::store::{LogOptions, LogStore, MemoryStore, Store, StoreError};
use crate::vault::system_entropy;
use crate::writer::{Input, Turn, Writer};

pub(crate) use handle::check;
pub use handle::{Handle, MAX_PAGE, Page, Submission};

/// Most commands that wait for their commit; one more is refused with [`Error::Busy`].
pub const MAX_WAITING: usize = 8192;

/// What is told to the operator.
type OnIncident = Box<dyn FnMut(Incident) + Send>;

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files that it was given.
    #[error(transparent)]
    Files(Box<Error>),
    /// There is no tokio runtime here to send messages on.
    #[error("an engine is started within a tokio runtime")]
    NoRuntime,
    /// The system gave no thread.
    #[error("the system gave no thread: {0}")]
    Thread(std::io::Error),
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
    /// # Errors
    /// [`StoreError`] if another process has it, or it is something else's.
    pub fn folder(self, path: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        let disk = Arc::new(RealDisk::new(path.as_ref()));
        let store = LogStore::open(disk, LogOptions::default(), system_entropy())?;
        Ok(self.store(store))
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

    /// What to do with what an operator must know.
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
        let (sender, receiver) = mpsc::channel();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let shell = Shell {
            clock: Arc::clone(&self.clock),
            notifier: self.notifier,
            runtime,
            inbox: sender.clone(),
            on_incident: self.on_incident,
        };
        let wake = sender.clone();
        self.clock.watch(Box::new(move || {
            // After the engine has stopped there is nobody to wake.
            let _ = wake.send(Mail::Wake);
        }));
        let (store, outbox, seed) = (self.store, self.outbox, self.seed);
        let thread = std::thread::Builder::new()
            .name("upline-writer".into())
            .spawn(move || {
                let writer = Writer::open(store, shell.clock.read(), outbox, seed);
                match writer {
                    Ok(writer) => {
                        // Whoever starts it waits for this.
                        let _ = started.send(Ok(()));
                        shell.run(writer, &receiver);
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            })
            .map_err(StartError::Thread)?;
        match has_started.await {
            Ok(Ok(())) => (),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(StartError::Files(Box::new(Error::Stopped))),
        }
        let handle = Handle::new(sender, Arc::new(Semaphore::new(MAX_WAITING)));
        let engine = Engine {
            handle,
            thread: Some(thread),
        };
        if !self.files.is_empty() {
            let deployed = engine.handle.deploy(self.files).await;
            deployed.map_err(|error| StartError::Files(Box::new(error)))?;
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
    pub async fn stop(mut self) -> Result<(), Error> {
        self.handle.send(Mail::Stop)?;
        let Some(thread) = self.thread.take() else {
            return Err(Error::Stopped);
        };
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Stopped),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A writer that has ended needs no word.
        let _ = self.handle.send(Mail::Stop);
    }
}

/// What the writer's thread receives.
pub(crate) enum Mail {
    Input(Box<Input>),
    /// Time has moved.
    Wake,
    Stop,
}

/// What surrounds the writer in its thread.
struct Shell {
    clock: Arc<dyn Clock>,
    notifier: Arc<dyn Notifier>,
    runtime: tokio::runtime::Handle,
    inbox: Sender<Mail>,
    on_incident: OnIncident,
}

impl Shell {
    fn run(mut self, mut writer: Writer, receiver: &Receiver<Mail>) {
        let mut inputs = Vec::new();
        let mut stopping = false;
        loop {
            let turn = writer.turn(self.clock.read(), inputs.drain(..));
            let wake = turn.wake;
            self.carry_out(turn);
            if writer.is_busy() {
                stopping |= take_all(receiver, &mut inputs);
                continue;
            }
            if stopping {
                return;
            }
            match self.wait(receiver, wake) {
                Some(Mail::Input(input)) => inputs.push(*input),
                Some(Mail::Stop) => stopping = true,
                Some(Mail::Wake) | None => (),
            }
            stopping |= take_all(receiver, &mut inputs);
        }
    }

    fn wait(&self, receiver: &Receiver<Mail>, wake: Option<Duration>) -> Option<Mail> {
        let rest = wake.unwrap_or(Duration::MAX);
        if rest.is_zero() {
            return None;
        }
        match self.clock.idle(rest) {
            Some(rest) => match receiver.recv_timeout(rest) {
                Ok(mail) => Some(mail),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Mail::Stop),
            },
            None => receiver.recv().ok().or(Some(Mail::Stop)),
        }
    }

    fn carry_out(&mut self, turn: Turn) {
        turn.incidents
            .into_iter()
            .for_each(|incident| (self.on_incident)(incident));
        for (id, message) in turn.messages {
            let notifier = Arc::clone(&self.notifier);
            let inbox = self.inbox.clone();
            self.runtime
                .spawn(async move { send(notifier, id, message, &inbox).await });
        }
    }
}

/// Sends one message in a task of its own, so that a notifier that panics has only failed.
async fn send(notifier: Arc<dyn Notifier>, id: MessageId, message: Message, inbox: &Sender<Mail>) {
    let task = tokio::spawn(async move { notifier.send(&message).await });
    let result = task.await.unwrap_or_else(|_| {
        Err(SendError::Temporary {
            reason: "the notifier has panicked".into(),
            after: None,
        })
    });
    // After the engine has stopped the message is tried again at the next start.
    let _ = inbox.send(Mail::Input(Box::new(Input::Sent(id, result))));
}

/// Takes what has come meanwhile: that is the next commit. Whether the engine is to stop.
fn take_all(receiver: &Receiver<Mail>, inputs: &mut Vec<Input>) -> bool {
    let mut stop = false;
    for mail in receiver.try_iter() {
        match mail {
            Mail::Input(input) => inputs.push(*input),
            Mail::Wake => (),
            Mail::Stop => stop = true,
        }
    }
    stop
}
