//! [`File`] and [`Files`]: what is read, without opening it. Who opens files is the caller.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A file: its name, as messages and journals shall show it, and its bytes.
///
/// ```
/// use upline_dsl::File;
/// let whole = File::from(("tiny.yaml", "workflow: tiny"));
/// assert_eq!(whole.size, 14);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its bytes; of a file that is too large to be used, any part of them.
    pub bytes: &'a [u8],
    /// How many bytes it has in truth.
    pub size: u64,
}

impl<'a, B: AsRef<[u8]> + ?Sized> From<(&'a str, &'a B)> for File<'a> {
    fn from((name, bytes): (&'a str, &'a B)) -> Self {
        let bytes = bytes.as_ref();
        Self {
            name,
            bytes,
            size: bytes.len() as u64,
        }
    }
}

/// What is in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Its bytes; of a file that is too large to be used, any part of them.
    pub bytes: Vec<u8>,
    /// How many bytes it has in truth.
    pub size: u64,
}

impl Content {
    /// The file of this name.
    pub fn named<'a>(&'a self, name: &'a str) -> File<'a> {
        File {
            name,
            bytes: &self.bytes,
            size: self.size,
        }
    }
}

impl<B: Into<Vec<u8>>> From<B> for Content {
    fn from(bytes: B) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self { bytes, size }
    }
}

/// Why a file can't be read: the text for people, a lower-case fragment that names the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl Unreadable {
    /// The one text for it: `cannot read `a.yaml`: there is no such file`.
    pub fn new(path: &Path, why: impl fmt::Display) -> Self {
        Self(format!("cannot read `{}`: {why}", shown(path)))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files of whoever can read them: of a disk, of a request, of a test.
///
/// Relative paths begin wherever the caller says; all of them at the same place.
pub trait Files {
    /// What is in the file.
    ///
    /// # Errors
    /// [`Unreadable`] if there is none, or it can't be read.
    fn read(&mut self, path: &Path) -> Result<Content, Unreadable>;

    /// The names of the files in the folder, without the folders in it. The empty path is the place where
    /// relative paths begin. None if there is no such folder.
    fn names(&mut self, folder: &Path) -> Vec<String>;
}

/// Files in memory.
impl Files for BTreeMap<PathBuf, Vec<u8>> {
    fn read(&mut self, path: &Path) -> Result<Content, Unreadable> {
        let bytes = self.get(path).cloned();
        let content = bytes.map(Content::from);
        content.ok_or_else(|| Unreadable::new(path, "there is no such file"))
    }

    fn names(&mut self, folder: &Path) -> Vec<String> {
        let inside = self.keys().filter(|path| path.parent() == Some(folder));
        let names = inside.filter_map(|path| path.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

/// The path as messages show it: [`plain`], and what can't be seen or moves the cursor is escaped.
///
/// ```
/// use std::path::Path;
/// use upline_dsl::{plain, shown};
/// assert_eq!(shown(Path::new("./a\n\u{1b}[31m.yaml")), "a\\u{a}\\u{1b}[31m.yaml");
/// assert_eq!(plain(Path::new("./a\n.yaml")), "a\n.yaml");
/// ```
pub fn shown(path: &Path) -> String {
    crate::found::printable(&plain(path))
}

/// The path as programs read it: the same on every system.
pub fn plain(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Elsewhere a backslash is a character of a name like others.
    let text = match std::path::MAIN_SEPARATOR {
        '\\' => text.replace('\\', "/"),
        _ => text.into_owned(),
    };
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}
