//! The secret from which the tokens' keys are made: a file in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use upline::vault::system_entropy;

/// The file, in the data folder. A backup need not have it: without it the links that were sent are void.
pub const SECRET_FILE: &str = "links.key";

/// Why there can be no links.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {why}", path.display())]
pub struct LinksError {
    path: PathBuf,
    why: String,
}

impl LinksError {
    pub(super) fn new(path: PathBuf, why: &impl ToString) -> Self {
        let why = why.to_string();
        Self { path, why }
    }
}

/// The secret of this folder; made if there is none.
pub(super) fn secret(data: &Path) -> Result<[u8; 32], LinksError> {
    let path = data.join(SECRET_FILE);
    let failed = |why: String| LinksError {
        path: path.clone(),
        why,
    };
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path)
            .and_then(|()| read(&path))
            .map_err(|error| failed(error.to_string()))?,
        other => other.map_err(|error| failed(error.to_string()))?,
    }
    .ok_or_else(|| {
        let why = "it is not what was written: remove it, and links that were sent are void";
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
            code = "links-key",
            "others could read the secret of the links; its rights are put right"
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

    #[test]
    fn a_secret_is_made_once_and_is_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let one = secret(folder.path()).unwrap();
        assert_eq!(secret(folder.path()).unwrap(), one);
        let path = folder.path().join(SECRET_FILE);
        let rights = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(secret(folder.path()).unwrap(), one);
        assert_eq!(rights(&path), 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(secret(other.path()).unwrap(), one);
    }

    #[test]
    fn a_file_that_is_no_secret_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SECRET_FILE);
        for wrong in [&b"hello\n"[..], b"", b"\xff\xfe"] {
            fs::write(&path, wrong).unwrap();
            let said = secret(folder.path()).unwrap_err().to_string();
            assert!(
                said.contains("remove it") && said.contains(SECRET_FILE),
                "{said}"
            );
        }
    }
}
