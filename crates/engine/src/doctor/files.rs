//! The files beside the journal that nothing stands in for: the tickets' keys, and all that a backup lists.

use std::io;
use std::sync::Arc;

use upline_lab::render::Language;

use crate::disk::Disk;
use crate::journal::FolderId;
use crate::store::log::backup::{self, MANIFEST, Tell};
use crate::store::log::{check, identity};
use crate::vault;
use crate::words;

/// A file that is not what was written, or is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDamage {
    /// The file, in the folder.
    pub path: String,
    /// What is wrong with it, with its name in it, in English.
    pub why: String,
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
        return of_backup(disk, tell);
    }
    let Some(id) = folder.or_else(|| identity::read(&**disk).ok()) else {
        return Ok(Vec::new());
    };
    let mut found = keys(disk, id)?;
    if !found.is_empty() {
        // An engine that starts meanwhile removes files of keys that no ticket has. Damage stays.
        let again = keys(disk, id)?;
        found.retain(|one| again.contains(one));
    }
    Ok(found)
}

fn of_backup(disk: &Arc<dyn Disk>, tell: &mut Tell<'_>) -> io::Result<Vec<FileDamage>> {
    let manifest = match backup::manifest(&**disk) {
        Ok(manifest) => manifest,
        Err(error) => {
            let (path, why) = (MANIFEST.to_owned(), error.to_string());
            return Ok(vec![FileDamage { path, why }]);
        }
    };
    let flaws = backup::flaws(&**disk, &manifest, tell).into_iter();
    let mut found: Vec<FileDamage> = flaws.map(|(path, why)| FileDamage { path, why }).collect();
    // A backup may list less than its tickets need.
    for one in keys(disk, manifest.folder)? {
        if found.iter().all(|known| known.path != one.path) {
            found.push(one);
        }
    }
    Ok(found)
}

fn keys(disk: &Arc<dyn Disk>, id: FolderId) -> io::Result<Vec<FileDamage>> {
    let last = check::last_key_in(disk, id);
    let (_, wrong) = vault::examine(&**disk, id.0, last)?;
    let damage = |(path, error): (String, vault::VaultError)| FileDamage {
        path,
        why: error.to_string(),
    };
    Ok(wrong.into_iter().map(damage).collect())
}
