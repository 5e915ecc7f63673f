//! One module a command: its arguments, and how its answer is printed.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod graph;
pub(crate) mod look;
pub(crate) mod migrate;
pub(crate) mod notify;
pub(crate) mod oncall;
pub(crate) mod password;
pub(crate) mod replay;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod simulate;
pub(crate) mod test;
pub(crate) mod tour;
pub(crate) mod verify;
