//! [`with_overrides`]: the text of a directory with more overrides in its schedules.

use std::collections::BTreeMap;

use upline_core::schedule::Override;
use upline_core::{Directory, Name, Schedule};

use crate::syntax::{Entry, Kind, Node, differs};
use crate::{Site, Sources, read_directory};

/// How many spaces each level stands further in.
const STEP: usize = 2;

/// The text of a directory in which these overrides are laid over what its schedules say, by the name of the
/// schedule: each as the last one written. Everything else means what it meant; comments are left out.
///
/// `None` if the text is no directory without mistakes, if it has not one of the schedules or people, or if
/// it would be larger than a file may be.
///
/// ```
/// use std::collections::BTreeMap;
/// use jiff::civil::date;
/// use upline_core::{Name, schedule::Override};
/// use upline_dsl::{Sources, read_directory, with_overrides};
/// let text = "
/// directory: desk
/// last-resort: user ann
/// people: { ann: { mail: ann@example.com }, bob: { mail: bob@example.com } }
/// schedules:
///   duty:
///     rotation: { every: 1 week, from: 2026-03-02 08:00, members: [ann, bob] }
/// ";
/// let night = Override {
///     from: date(2026, 3, 6).at(20, 0, 0, 0),
///     to: date(2026, 3, 7).at(8, 0, 0, 0),
///     on_call: Name::from("bob"),
///     instead_of: Some(Name::from("ann")),
/// };
/// let more = BTreeMap::from([(Name::from("duty"), vec![night])]);
/// let text = with_overrides("desk.yaml", text, &more).expect("it has both of them");
/// let (directory, _) = read_directory(&mut Sources::new(), "desk.yaml", text);
/// let duty = &directory.expect("it is right").value.schedules["duty"];
/// assert_eq!(duty.on_call("2026-03-06T23:00:00Z".parse()?).unwrap(), "bob");
/// # Ok::<(), jiff::Error>(())
/// ```
#[must_use]
pub fn with_overrides(
    file: impl Into<Name>,
    text: &str,
    more: &BTreeMap<Name, Vec<Override>>,
) -> Option<String> {
    let file = file.into();
    let read = |text: &str| read_directory(&mut Sources::new(), file.clone(), text).0;
    let before = read(text)?;
    let mut root = before.spans.root().clone();
    for (schedule, overrides) in more {
        add(&mut root, schedule, overrides)?;
    }
    let mut text = String::new();
    write_block(&mut text, &root, 0);
    let meant = laid(before.value, more)?;
    // Whatever a text can be written as: what is answered means what was meant.
    let after = read(&text)?.value;
    (format!("{after:?}") == format!("{meant:?}")).then_some(text)
}

/// The directory as it is meant to be read.
fn laid(mut directory: Directory, more: &BTreeMap<Name, Vec<Override>>) -> Option<Directory> {
    for (name, overrides) in more {
        let schedule = directory.schedules.get_mut(name)?;
        let mut parts = schedule.parts().clone();
        parts.overrides.extend(overrides.iter().cloned());
        *schedule = Schedule::new(parts).ok()?;
    }
    Some(directory)
}

fn add(root: &mut Node, schedule: &Name, overrides: &[Override]) -> Option<()> {
    let at = root.at;
    let map = entries(value(entries(root)?, "schedules")?)?;
    let parts = entries(value(map, schedule)?)?;
    let items = overrides.iter().map(|one| item(one, at));
    match value(parts, "overrides") {
        None => parts.push(entry("overrides", Kind::List(items.collect()), at)),
        Some(known) => {
            // A single one needs no brackets.
            if !matches!(known.kind, Kind::List(_)) {
                let single = known.clone();
                known.kind = Kind::List(vec![single]);
            }
            if let Kind::List(all) = &mut known.kind {
                all.extend(items);
            }
        }
    }
    Some(())
}

fn entries(node: &mut Node) -> Option<&mut Vec<Entry>> {
    match &mut node.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    }
}

fn value<'a>(entries: &'a mut [Entry], key: &str) -> Option<&'a mut Node> {
    let mut entries = entries.iter_mut();
    let found = entries.find(|entry| entry.key == *key)?;
    Some(&mut found.value)
}

fn item(one: &Override, at: Site) -> Node {
    let text = |key: &str, text: String| {
        let (text, plain) = (Name::new(text), false);
        entry(key, Kind::Text { text, plain }, at)
    };
    let time = |time: &jiff::civil::DateTime| time.strftime("%F %T").to_string();
    let mut entries = vec![
        text("from", time(&one.from)),
        text("to", time(&one.to)),
        text("on-call", one.on_call.to_string()),
    ];
    let instead_of = one.instead_of.as_ref();
    entries.extend(instead_of.map(|other| text("instead-of", other.to_string())));
    let kind = Kind::Map(entries);
    Node { at, kind }
}

fn entry(key: &str, kind: Kind, at: Site) -> Entry {
    Entry {
        key: Name::new(key),
        key_at: at,
        value: Node { at, kind },
    }
}

/// Writes what stands behind a key or a dash, and ends the line. What is in it stands at this column.
fn write_value(text: &mut String, node: &Node, column: usize) {
    match &node.kind {
        Kind::Map(entries) if entries.is_empty() => text.push_str(" {}\n"),
        Kind::List(items) if items.is_empty() => text.push_str(" []\n"),
        Kind::Map(_) | Kind::List(_) => {
            text.push('\n');
            write_block(text, node, column);
        }
        Kind::Empty | Kind::Broken => text.push('\n'),
        Kind::Text { text: said, plain } => {
            text.push(' ');
            // A text that was folded from several lines can't go on as it stood.
            match *plain && !said.contains('\n') {
                true => text.push_str(said),
                false => quote(text, said),
            }
            text.push('\n');
        }
    }
}

/// A map or a list, a line for each of its parts. It is no deeper than a file may be.
fn write_block(text: &mut String, node: &Node, column: usize) {
    let indent = |text: &mut String| {
        text.extend(std::iter::repeat_n(' ', column));
    };
    match &node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                indent(text);
                let key = &entry.key;
                let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
                let is_plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.chars().all(is_word)
                    && differs(key).is_none();
                match is_plain {
                    true => text.push_str(key),
                    false => quote(text, key),
                }
                text.push(':');
                write_value(text, &entry.value, column + STEP);
            }
        }
        Kind::List(items) => {
            for item in items {
                indent(text);
                text.push('-');
                write_value(text, item, column + STEP);
            }
        }
        _ => write_value(text, node, column),
    }
}

/// In quotation marks. Other characters that would need an escape are in no file of the language.
fn quote(text: &mut String, said: &str) {
    text.push('"');
    for c in said.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const FLOW: &str = r#"{ directory: d, last-resort: user ann, people: { ann: { mail: a@b.example },
        bob: { name: "B: \"the\" # \\ builder", mail: b@b.example } }, schedules: { duty: {
        rotation: { every: 1 week, from: 2026-03-02 08:00, members: [ann, bob] } } } }"#;

    fn night(day: i8, on_call: &str, instead_of: Option<&str>) -> Override {
        Override {
            from: date(2026, 3, day).at(20, 0, 30, 0),
            to: date(2026, 3, day + 1).at(8, 0, 0, 0),
            on_call: Name::from(on_call),
            instead_of: instead_of.map(Name::from),
        }
    }

    fn more(schedule: &str, all: &[Override]) -> BTreeMap<Name, Vec<Override>> {
        BTreeMap::from([(Name::from(schedule), all.to_vec())])
    }

    fn overrides(text: &str, schedule: &str) -> Vec<Override> {
        let (read, found) = read_directory(&mut Sources::new(), "d.yaml", text);
        let read = read.unwrap_or_else(|| panic!("{text}\n{found:?}"));
        let schedule = &read.value.schedules[schedule];
        schedule.parts().overrides.clone()
    }

    #[test]
    fn the_shipped_directory_keeps_its_meaning_and_has_more_overrides() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../workflows/directory.yaml"
        );
        let text = std::fs::read_to_string(path).unwrap();
        let one = night(20, "mei", Some("jonas"));
        // What else it means is compared by the function itself.
        let first = with_overrides(
            "d.yaml",
            &text,
            &more("platform-first", std::slice::from_ref(&one)),
        );
        let first = first.unwrap();
        let known = overrides(&text, "platform-first");
        assert_eq!(known.len(), 1);
        let all = overrides(&first, "platform-first");
        assert_eq!(
            all,
            [known, vec![one]].concat(),
            "the new one is laid on top"
        );
        let shifts = night(21, "lea", None);
        let second = with_overrides(
            "d.yaml",
            &first,
            &more("desk-shifts", std::slice::from_ref(&shifts)),
        );
        assert_eq!(overrides(&second.unwrap(), "desk-shifts"), [shifts]);
    }

    #[test]
    fn every_way_to_write_a_schedule_takes_them() {
        let two = [night(6, "bob", Some("ann")), night(7, "ann", None)];
        let laid = with_overrides("d.yaml", FLOW, &more("duty", &two)).unwrap();
        assert_eq!(overrides(&laid, "duty"), two);
        let with = |written: &str| {
            let text = format!(
                "directory: d\nlast-resort: user ann\npeople:\n  ann: {{ mail: a@b.example }}\n  \
                 bob:\n    mail: b@b.example\n    name: Bob\n      Stone\nschedules:\n  值班:\n    \
                 rotation: {{ every: 1 week, from: 2026-03-02 08:00, members: [ann] }}\n{written}"
            );
            let laid = with_overrides("d.yaml", &text, &more("值班", &two));
            overrides(&laid.unwrap_or_else(|| panic!("{text}")), "值班").len()
        };
        assert_eq!(with(""), 2);
        assert_eq!(with("    overrides: []\n"), 2);
        let single = "{ from: 2026-03-01, to: 2026-03-01, on-call: bob }";
        assert_eq!(with(&format!("    overrides: {single}\n")), 3);
        assert_eq!(with(&format!("    overrides: [{single}, {single},]\n")), 4);
        assert_eq!(with(&format!("    overrides:\n    - {single} # why\n")), 3);
        let block = "    overrides:\n      - from: 2026-03-01\n        \
                     to: 2026-03-01\n        on-call: bob\n";
        assert_eq!(with(block), 3);
    }

    #[test]
    fn what_the_directory_has_not_is_not_laid() {
        let lay = |text: &str, more| with_overrides("d.yaml", text, &more);
        assert_eq!(lay(FLOW, more("desk", &[night(6, "bob", None)])), None);
        assert_eq!(lay(FLOW, more("duty", &[night(6, "eve", None)])), None);
        assert_eq!(
            lay(FLOW, more("duty", &[night(6, "bob", Some("eve"))])),
            None
        );
        let back = Override {
            to: date(2026, 3, 1).at(0, 0, 0, 0),
            ..night(6, "bob", None)
        };
        assert_eq!(lay(FLOW, more("duty", &[back])), None);
        for text in ["workflow: w", "directory: d", "", "{"] {
            assert_eq!(lay(text, more("duty", &[])), None, "{text}");
        }
        assert!(lay(FLOW, BTreeMap::new()).is_some());
    }
}
