//! The pure core.

pub mod name;

pub use name::Name;
