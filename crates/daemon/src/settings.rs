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

mod faults;
mod keep;
mod reader;
mod secret;
mod section;
mod start;
mod url;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::heartbeat::HeartbeatSettings;
use crate::inbound::SourceSettings;
use crate::links::LinksSettings;
use crate::log::LogLevel;
use crate::mailbox::MailboxSettings;
use crate::tell::{MailSettings, WebhookSettings};

pub use keep::KeepHistory;
use reader::Reader;
pub use secret::{Hidden, MAX_SECRET_BYTES, Secret};
pub use section::{SECTIONS, Section};
pub use url::PublicUrl;

/// Every setting: its name in the file, and what it is for.
pub const SETTINGS: [(&str, &str); 8] = [
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
    (
        "public-url",
        "where people reach it: what links in messages begin with",
    ),
    (
        "keep-history",
        "for how many days what has ended is kept; else for ever",
    ),
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

    /// A variable of the environment. One that begins with `UPLINE_` and is almost called like a setting is a
    /// mistake; see [`Settings::unknown_variables`] for the others.
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

/// Variables that are no settings: those of other commands, and of `upline serve` itself.
const OTHER_VARIABLES: [&str; 4] = [
    "UPLINE_CONFIG",
    "UPLINE_SERVER",
    "UPLINE_TOKEN",
    "UPLINE_PROGRESS_SECONDS",
];

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
    /// Where people reach it: what links in messages begin with.
    pub public_url: Setting<PublicUrl>,
    /// For how long what has ended is kept.
    pub keep_history: Setting<KeepHistory>,
    /// How mail is sent; without it none is.
    pub mail: Option<MailSettings>,
    /// Where mail comes from, by name.
    pub mailboxes: BTreeMap<String, MailboxSettings>,
    /// Other systems that open tickets, by name.
    pub sources: BTreeMap<String, SourceSettings>,
    /// Where messages for `webhook: NAME` go, by that name.
    pub webhooks: BTreeMap<String, WebhookSettings>,
    /// Which links messages have.
    pub links: Option<LinksSettings>,
    /// Who is told that all is well.
    pub heartbeat: Option<HeartbeatSettings>,
    /// Variables that no part of the program knows.
    unknown: Vec<String>,
    /// The file, and which fields of sections it gives: `mail.server`.
    in_file: (PathBuf, BTreeSet<String>),
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
            public_url: reader.parsed("public-url", ""),
            keep_history: reader.parsed("keep-history", "for ever"),
            mail: reader.section(),
            mailboxes: reader.sections(),
            sources: reader.sections(),
            webhooks: reader.sections(),
            links: reader.section(),
            heartbeat: reader.section(),
            unknown: reader.unknown_variables(),
            in_file: reader.given_fields(),
        };
        match reader.faults.is_empty() {
            true => Ok(settings),
            false => Err(reader.faults),
        }
    }

    /// Variables of the environment that begin with `UPLINE_`, and that no part of the program knows, nor the
    /// file as where a secret is. They are no mistakes: they may be those of a script around it.
    #[must_use]
    pub fn unknown_variables(&self) -> &[String] {
        &self.unknown
    }

    /// Says them in the log.
    pub fn warn_of_unknown_variables(&self) {
        for variable in &self.unknown {
            tracing::warn!(
                code = "unknown-variable",
                variable,
                "no setting is called like this variable of the environment"
            );
        }
    }

    /// Each setting with its value and where it came from, in the order of [`SETTINGS`],
    /// then of the sections, whose values come from the file or are defaults. Secrets say where they are kept
    /// only.
    #[must_use]
    pub fn rows(&self) -> Vec<(String, String, String)> {
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
            (self.public_url.value.to_string(), &self.public_url.source),
            (
                self.keep_history.value.to_string(),
                &self.keep_history.source,
            ),
        ];
        let rows = SETTINGS.iter().zip(values);
        let rows =
            rows.map(|((name, _), (value, source))| (name.to_string(), value, source.to_string()));
        let links = self.links.clone().unwrap_or_default();
        let sections = section::rows(self.mail.as_ref()).into_iter();
        let sections = sections.chain(section::named_rows(&self.sources));
        let sections = sections.chain(section::rows(Some(&links)));
        let sections = sections.chain(section::named_rows(&self.mailboxes));
        let sections = sections.chain(section::named_rows(&self.webhooks));
        let sections = sections.chain(section::rows(self.heartbeat.as_ref()));
        let (file, given) = &self.in_file;
        let sections = sections.map(|(name, value)| {
            let source = match given.contains(&name) {
                true => Source::File(file.clone()),
                false => Source::Default,
            };
            (name, value, source.to_string())
        });
        rows.chain(sections).collect()
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
        let rows: Vec<_> = rows.iter().map(|(a, b, c)| [a.as_str(), b, c]).collect();
        let expected = [
            ["data", "e", "--data"],
            ["workflows", "w", "UPLINE_WORKFLOWS"],
            ["listen", "127.0.0.1:8080", "default"],
            ["tokens", "", "default"],
            ["behind-proxy", "true", "upline.toml"],
            ["log", "debug", "UPLINE_LOG"],
            ["public-url", "", "default"],
            ["keep-history", "for ever", "default"],
            ["links.enabled", "true", "default"],
            ["links.actions", "take, decline", "default"],
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_misspelt_variable_is_a_mistake_and_a_strange_one_is_told() {
        let text = "data = \"d\"\nworkflows = \"w\"\n[mail]\nserver = \"mail.example.com\"\n\
            from = \"desk@example.com\"\nuser = \"desk\"\npassword = { env = \"UPLINE_LIST\" }\n";
        let given = Given::default().text("upline.toml", text);
        // Where a secret is, and what other commands take.
        let known = ["UPLINE_LIST", "UPLINE_SERVER", "UPLINE_TOKEN"];
        let given = known
            .iter()
            .fold(given, |given, name| given.environment(name, "x"));
        let settings = Settings::read(&given).unwrap();
        assert_eq!(settings.unknown_variables(), &[] as &[String]);
        let strange = given.clone().environment("UPLINE_BLESS", "1");
        let settings = Settings::read(&strange).unwrap();
        assert_eq!(settings.unknown_variables(), ["UPLINE_BLESS"]);
        let misspelt = given
            .environment("UPLINE_LISTN", "127.0.0.1:1")
            .environment("UPLINE_BEHIND-PROXY", "true");
        assert_eq!(
            Settings::read(&misspelt).unwrap_err(),
            [
                "`UPLINE_BEHIND-PROXY` is no setting; did you mean `UPLINE_BEHIND_PROXY`?",
                "`UPLINE_LISTN` is no setting; did you mean `UPLINE_LISTEN`?",
            ]
        );
    }

    #[test]
    fn a_section_belongs_to_the_file() {
        let text = "data = \"d\"\nworkflows = \"w\"\n[mail]\nserver = \"mail.example.com\"\n\
            from = \"desk@example.com\"\nuser = \"desk\"\npassword = { file = \"mail.secret\" }\n";
        let given = Given::default().text("etc/upline.toml", text);
        let settings = Settings::read(&given).unwrap();
        let mail = settings.mail.as_ref().unwrap();
        assert_eq!(mail.port(), 465);
        assert_eq!(
            mail.password,
            Some(Secret::File("etc/mail.secret".into())),
            "a path is meant from where the file is"
        );
        let rows = settings.rows();
        let shown = rows.iter().find(|(name, ..)| name == "mail.password");
        assert_eq!(shown.unwrap().1, "file `etc/mail.secret`");
    }

    #[test]
    fn what_a_section_does_not_say_is_a_default() {
        let text = "data = \"d\"\nworkflows = \"w\"\n[links]\nactions = [\"take\"]\n\
            [mailbox.desk]\nfolder = \"m\"\nopen = \"known\"\nknown = [\"@a.example\"]\n\
            workflow = \"w\"\nbody = \"b\"\nfields = { kind = \"mail\", from = \"us\" }\n\
            addresses = [\"Desk@example.com\"]\n";
        let given = Given::default().text("etc/upline.toml", text);
        let rows = Settings::read(&given).unwrap().rows();
        let shown = |name: &str| {
            let row = rows.iter().find(|(setting, ..)| setting == name);
            let (_, value, source) = row.unwrap_or_else(|| panic!("{name}: {rows:#?}"));
            format!("{value} | {source}")
        };
        for (name, expected) in [
            ("links.enabled", "true | default"),
            ("links.actions", "take | etc/upline.toml"),
            ("mailbox.desk.folder", "etc/m | etc/upline.toml"),
            ("mailbox.desk.every", "5 | default"),
            (
                "mailbox.desk.addresses",
                "desk@example.com | etc/upline.toml",
            ),
            ("mailbox.desk.known", "@a.example | etc/upline.toml"),
            (
                "mailbox.desk.fields",
                "from = us, kind = mail | etc/upline.toml",
            ),
            ("mailbox.desk.strangers", "refuse | default"),
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_section_is_told_with_the_rest() {
        let text = "mial = 3\nlog = \"loud\"\n[mail]\nserver = \"a\"\nform = \"b\"\n";
        let given = Given::default().text("upline.toml", text);
        let faults = Settings::read(&given).unwrap_err().join("\n");
        for expected in [
            "`mial` is no setting; did you mean `mail`?",
            "`log` (upline.toml): `loud`",
            "`upline.toml`: `[mail]`: unknown field `form`",
        ] {
            assert!(faults.contains(expected), "{expected}\n{faults}");
        }
        let text = "[links]\nactions = [\"take\", \"all/\", \"/x\", \"a/b/c\"]\n";
        let given = Given::default().text("upline.toml", text);
        let faults = Settings::read(&given).unwrap_err().join("\n");
        for wrong in ["`all/`", "`/x`", "`a/b/c`"] {
            let told = format!("`[links]`: `actions`: {wrong} is none");
            assert!(faults.contains(&told), "{told}\n{faults}");
        }
        assert!(!faults.contains("`take` is none"), "{faults}");
        let given = Given::default().text("upline.toml", "mail = \"here\"");
        let faults = Settings::read(&given).unwrap_err().join("\n");
        assert!(
            faults.contains("`mail` must be a section, `[mail]`, not string"),
            "{faults}"
        );
    }
}
