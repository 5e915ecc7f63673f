//! Any text as a transcript, played against the shipped workflow.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use upline_lab::transcript::Prepared;

const WORKFLOW: &[u8] = include_bytes!("../../workflows/trouble-ticket.yaml");
const DIRECTORY: &[u8] = include_bytes!("../../workflows/directory.yaml");

fuzz_target!(|text: &str| {
    let path = "trouble-ticket.test.txt";
    let files = [("trouble-ticket.yaml", WORKFLOW), ("directory.yaml", DIRECTORY)];
    let mut files: BTreeMap<PathBuf, Vec<u8>> =
        files.map(|(name, bytes)| (name.into(), bytes.to_vec())).into();
    let mut prepared = Prepared::new(path, text, &mut files);
    if let Some(outcome) = prepared.run() {
        let blessed = outcome.blessed(&prepared.script);
        // What was blessed passes.
        let mut again = Prepared::new(path, blessed, &mut files);
        if let Some(second) = again.run() {
            assert!(second.passed(), "{}", second.diff(&again.script));
        }
    }
});
