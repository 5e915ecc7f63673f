//! `fields:`

use std::collections::BTreeMap;

use upline_core::{Field, FieldType, Label, Name};

use crate::names::valid_field_name;
use crate::reader::Reader;
use crate::syntax::{Entry, Kind};
use crate::{Code, Site};

/// Most options of a field.
pub(crate) const MAX_OPTIONS: usize = 1_000;

const SHAPE: &str = "`NAME: { type: text, label: \"What people see\" }`";

const TYPES: [&str; 10] = [
    "text",
    "paragraph",
    "choice",
    "choices",
    "number",
    "flag",
    "date",
    "contact",
    "person",
    "article",
];

/// The fields in the author's order.
pub(crate) fn fields(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Field> {
    let mut all = Vec::new();
    for one in reader.named(entry, "`fields`", SHAPE) {
        let read = valid_field_name(&one.key);
        let name = reader.checked_name(one.key_at, &one.key, read);
        let field = field(reader, one);
        if let (Some(name), Some(field)) = (name, field) {
            all.push(Field { name, ..field });
        }
    }
    all
}

fn field(reader: &mut Reader<'_>, entry: &Entry) -> Option<Field> {
    let mut map = reader.map(entry, "a field", SHAPE);
    let kind = map.required(reader, "type");
    let label = map
        .optional(reader, "label")
        .and_then(|label| reader.label(label, "a label"));
    let required = map
        .optional(reader, "required")
        .and_then(|flag| reader.flag(flag));
    let word = kind.and_then(|kind| reader.text(&kind.value, "a type").map(Name::as_str));
    let chooses = matches!(word, Some("choice" | "choices"));
    let options = if chooses {
        map.required(reader, "options")
    } else {
        map.optional(reader, "options")
    };
    let options = options.map(|options| (options, read_options(reader, options)));
    if let (Some((options, _)), false, Some(word)) = (&options, chooses, word) {
        let message = format!("a field of the type `{word}` has no options");
        let label = "options are for `choice` and `choices`";
        reader.error_with(Code::BadValue, options.key_at, message, label);
    }
    map.finish(reader);
    let Options { values, labels } = options.map(|(_, options)| options).unwrap_or_default();
    // A field that is wrong is there all the same: who names it makes no second mistake.
    let kind = match word.unwrap_or("text") {
        "choice" | "choices" if values.is_empty() => FieldType::Text,
        "text" => FieldType::Text,
        "paragraph" => FieldType::Paragraph,
        "choice" => FieldType::Choice(values),
        "choices" => FieldType::Choices(values),
        "number" => FieldType::Number,
        "flag" => FieldType::Flag,
        "date" => FieldType::Date,
        "contact" => FieldType::Contact,
        "person" => FieldType::Person,
        "article" => FieldType::Article,
        other => {
            let at = kind?.value.at;
            reader
                .found
                .unknown(Code::BadValue, at, "type", other, TYPES);
            FieldType::Text
        }
    };
    Some(Field {
        name: Name::default(),
        kind,
        label: label.unwrap_or_else(|| Label::plain(entry.key.as_str())),
        option_labels: labels,
        required: required.unwrap_or(false),
    })
}

/// The options in the author's order, and what people see of them.
#[derive(Default)]
struct Options {
    values: Vec<Name>,
    labels: BTreeMap<Name, Label>,
}

/// `[One, Another]`, or `{ One: { zh: 一 }, Another: { zh: 二 } }`.
fn read_options(reader: &mut Reader<'_>, entry: &Entry) -> Options {
    let mut options = Options::default();
    let labelled = entry.value.entries();
    let items = match entry.value.kind {
        Kind::Map(_) => &[],
        _ => reader.list(entry, "`options`", "`[One, Another]`"),
    };
    if items.len().max(labelled.len()) > MAX_OPTIONS {
        let message = format!("a field has at most {MAX_OPTIONS} options");
        reader.error(Code::TooMany, entry.key_at, message);
        return options;
    }
    for item in items {
        if let Some(option) = reader.line(item, "an option") {
            options.add(reader, item.at, &option);
        }
    }
    for one in labelled {
        let label = reader.label(one, "the text of an option");
        let Some(option) = reader.key_line(one, "an option") else {
            continue;
        };
        if let (Some(value), Some(label)) = (options.add(reader, one.key_at, &option), label) {
            options.labels.insert(value, label.or_plain(option));
        }
    }
    let empty = items.is_empty() && labelled.is_empty();
    if empty && matches!(entry.value.kind, Kind::List(_) | Kind::Map(_)) {
        let message = "there are no options to choose from";
        reader.error(Code::BadValue, entry.value.at, message);
    }
    options
}

impl Options {
    /// Adds an option that may be one, and says what it is.
    fn add(&mut self, reader: &mut Reader<'_>, at: Site, option: &str) -> Option<Name> {
        if option.contains(',') {
            let message = "an option must not have a comma: it parts options that are chosen";
            reader.error(Code::BadText, at, message);
        } else if self.values.iter().any(|earlier| *earlier == *option) {
            let message = format!("the option `{option}` is here a second time");
            reader.error(Code::DuplicateName, at, message);
        } else {
            let value = Name::from(option);
            self.values.push(value.clone());
            return Some(value);
        }
        None
    }
}
