//! Secrets that the daemon makes for itself: files in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use upline::vault::system_entropy;

/// Why a secret can't be had.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {why}", path.display())]
pub struct KeyFileError {
    path: PathBuf,
    why: String,
}

impl KeyFileError {
    pub(crate) fn new(path: PathBuf, why: &impl ToString) -> Self {
        let why = why.to_string();
        Self { path, why }
    }
}

/// The secret of this name in the data folder; made if there is none. Without it what was made by it, such as
/// links that were sent, is void.
pub(crate) fn secret(data: &Path, name: &str) -> Result<[u8; 32], KeyFileError> {
    let path = data.join(name);
    let failed = |why: String| KeyFileError {
        path: path.clone(),
        why,
    };
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::info!(
                code = "key-made",
                file = %path.display(),
                "a new secret of the daemon: if there was one before, what was sent with it is void"
            );
            let made = make(&path).and_then(|()| read(&path));
            made.map_err(|error| failed(error.to_string()))?
        }
        other => other.map_err(|error| failed(error.to_string()))?,
    }
    .ok_or_else(|| {
        let why = "it is not what was written: put it back from a backup; or remove it, and what was sent \
                   with it is void";
        failed(why.to_owned())
    })
}

/// `None`: it is there, and no secret.
fn read(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
        other => other?,
    };
    let rights = fs::metadata(path)?.permissions().mode();
    if rights & 0o077 != 0 {
        tracing::warn!(
            code = "key-file",
            file = %path.display(),
            "others could read a secret of the daemon; its rights are put right"
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    let hash = blake3::Hash::from_hex(text.trim_end()).ok();
    Ok(hash.map(|hash| *hash.as_bytes()))
}

/// It has its name only when it is whole and synced; one that is there already stays.
fn make(path: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    system_entropy()(&mut secret)?;
    let draft = path.with_extension("key.new");
    // What a crash has left of one holds nothing.
    let _ = fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    writeln!(file, "{}", blake3::Hash::from_bytes(secret).to_hex())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => (),
    }
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "some.key";

    #[test]
    fn a_secret_is_made_once_and_is_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let one = secret(folder.path(), NAME).unwrap();
        assert_eq!(secret(folder.path(), NAME).unwrap(), one);
        let path = folder.path().join(NAME);
        let rights = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(secret(folder.path(), NAME).unwrap(), one);
        assert_eq!(rights(&path), 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(secret(other.path(), NAME).unwrap(), one);
    }

    #[test]
    fn a_file_that_is_no_secret_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        for wrong in [&b"hello\n"[..], b"", b"\xff\xfe"] {
            fs::write(&path, wrong).unwrap();
            let said = secret(folder.path(), NAME).unwrap_err().to_string();
            assert!(said.contains("remove it") && said.contains(NAME), "{said}");
        }
    }
}
