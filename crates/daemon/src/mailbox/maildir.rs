//! A folder in the form of Maildir: `new`, `cur` and `tmp`, a file a mail.
//!
//! A mail lies in `new` until it is taken, and in `cur` afterwards, marked as seen. What is put aside is in
//! the Maildir `.upline-refused` in it, as new. Nothing is ever removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::mail::MAX_MAIL_BYTES;
use super::room::{Outcome, Room};

/// The Maildir in it with what was put aside; on a server, the folder and the flag.
pub(super) const REFUSED: &str = "upline-refused";

/// Most mails of one look; the others come with the next.
const MAX_AT_ONCE: usize = 1000;

/// A file of `new`.
enum Found {
    Mail(Vec<u8>),
    TooLarge(u64),
    /// Not a file that could be read; it is left alone.
    Odd(String),
}

/// Takes what is new.
///
/// # Errors
/// Why mail waits, as a line for the operator.
pub(super) async fn look(
    room: &Room,
    folder: &Path,
    stop: &watch::Receiver<bool>,
) -> Result<(), String> {
    let mut waits = None;
    for path in blocking(folder, list).await? {
        if *stop.borrow() {
            break;
        }
        let outcome = match blocking(&path, read).await {
            Ok(Found::Mail(bytes)) => room.take(bytes).await,
            Ok(Found::TooLarge(bytes)) => {
                let why = format!("it has {bytes} bytes, and at most {MAX_MAIL_BYTES} are read");
                room.aside(None, why)
            }
            Ok(Found::Odd(why)) | Err(why) => {
                // The others go on.
                waits = Some(format!("`{}`: {why}", path.display()));
                continue;
            }
        };
        match outcome {
            Outcome::Taken => blocking(&path, taken).await?,
            Outcome::Aside(_) => blocking(&path, refused).await?,
            Outcome::Later(why) => return Err(why),
        }
    }
    waits.map_or(Ok(()), Err)
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let path = path.to_owned();
    let done =
        tokio::task::spawn_blocking(move || work(&path).map_err(|error| told(&path, &error)));
    done.await.unwrap_or_else(|_| Err("stopped".to_owned()))
}

/// What the operator must know of an error.
fn told(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "`{shown}`: {error}: the user that the daemon runs as must own this mailbox, or be able to \
             write in it"
        ),
        _ => format!("`{shown}`: {error}"),
    }
}

/// The files of `new`, by name: those of one sender are in the order in which they came.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    for part in ["new", "cur"] {
        // That it may not be looked into is another thing than that it is not there.
        let is_there = match fs::metadata(folder.join(part)) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(_) => false,
        };
        if !is_there {
            let why = format!("it is no mailbox: it has no folder `{part}`");
            return Err(io::Error::other(why));
        }
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder.join("new"))? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    paths.truncate(MAX_AT_ONCE);
    Ok(paths)
}

fn read(path: &Path) -> io::Result<Found> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Ok(Found::Odd("it is no file".to_owned()));
    }
    let limit = u64::try_from(MAX_MAIL_BYTES).unwrap_or(u64::MAX);
    match metadata.len() > limit {
        true => Ok(Found::TooLarge(metadata.len())),
        false => fs::read(path).map(Found::Mail),
    }
}

fn taken(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().and_then(Path::parent) else {
        return Ok(());
    };
    put(path, &folder.join("cur"), ":2,S")
}

fn refused(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().and_then(Path::parent) else {
        return Ok(());
    };
    let aside = folder.join(format!(".{REFUSED}"));
    for part in ["tmp", "cur", "new"] {
        fs::create_dir_all(aside.join(part))?;
    }
    put(path, &aside.join("new"), "")
}

/// Moves a file, never onto another one.
fn put(path: &Path, to: &Path, flags: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split(":2,").next().unwrap_or_default().to_owned();
    let mut target = to.join(format!("{name}{flags}"));
    let mut other = 0_u32;
    while target.exists() {
        other += 1;
        target = to.join(format!("{name}.{other}{flags}"));
    }
    fs::rename(path, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_of_somebody_else_is_no_missing_one() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let said = told(Path::new("/var/mail/desk"), &denied);
        assert!(said.contains("must own this mailbox"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        let missing = list(folder.path()).unwrap_err();
        assert!(
            missing.to_string().contains("it has no folder `new`"),
            "{missing}"
        );
        for part in ["new", "cur"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        assert_eq!(list(folder.path()).unwrap(), [""; 0].map(PathBuf::from));
    }
}
