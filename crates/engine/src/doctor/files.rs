//! The files beside the journal that nothing stands in for: the tickets' keys, and all that a backup lists.

use std::io;
use std::sync::Arc;

use upline_lab::render::Language;

use crate::disk::{Disk, is_in_the_way};
use crate::journal::{FolderId, Unread};
use crate::store::StoreError;
use crate::store::log::backup::{self, FileFlaw, MANIFEST, SERVICE_FILES, Tell};
use crate::store::log::{check, identity};
use crate::vault::{self, VaultError};
use crate::words;

/// A file that is not what was written, or is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDamage {
    /// The file, in the folder.
    pub path: String,
    /// What is wrong with it, with its name in it, in English.
    pub why: String,
    /// Whether nothing is known of what is in it, since something is in the way of reading it: it may not be
    /// read, or is no file. That is no damage.
    pub unread: bool,
}

impl FileDamage {
    /// What is wrong with it, in a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        words::of(&self.why, language)
    }
}

/// Looks at the files of a data folder that neither the journal nor anything else says again: the tickets'
/// keys, all that its tickets need. Of a backup it looks at every file that it lists, too: whether it has
/// the hash that was written with it. Nothing is changed, and an engine may be at work; `tell` is told how
/// far it has come with a backup's files.
///
/// The journal is [`journal::verify_folder`](crate::journal::verify_folder)'s, which also tells a folder
/// that does not say whose it is: here nothing is told of that. `folder` is whose journal it has found; if
/// it is not known, the file `folder` says it.
///
/// # Errors
/// The system's, if the folder can't be listed.
pub fn check_files(
    disk: &Arc<dyn Disk>,
    folder: Option<FolderId>,
    tell: &mut Tell<'_>,
) -> io::Result<Vec<FileDamage>> {
    if disk.list("")?.iter().any(|name| name == MANIFEST) {
        return Ok(of_backup(disk, tell));
    }
    let Some(id) = folder.or_else(|| identity::read(&**disk).ok()) else {
        return Ok(Vec::new());
    };
    let mut found = keys(disk, id);
    if !found.is_empty() {
        // An engine that starts meanwhile removes files of keys that no ticket has. Damage stays.
        let again = keys(disk, id);
        found.retain(|one| again.contains(one));
    }
    found.extend(of_service(&**disk));
    Ok(found)
}

/// Longest file of a service that is looked into, in bytes.
const MAX_SERVICE_FILE: u64 = 64 << 20;

/// The files of a service that it would not start with.
pub(super) fn of_service(disk: &dyn Disk) -> Vec<FileDamage> {
    let names = SERVICE_FILES.into_iter();
    let looked = names.filter_map(|name| {
        let why = match is_of_service(disk, name) {
            Ok(true) => return None,
            Ok(false) => format!("the file {name:?} is not what was written"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                let why = Unread::file(name, &error).why;
                return Some((name, why, is_in_the_way(&error)));
            }
        };
        Some((name, why, false))
    });
    let damage = |(path, why, unread): (&str, String, bool)| FileDamage {
        path: path.to_owned(),
        why,
        unread,
    };
    looked.map(damage).collect()
}

/// Whether a file has the form that a service gives it: a secret is 64 hexadecimal digits, who stands in is
/// JSON. What makes links void is read as far as it can be.
fn is_of_service(disk: &dyn Disk, name: &str) -> io::Result<bool> {
    let file = disk.open_read(name)?;
    let length = file.len()?;
    if length > MAX_SERVICE_FILE {
        return Ok(false);
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0)?;
    let bytes = bytes[..read].trim_ascii_end();
    Ok(match name {
        "overrides" => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        name if name.ends_with(".key") => {
            bytes.len() == 64 && bytes.iter().all(u8::is_ascii_hexdigit)
        }
        _ => true,
    })
}

pub(super) fn of_backup(disk: &Arc<dyn Disk>, tell: &mut Tell<'_>) -> Vec<FileDamage> {
    let manifest = match backup::manifest(&**disk) {
        Ok(manifest) => manifest,
        Err(error) => {
            return vec![FileDamage {
                path: MANIFEST.to_owned(),
                why: error.to_string(),
                unread: matches!(error, StoreError::Io { .. }),
            }];
        }
    };
    let flaws = backup::flaws(disk, &manifest, tell).into_iter();
    let mut found: Vec<FileDamage> = flaws.map(FileDamage::from).collect();
    // A backup may list less than its tickets need.
    for one in keys(disk, manifest.folder) {
        if found.iter().all(|known| known.path != one.path) {
            found.push(one);
        }
    }
    found
}

impl From<FileFlaw> for FileDamage {
    fn from(flaw: FileFlaw) -> Self {
        let FileFlaw { path, why, unread } = flaw;
        Self { path, why, unread }
    }
}

fn keys(disk: &Arc<dyn Disk>, id: FolderId) -> Vec<FileDamage> {
    let last = check::last_key_in(disk, id);
    examined(vault::examine(&**disk, id.0, last)).1
}

/// How many files of keys there are, and what is wrong with which.
pub(super) fn examined(
    found: io::Result<(u64, Vec<(String, VaultError)>)>,
) -> (u64, Vec<FileDamage>) {
    let (files, wrong) = match found {
        Ok(found) => found,
        Err(error) => {
            let folder = FileDamage {
                path: vault::FOLDER.to_owned(),
                why: Unread::folder(vault::FOLDER, &error).why,
                unread: true,
            };
            return (0, vec![folder]);
        }
    };
    let damage = |(path, error): (String, VaultError)| {
        let (why, unread) = match &error {
            VaultError::Io(error) => (Unread::file(&path, error).why, is_in_the_way(error)),
            error => (error.to_string(), false),
        };
        FileDamage { path, why, unread }
    };
    (files, wrong.into_iter().map(damage).collect())
}
