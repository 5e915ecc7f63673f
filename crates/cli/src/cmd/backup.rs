//! `upline backup` and `upline restore`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use upline::disk::{Disk, RealDisk};
use upline::store::StoreError;
use upline::store::log::backup::{Manifest, Progress, SERVICE_FILES, WRITING, backup, restore};
use upline_dsl::shown;
use upline_lab::render::Language;

use crate::bar::{Bar, Unit};
use crate::cmd::doctor::counted;
use crate::exit::{Exit, Failure};
use crate::files::{resolved, without_detours};
use crate::language::{Lang, pick};
use crate::output::Output;

/// Copy a data folder, in use or not, into an empty folder
#[derive(clap::Args)]
pub(crate) struct BackupArgs {
    /// The data folder
    folder: PathBuf,
    /// The folder for the backup; it must be empty
    to: PathBuf,
    #[command(flatten)]
    lang: Lang,
}

/// Make a data folder of a backup, and check everything on the way
#[derive(clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    backup: PathBuf,
    /// The new data folder; it must be empty
    to: PathBuf,
    #[command(flatten)]
    lang: Lang,
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
    let lang = &args.lang;
    let what = lang.pick("the folder for the backup", "备份用的文件夹");
    let path = without_detours(&args.to);
    must_be_there(&args.folder, lang.get())?;
    must_be_empty(&path, what, lang)?;
    must_be_outside(&path, &args.folder, lang)?;
    let from: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let to = RealDisk::new(&path);
    let made = not_there_yet(&path);
    let bar = bar(lang);
    let taken = backup(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let taken = taken
        .map_err(|error| not_copied((&args.folder, Meant::Data), &path, &made, &error, lang))?;
    for_nobody_else(&path, lang)?;
    told(&taken, lang.pick("backed up", "已备份"), lang, output)
}

pub(crate) fn run_restore(args: &RestoreArgs, output: &mut Output) -> Result<Exit, Failure> {
    let lang = &args.lang;
    let what = lang.pick("the folder to restore to", "要恢复到的文件夹");
    let path = without_detours(&args.to);
    must_be_there(&args.backup, lang.get())?;
    must_be_empty(&path, what, lang)?;
    must_be_outside(&path, &args.backup, lang)?;
    let from = RealDisk::new(&args.backup);
    let to: Arc<dyn Disk> = Arc::new(RealDisk::new(&path));
    let made = not_there_yet(&path);
    let bar = bar(lang);
    let restored = restore(&from, &to, &mut |progress| at(&bar, progress));
    bar.clear();
    let restored = restored
        .map_err(|error| not_copied((&args.backup, Meant::Backup), &path, &made, &error, lang))?;
    for_nobody_else(&path, lang)?;
    told(&restored, lang.pick("restored", "已恢复"), lang, output)
}

/// The secrets of a service keep their rights.
fn for_nobody_else(folder: &Path, lang: &Lang) -> Result<(), Failure> {
    for name in SERVICE_FILES {
        let path = folder.join(name);
        match fs::set_permissions(&path, fs::Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let path = shown(&path);
                let why = lang.pick(
                    format!("`{path}`: its rights can't be set: {error}"),
                    format!("`{path}`：无法设置权限：{error}"),
                );
                return Err(Failure::not_found(why));
            }
            _ => (),
        }
    }
    Ok(())
}

/// All commands that read a folder say it with these words if there is none.
pub(crate) fn must_be_there(folder: &Path, language: Language) -> Result<(), Failure> {
    let path = shown(folder);
    let message = match fs::metadata(folder) {
        Ok(data) if data.is_dir() => return Ok(()),
        Ok(_) => pick(
            language,
            format!("`{path}` is a file, and no folder"),
            format!("`{path}` 是文件，不是文件夹"),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => pick(
            language,
            format!("there is no folder `{path}`"),
            format!("没有文件夹 `{path}`"),
        ),
        Err(error) => pick(
            language,
            format!("`{path}`: {error}"),
            format!("`{path}`：{error}"),
        ),
    };
    Err(Failure::not_found(message))
}

/// Said before anything is read: of the two folders it is this one that is in the way.
fn must_be_empty(to: &Path, what: &str, lang: &Lang) -> Result<(), Failure> {
    let entries = fs::read_dir(to).into_iter().flatten();
    let Some(entry) = entries.flatten().next() else {
        return Ok(());
    };
    let (to, name) = (shown(to), entry.file_name());
    let message = lang.pick(
        format!("`{to}`: {what} must be empty, and has {name:?} in it"),
        format!("`{to}`：{what}必须是空的，里面却有 {name:?}"),
    );
    Err(Failure::usage(message).help(lang.pick(
        "name a folder that is empty, or not there yet",
        "请指定一个空的、或还不存在的文件夹",
    )))
}

/// A copy in the folder that it is of would be lost with it, and the next one would have it in it.
fn must_be_outside(to: &Path, folder: &Path, lang: &Lang) -> Result<(), Failure> {
    let Ok(folder) = fs::canonicalize(folder) else {
        return Ok(());
    };
    if resolved(to).is_none_or(|to| !to.starts_with(&folder)) {
        return Ok(());
    }
    let to = shown(to);
    let message = lang.pick(
        format!("`{to}` is inside of the folder that it is to be a copy of"),
        format!("`{to}` 就在要复制的文件夹里面"),
    );
    Err(Failure::usage(message).help(lang.pick(
        "name a folder elsewhere, best on another disk",
        "请指定别处的文件夹，最好在另一块磁盘上",
    )))
}

/// The folders on the way to `to`, itself first, that must be made for it.
fn not_there_yet(to: &Path) -> Vec<PathBuf> {
    let parts = to
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty());
    let missing = parts.take_while(|part| !part.exists());
    missing.map(Path::to_owned).collect()
}

/// The failure of a copying. `made` are the folders that were not there before: they go if nothing is in
/// them.
fn not_copied(
    (from, meant): (&Path, Meant),
    to: &Path,
    made: &[PathBuf],
    error: &StoreError,
    lang: &Lang,
) -> Failure {
    // Only of a folder with nothing in it this does anything.
    for folder in made {
        let _ = fs::remove_dir(folder);
    }
    let is_left = fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some());
    let failure = match error {
        StoreError::Full => {
            let to = shown(to);
            Failure::not_found(lang.pick(
                format!("`{to}`: the disk is full"),
                format!("`{to}`：磁盘已满"),
            ))
        }
        StoreError::Io { doing, .. } if *doing == WRITING => failure(to, error, meant, lang.get()),
        error => failure(from, error, meant, lang.get()),
    };
    let path = shown(to);
    match (error, is_left) {
        (StoreError::Full, false) => failure.help(lang.pick(
            "make room there and give the command again; what it had copied is removed",
            "请在那里腾出空间，再次执行这个命令；已复制的已删除",
        )),
        (StoreError::Full, true) => failure.help(lang.pick(
            format!(
                "make room there, empty `{path}`, which is of no use now, and give the command again"
            ),
            format!("请在那里腾出空间，清空现在没有用的 `{path}`，再次执行这个命令"),
        )),
        (_, true) => failure.help(lang.pick(
            format!("`{path}` is of no use now: empty it before you give the command again"),
            format!("`{path}` 现在没有用：再次执行这个命令之前请清空它"),
        )),
        (_, false) => failure,
    }
}

fn bar(lang: &Lang) -> Bar {
    Bar::told_in(lang.get(), lang.pick("copying", "复制"), Unit::Bytes)
}

fn at(bar: &Bar, progress: Progress) {
    bar.at_of(progress.done, progress.of);
}

fn told(
    manifest: &Manifest,
    done: &str,
    lang: &Lang,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&Answer::of(manifest))?;
        return Ok(Exit::Ok);
    }
    let files = manifest.files.len();
    let counted = counted(files as u64, "file");
    output.line(match &manifest.head {
        Some(head) => lang.pick(
            format!("{done}: {counted}, head: {head}"),
            format!("{done}：{files} 个文件，末尾：{head}"),
        ),
        None => lang.pick(
            format!("{done}: {counted}, no commit yet"),
            format!("{done}：{files} 个文件，还没有提交"),
        ),
    })?;
    Ok(Exit::Ok)
}

/// What the folder is meant to be that a command reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meant {
    Data,
    Backup,
    Either,
}

impl Meant {
    /// Whether this says that a folder is damaged which is what it is meant to be at first sight. A format
    /// of another version is no damage.
    pub(crate) fn is_damage(self, folder: &Path, error: &StoreError) -> bool {
        let why = match error {
            StoreError::Damaged(_) => return true,
            StoreError::Format(why) => why,
            _ => return false,
        };
        let has = |name: &str| folder.join(name).symlink_metadata().is_ok();
        let is_backup = has("backup.json");
        let is_data = !is_backup && (has("folder") || has("journal"));
        let is_meant = match self {
            Self::Data => is_data,
            Self::Backup => is_backup,
            Self::Either => is_data || is_backup,
        };
        is_meant && !why.contains("and this program knows")
    }
}

/// A store's error as the failure of a command.
pub(crate) fn failure(
    folder: &Path,
    error: &StoreError,
    meant: Meant,
    language: Language,
) -> Failure {
    let is_damage = meant.is_damage(folder, error);
    let (folder, told) = (shown(folder), error.told(language));
    let message = pick(
        language,
        format!("`{folder}`: {told}"),
        format!("`{folder}`：{told}"),
    );
    match is_damage {
        true => Failure::findings(message),
        false => Failure::not_found(message),
    }
}
