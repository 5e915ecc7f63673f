//! Transcripts: a script and its journal in one text file, the tests that authors write.
//!
//! ```text
//! at 2026-03-06 17:20
//! > tom opens with caller "Mr Low", problem "no dial tone"
//!     Fri 17:20  state: new, tom
//! > tom open
//!     Fri 17:20  state: dispatched
//! ```
//!
//! A line `--- story TITLE` begins another story in the same file, with a clock and tickets of its own.
//! `at` moves the virtual clock, `>` is what people do, indented lines are the journal. Everything that
//! happens is a line, except what the step itself says already. [`Script::read`] reads a transcript,
//! [`run`] plays it, [`Outcome`] says where the journal differs and what the transcript would be with the
//! journal as it is.

mod coverage;
mod cursor;
mod deed;
mod lex;
#[cfg(test)]
mod manual;
mod moment;
mod outcome;
mod parse;
mod player;
mod prepare;
mod run;
mod script;
mod steps;
#[cfg(test)]
mod stories;
mod wishes;

pub use coverage::Coverage;
pub(crate) use deed::Deed;
pub use outcome::{Outcome, Played};
pub use player::{MAX_CLOCKS_PER_STEP, MAX_SKIP_DAYS};
pub use prepare::Prepared;
pub use run::{Setting, Tape, run, run_in, tapes};
pub use script::{MAX_BYTES, MAX_LINES, Origin, Script};
pub(crate) use steps::Steps;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
