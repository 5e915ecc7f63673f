//! The section `[mailbox.NAME]`: where mail comes from, and what becomes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::mail::address;
use crate::settings::{Secret, Section};
use crate::tell::{Language, MailSecurity};

/// Mails of one sender that are taken within an hour, unless a setting says otherwise.
pub const DEFAULT_PER_HOUR: u32 = 60;

/// Seconds between two looks at a mailbox on a server, unless a setting says otherwise.
pub const DEFAULT_EVERY: u32 = 60;

/// Seconds between two looks at a folder, unless a setting says otherwise.
pub const DEFAULT_FOLDER_EVERY: u32 = 5;

/// Longest time between two looks at a mailbox, in seconds.
pub const MAX_EVERY: u32 = 3600;

/// Who may open a ticket by mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MayOpen {
    /// Nobody: the mailbox is for answers only.
    #[default]
    Nobody,
    /// Whose address is in the directory, or in `known`.
    Known,
    /// Everybody.
    Anyone,
}

/// What becomes of an answer that comes from another address than the mail went to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strangers {
    /// It is put aside.
    #[default]
    Refuse,
    /// It is a comment, which says from whom it is.
    Comment,
}

/// What becomes of an answer to a ticket that has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterEnd {
    /// It is put aside.
    #[default]
    Refuse,
    /// It opens a ticket, if its sender may.
    Open,
}

/// What an answer of a customer stands for: messages or actions of a workflow, the first that fits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "a name, or several in their order: [\"answer\", \"reopen\"]"
)]
pub enum OnAnswer {
    /// One and no other.
    One(String),
    /// The first of these that the state awaits or offers him.
    FirstOf(Vec<String>),
}

impl OnAnswer {
    /// In their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::FirstOf(names) => names,
        }
    }
}

/// The section `[mailbox.NAME]`, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct MailboxSettings {
    /// A folder in the form of Maildir on this machine; else a server.
    pub folder: Option<PathBuf>,
    /// The IMAP server's name.
    pub server: Option<String>,
    /// Its port; else 993 with TLS, 143 without.
    pub port: Option<u16>,
    /// How the way to it is kept from others.
    #[serde(default)]
    pub security: MailSecurity,
    /// Certificates that are trusted besides the system's, in PEM.
    pub ca: Option<PathBuf>,
    /// The user to log in as.
    pub user: Option<String>,
    /// His password.
    pub password: Option<Secret>,
    /// The folder on the server; else `INBOX`.
    pub mailbox: Option<String>,
    /// Seconds between two looks, where nobody says that something has come.
    pub every: Option<u32>,
    /// Addresses under which mail comes here: mail from them is our own.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Who may open a ticket.
    #[serde(default)]
    pub open: MayOpen,
    /// Addresses, or domains as `@example.com`, that are known besides the directory's.
    #[serde(default)]
    pub known: Vec<String>,
    /// The workflow of tickets that are opened.
    pub workflow: Option<String>,
    /// The field that takes the sender.
    pub sender: Option<String>,
    /// The field that takes the subject; without one it stands above the text.
    pub subject: Option<String>,
    /// The field that takes the text.
    pub body: Option<String>,
    /// What other fields hold.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Messages or actions of the workflow that an answer of a customer stands for.
    pub on_answer: Option<OnAnswer>,
    /// Answers from other addresses than the mail went to.
    #[serde(default)]
    pub strangers: Strangers,
    /// Answers to tickets that have ended.
    #[serde(default)]
    pub after_end: AfterEnd,
    /// A folder in which attachments are kept; without one they are left out.
    pub attachments: Option<PathBuf>,
    /// Mails of one sender that are taken within an hour.
    pub per_hour: Option<u32>,
    /// The language of what is added to texts.
    #[serde(default)]
    pub language: Language,
}

/// Where mail comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// A folder in the form of Maildir.
    Folder(PathBuf),
    /// A server.
    Imap(ImapSettings),
}

/// How an IMAP server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapSettings {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept from others.
    pub security: MailSecurity,
    /// Certificates that are trusted besides the system's.
    pub ca: Option<PathBuf>,
    /// The user to log in as.
    pub user: String,
    /// His password.
    pub password: Secret,
    /// The folder on the server.
    pub mailbox: String,
}

impl MailboxSettings {
    /// Where mail comes from. `None`: the section was not looked at by [`Section::settle`].
    #[must_use]
    pub fn place(&self) -> Option<Where> {
        if let Some(folder) = &self.folder {
            return Some(Where::Folder(folder.clone()));
        }
        let port = match self.security {
            MailSecurity::Tls => 993,
            MailSecurity::StartTls | MailSecurity::None => 143,
        };
        Some(Where::Imap(ImapSettings {
            server: self.server.clone()?,
            port: self.port.unwrap_or(port),
            security: self.security,
            ca: self.ca.clone(),
            user: self.user.clone()?,
            password: self.password.clone()?,
            mailbox: self.mailbox.clone().unwrap_or_else(|| "INBOX".to_owned()),
        }))
    }

    /// How long between two looks.
    #[must_use]
    pub fn every(&self) -> Duration {
        let default = match self.folder {
            Some(_) => DEFAULT_FOLDER_EVERY,
            None => DEFAULT_EVERY,
        };
        let seconds = self.every.unwrap_or(default);
        Duration::from_secs(u64::from(seconds))
    }

    /// How many mails of one sender are taken within an hour.
    #[must_use]
    pub fn per_hour(&self) -> u32 {
        self.per_hour.unwrap_or(DEFAULT_PER_HOUR)
    }

    /// Whether an address is known without the directory.
    #[must_use]
    pub fn knows(&self, address: &str) -> bool {
        let is = |known: &String| match known.starts_with('@') {
            true => address.ends_with(known.as_str()),
            false => address == known,
        };
        self.known.iter().any(is)
    }

    fn place_faults(&self, faults: &mut Vec<String>) {
        let imap = [
            ("server", self.server.is_some()),
            ("port", self.port.is_some()),
            ("ca", self.ca.is_some()),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("mailbox", self.mailbox.is_some()),
        ];
        match (&self.folder, &self.server) {
            (Some(_), _) => {
                let given = imap.iter().filter(|(_, given)| *given);
                let beside = given.map(|(field, _)| {
                    format!("`{field}` belongs to a server, and `folder` is given")
                });
                faults.extend(beside);
            }
            (None, None) => {
                faults.push("say where the mail is: `folder`, or `server`".to_owned());
            }
            (None, Some(server)) => {
                let needed = [
                    ("user", self.user.is_some()),
                    ("password", self.password.is_some()),
                ];
                let missing = needed.iter().filter(|(_, given)| !given);
                faults.extend(missing.map(|(field, _)| format!("`{field}` is missing")));
                let here = ["localhost", "127.0.0.1", "::1"].contains(&server.as_str());
                if self.security == MailSecurity::None && !here {
                    let why =
                        "`security = \"none\"` would show the password to everybody on the way";
                    faults.push(why.to_owned());
                }
            }
        }
    }

    fn open_faults(&self, faults: &mut Vec<String>) {
        let fields = [
            ("workflow", self.workflow.is_some()),
            ("sender", self.sender.is_some()),
            ("subject", self.subject.is_some()),
            ("body", self.body.is_some()),
            ("fields", !self.fields.is_empty()),
        ];
        if self.open == MayOpen::Nobody {
            let given = fields.iter().filter(|(_, given)| *given);
            faults.extend(given.map(|(field, _)| {
                format!("`{field}` is for tickets that mail opens: say `open = \"known\"` or `\"anyone\"`")
            }));
        } else if self.workflow.is_none() {
            faults.push("`workflow` is missing: which tickets mail opens".to_owned());
        } else if self.body.is_none() {
            faults.push("`body` is missing: the field that takes the text".to_owned());
        }
    }

    fn address_faults(&mut self, faults: &mut Vec<String>) {
        for known in &mut self.known {
            *known = known.to_lowercase();
            let whole = match known.starts_with('@') {
                true => format!("x{known}"),
                false => known.clone(),
            };
            if address(&whole).is_none() {
                faults.push(format!(
                    "`known`: `{known}` is no address, and no `@domain`"
                ));
            }
        }
        for own in &mut self.addresses {
            match address(own) {
                Some(address) => *own = address,
                None => faults.push(format!("`addresses`: `{own}` is no address")),
            }
        }
    }
}

impl Section for MailboxSettings {
    const NAME: &'static str = "mailbox";

    fn settle(&mut self, folder: &Path) -> Result<(), Vec<String>> {
        let paths = [&mut self.folder, &mut self.ca, &mut self.attachments];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&path);
        }
        if let Some(password) = &mut self.password {
            password.settle(folder);
        }
        let mut faults = Vec::new();
        self.place_faults(&mut faults);
        self.open_faults(&mut faults);
        self.address_faults(&mut faults);
        if self
            .every
            .is_some_and(|every| !(1..=MAX_EVERY).contains(&every))
        {
            faults.push(format!("`every` must be 1 to {MAX_EVERY} seconds"));
        }
        if self.per_hour == Some(0) {
            faults.push("`per-hour` must be at least 1".to_owned());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.password.iter().collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let path = |path: &PathBuf| path.display().to_string();
        let mut rows = match self.place() {
            Some(Where::Folder(folder)) => vec![("folder", path(&folder))],
            Some(Where::Imap(imap)) => vec![
                ("server", imap.server),
                ("port", imap.port.to_string()),
                ("security", format!("{:?}", imap.security).to_lowercase()),
                ("user", imap.user),
                ("password", imap.password.to_string()),
                ("mailbox", imap.mailbox),
            ],
            None => Vec::new(),
        };
        if let Some(ca) = &self.ca {
            rows.push(("ca", path(ca)));
        }
        rows.push(("every", self.every().as_secs().to_string()));
        rows.push(("addresses", self.addresses.join(", ")));
        rows.push(("open", format!("{:?}", self.open).to_lowercase()));
        rows.push(("known", self.known.join(", ")));
        let on_answer = self
            .on_answer
            .as_ref()
            .map(|names| names.names().join(", "));
        let texts = [
            ("workflow", &self.workflow),
            ("sender", &self.sender),
            ("subject", &self.subject),
            ("body", &self.body),
            ("on-answer", &on_answer),
        ];
        let given = texts
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.clone()?)));
        rows.extend(given);
        let fields = self.fields.iter();
        let fields: Vec<String> = fields
            .map(|(field, value)| format!("{field} = {value}"))
            .collect();
        rows.push(("fields", fields.join(", ")));
        rows.push(("strangers", format!("{:?}", self.strangers).to_lowercase()));
        rows.push(("after-end", format!("{:?}", self.after_end).to_lowercase()));
        if let Some(attachments) = &self.attachments {
            rows.push(("attachments", path(attachments)));
        }
        rows.push(("per-hour", self.per_hour().to_string()));
        rows.push(("language", self.language.to_string()));
        rows
    }
}
