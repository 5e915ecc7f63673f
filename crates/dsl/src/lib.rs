//! YAML to Upline workflows and directories, with every mistake at its place.
//!
//! * [`phrase`] reads the three small grammars of the leaves: who, when, how long.
//! * [`Found`] collects what is wrong, all of it at once; each mistake is a [`Diagnostic`] with a [`Code`].
//! * [`render`] shows diagnostics to people and to programs; [`explain`] is the manual page of a code.

pub mod code;
pub mod diagnostic;
pub mod found;
pub mod manual;
pub mod names;
pub mod phrase;
pub mod render;
pub mod sources;
mod suggest;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Site};
pub use found::Found;
pub use manual::explain;
pub use phrase::{Phrase, PhraseError, Reference};
pub use sources::{FileId, Position, Sources};
pub use suggest::did_you_mean;
