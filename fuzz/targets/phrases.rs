//! Any text as a phrase; what was understood is said back, and understood alike.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use upline_core::{Field, FieldType, Label, Name};
use upline_dsl::phrase::{when, who};

fn fields() -> BTreeMap<Name, Field> {
    let options = ["One person", "A team", "Everyone"]
        .map(Name::from)
        .to_vec();
    let kinds = [
        ("impact", FieldType::Choice(options.clone())),
        ("areas", FieldType::Choices(options)),
        ("amount", FieldType::Number),
        ("urgent", FieldType::Flag),
        ("day", FieldType::Date),
        ("text", FieldType::Text),
    ];
    let fields = kinds.map(|(name, kind)| {
        let label = Label::plain(name);
        (
            name.into(),
            Field {
                name: name.into(),
                kind,
                label,
                option_labels: std::collections::BTreeMap::new(),
                required: false,
            },
        )
    });
    fields.into_iter().collect()
}

fuzz_target!(|text: &str| {
    if let Ok(phrase) = who(text) {
        let again = who(&phrase.value.to_string()).map(|phrase| phrase.value);
        assert_eq!(again.as_ref(), Ok(&phrase.value));
    }
    let fields = fields();
    if let Ok(phrase) = when(text, &fields) {
        let said = phrase.value.to_string();
        assert!(when(&said, &fields).is_ok(), "{said}");
    }
});
