//! Upline.
