//! Which files a command reads: those that are named, and what stands beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use upline_core::Workflow;
use upline_core::proof::Proof;
use upline_dsl::{
    Checked, Diagnostic, FileId, Loaded, Read, Severity, Sources, check_loaded, load, render,
};
use upline_lab::transcript::Setting;
use upline_lab::world::Workflows;

use crate::exit::Failure;
use crate::output::Output;

/// Most bytes that are read of a file of the language. It refuses shorter ones as too large already.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Deepest nesting of folders that is followed.
const MAX_DEPTH: usize = 16;
/// Name of the directory that holds for the workflows of its folder.
const DIRECTORY: &str = "directory.yaml";
/// What stands behind the name of a workflow in the name of the directory that is for it alone.
const OWN_DIRECTORY: &str = ".directory.yaml";

/// Workflows that know each other, with their directory.
pub(crate) struct Set {
    /// What was read.
    pub(crate) loaded: Loaded,
    /// The files that the user named, directly or by their folder, and the directory.
    named: Vec<String>,
}

impl Set {
    /// All that was read.
    pub(crate) fn of(loaded: Loaded) -> Self {
        let named = loaded
            .sources
            .iter()
            .map(|(_, name, _)| name.to_string())
            .collect();
        Self { loaded, named }
    }

    /// What is wrong in the files that the user named, and in the directory.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = self.loaded.found.iter().cloned().collect();
        found.retain(|diagnostic| self.is_named(diagnostic.primary.file));
        found.sort_by_key(|one| (one.primary.file, one.primary.span.start));
        found
    }

    /// The workflows that the user named and that have no mistakes.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = &Read<Workflow>> {
        self.loaded
            .workflows
            .iter()
            .filter(|read| self.is_named(read.file))
    }

    /// What tickets are played in: the first workflow that the user named opens them.
    pub(crate) fn into_setting(self) -> Result<(Setting, Sources), Failure> {
        let main = self.workflows().next().map(|read| read.value.name.clone());
        let Loaded {
            workflows,
            directory,
            sources,
            ..
        } = self.loaded;
        let Some((main, directory)) = main.zip(directory) else {
            let failure = Failure::not_found("there is no directory: who is there?");
            return Err(failure.help("name one with `--directory FILE`"));
        };
        let workflows = workflows.into_iter().map(|read| Arc::new(read.value));
        let setting = Setting {
            main,
            workflows: Workflows::new(workflows),
            directory: Arc::new(directory.value),
        };
        Ok((setting, sources))
    }

    /// The set with all that can be known of it before a ticket is opened.
    pub(crate) fn check(self, from: Timestamp) -> Checks {
        Checks {
            checked: check_loaded(self.loaded, from),
            named: self.named,
        }
    }

    fn is_named(&self, file: FileId) -> bool {
        is_named(&self.loaded.sources, &self.named, file)
    }
}

/// A set that was checked: its meaning too.
pub(crate) struct Checks {
    /// What was read, and what is wrong in it.
    pub(crate) checked: Checked,
    named: Vec<String>,
}

impl Checks {
    /// Whether there is no directory at all. One with mistakes is there, and they are told.
    pub(crate) fn is_without_directory(&self) -> bool {
        let error = |one: &Diagnostic| one.severity == Severity::Error;
        self.checked.directory.is_none() && !self.diagnostics().any(error)
    }

    /// The workflows that the user named and whose text has no mistakes.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = &Read<Workflow>> {
        let workflows = self.checked.workflows.iter();
        workflows.filter(|read| self.is_named(read.file))
    }

    /// What is wrong in the files that the user named, and in the directory.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let found = self.checked.diagnostics.iter();
        found.filter(|one| self.is_named(one.primary.file))
    }

    /// The workflows that the user named and whose text has no mistakes, each with its proof.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = (&Read<Workflow>, &Proof)> {
        let workflows = self.checked.workflows.iter().zip(&self.checked.proofs);
        let named = workflows.filter(|(read, _)| self.is_named(read.file));
        named.filter_map(|(read, proof)| Some((read, proof.as_ref()?)))
    }

    fn is_named(&self, file: FileId) -> bool {
        is_named(&self.checked.sources, &self.named, file)
    }
}

fn is_named(sources: &Sources, named: &[String], file: FileId) -> bool {
    named.iter().any(|named| named == sources.name(file))
}

/// The name of a path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::findings(format!("`{}` is not UTF-8", shown(path))))
}

/// Why a file can't be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::not_found(format!("cannot read `{}`: {error}", shown(path)))
}

/// All files below `folder` that `wanted` takes, sorted. Hidden ones and build output are passed over.
pub(crate) fn below(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with('.') {
                continue;
            }
            // Links are not followed, so that a circle of them ends.
            if path.is_dir() && !path.is_symlink() {
                if name != "target" && depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if wanted(&name) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Mappings of logs are YAML too, and no workflows.
fn is_yaml(name: &str) -> bool {
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.ends_with("map.yaml")
}

/// Whether a file of this name is a directory by its name.
fn is_directory(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == DIRECTORY || name.ends_with(OWN_DIRECTORY)
}

/// The files of the language that `paths` name, in sets: workflows of one folder know each other. A
/// workflow's directory is `directory`, else `NAME.directory.yaml` beside it, else `directory.yaml` beside it
/// or in a folder above it.
pub(crate) fn sets(paths: &[PathBuf], directory: Option<&Path>) -> Result<Vec<Set>, Failure> {
    let mut named: BTreeMap<(PathBuf, Option<PathBuf>), Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        let found = match path.is_dir() {
            true => below(path, &is_yaml)?,
            false => vec![path.clone()],
        };
        if found.is_empty() {
            let message = format!("there are no workflows in `{}`", shown(path));
            return Err(
                Failure::not_found(message).help("workflows are files that end with `.yaml`")
            );
        }
        for file in found {
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            let directory = match directory {
                Some(directory) => Some(directory.to_owned()),
                None if is_directory(&file) => Some(file.clone()),
                None => directory_of(&folder, &file),
            };
            named.entry((folder, directory)).or_default().push(file);
        }
    }
    let sets = named.into_iter();
    sets.map(|((folder, directory), files)| set(&folder, &files, directory.as_deref()))
        .collect()
}

fn set(folder: &Path, named: &[PathBuf], directory: Option<&Path>) -> Result<Set, Failure> {
    let mut files: Vec<PathBuf> = named.to_vec();
    // A workflow may call another that stands beside it.
    let beside = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    for entry in fs::read_dir(beside).into_iter().flatten().flatten() {
        let path = folder.join(entry.file_name());
        if is_yaml(&entry.file_name().to_string_lossy()) && path.is_file() {
            files.push(path);
        }
    }
    // Of several directories only one can hold.
    files.retain(|file| !is_directory(file));
    files.extend(directory.map(Path::to_owned));
    files.sort();
    files.dedup();
    let mut bytes = Vec::new();
    for file in &files {
        // A file beside that can't be read is missed only if it is called, and then that is said.
        match read(file) {
            Ok(read) => bytes.push((shown(file), read)),
            Err(failure) if named.contains(file) || Some(file.as_path()) == directory => {
                return Err(failure);
            }
            Err(_) => (),
        }
    }
    let loaded = load(
        bytes
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    let named = named.iter().map(PathBuf::as_path).chain(directory);
    let named = named.map(shown).collect();
    Ok(Set { loaded, named })
}

/// The directory of a workflow.
fn directory_of(folder: &Path, workflow: &Path) -> Option<PathBuf> {
    let own = workflow.file_stem().map(|stem| {
        let mut name = stem.to_owned();
        name.push(OWN_DIRECTORY);
        folder.join(name)
    });
    let above = folder.ancestors().map(|folder| folder.join(DIRECTORY));
    own.into_iter()
        .chain(above)
        .chain([PathBuf::from(DIRECTORY)])
        .find(|path| path.is_file())
}

/// A workflow and its directory for a command that can't go on without either.
pub(crate) fn one(
    path: &Path,
    directory: Option<&Path>,
    output: &mut Output,
) -> Result<Set, Failure> {
    if path.is_dir() {
        return Err(Failure::usage(format!(
            "`{}` is a folder; name a workflow in it",
            shown(path)
        )));
    }
    let mut sets = sets(&[path.to_owned()], directory)?;
    let Some(set) = sets.pop() else {
        return Err(Failure::not_found(format!(
            "there is no workflow in `{}`",
            shown(path)
        )));
    };
    complain(&set.loaded.sources, &set.diagnostics(), output);
    if set.workflows().next().is_none() && set.diagnostics().is_empty() {
        return Err(Failure::findings(format!(
            "`{}` is no workflow",
            shown(path)
        )));
    }
    if set.workflows().next().is_none() {
        return Err(Failure::findings(format!(
            "`{}` can't be used as it is",
            shown(path)
        )));
    }
    Ok(set)
}

/// Diagnostics that nobody asked for but that must be seen.
pub(crate) fn complain(sources: &Sources, diagnostics: &[Diagnostic], output: &mut Output) {
    if !diagnostics.is_empty() {
        let colour = output.colour_of_notes();
        output.note(render::texts(sources, diagnostics, colour).trim_end());
    }
}
