//! Brings a transcript together with the files that it needs.

use std::sync::Arc;

use upline_core::Name;
use upline_dsl::{Code, Found, Loaded, Site, Sources, load};

use super::outcome::Outcome;
use super::run::{Setting, run};
use super::script::{Origin, Script};
use crate::world::Workflows;

/// A transcript, read with all that it needs.
#[derive(Debug)]
pub struct Prepared {
    /// The texts: the transcript's, the workflows', the directory's.
    pub sources: Sources,
    /// Everything that is wrong in them.
    pub found: Found,
    /// The transcript.
    pub script: Script,
    /// What it is played in; `None` if something is wrong.
    pub setting: Option<Setting>,
}

impl Prepared {
    /// Reads the transcript `text` of the file `name`, and by `read` the files that it names: relative to
    /// its own folder, as they stand in the transcript. What `read` can't give is a mistake of the
    /// transcript.
    pub fn new(
        name: &str,
        text: &str,
        read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Self {
        let origins = Script::read(&mut Sources::new(), name, text, &mut Found::new());
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut missing: Vec<(Option<Site>, String)> = Vec::new();
        let directory = std::iter::once(origins.directory());
        for origin in origins.workflows().into_iter().chain(directory) {
            match origin {
                Origin::Here(text) => files.push((name.to_owned(), text.into_bytes())),
                Origin::File { name: file, site } => match read(&file) {
                    Ok(bytes) => files.push((beside(name, &file), bytes)),
                    Err(error) => missing.push((site, format!("cannot read `{file}`: {error}"))),
                },
            }
        }
        let texts = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let Loaded {
            workflows,
            directory,
            mut sources,
            mut found,
        } = load(texts);
        // What is wrong with the transcript itself does not keep its steps from being read.
        let is_whole = !found.has_errors() && missing.is_empty();
        let script = Script::read(&mut sources, name, text, &mut found);
        for (site, message) in missing {
            let start = script.site(0..0);
            found.report(
                Code::BadTranscript,
                site.map_or(start, |site| script.site(site.span())),
                message,
            );
        }
        let main = workflows.first().map(|read| read.value.name.clone());
        let setting = main
            .zip(directory)
            .filter(|_| is_whole)
            .map(|(main, directory)| {
                let workflows = workflows.into_iter().map(|read| Arc::new(read.value));
                Setting {
                    workflows: Workflows::new(workflows),
                    main,
                    directory: Arc::new(directory.value),
                }
            });
        Self {
            sources,
            found,
            script,
            setting,
        }
    }

    /// Plays it; `None` if something is wrong, which is then in [`Prepared::found`].
    pub fn run(&mut self) -> Option<Outcome> {
        run(&self.script, self.setting.as_ref()?, &mut self.found)
    }

    /// The workflow that its tickets are opened with, if nothing is wrong.
    pub fn main(&self) -> Option<&Name> {
        self.setting.as_ref().map(|setting| &setting.main)
    }
}

/// `file`, as messages show it: relative to where the transcript's own name is relative to.
fn beside(transcript: &str, file: &str) -> String {
    match transcript.rsplit_once('/') {
        Some((folder, _)) if !file.starts_with('/') => format!("{folder}/{file}"),
        _ => file.to_owned(),
    }
}
