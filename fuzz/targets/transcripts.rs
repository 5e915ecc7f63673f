//! Any text as a transcript, played against the shipped workflow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upline_lab::transcript::Prepared;

const WORKFLOW: &[u8] = include_bytes!("../../workflows/trouble-ticket.yaml");
const DIRECTORY: &[u8] = include_bytes!("../../workflows/directory.yaml");

fuzz_target!(|text: &str| {
    let mut read = |name: &str| match name {
        "directory.yaml" => Ok(DIRECTORY.to_vec()),
        _ => Ok(WORKFLOW.to_vec()),
    };
    let mut prepared = Prepared::new("trouble-ticket.test.txt", text, &mut read);
    if let Some(outcome) = prepared.run() {
        let blessed = outcome.blessed(&prepared.script);
        // What was blessed passes.
        let mut again = Prepared::new("trouble-ticket.test.txt", &blessed, &mut read);
        if let Some(second) = again.run() {
            assert!(second.passed(), "{}", second.diff(&again.script));
        }
    }
});
