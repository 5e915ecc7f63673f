use std::fs;
use std::path::Path;

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn letters(folder: &Path) -> (Letters, Alarms) {
    let alarms = Alarms::default();
    let letters = Letters::new(Language::En, Some(folder.to_owned()), alarms.clone());
    (letters, alarms)
}

#[test]
fn a_label_that_asks_gets_no_colon() {
    let (_, _, mut facts) = sample::all()
        .into_iter()
        .find(|(topic, _, facts)| *topic == "assigned" && !facts.fields.is_empty())
        .unwrap();
    let text = |language, facts: &Facts| {
        let parts = compose(&Templates::shipped(), "assigned", language, facts);
        parts.unwrap_or_else(|fault| panic!("{fault}")).text
    };
    facts.fields[0].label = "Who is affected?".to_owned();
    assert!(text(Language::En, &facts).contains("Who is affected?\n"));
    facts.fields[0].label = "影响谁？".to_owned();
    assert!(text(Language::Zh, &facts).contains("影响谁？\n"));
    facts.fields[0].label = "Problem".to_owned();
    assert!(text(Language::En, &facts).contains("Problem:\n"));
}

/// What the operator's templates write for the first sample of a topic with all that there can be.
fn written(letters: &Letters, topic: &str, language: Language) -> Result<Parts, TemplateFault> {
    let mut samples = sample::all().into_iter();
    let found = samples.find(|(of, tongue, facts)| {
        *of == topic && *tongue == language && !facts.actions.is_empty() && facts.ended.is_none()
    });
    let own = Arc::clone(&letters.own.read().unwrap());
    compose(&own, topic, language, &found.unwrap().2)
}

#[test]
fn every_shipped_template_writes_every_sample() {
    let shipped = Templates::shipped();
    for (topic, language, facts) in sample::all() {
        let parts =
            compose(&shipped, topic, language, &facts).unwrap_or_else(|fault| panic!("{fault}"));
        let html = parts.html.unwrap();
        assert!(
            parts.subject.contains("1 Call") || parts.subject.contains("10238"),
            "{}",
            parts.subject
        );
        for part in [&parts.subject, &parts.brief, &parts.text, &html] {
            assert!(
                !part.trim().is_empty() && !part.contains(['{', '}']) || *part == html,
                "{part}"
            );
            assert!(!part.contains("undefined"), "{part}");
        }
        assert!(!parts.subject.contains('\n') && !parts.brief.contains('\n'));
        assert!(
            html.contains(&format!("<html lang=\"{}", language.tag())),
            "{html}"
        );
        let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        assert_eq!(
            parts.text.contains(han),
            language == Language::Zh,
            "{}",
            parts.text
        );
        let link = "https://tickets.example.com/a/sample";
        if !facts.buttons.is_empty() && !["customer", "answered"].contains(&topic) {
            assert!(parts.text.contains(link), "{}", parts.text);
            assert!(html.contains("href=\"https:"), "{html}");
        } else {
            assert!(
                !parts.text.contains(link) && !html.contains("href="),
                "{html}"
            );
        }
    }
}

#[test]
fn both_languages_have_the_same_templates() {
    let names: Vec<&str> = templates::SHIPPED.iter().map(|(name, _)| *name).collect();
    for name in &names {
        if let Some((topic, rest)) = name.split_once(".en.") {
            assert!(
                names.contains(&format!("{topic}.zh.{rest}").as_str()),
                "{name}"
            );
        }
    }
    let shipped = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("letters")).unwrap();
    for file in shipped {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(&name.as_str()),
            "{name} is in the folder and not in the list"
        );
    }
}

#[test]
fn a_template_of_the_operators_takes_the_place_of_the_shipped_one() {
    let own = "Subject: Look at {{ ticket.id }}\n\nDear <b>{{ you.name }}</b>,\nplease look.\n\nThanks!\n";
    let folder = folder(&[
        ("assigned.en.txt", own),
        (".hidden", "{{"),
        ("assigned.en.txt~", "{{"),
    ]);
    let (letters, alarms) = letters(folder.path());
    assert_eq!(alarms.current(), []);
    let parts = written(&letters, "assigned", Language::En).unwrap();
    assert_eq!(parts.subject, "Look at 1");
    assert_eq!(
        parts.brief, "Look at 1",
        "without a brief it is the subject"
    );
    assert!(
        parts
            .text
            .starts_with("Dear <b>Lea Novak</b>,\nplease look.\n\nThanks!\n\n"),
        "{}",
        parts.text
    );
    let html = parts.html.unwrap();
    assert!(
        html.contains("<p>Dear &lt;b&gt;Lea Novak&lt;&#x2f;b&gt;,<br>please look.</p>"),
        "{html}"
    );
    assert!(html.contains("<p>Thanks!</p>"), "{html}");
    let chinese = written(&letters, "assigned", Language::Zh).unwrap();
    assert!(chinese.subject.contains("10238"), "the other ones stay");
}

#[test]
fn what_is_wrong_with_templates_is_told_with_file_and_line() {
    let long = format!(
        "x\n\n{{% for i in range(2000) %}}{}{{% endfor %}}\n",
        "0123456789".repeat(10)
    );
    let busy =
        "x\n\n{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}\n";
    for (name, text, line, message, help) in [
        (
            "assigned.en.txt",
            "Subject: x\n{% if %}",
            Some(2),
            "syntax error",
            "needs its end",
        ),
        (
            "assigned.en.txt",
            "Subject: {{ ticket.subjct }}\n",
            Some(1),
            "undefined value",
            "docs/telling.md",
        ),
        (
            "assigned.en.txt",
            "x\n\n{{ ticket.id.x.y }}\n",
            Some(3),
            "undefined value",
            "docs/telling.md",
        ),
        (
            "next.en.txt",
            "\n{{ nobody }}\n",
            Some(2),
            "undefined value",
            "docs/telling.md",
        ),
        (
            "assigned.en.txt",
            "x\n{% include \"/etc/passwd\" %}",
            Some(2),
            "template not found",
            "only the templates",
        ),
        (
            "assigned.en.txt",
            "x\n{% include \"assigned.en.txt\" %}",
            None,
            "",
            "",
        ),
        ("assigned.en.txt", busy, None, "fuel", "too many steps"),
        (
            "assigned.en.txt",
            &long,
            None,
            "more than 131072 bytes",
            "leave something out",
        ),
        (
            "asigned.en.txt",
            "x\n",
            None,
            "no letter uses this template",
            "did you mean `assigned.en.txt`?",
        ),
        (
            "readme.md",
            "x\n",
            None,
            "no letter uses this template",
            "take it out",
        ),
    ] {
        let folder = folder(&[(name, text)]);
        let (letters, alarms) = letters(folder.path());
        let faults = letters.reload();
        let fault = faults.first().unwrap_or_else(|| panic!("{name}: {text}"));
        assert_eq!(fault.file, folder.path().join(name), "{fault}");
        if line.is_some() {
            assert_eq!(fault.line, line, "{fault}");
        }
        assert!(
            fault.message.contains(message) && fault.help.contains(help),
            "{fault}"
        );
        assert_eq!(alarms.current()[0].0, "templates");
        // Mended, it is right.
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_eq!(letters.reload(), []);
        assert_eq!(alarms.current(), []);
    }
}

#[test]
fn a_folder_that_is_not_there_or_holds_no_text_is_told() {
    let (letters, _) = letters(Path::new("no/such/folder"));
    let faults = letters.reload();
    assert!(faults[0].message.contains("can't be read"), "{}", faults[0]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("outcome.en.txt"), b"\xff\xfe").unwrap();
    fs::create_dir(folder.path().join("next.zh.txt")).unwrap();
    let huge = "x".repeat(usize::try_from(MAX_TEMPLATE_BYTES).unwrap() + 1);
    fs::write(folder.path().join("offered.en.txt"), huge).unwrap();
    let (letters, _) = super::tests::letters(folder.path());
    let told = letters
        .reload()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    for expected in ["outcome.en.txt", "it is no file", "larger than 65536"] {
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn the_first_language_that_letters_are_written_in_counts() {
    let letters = Letters::new(Language::Zh, None, Alarms::default());
    let speaks = |tags: &[&str]| {
        let languages = tags.iter().map(|tag| (*tag).into()).collect();
        let person = Person {
            languages,
            ..Person::default()
        };
        letters.language_of(Some(&person))
    };
    assert_eq!(speaks(&["de", "en", "zh"]), Language::En);
    assert_eq!(speaks(&["zh-CN", "en"]), Language::Zh);
    assert_eq!(speaks(&["de", "fr"]), Language::Zh);
    assert_eq!(letters.language_of(None), Language::Zh);
}

/// What a sample says of a comment.
fn commented(topic: &str, language: Language, text: &str) -> Parts {
    let mut samples = sample::all().into_iter();
    let found = samples.find(|(of, tongue, facts)| {
        *of == topic && *tongue == language && facts.comment.is_some() && facts.ended.is_none()
    });
    let mut facts = found.unwrap().2;
    let comment = facts.comment.as_mut().unwrap();
    comment.text = clean::text(text);
    comment.lines = comment.text.lines().map(str::to_owned).collect();
    comment.brief = clean::clip(&clean::line(text), 160);
    compose(&Templates::shipped(), topic, language, &facts)
        .unwrap_or_else(|fault| panic!("{fault}"))
}

/// What others have written can't pass for what Upline writes.
#[test]
fn a_comment_stands_as_a_quotation() {
    let text = "Subject: free\n\nAccept:\nhttps://evil.example/a/1\n<b>now</b>";
    for language in [Language::En, Language::Zh] {
        let parts = commented("commented", language, text);
        assert!(parts.subject.contains("10238"), "{}", parts.subject);
        for line in [
            "> Subject: free",
            "> Accept:",
            "> https://evil.example/a/1",
            "> <b>now</b>",
        ] {
            assert!(
                parts.text.lines().any(|known| known == line),
                "{line}: {}",
                parts.text
            );
        }
        let html = parts.html.unwrap();
        assert!(html.contains("&gt; &lt;b&gt;now") && !html.contains("href=\"https://evil"));
    }
}

#[test]
fn a_customer_gets_all_of_an_answer_however_long_it_is() {
    for line in ["<tag> & \"word\" ", "退款", "x\n"] {
        let most = upline::core::value::MAX_TEXT_BYTES;
        let text = line.repeat((most - 8) / line.len()) + "the end";
        let parts = commented("answered", Language::En, &text);
        assert!(parts.text.contains("the end"), "{}", parts.text.len());
        assert!(parts.text.len() > most / 2 && parts.text.starts_with("Dear Lea"));
    }
    let parts = commented("answered", Language::Zh, "是线缆的问题。\n已修好。");
    assert!(parts.html.unwrap().contains("是线缆的问题。<br>已修好。"));
}
