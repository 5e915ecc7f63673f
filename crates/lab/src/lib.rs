//! Upline in virtual time: nothing in here does IO or reads a clock.
//!
//! * [`World`] is many tickets and a clock that only its caller moves.
//! * [`graph`] draws a workflow.

mod chronicle;
pub mod explain;
pub mod forecast;
pub mod graph;
pub mod render;
pub mod replay;
pub mod simulate;
pub mod timeline;
pub mod transcript;
pub mod world;

pub use world::World;

#[cfg(test)]
mod fixture;
