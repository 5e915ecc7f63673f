//! Links in messages: who they let do what, and whom they don't.

pub(super) mod kit;
mod presses;
mod strangers;
mod void;
