//! What spans the crates, in one test binary: house rules and documents that are run.
//!
//! `UPLINE_BLESS=1 cargo test` rewrites the expected output that stands in documents and transcripts.

// So that clippy knows this for tests, where a panic is the way to fail.
#![cfg(test)]

mod altered;
mod asking;
mod command_line;
mod configured;
mod data_folders;
mod demo;
mod documents;
mod harmed;
mod in_the_way;
mod limits;
mod log_codes;
mod logging_in;
mod looking;
mod minding;
mod notifying;
mod planned;
mod reference;
mod replay;
mod repository;
mod said;
mod service;
mod serving;
mod shipped;
mod standing_in;
mod tidy;
mod tls;
mod transcripts;
mod verifying;
mod versions;
mod walking;
