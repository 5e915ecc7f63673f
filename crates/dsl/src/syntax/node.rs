//! The tree.

use upline_core::Name;

use crate::Site;

/// A text, a list or a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands; of a text with its quotation marks.
    pub at: Site,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was written: `key:` and no more.
    Empty,
    /// Something that was reported already.
    Broken,
    /// A text, with or without quotation marks.
    Text {
        /// The text as it was meant, escapes resolved.
        text: Name,
        /// Whether it has no quotation marks.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the author's order; no key stands in it twice.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Name,
    /// Where the key stands.
    pub key_at: Site,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entries of a map, none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == *key)
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&Name> {
        match &self.kind {
            Kind::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list, none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The item of a list; the node itself where a single one was written without its brackets.
    pub(crate) fn item(&self, index: usize) -> &Self {
        match &self.kind {
            Kind::List(items) => items.get(index).unwrap_or(self),
            _ => self,
        }
    }

    /// The node at the end of the path of keys, or the last one on the way that is there.
    pub(crate) fn find(&self, path: &[&str]) -> &Self {
        let mut node = self;
        for key in path {
            match node.get(key) {
                Some(entry) => node = &entry.value,
                None => return node,
            }
        }
        node
    }

    /// What it is, for messages.
    pub fn what(&self) -> &'static str {
        match self.kind {
            Kind::Empty | Kind::Broken => "nothing",
            Kind::Text { .. } => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}
