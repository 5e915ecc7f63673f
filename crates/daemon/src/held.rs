//! The files that hold, as their authors wrote them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::MutexGuard;
use upline::core::Name;
use upline::dsl::{Sources, read_workflow};
use upline::record::File;

/// The files that were deployed last.
#[derive(Debug, Default)]
pub(crate) struct HeldFiles {
    /// By their names; `None`: none were deployed since the start.
    files: Mutex<Option<Arc<Vec<HeldFile>>>>,
    /// Whoever has others checked has it.
    checking: tokio::sync::Mutex<()>,
}

/// A file that holds.
#[derive(Debug, Clone)]
pub(crate) struct HeldFile {
    pub(crate) file: File,
    pub(crate) etag: String,
    /// Name and version of the workflow in it; `None`: it is the directory.
    pub(crate) workflow: Option<(Name, u32)>,
}

impl HeldFile {
    fn of(file: File) -> Self {
        let text = file.text.as_str();
        let (read, _) = read_workflow(&mut Sources::new(), file.name.clone(), text, None);
        Self {
            etag: etag(text),
            workflow: read.map(|read| (read.value.name, read.value.version)),
            file,
        }
    }
}

/// By which a text is known again.
pub(crate) fn etag(text: &str) -> String {
    format!("\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..32])
}

impl HeldFiles {
    /// These hold, and no others of the folder.
    pub(crate) fn set(&self, files: Vec<File>) {
        let mut files: Vec<HeldFile> = files.into_iter().map(HeldFile::of).collect();
        files.sort_by(|one, other| one.file.name.cmp(&other.file.name));
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::new(files));
    }

    /// This one holds, in the place of the one of its name.
    pub(crate) fn put(&self, file: File) {
        let file = HeldFile::of(file);
        let mut held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // Of the others it is not known what holds.
        let Some(known) = held.as_deref() else {
            return;
        };
        let others = known
            .iter()
            .filter(|known| known.file.name != file.file.name);
        let mut files: Vec<HeldFile> = others.cloned().collect();
        let at = files.partition_point(|known| known.file.name < file.file.name);
        files.insert(at, file);
        *held = Some(Arc::new(files));
    }

    /// Those that hold; `None`: none were deployed since the start, and what holds is from before it.
    pub(crate) fn get(&self) -> Option<Arc<Vec<HeldFile>>> {
        let held = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// One after the other has files checked.
    pub(crate) async fn checking(&self) -> MutexGuard<'_, ()> {
        self.checking.lock().await
    }
}
