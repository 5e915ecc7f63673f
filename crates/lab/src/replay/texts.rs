//! Texts that occur again and again, kept once.

use std::collections::HashMap;

use upline_core::Name;

/// Most bytes of different texts of one log.
pub const MAX_TEXT_BYTES: usize = 256 << 20;

/// A text of a [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(u32);

impl Text {
    /// A number from 0 without gaps, in the order in which the texts were met.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The different texts of a log.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    all: Vec<Name>,
    ids: HashMap<Name, Text>,
    bytes: usize,
}

impl Texts {
    /// The text.
    pub fn get(&self, text: Text) -> &Name {
        &self.all[text.index()]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Keeps a text; `None` if that would be more than [`MAX_TEXT_BYTES`] in all.
    pub(super) fn keep(&mut self, text: &str) -> Option<Text> {
        if let Some(found) = self.ids.get(text) {
            return Some(*found);
        }
        self.bytes = self.bytes.checked_add(text.len())?;
        if self.bytes > MAX_TEXT_BYTES {
            return None;
        }
        let id = Text(u32::try_from(self.all.len()).ok()?);
        let name = Name::new(text);
        self.all.push(name.clone());
        self.ids.insert(name, id);
        Some(id)
    }
}
