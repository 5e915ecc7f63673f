//! What the engine is given by value, and the daemon has in another form.

use std::sync::Arc;

use upline::clock::Clock;
use upline::notify::{Message, Notifier, Sending};

use crate::log::LogOnly;
use crate::tell::Teller;

/// Tells people, or only the log.
pub(crate) struct Voice(pub(crate) Option<Teller>);

impl Notifier for Voice {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        match &self.0 {
            Some(teller) => teller.send(message),
            None => LogOnly.send(message),
        }
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
