//! Ticket escalation workflows that forget nothing, as a library.
//!
//! A command is answered only after its events are on disk, synced. The journal is the truth; everything
//! else (timers, the outbox, task lists, the index) follows from it and can be rebuilt from it.

pub mod disk;
pub mod record;
pub mod store;
pub mod vault;
