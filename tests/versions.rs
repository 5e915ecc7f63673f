//! YAML 1.1 and 1.2: the shipped files are the same to tools of either.
//!
//! libyaml reads the syntax of 1.1; the rules by which each version gives an unquoted text a type are
//! those that
//! the versions publish (yaml.org/type for 1.1, section 10.3.2 of the specification for 1.2).

use granit_parser::{Event, Parser, ScalarStyle};
use libyaml_safer::EventData;
use regex_lite::Regex;

use crate::repository::{files_ending, read};

/// One event of a file, without what styles and comments make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    List,
    Map,
    End,
    Text { text: String, plain: bool },
}

/// The file as a tool of 1.1 reads it.
fn by_1_1(text: &str) -> Vec<Part> {
    let mut bytes = text.as_bytes();
    let mut parser = libyaml_safer::Parser::new();
    parser.set_input_string(&mut bytes);
    let mut parts = Vec::new();
    loop {
        match parser.parse().unwrap().data {
            EventData::StreamEnd => return parts,
            EventData::Scalar {
                value,
                plain_implicit,
                ..
            } => parts.push(Part::Text {
                text: value,
                plain: plain_implicit,
            }),
            EventData::SequenceStart { .. } => parts.push(Part::List),
            EventData::MappingStart { .. } => parts.push(Part::Map),
            EventData::SequenceEnd | EventData::MappingEnd => parts.push(Part::End),
            EventData::Alias { anchor } => panic!("an alias: {anchor}"),
            _ => (),
        }
    }
}

/// The file as our reader's parser reads it, which is one of 1.2.
fn by_1_2(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for event in Parser::new_from_str(text) {
        match event.unwrap().0 {
            Event::Scalar(value, style, ..) => parts.push(Part::Text {
                text: value.to_string(),
                plain: style == ScalarStyle::Plain,
            }),
            Event::SequenceStart(..) => parts.push(Part::List),
            Event::MappingStart(..) => parts.push(Part::Map),
            Event::SequenceEnd | Event::MappingEnd => parts.push(Part::End),
            Event::Alias(..) => panic!("an alias"),
            _ => (),
        }
    }
    parts
}

/// What an unquoted text is. Octal numbers are a type of their own here: `017` is another number to each.
type Types = Vec<(&'static str, Regex)>;

fn types(rules: &[(&'static str, &str)]) -> Types {
    let rule = |(name, rule): &(&'static str, &str)| {
        (*name, Regex::new(&format!("^(?:{rule})$")).unwrap())
    };
    rules.iter().map(rule).collect()
}

fn types_1_1() -> Types {
    types(&[
        ("null", "~|null|Null|NULL|"),
        (
            "bool",
            "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        ),
        ("octal", "[-+]?0[0-7_]+"),
        (
            "int",
            "[-+]?0b[0-1_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
        ),
        ("base 60", r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        (
            "float",
            r"[-+]?([0-9][0-9_]*)?\.[0-9.]*([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        ),
        (
            "timestamp",
            concat!(
                r"[0-9]{4}-[0-9]{2}-[0-9]{2}|",
                r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?",
                r"(([ \t]*)(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?",
            ),
        ),
        ("merge", "<<"),
        ("value", "="),
    ])
}

fn types_1_2() -> Types {
    types(&[
        ("null", "~|null|Null|NULL|"),
        ("bool", "true|True|TRUE|false|False|FALSE"),
        ("octal", "0o[0-7]+"),
        ("int", "[-+]?[0-9]+|0x[0-9a-fA-F]+"),
        (
            "float",
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        ),
    ])
}

fn type_of(types: &Types, text: &str) -> &'static str {
    let found = types.iter().find(|(_, rule)| rule.is_match(text));
    found.map_or("text", |(name, _)| name)
}

/// What the two make different of a file.
fn differences(text: &str) -> Vec<String> {
    let (old, new) = (by_1_1(text), by_1_2(text));
    let mut found = Vec::new();
    if old != new {
        let pairs = old.iter().zip(&new).find(|(old, new)| old != new);
        found.push(format!("read differently from here on: {pairs:?}"));
    }
    let (rules_1_1, rules_1_2) = (types_1_1(), types_1_2());
    for part in &new {
        if let Part::Text { text, plain: true } = part {
            let types = (type_of(&rules_1_1, text), type_of(&rules_1_2, text));
            if types.0 != types.1 {
                found.push(format!("`{text}` is {} or {}", types.0, types.1));
            }
        }
    }
    found
}

#[test]
fn shipped_files_are_the_same_in_yaml_1_1_and_1_2() {
    let mut wrong = Vec::new();
    let mut read_files = 0;
    for path in files_ending(&[".yaml"]) {
        if path.starts_with("workflows/") || path.starts_with("examples/") {
            read_files += 1;
            let found = differences(&read(&path));
            wrong.extend(found.iter().map(|what| format!("{path}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read_files >= 5);
}

#[test]
fn what_differs_is_found() {
    let differing = [
        "no",
        "On",
        "y",
        "22:22",
        "1:30:00",
        "2026-10-01",
        "017",
        "0o17",
        "1_000",
        "1e3",
        "=",
        "0b11",
        "2026-10-01 08:00:00",
    ];
    for text in differing {
        assert_eq!(differences(&format!("a: {text}\n")).len(), 1, "{text}");
        assert_eq!(differences(&format!("a: \"{text}\"\n")), [""; 0], "{text}");
    }
    for text in [
        "true",
        "12",
        "1.5",
        "15 min",
        "75%",
        "12-25",
        "2026-03-02 08:00",
        "null",
        "Sev 1",
    ] {
        assert_eq!(differences(&format!("a: {text}\n")), [""; 0], "{text}");
    }
}
