//! Fields of the workflow, filled from the columns of a row.

use std::collections::BTreeMap;

use upline_core::value::MAX_TEXT_BYTES;
use upline_core::{FieldType, Name, Typed, Value, Workflow};

use super::{FieldText, Log, LogEntry, MappedField, PlayMap, Values};

/// Fills fields from rows.
pub(super) struct Filler<'a> {
    log: &'a Log,
    /// Where the columns stand in the values of an entry.
    columns: BTreeMap<&'a str, usize>,
}

impl<'a> Filler<'a> {
    pub(super) fn new(log: &'a Log, map: &'a PlayMap) -> Self {
        Self {
            log,
            columns: map.field_columns().into_iter().zip(0..).collect(),
        }
    }

    /// The mapped fields as people type them; of a form only those that it has. A value that the mapping
    /// does not know, or that does not fit its field, is counted in `unknown`; the field then gets what the
    /// mapping gives instead, or stays empty.
    pub(super) fn fill(
        &self,
        workflow: &Workflow,
        entry: &LogEntry,
        fields: &[MappedField],
        form: Option<&[Name]>,
        unknown: &mut Values,
    ) -> Typed {
        let mut typed = Typed::new();
        let wanted = fields
            .iter()
            .filter(|mapped| form.is_none_or(|form| form.contains(&mapped.field)));
        for mapped in wanted {
            let text = match &mapped.with {
                FieldText::Constant(text) => Some(text.clone()),
                FieldText::Column {
                    column,
                    values,
                    otherwise,
                } => {
                    let kind = workflow.fields.get(&mapped.field).map(|field| &field.kind);
                    let value = self.value(entry, column);
                    let found = match values.is_empty() {
                        true => kind.and_then(|kind| fitting(kind, value)),
                        false => values.get(value).cloned(),
                    };
                    if found.is_none() && !value.is_empty() {
                        unknown.add(entry.line, &format!("{column}: {value}"));
                    }
                    found.or_else(|| otherwise.clone())
                }
            };
            typed.extend(text.map(|text| (mapped.field.clone(), text)));
        }
        typed
    }

    fn value(&self, entry: &LogEntry, column: &str) -> &'a str {
        let index = self.columns.get(column);
        let value = index.and_then(|index| entry.values.get(*index));
        value.map_or("", |value| self.log.text(*value).as_str())
    }
}

/// The value as the field takes it: where one line is meant, line breaks become blanks, and what is longer
/// than a field can be is cut.
fn fitting(kind: &FieldType, value: &str) -> Option<String> {
    let one_line = |value: &str| {
        let words = value.split(|c: char| c.is_control() || c.is_whitespace());
        let words = words.filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    };
    let text = match kind {
        FieldType::Paragraph => value.to_owned(),
        _ => one_line(value),
    };
    let cut = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    match Value::read(kind, cut) {
        Ok(Some(_)) => Some(cut.to_owned()),
        Ok(None) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_to_fit() {
        let text = |value| fitting(&FieldType::Text, value);
        assert_eq!(text("two\r\nlines\0 "), Some("two lines".to_owned()));
        assert_eq!(text(" \n"), None);
        let long = "é".repeat(MAX_TEXT_BYTES);
        assert_eq!(text(&long).unwrap().len(), MAX_TEXT_BYTES);
        let two_lines = fitting(&FieldType::Paragraph, "two\nlines");
        assert_eq!(two_lines, Some("two\nlines".to_owned()));
        let options = FieldType::Choice(vec![Name::from("High")]);
        assert_eq!(fitting(&options, "High "), Some("High".to_owned()));
        assert_eq!(fitting(&options, "Urgent"), None);
        assert_eq!(fitting(&FieldType::Number, "12,5"), None);
    }
}
