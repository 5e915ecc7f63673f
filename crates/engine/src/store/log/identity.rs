//! Whose folder it is: a small text file that a person can read too.

use std::io;

use super::io as failed;
use crate::disk::Disk;
use crate::journal::FolderId;
use crate::store::StoreError;
use crate::vault::Entropy;

/// The format of a data folder that this program writes.
pub const FORMAT: u32 = 1;

pub(crate) const FILE: &str = "folder";
const TITLE: &str = "upline data folder";
/// More than such a file has.
const MAX_BYTES: usize = 4096;

/// Reads the identity of a folder that has one.
pub(crate) fn read(disk: &dyn Disk) -> Result<FolderId, StoreError> {
    let file = disk.open_read(FILE).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            StoreError::Format(format!("this is no data folder: it has no file {FILE:?}"))
        }
        _ => failed("reading whose data folder it is")(error),
    })?;
    let mut bytes = vec![0; MAX_BYTES];
    let read = file.read_at(&mut bytes, 0);
    let read = read.map_err(failed("reading whose data folder it is"))?;
    parse(&bytes[..read])
}

/// Reads the folder's identity. An empty folder becomes a data folder.
pub(super) fn read_or_begin(disk: &dyn Disk, entropy: &Entropy) -> Result<FolderId, StoreError> {
    match disk.open_read(FILE) {
        Ok(_) => read(disk),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let names = disk.list("");
            let names = names.map_err(failed("looking into the data folder"))?;
            // A link to where nothing is: whose folder it is may be on a disk that is not mounted.
            match names.iter().any(|name| name == FILE) {
                true => Err(failed("reading whose data folder it is")(error)),
                false => begin(disk, entropy),
            }
        }
        Err(error) => Err(failed("reading whose data folder it is")(error)),
    }
}

/// The format that a folder says it has, whether this program knows it or not.
pub(crate) fn format(disk: &dyn Disk) -> Option<u32> {
    let mut bytes = vec![0; MAX_BYTES];
    let read = disk.open_read(FILE).ok()?.read_at(&mut bytes, 0).ok()?;
    format_in(std::str::from_utf8(&bytes[..read]).ok()?)
}

fn format_in(text: &str) -> Option<u32> {
    let format = text.lines().next()?.strip_prefix(TITLE)?;
    format.trim().parse().ok()
}

fn parse(bytes: &[u8]) -> Result<FolderId, StoreError> {
    let foreign = || StoreError::Format(format!("the file {FILE:?} is not of a data folder"));
    let text = std::str::from_utf8(bytes).map_err(|_| foreign())?;
    let mut lines = text.lines().skip(1);
    let format = format_in(text).ok_or_else(foreign)?;
    if format != FORMAT {
        return Err(StoreError::Format(format!(
            "the data folder has format {format}, and this program knows {FORMAT}: use the program that \
             wrote it"
        )));
    }
    let id = lines.next().unwrap_or_default();
    let digits: Vec<u8> = (0..id.len() / 2)
        .filter_map(|at| u8::from_str_radix(id.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    let id = <[u8; 16]>::try_from(digits).map_err(|_| foreign())?;
    Ok(FolderId(id))
}

/// A folder that is neither ours nor empty is left as it is.
pub(super) fn refuse_foreign(disk: &dyn Disk) -> Result<(), StoreError> {
    let known = |name: &String| name == "lock" || name == "folder.new";
    let names = disk.list("");
    let names = names.map_err(failed("looking into the data folder"))?;
    if names.iter().any(|name| name == FILE) {
        return Ok(());
    }
    match names.iter().find(|name| !known(name)) {
        Some(other) => Err(StoreError::Format(format!(
            "the folder has no file {FILE:?} but has {other:?}: a data folder begins empty, and one that \
             was in use is restored from a backup"
        ))),
        None => Ok(()),
    }
}

fn begin(disk: &dyn Disk, entropy: &Entropy) -> Result<FolderId, StoreError> {
    let failed = failed("beginning a data folder");
    refuse_foreign(disk)?;
    let mut id = [0; 16];
    entropy(&mut id).map_err(&failed)?;
    let id = FolderId(id);
    let fresh = format!("{FILE}.new");
    match disk.remove(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => (),
    }
    let file = disk.create(&fresh).map_err(&failed)?;
    let text = format!("{TITLE} {FORMAT}\n{id}\n");
    file.write_at(text.as_bytes(), 0).map_err(&failed)?;
    file.sync().map_err(&failed)?;
    disk.rename(&fresh, FILE).map_err(&failed)?;
    disk.sync_folder("").map_err(&failed)?;
    Ok(id)
}
