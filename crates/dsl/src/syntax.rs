//! YAML text to a tree in which every node knows where it stands. The only place that knows the parser.
//!
//! The parser is `granit-parser`, the event parser inside `serde-saphyr`: serde stops at the first wrong
//! shape and guesses types, while the events give every mistake at once and leave text text (`no`, `1e3`,
//! `22:22`).

mod build;
mod explain;
mod node;
mod plain;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use build::parse;
pub use node::{Entry, Kind, Node};
pub(crate) use plain::differs;
pub(crate) use text::decode;

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Most nodes (texts, lists and maps) in a file.
pub const MAX_NODES: usize = 100_000;

/// Deepest nesting of lists and maps; a button in a branch of a branch is at 13.
pub const MAX_DEPTH: usize = 32;
