//! A real server on a port of its own, a real client, and a clock that is moved by hand.

mod batch;
mod disk;
mod document;
mod events;
mod files;
mod floods;
mod inbound;
mod journey;
mod kit;
mod links;
mod log;
mod login;
mod mail;
mod mailbox;
mod openapi;
mod operator;
mod overrides;
#[expect(dead_code, reason = "a part is for the bench, which has this file too")]
pub(crate) mod peer;
#[expect(dead_code, reason = "a part is for the bench, which has this file too")]
pub(crate) mod post;
mod rates;
mod refusals;
mod reload;
mod service;
mod sight;
mod stop;
mod story;
mod table;
mod telling;
mod webhooks;
