//! The pure core of Upline: what a ticket is, what a command means for it, and what an event does to it.
//!
//! Nothing in here reads a clock, does IO, or iterates in random order; the crate's `clippy.toml` bans it.
//!
//! * [`Workflow`] and [`Directory`] are what authors wrote, checked (the crate `upline-dsl` makes them).
//! * [`Ticket`] is the state of one ticket, [`Command`] a wish, [`Event`] a fact, [`Rejection`] a refusal.
//! * [`decide()`] says what a command means now; [`evolve()`] applies a fact and never sees the workflow.

pub mod calendar;
pub mod command;
pub mod condition;
pub mod decide;
pub mod directory;
pub mod event;
mod evolve;
mod instant;
pub mod name;
pub mod proof;
mod quiet;
pub mod rejection;
pub mod schedule;
pub mod span;
pub mod table;
pub mod ticket;
pub mod value;
pub mod who;
pub mod workflow;
pub mod workload;

pub use calendar::{Calendar, CalendarError, CalendarParts};
pub use command::{Command, Typed, Wish};
pub use condition::Condition;
pub use decide::{Context, MigratedClocks, Migration, decide, migrate};
pub use directory::{Absence, Channel, Directory, Group, Person};
pub use event::{
    Cause, ClockMove, Event, Fact, Hop, LeftOut, Notice, PromiseChange, Reason, Recipient, StandIn,
    Topic,
};
pub use evolve::evolve;
pub use name::Name;
pub use proof::{Proof, prove};
pub use quiet::{Later, Quiet, QuietHours};
pub use rejection::{Because, FieldFault, MigrationFault, Rejection};
pub use schedule::{Schedule, ScheduleError, ScheduleParts};
pub use span::{Span, SpanCount, SpanError};
pub use table::Operation;
pub use ticket::{
    Actor, Branch, Clock, ClockId, ClockKind, Delivery, Holder, Level, Position, Ticket,
};
pub use value::{Field, FieldType, Label, Value, ValueError};
pub use who::{Base, Who};
pub use workflow::{Action, Place, State, StateKind, Work, Workflow};
pub use workload::Workload;

#[cfg(test)]
mod tests;
