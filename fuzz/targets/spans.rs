//! Any text as a span, and what calendars make of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upline_core::Calendar;
use upline_dsl::phrase::how_long;

fuzz_target!(|text: &str| {
    let Ok(span) = how_long(text) else { return };
    assert_eq!(how_long(&span.to_string()), Ok(span));
    let always = Calendar::around_the_clock("always");
    for from in [
        "1970-01-01T00:00:00Z",
        "2026-03-29T00:30:00Z",
        "2200-01-01T00:00:00Z",
    ] {
        let Ok(from) = from.parse() else { return };
        let to = always.after(from, span);
        assert!(to.is_none_or(|to| to > from), "{span}");
    }
});
