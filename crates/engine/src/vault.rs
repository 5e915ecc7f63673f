//! The keys under which what is personal is sealed: one a ticket, in a file of their own beside the journal.
//!
//! A journal that is chained can't be changed, so erasing is destroying the key: the chain still verifies,
//! and nobody reads what was sealed. Keys are made and synced many at a time, before they are needed, so that
//! opening a ticket waits for one sync, the journal's.
//!
//! The file is a sequence of slots of [`SLOT_BYTES`] bytes: one byte of state (1: a key; 2: destroyed), 15
//! zeros, the key (32 bytes), the first 16 bytes of the BLAKE3 hash of those 48. Slot 0 is the header: the
//! byte 1, the text `upline keys 1` padded with zeros, the folder's id in the place of the key's first half.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::disk::{Disk, DiskFile};

/// Bytes of a slot in the file.
pub const SLOT_BYTES: usize = 64;
/// How many keys are made at a time.
pub const KEYS_AT_A_TIME: u32 = 4096;
/// The file's name in the data folder.
pub const FILE: &str = "keys";

const KEY_AT: usize = 16;
const CHECK_AT: usize = 48;
const NONCE_BYTES: usize = 24;
const TITLE: &[u8] = b"upline keys 1";
const PRESENT: u8 = 1;
const DESTROYED: u8 = 2;

/// Where random bytes come from: the system, or in a simulation a seed.
pub type Entropy = Arc<dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync>;

/// What went wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk.
    #[error("the file {FILE:?} with the tickets' keys: {0}")]
    Io(#[from] io::Error),
    /// A slot is not what was written.
    #[error(
        "the key in slot {slot} of {FILE:?} is damaged: restore the file from the latest backup"
    )]
    Damaged {
        /// Which.
        slot: u32,
    },
    /// The file belongs to another folder, or is no file of keys.
    #[error(
        "{FILE:?} belongs to another data folder: put back the one that belongs to this journal"
    )]
    Foreign,
    /// There is no such slot.
    #[error("{FILE:?} ends before slot {slot}: restore the file from the latest backup")]
    Missing {
        /// Which.
        slot: u32,
    },
    /// What was sealed does not open with the ticket's key.
    #[error("what was sealed under the key in slot {slot} does not open with it")]
    Sealed {
        /// Which.
        slot: u32,
    },
}

/// The keys of one data folder.
pub struct Vault {
    file: Arc<dyn DiskFile>,
    entropy: Entropy,
    /// How many slots the file has, the header among them. All of them are synced.
    slots: u32,
    /// The next slot that no ticket has.
    next: u32,
    /// No two seals of one folder have the same nonce: random once, then counted.
    nonce: [u8; 16],
    count: AtomicU64,
}

impl Vault {
    /// Begins a folder's keys: done once, when the folder is made.
    ///
    /// # Errors
    /// [`VaultError`].
    pub(crate) fn begin(disk: &dyn Disk, folder: &[u8; 16]) -> Result<(), VaultError> {
        let fresh = format!("{FILE}.new");
        match disk.remove(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => (),
        }
        let file = disk.create(&fresh)?;
        file.write_at(&header(folder), 0)?;
        file.sync()?;
        disk.rename(&fresh, FILE)?;
        Ok(disk.sync_folder("")?)
    }

    /// Opens the folder's keys. [`Vault::go_on`] must be called before a key is taken.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(disk: &dyn Disk, folder: &[u8; 16], entropy: Entropy) -> Result<Self, VaultError> {
        let file = disk.open(FILE)?;
        let mut head = [0; SLOT_BYTES];
        let whole = read(&*file, &mut head, 0)?;
        if !whole || head != header(folder) {
            return Err(VaultError::Foreign);
        }
        let slots = file.len()? / SLOT_BYTES as u64;
        let mut nonce = [0; 16];
        entropy(&mut nonce)?;
        Ok(Self {
            file,
            entropy,
            slots: u32::try_from(slots).unwrap_or(u32::MAX),
            next: u32::MAX,
            nonce,
            count: AtomicU64::new(0),
        })
    }

    /// `next` is the first slot that the journal has not given to a ticket.
    ///
    /// # Errors
    /// [`VaultError::Missing`] if the file ends before that.
    pub fn go_on(&mut self, next: u32) -> Result<(), VaultError> {
        let next = next.max(1);
        if self.slots < next {
            return Err(VaultError::Missing { slot: next - 1 });
        }
        self.next = next;
        self.slots = self.whole_slots()?;
        Ok(())
    }

    /// Of the slots that no ticket has, those that an interrupted making has left whole; the sync makes sure
    /// of them.
    fn whole_slots(&self) -> Result<u32, VaultError> {
        let mut slots = self.next;
        let mut bytes = [0; SLOT_BYTES];
        while slots < self.slots && read(&*self.file, &mut bytes, offset(slots))? {
            let key: [u8; 32] = std::array::from_fn(|at| bytes[KEY_AT + at]);
            if bytes != slot_bytes(PRESENT, &key) {
                break;
            }
            slots += 1;
        }
        self.file.sync()?;
        Ok(slots)
    }

    /// A key for a new ticket: its slot.
    ///
    /// # Errors
    /// [`VaultError`] if new keys had to be made and could not be.
    pub fn take(&mut self) -> Result<u32, VaultError> {
        if self.next == self.slots {
            self.make()?;
        }
        let slot = self.next;
        self.next += 1;
        Ok(slot)
    }

    /// The next slot that no ticket has.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Seals `plain` under the key in `slot`. `about` must be the same at opening. Empty stays empty.
    ///
    /// # Errors
    /// [`VaultError`]; a destroyed key seals nothing, and the answer is empty.
    pub fn seal(&self, slot: u32, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        if plain.is_empty() {
            return Ok(Vec::new());
        }
        let Some(cipher) = self.cipher(slot)? else {
            return Ok(Vec::new());
        };
        let mut nonce = [0; NONCE_BYTES];
        nonce[..16].copy_from_slice(&self.nonce);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        nonce[16..].copy_from_slice(&count.to_le_bytes());
        let payload = Payload {
            msg: plain,
            aad: about,
        };
        let sealed = cipher
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::Sealed { slot })?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(bytes)
    }

    /// Opens what was sealed. `None`: the key was destroyed.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] if it was changed, or sealed under another key or about something else.
    pub fn unseal(
        &self,
        slot: u32,
        about: &[u8],
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError> {
        if sealed.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let Some(cipher) = self.cipher(slot)? else {
            return Ok(None);
        };
        let (nonce, msg) = sealed
            .split_at_checked(NONCE_BYTES)
            .ok_or(VaultError::Sealed { slot })?;
        let payload = Payload { msg, aad: about };
        let plain = cipher.decrypt(XNonce::from_slice(nonce), payload);
        plain.map(Some).map_err(|_| VaultError::Sealed { slot })
    }

    /// Destroys the key, on disk when this returns. What the disk itself keeps of overwritten blocks, and
    /// what backups keep, is out of reach.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn destroy(&self, slot: u32) -> Result<(), VaultError> {
        if slot == 0 || slot >= self.slots {
            return Err(VaultError::Missing { slot });
        }
        let bytes = slot_bytes(DESTROYED, &[0; 32]);
        self.file.write_at(&bytes, offset(slot))?;
        Ok(self.file.sync()?)
    }

    fn cipher(&self, slot: u32) -> Result<Option<XChaCha20Poly1305>, VaultError> {
        if slot == 0 {
            return Err(VaultError::Missing { slot });
        }
        let mut bytes = [0; SLOT_BYTES];
        if !read(&*self.file, &mut bytes, offset(slot))? {
            return Err(VaultError::Missing { slot });
        }
        let key: [u8; 32] = std::array::from_fn(|at| bytes[KEY_AT + at]);
        match bytes[0] {
            state @ (PRESENT | DESTROYED) if bytes == slot_bytes(state, &key) => {
                Ok((state == PRESENT).then(|| XChaCha20Poly1305::new(&key.into())))
            }
            _ => Err(VaultError::Damaged { slot }),
        }
    }

    /// Makes and syncs more keys.
    fn make(&mut self) -> Result<(), VaultError> {
        let mut keys = vec![0; KEYS_AT_A_TIME as usize * 32];
        (self.entropy)(&mut keys)?;
        let mut bytes = Vec::with_capacity(KEYS_AT_A_TIME as usize * SLOT_BYTES);
        for key in keys.as_chunks::<32>().0 {
            bytes.extend(slot_bytes(PRESENT, key));
        }
        self.file.write_at(&bytes, offset(self.slots))?;
        self.file.sync()?;
        self.slots += KEYS_AT_A_TIME;
        Ok(())
    }
}

fn header(folder: &[u8; 16]) -> [u8; SLOT_BYTES] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(folder);
    let mut bytes = slot_bytes(PRESENT, &key);
    bytes[1..=TITLE.len()].copy_from_slice(TITLE);
    bytes
}

fn slot_bytes(state: u8, key: &[u8; 32]) -> [u8; SLOT_BYTES] {
    let mut bytes = [0; SLOT_BYTES];
    bytes[0] = state;
    bytes[KEY_AT..CHECK_AT].copy_from_slice(key);
    let hash = blake3::hash(&bytes[..CHECK_AT]);
    bytes[CHECK_AT..].copy_from_slice(&hash.as_bytes()[..16]);
    bytes
}

fn offset(slot: u32) -> u64 {
    u64::from(slot) * SLOT_BYTES as u64
}

/// Whether the whole buffer was filled.
fn read(file: &dyn DiskFile, buffer: &mut [u8], at: u64) -> io::Result<bool> {
    Ok(file.read_at(buffer, at)? == buffer.len())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU8;

    use super::*;
    use crate::disk::sim::{Keep, SimDisk};

    fn entropy() -> Entropy {
        let next = AtomicU8::new(1);
        Arc::new(move |bytes| {
            bytes.fill_with(|| next.fetch_add(1, Ordering::Relaxed));
            Ok(())
        })
    }

    fn open(disk: &SimDisk, next: u32) -> Result<Vault, VaultError> {
        if disk.open(FILE).is_err() {
            Vault::begin(disk, &[7; 16])?;
        }
        let mut vault = Vault::open(disk, &[7; 16], entropy())?;
        vault.go_on(next)?;
        Ok(vault)
    }

    #[test]
    fn what_is_sealed_opens_under_its_own_key_only() {
        let disk = SimDisk::new(1);
        let mut vault = open(&disk, 0).unwrap();
        let (a, b) = (vault.take().unwrap(), vault.take().unwrap());
        let sealed = vault.seal(a, b"1", b"Mr Low").unwrap();
        assert_eq!(
            vault.unseal(a, b"1", &sealed).unwrap().unwrap(),
            b"Mr Low".to_vec()
        );
        let wrong = [
            vault.unseal(b, b"1", &sealed),
            vault.unseal(a, b"2", &sealed),
        ];
        for wrong in wrong {
            assert!(matches!(wrong, Err(VaultError::Sealed { .. })), "{wrong:?}");
        }
        assert_ne!(sealed, vault.seal(a, b"1", b"Mr Low").unwrap());
        assert_eq!(vault.seal(a, b"1", b"").unwrap(), b"");
    }

    #[test]
    fn a_destroyed_key_opens_nothing_even_after_a_power_cut() {
        let disk = SimDisk::new(1);
        let mut vault = open(&disk, 0).unwrap();
        let slot = vault.take().unwrap();
        let sealed = vault.seal(slot, b"", b"Mr Low").unwrap();
        vault.destroy(slot).unwrap();
        assert_eq!(vault.unseal(slot, b"", &sealed).unwrap(), None);
        let disk = disk.crash(Keep::Nothing);
        let vault = open(&disk, slot + 1).unwrap();
        assert_eq!(vault.unseal(slot, b"", &sealed).unwrap(), None);
    }

    #[test]
    fn a_key_that_was_given_survives_a_power_cut_and_no_slot_is_given_twice() {
        let disk = SimDisk::new(1);
        let mut vault = open(&disk, 0).unwrap();
        let given: Vec<u32> = (0..=KEYS_AT_A_TIME)
            .map(|_| vault.take().unwrap())
            .collect();
        let last = *given.last().unwrap();
        let sealed = vault.seal(last, b"", b"x").unwrap();
        let disk = disk.crash(Keep::Nothing);
        let mut vault = open(&disk, last + 1).unwrap();
        assert_eq!(vault.unseal(last, b"", &sealed).unwrap().unwrap(), b"x");
        assert_eq!(vault.take().unwrap(), last + 1);
    }

    #[test]
    fn another_folder_s_keys_and_missing_and_damaged_ones_are_told() {
        let disk = SimDisk::new(1);
        drop(open(&disk, 0).unwrap());
        let other = Vault::open(&disk, &[8; 16], entropy());
        assert!(matches!(other, Err(VaultError::Foreign)));
        let short = open(&disk, KEYS_AT_A_TIME * 3);
        assert!(matches!(short, Err(VaultError::Missing { .. })));
        let mut vault = open(&disk, 1).unwrap();
        let slot = vault.take().unwrap();
        let file = disk.open(FILE).unwrap();
        file.write_at(&[0xff], offset(slot) + 20).unwrap();
        let damaged = vault.seal(slot, b"", b"x");
        assert!(matches!(damaged, Err(VaultError::Damaged { .. })));
    }
}
