//! What is in a data folder, how it is, and what to do about it: for somebody who stands before one that does
//! not start, or who wants to know before it comes to that. Nothing in it is changed.

#[cfg(feature = "sled")]
mod compare;
mod files;
mod findings;
mod journal;
mod look;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use serde::Serialize;
use upline_lab::render::Language;

#[cfg(feature = "sled")]
pub use compare::{IndexCheck, compare_index};
pub use files::{FileDamage, check_files};

pub use crate::words::of as in_language;

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// One that an engine keeps tickets in.
    DataFolder,
    /// A backup of one.
    Backup,
    /// Nothing is in it: the next start begins a data folder here.
    Empty,
    /// Something else.
    Foreign,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It must be seen to.
    Trouble,
}

/// Something that was found, and what to do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub what: String,
    /// What to do now.
    pub advice: String,
    /// Whether it is that something could not be read: nothing is known to be damaged by it.
    pub unread: bool,
}

/// The journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JournalPart {
    /// The format that this program knows; another one is a finding.
    pub format: u32,
    /// How many files.
    pub files: u64,
    /// How many bytes these take.
    pub bytes: u64,
    /// The number of the first commit.
    pub first: u64,
    /// How many whole commits there are. `None`: the folder is in use, and not all were looked at.
    pub commits: Option<u64>,
    /// The last commit.
    pub head: Option<String>,
    /// The engine's time at the last commit.
    pub last_at: Option<String>,
    /// Places that are not as they were written: the first hundred.
    pub damage: Vec<String>,
}

/// A snapshot: the open tickets at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SnapshotPart {
    /// The commit.
    pub commit: u64,
    /// Bytes of its file.
    pub bytes: u64,
    /// What is wrong with it.
    pub damage: Option<String>,
    /// What is in the way of reading it: that is no damage.
    pub unread: Option<String>,
}

/// Where the journal begins, if the retention rule has removed what was before: a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BasePart {
    /// The commit.
    pub commit: u64,
    /// Its time: what had ended by then is removed.
    pub at: Option<String>,
    /// Bytes of its file.
    pub bytes: u64,
    /// What is wrong with it.
    pub damage: Option<String>,
    /// What is in the way of reading it: that is no damage.
    pub unread: Option<String>,
}

/// The tickets' keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeysPart {
    /// How many files.
    pub files: u64,
    /// How many bytes these take.
    pub bytes: u64,
    /// What is wrong with which.
    pub damage: Vec<String>,
}

/// The index of all tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IndexPart {
    /// How many bytes its files take.
    pub bytes: u64,
    /// The last commit that is in it. `None`: it has none, can't be read, or is in use.
    pub commit: Option<u64>,
    /// What is wrong with it.
    pub damage: Option<String>,
    /// Folders that were set aside since they were damaged.
    pub set_aside: Vec<String>,
}

/// Tickets that are set aside: an engine can't move them without harm, and leaves them to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AsidePart {
    /// How many.
    pub count: u64,
    /// The first hundred, oldest first.
    pub tickets: Vec<AsideTicket>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AsideTicket {
    /// Its id.
    pub ticket: String,
    /// What is wrong.
    pub why: String,
}

/// How a folder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checkup {
    /// What it is.
    pub kind: Kind,
    /// Its identity.
    pub folder: Option<String>,
    /// Its format, as it says itself; one that this program does not know is a finding. `None`: it says none.
    pub format: Option<u32>,
    /// Whether an engine has it open.
    pub in_use: bool,
    /// Whether nothing can be written in it, so that no engine can start. The index is not looked at then.
    pub read_only: bool,
    /// Bytes that are free on its disk.
    pub free: Option<u64>,
    /// The journal.
    pub journal: Option<JournalPart>,
    /// Where the journal begins, if the retention rule is or was on.
    pub base: Option<BasePart>,
    /// The snapshots, newest first.
    pub snapshots: Vec<SnapshotPart>,
    /// The tickets' keys.
    pub keys: Option<KeysPart>,
    /// The index.
    pub index: Option<IndexPart>,
    /// Tickets that are set aside. `None`: not known, since the folder is in use, or no engine would start.
    pub aside: Option<AsidePart>,
    /// What is in it that Upline has not put there.
    pub strangers: Vec<String>,
    /// What is to be known, the worst first.
    pub findings: Vec<Finding>,
    /// The language of all texts in it.
    #[serde(skip)]
    language: Language,
}

impl Checkup {
    /// Whether nothing must be seen to.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        let mut findings = self.findings.iter();
        !findings.any(|finding| finding.severity == Severity::Trouble)
    }
}

/// Looks at a folder. If no engine has it open, all of its journal is read; `tell` is told how many of how
/// many files. Otherwise the last file is, and the index is left alone.
///
/// # Errors
/// The system's, if there is no such folder or it can't be listed. Everything else is a finding.
pub fn examine(folder: &Path, tell: &mut dyn FnMut(u64, u64)) -> io::Result<Checkup> {
    look::examine(folder, Language::English, tell)
}

/// [`examine`], with all texts in a language.
///
/// # Errors
/// As [`examine`].
pub fn examine_in(
    folder: &Path,
    language: Language,
    tell: &mut dyn FnMut(u64, u64),
) -> io::Result<Checkup> {
    look::examine(folder, language, tell)
}
