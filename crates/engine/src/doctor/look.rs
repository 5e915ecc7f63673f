//! The looking itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{StatVfs, StatVfsMountFlags};
use upline_lab::render::Language;

use super::{
    AsidePart, AsideTicket, BasePart, Checkup, FileDamage, Finding, IndexPart, KeysPart, Kind,
    SnapshotPart, files, journal,
};
use crate::disk::{Disk, RealDisk, is_in_the_way, lock_there};
use crate::floor::instant;
use crate::journal::{FolderId, JournalReader, Unread};
use crate::store::StoreError;
use crate::store::log::snapshot::{self, Snapshot, SnapshotError};
use crate::store::log::{backup, base, check, identity};
use crate::vault;
use crate::words;

pub(super) const LOCK: &str = "lock";
const INDEX: &str = "index";
/// Of an index whose last commit is none of the journal's.
pub(super) const OTHER_HISTORY: &str =
    "its last commit is none of this journal: it is of another history of this folder";
/// Less room than this is told: a full disk stops all writing.
const LITTLE_ROOM: u64 = 256 << 20;
/// Places of damage that are told.
pub(super) const MAX_TOLD: usize = 100;
/// What Upline puts into a data folder or a backup.
const OURS: [&str; 14] = [
    identity::FILE,
    "folder.new",
    "head",
    LOCK,
    crate::journal::FOLDER,
    vault::FOLDER,
    snapshot::FOLDER,
    INDEX,
    backup::MANIFEST,
    // The daemon's.
    "links.key",
    "links.burned",
    "mail.key",
    "overrides",
    "overrides.new",
];

pub(super) fn examine(
    folder: &Path,
    language: Language,
    tell: &mut dyn FnMut(u64, u64),
) -> io::Result<Checkup> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(folder));
    let room = rustix::fs::statvfs(folder).ok();
    let is_read_only = |room: &StatVfs| room.f_flag.contains(StatVfsMountFlags::RDONLY);
    let here = Here {
        folder,
        disk: &disk,
        free: room
            .as_ref()
            .map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        read_only: room.as_ref().is_some_and(is_read_only),
    };
    examine_here(&here, language, tell)
}

/// Where it is looked.
pub(super) struct Here<'a> {
    pub(super) folder: &'a Path,
    pub(super) disk: &'a Arc<dyn Disk>,
    /// Bytes.
    pub(super) free: Option<u64>,
    /// Whether the system says that nothing can be written.
    pub(super) read_only: bool,
}

pub(super) fn examine_here(
    here: &Here<'_>,
    language: Language,
    tell: &mut dyn FnMut(u64, u64),
) -> io::Result<Checkup> {
    let disk = here.disk;
    let names = disk.list("")?;
    let has = |name: &str| names.iter().any(|one| one == name);
    let kind = match () {
        () if names.is_empty() => Kind::Empty,
        () if has(backup::MANIFEST) => Kind::Backup,
        () if has(identity::FILE) || has(crate::journal::FOLDER) => Kind::DataFolder,
        () => Kind::Foreign,
    };
    let mut checkup = Checkup {
        kind,
        folder: None,
        format: identity::format(&**disk),
        in_use: false,
        read_only: here.read_only,
        free: here.free,
        journal: None,
        base: None,
        snapshots: Vec::new(),
        keys: None,
        index: None,
        aside: None,
        strangers: Vec::new(),
        findings: Vec::new(),
        language,
    };
    match kind {
        Kind::Empty => checkup.found_empty(),
        Kind::Foreign => checkup.found_foreign(),
        Kind::DataFolder | Kind::Backup => inside(here, &names, &mut checkup, tell),
    }
    let worst_first = |one: &Finding| std::cmp::Reverse(one.severity);
    checkup.findings.sort_by_key(worst_first);
    Ok(checkup)
}

fn inside(
    here: &Here<'_>,
    names: &[String],
    checkup: &mut Checkup,
    tell: &mut dyn FnMut(u64, u64),
) {
    let disk = here.disk;
    // Behind the latter the daemon notes how far it has read an IMAP mailbox.
    let several = ["index.broken-", "mailbox."];
    let ours =
        |name: &str| OURS.contains(&name) || several.iter().any(|start| name.starts_with(start));
    let strangers = names.iter().filter(|name| !ours(name));
    checkup.strangers = strangers.cloned().collect();
    // Looked at and let go: an engine must be able to start. Where there is none, none is made, and on a disk
    // that can't be written nobody has it open.
    if checkup.kind == Kind::DataFolder || names.iter().any(|name| name == LOCK) {
        match lock_there(&**disk, LOCK).err() {
            Some(error) if error.kind() == io::ErrorKind::WouldBlock => checkup.in_use = true,
            Some(error) if is_refused(error.kind()) => checkup.read_only = true,
            Some(error) if checkup.kind == Kind::DataFolder => checkup.found_lock(&error),
            _ => (),
        }
    }
    let id = whose(disk, checkup);
    let written = journal::look(disk, id.ok().flatten(), checkup, tell);
    // Whose folder it is, the journal says too; but not what another format means.
    if let Some(id) = id.unwrap_or(written) {
        base(disk, id, checkup);
        snapshots(disk, id, checkup);
        keys(disk, id, checkup);
    }
    match checkup.kind {
        Kind::DataFolder => {
            index(here.folder, disk, checkup);
            service(disk, checkup);
        }
        _ => listed(disk, checkup),
    }
    set_aside(disk, checkup);
    general(checkup);
}

/// `Err`: it can't be read, and may be anything. `Ok(None)`: it is none that this program knows.
fn whose(disk: &Arc<dyn Disk>, checkup: &mut Checkup) -> Result<Option<FolderId>, ()> {
    let id = match checkup.kind {
        Kind::Backup => backup::manifest(&**disk).map(|manifest| manifest.folder),
        _ => identity::read(&**disk),
    };
    match id {
        Ok(id) => {
            checkup.folder = Some(id.to_string());
            Ok(Some(id))
        }
        Err(StoreError::Io { source, .. }) if is_in_the_way(&source) => {
            let file = match checkup.kind {
                Kind::Backup => backup::MANIFEST,
                _ => identity::FILE,
            };
            let why = Unread::file(file, &source).why;
            checkup.found_in_the_way(words::of(&why, checkup.language));
            Err(())
        }
        Err(error) => {
            let told = error.told(checkup.language);
            let names = disk.list("").unwrap_or_default();
            let is_named = names.iter().any(|name| name == identity::FILE);
            match error {
                StoreError::Format(_) if checkup.kind == Kind::DataFolder && !is_named => {
                    checkup.found_unfinished(told);
                }
                StoreError::Format(_) => checkup.found_other_format(told),
                _ => checkup.found_unreadable(told),
            }
            Ok(None)
        }
    }
}

fn base(disk: &Arc<dyn Disk>, id: FolderId, checkup: &mut Checkup) {
    // That the folder can't be looked into is told with the other snapshots.
    let Some(seq) = base::list(&**disk).unwrap_or_default().first().copied() else {
        return;
    };
    let file = disk.open_read(&base::path_of(seq));
    let opened = base::open(&**disk, id, seq);
    let read = opened.and_then(|one| one.each(|_| Ok(())).map(|()| one));
    let found = base::find(&**disk, id).ok().flatten();
    let found = found.filter(|found| found.mark.seq == seq);
    let (unread, damage) = why(read.err().as_ref(), checkup.language);
    if let Some(why) = &unread {
        checkup.found_base_unread(why);
    }
    if let Some(why) = &damage {
        checkup.found_base(why);
    }
    checkup.base = Some(BasePart {
        commit: seq,
        at: found.map(|found| instant(found.at).to_string()),
        bytes: file.and_then(|file| file.len()).unwrap_or(0),
        damage,
        unread,
    });
}

/// Why a snapshot can't be read, or what is wrong with it.
fn why(error: Option<&SnapshotError>, language: Language) -> (Option<String>, Option<String>) {
    let told = error.map(|error| words::of_snapshot(error, language));
    match error {
        Some(SnapshotError::Io(_)) => (told, None),
        _ => (None, told),
    }
}

fn snapshots(disk: &Arc<dyn Disk>, id: FolderId, checkup: &mut Checkup) {
    let list = match snapshot::list(&**disk) {
        Ok(list) => list,
        Err(error) => {
            let why = Unread::folder(snapshot::FOLDER, &error).why;
            return checkup.found_in_the_way(words::of(&why, checkup.language));
        }
    };
    let is_there = |seq| snapshot::list(&**disk).is_ok_and(|now| now.contains(&seq));
    let mut is_newest = true;
    for seq in list {
        let file = disk.open_read(&snapshot::path(seq));
        let opened = Snapshot::open(&**disk, id, seq);
        // An engine at work removes old ones.
        if opened.is_err() && !is_there(seq) {
            continue;
        }
        let is_whole = opened.is_ok();
        let (unread, damage) = why(opened.err().as_ref(), checkup.language);
        if let Some(why) = &unread {
            checkup.found_snapshot_unread(seq, why, is_newest);
        }
        if let Some(why) = &damage {
            checkup.found_snapshot(seq, why);
        }
        is_newest &= !is_whole;
        checkup.snapshots.push(SnapshotPart {
            commit: seq,
            bytes: file.and_then(|file| file.len()).unwrap_or(0),
            damage,
            unread,
        });
    }
}

fn keys(disk: &Arc<dyn Disk>, id: FolderId, checkup: &mut Checkup) {
    let (_, bytes) = size(disk, vault::FOLDER);
    let last = check::last_key_in(disk, id);
    let (files, wrong) = files::examined(vault::examine(&**disk, id.0, last));
    let told = |one: &FileDamage| one.told(checkup.language);
    let (unread, damaged): (Vec<_>, Vec<_>) = wrong.iter().partition(|one| one.unread);
    let (unread, damage): (Vec<String>, Vec<String>) = (
        unread.into_iter().map(told).collect(),
        damaged.into_iter().map(told).collect(),
    );
    // Of a backup, with its other files.
    if checkup.kind != Kind::Backup {
        let few = unread.into_iter().take(MAX_TOLD);
        few.for_each(|what| checkup.found_in_the_way(what));
        let few = damage.iter().take(MAX_TOLD);
        few.for_each(|what| checkup.found_keys(what.clone()));
    }
    checkup.keys = Some(KeysPart {
        files,
        bytes,
        damage,
    });
}

/// What a service keeps there besides.
fn service(disk: &Arc<dyn Disk>, checkup: &mut Checkup) {
    for one in files::of_service(&**disk) {
        let told = one.told(checkup.language);
        match one.unread {
            true => checkup.found_in_the_way(told),
            false => checkup.found_service(told),
        }
    }
}

/// Whether the files of a backup are as they were written.
fn listed(disk: &Arc<dyn Disk>, checkup: &mut Checkup) {
    if backup::manifest(&**disk).is_err() {
        return;
    }
    let flaws = files::of_backup(disk, &mut |_| ());
    for one in flaws.iter().take(MAX_TOLD) {
        let told = one.told(checkup.language);
        match one.unread {
            true => checkup.found_in_the_way(told),
            false => checkup.found_changed(told),
        }
    }
}

fn index(folder: &Path, disk: &Arc<dyn Disk>, checkup: &mut Checkup) {
    let (files, bytes) = size(disk, INDEX);
    let names = disk.list("").unwrap_or_default();
    let listed = match names.iter().any(|name| name == INDEX) {
        true => disk.list(INDEX).map(drop),
        false => Ok(()),
    };
    let aside = names
        .into_iter()
        .filter(|name| name.starts_with("index.broken-"));
    let mut part = IndexPart {
        bytes,
        commit: None,
        damage: None,
        set_aside: aside.collect(),
    };
    if files > 0 && !checkup.in_use && !checkup.read_only {
        (part.commit, part.damage) = how_index_is(folder, disk);
    }
    let is_of_other = part.damage.as_deref() == Some(OTHER_HISTORY);
    // A journal that is damaged itself is no measure.
    let mut journal = checkup.journal.iter();
    if is_of_other && journal.any(|journal| !journal.damage.is_empty()) {
        part.damage = None;
    }
    let told = |why: String| words::of(&why, checkup.language);
    part.damage = part.damage.map(told);
    if let Err(error) = listed {
        let why = words::of(&Unread::folder(INDEX, &error).why, checkup.language);
        match error.kind() {
            // The next start sets it aside.
            io::ErrorKind::NotADirectory => part.damage = Some(why),
            _ => checkup.found_in_the_way(why),
        }
    }
    if let Some(why) = &part.damage {
        match is_of_other {
            true => checkup.found_index_of_other(why),
            false => checkup.found_index(why),
        }
    }
    if !part.set_aside.is_empty() {
        checkup.found_old_index(&part.set_aside.join(", "));
    }
    let is_there = files > 0 || part.damage.is_some() || !part.set_aside.is_empty();
    checkup.index = is_there.then_some(part);
}

#[cfg(feature = "sled")]
fn how_index_is(folder: &Path, disk: &Arc<dyn Disk>) -> (Option<u64>, Option<String>) {
    let index = crate::index::Index::in_folder(folder.join("index"), Default::default());
    let Ok(reader) = JournalReader::open(Arc::clone(disk), None) else {
        return (None, None);
    };
    match index.open_as_it_is(&reader) {
        Ok(mark) => (mark.map(|mark| mark.seq), None),
        Err(error) if super::compare::is_of_another_history(&error) => {
            (None, Some(OTHER_HISTORY.to_owned()))
        }
        Err(error) => (None, Some(error.to_string())),
    }
}

#[cfg(not(feature = "sled"))]
fn how_index_is(_: &Path, _: &Arc<dyn Disk>) -> (Option<u64>, Option<String>) {
    (None, None)
}

/// Tickets that are set aside, as a start would find them. If none would succeed, that is told elsewhere.
fn set_aside(disk: &Arc<dyn Disk>, checkup: &mut Checkup) {
    let has_commits = checkup
        .journal
        .as_ref()
        .is_some_and(|one| one.head.is_some());
    if checkup.in_use || !has_commits {
        return;
    }
    let Ok(mut folder) = crate::look::Folder::open(Arc::clone(disk), &mut |_| ()) else {
        return;
    };
    let Ok((some, count)) = folder.set_aside(0, MAX_TOLD) else {
        return;
    };
    let tickets = some.into_iter().map(|one| AsideTicket {
        ticket: one.ticket.to_string(),
        why: words::of(&one.why, checkup.language),
    });
    let part = AsidePart {
        count: count as u64,
        tickets: tickets.collect(),
    };
    if part.count > 0 {
        checkup.found_set_aside(part.count);
    }
    checkup.aside = Some(part);
}

/// Whether this is said of a folder that can be read and not written.
pub(super) const fn is_refused(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

fn general(checkup: &mut Checkup) {
    // From a backup nobody starts.
    if checkup.read_only && checkup.kind == Kind::DataFolder {
        checkup.found_read_only();
    }
    if checkup.in_use {
        checkup.found_in_use();
    }
    if let Some(free) = checkup.free
        && free < LITTLE_ROOM
        && !checkup.read_only
    {
        checkup.found_little_room(free >> 20);
    }
    if !checkup.strangers.is_empty() {
        let names = checkup.strangers.join(", ");
        checkup.found_strangers(&names);
    }
}

/// How many files a folder has, and their bytes.
pub(super) fn size(disk: &Arc<dyn Disk>, folder: &str) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    for name in disk.list(folder).unwrap_or_default() {
        let path = format!("{folder}/{name}");
        match disk.open_read(&path).and_then(|file| file.len()) {
            Ok(length) => {
                files += 1;
                bytes += length;
            }
            Err(_) => {
                let below = size(disk, &path);
                files += below.0;
                bytes += below.1;
            }
        }
    }
    (files, bytes)
}
