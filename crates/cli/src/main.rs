//! The `upline` binary.
fn main() {}
