//! Brings a transcript together with the files that it needs.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use upline_core::{Directory, Workflow};
use upline_dsl::{
    Code, Content, Diagnostic, Directories, Files, Found, Loaded, Read, Severity, Site, Sort,
    Sources, check_loaded, decode, load, plain, shown,
};

use super::outcome::Outcome;
use super::run::{Setting, run};
use super::script::{MAX_BYTES, Origin, Script};

/// A transcript, read with all that it needs.
#[derive(Debug)]
pub struct Prepared {
    /// The texts: the transcript's, the workflows', the directory's.
    pub sources: Sources,
    /// Everything that is wrong in them, as `check` tells it, without warnings.
    pub found: Found,
    /// Whether a file that it needs is not there, or can't be read; which one is in [`Prepared::found`].
    pub lacks_files: bool,
    /// The transcript.
    pub script: Script,
    /// What it is played in; `None` if something is wrong.
    pub setting: Option<Setting>,
}

/// The files that a transcript needs, and why some of them are not there.
#[derive(Default)]
struct Needed {
    files: Vec<(String, Content)>,
    /// Where they are named, and what there is to say.
    missing: Vec<(Option<Site>, String)>,
    /// Whether one of them is not there or can't be read, and not only in doubt.
    lacks: bool,
}

impl Prepared {
    /// Reads the transcript at `path`, and from `files` those that it names, relative to its own folder. Its
    /// directory is the one that it names, else that of its first workflow (see [`Directories`]). What can't
    /// be read is a mistake of the transcript.
    ///
    /// Workflows are checked as of the first day of the transcript, so that its answer does not change from
    /// day to day.
    pub fn new<F: Files>(path: impl AsRef<Path>, text: impl Into<Content>, files: &mut F) -> Self {
        let (path, text) = (path.as_ref(), text.into());
        let name = plain(path);
        let mut found = Found::new();
        let mut sources = Sources::new();
        let decoded = decode(&mut sources, text.named(&name), MAX_BYTES, &mut found);
        let Some((_, text)) = decoded else {
            return Self {
                script: Script::read(&mut Sources::new(), &name, "", &mut Found::new()),
                sources,
                found,
                lacks_files: false,
                setting: None,
            };
        };
        let origins = Script::read(&mut Sources::new(), &name, text, &mut Found::new());
        let Needed {
            files,
            missing,
            lacks,
        } = Needed::of(path, &origins, files);
        let loaded = load(files.iter().map(|(name, content)| content.named(name)));
        // Nothing is said of what is missed only because a file is not there.
        let is_whole = missing.is_empty();
        let day = origins.begins().filter(|_| is_whole);
        let (workflows, directory, mut sources) = checked(loaded, day, is_whole, &mut found);
        let is_whole = is_whole && !found.has_errors();
        // What is wrong with the transcript itself does not keep its steps from being read.
        let script = Script::read(&mut sources, &name, text, &mut found);
        for (site, message) in missing {
            let start = script.site(0..0);
            let site = site.map_or(start, |site| script.site(site.span()));
            found.report(Code::BadTranscript, site, message);
        }
        Self {
            sources,
            found,
            lacks_files: lacks,
            script,
            setting: Setting::of(workflows, directory, None).filter(|_| is_whole),
        }
    }

    /// Plays it; `None` if something is wrong, which is then in [`Prepared::found`].
    pub fn run(&mut self) -> Option<Outcome> {
        run(&self.script, self.setting.as_ref()?, &mut self.found)
    }
}

impl Needed {
    fn of<F: Files>(path: &Path, script: &Script, files: &mut F) -> Self {
        let mut needed = Self::default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut first = None;
        for origin in script.workflows() {
            let file = needed.add(path, folder, &origin, Sort::Workflow, files);
            first.get_or_insert(file);
        }
        match script.directory() {
            Some(origin) => {
                needed.add(path, folder, origin, Sort::Directory, files);
            }
            None => needed.add_directory(&first.unwrap_or_default(), files),
        }
        needed
    }

    /// Reads a file, and says where it is.
    fn add<F: Files>(
        &mut self,
        path: &Path,
        folder: &Path,
        origin: &Origin,
        sort: Sort,
        files: &mut F,
    ) -> PathBuf {
        match origin {
            Origin::Here(text) => {
                self.files.push((plain(path), text.as_str().into()));
                // As good as one of its name beside it.
                path.with_extension("").with_extension("yaml")
            }
            Origin::File { name, site } => {
                let file = folder.join(name);
                self.read(&file, *site, sort, files);
                file
            }
        }
    }

    fn add_directory<F: Files>(&mut self, workflow: &Path, files: &mut F) {
        let help = "name one with a line `directory: FILE`";
        match Directories::new(files).of(workflow) {
            Ok(Some(directory)) => self.read(&directory, None, Sort::Directory, files),
            Ok(None) => {
                let message = format!("there is no directory, so nobody is there; {help}");
                self.missing.push((None, message));
                self.lacks = true;
            }
            Err(several) => self.missing.push((None, format!("{several} {help}"))),
        }
    }

    fn read<F: Files>(&mut self, path: &Path, site: Option<Site>, sort: Sort, files: &mut F) {
        match files.read(path) {
            Ok(content) => match misnamed(path, &content, sort) {
                Some(message) => self.missing.push((site, message)),
                None => self.files.push((plain(path), content)),
            },
            Err(unreadable) => {
                self.missing.push((site, unreadable.to_string()));
                self.lacks = true;
            }
        }
    }
}

/// What there is to say of a workflow where a directory is meant, and the other way round. Files that are
/// neither are told with their mistakes.
fn misnamed(path: &Path, content: &Content, sort: Sort) -> Option<String> {
    let path = shown(path);
    match (Sort::of(&content.bytes), sort) {
        (Sort::Directory, Sort::Workflow) => Some(format!(
            "`{path}` is a directory, not a workflow: name it with `directory: FILE`"
        )),
        (Sort::Workflow, Sort::Directory) => Some(format!(
            "`{path}` is a workflow, not a directory: name it with `workflow: FILE`"
        )),
        _ => None,
    }
}

type Parts = (Vec<Read<Workflow>>, Option<Read<Directory>>, Sources);

/// What was read, checked as of a day, with all errors in `found`. If it is not whole, workflows may be
/// unknown only because they could not be read.
fn checked(loaded: Loaded, day: Option<Date>, is_whole: bool, found: &mut Found) -> Parts {
    let from = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let mut keep = |diagnostics: Vec<Diagnostic>| {
        let errors = diagnostics.into_iter().filter(|one| {
            one.severity == Severity::Error && (is_whole || one.code != Code::UnknownWorkflow)
        });
        errors.for_each(|error| found.push(error));
    };
    match from {
        Some(from) => {
            let checked = check_loaded(loaded, from.timestamp());
            keep(checked.diagnostics);
            (checked.workflows, checked.directory, checked.sources)
        }
        None => {
            keep(loaded.found.into_sorted());
            (loaded.workflows, loaded.directory, loaded.sources)
        }
    }
}
