use std::collections::BTreeMap;

use upline_core::value::Label;
use upline_core::{Field, FieldType, Name};

use super::{MAX_PHRASE_BYTES, PhraseError, Reference, how_long, when, who};

/// The fields that the conditions of the tests are about.
pub(super) fn fields() -> BTreeMap<Name, Field> {
    let options = |all: &[&str]| all.iter().copied().map(Name::from).collect();
    let kinds = [
        (
            "impact",
            FieldType::Choice(options(&["One person", "A team", "Everyone"])),
        ),
        (
            "media",
            FieldType::Choices(options(&[
                "Phone (desk)",
                "Mail, post",
                "Rock and Roll",
                "empty",
            ])),
        ),
        ("amount", FieldType::Number),
        ("urgent", FieldType::Flag),
        ("since", FieldType::Date),
        ("problem", FieldType::Text),
        ("owner", FieldType::Person),
        ("影响", FieldType::Choice(options(&["所有人", "一个人"]))),
    ];
    let field = |(name, kind): (&str, FieldType)| {
        let name = Name::from(name);
        let label = Label::plain(name.as_str());
        (
            name.clone(),
            Field {
                name,
                kind,
                label,
                option_labels: std::collections::BTreeMap::new(),
                required: false,
            },
        )
    };
    kinds.into_iter().map(field).collect()
}

fn shown(text: &str, error: &PhraseError) -> String {
    let PhraseError {
        code,
        message,
        label,
        ..
    } = error;
    let part = &text[error.range.clone()];
    format!("  {code}: {message}\n  at `{part}`: {label}")
}

fn reads(text: &str) -> String {
    match when(text, &fields()) {
        Ok(phrase) => phrase.value.to_string(),
        Err(error) => shown(text, &error),
    }
}

fn asks(text: &str) -> String {
    match who(text) {
        Ok(phrase) => phrase.value.to_string(),
        Err(error) => shown(text, &error),
    }
}

fn lasts(text: &str) -> String {
    match how_long(text) {
        Ok(span) => span.to_string(),
        Err(error) => shown(text, &error),
    }
}

#[test]
fn spans_read_as_people_write_them() {
    let same = [
        ("15 min", "15 min"),
        ("15min", "15 min"),
        ("15 minutes", "15 min"),
        (" 2hours ", "2 h"),
        ("1 h 30 min", "1 h 30 min"),
        ("1h30min", "1 h 30 min"),
        ("90 min", "1 h 30 min"),
        ("90 s", "1 min 30 s"),
        ("1 day", "1 day"),
        ("3 days", "3 days"),
        ("2 working days", "2 days"),
        ("1 working day", "1 day"),
        ("1 week around the clock", "7 days around the clock"),
        ("3 days around the clock", "3 days around the clock"),
        ("2 h around the clock", "2 h around the clock"),
        ("2 days 4 h around the clock", "52 h around the clock"),
        ("366 days", "366 days"),
    ];
    for (text, canonical) in same {
        assert_eq!(lasts(text), canonical, "{text}");
    }
}

#[test]
fn who_reads_every_phrase() {
    let canonical = [
        "assignee",
        "opener",
        "caller",
        "user",
        "user ann",
        "anyone in service-desk",
        "least busy in service-desk",
        "longest idle in service-desk",
        "next in service-desk",
        "another in service-desk",
        "on call for duty-officer",
        "lead of service-desk",
        "manager of service-desk",
        "who did accept",
        "another in desk with skill billing with skill english except assignee except who did fix",
        "who did resolve, else lead of desk with skill x, else user max",
        "least busy in 服务台 with skill 计费, else lead of 服务台",
    ];
    for text in canonical {
        assert_eq!(asks(text), text);
    }
    assert_eq!(
        asks("  lead   of desk else opener"),
        "lead of desk, else opener"
    );
    assert_eq!(
        asks("next in desk except opener with skill a"),
        "next in desk with skill a except opener"
    );
    let text = "on call for duty except user ann with skill 计费, else caller";
    let names = who(text).unwrap().names;
    let parts: Vec<_> = names
        .iter()
        .map(|(range, _)| &text[range.clone()])
        .collect();
    assert_eq!(parts, ["duty", "ann", "计费", "caller"]);
    assert_eq!(names[3].1, Reference::Field("caller".into()));
}

#[test]
fn when_reads_every_comparison() {
    let canonical = [
        "impact is Everyone",
        "impact is A team",
        "impact is not One person",
        "impact is one of [A team, Everyone]",
        "impact is not one of [A team, Everyone]",
        "impact is empty",
        "impact is not empty",
        "影响 is 所有人",
        "amount is over 12.50",
        "amount is under -3",
        "amount is 0",
        "urgent is true",
        "since before 2026-03-06",
        "since after 2026-03-06",
        "since is 2026-03-06",
        "problem is no dial tone",
        "problem is \"this and that\"",
        "owner is ann",
        "during office-hours",
        "outside office-hours",
        "impact is A team and amount is over 5 or urgent is true",
        "(impact is A team or urgent is true) and not (amount is over 5)",
    ];
    for text in canonical {
        let shown = reads(text);
        assert_eq!(reads(&shown), shown, "{text}");
        if !text.contains(" or urgent") {
            assert_eq!(shown, text);
        }
    }
    assert_eq!(
        reads("impact is A team and amount is over 5 or urgent is true"),
        "(impact is A team and amount is over 5) or urgent is true"
    );
    assert_eq!(reads("not impact is Everyone"), "impact is not Everyone");
    assert_eq!(reads("(((urgent is true)))"), "urgent is true");
    assert_eq!(reads("impact is 'A team'"), "impact is A team");
    assert_eq!(
        reads("media is Rock and Roll and urgent is true"),
        "media is \"Rock and Roll\" and urgent is true"
    );
    assert_eq!(reads("media is Phone (desk)"), "media is \"Phone (desk)\"");
    assert_eq!(
        reads("(media is one of [Mail, post, empty])"),
        "media is one of [\"Mail, post\", \"empty\"]"
    );
    assert_eq!(
        reads("media is \"empty\" or media is empty"),
        "media is \"empty\" or media is empty"
    );
    assert_eq!(
        reads("problem is \"say \"\"hi\"\" (it's)\""),
        "problem is \"say \"\"hi\"\" (it's)\""
    );
    assert_eq!(
        when("outside night and owner is ann", &fields())
            .unwrap()
            .names,
        [
            (8..13, Reference::Calendar("night".into())),
            (27..30, Reference::Person("ann".into()))
        ]
    );
}

/// `wrong.txt` shows what each wrong phrase is answered with.
#[test]
fn a_wrong_phrase_points_at_the_word_and_says_what_to_write() {
    let mut answers = String::new();
    let file = include_str!("wrong.txt");
    for line in file.lines().filter(|line| !line.starts_with("  ")) {
        let (kind, text) = line
            .split_once("> ")
            .unwrap_or((line.trim_end_matches('>'), ""));
        let answer = match kind {
            "how long" => lasts(text),
            "who" => asks(text),
            _ => reads(text),
        };
        assert!(
            answer.starts_with("  bad-") || answer.starts_with("  unknown-"),
            "{line}: {answer}"
        );
        answers.push_str(&format!("{line}\n{answer}\n"));
    }
    if std::env::var_os("UPLINE_BLESS").is_some() {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/phrase/wrong.txt"),
            &answers,
        )
        .unwrap();
    } else {
        assert_eq!(file, answers, "set UPLINE_BLESS=1 to accept");
    }
    let long = "x".repeat(MAX_PHRASE_BYTES + 1);
    assert_eq!(who(&long).unwrap_err().message, "the phrase is too long");
}
