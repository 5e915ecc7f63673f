//! `upline backup` and `upline restore`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use upline::disk::{Disk, RealDisk};
use upline::store::StoreError;
use upline::store::log::backup::{Manifest, Progress, backup, restore};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Copy a data folder, in use or not, into an empty folder
#[derive(clap::Args)]
pub(crate) struct BackupArgs {
    /// The data folder
    folder: PathBuf,
    /// The folder for the backup; it must be empty
    to: PathBuf,
}

/// Make a data folder of a backup, and check everything on the way
#[derive(clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    backup: PathBuf,
    /// The new data folder; it must be empty
    to: PathBuf,
}

/// The answer for programs. Hashes and the head are texts, as `verify` prints and reads them.
#[derive(Serialize)]
struct Answer<'a> {
    format: u32,
    folder: String,
    head: Option<String>,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    bytes: u64,
    length: u64,
    hash: String,
}

impl<'a> Answer<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let files = manifest.files.iter().map(|file| File {
            path: &file.path,
            bytes: file.bytes,
            length: file.length,
            hash: file.hash.to_string(),
        });
        Self {
            format: manifest.format,
            folder: manifest.folder.to_string(),
            head: manifest.head.map(|head| head.to_string()),
            files: files.collect(),
        }
    }
}

pub(crate) fn run_backup(args: &BackupArgs, output: &mut Output) -> Result<Exit, Failure> {
    must_be_empty(&args.to, "the folder for the backup")?;
    must_be_outside(&args.to, &args.folder)?;
    let from: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let to = RealDisk::new(&args.to);
    let bar = bar();
    let taken = backup(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let taken = taken.map_err(|error| failure(&args.folder, &error))?;
    told(&taken, "backed up", output)
}

pub(crate) fn run_restore(args: &RestoreArgs, output: &mut Output) -> Result<Exit, Failure> {
    must_be_empty(&args.to, "the folder to restore to")?;
    let from = RealDisk::new(&args.backup);
    let to: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.to));
    let bar = bar();
    let restored = restore(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let restored = restored.map_err(|error| failure(&args.backup, &error))?;
    told(&restored, "restored", output)
}

/// Said before anything is read: of the two folders it is this one that is in the way.
fn must_be_empty(to: &Path, what: &str) -> Result<(), Failure> {
    let entries = fs::read_dir(to).into_iter().flatten();
    let Some(entry) = entries.flatten().next() else {
        return Ok(());
    };
    let (to, name) = (shown(to), entry.file_name());
    let message = format!("`{to}`: {what} must be empty, and has {name:?} in it");
    Err(Failure::usage(message).help("name a folder that is empty, or not there yet"))
}

/// A backup in the folder that it is of would be lost with it.
fn must_be_outside(to: &Path, folder: &Path) -> Result<(), Failure> {
    let Ok(folder) = fs::canonicalize(folder) else {
        return Ok(());
    };
    // What is there already of the way to it; the rest is yet to be made.
    let there = to.ancestors().find_map(|part| match part {
        empty if empty.as_os_str().is_empty() => fs::canonicalize(".").ok(),
        part => fs::canonicalize(part).ok(),
    });
    if there.is_none_or(|there| !there.starts_with(&folder)) {
        return Ok(());
    }
    let message = format!(
        "`{}` is inside of the folder that it is to be a backup of",
        shown(to)
    );
    Err(Failure::usage(message).help("name a folder elsewhere, best on another disk"))
}

fn bar() -> Bar {
    Bar::new("copying", Unit::Bytes)
}

fn at(bar: &Bar, progress: Progress) {
    bar.at_of(progress.done, progress.of);
}

fn told(manifest: &Manifest, done: &str, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&Answer::of(manifest))?;
        return Ok(Exit::Ok);
    }
    let files = manifest.files.len();
    match &manifest.head {
        Some(head) => output.line(format!("{done}: {files} files, head: {head}"))?,
        None => output.line(format!("{done}: {files} files, no commit yet"))?,
    }
    Ok(Exit::Ok)
}

/// A store's error as the failure of a command.
pub(crate) fn failure(folder: &Path, error: &StoreError) -> Failure {
    let message = format!("`{}`: {error}", shown(folder));
    match error {
        StoreError::Damaged(_) => Failure::findings(message),
        _ => Failure::not_found(message),
    }
}
