//! Ticket escalation workflows that forget nothing, as a library.
//!
//! A workflow is a text: who must act, for how long, and who is next. An [`Engine`] runs tickets by it: it
//! keeps them, fires their clocks, hands them from one person to the next, and tells people. What a command
//! means is decided by [`core`], which is pure; the engine adds time, a disk and messages.
//!
//! # A first engine
//!
//! In memory, with a clock that is moved by hand. Nobody acts, so after a quarter of an hour somebody else is
//! answerable:
//!
//! ```
//! use std::time::Duration;
//!
//! use upline::Engine;
//! use upline::clock::ManualClock;
//! use upline::core::Actor;
//!
//! const DESK: &str = "
//! directory: acme
//! last-resort: user max
//! people: { ann: { mail: ann@example.com }, max: { mail: max@example.com } }
//! ";
//! const CALL: &str = "
//! workflow: call
//! start: asked
//! ladders: { climb: [{ after: 15 min, assign: user max }] }
//! states:
//!   asked: { assign: user ann, escalate: climb, actions: { done: { goto: closed } } }
//!   closed: { end: done }
//! ";
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::at("2026-03-06T09:00:00Z".parse()?);
//! let engine = Engine::builder()
//!     .clock(clock.clone())
//!     .file("desk.yaml", DESK)
//!     .file("call.yaml", CALL)
//!     .start()
//!     .await?;
//! let handle = engine.handle();
//! let ticket = handle.open("call", Actor::Person("max".into()), vec![]).await?.id;
//! assert_eq!(handle.explain(&ticket).await?.positions[0].answerable, "ann");
//!
//! clock.forward(Duration::from_secs(15 * 60));
//! handle.settled().await?;
//! assert_eq!(handle.explain(&ticket).await?.positions[0].answerable, "max");
//!
//! handle.act(&ticket, Actor::Person("max".into()), "done").await?;
//! handle.settled().await?;
//! assert!(handle.ticket(&ticket).await?.is_none(), "it has ended, and its last message is sent");
//! engine.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Without `.clock(..)` the system's clock counts. With `.folder(path)?` tickets are kept in a folder and go
//! on at the next start; without it they are in memory and gone with the engine. With `.notifier(..)` people
//! are told; without it nobody is. Whole programs are in the repository's `examples`: `embed`,
//! `custom_notifier`, `custom_store`, `test_your_workflow`.
//!
//! # What an answer means
//!
//! * **`Ok`**: it is on disk, synced. It survives the process and the power, as far as the disk keeps what it
//!   says that it has synced. (In memory: until the engine ends.)
//! * **A command with an id is carried out once.** Whoever gives it again with the same [`Submission::id`] is
//!   answered as before ([`Done::again`]). The last 262,144 commands are remembered, and with an index those
//!   of 7 days. Without an id, a command that is given twice is carried out twice.
//! * **A message is sent at least once**, unless it is about something that is over before its turn comes. It
//!   is written in the commit of what caused it, and tried until it is delivered, refused, or has failed for
//!   24 hours ([`drive::OutboxOptions`]). All tries bear one [`key`](notify::Message::key), by which a peer
//!   recognises a second copy.
//! * **A clock fires once**, in the same commit as what it does. One that fell due while nobody ran fires at
//!   the start.
//! * **An error leaves nothing changed**, but for two. [`Error::Unknown`]: the store failed while the command
//!   was being written, and nobody knows yet. [`Error::Stopped`]: the engine may have ended between the
//!   commit and the answer. Give the command again with the same id.
//! * [`Error::Busy`] and [`Error::Unavailable`] pass: too many wait, the disk is full or has failed. A full
//!   disk is tried again every 5 seconds, a store that has failed is opened again after 15 at the latest.
//!   Damage does not pass: commands are refused, and the operator is told.
//! * **It looks after itself.** Every commit is audited, and slow passes over all open tickets go on behind
//!   commits ([`Audit`]): an open ticket without an answerable person or an armed clock is an
//!   [`Incident::Gap`]. A ticket that can't be read or moved is set aside, [`Incident::SetAside`]: it alone
//!   stands still, until [`Handle::release`]. Clocks that fire more than [`OVERDUE`] late are an
//!   [`Incident::Overdue`], messages that lie for longer than [`drive::OutboxOptions::alarm_after`] an
//!   [`Incident::Outbox`]; each is told once when it begins and once when it is over. All incidents go to
//!   [`Builder::on_incident`], and the figures behind them are in [`Handle::status`]. Nothing of this wakes
//!   an idle engine.
//!
//! How this was tried is told in the repository's `docs/reliability.md`; what is in a data folder, and what
//! to do when it is damaged, in `docs/data-folder.md`; the journal's bytes in `docs/journal-format.md`.
//!
//! # What runs where
//!
//! An engine is started within a tokio runtime. One thread of its own, `upline-writer`, decides, commits and
//! answers; what came in while it synced is the next commit. A snapshot and the journal's next segment are
//! made in threads of their own (`upline-snapshot`, `upline-segment`) while commits go on, and the index is
//! kept by one more, which is nice to the others. Messages are sent in tasks of the runtime: a notifier may
//! hang or panic and holds up no clock. A [`Handle`] is cheap to clone and may be used from any task or
//! thread; [`Builder::on_incident`] is called in the writer's thread and must return at once.
//!
//! # Map
//!
//! | what | where |
//! |---|---|
//! | start, command, ask | [`Engine`], [`Builder`], [`Handle`], [`Submission`], [`Error`] |
//! | a ticket as one person meets it | [`Handle::meet`], [`Met`] |
//! | how it is, and what an operator must know | [`Status`], [`Audit`], [`Incident`], [`SetAside`] |
//! | tickets that have ended, and erasing them | `Archive`, by `Handle::archive` (feature `sled`) |
//! | what happens to all tickets, and when there is more | [`feed`], [`Handle::events`] |
//! | tell people | [`notify`] |
//! | time, and tests that move it | [`clock`] |
//! | a loop of one's own instead of threads | [`drive`] |
//! | where tickets are kept, and a store of one's own | [`store`]; [`store::log`] on disk, with its backups |
//! | the truth on disk, byte by byte | [`journal`]; what stands in it: [`record`] |
//! | keys for what is personal | [`vault`] |
//! | every ticket there ever was | `index` (feature `sled`) |
//! | what is in a folder, and what to do about it | [`doctor`], [`journal::verify()`] |
//! | a ticket's explanation and forecast, and a migration's plan, without an engine | [`look`] |
//! | every operation on files, real and simulated | [`disk`] |
//! | the words, and what a command means | [`core`] |
//! | text to workflows, with every mistake at its place | [`dsl`] |
//! | virtual time: transcripts, forecast, replay of logs | [`lab`] |
//!
//! # Features
//!
//! * `sled` (on by default): an engine on a folder keeps an index of all tickets there ever were, in sled,
//!   behind the journal. It answers `Handle::archive`: tickets that have ended, by id, by another system's
//!   key, by state, outcome, person, contact and time; their history; and it erases them and remembers
//!   commands for 7 days.
//!
//! Without it, or where sled can't be built, the engine runs all the same: no command ever waits for the
//! index, and no answer is decided by it. Tickets that have ended can't be found or erased then once they
//! have left memory, and of commands with an id the last 262,144 are remembered.
//!
//! # Limits
//!
//! | what | how much |
//! |---|---|
//! | processes that have one data folder open | 1 |
//! | commands and questions that wait; one more is [`Error::Busy`] | [`MAX_WAITING`]: 8,192 |
//! | tickets on a page | [`MAX_PAGE`]: 200 |
//! | bytes of a command; a larger one is [`Error::TooLarge`] | [`MAX_COMMAND_BYTES`]: 2 MiB |
//! | bytes of the name of whoever gives a command, and of its way | [`MAX_WHO_BYTES`]: 256 |
//! | bytes of a commit | [`store::MAX_COMMIT_BYTES`]: 16 MiB |
//! | messages under way at once | [`drive::OutboxOptions::at_once`]: 512 |
//! | how late a clock may be without an incident | [`OVERDUE`]: 5 s |
//! | how long a message may lie without an incident | [`drive::OutboxOptions::alarm_after`]: 10 minutes |
//! | the shortest time for which history is kept | [`store::log::MIN_HISTORY`]: 7 days |
//! | a jump of the clock that is believed at once, not only after 2 minutes | [`clock::JUMP`]: 10 minutes |
//!
//! Network file systems are not supported. History is kept for ever unless [`Builder::keep_history`] says for
//! how long; then what ended before is gone for good, and what is open stays whole. This crate sends nothing
//! by itself: a [`notify::Notifier`] does. The daemon, `upline serve`, has an HTTP API, mail out and in,
//! links in messages, and webhooks.

pub mod clock;
pub mod contact;
pub mod disk;
pub mod doctor;
pub mod drive;
mod engine;
mod error;
pub mod feed;
mod floor;
#[cfg(feature = "sled")]
pub mod index;
pub mod journal;
#[cfg(test)]
mod kit;
pub mod look;
pub mod notify;
mod outbox;
pub mod record;
pub mod store;
pub mod vault;
mod words;
mod writer;

#[cfg(feature = "sled")]
pub use engine::Archive;
pub use engine::{
    Builder, Engine, Handle, MAX_COMMAND_BYTES, MAX_PAGE, MAX_WAITING, MAX_WHO_BYTES, Page,
    Submission,
};
pub use error::{Error, StartError};
pub use floor::{
    Audit, Count, Deployed, Done, Filter, HistoryEntry, Incident, Met, SetAside, Status, Target,
};
/// Instants, spans and time zones, in the version that this crate's own functions take.
pub use jiff;
pub use upline_core as core;
pub use upline_dsl as dsl;
pub use upline_lab as lab;
/// What explanations and forecasts are asked for with.
pub use upline_lab::forecast::Horizon;
/// In which language, and in whose times, they are told.
pub use upline_lab::render::{Language, Times};
pub use writer::OVERDUE;
