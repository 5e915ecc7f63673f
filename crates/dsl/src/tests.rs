//! Whole files: what they mean, and what is said about their mistakes.

use crate::{Found, Sources, load};

fn list(sources: &Sources, found: Found) -> String {
    let mut text = String::new();
    for one in found.into_sorted() {
        let at = sources.position(one.primary.file, one.primary.span.start);
        let slice = &sources.text(one.primary.file)[one.primary.span.clone()];
        text += &format!(
            "{}[{}] {}:{} `{}` {}",
            one.severity,
            one.code,
            at.line,
            at.column,
            slice.lines().next().unwrap_or_default(),
            one.message
        );
        if !one.primary.text.is_empty() {
            text += &format!(" ({})", one.primary.text);
        }
        if let Some(help) = &one.help {
            text += &format!(" [{help}]");
        }
        text += "\n";
    }
    text
}

fn shipped(name: &str) -> String {
    let path = format!("{}/../../workflows/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_shipped_ones_load() {
    let workflow = shipped("trouble-ticket.yaml");
    let directory = shipped("directory.yaml");
    let loaded = load([
        ("trouble-ticket.yaml", workflow.as_bytes()),
        ("directory.yaml", directory.as_bytes()),
    ]);
    assert_eq!(list(&loaded.sources, loaded.found), "");
    assert_eq!(loaded.workflows.len(), 1);
    assert!(loaded.directory.is_some());
    println!("{:#?}", loaded.workflows[0].value);
}
