//! The files of this repository, as tests see them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use upline_dsl::{Content, Files, Unreadable};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.ancestors().nth(2).unwrap_or(cli).to_owned()
}

/// The text of a file, named from the top.
pub(crate) fn read(path: &str) -> String {
    match fs::read_to_string(root().join(path)) {
        Ok(text) => text,
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Paths of all files that belong to the repository, from the top, sorted, with `/` between the parts.
///
/// What git ignores is left out. Where there is no git (a source archive) the folder is walked instead.
pub(crate) fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output();
    let mut files: Vec<String> = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_terminator('\0')
            .filter(|path| root().join(path).is_file())
            .map(str::to_owned)
            .collect(),
        _ => walk(),
    };
    files.sort();
    files.dedup();
    files
}

/// Those of [`files`] that end with one of `endings`.
pub(crate) fn files_ending(endings: &[&str]) -> Vec<String> {
    let mut files = files();
    files.retain(|path| endings.iter().any(|ending| path.ends_with(ending)));
    files
}

fn walk() -> Vec<String> {
    let top = root();
    let mut found = Vec::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else if let Ok(below) = path.strip_prefix(&top) {
                found.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

#[test]
fn walking_finds_what_git_lists() {
    let walked = walk();
    for path in files() {
        assert!(
            walked.contains(&path),
            "{path} is listed by git but not found by walking"
        );
    }
}

/// The files of the repository, by their paths in it.
pub(crate) struct Repository;

impl Files for Repository {
    fn read(&mut self, path: &Path) -> Result<Content, Unreadable> {
        let bytes = fs::read(root().join(path));
        bytes
            .map(Content::from)
            .map_err(|error| Unreadable::new(path, error))
    }

    fn names(&mut self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(root().join(folder))
            .into_iter()
            .flatten()
            .flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.collect()
    }
}
