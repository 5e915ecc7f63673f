//! What the engine is given by value, and the daemon has in another form.

use std::sync::Arc;

use upline::clock::Clock;
use upline::notify::{Message, Notifier, SendError, Sending};

use crate::log::LogOnly;
use crate::tell::{Back, Teller};

/// Tells people, or only the log.
pub(crate) struct Voice {
    pub(crate) teller: Option<Teller>,
    pub(crate) back: Arc<Back>,
}

impl Notifier for Voice {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let Some(teller) = &self.teller else {
            return LogOnly.send(message);
        };
        Box::pin(async move {
            let told = teller.send(message).await;
            if let Err(SendError::Permanent { reason }) = &told {
                self.back.tell(message, reason).await?;
            }
            told
        })
    }
}

/// The engine takes a clock by value.
pub(crate) struct Shared(pub(crate) Arc<dyn Clock>);

impl Clock for Shared {
    fn read(&self) -> upline::clock::Reading {
        self.0.read()
    }

    fn idle(&self, rest: std::time::Duration) -> Option<std::time::Duration> {
        self.0.idle(rest)
    }

    fn watch(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.0.watch(wake);
    }
}
