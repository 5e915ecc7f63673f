//! The looking itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{StatVfs, StatVfsMountFlags};
use upline_lab::render::Language;

use super::{
    AsidePart, AsideTicket, BasePart, Checkup, FileDamage, Finding, IndexPart, JournalPart,
    KeysPart, Kind, SnapshotPart, files,
};
use crate::disk::{Disk, RealDisk};
use crate::floor::instant;
use crate::journal::{self, Damage, Flaw, FolderId, JournalError, JournalReader, Mark};
use crate::record::{self, Commit};
use crate::store::StoreError;
use crate::store::log::snapshot::{self, Snapshot};
use crate::store::log::{backup, base, check, identity};
use crate::vault;
use crate::words;

/// Less room than this is told: a full disk stops all writing.
const LITTLE_ROOM: u64 = 256 << 20;
/// Places of damage that are told.
const MAX_TOLD: usize = 100;
/// What Upline puts into a data folder or a backup.
const OURS: [&str; 14] = [
    identity::FILE,
    "folder.new",
    "head",
    "lock",
    journal::FOLDER,
    vault::FOLDER,
    "snapshots",
    "index",
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
        () if has(identity::FILE) || has(journal::FOLDER) => Kind::DataFolder,
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
        Kind::DataFolder | Kind::Backup => inside(here, &names, &mut checkup, tell)?,
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
) -> io::Result<()> {
    let disk = here.disk;
    // Behind the latter the daemon notes how far it has read an IMAP mailbox.
    let several = ["index.broken-", "mailbox."];
    let ours =
        |name: &str| OURS.contains(&name) || several.iter().any(|start| name.starts_with(start));
    let strangers = names.iter().filter(|name| !ours(name));
    checkup.strangers = strangers.cloned().collect();
    // Looked at and let go: an engine must be able to start. Where there is none, none is made, and on a disk
    // that can't be written nobody has it open.
    if names.iter().any(|name| name == "lock") {
        match disk.lock("lock").err().map(|error| error.kind()) {
            Some(io::ErrorKind::WouldBlock) => checkup.in_use = true,
            Some(kind) if is_refused(kind) => checkup.read_only = true,
            _ => (),
        }
    }
    let id = whose(disk, checkup);
    journal(disk, id, checkup, tell);
    if let Some(id) = id {
        base(disk, id, checkup)?;
        snapshots(disk, id, checkup)?;
        keys(disk, id, checkup);
    }
    match checkup.kind {
        Kind::DataFolder => index(here.folder, disk, checkup),
        _ => listed(disk, checkup),
    }
    set_aside(disk, checkup);
    general(checkup);
    Ok(())
}

fn whose(disk: &Arc<dyn Disk>, checkup: &mut Checkup) -> Option<FolderId> {
    let id = match checkup.kind {
        Kind::Backup => backup::manifest(&**disk).map(|manifest| manifest.folder),
        _ => identity::read(&**disk),
    };
    match id {
        Ok(id) => {
            checkup.folder = Some(id.to_string());
            Some(id)
        }
        Err(error) => {
            let told = error.told(checkup.language);
            match error {
                StoreError::Format(_) => checkup.found_other_format(told),
                _ => checkup.found_unreadable(told),
            }
            None
        }
    }
}

fn journal(
    disk: &Arc<dyn Disk>,
    id: Option<FolderId>,
    checkup: &mut Checkup,
    tell: &mut dyn FnMut(u64, u64),
) {
    let (files, bytes) = size(disk, journal::FOLDER);
    let mut part = JournalPart {
        format: journal::FORMAT,
        files,
        bytes,
        first: 0,
        commits: None,
        head: None,
        last_at: None,
        damage: Vec::new(),
    };
    let walked = match checkup.in_use {
        true => Ok(false),
        false => walk(disk, id, &mut part, checkup.language, tell),
    };
    let starts = matches!(walked, Ok(true));
    let read = walked.and_then(|_| last(disk, id, &mut part, checkup.language));
    if let Err(error) = read {
        let told = words::of_journal(&error, checkup.language);
        match (&error, part.damage.is_empty()) {
            (JournalError::Newer { .. } | JournalError::Older { .. }, _) => {
                checkup.found_other_journal(told);
            }
            (_, true) => part.damage.push(told),
            (_, false) => (),
        }
    }
    if !part.damage.is_empty() {
        checkup.found_damage(part.damage.len(), starts);
    }
    if files == 0 {
        checkup.found_no_journal();
    }
    checkup.journal = Some(part);
}

/// Whether a start comes upon this damage: it reads the headers of all files, and what is in them from the
/// newest snapshot on.
fn stops_a_start(damage: &Damage, newest: Option<&Mark>) -> bool {
    match damage.flaw {
        Flaw::Header
        | Flaw::Foreign { .. }
        | Flaw::Name { .. }
        | Flaw::Cut { .. }
        | Flaw::Unreadable(_)
        | Flaw::Newer { .. }
        | Flaw::RolledBack { .. } => true,
        _ => newest.is_none_or(|newest| damage.seq >= newest.seq),
    }
}

/// Looks at every commit. Says whether an engine starts in spite of the damage.
fn walk(
    disk: &Arc<dyn Disk>,
    id: Option<FolderId>,
    part: &mut JournalPart,
    language: Language,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<bool, JournalError> {
    let report = journal::verify(&**disk, id, None, &mut |progress| {
        tell(progress.segments, progress.of);
    })?;
    part.first = report.first;
    part.commits = Some(report.frames);
    part.head = report.last.map(|mark| mark.to_string());
    let damage = report.damage.iter().take(MAX_TOLD);
    part.damage = damage.map(|one| one.told(language)).collect();
    let newest = id.and_then(|id| check::newest_mark(&**disk, id).ok()?);
    let stops = |damage| stops_a_start(damage, newest.as_ref());
    Ok(report.more == 0 && !report.damage.iter().any(stops))
}

/// The last commit.
fn last(
    disk: &Arc<dyn Disk>,
    id: Option<FolderId>,
    part: &mut JournalPart,
    language: Language,
) -> Result<(), JournalError> {
    let reader = JournalReader::open(Arc::clone(disk), id)?;
    part.first = reader.oldest().map_or(0, |(first, _)| first);
    let Some(head) = reader.head() else {
        return Ok(());
    };
    part.head = Some(head.to_string());
    let frame = reader.read(head.position)?;
    match record::decode::<Commit>(&frame.payload) {
        Ok(commit) => part.last_at = Some(instant(commit.at).to_string()),
        Err(error) => part.damage.push(match language {
            Language::English => format!("commit {} can't be read: {error}", head.seq),
            Language::Chinese => format!("第 {} 次提交无法读取：{error}", head.seq),
        }),
    }
    Ok(())
}

fn base(disk: &Arc<dyn Disk>, id: FolderId, checkup: &mut Checkup) -> io::Result<()> {
    let Some(seq) = base::list(&**disk)?.first().copied() else {
        return Ok(());
    };
    let file = disk.open_read(&base::path_of(seq));
    let opened = base::open(&**disk, id, seq);
    let read = opened.and_then(|one| one.each(|_| Ok(())).map(|()| one));
    let found = base::find(&**disk, id)?.filter(|found| found.mark.seq == seq);
    let damage = read.err();
    let damage = damage.map(|error| words::of_snapshot(&error, checkup.language));
    if let Some(why) = &damage {
        checkup.found_base(why);
    }
    checkup.base = Some(BasePart {
        commit: seq,
        at: found.map(|found| instant(found.at).to_string()),
        bytes: file.and_then(|file| file.len()).unwrap_or(0),
        damage,
    });
    Ok(())
}

fn snapshots(disk: &Arc<dyn Disk>, id: FolderId, checkup: &mut Checkup) -> io::Result<()> {
    for seq in snapshot::list(&**disk)? {
        let file = disk.open_read(&snapshot::path(seq));
        let bytes = file.and_then(|file| file.len()).unwrap_or(0);
        let opened = Snapshot::open(&**disk, id, seq);
        let damage = opened.err();
        let damage = damage.map(|error| words::of_snapshot(&error, checkup.language));
        if let Some(why) = &damage {
            checkup.found_snapshot(seq, why);
        }
        checkup.snapshots.push(SnapshotPart {
            commit: seq,
            bytes,
            damage,
        });
    }
    Ok(())
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
    let (files, bytes) = size(disk, "index");
    let names = disk.list("").unwrap_or_default();
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
        let told = |why: String| words::of(&why, checkup.language);
        part.damage = part.damage.map(told);
    }
    if let Some(why) = &part.damage {
        checkup.found_index(why);
    }
    if !part.set_aside.is_empty() {
        checkup.found_old_index(&part.set_aside.join(", "));
    }
    checkup.index = (files > 0 || !part.set_aside.is_empty()).then_some(part);
}

#[cfg(feature = "sled")]
fn how_index_is(folder: &Path, disk: &Arc<dyn Disk>) -> (Option<u64>, Option<String>) {
    let index = crate::index::Index::in_folder(folder.join("index"), Default::default());
    let Ok(reader) = JournalReader::open(Arc::clone(disk), None) else {
        return (None, None);
    };
    match index.open_as_it_is(&reader) {
        Ok(mark) => (mark.map(|mark| mark.seq), None),
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
fn size(disk: &Arc<dyn Disk>, folder: &str) -> (u64, u64) {
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
