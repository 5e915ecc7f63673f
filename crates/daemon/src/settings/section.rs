//! Sections of the file: tables that belong to one part of the daemon each.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::Secret;

/// Every section, and what it is for.
pub const SECTIONS: [(&str, &str); 6] = [
    ("mail", "how mail is sent"),
    ("mailbox", "where mail comes from, a section each"),
    ("source", "other systems that open tickets, a section each"),
    (
        "webhook",
        "where messages for `webhook: NAME` go, a section each",
    ),
    ("links", "which links messages have"),
    (
        "heartbeat",
        "a monitor elsewhere that is told again and again that all is well",
    ),
];

/// A table of the file of settings, `[NAME]`, or one of several, `[NAME.one]`.
///
/// It is given in the file alone: neither the environment nor flags reach it.
pub trait Section: DeserializeOwned {
    /// Its name, one of [`SECTIONS`].
    const NAME: &'static str;

    /// Takes paths as meant from the file's folder, and looks for what one field alone doesn't show.
    ///
    /// # Errors
    /// All that is wrong, each as a line for people, beginning with the field.
    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>>;

    /// Where its secrets are kept.
    fn secrets(&self) -> Vec<&Secret> {
        Vec::new()
    }

    /// Its fields with their values, for `--settings`: secrets as where they are kept.
    fn rows(&self) -> Vec<(&'static str, String)>;
}

/// A section's rows, with its name before each field's.
pub(super) fn rows<S: Section>(section: Option<&S>) -> Vec<(String, String)> {
    let rows = section.map(Section::rows).unwrap_or_default();
    let named = |(field, value): (&str, String)| (format!("{}.{field}", S::NAME), value);
    rows.into_iter().map(named).collect()
}

/// The rows of sections that there may be several of, with `SECTION.NAME` before each field's.
pub(super) fn named_rows<S: Section>(sections: &BTreeMap<String, S>) -> Vec<(String, String)> {
    let of = |(name, section): (&String, &S)| {
        let rows = section.rows().into_iter();
        let named = |(field, value)| (format!("{}.{name}.{field}", S::NAME), value);
        rows.map(named).collect::<Vec<_>>()
    };
    sections.iter().flat_map(of).collect()
}
