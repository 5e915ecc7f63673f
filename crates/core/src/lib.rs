//! The pure core.

pub mod name;
pub mod span;

pub use name::Name;
pub use span::{Span, SpanCount, SpanError};
