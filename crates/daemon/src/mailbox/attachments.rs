//! Files that came with mails: kept under the hash of what is in them, so that the same file is there once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::mail::{Attachment, Mail};
use crate::tell::Language;
use crate::thread::hex;

/// Bytes of a file's hash in its name.
const NAME_BYTES: usize = 16;

/// The lines that say what came with a mail and where it is; none, if nothing came.
pub(crate) fn lines(mail: &Mail, folder: Option<&Path>, language: Language) -> Vec<String> {
    let line = |file: &Attachment| match folder {
        Some(_) => language.kept(&file.name, file.bytes.len(), &name(&file.bytes)),
        None => language.left_out(&file.name, file.bytes.len()),
    };
    let mut lines: Vec<String> = mail.attachments.iter().map(line).collect();
    if mail.more_attachments > 0 {
        lines.push(language.more_left_out(mail.more_attachments));
    }
    lines
}

/// Writes them into the folder, for good when this returns. One that is there already is left as it is.
///
/// # Errors
/// If one can't be written: the mail waits until it can.
pub(crate) fn keep(attachments: &[Attachment], folder: &Path) -> io::Result<()> {
    if attachments.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    for attachment in attachments {
        let path = folder.join(name(&attachment.bytes));
        if path.exists() {
            continue;
        }
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o640);
        let mut file = options.open(&new)?;
        file.write_all(&attachment.bytes)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
    }
    fs::File::open(folder)?.sync_all()
}

/// No letter of it was written by whoever sent the file.
fn name(bytes: &[u8]) -> String {
    let hash = blake3::hash(bytes);
    hex(hash.as_bytes().split_at(NAME_BYTES).0)
}
