//! One module a command: its arguments, and how its answer is printed.

pub(crate) mod completions;
pub(crate) mod explain;
