mod callers;
mod damage;
mod equal;
mod follow;
mod kit;
mod questions;
