//! What is said to the commands about tickets.

use crate::language::Lang;

#[derive(clap::Args)]
pub(super) struct Open {
    /// The workflow
    pub(super) workflow: String,
    /// A field: `problem='no dial tone'`; once for each
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(super) fields: Vec<String>,
    /// The name by which another system knows it
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Given twice with one of these, it is opened once; by itself each call has its own
    #[arg(long, value_name = "KEY")]
    pub(super) idempotency_key: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Of this workflow
    #[arg(long)]
    pub(super) workflow: Option<String>,
    /// In this state; of ended ones, with this outcome
    #[arg(long)]
    pub(super) state: Option<String>,
    /// For which this person is answerable; `me` is the token's person
    #[arg(long, value_name = "PERSON")]
    pub(super) assignee: Option<String>,
    /// Offered to this person, who may claim it; `me` is the token's person
    #[arg(long, value_name = "PERSON")]
    pub(super) candidate: Option<String>,
    /// Of this caller: a number, an address or a name
    #[arg(long)]
    pub(super) contact: Option<String>,
    /// At this level: its number, `entry`, `last-resort`; open ones
    #[arg(long)]
    pub(super) level: Option<String>,
    /// With a clock that is due before that time, what is due first before the others
    #[arg(long, value_name = "TIME")]
    pub(super) due_before: Option<String>,
    /// newest or due: what is due first before the others; else newest
    #[arg(long, value_name = "ORDER")]
    pub(super) sort: Option<String>,
    /// open, ended, all; else open, and with --contact all
    #[arg(long, value_name = "WHICH")]
    pub(super) standing: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    pub(super) limit: usize,
    #[command(flatten)]
    pub(super) lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The ticket
    pub(super) id: String,
    #[command(flatten)]
    pub(super) lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct Ahead {
    #[command(flatten)]
    pub(super) one: One,
    /// How far to look
    #[arg(long, default_value_t = 366)]
    pub(super) days: u16,
}

#[derive(clap::Args)]
pub(super) struct Bare {
    /// The ticket
    pub(super) id: String,
    /// The branch, where a ticket is in several
    #[arg(long)]
    pub(super) branch: Option<String>,
    /// Only if the ticket is at this revision still
    #[arg(long, value_name = "NUMBER")]
    pub(super) revision: Option<u64>,
    #[command(flatten)]
    pub(super) lang: Lang,
}

#[derive(clap::Args)]
pub(super) struct Act {
    #[command(flatten)]
    pub(super) on: Bare,
    /// The action; `upline ticket show` lists those that are possible
    pub(super) action: String,
    /// A field of the form: `cause=Hardware`; once for each
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(super) fields: Vec<String>,
    /// What to say to it
    #[arg(long)]
    pub(super) note: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Why {
    #[command(flatten)]
    pub(super) on: Bare,
    /// Why
    #[arg(long)]
    pub(super) reason: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Because {
    #[command(flatten)]
    pub(super) on: Bare,
    /// Why
    #[arg(long)]
    pub(super) reason: String,
}

#[derive(clap::Args)]
pub(super) struct To {
    #[command(flatten)]
    pub(super) on: Bare,
    /// To whom
    #[arg(long, value_name = "PERSON")]
    pub(super) to: String,
    /// Why
    #[arg(long)]
    pub(super) reason: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Up {
    #[command(flatten)]
    pub(super) on: Bare,
    /// A level of the ladder, from 1
    #[arg(long)]
    pub(super) level: Option<u16>,
    /// Why
    #[arg(long)]
    pub(super) reason: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Until {
    #[command(flatten)]
    pub(super) on: Bare,
    /// Until when: `2026-03-06 17:20`, by the clocks of this machine, or with an offset
    #[arg(long, value_name = "TIME")]
    pub(super) until: String,
    /// Why
    #[arg(long)]
    pub(super) reason: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Say {
    #[command(flatten)]
    pub(super) on: Bare,
    /// What
    pub(super) text: String,
    /// The caller sees it: it is an answer to him
    #[arg(long)]
    pub(super) to_caller: bool,
}
