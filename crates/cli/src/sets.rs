//! Workflows with what they need: those that stand beside them, and their directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use upline_core::Workflow;
use upline_core::proof::Proof;
use upline_dsl::{
    Checked, Content, Diagnostic, Directories, FileId, Files as _, Loaded, Read, Severity, Sort,
    check_loaded, load, plain, shown,
};
use upline_lab::transcript::Setting;

use crate::exit::Failure;
use crate::files::{self, Disk, is_yaml};

/// The option with which every command is told the directory.
#[derive(Debug, clap::Args)]
pub(crate) struct DirectoryArg {
    /// The directory [default: NAME.directory.yaml, directory.yaml or the only other directory beside the
    /// workflow NAME.yaml, else directory.yaml in a folder above]
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
}

/// Workflows that know each other, with their directory.
pub(crate) struct Set {
    loaded: Loaded,
    /// The files that the user named, directly or by their folder, and the directory.
    named: BTreeSet<FileId>,
}

impl Set {
    /// What is wrong with the text of the files that the user named, and of the directory.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        let found = self.loaded.found.iter();
        let found = found.filter(|one| self.named.contains(&one.primary.file));
        let mut found: Vec<Diagnostic> = found.cloned().collect();
        found.sort_by_key(|one| (one.primary.file, one.primary.span.start));
        found
    }

    /// The workflows that the user named and whose text has no mistakes.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = &Read<Workflow>> {
        let workflows = self.loaded.workflows.iter();
        workflows.filter(|read| self.named.contains(&read.file))
    }

    /// What was read.
    pub(crate) fn into_loaded(self) -> Loaded {
        self.loaded
    }

    /// The set with all that can be known of it before a ticket is opened.
    pub(crate) fn check(self, from: Timestamp) -> Checks {
        let checked = check_loaded(self.loaded, from);
        let needed = checked.needed_by(self.named.iter().copied());
        Checks {
            checked,
            named: self.named,
            needed,
        }
    }
}

/// A set that was checked: its meaning too.
pub(crate) struct Checks {
    /// What was read, and what is wrong in it.
    pub(crate) checked: Checked,
    named: BTreeSet<FileId>,
    /// The named ones, and those of the workflows that they call.
    needed: BTreeSet<FileId>,
}

impl Checks {
    /// Whether there is no directory at all. One with mistakes is there, and they are told.
    pub(crate) fn is_without_directory(&self) -> bool {
        self.checked.directory.is_none() && self.errors().next().is_none()
    }

    /// The workflows that the user named and whose text has no mistakes.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = &Read<Workflow>> {
        let workflows = self.checked.workflows.iter();
        workflows.filter(|read| self.named.contains(&read.file))
    }

    /// Whether something is wrong because of which this workflow can't be run.
    pub(crate) fn has_errors(&self, workflow: &Read<Workflow>) -> bool {
        let needed = self.checked.needed_by([workflow.file]);
        self.checked.left_out > 0 || self.errors().any(|one| needed.contains(&one.primary.file))
    }

    /// What is wrong in the files that the user named, in those that they need, and in the directory.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let found = self.checked.diagnostics.iter();
        found.filter(|one| self.needed.contains(&one.primary.file))
    }

    /// Those because of which the workflows can't be run.
    fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        let found = self.diagnostics();
        found.filter(|one| one.severity == Severity::Error)
    }

    /// The workflows that the user named and whose text has no mistakes, each with its proof.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = (&Read<Workflow>, &Proof)> {
        let workflows = self.checked.workflows.iter().zip(&self.checked.proofs);
        let named = workflows.filter(|(read, _)| self.named.contains(&read.file));
        named.filter_map(|(read, proof)| Some((read, proof.as_ref()?)))
    }
}

/// The files of the language that `paths` name, in sets: workflows of one folder know each other.
pub(crate) fn sets(paths: &[PathBuf], directory: Option<&Path>) -> Result<Vec<Set>, Failure> {
    if let Some(directory) = directory {
        must_be_directory(directory)?;
    }
    let mut disk = Disk;
    let mut directories = Directories::new(&mut disk);
    let mut named: BTreeMap<(PathBuf, Option<PathBuf>), Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        let found = match path.is_dir() {
            true => files::below(path, &is_yaml)?,
            false => vec![path.clone()],
        };
        if found.is_empty() {
            let message = format!("there are no workflows in `{}`", shown(path));
            let help = "workflows are files that end with `.yaml`";
            return Err(Failure::not_found(message).help(help));
        }
        for file in found {
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            let directory = if is_directory(&file, &files::read(&file)?) {
                Some(file.clone())
            } else if let Some(directory) = directory {
                Some(directory.to_owned())
            } else {
                let found = directories.of(&file);
                found.map_err(|several| {
                    let message = format!("`{}`: {several}", shown(&file));
                    Failure::findings(message).help("name one with `--directory FILE`")
                })?
            };
            named.entry((folder, directory)).or_default().push(file);
        }
    }
    let sets = named.into_iter();
    sets.map(|((folder, directory), files)| set(&folder, &files, directory.as_deref()))
        .collect()
}

/// Whether it is a directory: by its keys, and if they say nothing, by its name.
fn is_directory(path: &Path, content: &Content) -> bool {
    match Sort::of(&content.bytes) {
        Sort::Directory => true,
        Sort::Workflow => false,
        Sort::Neither => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with("directory.yaml")
        }
    }
}

/// Whoever names a file as the directory is told if it is none.
fn must_be_directory(path: &Path) -> Result<(), Failure> {
    let content = files::read(path)?;
    let what = match Sort::of(&content.bytes) {
        Sort::Workflow => "a workflow",
        Sort::Neither if std::str::from_utf8(&content.bytes).is_ok() => "something else",
        // What can't be read as text is told with its place.
        Sort::Neither | Sort::Directory => return Ok(()),
    };
    let message = format!(
        "`--directory`: `{}` is no directory, but {what}",
        shown(path)
    );
    Err(Failure::usage(message).help("a directory begins with `directory: NAME`"))
}

fn set(folder: &Path, named: &[PathBuf], directory: Option<&Path>) -> Result<Set, Failure> {
    let mut files: BTreeMap<PathBuf, Content> = BTreeMap::new();
    // A workflow may call another that stands beside it. One that can't be read is missed only if it is
    // called, and then that is said.
    for name in Disk.names(folder).iter().filter(|name| is_yaml(name)) {
        let path = folder.join(name);
        if let Ok(content) = files::read(&path)
            && Sort::of(&content.bytes) == Sort::Workflow
        {
            files.insert(path, content);
        }
    }
    let named: BTreeSet<&Path> = named
        .iter()
        .map(PathBuf::as_path)
        .chain(directory)
        .collect();
    for path in &named {
        files.insert((*path).to_owned(), files::read(path)?);
    }
    // The named ones first: what two files have in common is told at the one that the user asks about.
    let is_named = |path: &PathBuf| named.contains(path.as_path());
    let mut files: Vec<(PathBuf, Content)> = files.into_iter().collect();
    files.sort_by_key(|(path, _)| !is_named(path));
    let names: Vec<String> = files.iter().map(|(path, _)| plain(path)).collect();
    let contents = files.iter().map(|(_, content)| content);
    let loaded = load(
        names
            .iter()
            .zip(contents)
            .map(|(name, content)| content.named(name)),
    );
    let ids = loaded.sources.iter().map(|(id, _, _)| id);
    let named = ids
        .zip(&files)
        .filter_map(|(id, (path, _))| is_named(path).then_some(id))
        .collect();
    Ok(Set { loaded, named })
}

/// A workflow with what it needs.
pub(crate) fn one(path: &Path, directory: Option<&Path>) -> Result<Set, Failure> {
    if path.is_dir() {
        let message = format!("`{}` is a folder", shown(path));
        return Err(Failure::usage(message).help("name a workflow in it"));
    }
    let sets = sets(&[path.to_owned()], directory)?;
    let set = sets.into_iter().next();
    let no_workflow = || Failure::usage(format!("`{}` is no workflow", shown(path)));
    let set = set.ok_or_else(no_workflow)?;
    if set.workflows().next().is_some() {
        return Ok(set);
    }
    match set.diagnostics() {
        found if found.is_empty() => Err(no_workflow()),
        found => Err(unusable(path).found(set.loaded.sources, found)),
    }
}

/// What tickets of a workflow are played in. One that `check` refuses, for tickets from `from` on, is refused
/// with the same words.
pub(crate) fn setting(
    path: &Path,
    directory: Option<&Path>,
    from: Timestamp,
) -> Result<Setting, Failure> {
    let checks = one(path, directory)?.check(from);
    let errors: Vec<Diagnostic> = checks.errors().cloned().collect();
    if !errors.is_empty() {
        return Err(unusable(path).found(checks.checked.sources, errors));
    }
    let main = checks
        .workflows()
        .next()
        .map(|read| read.value.name.clone());
    let Checked {
        workflows,
        directory,
        ..
    } = checks.checked;
    Setting::of(workflows, directory, main.as_deref()).ok_or_else(|| {
        let message = format!(
            "there is no directory for `{}`, so nobody is there",
            shown(path)
        );
        Failure::not_found(message).help("name one with `--directory FILE`")
    })
}

fn unusable(path: &Path) -> Failure {
    Failure::findings(format!("`{}` can't be used as it is", shown(path)))
}
