//! `mistakes.txt`: files with mistakes, and what is said about them. `BLESS=1` writes down what is said now.

use super::check;

#[test]
fn each_mistake_is_told() {
    let path = format!("{}/src/tests/mistakes.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    let mut wrong = Vec::new();
    let (intro, cases) = text.split_once("=== ").unwrap();
    now += intro;
    for case in cases.split("\n=== ") {
        let (title, rest) = case.split_once('\n').unwrap();
        let (yaml, expected) = rest.split_once("\n---").unwrap();
        let said = check(&format!("{yaml}\n"));
        if said.trim() != expected.trim() {
            wrong.push(format!("=== {title}\n{yaml}\n--- now:\n{said}"));
        }
        now += &format!("=== {title}\n{yaml}\n---\n{said}\n");
    }
    let now = format!("{}\n", now.trim_end());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, now).unwrap();
    } else {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
