//! The grammars answer for every text, and what they read prints as a phrase that reads the same.

use jiff::civil::Date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use upline_core::span::{MAX_SPAN_DAYS, MAX_SPAN_SECONDS};
use upline_core::{Base, Condition, Name, Span, SpanCount, Value, Who};

use super::tests::fields;
use super::{MAX_PHRASE_BYTES, PhraseError, how_long, when, who};
use crate::Code;

fn name() -> impl Strategy<Value = Name> {
    "[a-zß-ö一-三][a-z0-9_-]{0,8}"
        .prop_map(Name::from)
        .prop_filter("a bare word must not be a keyword", |name| {
            !matches!(
                name.as_str(),
                "except" | "with" | "else" | "assignee" | "opener"
            )
        })
}

fn base() -> impl Strategy<Value = Base> {
    let named: Vec<fn(Name) -> Base> = vec![
        Base::Contact,
        Base::User,
        Base::AnyoneIn,
        Base::LeastBusy,
        Base::LongestIdle,
        Base::NextIn,
        Base::AnotherIn,
        Base::OnCall,
        Base::LeadOf,
        Base::ManagerOf,
        Base::WhoDid,
    ];
    prop_oneof![
        Just(Base::Assignee),
        Just(Base::Opener),
        (prop::sample::select(named), name()).prop_map(|(base, name)| base(name)),
    ]
}

fn any_who() -> impl Strategy<Value = Who> {
    let link = (
        base(),
        prop::collection::vec(base(), 0..3),
        prop::collection::vec(name(), 0..3),
    );
    prop::collection::vec(link, 1..4).prop_map(|links| {
        let links = links.into_iter().map(|(base, except, skills)| Who {
            base,
            except,
            skills,
            otherwise: None,
        });
        links
            .rev()
            .reduce(|rest, link| Who {
                otherwise: Some(Box::new(rest)),
                ..link
            })
            .unwrap()
    })
}

fn comparison() -> impl Strategy<Value = Condition> {
    let text = |text: &&str| Value::Text((*text).to_owned());
    let impact = prop::sample::select(vec!["One person", "A team", "Everyone"]);
    let media = prop::sample::select(vec!["Phone (desk)", "Mail, post", "Rock and Roll", "empty"]);
    let number = any::<i64>()
        .prop_flat_map(|n| (Just(n), 0_u32..9))
        .prop_map(|(n, scale)| Decimal::new(n, scale));
    let day = (1_i16..9999, 1_i8..13, 1_i8..29).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap());
    prop_oneof![
        impact.prop_map(move |one| Condition::Is("impact".into(), text(&one))),
        prop::collection::vec(media, 1..4).prop_map(move |some| Condition::IsOneOf(
            "media".into(),
            some.iter().map(text).collect()
        )),
        "[^\\p{C}]*".prop_filter_map("a value is composed, trimmed and not empty", |text| {
            let text: String =
                unicode_normalization::UnicodeNormalization::nfc(text.trim()).collect();
            let fits = !text.is_empty() && text.trim() == text && text.len() < 200;
            fits.then(|| Condition::Is("problem".into(), Value::Text(text)))
        }),
        Just(Condition::IsEmpty("impact".into())),
        number
            .clone()
            .prop_map(|n| Condition::IsOver("amount".into(), n)),
        number.prop_map(|n| Condition::IsUnder("amount".into(), n)),
        day.clone()
            .prop_map(|day| Condition::Before("since".into(), day)),
        day.prop_map(|day| Condition::After("since".into(), day)),
        any::<bool>().prop_map(|flag| Condition::Is("urgent".into(), Value::Flag(flag))),
        name().prop_map(Condition::During),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    comparison().prop_recursive(3, 8, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(Condition::And),
            several.prop_map(Condition::Or),
            inner.prop_map(|one| Condition::Not(Box::new(one))),
        ]
    })
}

/// Words of all three grammars, in any order: nearer to phrases than arbitrary characters.
fn babble() -> impl Strategy<Value = String> {
    let words = vec![
        "impact",
        "media",
        "amount",
        "since",
        "is",
        "not",
        "empty",
        "one",
        "of",
        "over",
        "and",
        "or",
        "during",
        "(",
        ")",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "A team",
        "Mail, post",
        "5",
        "2026-03-06",
        "least",
        "busy",
        "in",
        "desk",
        "lead",
        "else",
        "except",
        "with",
        "skill",
        "h",
        "min",
        "days",
        "working",
        "around",
        "the",
        "clock",
        "分",
        "\u{301}",
        "\u{202e}",
        "\t",
    ];
    let spaced = (prop::sample::select(words), any::<bool>())
        .prop_map(|(word, space)| format!("{word}{}", if space { " " } else { "" }));
    prop::collection::vec(spaced, 0..20).prop_map(|words| words.concat())
}

fn points_into(text: &str, error: Option<PhraseError>, codes: &[Code]) {
    if let Some(error) = error {
        assert!(
            text.get(error.range.clone()).is_some(),
            "{text:?}: {error:?}"
        );
        assert!(
            codes.contains(&error.code) && !error.message.is_empty(),
            "{error:?}"
        );
    }
}

proptest! {
    #[test]
    fn every_text_has_an_answer(text in prop_oneof![".*", babble(), "[ -~]*"]) {
        points_into(&text, how_long(&text).err(), &[Code::BadSpan]);
        points_into(&text, who(&text).err(), &[Code::BadPhrase]);
        let codes = [Code::BadCondition, Code::UnknownField, Code::BadValue];
        points_into(&text, when(&text, &fields()).err(), &codes);
    }

    #[test]
    fn whatever_reads_prints_and_reads_the_same(text in babble()) {
        if let Ok(phrase) = who(&text) {
            prop_assert_eq!(who(&phrase.value.to_string()).unwrap().value, phrase.value);
        }
        if let Ok(phrase) = when(&text, &fields()) {
            prop_assert_eq!(when(&phrase.value.to_string(), &fields()).unwrap().value, phrase.value);
        }
    }

    #[test]
    fn a_span_reads_as_it_prints(
        seconds in 1..=MAX_SPAN_SECONDS,
        days in 1..=MAX_SPAN_DAYS,
        whole: bool,
        clock: bool,
    ) {
        let count = if whole { SpanCount::Days { days } } else { SpanCount::Time { seconds } };
        let span = Span::new(count, clock).unwrap();
        prop_assert_eq!(how_long(&span.to_string()), Ok(span));
    }

    #[test]
    fn a_who_reads_as_it_prints(value in any_who()) {
        prop_assert_eq!(who(&value.to_string()).unwrap().value, value);
    }

    #[test]
    fn a_when_reads_as_it_prints(value in condition()) {
        let text = value.to_string();
        prop_assume!(text.len() <= MAX_PHRASE_BYTES);
        prop_assert_eq!(when(&text, &fields()).unwrap().value, value);
    }
}
