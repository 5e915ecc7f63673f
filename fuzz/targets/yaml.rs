//! Any bytes as the files of an author: two files, so that a workflow meets a directory.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use upline_dsl::check;
use upline_dsl::render::{self, Colour};

fuzz_target!(|bytes: &[u8]| {
    // A form feed parts the two files; YAML has no use for it.
    let mut files = bytes.splitn(2, |byte| *byte == 0x0c);
    let first = files.next().unwrap_or_default();
    let second = files.next().unwrap_or_default();
    let files = [("first.yaml", first), ("second.yaml", second)];
    let checked = check(files, Timestamp::UNIX_EPOCH);
    // What is said about it must be sayable: every span lies within its text.
    for diagnostic in &checked.diagnostics {
        let shown = render::text(&checked.sources, diagnostic, Colour::Off);
        assert!(shown.contains(diagnostic.code.as_str()), "{shown}");
    }
});
