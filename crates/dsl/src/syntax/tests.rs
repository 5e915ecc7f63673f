use super::*;
use crate::{Found, Sources};

/// The tree in one line: texts without quotation marks have a `.` before them, places are their source.
fn show(node: &Node, text: &str) -> String {
    let source = &text[node.at.span()];
    match &node.kind {
        Kind::Empty => "-".to_owned(),
        Kind::Broken => "!".to_owned(),
        Kind::Text { text, plain } if source == text.as_str() => {
            format!("{}{text}", if *plain { "." } else { "" })
        }
        Kind::Text { text, .. } => format!("{text:?} at {source:?}"),
        Kind::List(items) => {
            let items: Vec<_> = items.iter().map(|item| show(item, text)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(entries) => {
            let entry = |entry: &Entry| {
                assert_eq!(
                    text[entry.key_at.span()].trim_matches('"'),
                    entry.key.as_str()
                );
                format!("{}: {}", entry.key, show(&entry.value, text))
            };
            let entries: Vec<_> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn read(text: &str) -> (String, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("f.yaml", text);
    let mut found = Found::new();
    let root = parse(text, file, &mut found);
    let wrong = found.into_sorted().into_iter().map(|one| {
        let at = &text[one.primary.span.clone()];
        format!("{} {at:?} {}", one.code, one.message)
    });
    (
        root.map_or("none".to_owned(), |root| show(&root, text)),
        wrong.collect(),
    )
}

#[test]
fn a_tree_knows_its_places() {
    let text = concat!(
        "\u{FEFF}a: 1 # one\nb: [x y , 'it''s', \"q\"]\nc: { en: Hi, zh: 你好 }\n",
        "d:\nd2: ~\ne: |\n  two\n  lines\nf: no\n",
    );
    let (tree, wrong) = read(text);
    let expected = concat!(
        r#"{a: .1, b: [.x y, "it's" at "'it''s'", "q" at "\"q\""], c: {en: .Hi, zh: .你好}, "#,
        r#"d: -, d2: -, e: "two\nlines\n" at "two\n  lines\n", f: .no}"#
    );
    assert_eq!((tree.as_str(), wrong), (expected, Vec::new()));
}

#[test]
fn mistakes_do_not_hide_each_other() {
    let (tree, wrong) = read("a: &x 1\nb: *x\nc: *y\n<<: 3\na: 2\nno: 3\nd: !!str 4\ne: \"\\0\"\n");
    assert_eq!(tree, "{a: .1, b: !, c: !, no: .3, d: .4, e: !}");
    let expected = [
        r#"yaml-syntax "&x" `&x` names a part of the file, which this language does not do"#,
        r#"yaml-syntax "*x" `*` stands for a part of the file, which this language does not do; it is in the file 2 times"#,
        r#"yaml-syntax "<<" `<<` merges maps, which this language does not do"#,
        r#"duplicate-key "a" the key `a` stands here twice"#,
        r#"yaml-1-1 "no" some tools read the key `no` as false, others as a text"#,
        r#"yaml-syntax "4" tags such as `!!str` are not part of the language"#,
        r#"bad-text "\"\\0\"" this text has an escape for a character that nobody sees: U+0000"#,
    ];
    assert_eq!(wrong, expected);
}

#[test]
fn what_is_no_yaml_is_said_in_plain_words() {
    let cases = [
        (
            "a: [1, 2\nb: 3",
            r#"yaml-syntax ":" this `:` can't stand here"#,
        ),
        ("a: b: c", r#"yaml-syntax ":" this `:` can't stand here"#),
        ("a:\n\tb: 1", r#"yaml-syntax "\t" a tab indents this line"#),
        ("a: {x: 1", r#"yaml-syntax "{" this `{` is never closed"#),
        (
            "---\na: 1\n---\nb: 2",
            r#"yaml-syntax "---" a second document begins here"#,
        ),
        ("", r#"yaml-syntax "" there is nothing in this file"#),
        (
            "# only words\n",
            r#"yaml-syntax "" there is nothing in this file"#,
        ),
        (
            "a:\n  b: 1\n c: 2",
            r#"yaml-syntax "c" this line is indented differently from those it belongs to"#,
        ),
        (
            "a: @b",
            r#"yaml-syntax "@" no text can begin with this character"#,
        ),
        (
            "a: 'x",
            r#"yaml-syntax "'" this quotation mark is never closed"#,
        ),
        ("? [a]\n: b", r#"yaml-syntax "[a]" a key must be a text"#),
        (": b", r#"yaml-syntax "" there is no key before this `:`"#),
        (
            "%YAML 1.1\n---\na: 1",
            r#"yaml-syntax "%" lines that begin with `%` are not part of the language"#,
        ),
        (
            "a: \"x\" y",
            r#"yaml-syntax "y" something follows the closing quotation mark"#,
        ),
        ("a: \"\\q\"", r#"yaml-syntax "\"" there is no such escape"#),
        (
            "a: x\0",
            r#"bad-text "\0" here is a character that nobody sees: U+0000"#,
        ),
        (
            "a: \u{202E}x",
            "bad-text \"\\u{202e}\" here is a character that nobody sees: U+202E",
        ),
    ];
    for (text, expected) in cases {
        let (_, wrong) = read(text);
        assert_eq!(wrong, [expected], "{text:?}");
    }
}

#[test]
fn the_limits_hold() {
    let cases = [
        "[".repeat(10_000),
        "- ".repeat(10_000),
        "{a: ".repeat(10_000),
        (0..10_000)
            .map(|depth| format!("{}a:\n", " ".repeat(depth % 90)))
            .collect::<String>(),
        "x: [a, b]\n".repeat(40_000),
        "- a\n".repeat(MAX_NODES + 1),
    ];
    for text in cases {
        let (tree, wrong) = read(&text);
        assert_eq!(tree, "none", "{}", &text[..20]);
        assert_eq!(wrong.len(), 1, "{}", &text[..20]);
    }
    let deepest = format!("{}a{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(read(&deepest).1, [""; 0]);
}
