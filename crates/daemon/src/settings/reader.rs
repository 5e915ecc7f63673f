//! From what was given to values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use upline::dsl::did_you_mean;

use super::faults::{self, Lines};
use super::{
    Given, KeepHistory, OTHER_VARIABLES, PublicUrl, SECTIONS, SETTINGS, Section, Setting, Source,
    variable,
};
use crate::log::LogLevel;

/// What the names of its variables begin with.
const PREFIX: &str = "UPLINE_";

pub(super) struct Reader<'a> {
    given: &'a Given,
    in_file: BTreeMap<String, String>,
    tables: BTreeMap<String, toml::Table>,
    /// The fields of its sections: `mail.server`, `mailbox.desk.folder`.
    fields: BTreeSet<String>,
    lines: Lines,
    unknown: Vec<String>,
    pub(super) faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(given: &'a Given) -> Self {
        let mut reader = Self {
            given,
            in_file: BTreeMap::new(),
            tables: BTreeMap::new(),
            fields: BTreeSet::new(),
            lines: Lines::default(),
            unknown: Vec::new(),
            faults: Vec::new(),
        };
        if let Some((path, text)) = &given.file {
            reader.read_file(path, text);
        }
        reader.read_variables();
        reader
    }

    /// Finds those that are almost called like a setting: whoever gave one meant that setting.
    fn read_variables(&mut self) {
        for name in self.strange_variables() {
            let known = SETTINGS.iter().map(|(setting, _)| variable(setting));
            let known: Vec<String> = known.collect();
            // Without what all of them have, which is no likeness.
            let bare = |name: &'a str| name.strip_prefix(PREFIX).unwrap_or(name);
            let near = did_you_mean(
                bare(name),
                known
                    .iter()
                    .map(|known| known.strip_prefix(PREFIX).unwrap_or(known)),
            );
            match near {
                Some(near) => {
                    let near = format!("did you mean `{PREFIX}{near}`?");
                    self.faults.push(format!("`{name}` is no setting; {near}"));
                }
                None => self.unknown.push(name.to_owned()),
            }
        }
    }

    /// Variables that are no settings, nor known to anything else.
    fn strange_variables(&self) -> Vec<&'a str> {
        let is_setting = |name: &str| {
            SETTINGS
                .iter()
                .any(|(setting, _)| variable(setting) == name)
        };
        let text = self.given.file.as_ref().map(|(_, text)| text.as_str());
        let in_file = |name: &str| text.is_some_and(|text| text.contains(&format!("\"{name}\"")));
        let names = self.given.environment.keys().map(String::as_str);
        names
            .filter(|name| name.starts_with(PREFIX) && !OTHER_VARIABLES.contains(name))
            .filter(|name| !is_setting(name) && !in_file(name))
            .collect()
    }

    /// Variables that are not even almost called like a setting.
    pub(super) fn unknown_variables(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unknown)
    }

    fn read_file(&mut self, path: &Path, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return self.faults.push(format!("`{}`: {error}", path.display())),
        };
        self.lines = Lines::of(text);
        let sections = || SECTIONS.iter().map(|(name, _)| *name);
        let known = || SETTINGS.iter().map(|(name, _)| *name).chain(sections());
        for (name, value) in table {
            let at = format!("`{}`: `{name}`", path.display());
            if !known().any(|known| known == name) {
                let near = did_you_mean(&name, known());
                let near = near.map(|near| format!("; did you mean `{near}`?"));
                let near = near.unwrap_or_default();
                let line = self.lines.told(&name);
                self.faults.push(format!("{at} is no setting{near}{line}"));
                continue;
            }
            let is_section = sections().any(|section| section == name);
            match value {
                toml::Value::Table(table) if is_section => {
                    self.fields.extend(fields(&name, &table));
                    self.tables.insert(name, table);
                    continue;
                }
                other if is_section => {
                    let (kind, line) = (other.type_str(), self.lines.told(&name));
                    let wrong = format!("{at} must be a section, `[{name}]`, not {kind}{line}");
                    self.faults.push(wrong);
                    continue;
                }
                toml::Value::String(text) => self.in_file.insert(name, text),
                toml::Value::Boolean(flag) => self.in_file.insert(name, flag.to_string()),
                other => {
                    let (kind, line) = (other.type_str(), self.lines.told(&name));
                    let wrong = format!("{at} must be a text or true or false, not {kind}{line}");
                    self.faults.push(wrong);
                    continue;
                }
            };
        }
    }

    /// The file, and the fields of its sections.
    pub(super) fn given_fields(&self) -> (PathBuf, BTreeSet<String>) {
        let path = self.given.file.as_ref().map(|(path, _)| path.clone());
        (path.unwrap_or_default(), self.fields.clone())
    }

    /// A section of the file, if it is there and right.
    pub(super) fn section<S: Section>(&mut self) -> Option<S> {
        let table = self.tables.remove(S::NAME)?;
        self.understood(table, S::NAME)
    }

    /// The sections `[NAME.one]`, `[NAME.other]` of the file that are right, by the name behind the dot.
    pub(super) fn sections<S: Section>(&mut self) -> BTreeMap<String, S> {
        let mut sections = BTreeMap::new();
        for (name, value) in self.tables.remove(S::NAME).unwrap_or_default() {
            let full = format!("{}.{name}", S::NAME);
            let Some((path, _)) = self.given.file.as_ref() else {
                continue;
            };
            let at = format!("`{}`: `[{full}]`", path.display());
            if let Err(fault) = upline::dsl::names::valid_name(&name) {
                self.faults
                    .push(format!("{at}: `{name}` is no name: {fault}"));
                continue;
            }
            let toml::Value::Table(table) = value else {
                let kind = value.type_str();
                self.faults
                    .push(format!("{at} must be a section, not {kind}"));
                continue;
            };
            if let Some(section) = self.understood(table, &full) {
                sections.insert(name, section);
            }
        }
        sections
    }

    fn understood<S: Section>(&mut self, table: toml::Table, name: &str) -> Option<S> {
        let (path, _) = self.given.file.as_ref()?;
        let at = format!("`{}`: `[{name}]`", path.display());
        let folder = path.parent().unwrap_or(Path::new(""));
        match faults::read(table, folder) {
            Ok(section) => Some(section),
            Err(found) => {
                let lines = &self.lines;
                let told = found.into_iter().map(|fault| {
                    let line = lines.told(&format!("{name}.{}", fault.field));
                    format!("{at}: {}{line}", fault.why)
                });
                self.faults.extend(told);
                None
            }
        }
    }

    fn raw(&self, setting: &str) -> Option<(String, Source)> {
        if let Some(value) = self.given.flags.get(setting) {
            return Some((value.clone(), Source::Flag(format!("--{setting}"))));
        }
        let variable = variable(setting);
        if let Some(value) = self.given.environment.get(&variable) {
            return Some((value.clone(), Source::Environment(variable)));
        }
        let (path, _) = self.given.file.as_ref()?;
        let value = self.in_file.get(setting)?.clone();
        Some((value, Source::File(path.clone())))
    }

    pub(super) fn path_if_given(&self, setting: &str) -> Setting<Option<PathBuf>> {
        let Some((text, source)) = self.raw(setting) else {
            return Setting {
                value: None,
                source: Source::Default,
            };
        };
        let path = match &source {
            Source::File(file) => file.parent().unwrap_or(Path::new("")).join(text),
            _ => PathBuf::from(text),
        };
        Setting {
            value: Some(path),
            source,
        }
    }

    pub(super) fn path(&mut self, setting: &str) -> Setting<PathBuf> {
        let Setting { value, source } = self.path_if_given(setting);
        let value = value.filter(|path| !path.as_os_str().is_empty());
        if value.is_none() {
            let what = SETTINGS.iter().find(|(name, _)| *name == setting);
            let what = what.map_or("", |(_, what)| *what);
            self.faults.push(format!(
                "`{setting}` is missing: {what}; give it in the file, as `--{setting}`, or as `{}`",
                variable(setting)
            ));
        }
        Setting {
            value: value.unwrap_or_default(),
            source,
        }
    }

    /// A value with a default, which is right by construction.
    pub(super) fn parsed<T>(&mut self, setting: &str, default: &str) -> Setting<T>
    where
        T: FromStr<Err: fmt::Display> + Fallback,
    {
        let default = || (default.to_owned(), Source::Default);
        let (text, source) = self.raw(setting).unwrap_or_else(default);
        let value = text.parse().unwrap_or_else(|error| {
            self.faults
                .push(format!("`{setting}` ({source}): `{text}`: {error}"));
            T::fallback()
        });
        Setting { value, source }
    }
}

/// The fields of a section, and of the sections in it, by their names with dots.
fn fields(name: &str, table: &toml::Table) -> Vec<String> {
    let one = |(field, value): (&String, &toml::Value)| {
        let full = format!("{name}.{field}");
        let inner = match value {
            toml::Value::Table(inner) => fields(&full, inner),
            _ => Vec::new(),
        };
        [vec![full], inner].concat()
    };
    table.iter().flat_map(one).collect()
}

/// Something to go on with while the other faults are sought; never returned to a caller.
pub(super) trait Fallback {
    fn fallback() -> Self;
}

impl Fallback for SocketAddr {
    fn fallback() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl Fallback for bool {
    fn fallback() -> Self {
        false
    }
}

impl Fallback for PublicUrl {
    fn fallback() -> Self {
        Self::default()
    }
}

impl Fallback for KeepHistory {
    fn fallback() -> Self {
        Self::default()
    }
}

impl Fallback for LogLevel {
    fn fallback() -> Self {
        Self::default()
    }
}
