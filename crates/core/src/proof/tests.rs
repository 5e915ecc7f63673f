//! Curves against calendars.
