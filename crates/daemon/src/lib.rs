//! Upline as a service: an engine behind an HTTP API.
//!
//! [`Daemon::start`] opens the data folder, loads the workflows and the directory from a folder, starts the
//! engine, and answers requests under `/v1` until [`Daemon::stop`]. What callers send and get is told in the
//! repository's `docs/http-api.md`, the settings in `docs/command-line.md` under `serve`.
//!
//! # What it does not do yet
//!
//! **There is no TLS**, so a listener that others can reach belongs behind a proxy that has it. No pages but
//! those of links. Without a channel, messages are written into the log, a line each, and count as delivered.
//!
//! # Who decides
//!
//! The daemon holds no rules. A token stands for an [`Actor`](upline::core::Actor), and the core's table says
//! what that actor may do to a ticket, here as everywhere; the list of `actions` that a caller is shown is
//! asked of the same table. Of a role the daemon knows two things only: which actor its commands come from,
//! and whether it sees all tickets or those that have to do with it ([`tokens::Role`]).
//!
//! # Map
//!
//! | what | where |
//! |---|---|
//! | start and stop | [`Daemon`], [`Start`] |
//! | settings: file, environment, flags, and where each came from | [`settings`] |
//! | tokens, and the roles they have | [`tokens`] |
//! | passwords, and who has logged in by one | [`passwords`] |
//! | how a refusal looks | [`problem`] |
//! | letters, and the channels that send them | [`tell`] |
//! | mail that comes in | [`mailbox`] |
//! | the ids by which answers to mails are found | [`thread`] |
//! | secrets that the daemon makes for itself | [`keyfile`] |
//! | links by which people act from a message | [`links`] |
//! | what is wrong around it for as long as it is | [`alarms`] |
//! | the folder of workflows | [`folder`] |
//! | other systems that open tickets, and what their messages mean | [`inbound`] |
//! | every limit, by name | [`limits`] |
//! | a daemon to look at, which leaves nothing behind | [`demo`] |
//! | the routes | [`ROUTES`] |

pub mod alarms;
mod api;
mod daemon;
pub mod demo;
pub mod folder;
mod given;
pub mod heartbeat;
mod held;
pub mod inbound;
pub mod keyfile;
pub mod limits;
pub mod links;
mod log;
pub mod mailbox;
mod manager;
mod memory;
mod metered;
mod overrides;
mod paced;
pub mod passwords;
pub mod problem;
mod rates;
mod reload;
mod rest;
mod server;
pub mod settings;
mod signals;
mod start_error;
pub mod tell;
#[cfg(test)]
mod tests;
pub mod thread;
mod tls;
pub mod tokens;
mod watch;

pub use api::ROUTES;
pub use daemon::{Daemon, Start};
pub use log::{LogLevel, start_log};
pub use memory::use_small_pages;
pub use signals::Signals;
pub use start_error::StartError;
