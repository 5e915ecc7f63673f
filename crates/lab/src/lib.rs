//! Upline in virtual time: nothing in here does IO or reads a clock.
//!
//! * [`World`] is many tickets and a clock that only its caller moves; on it stands all the rest.
//! * [`transcript`] plays the tests that authors write, and says where the journal differs.
//! * [`simulate`] plays one ticket that does not exist, and [`forecast`] what lies ahead of one that does.
//! * [`explain`] says why a ticket is where it is, and [`render`] words every event once, for everybody.
//! * [`replay`] plays a recorded log of tickets against a workflow.
//! * [`oncall`] says who is on call, and [`graph`] draws a workflow.

mod chronicle;
pub mod explain;
pub mod forecast;
pub mod graph;
pub mod oncall;
pub mod render;
pub mod replay;
pub mod simulate;
pub mod timeline;
pub mod transcript;
pub mod world;

pub use world::World;

#[cfg(test)]
mod fixture;
