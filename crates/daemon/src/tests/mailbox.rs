//! Mail that comes in: real folders, a real server, a real engine.

mod again;
mod answers;
mod dovecot;
mod flood;
mod hostile;
mod kit;
mod opening;
mod replied;
mod story;
