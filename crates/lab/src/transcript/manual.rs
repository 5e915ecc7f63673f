//! The examples of the manual page `bad-transcript`, played.

use upline_dsl::manual::{DIRECTORY, Example, Kind, examples};
use upline_dsl::{Code, Found, Sources, load};

use super::{Script, Setting, run};

/// The codes of what is found, and what differs from the journal.
fn played(wrong: bool) -> (Vec<Code>, Option<String>) {
    let mut files: Vec<Example> = examples(Code::BadTranscript);
    files.retain(|file| file.wrong == wrong);
    let of = |kind| files.iter().find(move |file| file.kind == kind).unwrap();
    let workflow = of(Kind::Workflow).bytes.as_slice();
    let loaded = load([
        ("directory.yaml", DIRECTORY.as_bytes()),
        ("fault.yaml", workflow),
    ]);
    let setting = Setting::of(loaded.workflows, loaded.directory, None).unwrap();
    let (mut sources, mut found) = (Sources::new(), Found::new());
    let text = std::str::from_utf8(&of(Kind::Transcript).bytes).unwrap();
    let script = Script::read(&mut sources, "fault.test.txt", text, &mut found);
    let outcome = run(&script, &setting, &mut found);
    let codes = found.iter().map(|one| one.code).collect();
    (codes, outcome.map(|outcome| outcome.diff(&script)))
}

#[test]
fn the_manual_is_true_of_transcripts() {
    let (codes, _) = played(true);
    assert_eq!(codes, [Code::BadTranscript]);
    assert_eq!(played(false), (Vec::new(), Some(String::new())));
}
