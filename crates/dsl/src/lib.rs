//! YAML to Upline workflows and directories, with every mistake at its place.
//!
//! * [`read_workflow`] and [`read_directory`] read a file; [`load`] reads several that belong together.
//! * [`phrase`] reads the three small grammars of the leaves: who, when, how long.
//! * [`Directories`] says which file is the directory of a workflow; [`Files`] is who reads for it.
//! * [`check()`] reads them, too, and says all that is wrong with their meaning; [`lint()`] says that alone.
//! * [`with_overrides`] writes a directory anew, with more overrides in its schedules.
//! * [`Found`] collects what is wrong, all of it at once; each mistake is a [`Diagnostic`] with a [`Code`].
//! * [`render`] shows diagnostics to people and to programs; [`explain`] is the manual page of a code.

pub mod beside;
mod calls;
mod check;
pub mod code;
pub mod cron;
pub mod diagnostic;
pub mod files;
pub mod found;
mod keys;
mod lint;
mod load;
mod lower;
pub mod manual;
pub mod names;
mod overrides;
pub mod phrase;
pub mod reader;
pub mod render;
pub mod schema;
pub mod sources;
mod spans;
mod suggest;
mod syntax;
#[cfg(test)]
mod tests;
mod zone;

pub use beside::{Directories, Several, Sort};
pub use check::{Checked, check, check_loaded};
pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Site};
pub use files::{Content, File, Files, Unreadable, plain, shown};
pub use found::Found;
pub use lint::lint;
pub use load::{Loaded, Read, decode, load, read_directory, read_with, read_workflow};
pub use lower::limits;
pub use manual::explain;
pub use overrides::with_overrides;
pub use phrase::{Phrase, PhraseError, Reference};
pub use sources::{FileId, Position, Sources};
pub use spans::SpanMap;
pub use suggest::did_you_mean;
pub use zone::instant;
