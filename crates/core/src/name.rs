//! [`Name`]: how a person, group, state, action, field or calendar is called in the author's files.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The name of something an author has named.
///
/// Cheap to clone: up to 23 bytes are stored in place, longer names are shared.
///
/// ```
/// use upline_core::Name;
/// let desk = Name::from("service-desk");
/// assert_eq!(desk, "service-desk");
/// assert!(desk.starts_with("service"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(SmolStr);

impl Name {
    /// Takes any text as a name; which texts are allowed is the reader's question, not the core's.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(SmolStr::new(text))
    }

    /// A name known when the program is built.
    #[must_use]
    pub const fn new_static(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// The name as text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// As texts are ordered. Nearly every comparison of a search in a map is decided by the first byte, which is
/// cheaper to look at than to ask for a comparison of the whole.
impl Ord for Name {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.as_str().as_bytes(), other.as_str().as_bytes());
        match (a.first(), b.first()) {
            (Some(first), Some(other)) if first != other => first.cmp(other),
            _ => a.cmp(b),
        }
    }
}

impl PartialOrd for Name {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

/// Prints like a `str`, so that a map of names reads like a map of texts.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(SmolStr::from(text))
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        name.clone()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_are_ordered_as_texts() {
        let texts = [
            "",
            "a",
            "ab",
            "abc",
            "b",
            "an-awfully-long-name-of-a-group",
            "z",
            "é",
            "刘",
        ];
        for a in texts {
            for b in texts {
                assert_eq!(Name::from(a).cmp(&Name::from(b)), a.cmp(b), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_map_of_names_is_looked_up_by_text() {
        let map = BTreeMap::from([(Name::from("ann"), 1), (Name::from(String::from("bob")), 2)]);
        assert_eq!(map.get("bob"), Some(&2));
        assert_eq!(format!("{map:?}"), r#"{"ann": 1, "bob": 2}"#);
        assert_eq!(format!("[{:>5}]", Name::from("ann")), "[  ann]");
    }
}
