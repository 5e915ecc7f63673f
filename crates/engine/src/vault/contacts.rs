//! The secret by which an index finds tickets under the contacts in their fields without having these: it
//! keeps a mark of each, which is a hash that nobody can make, or guess from, without the secret.
//!
//! The file `keys/contacts` has two slots as the files of keys have them: the header, in which the number of
//! the first key is 0, and the secret. It belongs to the index and not to the tickets: lost or damaged it is
//! made anew, with the index. When an index is set aside its secret goes: its marks are of no use then.

use std::io;

use super::{FOLDER, KEY_AT, PRESENT, SLOT_BYTES, VaultError, header, is_whole, slot_bytes};
use crate::disk::Disk;
use crate::vault::Entropy;

/// The file.
pub(crate) const FILE: &str = "keys/contacts";
const DRAFT: &str = "keys/contacts.new";
const BYTES: usize = 2 * SLOT_BYTES;

/// What stands for a contact: the same for all its spellings.
pub(crate) type ContactMark = [u8; 16];

/// The secret.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// Reads it. `None`: there is none, or it is damaged or another folder's.
    pub(crate) fn read(disk: &dyn Disk, folder: [u8; 16]) -> io::Result<Option<Self>> {
        let file = match disk.open_read(FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut bytes = [0; BYTES];
        let is_long_enough = file.read_at(&mut bytes, 0)? == BYTES;
        let (first, slot) = bytes.split_at(SLOT_BYTES);
        let is_ours = first == header(folder, 0) && is_whole(slot) && slot[0] == PRESENT;
        let secret = std::array::from_fn(|byte| slot[KEY_AT + byte]);
        Ok((is_long_enough && is_ours).then_some(Self(secret)))
    }

    /// Makes a new one, in place of what is there: that is gone for good.
    pub(crate) fn make(
        disk: &dyn Disk,
        folder: [u8; 16],
        entropy: &Entropy,
    ) -> Result<Self, VaultError> {
        disk.create_folder(FOLDER)?;
        disk.sync_folder("")?;
        let mut secret = [0; 32];
        entropy(&mut secret)?;
        // Zeros over the old one first, so that the removed file's blocks don't have it.
        match disk.open(FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            other => {
                let old = other?;
                old.write_at(&[0; BYTES], 0)?;
                old.sync()?;
            }
        }
        match disk.remove(DRAFT) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => (),
        }
        let draft = disk.create(DRAFT)?;
        draft.write_at(&header(folder, 0), 0)?;
        draft.write_at(&slot_bytes(PRESENT, &secret), SLOT_BYTES as u64)?;
        draft.sync()?;
        disk.rename(DRAFT, FILE)?;
        disk.sync_folder(FOLDER)?;
        Ok(Self(secret))
    }

    /// The mark of what a contact is compared by.
    pub(crate) fn mark(&self, comparable: &str) -> ContactMark {
        let hash = blake3::keyed_hash(&self.0, comparable.as_bytes());
        std::array::from_fn(|byte| hash.as_bytes()[byte])
    }

    /// Which one it is: the mark of nothing, which no contact is.
    pub(crate) fn id(&self) -> ContactMark {
        self.mark("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::sim::{Keep, SimDisk};
    use crate::kit::entropy;

    #[test]
    fn a_secret_survives_and_a_new_one_leaves_nothing_of_it() {
        let disk = SimDisk::new(1);
        assert!(Secret::read(&disk, [7; 16]).unwrap().is_none());
        let made = Secret::make(&disk, [7; 16], &entropy(3)).unwrap();
        let disk = disk.crash(Keep::Nothing);
        let read = Secret::read(&disk, [7; 16]).unwrap().unwrap();
        assert_eq!(read.mark("low@example.com"), made.mark("low@example.com"));
        assert_ne!(read.mark("low@example.com"), read.mark("low@example.co"));
        assert!(Secret::read(&disk, [8; 16]).unwrap().is_none(), "foreign");
        let next = Secret::make(&disk, [7; 16], &entropy(4)).unwrap();
        assert_ne!(next.id(), made.id());
        let disk = disk.crash(Keep::Nothing);
        let bytes = disk.contents(FILE).unwrap();
        assert!(!bytes.windows(32).any(|at| at == made.0));
        assert!(disk.flip(FILE, 90, 1));
        assert!(Secret::read(&disk, [7; 16]).unwrap().is_none(), "damaged");
    }
}
