//! [`Directories`]: which file is the directory of a workflow. One rule for every command.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::{Files, shown};

/// Name of the directory that holds for the workflows of its folder, and of folders below it.
pub const DIRECTORY: &str = "directory.yaml";
/// What stands behind the name of a workflow in the name of the directory that is for it alone.
const OWN_DIRECTORY: &str = ".directory.yaml";
/// Most folders above a workflow that are looked into; nobody nests deeper, and `..` has no end everywhere.
const MAX_ABOVE: usize = 32;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It has the key `workflow`.
    Workflow,
    /// It has the key `directory`.
    Directory,
    /// It has neither, or is no text.
    Neither,
}

impl Sort {
    /// What a file of the language is, by its first key that says so: at the beginning of a line, or behind
    /// the brace that opens the file. Works for files with any mistakes.
    ///
    /// ```
    /// use upline_dsl::Sort;
    /// assert_eq!(Sort::of(b"# Our people\ndirectory: acme\npeople: ["), Sort::Directory);
    /// assert_eq!(Sort::of(b"title: directory"), Sort::Neither);
    /// ```
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii_end);
        let says = |line: &&[u8]| !line.trim_ascii().is_empty() && !line.starts_with(b"#");
        let mut lines = lines.filter(says);
        let first = lines.next().unwrap_or_default();
        let first = first
            .strip_prefix(b"{")
            .map_or(first, <[u8]>::trim_ascii_start);
        let mut sorts = std::iter::once(first).chain(lines).map(by_key);
        sorts.find_map(|sort| sort).unwrap_or(Self::Neither)
    }
}

/// What the key says with which a line begins.
fn by_key(line: &[u8]) -> Option<Sort> {
    let (quote, key) = match line.first() {
        Some(quote @ (b'"' | b'\'')) => (Some(*quote), &line[1..]),
        _ => (None, line),
    };
    let known = [
        (&b"workflow"[..], Sort::Workflow),
        (b"directory", Sort::Directory),
    ];
    known.into_iter().find_map(|(word, sort)| {
        let rest = key.strip_prefix(word)?;
        let rest = match quote {
            Some(quote) => rest.strip_prefix(&[quote])?,
            None => rest,
        };
        rest.trim_ascii_start().starts_with(b":").then_some(sort)
    })
}

/// Several files could be the directory, and none of them is called so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several {
    /// Which.
    pub files: Vec<PathBuf>,
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .files
            .iter()
            .map(|path| format!("`{}`", shown(path)))
            .collect();
        write!(f, "which is the directory: {}?", names.join(" or "))
    }
}

/// Looks for directories, and remembers what it has found.
///
/// The directory of the workflow `NAME.yaml` is the first of these that is there:
///
/// 1. `NAME.directory.yaml` beside it;
/// 2. `directory.yaml` beside it;
/// 3. another file beside it that has the key `directory`, if there is one such file only;
/// 4. `directory.yaml` in the folder above, and so on upwards.
#[derive(Debug)]
pub struct Directories<'f, F> {
    files: &'f mut F,
    /// By folder: the names of its files, and which of them holds for all of it.
    folders: BTreeMap<PathBuf, Folder>,
}

#[derive(Debug, Default)]
struct Folder {
    names: Vec<String>,
    directory: Option<Result<Option<PathBuf>, Several>>,
}

impl<'f, F: Files> Directories<'f, F> {
    /// Nothing is known yet.
    pub fn new(files: &'f mut F) -> Self {
        Self {
            files,
            folders: BTreeMap::new(),
        }
    }

    /// The directory of a workflow; `None` if there is none.
    ///
    /// # Errors
    /// [`Several`] if nothing says which of several files it is.
    pub fn of(&mut self, workflow: &Path) -> Result<Option<PathBuf>, Several> {
        let folder = workflow.parent().unwrap_or(Path::new(""));
        let own = workflow
            .file_stem()
            .map(|stem| format!("{}{OWN_DIRECTORY}", stem.display()));
        if let Some(own) = own.filter(|own| self.has(folder, own)) {
            return Ok(Some(folder.join(own)));
        }
        if let Some(known) = &self.folder(folder).directory {
            return known.clone();
        }
        let found = self.shared(folder);
        self.folder(folder).directory = Some(found.clone());
        found
    }

    /// The directory that holds for all workflows of a folder.
    fn shared(&mut self, folder: &Path) -> Result<Option<PathBuf>, Several> {
        if self.has(folder, DIRECTORY) {
            return Ok(Some(folder.join(DIRECTORY)));
        }
        let names = self.folder(folder).names.clone();
        let files = names
            .iter()
            .filter(|name| is_yaml(name) && !name.ends_with(OWN_DIRECTORY));
        let files = files.map(|name| folder.join(name));
        let mut files: Vec<PathBuf> = files.filter(|path| self.is_directory(path)).collect();
        if files.len() > 1 {
            return Err(Several { files });
        }
        if let Some(file) = files.pop() {
            return Ok(Some(file));
        }
        let mut above = above(folder);
        for _ in 0..MAX_ABOVE {
            let Some(folder) = above else { break };
            if self.has(&folder, DIRECTORY) {
                return Ok(Some(folder.join(DIRECTORY)));
            }
            above = self::above(&folder);
        }
        Ok(None)
    }

    fn is_directory(&mut self, path: &Path) -> bool {
        let content = self.files.read(path);
        content.is_ok_and(|content| Sort::of(&content.bytes) == Sort::Directory)
    }

    fn has(&mut self, folder: &Path, name: &str) -> bool {
        self.folder(folder).names.iter().any(|other| other == name)
    }

    fn folder(&mut self, path: &Path) -> &mut Folder {
        let files = &mut *self.files;
        self.folders.entry(path.to_owned()).or_insert_with(|| {
            let mut names = files.names(path);
            names.sort_unstable();
            Folder {
                names,
                directory: None,
            }
        })
    }
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// The folder above a folder, which may be relative.
fn above(folder: &Path) -> Option<PathBuf> {
    match folder.components().next_back() {
        None | Some(Component::ParentDir | Component::CurDir) => Some(folder.join("..")),
        Some(Component::Normal(_)) => folder.parent().map(Path::to_owned),
        Some(Component::RootDir | Component::Prefix(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// What is found for a workflow among these files; several are joined by `|`.
    fn found(workflow: &str, files: &[(&'static str, &'static str)]) -> String {
        let files = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
        let mut files: BTreeMap<PathBuf, Vec<u8>> = files.collect();
        match Directories::new(&mut files).of(Path::new(workflow)) {
            Ok(found) => found.map_or_else(String::new, |path| shown(&path)),
            Err(several) => several
                .files
                .iter()
                .map(|path| shown(path))
                .collect::<Vec<_>>()
                .join("|"),
        }
    }

    #[test]
    fn the_nearest_directory_holds() {
        let own = ("a/w.directory.yaml", "");
        let beside = ("a/directory.yaml", "");
        let people = ("a/people.yaml", "# who\n\ndirectory : acme");
        let others = ("a/b.yaml", "{ 'directory': acme }");
        let above = ("directory.yaml", "");
        let workflow = ("a/w.yaml", "workflow: w");
        let all = [own, beside, people, others, above, workflow];
        assert_eq!(found("a/w.yaml", &all), own.0);
        assert_eq!(found("a/w.yaml", &all[1..]), beside.0);
        assert_eq!(found("a/w.yaml", &all[2..]), "a/b.yaml|a/people.yaml");
        assert_eq!(found("a/w.yaml", &[people, above, workflow]), people.0);
        assert_eq!(found("a/w.yaml", &[above, workflow]), above.0);
        assert_eq!(found("a/b/c/w.yaml", &all), beside.0);
        // What stands deeper, or is for another workflow alone, is not for this one.
        assert_eq!(found("w.yaml", &[own, beside, people]), "");
        assert_eq!(found("a/v.yaml", &[own, workflow]), "");
    }

    #[test]
    fn folders_above_the_one_where_paths_begin_are_looked_into() {
        assert_eq!(
            found("w.yaml", &[("../directory.yaml", "")]),
            "../directory.yaml"
        );
        assert_eq!(
            found("a/w.yaml", &[("../../directory.yaml", "")]),
            "../../directory.yaml"
        );
        assert_eq!(
            found("../a/w.yaml", &[("../../directory.yaml", "")]),
            "../../directory.yaml"
        );
        assert_eq!(
            found("/a/w.yaml", &[("/directory.yaml", "")]),
            "/directory.yaml"
        );
        assert_eq!(found("/a/w.yaml", &[("directory.yaml", "")]), "");
    }

    #[test]
    fn a_file_is_known_by_its_keys_even_if_it_is_broken() {
        for (text, sort) in [
            ("workflow: a\ndirectory: b", Sort::Workflow),
            ("\u{FEFF}directory: a", Sort::Directory),
            ("title: x\r\n\"directory\": a\r\nb: [", Sort::Directory),
            ("---\ndirectory:", Sort::Directory),
            ("directory's: a", Sort::Neither),
            ("states:\n  directory: a", Sort::Neither),
            ("", Sort::Neither),
        ] {
            assert_eq!(Sort::of(text.as_bytes()), sort, "{text:?}");
        }
    }
}
