//! Reads the tree: every helper answers with what it found or reports why not, and goes on.
//!
//! Other files of authors than workflows and directories are read with it too: see [`read_with`].
//!
//! [`read_with`]: crate::read_with

use upline_core::{Label, Name, Place};

use crate::names::{NameFault, valid_name, valid_text};
use crate::syntax::differs;
pub use crate::syntax::{Entry, Kind, Node};
pub use crate::zone::zone;
use crate::{Code, Diagnostic, FileId, Found, Severity, Site, Sources, did_you_mean};

/// Most diagnostics for which all names are searched for one that is like the wrong one.
const MAX_SUGGESTIONS: usize = 100;

/// Names that are looked at for the diagnostics after them.
const FEW_CANDIDATES: usize = 16;

/// Most keys of a map that are reported one by one though they resemble none that it may have.
const MAX_STRANGE_KEYS: usize = 3;

/// What reading a file carries along: its text, and everything that is wrong.
pub struct Reader<'a> {
    /// The texts.
    pub sources: &'a Sources,
    /// The file that is read.
    pub file: FileId,
    /// What is wrong so far.
    pub found: &'a mut Found,
    suggested: usize,
}

impl<'a> Reader<'a> {
    /// Begins with a file.
    pub fn new(sources: &'a Sources, file: FileId, found: &'a mut Found) -> Self {
        Self {
            sources,
            file,
            found,
            suggested: 0,
        }
    }

    /// Where a rule stands, as journals record it.
    pub fn place(&self, site: Site) -> Place {
        self.sources.place(self.file, site.start)
    }

    /// Reports a mistake.
    pub fn error(&mut self, code: Code, site: Site, message: impl Into<String>) {
        self.found.report(code, site, message);
    }

    /// Reports a mistake with the way out under its place.
    pub fn error_with(
        &mut self,
        code: Code,
        site: Site,
        message: impl Into<String>,
        label: impl Into<String>,
    ) {
        self.found.report_with(code, site, message, label);
    }

    /// Names to compare an unknown one with; only a few of them when too many were unknown.
    pub fn candidates<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
        self.suggested += 1;
        let most = match self.suggested {
            0..=MAX_SUGGESTIONS => usize::MAX,
            _ => FEW_CANDIDATES,
        };
        names.into_iter().take(most).collect()
    }

    /// The entries of a map. `shape` shows how it is written.
    pub fn map<'n>(&mut self, entry: &'n Entry, what: &'static str, shape: &str) -> Fields<'n> {
        self.map_of(&entry.value, entry.key_at, what, shape)
    }

    /// The same for a map without a key of its own, such as an item of a list or a whole file.
    pub fn map_of<'n>(
        &mut self,
        node: &'n Node,
        at: Site,
        what: &'static str,
        shape: &str,
    ) -> Fields<'n> {
        let right = matches!(node.kind, Kind::Map(_));
        if !right {
            self.wrong_type(node, at, what, "a map", shape);
        }
        Fields {
            what,
            at,
            entries: node.entries(),
            used: vec![false; node.entries().len()],
            known: Vec::new(),
            right,
        }
    }

    /// The entries of a map whose keys are names that the author gives.
    pub fn named<'n>(&mut self, entry: &'n Entry, what: &str, shape: &str) -> &'n [Entry] {
        if !matches!(entry.value.kind, Kind::Map(_)) {
            self.wrong_type(&entry.value, entry.key_at, what, "a map", shape);
        }
        entry.value.entries()
    }

    /// The name that an author gives by a key.
    pub fn key_name(&mut self, entry: &Entry) -> Option<Name> {
        let read = valid_name(&entry.key);
        self.checked_name(entry.key_at, &entry.key, read)
    }

    /// A name that was checked, or a report of what is wrong with it.
    pub fn checked_name(
        &mut self,
        site: Site,
        text: &str,
        read: Result<Name, NameFault>,
    ) -> Option<Name> {
        match read {
            Ok(name) => Some(name),
            // A key that YAML 1.1 reads differently was reported as such when the tree was built.
            // In quotes it is a text to all tools, but other places would still have to quote it.
            Err(NameFault::Yaml11)
                if differs(text).is_some()
                    && !self.sources.slice(site).starts_with(['"', '\'']) =>
            {
                None
            }
            Err(fault) => {
                self.found.bad_name(site, text, &fault);
                None
            }
        }
    }

    /// The items of a list, or a single one without its brackets.
    pub fn items<'n>(&mut self, entry: &'n Entry) -> &'n [Node] {
        match &entry.value.kind {
            Kind::List(items) => items,
            _ => std::slice::from_ref(&entry.value),
        }
    }

    /// The items of what must be a list.
    pub fn list<'n>(&mut self, entry: &'n Entry, what: &str, shape: &str) -> &'n [Node] {
        if let Kind::List(items) = &entry.value.kind {
            return items;
        }
        self.wrong_type(&entry.value, entry.key_at, what, "a list", shape);
        &[]
    }

    /// A word or phrase of the language, or a name.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Name> {
        if let Kind::Text { text, .. } = &node.kind {
            return Some(text);
        }
        self.wrong_type(node, node.at, what, "a text", "");
        None
    }

    /// A text of the author's: `no`, `1e3` and `22:22` are texts here, with a warning for other tools.
    pub fn free_text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Name> {
        let text = self.text(node, what)?;
        let plain = matches!(node.kind, Kind::Text { plain: true, .. });
        if plain && let Some(read) = differs(text) {
            let message = format!("some tools read `{text}` as {read}; here it is a text");
            let mut warning = Diagnostic::new(Code::Yaml11, node.at, message);
            warning.severity = Severity::Warning;
            warning.label(format!("write \"{text}\""));
            self.found.push(warning);
        }
        Some(text)
    }

    /// One line of text for people.
    pub fn line(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.free_text(node, what)?;
        match valid_text(text) {
            Ok(text) => Some(text),
            Err(fault) => {
                self.found.bad_text(node.at, what, &fault);
                None
            }
        }
    }

    /// The same of a key.
    pub fn key_line(&mut self, entry: &Entry, what: &str) -> Option<String> {
        match valid_text(&entry.key) {
            Ok(text) => Some(text),
            Err(fault) => {
                self.found.bad_text(entry.key_at, what, &fault);
                None
            }
        }
    }

    /// A text for people, in one language or in several: `Open`, or `{ en: Open, zh: 打开 }`.
    pub fn label(&mut self, entry: &Entry, what: &str) -> Option<Label> {
        if !matches!(entry.value.kind, Kind::Map(_)) {
            return self.line(&entry.value, what).map(Label::plain);
        }
        let mut texts = Vec::new();
        for translation in entry.value.entries() {
            if !is_language(&translation.key) {
                let message = format!("`{}` is no language", translation.key);
                let label = "write `en`, `zh` or another language tag";
                self.error_with(Code::UnknownKey, translation.key_at, message, label);
                continue;
            }
            if let Some(text) = self.line(&translation.value, what) {
                texts.push((translation.key.clone(), text));
            }
        }
        if entry.value.entries().is_empty() {
            let message = format!("{what} has no text");
            self.error(Code::BadText, entry.value.at, message);
        }
        Some(Label::translated(texts))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, entry: &Entry) -> Option<bool> {
        let node = &entry.value;
        match &node.kind {
            Kind::Text { text, plain: true } if text == "true" => return Some(true),
            Kind::Text { text, plain: true } if text == "false" => return Some(false),
            Kind::Text { text, .. } => {
                let message = format!("`{}` must be true or false, not `{text}`", entry.key);
                let label = "write `true` or `false`, without quotation marks";
                self.error_with(Code::BadValue, node.at, message, label);
            }
            _ => self.wrong_type(node, entry.key_at, &quoted(&entry.key), "true or false", ""),
        }
        None
    }

    /// A whole number within bounds.
    pub fn number(&mut self, entry: &Entry, least: u32, most: u32) -> Option<u32> {
        let node = &entry.value;
        let Kind::Text { text, .. } = &node.kind else {
            self.wrong_type(node, entry.key_at, &quoted(&entry.key), "a number", "");
            return None;
        };
        self.number_in(node.at, &entry.key, text, least, most)
    }

    /// The same for a number that is part of a text.
    pub fn number_in(
        &mut self,
        site: Site,
        key: &str,
        text: &str,
        least: u32,
        most: u32,
    ) -> Option<u32> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // With a leading 0 it is octal to some tools.
        let number = match text.parse::<u32>() {
            Ok(number) if digits && (text == "0" || !text.starts_with('0')) => Some(number),
            _ => None,
        };
        if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
            return Some(number);
        }
        let shown: String = text.chars().take(20).collect();
        let message =
            format!("`{key}` must be a whole number from {least} to {most}, not `{shown}`");
        self.error(Code::BadValue, site, message);
        None
    }

    /// Something of another kind than is meant.
    pub fn wrong_type(&mut self, node: &Node, at: Site, what: &str, expected: &str, shape: &str) {
        let site = match node.kind {
            Kind::Broken => return,
            Kind::Empty => at,
            Kind::Text { .. } => node.at,
            // The first character of what runs over many lines says enough.
            Kind::List(_) | Kind::Map(_) => Site {
                end: node.at.start + 1,
                ..node.at
            },
        };
        let got = node.what();
        let message = format!("{what} must be {expected}, not {got}");
        self.error_with(Code::WrongType, site, message, shape);
    }
}

/// The keys of a map that has a fixed set of them.
pub struct Fields<'n> {
    what: &'static str,
    at: Site,
    entries: &'n [Entry],
    used: Vec<bool>,
    known: Vec<&'static str>,
    /// It is a map at all: what is none is reported as that, not for its missing keys.
    right: bool,
}

impl<'n> Fields<'n> {
    /// Where the map is named.
    pub const fn at(&self) -> Site {
        self.at
    }

    /// Whether it is a map at all.
    pub const fn is_map(&self) -> bool {
        self.right
    }

    /// Whether the key is there, with or without a value.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == *key)
    }

    /// The entry of a key that may be there.
    pub fn optional(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        let index = self.entries.iter().position(|entry| entry.key == *key)?;
        self.used[index] = true;
        let entry = &self.entries[index];
        match entry.value.kind {
            Kind::Broken => None,
            Kind::Empty => {
                let message = format!("`{key}` has no value");
                reader.error_with(
                    Code::WrongType,
                    entry.key_at,
                    message,
                    "give it one, or delete the line",
                );
                None
            }
            _ => Some(entry),
        }
    }

    /// The entry of a key that must be there.
    pub fn required(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<&'n Entry> {
        if self.right && !self.has(key) {
            reader.found.missing_key(self.at, key, self.what);
        }
        self.optional(reader, key)
    }

    /// Reports keys that nobody asked for. Of many that resemble no known one, the cause is one: what stands
    /// here is something else.
    pub fn finish(self, reader: &mut Reader<'_>) {
        let mut strange: Vec<&Entry> = Vec::new();
        for (entry, _) in self.entries.iter().zip(self.used).filter(|(_, used)| !used) {
            let known = reader.candidates(self.known.iter().copied());
            let is_strange = did_you_mean(&entry.key, known.iter().copied()).is_none();
            strange.extend(is_strange.then_some(entry));
            if !is_strange || strange.len() <= MAX_STRANGE_KEYS {
                let (at, key) = (entry.key_at, &entry.key);
                reader.found.unknown_key(at, key, self.what, &known);
            }
        }
        let more = strange.get(MAX_STRANGE_KEYS..).unwrap_or_default();
        if let Some(first) = more.first() {
            let keys: Vec<&str> = more.iter().map(|entry| entry.key.as_str()).collect();
            reader
                .found
                .more_unknown_keys(first.key_at, &keys, self.what);
        }
    }
}

/// A key as it stands in messages.
pub(crate) fn quoted(key: &str) -> String {
    format!("`{key}`")
}

/// Whether the text has the form of a language tag: `en`, `zh-CN`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let letters = first.bytes().all(|byte| byte.is_ascii_lowercase());
    (2..=3).contains(&first.len())
        && letters
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}
