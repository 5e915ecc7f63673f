//! How far a mailbox on a server was taken.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use upline::core::Name;

/// How far it was taken. What it says is on disk.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    validity: u32,
    last: Option<u32>,
}

impl Place {
    /// What the data folder says of this mailbox; nothing, if the server has numbered its mails anew.
    pub(super) fn read(data: &Path, mailbox: &Name, validity: u32) -> Result<Self, String> {
        let path = data.join(format!("mailbox.{mailbox}"));
        let last = match fs::read_to_string(&path) {
            Ok(text) => last(&text, validity),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("`{}`: {error}", path.display())),
        };
        if last.is_none() {
            tracing::info!(
                code = "mailbox-new",
                mailbox = %mailbox,
                "it is not known how far this mailbox was taken: its unseen mails are"
            );
        }
        Ok(Self {
            path,
            validity,
            last,
        })
    }

    /// The last mail that was taken.
    pub(super) fn last(&self) -> Option<u32> {
        self.last
    }

    /// All mails up to this one need not be looked at any more.
    pub(super) fn passed(&mut self, uid: u32) -> Result<(), String> {
        if self.last.is_some_and(|last| uid <= last) {
            return Ok(());
        }
        // What stands behind the dot is the mailbox's name: each has a file of its own beside it.
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let text = format!("{} {uid}\n", self.validity);
        let written = fs::File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        });
        written.map_err(|error| format!("`{}`: {error}", self.path.display()))?;
        self.last = Some(uid);
        Ok(())
    }
}

fn last(text: &str, validity: u32) -> Option<u32> {
    let (known, last) = text.trim().split_once(' ')?;
    let same = known.parse::<u32>().ok()? == validity;
    last.parse().ok().filter(|_| same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_was_unless_the_server_numbers_anew() {
        let data = tempfile::tempdir().unwrap();
        let name = Name::from("desk");
        let read = |validity| Place::read(data.path(), &name, validity).unwrap();
        let mut place = read(7);
        assert_eq!(place.last(), None);
        place.passed(41).unwrap();
        place.passed(40).unwrap();
        assert_eq!(read(7).last(), Some(41), "never back");
        assert_eq!(read(8).last(), None);
        // Another mailbox that is at the same moment half way writes elsewhere.
        fs::create_dir(data.path().join("mailbox.new")).unwrap();
        place.passed(42).unwrap();
        assert_eq!(read(7).last(), Some(42));
        fs::write(data.path().join("mailbox.desk"), "what is this").unwrap();
        assert_eq!(read(7).last(), None);
    }
}
