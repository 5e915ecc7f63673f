//! Looking at the journal.

use std::io;
use std::sync::Arc;

use upline_lab::render::Language;

use super::look::{MAX_TOLD, size};
use super::{Checkup, JournalPart, Kind};
use crate::disk::{Disk, is_in_the_way};
use crate::floor::instant;
use crate::journal::{self, Damage, Flaw, FolderId, JournalError, JournalReader, Mark, Unread};
use crate::record::{self, Commit};
use crate::store::log::check;
use crate::store::log::snapshot;
use crate::vault;
use crate::words;

/// What a look at all commits has found besides.
#[derive(Default)]
struct Walked {
    /// Whose journal it is.
    folder: Option<FolderId>,
    /// Whether an engine starts in spite of the damage.
    starts: bool,
    unread: Vec<Unread>,
}

/// Says whose journal it is.
pub(super) fn look(
    disk: &Arc<dyn Disk>,
    id: Option<FolderId>,
    checkup: &mut Checkup,
    tell: &mut dyn FnMut(u64, u64),
) -> Option<FolderId> {
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
        true => Ok(Walked::default()),
        false => walk(disk, id, &mut part, checkup.language, tell),
    };
    let (found, read) = match walked {
        Ok(found) => (found, last(disk, id, &mut part, checkup.language)),
        Err(error) => (Walked::default(), Err(error)),
    };
    let is_missing = is_missing(disk);
    for one in found.unread.iter().filter(|one| one.is_of_the_journal()) {
        checkup.found_in_the_way(words::of(&one.why, checkup.language));
    }
    match read {
        Err(error @ (JournalError::Newer { .. } | JournalError::Older { .. })) => {
            checkup.found_other_journal(words::of_journal(&error, checkup.language));
        }
        // Of a snapshot that can't be read it is told elsewhere.
        Err(JournalError::Io { source, .. })
            if is_in_the_way(&source) && (is_missing || !found.unread.is_empty()) => {}
        Err(JournalError::Io { source, .. }) if is_in_the_way(&source) => {
            let why = format!("the journal can't be read ({source})");
            checkup.found_in_the_way(words::of(&why, checkup.language));
        }
        Err(error) if part.damage.is_empty() => {
            part.damage
                .push(words::of_journal(&error, checkup.language));
        }
        _ => (),
    }
    match (is_missing, had_tickets(disk)) {
        (true, true) => checkup.found_journal_missing(),
        (true, false) => checkup.found_no_journal(),
        (false, _) if !part.damage.is_empty() => {
            checkup.found_damage(part.damage.len(), found.starts);
        }
        (false, _) => can_be_written(disk, checkup),
    }
    checkup.journal = Some(part);
    found.folder
}

/// Whether nothing is there that could be one.
fn is_missing(disk: &Arc<dyn Disk>) -> bool {
    match disk.list(journal::FOLDER) {
        Ok(names) => !names.iter().any(|name| name.ends_with(".log")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let names = disk.list("").unwrap_or_default();
            !names.iter().any(|name| name == journal::FOLDER)
        }
        Err(_) => false,
    }
}

/// Whether something is there that is only made for tickets.
fn had_tickets(disk: &Arc<dyn Disk>) -> bool {
    let has = |folder| disk.list(folder).is_ok_and(|names| !names.is_empty());
    has(vault::FOLDER) || has(snapshot::FOLDER)
}

/// An engine goes on in the last file: it is opened as that does, and nothing is written.
fn can_be_written(disk: &Arc<dyn Disk>, checkup: &mut Checkup) {
    if checkup.kind != Kind::DataFolder || checkup.read_only {
        return;
    }
    let names = disk.list(journal::FOLDER).unwrap_or_default();
    let Some(last) = names.iter().rfind(|name| name.ends_with(".log")) else {
        return;
    };
    let path = format!("{}/{last}", journal::FOLDER);
    // What can't be read either is told already.
    if let (Ok(_), Err(error)) = (disk.open_read(&path), disk.open(&path)) {
        checkup.found_unwritable(&path, &error);
    }
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
        | Flaw::RolledBack { .. }
        | Flaw::Gone { .. } => true,
        _ => newest.is_none_or(|newest| damage.seq >= newest.seq),
    }
}

/// Looks at every commit.
fn walk(
    disk: &Arc<dyn Disk>,
    id: Option<FolderId>,
    part: &mut JournalPart,
    language: Language,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Walked, JournalError> {
    let report = journal::verify(&**disk, id, None, &mut |progress| {
        tell(progress.segments, progress.of);
    })?;
    part.first = report.first;
    part.commits = Some(report.frames);
    part.head = report.last.map(|mark| mark.to_string());
    let damage = report.damage.iter().take(MAX_TOLD);
    part.damage = damage.map(|one| one.told(language)).collect();
    let whose = id.or(report.folder);
    let newest = whose.and_then(|id| check::Readable::of(&**disk, id).mark());
    let stops = |damage| stops_a_start(damage, newest.as_ref());
    Ok(Walked {
        folder: report.folder,
        starts: report.more == 0 && !report.damage.iter().any(stops),
        unread: report.unread,
    })
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
