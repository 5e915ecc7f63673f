//! Upline.
pub mod replay;
