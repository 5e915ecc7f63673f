//! Links in messages: who they let do what, and whom they don't.

mod kit;
mod presses;
mod strangers;
mod void;
