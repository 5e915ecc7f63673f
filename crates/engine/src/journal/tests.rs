//! Tests of the journal as a whole, on the simulated disk.

mod basics;
mod crash;
mod damage;
mod flips;
mod format;
mod kit;
mod meanwhile;
mod random;
