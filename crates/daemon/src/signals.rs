//! What the system tells the process to do.

use tokio::signal::unix::{Signal, SignalKind, signal};
use upline::Error;

/// The signals that a daemon obeys. They are listened for from when this is made: one that nobody listens for
/// ends the process at once, so it is made before the daemon starts.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Stop,
    Reload,
}

impl Signals {
    /// Listens, in a runtime of tokio's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the system lets nobody listen.
    pub fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|error| Error::Unavailable(error.to_string()));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until the process is told to end, by SIGTERM or SIGINT. What it was told to read again meanwhile
    /// is forgotten: whoever starts reads everything.
    pub async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }

    pub(crate) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hang_up.recv() => Told::Reload,
        }
    }
}
