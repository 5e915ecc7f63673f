//! Secrets: settings say where one is kept, never what it is.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 4096;

/// That others than its owner and group can read a file.
const OTHERS_READ: u32 = 0o004;

/// Where a secret is kept: `{ file = "mail.password" }` or `{ env = "MAIL_PASSWORD" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Secret {
    /// In this file, without the line end at its end.
    File(PathBuf),
    /// In this variable of the environment.
    Env(String),
}

impl Secret {
    /// Paths are meant from this folder.
    pub fn settle(&mut self, folder: &Path) {
        if let Self::File(path) = self {
            *path = folder.join(&path);
        }
    }

    /// Whether every user of the machine can read the file that it is kept in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Self::File(path) = self else {
            return false;
        };
        let metadata = std::fs::metadata(path);
        metadata.is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_READ != 0)
    }

    /// Reads it.
    ///
    /// # Errors
    /// A line for the operator: it is not there, empty, no text, or longer than [`MAX_SECRET_BYTES`].
    pub fn read(&self) -> Result<Hidden, String> {
        let text = match self {
            Self::File(path) => read_file(path).map_err(|error| format!("{self}: {error}"))?,
            Self::Env(name) => {
                std::env::var(name).map_err(|_| format!("{self} is not set, or no text"))?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        match text.is_empty() {
            true => Err(format!("{self} is empty")),
            false => Ok(Hidden(text.to_owned())),
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_SECRET_BYTES).unwrap_or(u64::MAX);
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() > MAX_SECRET_BYTES {
        return Err(format!("it is longer than {MAX_SECRET_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not in UTF-8".to_owned())
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file `{}`", path.display()),
            Self::Env(name) => write!(f, "variable `{name}`"),
        }
    }
}

/// A secret that was read. What prints it for debugging prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// What it is: not for a log, an error or an answer.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_where_it_is_kept_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "open sesame\r\n").unwrap();
        let mut secret = Secret::File("password".into());
        secret.settle(folder.path());
        let hidden = secret.read().unwrap();
        assert_eq!(hidden.reveal(), "open sesame");
        assert_eq!(format!("{hidden:?}"), "Hidden");
    }

    #[test]
    fn a_file_that_everybody_can_read_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "open sesame").unwrap();
        let secret = Secret::File(path.clone());
        for (mode, open) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
            assert_eq!(secret.is_open(), open, "{mode:o}");
        }
        assert!(!Secret::File("nowhere".into()).is_open());
        assert!(!Secret::Env("PATH".into()).is_open());
    }

    #[test]
    fn what_is_no_secret_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Secret::File(path).read().unwrap_err()
        };
        assert!(at("empty", b"\n").contains("is empty"));
        assert!(at("latin", b"\xe9t\xe9").contains("not in UTF-8"));
        assert!(at("long", &[b'a'; MAX_SECRET_BYTES + 1]).contains("longer than 4096"));
        let folder = Secret::File(folder.path().into()).read().unwrap_err();
        assert!(folder.contains("it is no file"), "{folder}");
        let unset = Secret::Env("UPLINE_TEST_THAT_NOBODY_SETS".into());
        assert!(unset.read().unwrap_err().contains("is not set"));
    }
}
