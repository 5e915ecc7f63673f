//! `upline backup` and `upline restore`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

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

pub(crate) fn run_backup(args: &BackupArgs, output: &mut Output) -> Result<Exit, Failure> {
    let from: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let to = RealDisk::new(&args.to);
    let bar = bar();
    let taken = backup(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let taken = taken.map_err(|error| failure(&args.folder, &error))?;
    told(&taken, "backed up", output)
}

pub(crate) fn run_restore(args: &RestoreArgs, output: &mut Output) -> Result<Exit, Failure> {
    let from = RealDisk::new(&args.backup);
    let to: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.to));
    let bar = bar();
    let restored = restore(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let restored = restored.map_err(|error| failure(&args.backup, &error))?;
    told(&restored, "restored", output)
}

fn bar() -> Bar {
    Bar::new("copying", Unit::Bytes)
}

fn at(bar: &Bar, progress: Progress) {
    bar.at_of(progress.done, progress.of);
}

fn told(manifest: &Manifest, done: &str, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(manifest)?;
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
