//! Whether the files of a backup are what was written, as it lists them itself.

use std::io;
use std::sync::Arc;

use super::{CHUNK, Copied, MANIFEST, Manifest, Progress, Tell};
use crate::disk::{Disk, DiskFile, is_in_the_way};
use crate::journal::{self, Hash, JournalReader, Mark, Unread};
use crate::store::log::{identity, snapshot};
use crate::vault;

/// Reads so many bytes of a file and says what their hash is; `each` is given every part and where it begins.
/// `None`: the file is shorter.
pub(super) fn read_through(
    file: &dyn DiskFile,
    bytes: u64,
    each: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<Option<Hash>> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < bytes {
        let most = usize::try_from(bytes - at).map_or(CHUNK, |rest| rest.min(CHUNK));
        let read = file.read_at(&mut buffer[..most], at)?;
        if read == 0 {
            return Ok(None);
        }
        hasher.update(&buffer[..read]);
        each(&buffer[..read], at)?;
        at += read as u64;
    }
    Ok(Some(Hash(*hasher.finalize().as_bytes())))
}

/// What is wrong with a file of a backup, in English. `None`: it is what was written.
pub(super) fn flaw(
    from: &dyn Disk,
    file: &Copied,
    tell: &mut dyn FnMut(u64),
) -> io::Result<Option<String>> {
    let path = &file.path;
    let opened = match from.open_read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(missing(path))),
        other => other?,
    };
    if let Some(flaw) = length_flaw(file, &*opened)? {
        return Ok(Some(flaw));
    }
    let hash = read_through(&*opened, file.bytes, &mut |part, _| {
        tell(part.len() as u64);
        Ok(())
    });
    Ok((hash? != Some(file.hash)).then(|| changed(path)))
}

/// The files of a backup that are not what was written, or that can't be looked at, each once.
pub(crate) fn flaws(
    from: &Arc<dyn Disk>,
    manifest: &Manifest,
    tell: &mut Tell<'_>,
) -> Vec<FileFlaw> {
    let of = manifest.files.iter().map(|file| file.bytes).sum();
    let mut progress = Progress { done: 0, of };
    let mut tell = |bytes| {
        progress.done += bytes;
        tell(progress);
    };
    let mut found = Vec::new();
    for file in &manifest.files {
        let looked = flaw(&**from, file, &mut tell);
        found.extend(FileFlaw::of(&file.path, looked));
    }
    found.extend(unlisted(&**from, manifest));
    let listing = |why| FileFlaw {
        path: MANIFEST.to_owned(),
        why,
        unread: false,
    };
    found.extend(whose_flaw(&**from, manifest).map(listing));
    // Of a journal that is not what was written it is told above.
    if let Ok(reader) = JournalReader::open(Arc::clone(from), Some(manifest.folder))
        && found.is_empty()
    {
        found.extend(head_flaw(&reader, manifest).map(listing));
    }
    found
}

/// A file of a backup that is not what was written.
#[derive(Debug)]
pub(crate) struct FileFlaw {
    pub(crate) path: String,
    /// In English.
    pub(crate) why: String,
    /// Whether nothing is known of what is in it.
    pub(crate) unread: bool,
}

impl FileFlaw {
    fn of(path: &str, looked: io::Result<Option<String>>) -> Option<Self> {
        let (why, unread) = match looked {
            Ok(None) => return None,
            Ok(Some(why)) => (why, false),
            Err(error) => (Unread::file(path, &error).why, is_in_the_way(&error)),
        };
        let path = path.to_owned();
        Some(Self { path, why, unread })
    }
}

/// Files that a restored folder would lack, since the backup does not list them.
pub(super) fn unlisted(from: &dyn Disk, manifest: &Manifest) -> Vec<FileFlaw> {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let ours = |name: &str| {
        let (number, end) = name.split_once('.').unwrap_or((name, ""));
        is_number(number) && matches!(end, "" | "log" | "snap" | "base")
    };
    let mut found = Vec::new();
    for folder in [journal::FOLDER, vault::FOLDER, snapshot::FOLDER] {
        // One that can't be listed has files that can't be read, or are missing: that is told of them.
        let names = from.list(folder).unwrap_or_default().into_iter();
        let paths = names.filter(|name| ours(name));
        let paths = paths.map(|name| format!("{folder}/{name}"));
        let is_listed = |path: &String| manifest.files.iter().any(|file| file.path == *path);
        found.extend(paths.filter(|path| !is_listed(path)).map(|path| FileFlaw {
            why: format!("the file {path:?} is there, but {MANIFEST:?} does not list it"),
            path,
            unread: false,
        }));
    }
    found
}

/// Whether the backup says that it is of another folder than its files are of.
pub(super) fn whose_flaw(from: &dyn Disk, manifest: &Manifest) -> Option<String> {
    let whose = identity::read(from).ok()?;
    let said = manifest.folder;
    (whose != said).then(|| {
        format!(
            "the file {MANIFEST:?} is of the data folder {said}, and the other files of {whose}"
        )
    })
}

/// Whether the backup says that it ends elsewhere than its journal does.
pub(super) fn head_flaw(reader: &JournalReader, manifest: &Manifest) -> Option<String> {
    let told = |head: Option<Mark>| head.map_or("none".to_owned(), |head| head.to_string());
    let (said, is) = (manifest.head, reader.head());
    (said != is).then(|| {
        let (said, is) = (told(said), told(is));
        format!(
            "the file {MANIFEST:?} says that the last commit is {said}, and in the journal it is {is}"
        )
    })
}

/// Whether a file is longer or shorter than it was written, or has something in the room that the journal had
/// prepared behind its last commit, which is no part of the backup.
pub(super) fn length_flaw(file: &Copied, opened: &dyn DiskFile) -> io::Result<Option<String>> {
    let Copied { path, length, .. } = file;
    let found = opened.len()?;
    if found != *length {
        return Ok(Some(format!(
            "the file {path:?} has changed since: it has {found} bytes, and had {length}"
        )));
    }
    let mut buffer = vec![0; CHUNK];
    let mut at = file.bytes;
    while at < found {
        let read = opened.read_at(&mut buffer, at)?;
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Ok(Some(format!(
                "the file {path:?} has changed since: something was written behind its {} bytes",
                file.bytes
            )));
        }
        if read == 0 {
            break;
        }
        at += read as u64;
    }
    Ok(None)
}

pub(super) fn changed(path: &str) -> String {
    format!("the file {path:?} has changed since")
}

pub(super) fn missing(path: &str) -> String {
    format!("the file {path:?} of the backup is missing")
}
