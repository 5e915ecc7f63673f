//! Backups of a data folder, taken while it is written or not.
//!
//! A backup is a folder: the journal up to its last synced commit, the tickets' keys, the newest snapshot,
//! the one that the journal begins with if its older segments were removed, the files of a service on the
//! folder, and `backup.json` with the hash of each file, written last. What was erased before the backup is
//! not in it; what is erased later still is, so that backups have to be thrown away in their time.

mod listed;

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{base, check, identity, snapshot};
use crate::disk::{Disk, DiskFile};
use crate::journal::{self, FolderId, Hash, JournalReader, Mark};
use crate::store::StoreError;
use crate::vault;
pub(crate) use listed::{FileFlaw, flaws};
use listed::{changed, flaw, head_flaw, length_flaw, missing, read_through, unlisted, whose_flaw};

/// The file that says what is in a backup.
pub const MANIFEST: &str = "backup.json";

/// The format of backups that this program writes.
pub const FORMAT: u32 = 1;

/// What a service that runs on the folder keeps in it besides, and a backup has too: secrets, without which
/// what was sent before is void, and who stands in for whom.
pub const SERVICE_FILES: [&str; 4] = ["links.burned", "links.key", "mail.key", "overrides"];

/// What is being done when an error of the system is about the folder that is copied to, and not the other.
pub const WRITING: &str = "writing the copy";

/// How much is copied at a time.
const CHUNK: usize = 1 << 20;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its format.
    pub format: u32,
    /// The data folder that it is of.
    pub folder: FolderId,
    /// The last commit in it.
    pub head: Option<Mark>,
    /// Its files.
    pub files: Vec<Copied>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Its path.
    pub path: String,
    /// How many bytes were copied; the rest, up to its length, is zeros.
    pub bytes: u64,
    /// Its length.
    pub length: u64,
    /// The hash of the copied bytes.
    pub hash: Hash,
}

/// How far a copy has come, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Copied.
    pub done: u64,
    /// In all.
    pub of: u64,
}

/// Is told how far it has come.
pub type Tell<'a> = dyn FnMut(Progress) + 'a;

/// Copies a data folder into an empty folder. The folder may be in use meanwhile, by this process or another:
/// the backup has what was committed when it began. The copy is checked: the journal's chain, that it has the
/// commit of the newest snapshot, and the keys of all tickets.
///
/// # Errors
/// [`StoreError`], [`StoreError::Damaged`] if something is damaged or missing, [`StoreError::Full`] if there
/// is no room at `to`. What was made there is removed then; if that fails too, `to` has no `backup.json`,
/// and is no backup.
pub fn backup(
    from: &Arc<dyn Disk>,
    to: &dyn Disk,
    tell: &mut Tell<'_>,
) -> Result<Manifest, StoreError> {
    let folder = identity::read(&**from)?;
    must_be_empty(to, "the folder for the backup")?;
    let mut to = Made::at(to);
    take(from, folder, &mut to, tell).inspect_err(|_| to.remove())
}

fn take(
    from: &Arc<dyn Disk>,
    folder: FolderId,
    to: &mut Made<'_>,
    tell: &mut Tell<'_>,
) -> Result<Manifest, StoreError> {
    // Before the journal's end is read: a snapshot of a later commit would be of no use without it.
    let newest = snapshot::list(&**from).map_err(failed)?.first().copied();
    let reader = JournalReader::open(Arc::clone(from), Some(folder))?;
    let segments = reader.files().into_iter();
    let segments: Vec<Planned> = segments
        .map(|file| (file.path, file.bytes, file.length))
        .collect();
    let snapshot = newest.map(|seq| whole(&**from, &snapshot::path(seq)));
    let mut plan: Vec<Planned> = snapshot.transpose()?.into_iter().collect();
    let mut names = match from.list(vault::FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(failed)?,
    };
    names.retain(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    for name in names {
        plan.push(whole(&**from, &format!("{}/{name}", vault::FOLDER))?);
    }
    let of = plan
        .iter()
        .chain(&segments)
        .map(|(_, bytes, _)| bytes)
        .sum();
    let mut progress = Progress { done: 0, of };
    let mut files = copy_all(&**from, to, &plan, &mut progress, tell)?;
    let journal = copy_journal(&**from, to, &segments, &mut progress, tell)?;
    files.splice(0..0, journal);
    // After it: where the journal began when its oldest segment was copied, or later.
    if let Some(base) = base::find(&**from, folder).map_err(failed)? {
        let base = whole(&**from, &base::path_of(base.mark.seq))?;
        progress.of += base.1;
        files.extend(copy_all(&**from, to, &[base], &mut progress, tell)?);
    }
    for name in SERVICE_FILES {
        files.extend(copy_small(&**from, to, name, &mut progress)?);
    }
    check::copy(to.disk, folder, &reader, reader.head().as_ref())?;
    // Last: with it a part of a backup would pass for a data folder.
    let identity = whole(&**from, identity::FILE)?;
    progress.of += identity.1;
    files.extend(copy_all(&**from, to, &[identity], &mut progress, tell)?);
    let manifest = Manifest {
        format: FORMAT,
        folder,
        head: reader.head(),
        files,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from);
    put(to, MANIFEST, &text.map_err(failed)?)?;
    Ok(manifest)
}

/// Refuses a folder that is a backup: what an engine would commit there, no `restore` would know of.
pub(super) fn refuse(disk: &dyn Disk) -> Result<(), StoreError> {
    let names = disk.list("").map_err(failed)?;
    match names.iter().any(|name| name == MANIFEST) {
        true => Err(StoreError::Format(format!(
            "the folder is a backup, since it has a file {MANIFEST:?}: make a data folder of it with \
             `upline restore`"
        ))),
        false => Ok(()),
    }
}

/// Makes a data folder of a backup, in an empty folder. Everything is checked on the way: the hash of each
/// file, the journal's chain, that it has the commit of the newest snapshot, and the keys of all tickets. The
/// file that makes it a data folder comes last.
///
/// # Errors
/// [`StoreError`], [`StoreError::Damaged`] with the file if one is not what was written,
/// [`StoreError::Full`] if there is no room at `to`, which is no data folder then, and has to be emptied. It
/// is not emptied here: in an empty folder an engine would start with no ticket at all.
pub fn restore(
    from: &dyn Disk,
    to: &Arc<dyn Disk>,
    tell: &mut Tell<'_>,
) -> Result<Manifest, StoreError> {
    let manifest = manifest(from)?;
    must_be_empty(&**to, "the folder to restore to")?;
    let mut made = Made::at(&**to);
    let (identity, rest): (Vec<Copied>, Vec<Copied>) = manifest
        .files
        .iter()
        .cloned()
        .partition(|file| file.path == identity::FILE);
    let plan = |files: &[Copied]| -> Vec<Planned> {
        let planned = files.iter();
        planned
            .map(|file| (file.path.clone(), file.bytes, file.length))
            .collect()
    };
    let of = rest.iter().map(|file| file.bytes).sum();
    let mut progress = Progress { done: 0, of };
    for file in &manifest.files {
        match from.open_read(&file.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_as_written(&missing(&file.path)));
            }
            other => {
                let flaw = other.and_then(|opened| length_flaw(file, &*opened));
                if let Some(flaw) = flaw.map_err(failed)? {
                    return Err(not_as_written(&flaw));
                }
            }
        }
    }
    let [identity] = &*identity else {
        return Err(not_as_written(&missing(identity::FILE)));
    };
    let copied = copy_all(from, &mut made, &plan(&rest), &mut progress, tell)?;
    same(&copied, &rest)?;
    // Only now: of an empty folder nobody could tell that nothing was restored to it.
    let first = |flaws: Vec<FileFlaw>| flaws.into_iter().next().map(|one| one.why);
    let flaw = flaw(from, identity, &mut |_| ()).map_err(failed)?;
    let flaw = flaw.or_else(|| whose_flaw(from, &manifest));
    if let Some(flaw) = flaw.or_else(|| first(unlisted(from, &manifest))) {
        return Err(not_as_written(&flaw));
    }
    let reader = JournalReader::open(Arc::clone(to), Some(manifest.folder))?;
    if let Some(flaw) = head_flaw(&reader, &manifest) {
        return Err(not_as_written(&flaw));
    }
    check::copy(&**to, manifest.folder, &reader, manifest.head.as_ref())?;
    copy_identity(from, &mut made, identity)?;
    Ok(manifest)
}

/// Copies the file that makes a data folder of the rest. It has its name when it is known to be what was
/// written: a failure that comes later could not take it back for sure.
fn copy_identity(from: &dyn Disk, to: &mut Made<'_>, said: &Copied) -> Result<(), StoreError> {
    let file = from.open_read(identity::FILE).map_err(failed)?;
    let mut bytes = Vec::new();
    let hash = read_through(&*file, said.bytes, &mut |part, _| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    if hash.map_err(failed)? != Some(said.hash) {
        return Err(not_as_written(&changed(identity::FILE)));
    }
    bytes.resize(usize::try_from(said.length).unwrap_or(bytes.len()), 0);
    put(to, identity::FILE, &bytes)
}

/// A folder that something is copied to, and the files that were made there. Whatever else appears in it is
/// another's, who copies to it at the same time.
struct Made<'a> {
    disk: &'a dyn Disk,
    files: Vec<String>,
}

impl<'a> Made<'a> {
    fn at(disk: &'a dyn Disk) -> Self {
        let files = Vec::new();
        Self { disk, files }
    }

    fn create(&mut self, path: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create_folder(folder_of(path))?;
        let file = self.disk.create(path)?;
        self.files.push(path.to_owned());
        Ok(file)
    }

    /// Removes them, the last first, and the folders that are empty then. Of what can't be removed nothing
    /// passes for a whole backup.
    fn remove(&self) {
        let folders = [snapshot::FOLDER, vault::FOLDER, journal::FOLDER];
        for file in self.files.iter().rev() {
            let _ = self.disk.remove(file);
        }
        for folder in folders {
            if self.disk.list(folder).is_ok_and(|names| names.is_empty()) {
                let _ = self.disk.remove(folder);
            }
        }
        let _ = self.disk.sync_folder("");
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether what was copied is what the backup says.
fn same(copied: &[Copied], said: &[Copied]) -> Result<(), StoreError> {
    match copied
        .iter()
        .zip(said)
        .find(|(copied, said)| copied != said)
    {
        Some((other, _)) => Err(not_as_written(&changed(&other.path))),
        None => Ok(()),
    }
}

/// What is in a backup, as it says itself.
///
/// # Errors
/// [`StoreError::Format`] if it is none.
pub fn manifest(from: &dyn Disk) -> Result<Manifest, StoreError> {
    let none = |why: String| StoreError::Format(format!("this is no whole backup: {why}"));
    let unreadable =
        |error: &dyn std::fmt::Display| none(format!("{MANIFEST:?} can't be read: {error}"));
    let file = from
        .open_read(MANIFEST)
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => none(format!("it has no file {MANIFEST:?}")),
            _ => unreadable(&error),
        })?;
    let length = usize::try_from(file.len().map_err(failed)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length.min(64 << 20)];
    let read = file.read_at(&mut bytes, 0).map_err(failed)?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes[..read]).map_err(|error| unreadable(&error))?;
    match manifest.format {
        FORMAT => Ok(manifest),
        other => Err(none(format!(
            "it has format {other}, and this program knows {FORMAT}"
        ))),
    }
}

/// Path, bytes to copy, length.
type Planned = (String, u64, u64);

fn whole(disk: &dyn Disk, path: &str) -> Result<Planned, StoreError> {
    let file = disk.open_read(path).map_err(failed)?;
    let length = file.len().map_err(failed)?;
    Ok((path.to_owned(), length, length))
}

fn must_be_empty(disk: &dyn Disk, what: &str) -> Result<(), StoreError> {
    disk.create_folder("").map_err(not_written)?;
    match disk.list("").map_err(not_written)?.first() {
        None => Ok(()),
        Some(name) => Err(StoreError::Format(format!(
            "{what} must be empty, and has {name:?} in it"
        ))),
    }
}

/// Copies the journal's segments, the last first: the retention rule may be at work, which removes them from
/// the front. What is gone then, and all before it, the journal does not need.
fn copy_journal(
    from: &dyn Disk,
    to: &mut Made<'_>,
    segments: &[Planned],
    progress: &mut Progress,
    tell: &mut Tell<'_>,
) -> Result<Vec<Copied>, StoreError> {
    let mut copied = Vec::new();
    for segment in segments.iter().rev() {
        match from.open_read(&segment.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !copied.is_empty() => break,
            other => drop(other.map_err(failed)?),
        }
        let some = std::slice::from_ref(segment);
        copied.extend(copy_all(from, to, some, progress, tell)?);
    }
    copied.reverse();
    Ok(copied)
}

fn copy_all(
    from: &dyn Disk,
    to: &mut Made<'_>,
    plan: &[Planned],
    progress: &mut Progress,
    tell: &mut Tell<'_>,
) -> Result<Vec<Copied>, StoreError> {
    let mut copied = Vec::new();
    for (path, bytes, length) in plan {
        let source = from.open_read(path).map_err(failed)?;
        let target = to.create(path).map_err(not_written)?;
        let mut is_refused = false;
        let hash = read_through(&*source, *bytes, &mut |part, at| {
            let written = target.write_at(part, at);
            written.inspect_err(|_| is_refused = true)?;
            progress.done += part.len() as u64;
            tell(*progress);
            Ok(())
        });
        let hash = hash.map_err(|error| match is_refused {
            true => not_written(error),
            false => failed(error),
        })?;
        let hash = hash.ok_or_else(|| StoreError::Damaged(changed(path)))?;
        target.set_len(*length).map_err(not_written)?;
        target.sync().map_err(not_written)?;
        let folder = folder_of(path);
        to.disk.sync_folder(folder).map_err(not_written)?;
        copied.push(Copied {
            path: path.clone(),
            bytes: *bytes,
            length: *length,
            hash,
        });
    }
    to.disk.sync_folder("").map_err(not_written)?;
    Ok(copied)
}

/// Copies a file, if it is there, that somebody may put another one in the place of at any time: what was
/// opened is one of them, and whole.
fn copy_small(
    from: &dyn Disk,
    to: &mut Made<'_>,
    path: &str,
    progress: &mut Progress,
) -> Result<Option<Copied>, StoreError> {
    let source = match from.open_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let length = source.len().map_err(failed)?;
    let mut bytes = Vec::new();
    let hash = read_through(&*source, length, &mut |part, _| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    let hash = hash.map_err(failed)?;
    let hash = hash.ok_or_else(|| StoreError::Damaged(changed(path)))?;
    let target = to.create(path).map_err(not_written)?;
    target.write_at(&bytes, 0).map_err(not_written)?;
    target.sync().map_err(not_written)?;
    to.disk.sync_folder("").map_err(not_written)?;
    progress.of += length;
    progress.done += length;
    Ok(Some(Copied {
        path: path.to_owned(),
        bytes: length,
        length,
        hash,
    }))
}

fn put(to: &mut Made<'_>, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = format!("{path}.new");
    let file = to.create(&draft).map_err(not_written)?;
    file.write_at(bytes, 0).map_err(not_written)?;
    file.sync().map_err(not_written)?;
    to.disk.rename(&draft, path).map_err(not_written)?;
    to.files.push(path.to_owned());
    to.disk.sync_folder("").map_err(not_written)
}

fn not_as_written(flaw: &str) -> StoreError {
    StoreError::Damaged(format!(
        "the backup is not what was written: {flaw}; take another one"
    ))
}

/// Of the folder that is copied to.
fn not_written(source: io::Error) -> StoreError {
    super::io(WRITING)(source)
}

fn failed(source: io::Error) -> StoreError {
    super::io("copying")(source)
}
