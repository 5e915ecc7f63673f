//! The workflows and the directory that hold.

use std::sync::Arc;

use jiff::Timestamp;
use upline_core::{Directory, FieldType, Name, Ticket, Value, Workflow};
use upline_dsl::Sources;
use upline_lab::world::{Openings, Workflows};

use super::Floor;
use crate::contact::comparable;
use crate::record::{Entry, File};
use crate::store::StoreError;

/// What came with files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployed {
    /// Workflows, with their versions.
    pub workflows: Vec<(Name, u32)>,
    /// Whether there was a directory among them.
    pub directory: bool,
}

/// What a text is.
enum Meaning {
    Workflow(Workflow),
    Directory(Directory),
}

impl Floor {
    /// Reads the files that held when the journal was written. They were checked when they came, and names in
    /// them are not looked up again: who has left since is the decisions' matter.
    pub(super) fn read_files(&mut self, files: Vec<File>) -> Result<(), StoreError> {
        let mut workflows = Vec::new();
        for file in &files {
            match meaning(file) {
                Some(Meaning::Workflow(workflow)) => workflows.push(Arc::new(workflow)),
                Some(Meaning::Directory(directory)) => self.directory = Some(Arc::new(directory)),
                None => {
                    return Err(StoreError::Format(format!(
                        "the file {:?}, which was right when it came, can't be read by this program: use \
                         the one that wrote this folder",
                        file.name
                    )));
                }
            }
        }
        self.files = files;
        self.workflows = Workflows::new(workflows);
        self.openings = Openings::new(&self.workflows);
        self.arm_openings();
        self.arm_absences();
        Ok(())
    }

    /// Goes on with these, which stand in no file.
    #[cfg(test)]
    pub(crate) fn define(&mut self, workflows: Workflows, directory: Arc<Directory>) {
        self.openings = Openings::new(&workflows);
        self.workflows = workflows;
        self.directory = Some(directory);
        self.arm_openings();
        self.arm_absences();
        self.recheck_all();
    }

    /// Another version of these files holds from now on. They were checked.
    pub(crate) fn deploy(&mut self, files: Vec<File>) -> Deployed {
        let mut deployed = Deployed::default();
        let mut workflows = Vec::new();
        let fresh: Vec<File> = files.into_iter().filter(|file| !self.holds(file)).collect();
        for file in &fresh {
            match meaning(file) {
                Some(Meaning::Workflow(workflow)) => {
                    deployed
                        .workflows
                        .push((workflow.name.clone(), workflow.version));
                    workflows.push(Arc::new(workflow));
                }
                Some(Meaning::Directory(directory)) => {
                    deployed.directory = true;
                    self.directory = Some(Arc::new(directory));
                }
                None => (),
            }
        }
        if fresh.is_empty() {
            return deployed;
        }
        self.bytes += fresh.iter().map(|file| file.text.len()).sum::<usize>();
        for file in &fresh {
            self.files.retain(|known| known != file);
            self.files.push(file.clone());
        }
        self.entries.push(Entry::Files(fresh));
        if !workflows.is_empty() {
            self.workflows = self.workflows.with(workflows);
            self.openings = Openings::new(&self.workflows);
            self.arm_openings();
        }
        if deployed.directory {
            self.arm_absences();
            self.recheck_all();
        }
        deployed
    }

    /// Whether this text is what holds now under its name.
    fn holds(&self, file: &File) -> bool {
        let same = self
            .files
            .iter()
            .rev()
            .find(|known| known.name == file.name);
        same == Some(file)
    }

    /// The workflow text of this name and version that came, if one did.
    pub(crate) fn text_of(&self, workflow: &str, version: u32) -> Option<&File> {
        self.files.iter().find(|file| match meaning(file) {
            Some(Meaning::Workflow(known)) => known.name == *workflow && known.version == version,
            _ => false,
        })
    }

    /// The first of these files that is a workflow in a version that came before with another text, whatever
    /// the files are called.
    pub(crate) fn same_version(&self, given: &[File]) -> Option<(Name, u32)> {
        let versions = given.iter().filter_map(|file| match meaning(file) {
            Some(Meaning::Workflow(workflow)) => Some((file, workflow.name, workflow.version)),
            _ => None,
        });
        versions
            .filter(|(file, workflow, version)| {
                let known = self.text_of(workflow, *version);
                known.is_some_and(|known| known.text != file.text)
            })
            .map(|(_, workflow, version)| (workflow, version))
            .next()
    }

    /// The files that hold: of each name the last text.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().enumerate().filter_map(|(index, file)| {
            let later = &self.files[index + 1..];
            (!later.iter().any(|other| other.name == file.name)).then_some(file)
        })
    }

    /// Whether one of the ticket's fields holds a contact that is compared by this.
    pub(crate) fn is_of_contact(&self, ticket: &Ticket, contact: &str) -> bool {
        let workflow = self.workflows.version(&ticket.workflow, ticket.version);
        let mut held = workflow
            .into_iter()
            .flat_map(|workflow| contacts(workflow))
            .filter_map(|field| ticket.fields.get(field));
        held.any(|value| match value {
            Value::Text(text) => comparable(text).as_deref() == Some(contact),
            _ => false,
        })
    }

    /// When the next absence begins, or the next ticket opens by itself.
    pub(crate) fn next_by_itself(&self) -> Option<Timestamp> {
        let absence = self.absences.first_key_value().map(|(at, _)| *at);
        let opening = self.next_openings.iter().flatten().min().copied();
        [absence, opening].into_iter().flatten().min()
    }
}

/// Name and version of the workflow in a file, and its fields that hold contacts; `None`: it is none.
#[cfg(feature = "sled")]
pub(crate) fn contact_fields(file: &File) -> Option<(Name, u32, Vec<Name>)> {
    match meaning(file)? {
        Meaning::Workflow(workflow) => {
            let fields = contacts(&workflow).cloned().collect();
            Some((workflow.name.clone(), workflow.version, fields))
        }
        Meaning::Directory(_) => None,
    }
}

/// The workflow's fields that hold contacts.
fn contacts(workflow: &Workflow) -> impl Iterator<Item = &Name> {
    let fields = workflow.fields.iter();
    let contacts = fields.filter(|(_, field)| field.kind == FieldType::Contact);
    contacts.map(|(name, _)| name)
}

fn meaning(file: &File) -> Option<Meaning> {
    let mut sources = Sources::new();
    let (workflow, _) =
        upline_dsl::read_workflow(&mut sources, file.name.clone(), file.text.as_str(), None);
    if let Some(read) = workflow {
        return Some(Meaning::Workflow(read.value));
    }
    let (directory, _) =
        upline_dsl::read_directory(&mut sources, file.name.clone(), file.text.as_str());
    directory.map(|read| Meaning::Directory(read.value))
}
