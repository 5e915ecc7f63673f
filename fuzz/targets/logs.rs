//! Any bytes as a recorded log, and, before a form feed, as the mapping that says what it means.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upline_dsl::Sources;
use upline_lab::replay::{Log, LogFacts, Mapping};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0x0c);
    let mapping = parts.next().unwrap_or_default();
    let rows = parts.next().unwrap_or_default();
    let Ok(mapping) = std::str::from_utf8(mapping) else {
        return;
    };
    let (mapping, _) = Mapping::read(&mut Sources::new(), ("map.yaml", mapping));
    if let Some(mapping) = mapping
        && let Ok(log) = Log::read(rows, &mapping.value, &mut |_| {})
    {
        let facts = LogFacts::of(&log);
        assert!(facts.tickets <= log.rows);
    }
});
