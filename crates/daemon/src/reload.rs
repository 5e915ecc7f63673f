//! Files that hold until others do: workflows and the directory, tokens, templates. A broken one changes
//! nothing but what `/readyz` says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use upline::Error;
use upline::dsl::{Checked, Severity};

use crate::StartError;
use crate::api::State;
use crate::tell::Letters;
use crate::tokens::Tokens;
use crate::watch::FilesFault;

/// How long nothing must have changed before files are read: who copies a folder is not half way then.
const QUIET: Duration = Duration::from_millis(300);
/// After how long they are read though something changes all the time.
const LONGEST: Duration = Duration::from_secs(5);
/// After how long a folder that is gone is looked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// What is said of files that can't be used.
const HOLDS_ON: &str = "what was in force before holds on";
/// The alarm of a folder of workflows that has none.
const EMPTY: &str = "no-files";
/// The alarm of a file of tokens that can't be used.
const ALARM: &str = "tokens";

/// All that is read again.
#[derive(Clone)]
pub(crate) struct Files {
    state: State,
    letters: Arc<Letters>,
    /// The file of tokens.
    tokens: Option<PathBuf>,
    /// The folder of templates.
    templates: Option<PathBuf>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

impl Files {
    pub(crate) fn new(
        state: State,
        letters: Arc<Letters>,
        tokens: Option<PathBuf>,
        templates: Option<PathBuf>,
    ) -> Self {
        Self {
            state,
            letters,
            tokens,
            templates,
        }
    }

    /// Reads all of them. With a mistake in the workflows, the directory or the tokens, what held before
    /// holds on; in the place of a broken template the shipped one is used.
    pub(crate) async fn reload(&self) -> Result<(), StartError> {
        let letters = Arc::clone(&self.letters);
        // What is wrong is an alarm, and in the log.
        let _ = tokio::task::spawn_blocking(move || letters.reload()).await;
        self.reload_tokens().await;
        self.state.hooks().reopen();
        self.load().await.map(drop)
    }

    async fn reload_tokens(&self) {
        let Some(path) = self.tokens.clone() else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || {
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            let tokens = text.and_then(|text| Tokens::read(&text).map_err(|e| e.to_string()));
            tokens.map_err(|why| format!("`{}`: {why}", path.display()))
        });
        let alarms = self.state.watch().alarms();
        match read.await {
            Ok(Ok(tokens)) => {
                // Whoever empties the file means it, or has slipped: it holds, and is told.
                match tokens.is_empty() && !self.state.tokens().is_empty() {
                    true => alarms.raise(ALARM, "there are no tokens any more: nobody gets in"),
                    false if tokens.is_empty() => (),
                    false => alarms.clear(ALARM),
                }
                self.state.set_tokens(tokens);
            }
            Ok(Err(why)) => alarms.raise(ALARM, &format!("{why}; those from before hold on")),
            // The daemon is stopping.
            Err(_) => (),
        }
    }

    /// Deploys what is in the folder, and remembers what is wrong with it. What the maps of sources name and
    /// the workflows do not have is an alarm, and the answer.
    pub(crate) async fn load(&self) -> Result<Vec<String>, StartError> {
        let _alone = self.state.deploying().await;
        let loaded = deploy(&self.state).await;
        let alarms = self.state.watch().alarms();
        let mut mistakes = Vec::new();
        let fault = match &loaded {
            Ok(Loaded { strange, files }) => {
                match files {
                    0 => alarms.raise(EMPTY, &format!("{}; {HOLDS_ON}", self.nothing())),
                    _ => alarms.clear(EMPTY),
                }
                match strange.is_empty() {
                    true => alarms.clear("source"),
                    false => alarms.raise("source", &strange.join("; ")),
                }
                None
            }
            Err(StartError::Files(checked)) => {
                for one in &checked.diagnostics {
                    let text = upline::dsl::render::text(&checked.sources, one, Default::default());
                    tracing::error!(code = "files", diagnostic = %text, "a file has a mistake");
                    mistakes.push(text);
                }
                Some(format!("{}; {HOLDS_ON}", first(checked)))
            }
            Err(error) => Some(format!("{error}; {HOLDS_ON}")),
        };
        if let Some(fault) = &fault {
            let what = "the folder of workflows can't be used";
            tracing::error!(code = "files", fault = %fault, "{what}");
        }
        let fault = fault.map(|first| FilesFault { first, mistakes });
        self.state.watch().set_files_fault(fault);
        if let Ok(Some(directory)) = self.state.handle().directory().await {
            self.state.hooks().tell_missing(&directory);
        }
        loaded.map(|loaded| loaded.strange)
    }

    fn nothing(&self) -> String {
        let folder = self.state.folder().path().display();
        format!("`{folder}` has no file that ends in `.yaml`")
    }

    /// The folders in which something may change: the one of a file, so that a file that takes its place is
    /// seen too.
    fn folders(&self) -> Vec<PathBuf> {
        let tokens = self.tokens.as_deref().map(folder_of);
        let templates = self.templates.clone();
        let workflows = self.state.folder().path().to_owned();
        let mut folders = vec![workflows];
        folders.extend(tokens.into_iter().chain(templates));
        folders.sort();
        folders.dedup();
        folders
    }

    /// Whether what has changed is one of the files.
    fn is_one(&self, path: &Path) -> bool {
        let is_in = |folder: &Path| path.parent().is_some_and(|parent| same(parent, folder));
        let yaml = path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml");
        let tokens = self.tokens.as_ref();
        let workflows = self.state.folder().path();
        // The folder itself is told of when it is taken away, by its whole path.
        std::path::absolute(workflows).is_ok_and(|whole| path == whole)
            || (yaml && is_in(workflows))
            || tokens
                .is_some_and(|file| path.file_name() == file.file_name() && is_in(&folder_of(file)))
            || self.templates.as_deref().is_some_and(is_in)
    }
}

/// What is in the folder now.
struct Loaded {
    /// What the maps of sources name and the workflows do not have.
    strange: Vec<String>,
    /// How many files.
    files: usize,
}

async fn deploy(state: &State) -> Result<Loaded, StartError> {
    let folder = state.folder().clone();
    let read = tokio::task::spawn_blocking(move || folder.read()).await;
    let files = read.map_err(|_| StartError::Refused(Error::Stopped))??;
    let strange = state.sources().strange(&files);
    let count = files.len();
    let given = files.clone();
    match state.overrides().deploy(state.handle(), files).await {
        Ok(deployed) => {
            state.files().set(given);
            tracing::info!(
                code = "files",
                workflows = deployed.workflows.len(),
                directory = deployed.directory,
                "the files of the folder hold; what is new is counted"
            );
            Ok(Loaded {
                strange,
                files: count,
            })
        }
        Err(Error::Files(checked)) => Err(StartError::Files(checked)),
        Err(error) => Err(StartError::Refused(error)),
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The first mistake with its place, and how many there are: the log has all of them.
fn first(checked: &Checked) -> String {
    let mistakes = checked.diagnostics.iter();
    let mut errors = mistakes.filter(|one| one.severity == Severity::Error);
    let count = upline::dsl::render::summary(&checked.diagnostics);
    let Some(first) = errors.next() else {
        return count;
    };
    let site = &first.primary;
    let at = checked.sources.position(site.file, site.span.start);
    let file = checked.sources.name(site.file);
    let (code, message) = (first.code.as_str(), &first.message);
    format!(
        "{file}:{}:{}: {message} [{code}] ({count})",
        at.line, at.column
    )
}

/// Whether both are one folder, however they are written.
fn same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || whole(one) == whole(other)
}

/// Reads the files again when one of them has changed, until `stop` says so. While changes can't be seen, as
/// when a folder is gone, the log says so, it is tried again, and SIGHUP is left.
pub(crate) async fn watch_files(files: Files, mut stop: watch::Receiver<bool>) {
    let (changed, mut changes) = mpsc::channel(1);
    let mut watched = match watcher(&files, changed.clone()) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(
                code = "no-watch",
                error = %error,
                "changes of files are not seen; SIGHUP reads them again"
            );
            None
        }
    };
    // What has changed since the start, before anybody looked.
    let _ = files.reload().await;
    loop {
        tokio::select! {
            // An error is a daemon that was dropped: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => return,
            changed = changes.recv() => if changed.is_none() { return },
            () = sleep(AGAIN), if watched.is_none() => {
                watched = watcher(&files, changed.clone()).ok();
                if watched.is_none() {
                    continue;
                }
            }
        }
        let end = Instant::now() + LONGEST;
        while let Ok(Ok(Some(()))) = timeout_at(end, timeout(QUIET, changes.recv())).await {}
        tracing::info!(code = "changed", "files have changed and are read again");
        // What is wrong is in the log, and in `/readyz`.
        let _ = files.reload().await;
        // A folder that was taken away and put back is another one, though it has the same name.
        watched = watcher(&files, changed.clone()).ok();
    }
}

fn watcher(files: &Files, changed: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let known = files.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // After an error it is not known what has changed.
        let told = event.map_or(true, |event| {
            is_change(event.kind) && event.paths.iter().any(|path| known.is_one(path))
        });
        if told {
            // Full, the change is known already.
            let _ = changed.try_send(());
        }
    })?;
    for folder in files.folders() {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// To read a file is no change of it.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}
