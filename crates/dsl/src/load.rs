//! Texts to workflows and directories, with everything that is wrong in them.

use upline_core::{Directory, Name, Workflow};

use crate::reader::Reader;
use crate::syntax::{self, Node};
use crate::{Code, FileId, Found, Site, Sources, SpanMap, lower};

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
    let file = add(sources, name, text.into(), &mut found);
    let root =
        file.and_then(|file| Some((file, syntax::parse(sources.text(file), file, &mut found)?)));
    let read =
        root.and_then(|(file, root)| workflow_of(sources, file, root, directory, &mut found));
    (read, found)
}

/// Reads a directory from the text of a file. It is returned only if no error was found.
pub fn read_directory(
    sources: &mut Sources,
    name: impl Into<Name>,
    text: impl Into<String>,
) -> (Option<Read<Directory>>, Found) {
    let mut found = Found::new();
    let file = add(sources, name, text.into(), &mut found);
    let root =
        file.and_then(|file| Some((file, syntax::parse(sources.text(file), file, &mut found)?)));
    let read = root.and_then(|(file, root)| directory_of(sources, file, root, &mut found));
    (read, found)
}

/// Reads another kind of file with `read`, which answers `None` if it can't make a value of it. The value is
/// returned only if no error was found; what was found is always all of it.
///
/// ```
/// use upline_dsl::{Sources, read_with};
/// let mut sources = Sources::new();
/// let (read, found) = read_with(&mut sources, "port.yaml", "port: 80\nprot: 81", |reader, root| {
///     let mut fields = reader.map_of(root, root.at, "the file", "port: 80");
///     let port = fields.required(reader, "port").and_then(|entry| reader.number(entry, 1, 65_535));
///     fields.finish(reader);
///     port
/// });
/// assert!(read.is_none());
/// assert_eq!(found.iter().next().map(|one| one.message.as_str()), Some("the file has no key `prot`"));
/// ```
pub fn read_with<T>(
    sources: &mut Sources,
    name: impl Into<Name>,
    text: impl Into<String>,
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> (Option<Read<T>>, Found) {
    let mut found = Found::new();
    let Some(file) = add(sources, name, text.into(), &mut found) else {
        return (None, found);
    };
    let Some(root) = syntax::parse(sources.text(file), file, &mut found) else {
        return (None, found);
    };
    let value = read(&mut Reader::new(sources, file, &mut found), &root);
    let value = value.filter(|_| !found.has_errors());
    let read = value.map(|value| Read {
        value,
        spans: SpanMap::new(root),
        file,
    });
    (read, found)
}

/// A file that is too large is not even kept.
fn add(
    sources: &mut Sources,
    name: impl Into<Name>,
    text: String,
    found: &mut Found,
) -> Option<FileId> {
    match syntax::decode(text.as_bytes()) {
        Ok(_) => Some(sources.add(name, text)),
        Err(wrong) => {
            let file = sources.add(name, "");
            wrong.report(file, found);
            None
        }
    }
}

fn workflow_of(
    sources: &Sources,
    file: FileId,
    root: Node,
    directory: Option<&Directory>,
    found: &mut Found,
) -> Option<Read<Workflow>> {
    let before = found.errors();
    let mut reader = Reader::new(sources, file, found);
    let value = lower::workflow(&mut reader, &root, directory)?;
    let fine = found.errors() == before && lower::is_whole(&value);
    fine.then(|| Read {
        value,
        spans: SpanMap::new(root),
        file,
    })
}

fn directory_of(
    sources: &Sources,
    file: FileId,
    root: Node,
    found: &mut Found,
) -> Option<Read<Directory>> {
    let before = found.errors();
    let mut reader = Reader::new(sources, file, found);
    let value = lower::directory(&mut reader, &root)?;
    (found.errors() == before).then(|| Read {
        value,
        spans: SpanMap::new(root),
        file,
    })
}

/// Everything that was read from some files.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The workflows without mistakes, in the order of the files.
    pub workflows: Vec<Read<Workflow>>,
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
/// Each file is its name, as messages and journals shall show it, and its bytes.
pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut workflows = Vec::new();
    let mut directories = Vec::new();
    for (name, bytes) in files {
        let text = match syntax::decode(bytes) {
            Ok(text) => text,
            Err(wrong) => {
                let file = loaded.sources.add(name, "");
                wrong.report(file, &mut loaded.found);
                continue;
            }
        };
        let file = loaded.sources.add(name, text);
        match syntax::parse(text, file, &mut loaded.found) {
            Some(root) if root.get("directory").is_some() => directories.push((file, root)),
            Some(root) => workflows.push((file, root)),
            None => (),
        }
    }
    let mut first: Option<Site> = None;
    for (file, root) in directories {
        let site = root.get("directory").map_or(root.at, |entry| entry.key_at);
        if let Some(first) = first {
            let found = &mut loaded.found;
            found.duplicate_name(site, first, "set of files", "directory");
            continue;
        }
        first = Some(site);
        loaded.directory = directory_of(&loaded.sources, file, root, &mut loaded.found);
    }
    let directory = loaded.directory.as_ref().map(|read| &read.value);
    for (file, root) in workflows {
        let read = workflow_of(&loaded.sources, file, root, directory, &mut loaded.found);
        let Some(read) = read else { continue };
        let name = &read.value.name;
        match loaded
            .workflows
            .iter()
            .find(|other| other.value.name == *name)
        {
            Some(other) => {
                let sites = (
                    read.spans.value(["workflow"]),
                    other.spans.value(["workflow"]),
                );
                loaded
                    .found
                    .duplicate_name(sites.0, sites.1, "workflow", name);
            }
            None => loaded.workflows.push(read),
        }
    }
    check_calls(&loaded.workflows, &mut loaded.found);
    loaded
}

/// What one workflow needs of another: that it is there, takes the fields, and comes back with an end that
/// leads on.
fn check_calls(workflows: &[Read<Workflow>], found: &mut Found) {
    use upline_core::workflow::{Doing, StateKind};
    for read in workflows {
        let workflow = &read.value;
        for state in workflow.states.values() {
            let StateKind::Work(work) = &state.kind else {
                continue;
            };
            let Some(Doing::Call(call)) = &work.doing else {
                continue;
            };
            let at = |rest: &[&str]| read.spans.in_state(workflow, &state.name, rest);
            let called = workflows
                .iter()
                .find(|other| other.value.name == call.workflow);
            let Some(called) = called.map(|read| &read.value) else {
                let names: Vec<&str> = workflows
                    .iter()
                    .map(|one| one.value.name.as_str())
                    .collect();
                found.unknown_workflow(at(&["call", "workflow"]), &call.workflow, names);
                continue;
            };
            let names: Vec<&str> = called.fields.keys().map(Name::as_str).collect();
            for (theirs, _) in &call.with {
                if !called.fields.contains_key(theirs) {
                    found.unknown_field(at(&["call", "with", theirs]), theirs, names.clone());
                }
            }
            for (ours, theirs) in &call.take {
                if !called.fields.contains_key(theirs) {
                    found.unknown_field(at(&["call", "take", ours]), theirs, names.clone());
                }
            }
            for end in called.states.values().filter(|end| end.within.is_none()) {
                let StateKind::End { outcome, .. } = &end.kind else {
                    continue;
                };
                if work.action(outcome).is_none() {
                    let message = format!(
                        "`{}` can end with `{outcome}`, and no action here is called so",
                        call.workflow
                    );
                    let site = at(&["call", "workflow"]);
                    let label = format!("add `{outcome}: {{ goto: STATE }}` to the actions");
                    found.report_with(Code::UnknownAction, site, message, label);
                }
            }
        }
    }
}
