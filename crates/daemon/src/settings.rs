//! Settings: a file in TOML, over it the environment, over that flags; and where each value came from.
//!
//! ```
//! use upline_daemon::settings::{Given, Settings, Source};
//!
//! let given = Given::default()
//!     .text("etc/upline.toml", "data = \"tickets\"\nworkflows = \"workflows\"\n")
//!     .environment("UPLINE_LISTEN", "127.0.0.1:9000")
//!     .flag("data", "elsewhere");
//! let settings = Settings::read(&given).map_err(|faults| faults.join("; "))?;
//! assert_eq!(settings.data.value, std::path::Path::new("elsewhere"));
//! assert_eq!(settings.data.source, Source::Flag("--data".into()));
//! // A path in the file is meant from where the file is.
//! assert_eq!(settings.workflows.value, std::path::Path::new("etc/workflows"));
//! assert_eq!(settings.listen.value.port(), 9000);
//! # Ok::<(), String>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use upline::dsl::did_you_mean;

use crate::log::LogLevel;

/// Every setting: its name in the file, and what it is for.
pub const SETTINGS: [(&str, &str); 6] = [
    ("data", "the folder in which tickets are kept"),
    (
        "workflows",
        "the folder of workflow files, with the directory",
    ),
    ("listen", "the address to listen on"),
    ("tokens", "the file of API tokens"),
    (
        "behind-proxy",
        "a proxy with TLS is in front, so that others may reach it",
    ),
    ("log", "error, warn, info, debug, trace or off"),
];

/// Where it listens unless a setting says otherwise: this machine alone reaches it.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable of the environment.
    Environment(String),
    /// This flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

/// What was given, not yet understood.
#[derive(Debug, Clone, Default)]
pub struct Given {
    file: Option<(PathBuf, String)>,
    environment: BTreeMap<String, String>,
    flags: BTreeMap<String, String>,
}

impl Given {
    /// The text of the settings' file, and where it is.
    #[must_use]
    pub fn text(mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.file = Some((path.into(), text.into()));
        self
    }

    /// A variable of the environment. Those that are no setting are passed over.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// A flag, by its setting's name.
    #[must_use]
    pub fn flag(mut self, setting: &str, value: impl Into<String>) -> Self {
        self.flags.insert(setting.to_owned(), value.into());
        self
    }
}

/// The name of a setting in the environment: `UPLINE_BEHIND_PROXY`.
#[must_use]
pub fn variable(setting: &str) -> String {
    format!("UPLINE_{}", setting.replace('-', "_").to_uppercase())
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The folder in which tickets are kept.
    pub data: Setting<PathBuf>,
    /// The folder of workflow files, with the directory.
    pub workflows: Setting<PathBuf>,
    /// The address to listen on.
    pub listen: Setting<SocketAddr>,
    /// The file of API tokens; without one nobody gets in.
    pub tokens: Setting<Option<PathBuf>>,
    /// Whether a proxy with TLS is in front, so that others than this machine may reach it.
    pub behind_proxy: Setting<bool>,
    /// How much is logged.
    pub log: Setting<LogLevel>,
}

impl Settings {
    /// Understands what was given.
    ///
    /// # Errors
    /// All that is wrong with it, each as a line for people.
    pub fn read(given: &Given) -> Result<Self, Vec<String>> {
        let mut reader = Reader::new(given);
        let settings = Self {
            data: reader.path("data"),
            workflows: reader.path("workflows"),
            listen: reader.parsed("listen", DEFAULT_LISTEN),
            tokens: reader.path_if_given("tokens"),
            behind_proxy: reader.parsed("behind-proxy", "false"),
            log: reader.parsed("log", "info"),
        };
        match reader.faults.is_empty() {
            true => Ok(settings),
            false => Err(reader.faults),
        }
    }

    /// Each setting with its value and where it came from, in the order of [`SETTINGS`].
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String, String)> {
        let path = |path: &Path| path.display().to_string();
        let tokens = self.tokens.value.as_deref().map(path).unwrap_or_default();
        let values = [
            (path(&self.data.value), &self.data.source),
            (path(&self.workflows.value), &self.workflows.source),
            (self.listen.value.to_string(), &self.listen.source),
            (tokens, &self.tokens.source),
            (
                self.behind_proxy.value.to_string(),
                &self.behind_proxy.source,
            ),
            (self.log.value.to_string(), &self.log.source),
        ];
        let rows = SETTINGS.iter().zip(values);
        rows.map(|((name, _), (value, source))| (*name, value, source.to_string()))
            .collect()
    }
}

struct Reader<'a> {
    given: &'a Given,
    in_file: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(given: &'a Given) -> Self {
        let mut reader = Self {
            given,
            in_file: BTreeMap::new(),
            faults: Vec::new(),
        };
        if let Some((path, text)) = &given.file {
            reader.read_file(path, text);
        }
        reader
    }

    fn read_file(&mut self, path: &Path, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return self.faults.push(format!("`{}`: {error}", path.display())),
        };
        let known = || SETTINGS.iter().map(|(name, _)| *name);
        for (name, value) in table {
            let at = format!("`{}`: `{name}`", path.display());
            if !known().any(|known| known == name) {
                let near = did_you_mean(&name, known());
                let near = near.map(|near| format!("; did you mean `{near}`?"));
                let near = near.unwrap_or_default();
                self.faults.push(format!("{at} is no setting{near}"));
                continue;
            }
            match value {
                toml::Value::String(text) => self.in_file.insert(name, text),
                toml::Value::Boolean(flag) => self.in_file.insert(name, flag.to_string()),
                other => {
                    let kind = other.type_str();
                    self.faults
                        .push(format!("{at} must be a text or true or false, not {kind}"));
                    continue;
                }
            };
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

    fn path_if_given(&self, setting: &str) -> Setting<Option<PathBuf>> {
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

    fn path(&mut self, setting: &str) -> Setting<PathBuf> {
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
    fn parsed<T>(&mut self, setting: &str, default: &str) -> Setting<T>
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

/// Something to go on with while the other faults are sought; never returned to a caller.
trait Fallback {
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

impl Fallback for LogLevel {
    fn fallback() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once() {
        let text = "dta = \"x\"\nlisten = \"here\"\nlog = 3\nbehind-proxy = \"perhaps\"\n";
        let given = Given::default().text("upline.toml", text);
        let faults = Settings::read(&given).unwrap_err();
        let expected = [
            "`dta` is no setting; did you mean `data`?",
            "`log` must be a text or true or false, not integer",
            "`data` is missing",
            "`workflows` is missing",
            "`listen` (upline.toml): `here`",
            "`behind-proxy` (upline.toml): `perhaps`",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for expected in expected {
            let told = faults.iter().any(|fault| fault.contains(expected));
            assert!(told, "{expected}\n{faults:#?}");
        }
    }

    #[test]
    fn each_value_says_where_it_came_from() {
        let given = Given::default()
            .text(
                "upline.toml",
                "data = \"d\"\nlog = \"warn\"\nbehind-proxy = true",
            )
            .environment("UPLINE_LOG", "debug")
            .environment("UPLINE_WORKFLOWS", "w")
            .flag("data", "e");
        let rows = Settings::read(&given).unwrap().rows();
        let rows: Vec<_> = rows.iter().map(|(a, b, c)| [*a, b, c]).collect();
        let expected = [
            ["data", "e", "--data"],
            ["workflows", "w", "UPLINE_WORKFLOWS"],
            ["listen", "127.0.0.1:8080", "default"],
            ["tokens", "", "default"],
            ["behind-proxy", "true", "upline.toml"],
            ["log", "debug", "UPLINE_LOG"],
        ];
        assert_eq!(rows, expected);
    }
}
