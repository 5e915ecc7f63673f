//! The folder of workflows: YAML files, one of them the directory. It is what a start reads, and what a file
//! that is put through the API is written to, so that the next start reads the same.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use upline::core::Name;
use upline::record::File;

use crate::limits::{MAX_BODY_BYTES, MAX_FILES};

/// Longest name of a file that is put, without its ending.
pub const MAX_FILE_NAME: usize = 64;

/// A folder of workflows.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Why a folder can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {why}", path.display())]
pub struct FolderError {
    path: PathBuf,
    why: String,
}

impl Folder {
    /// The folder at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its files that end in `.yaml` or `.yml`, by name, without hidden ones and those of folders in it.
    ///
    /// # Errors
    /// If it, or one of them, can't be read, is not text, or is too large; or if there are too many.
    pub fn read(&self) -> Result<Vec<File>, FolderError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|error| failed(&self.path, &error))? {
            let entry = entry.map_err(|error| failed(&self.path, &error))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
            if yaml && !name.starts_with('.') && entry.path().is_file() {
                names.push(name);
            }
        }
        if names.len() > MAX_FILES {
            let why = format!("it has {} files; at most {MAX_FILES} are read", names.len());
            let path = self.path.clone();
            return Err(FolderError { path, why });
        }
        names.sort();
        names.iter().map(|name| self.file(name)).collect()
    }

    fn file(&self, name: &str) -> Result<File, FolderError> {
        let path = self.path.join(name);
        let size = fs::metadata(&path).map_err(|error| failed(&path, &error))?;
        if size.len() > MAX_BODY_BYTES as u64 {
            let why = format!("it is larger than {MAX_BODY_BYTES} bytes");
            return Err(FolderError { path, why });
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
        let name = Name::new(name);
        Ok(File { name, text })
    }

    /// Writes a file beside the one of this name, whose place it takes by [`Staged::keep`]. The name was
    /// looked at by [`is_file_name`].
    ///
    /// # Errors
    /// If it can't be written.
    pub fn stage(&self, file: &File) -> Result<Staged, FolderError> {
        let target = self.path.join(file.name.as_str());
        let path = self.path.join(format!(".{}.new", file.name));
        let written = fs::File::create(&path).and_then(|mut staged| {
            staged.write_all(file.text.as_bytes())?;
            staged.sync_all()
        });
        written.map_err(|error| failed(&path, &error))?;
        Ok(Staged { path, target })
    }
}

/// A file that is written and does not count yet; dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// Puts it in its place.
    ///
    /// # Errors
    /// If the folder does not let it.
    pub fn keep(self) -> Result<(), FolderError> {
        let renamed = fs::rename(&self.path, &self.target);
        renamed.map_err(|error| failed(&self.target, &error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It is not there any more if it was kept.
        let _ = fs::remove_file(&self.path);
    }
}

fn failed(path: &Path, error: &io::Error) -> FolderError {
    FolderError {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

/// Whether a file that comes from elsewhere may have this name: lower-case letters, digits, `-` and `_`, and
/// the ending `.yaml`. So it stays in its folder, and is the same file on every system.
///
/// ```
/// use upline_daemon::folder::is_file_name;
/// assert!(is_file_name("trouble-ticket.yaml"));
/// assert!(!is_file_name("../passwd.yaml"));
/// assert!(!is_file_name("Trouble.yaml"));
/// ```
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    name.strip_suffix(".yaml")
        .is_some_and(|stem| (1..=MAX_FILE_NAME).contains(&stem.len()) && stem.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_file_counts_only_when_it_is_kept() {
        let path = tempfile::tempdir().unwrap();
        let folder = Folder::new(path.path());
        let file = |text: &str| File {
            name: "a.yaml".into(),
            text: text.into(),
        };
        drop(folder.stage(&file("one")).unwrap());
        assert!(folder.read().unwrap().is_empty());
        folder.stage(&file("one")).unwrap().keep().unwrap();
        folder.stage(&file("two")).unwrap().keep().unwrap();
        assert_eq!(folder.read().unwrap(), [file("two")]);
        assert_eq!(
            fs::read_dir(path.path()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }
}
