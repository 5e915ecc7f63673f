//! The deterministic simulator: the engine's own code over a disk that loses power, fails and fills up,
//! clocks
//! that are set wrong, and peers that are slow, dead or lying. A seed makes a [`Plan`]; [`play`] plays it,
//! the
//! same in every detail each time; the [`oracle`] says whether anything was forgotten, done twice, done too
//! early or answered falsely.

pub mod authors;
pub mod clients;
pub mod counters;
mod differential;
pub mod every;
pub mod generate;
pub mod oracle;
pub mod peers;
pub mod plan;
pub mod random;
mod run;
pub mod shrink;
#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use differential::{both_stores, twice};
pub use plan::Plan;
pub use run::{Failure, Home, Outcome, play};
