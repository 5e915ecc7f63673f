//! Reading files and folders of the disk.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use upline_dsl::{Content, Files, Unreadable};

use crate::exit::Failure;

/// Most bytes that are read of a file; how large it is beyond them is told all the same.
const MAX_BYTES: u64 = upline_lab::transcript::MAX_BYTES as u64;
/// Deepest nesting of folders that is followed.
const MAX_DEPTH: usize = 16;

/// The disk; relative paths begin in the working directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&mut self, path: &Path) -> Result<Content, Unreadable> {
        read(path)
    }

    fn names(&mut self, folder: &Path) -> Vec<String> {
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let names = files.filter_map(|entry| entry.file_name().into_string().ok());
        names.collect()
    }
}

/// What is in a file.
pub(crate) fn read(path: &Path) -> Result<Content, Unreadable> {
    let unreadable = |error| Unreadable::new(path, error);
    let file = fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let mut some = file.take(MAX_BYTES + 1);
    some.read_to_end(&mut bytes).map_err(unreadable)?;
    // Pipes have no size of their own.
    let size = size.max(bytes.len() as u64);
    Ok(Content { bytes, size })
}

/// Where a path is that may not be there yet, without links and `..`. `None`: the working directory is gone.
pub(crate) fn resolved(path: &Path) -> Option<PathBuf> {
    let mut at = std::env::current_dir().ok()?;
    for part in path.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => at = PathBuf::from(part.as_os_str()),
            Component::CurDir => (),
            // No link is left in what is before it, and what is not there yet will be none.
            Component::ParentDir => drop(at.pop()),
            Component::Normal(name) => {
                at.push(name);
                at = fs::canonicalize(&at).unwrap_or(at);
            }
        }
    }
    Some(at)
}

/// A path without the `..` that leads out of a folder which is not there: the system would make that one too.
pub(crate) fn without_detours(path: &Path) -> PathBuf {
    let mut parts = path.ancestors();
    let out_of_nothing = |part: &Path| {
        let before = part.parent().filter(|_| part.ends_with(".."));
        before.is_some_and(|before| !before.as_os_str().is_empty() && !before.exists())
    };
    match parts.any(out_of_nothing) {
        true => resolved(path).unwrap_or_else(|| path.to_owned()),
        false => path.to_owned(),
    }
}

/// All files below `folder` that `wanted` takes, sorted. Hidden ones and build output are passed over.
pub(crate) fn below(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let unreadable = |error| Unreadable::new(&folder, error);
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            // Links are not followed, so that a circle of them ends.
            if path.is_dir() && !path.is_symlink() {
                if name != "target" && depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if wanted(&name) && !is_special(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A pipe or a device, whose reading may wait for ever. Somebody who names one means it.
fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Mappings of logs are YAML too, and no workflows.
pub(crate) fn is_yaml(name: &str) -> bool {
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.ends_with("map.yaml")
}
