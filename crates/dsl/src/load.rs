//! Texts to workflows and directories, with everything that is wrong in them.

use std::collections::BTreeMap;

use upline_core::{Directory, Name, Workflow};

use crate::calls::check_calls;
use crate::keys::{self, Shape};
use crate::lower::Known;
use crate::reader::Reader;
use crate::syntax::{self, Kind, Node};
use crate::{File, FileId, Found, Site, Sort, Sources, SpanMap, did_you_mean, lower, names};

/// What was read from one file, and where its parts stand in it.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// A workflow or a directory.
    pub value: T,
    /// Where its parts stand.
    pub spans: SpanMap,
    /// The file.
    pub file: FileId,
}

/// Reads a workflow from the text of a file.
///
/// Names of people, groups, schedules, calendars and skills are looked up if there is a directory. The
/// workflow is returned only if no error was found; what was found is always all of it.
///
/// ```
/// use upline_dsl::{Sources, read_workflow};
/// let text = "
/// workflow: tiny
/// start: new
/// states:
///   new:
///     assign: opener
///     actions:
///       done: { goto: closed }
///     after: { 3 days: clsoed }
///   closed: { end: done, by-silence: allowed }
/// ";
/// let mut sources = Sources::new();
/// let (workflow, found) = read_workflow(&mut sources, "tiny.yaml", text, None);
/// assert!(workflow.is_none());
/// let wrong: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
/// assert_eq!(wrong, ["there is no state `clsoed`"]);
/// ```
pub fn read_workflow(
    sources: &mut Sources,
    name: impl Into<Name>,
    text: impl Into<String>,
    directory: Option<&Directory>,
) -> (Option<Read<Workflow>>, Found) {
    let mut found = Found::new();
    let parsed = Parsed::of_text(sources, name, text, &mut found);
    let known = directory.map(Known::of);
    let parsed = parsed.map(|file| file.mended(&keys::WORKFLOW, &mut found));
    let read = parsed.and_then(|file| file.workflow(sources, known.as_ref(), &mut found));
    (read, found)
}

/// Reads a directory from the text of a file. It is returned only if no error was found.
pub fn read_directory(
    sources: &mut Sources,
    name: impl Into<Name>,
    text: impl Into<String>,
) -> (Option<Read<Directory>>, Found) {
    let mut found = Found::new();
    let parsed = Parsed::of_text(sources, name, text, &mut found);
    let parsed = parsed.map(|file| file.mended(&keys::DIRECTORY, &mut found));
    let read = parsed.and_then(|file| file.directory(sources, &mut found));
    (read, found)
}

/// Reads another kind of file with `read`, which answers `None` if it can't make a value of it. The value is
/// returned only if no error was found; what was found is always all of it.
///
/// ```
/// use upline_dsl::{Sources, read_with};
/// let mut sources = Sources::new();
/// let (read, found) = read_with(&mut sources, ("port.yaml", "port: 80\nprot: 81"), |reader, root| {
///     let mut fields = reader.map_of(root, root.at, "the file", "port: 80");
///     let port = fields.required(reader, "port").and_then(|entry| reader.number(entry, 1, 65_535));
///     fields.finish(reader);
///     port
/// });
/// assert!(read.is_none());
/// assert_eq!(found.iter().next().map(|one| one.message.as_str()), Some("the file has no key `prot`"));
/// ```
pub fn read_with<'a, T>(
    sources: &mut Sources,
    file: impl Into<File<'a>>,
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> (Option<Read<T>>, Found) {
    let mut found = Found::new();
    let parsed = Parsed::new(sources, file.into(), &mut found);
    let read = parsed.and_then(|file| {
        let value = read(&mut Reader::new(sources, file.file, &mut found), &file.root)?;
        file.read(value, !found.has_errors())
    });
    (read, found)
}

/// Adds the text of a file to the sources, if it is UTF-8 and has at most `most` bytes; else says why not.
pub fn decode<'a>(
    sources: &mut Sources,
    file: File<'a>,
    most: usize,
    found: &mut Found,
) -> Option<(FileId, &'a str)> {
    match syntax::decode(file.bytes, file.size, most) {
        Ok(text) => Some((sources.add(file.name, text), text)),
        Err(wrong) => {
            wrong.report(sources, file.name, found);
            None
        }
    }
}

/// A file that is a tree.
struct Parsed {
    file: FileId,
    root: Node,
    /// It is YAML without mistakes.
    fine: bool,
}

impl Parsed {
    fn of_text(
        sources: &mut Sources,
        name: impl Into<Name>,
        text: impl Into<String>,
        found: &mut Found,
    ) -> Option<Self> {
        let (name, text) = (name.into(), text.into());
        Self::new(sources, (name.as_str(), text.as_str()).into(), found)
    }

    fn new(sources: &mut Sources, file: File<'_>, found: &mut Found) -> Option<Self> {
        let before = found.errors();
        let (file, text) = decode(sources, file, syntax::MAX_FILE_BYTES, found)?;
        let root = syntax::parse(text, file, found)?;
        let fine = found.errors() == before;
        Some(Self { file, root, fine })
    }

    /// What it is, by its keys; if the first of them is misspelt, by what it resembles.
    fn sort(&self) -> Sort {
        let has = |keys: &[&str]| keys.iter().any(|key| self.root.get(key).is_some());
        let first = self.root.entries().first();
        let near = first.and_then(|entry| did_you_mean(&entry.key, ["workflow", "directory"]));
        match self.root.kind {
            _ if has(&["directory"]) => Sort::Directory,
            Kind::Map(_) if has(&["workflow", "start", "states"]) => Sort::Workflow,
            Kind::Map(_) if near == Some("workflow") => Sort::Workflow,
            Kind::Map(_) if near.is_some() || has(&["last-resort", "people"]) => Sort::Directory,
            Kind::Map(_) => Sort::Neither,
            _ => Sort::Workflow,
        }
    }

    /// With misspelt keys put right, which is reported.
    fn mended(mut self, shape: &'static Shape, found: &mut Found) -> Self {
        self.fine &= !keys::mend(&mut self.root, shape, found);
        self
    }

    fn workflow(
        self,
        sources: &Sources,
        known: Option<&Known>,
        found: &mut Found,
    ) -> Option<Read<Workflow>> {
        let before = found.errors();
        let mut reader = Reader::new(sources, self.file, found);
        let value = lower::workflow(&mut reader, &self.root, known)?;
        let fine = found.errors() == before && lower::is_whole(&value);
        self.read(value, fine)
    }

    fn directory(self, sources: &Sources, found: &mut Found) -> Option<Read<Directory>> {
        let before = found.errors();
        let mut reader = Reader::new(sources, self.file, found);
        let value = lower::directory(&mut reader, &self.root)?;
        let fine = found.errors() == before;
        self.read(value, fine)
    }

    /// What was read, if there was no mistake in its file.
    fn read<T>(self, value: T, fine: bool) -> Option<Read<T>> {
        (self.fine && fine).then(|| Read {
            value,
            spans: SpanMap::new(self.root),
            file: self.file,
        })
    }
}

/// Everything that was read from some files.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The workflows without mistakes, in the order of the files.
    pub workflows: Vec<Read<Workflow>>,
    /// The files of the workflows with mistakes, by the names that they give themselves.
    pub broken: BTreeMap<Name, FileId>,
    /// The directory, if one of the files is one and it has no mistakes.
    pub directory: Option<Read<Directory>>,
    /// The texts of the files.
    pub sources: Sources,
    /// All that is wrong.
    pub found: Found,
}

impl Loaded {
    /// The workflow of this name.
    pub fn workflow(&self, name: &str) -> Option<&Read<Workflow>> {
        self.workflows.iter().find(|read| read.value.name == *name)
    }
}

/// Reads files: each is a workflow or the directory, which the first keys tell. Never stops at a mistake.
///
/// Of several workflows with one name the first that can be read is taken; that there are several is told at
/// the first of them, so a caller puts the files first that it is asked about.
pub fn load<'a>(files: impl IntoIterator<Item: Into<File<'a>>>) -> Loaded {
    let (mut sources, mut found) = (Sources::new(), Found::new());
    let mut loaded = Loaded::default();
    let mut workflows = Vec::new();
    let mut directories = Vec::new();
    for file in files {
        let Some(file) = Parsed::new(&mut sources, file.into(), &mut found) else {
            continue;
        };
        match file.sort() {
            Sort::Directory => directories.push(file.mended(&keys::DIRECTORY, &mut found)),
            Sort::Workflow => workflows.push(file.mended(&keys::WORKFLOW, &mut found)),
            Sort::Neither => found.not_of_the_language(file.file),
        }
    }
    let mut first: Option<Site> = None;
    let mut known = None;
    for file in directories {
        let entry = file.root.get("directory");
        let site = entry.map_or(file.root.at, |entry| entry.key_at);
        if let Some(first) = first {
            found.duplicate_name(site, first, "set of files", "directory");
            continue;
        }
        first = Some(site);
        known = Some(Known::of_tree(&file.root));
        loaded.directory = file.directory(&sources, &mut found);
    }
    // Those with mistakes are not missing: a call of one is not a mistake of its own.
    let mut broken = BTreeMap::new();
    let mut named: BTreeMap<Name, Vec<Site>> = BTreeMap::new();
    for file in workflows {
        let node = file.root.find(&["workflow"]);
        let name = node.text().map(|name| (names::normal(name), file.file));
        if let Some((name, _)) = &name {
            named.entry(name.clone()).or_default().push(node.at);
        }
        match file.workflow(&sources, known.as_ref(), &mut found) {
            Some(read) if loaded.workflow(&read.value.name).is_none() => {
                loaded.workflows.push(read);
            }
            Some(_) => (),
            None => broken.extend(name),
        }
    }
    for (name, sites) in &named {
        found.same_workflow(&sources, name, sites);
    }
    check_calls(&loaded.workflows, &broken, &mut found);
    Loaded {
        broken,
        sources,
        found,
        ..loaded
    }
}
