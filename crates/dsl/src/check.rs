//! [`check()`]: files to workflows that can be run, with everything that is wrong in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use upline_core::proof::Proof;
use upline_core::{Directory, Name, Workflow};

use crate::calls::calls;
use crate::{Diagnostic, File, FileId, Loaded, Read, Severity, Sources, lint, load};

/// Files that were read and checked: the same for the command line, editors and HTTP.
pub struct Checked {
    /// The workflows whose text has no mistakes, in the order of the files.
    pub workflows: Vec<Read<Workflow>>,
    /// The files of the workflows whose text has mistakes, by the names that they give themselves.
    pub broken: BTreeMap<Name, FileId>,
    /// The directory, if one of the files is one and its text has no mistakes.
    pub directory: Option<Read<Directory>>,
    /// Of each workflow the proof that no ticket is forgotten: the longest that it takes until each level,
    /// and the last resort, has it. `None` without a directory.
    pub proofs: Vec<Option<Proof>>,
    /// Everything that is wrong, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more mistakes there were than are kept.
    pub left_out: usize,
    /// The texts of the files.
    pub sources: Sources,
}

/// What was found, each with its place, and not all that was read: programs print errors in this way too.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |one: &Diagnostic| {
            let (file, code) = (one.primary.file, one.code.as_str());
            let at = self.sources.position(file, one.primary.span.start);
            let name = self.sources.name(file);
            let help = one.help.as_ref().map(|help| format!(" ({help})"));
            let help = help.unwrap_or_default();
            let (line, column) = (at.line, at.column);
            format!("{code} {name}:{line}:{column}: {}{help}", one.message)
        };
        let found: Vec<String> = self.diagnostics.iter().map(one).collect();
        f.debug_struct("Checked")
            .field("diagnostics", &found)
            .field("left_out", &self.left_out)
            .finish_non_exhaustive()
    }
}

impl Checked {
    /// Whether nothing worse than warnings was found, so that the workflows may be run.
    pub fn is_fine(&self) -> bool {
        let error = |one: &Diagnostic| one.severity == Severity::Error;
        self.left_out == 0 && !self.diagnostics.iter().any(error)
    }

    /// These files, those of the workflows that the workflows in them call, directly or through others, and
    /// that of the directory: all that must be right for them to be run.
    pub fn needed_by(&self, files: impl IntoIterator<Item = FileId>) -> BTreeSet<FileId> {
        let mut needed: BTreeSet<FileId> = files.into_iter().collect();
        let mut ahead: Vec<FileId> = needed.iter().copied().collect();
        while let Some(file) = ahead.pop() {
            let called = self.workflows.iter().filter(|read| read.file == file);
            for name in called.flat_map(|read| calls(&read.value)) {
                let file = self.workflow(name).map(|read| read.file);
                let file = file.or_else(|| self.broken.get(name).copied());
                ahead.extend(file.filter(|file| needed.insert(*file)));
            }
        }
        needed.extend(self.directory.as_ref().map(|read| read.file));
        needed
    }

    /// The workflow of this name.
    pub fn workflow(&self, name: &str) -> Option<&Read<Workflow>> {
        self.workflows.iter().find(|read| read.value.name == *name)
    }
}

/// Reads files and checks all that can be known of them before a ticket is opened.
///
/// Absences and shifts are looked at from `from` on, for a year.
///
/// ```
/// let workflow = "
/// workflow: tiny
/// start: new
/// states:
///   new: { assign: opener, actions: { done: closed } }
///   closed: { end: done }
/// ";
/// let from = "2026-03-02T08:00:00Z".parse()?;
/// let checked = upline_dsl::check([("tiny.yaml", workflow.as_bytes())], from);
/// assert_eq!(checked.diagnostics[0].message, "nothing watches the state `new`");
/// assert!(!checked.is_fine());
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn check<'a>(files: impl IntoIterator<Item: Into<File<'a>>>, from: Timestamp) -> Checked {
    check_loaded(load(files), from)
}

/// The same for files that were read already.
pub fn check_loaded(mut loaded: Loaded, from: Timestamp) -> Checked {
    let proofs = lint::proofs(&loaded, from);
    let meaning = lint::find(&loaded, &proofs, from);
    let mut found = std::mem::take(&mut loaded.found);
    found.append(meaning);
    Checked {
        left_out: found.left_out(),
        diagnostics: found.into_sorted(),
        workflows: loaded.workflows,
        broken: loaded.broken,
        proofs,
        directory: loaded.directory,
        sources: loaded.sources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn is_incident(checked: &Checked, one: &Diagnostic) -> bool {
        checked.sources.name(one.primary.file) == "it-incident.yaml"
    }

    #[test]
    fn the_shipped_workflows_are_clean() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workflows");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
        let named = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let checked = check(named, "2026-03-02T08:00:00Z".parse().unwrap());
        let found: Vec<String> = checked
            .diagnostics
            .iter()
            // The incident shows on purpose what becomes of a holiday without a deputy.
            .filter(|one| one.code != Code::CoverageGap || !is_incident(&checked, one))
            .map(|one| crate::render::text(&checked.sources, one, crate::render::Colour::Off))
            .collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert_eq!(checked.workflows.len() + 1, files.len());
        assert!(checked.is_fine());
    }
}
