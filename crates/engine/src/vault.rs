//! The keys under which what is personal is sealed: one a ticket, in files of their own beside the journal.
//!
//! A journal that is chained can't be changed, so erasing is destroying the key: the chain still verifies,
//! and nobody reads what was sealed. Keys are made and synced many at a time, before they are needed, so that
//! opening a ticket waits for one sync, the journal's.
//!
//! A file `keys/<number of its first key, 10 digits>` has 1 + [`KEYS_A_FILE`] slots of [`SLOT_BYTES`]
//! bytes: one byte of state (1: a key; 2: destroyed), 15 zeros, the key (32 bytes), the first 16 bytes of the
//! BLAKE3 hash of those 48. The first slot is the header: its key's first half is the folder's id, the other
//! half the number of the file's first key. A file has its name only when it is whole and synced, and is
//! replaced by another one when a key in it is destroyed: a file whose sync has failed is never written
//! again.

#[cfg(feature = "sled")]
pub(crate) mod contacts;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use lru::LruCache;

use crate::disk::{Disk, DiskFile};

/// Bytes of a slot in a file.
pub const SLOT_BYTES: usize = 64;
/// How many keys a file has.
pub const KEYS_A_FILE: u32 = 512;
/// The folder of the files, in the data folder.
pub const FOLDER: &str = "keys";

const KEY_AT: usize = 16;
const CHECK_AT: usize = 48;
const NONCE_BYTES: usize = 24;
const PRESENT: u8 = 1;
const DESTROYED: u8 = 2;
const FILE_BYTES: usize = (1 + KEYS_A_FILE as usize) * SLOT_BYTES;
/// Files whose keys are kept in memory, those used last: of a million tickets, in 34 MB. Reading one costs
/// 50 µs, which is more than a command takes otherwise.
const KEPT_FILES: NonZeroUsize = NonZeroUsize::new(2048).unwrap();

/// Where random bytes come from: the system, or in a simulation a seed.
pub type Entropy = Arc<dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync>;

/// Random bytes of the operating system.
#[must_use]
pub fn system_entropy() -> Entropy {
    Arc::new(|mut bytes| {
        while !bytes.is_empty() {
            let flags = rustix::rand::GetRandomFlags::empty();
            let filled = rustix::rand::getrandom(&mut *bytes, flags)?;
            bytes = &mut bytes[filled..];
        }
        Ok(())
    })
}

/// What went wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk.
    #[error("the tickets' keys: {0}")]
    Io(#[from] io::Error),
    /// A file is not what was written.
    #[error("the file {path:?} with tickets' keys is damaged: restore it from the latest backup")]
    Damaged {
        /// Which.
        path: String,
    },
    /// A file belongs to another folder.
    #[error(
        "{path:?} belongs to another data folder: put back the one that belongs to this journal"
    )]
    Foreign {
        /// Which.
        path: String,
    },
    /// There is no such key.
    #[error("the file {path:?} with tickets' keys is missing: restore it from the latest backup")]
    Missing {
        /// Which.
        path: String,
    },
    /// What was sealed does not open with the ticket's key.
    #[error("what was sealed under key {slot} does not open with it")]
    Sealed {
        /// Which.
        slot: u32,
    },
}

/// The keys of one data folder.
pub struct Vault {
    disk: Arc<dyn Disk>,
    folder: [u8; 16],
    entropy: Entropy,
    /// The next key that no ticket has.
    next: AtomicU32,
    /// Held by whoever changes a file, from reading it to its new name.
    writing: Mutex<()>,
    /// No two seals of one folder have the same nonce: random once, then counted.
    nonce: [u8; 16],
    count: AtomicU64,
    /// By number of the first key.
    files: Mutex<LruCache<u32, Arc<Keys>>>,
}

/// The keys of one file; `None`: destroyed.
type Keys = [Option<[u8; 32]>];

impl Vault {
    /// Opens the folder's keys.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: [u8; 16],
        entropy: Entropy,
    ) -> Result<Self, VaultError> {
        let mut nonce = [0; 16];
        entropy(&mut nonce)?;
        Ok(Self {
            disk,
            folder,
            entropy,
            next: AtomicU32::new(1),
            writing: Mutex::new(()),
            nonce,
            count: AtomicU64::new(0),
            files: Mutex::new(LruCache::new(KEPT_FILES)),
        })
    }

    /// `next` is the first key that the journal has not given to a ticket. Files of which no key was given
    /// are removed: whoever made them may have died of the sync that was to keep them.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn go_on(&mut self, next: u32) -> Result<(), VaultError> {
        let next = next.max(1);
        self.next.store(next, Ordering::Relaxed);
        let names = match self.disk.list(FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let unused = |name: &String| name.parse().is_ok_and(|first: u32| first >= next);
        for name in names.iter().filter(|name| unused(name)) {
            self.disk.remove(&format!("{FOLDER}/{name}"))?;
        }
        Ok(())
    }

    /// A key for a new ticket: its number.
    ///
    /// # Errors
    /// [`VaultError`] if new keys had to be made and could not be.
    pub fn take(&self) -> Result<u32, VaultError> {
        let slot = self.next();
        match self.keys(slot) {
            Err(VaultError::Missing { .. }) if index(slot) == 0 => {
                let _writing = self.writing();
                self.make(slot)?;
            }
            Err(error) => return Err(error),
            Ok(_) => (),
        }
        self.next.store(slot + 1, Ordering::Relaxed);
        Ok(slot)
    }

    /// Looks whether there is room for more keys, before somebody waits for one.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub(crate) fn look_for_room(&self) -> Result<(), VaultError> {
        let _writing = self.writing();
        self.disk.create_folder(FOLDER)?;
        let (file, draft) = self.draft()?;
        let found = file.allocate((1 + u64::from(KEYS_A_FILE)) * SLOT_BYTES as u64);
        self.disk.remove(&draft)?;
        Ok(found?)
    }

    /// The next key that no ticket has.
    pub fn next(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }

    /// Seals `plain` under the key. `about` must be the same at opening. Empty stays empty.
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

    /// Destroys the key, on disk when this returns. What the disk itself keeps of removed files, and what
    /// backups keep, is out of reach.
    ///
    /// # Errors
    /// [`VaultError`]; the key is there or not then, and it can be destroyed again.
    pub fn destroy(&self, slot: u32) -> Result<(), VaultError> {
        let _writing = self.writing();
        let first = first(slot);
        let mut bytes = self.read(first)?;
        let at = (1 + index(slot)) * SLOT_BYTES;
        bytes[at..at + SLOT_BYTES].copy_from_slice(&slot_bytes(DESTROYED, &[0; 32]));
        // Zeros over the old key first, so that the removed file's blocks don't have it.
        let old = self.disk.open(&path(first))?;
        old.write_at(&bytes[at..at + SLOT_BYTES], at as u64)?;
        old.sync()?;
        self.put(first, &bytes)
    }

    /// Destroys the keys before `next` but those that are needed, which are sorted. A file with a key that
    /// was not destroyed yet is written twice, as [`Vault::destroy`] does it, and the others are only read.
    /// Between two files it is looked whether to stop: then some are destroyed and some are not.
    ///
    /// # Errors
    /// [`VaultError`]; what is not done can be done again.
    pub(crate) fn destroy_but(
        &self,
        needed: &[u32],
        next: u32,
        stop: &AtomicBool,
    ) -> Result<(), VaultError> {
        for first in (1..next).step_by(KEYS_A_FILE as usize) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let _writing = self.writing();
            let mut bytes = self.read(first)?;
            let mut changed = false;
            for slot in first..next.min(first.saturating_add(KEYS_A_FILE)) {
                let at = (1 + index(slot)) * SLOT_BYTES;
                if bytes[at] == PRESENT && needed.binary_search(&slot).is_err() {
                    bytes[at..at + SLOT_BYTES].copy_from_slice(&slot_bytes(DESTROYED, &[0; 32]));
                    changed = true;
                }
            }
            if changed {
                let old = self.disk.open(&path(first))?;
                old.write_at(&bytes, 0)?;
                old.sync()?;
                self.put(first, &bytes)?;
            }
        }
        Ok(())
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cipher(&self, slot: u32) -> Result<Option<XChaCha20Poly1305>, VaultError> {
        let key = self.keys(slot)?[index(slot)];
        Ok(key.map(|key| XChaCha20Poly1305::new(&key.into())))
    }

    /// The keys of the file that has this one.
    fn keys(&self, slot: u32) -> Result<Arc<Keys>, VaultError> {
        let first = first(slot);
        if let Some(keys) = self.files().get(&first) {
            return Ok(Arc::clone(keys));
        }
        // Not while a file is written over.
        let _writing = self.writing();
        let keys = keys_of(&self.read(first)?);
        self.files().put(first, Arc::clone(&keys));
        Ok(keys)
    }

    fn files(&self) -> MutexGuard<'_, LruCache<u32, Arc<Keys>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a file, checked.
    fn read(&self, first: u32) -> Result<Vec<u8>, VaultError> {
        read(&*self.disk, self.folder, first)
    }

    /// Makes the file of which this is the first key.
    fn make(&self, first: u32) -> Result<(), VaultError> {
        let mut keys = vec![0; KEYS_A_FILE as usize * 32];
        (self.entropy)(&mut keys)?;
        let mut bytes = header(self.folder, first).to_vec();
        for key in keys.as_chunks::<32>().0 {
            bytes.extend(slot_bytes(PRESENT, key));
        }
        self.put(first, &bytes)
    }

    /// An empty file that has no name of its own yet.
    fn draft(&self) -> io::Result<(Arc<dyn DiskFile>, String)> {
        let draft = format!("{FOLDER}/draft");
        match self.disk.remove(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        Ok((self.disk.create(&draft)?, draft))
    }

    /// Writes a file, and puts it in place when it is on disk.
    fn put(&self, first: u32, bytes: &[u8]) -> Result<(), VaultError> {
        self.disk.create_folder(FOLDER)?;
        self.disk.sync_folder("")?;
        let (file, draft) = self.draft()?;
        file.write_at(bytes, 0)?;
        file.sync()?;
        self.disk.rename(&draft, &path(first))?;
        self.disk.sync_folder(FOLDER)?;
        self.files().put(first, keys_of(bytes));
        Ok(())
    }
}

/// A file and what is wrong with it.
type Wrong = (String, VaultError);

/// How many files with keys there are, and what is wrong with which. Up to the key `last` all must be there.
pub(crate) fn examine(
    disk: &dyn Disk,
    folder: [u8; 16],
    last: u32,
) -> io::Result<(u64, Vec<Wrong>)> {
    let names = match disk.list(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let there: BTreeSet<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let last = there.last().map_or(last, |newest| last.max(*newest));
    let needed = (1..=last).step_by(KEYS_A_FILE as usize);
    let all: BTreeSet<u32> = needed.chain(there.iter().copied()).collect();
    let wrong = |first| Some((path(first), read(disk, folder, first).err()?));
    let wrong = all.into_iter().filter_map(wrong);
    Ok((there.len() as u64, wrong.collect()))
}

fn read(disk: &dyn Disk, folder: [u8; 16], first: u32) -> Result<Vec<u8>, VaultError> {
    let path = path(first);
    let file = disk.open_read(&path);
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => VaultError::Missing { path: path.clone() },
        _ => error.into(),
    })?;
    let mut bytes = vec![0; FILE_BYTES];
    if file.read_at(&mut bytes, 0)? != FILE_BYTES || !bytes.chunks(SLOT_BYTES).all(is_whole) {
        return Err(VaultError::Damaged { path });
    }
    if bytes[..SLOT_BYTES] != header(folder, first) {
        return Err(VaultError::Foreign { path });
    }
    Ok(bytes)
}

fn header(folder: [u8; 16], first: u32) -> [u8; SLOT_BYTES] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&folder);
    key[16..20].copy_from_slice(&first.to_le_bytes());
    slot_bytes(PRESENT, &key)
}

/// The first key of the file that has this one. There is no key 0: it is sought in the first file's header.
fn first(slot: u32) -> u32 {
    (slot.max(1) - 1) / KEYS_A_FILE * KEYS_A_FILE + 1
}

/// Which of its file's keys it is.
fn index(slot: u32) -> usize {
    ((slot.max(1) - 1) % KEYS_A_FILE) as usize
}

/// The keys of a file that is whole.
fn keys_of(bytes: &[u8]) -> Arc<Keys> {
    let slots = bytes.chunks_exact(SLOT_BYTES).skip(1);
    let key = |slot: &[u8]| std::array::from_fn(|byte| slot[KEY_AT + byte]);
    slots
        .map(|slot| (slot[0] == PRESENT).then(|| key(slot)))
        .collect()
}

fn path(first: u32) -> String {
    format!("{FOLDER}/{first:010}")
}

fn slot_bytes(state: u8, key: &[u8; 32]) -> [u8; SLOT_BYTES] {
    let mut bytes = [0; SLOT_BYTES];
    bytes[0] = state;
    bytes[KEY_AT..CHECK_AT].copy_from_slice(key);
    let hash = blake3::hash(&bytes[..CHECK_AT]);
    bytes[CHECK_AT..].copy_from_slice(&hash.as_bytes()[..16]);
    bytes
}

fn is_whole(slot: &[u8]) -> bool {
    let key: [u8; 32] = std::array::from_fn(|byte| slot[KEY_AT + byte]);
    matches!(slot[0], PRESENT | DESTROYED) && *slot == slot_bytes(slot[0], &key)
}
