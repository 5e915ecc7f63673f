//! What the columns and values of a log mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use encoding_rs::Encoding;
use serde::Serialize;
use upline_core::Name;
use upline_dsl::Site;

use super::Times;

/// What stands between the parts of a status that is made of several columns: `Queued / Awaiting Assignment`.
pub const STATUS_SEPARATOR: &str = " / ";

/// A mapping file that was read: all that is needed to read a log of its layout.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// What people call the log.
    pub title: String,
    /// What stands between two columns.
    pub delimiter: u8,
    /// The encoding, unless the log begins with a byte order mark.
    pub encoding: &'static Encoding,
    /// Which column is what.
    pub columns: Columns,
    /// How times are written.
    pub times: Times,
    /// What the statuses mean.
    pub means: Means,
    /// The rank of each level, 1 for the first line.
    pub levels: BTreeMap<String, u16>,
    /// What the meanings do in a workflow; without it a log can be counted, not played.
    pub play: Option<PlayMap>,
}

/// Which column is what, by the names in the header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The ticket's number.
    pub ticket: String,
    /// When it happened.
    pub time: String,
    /// What happened; several columns are joined with [`STATUS_SEPARATOR`].
    pub status: Vec<String>,
    /// Who did it.
    pub person: Option<String>,
    /// The team that has it.
    pub team: Option<String>,
    /// The line of support that has it.
    pub level: Option<String>,
}

/// What a row of a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The ticket was opened. The first row of a ticket opens it whatever it tells besides.
    Opened,
    /// It waits for somebody to take it.
    Queued,
    /// Somebody has taken it, or goes on working on it.
    Taken,
    /// It waits for somebody else, such as the caller.
    Waiting,
    /// It is solved, and the caller may say otherwise.
    Solved,
    /// It is closed for good.
    Closed,
    /// Something that has no meaning here.
    Other,
}

impl What {
    /// Every meaning, in the order of a ticket's life.
    pub const ALL: [Self; 7] = [
        Self::Opened,
        Self::Queued,
        Self::Taken,
        Self::Waiting,
        Self::Solved,
        Self::Closed,
        Self::Other,
    ];

    /// The word in mapping files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Queued => "queued",
            Self::Taken => "taken",
            Self::Waiting => "waiting",
            Self::Solved => "solved",
            Self::Closed => "closed",
            Self::Other => "other",
        }
    }

    /// The meaning of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == word)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the statuses mean: texts, and patterns in which `*` is any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Means {
    exact: BTreeMap<String, What>,
    patterns: Vec<(String, What)>,
}

impl Means {
    /// Adds one; a text beats a pattern, and an earlier pattern a later one.
    ///
    /// ```
    /// use upline_lab::replay::{Means, What};
    /// let mut means = Means::default();
    /// means.add("Accepted / Wait*", What::Waiting);
    /// means.add("Accepted / *", What::Taken);
    /// assert_eq!(means.of("Accepted / Wait - User"), Some(What::Waiting));
    /// assert_eq!(means.of("Accepted / Assigned"), Some(What::Taken));
    /// assert_eq!(means.of("Queued"), None);
    /// ```
    pub fn add(&mut self, status: &str, what: What) {
        match status.contains('*') {
            true => self.patterns.push((status.to_owned(), what)),
            false => {
                self.exact.insert(status.to_owned(), what);
            }
        }
    }

    /// What a status means, if the mapping knows it.
    pub fn of(&self, status: &str) -> Option<What> {
        let exact = self.exact.get(status).copied();
        exact.or_else(|| {
            let mut patterns = self.patterns.iter();
            let found = patterns.find(|(pattern, _)| matches(pattern, status));
            found.map(|(_, what)| *what)
        })
    }

    /// Whether nothing has a meaning.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }
}

/// `*` is any text, also none. The parts between the stars are looked for from the left; only the last one
/// must stand at the end, so the time is that of a search.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What the rows of a log do in a workflow.
#[derive(Debug, Clone, Default)]
pub struct PlayMap {
    /// What a ticket's first row does.
    pub opening: Act,
    /// What the rows of each meaning do, the first row included (after opening the ticket).
    pub acts: BTreeMap<What, Act>,
}

/// What a row does in a workflow.
///
/// The actions are taken in order of preference until the ticket is in one of the states: a row that says
/// *solved* about a ticket that nobody has taken yet takes it first, if the mapping has both actions.
#[derive(Debug, Clone, Default)]
pub struct Act {
    /// The states that the row tells of; a ticket that is there already takes no action.
    pub states: Vec<(Name, Site)>,
    /// The actions, the preferred one first.
    pub take: Vec<(Name, Site)>,
    /// Who does it.
    pub by: By,
    /// Where the mapping file says so: the first, and who else.
    pub by_at: [Site; 2],
    /// Fields that the row fills.
    pub fields: Vec<MappedField>,
    /// Whether a row about a ticket that is there already is a sign of life of who has it: a comment.
    pub comment: bool,
}

/// Who does in the workflow what somebody else did in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub who: Doer,
    /// Who else, if the log's person is not in the directory.
    pub otherwise: Option<Doer>,
}

/// Somebody who may do what a row tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Doer {
    /// Whoever is answerable for the ticket then; for an action of the caller, the caller.
    #[default]
    Holder,
    /// The log's person, if the directory has somebody of this id.
    Person,
    /// This person.
    User(Name),
    /// Another system.
    System(Name),
}

/// A field that is filled from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedField {
    /// The workflow's field.
    pub field: Name,
    /// Where it stands in the mapping file.
    pub site: Site,
    /// What it is filled with.
    pub with: FieldText,
    /// The texts that the mapping itself gives, and where they stand: a constant, or the values and `else`.
    pub given: Vec<(String, Site)>,
}

/// What a field is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldText {
    /// The same for every ticket.
    Constant(String),
    /// What the row's column says.
    Column {
        /// The column.
        column: String,
        /// What its values become; empty takes them as they are.
        values: BTreeMap<String, String>,
        /// What becomes of a value that is empty, or not among `values`.
        otherwise: Option<String>,
    },
}

impl Act {
    /// Whether it does nothing whatever the ticket's state.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.take.is_empty()
    }
}

impl PlayMap {
    /// The columns that fields are filled from, each once.
    pub fn field_columns(&self) -> BTreeSet<&str> {
        let acts = self.acts.values().chain([&self.opening]);
        let fields = acts.flat_map(|act| &act.fields);
        fields
            .filter_map(|field| match &field.with {
                FieldText::Constant(_) => None,
                FieldText::Column { column, .. } => Some(column.as_str()),
            })
            .collect()
    }

    /// Whether any row is to be played by the log's own person.
    pub(super) fn asks_person(&self) -> bool {
        let mut acts = self.acts.values().chain([&self.opening]);
        acts.any(|act| act.by.who == Doer::Person || act.by.otherwise == Some(Doer::Person))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a*", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("ab*bc", "abc", false),
            ("a*b*c", "axxbxc", true),
            ("a*b*c", "axxcxb", false),
            ("*", "", true),
            ("**", "x", true),
            ("Wait*", "Await", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_parts_taken_out_matches(parts in proptest::collection::vec("[abé]{0,3}", 1..5),
            between in "[abcé]{0,4}") {
            prop_assert!(matches(&parts.join("*"), &parts.join(&between)));
        }
    }
}
