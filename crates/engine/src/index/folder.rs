//! Opening, checking, setting aside.

use std::fs;
use std::io;
use std::ops::{Bound, ControlFlow};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::keys::{Key, kind};
use super::tree::{Failure, LOCKED, Tree};
use super::{Built, Index, IndexError, Open, value};
use crate::journal::{JournalError, JournalReader, Mark};
use crate::vault::contacts::Secret;
use crate::vault::{VaultError, system_entropy};

/// How many folders that were set aside are kept, for whoever wants to know what has happened to them.
pub const KEPT_ASIDE: usize = 2;

/// What opening has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The last commit that is in it; `None`: it is empty, and will be built from the journal.
    pub mark: Option<Mark>,
    /// The folder that could not be used, if there was one.
    pub set_aside: Option<SetAside>,
}

/// A folder that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// Where it is now.
    pub folder: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

impl Index {
    /// Opens the folder, or makes it, and checks everything in it: some seconds for a million tickets, some
    /// of which [`IndexHandle::state`](super::IndexHandle::state) can tell meanwhile. One that can't be
    /// used, or that belongs to another journal, is set aside, and an empty one takes its place.
    ///
    /// # Errors
    /// [`IndexError::Io`]; [`IndexError::Trimmed`] and [`IndexError::Journal`] if it can't go on from the
    /// journal.
    pub fn open(&self, reader: &JournalReader) -> Result<Opened, IndexError> {
        let _writer = self.writer();
        // Also because sled has the folder locked.
        let known = self.close();
        let mut set_aside = None;
        let tried = match known {
            Some(Failure::Broken(why)) => Err(IndexError::Broken(why)),
            Some(Failure::Io(..)) | None => self.try_open(reader, LOCKED, true),
        };
        let open = match tried {
            Err(IndexError::Broken(why)) => {
                set_aside = self.set_aside(why)?;
                // What stands in the one that was set aside is of no use without it.
                make_secret(reader)?;
                self.try_open(reader, LOCKED, true)?
            }
            other => other?,
        };
        let mark = open.built.mark;
        let mut slot = self.slot_to_write();
        self.shared.generation.fetch_add(1, Ordering::Release);
        *slot = Some(open);
        drop(slot);
        Ok(Opened { mark, set_aside })
    }

    /// Opens the folder as it is, and checks everything in it: nothing is made, set aside or built.
    ///
    /// # Errors
    /// [`IndexError::Broken`] if it is damaged or is not there, and as [`Index::open`].
    pub fn open_as_it_is(&self, reader: &JournalReader) -> Result<Option<Mark>, IndexError> {
        let _writer = self.writer();
        if !self.shared.folder.join("db").exists() {
            return Err(IndexError::Broken("its file `db` is not there".to_owned()));
        }
        self.close();
        let open = self.try_open(reader, Duration::ZERO, false)?;
        let mark = open.built.mark;
        self.shared.generation.fetch_add(1, Ordering::Release);
        *self.slot_to_write() = Some(open);
        Ok(mark)
    }

    /// Closes it, and says what had failed.
    pub(super) fn close(&self) -> Option<Failure> {
        let open = self.slot_to_write().take();
        open.and_then(|open| open.tree.sound().err())
    }

    /// Only `to_build` it a secret is made where there is none.
    fn try_open(
        &self,
        reader: &JournalReader,
        wait: Duration,
        to_build: bool,
    ) -> Result<Open, IndexError> {
        let cache = self.shared.options.cache_bytes;
        let tree = Tree::open(&self.shared.folder, cache, wait)?;
        let secret = Secret::read(&**reader.disk(), reader.folder().0);
        let secret = secret.map_err(|error| unmade(error.into()))?;
        let known = read_built(&tree)?;
        let secret = match secret {
            None if to_build && known.is_none() => Some(make_secret(reader)?),
            other => other,
        };
        let built = match known {
            Some(built) => built,
            None => Built {
                secret: secret.as_ref().map(Secret::id).unwrap_or_default(),
                folder: reader.folder(),
                mark: None,
                entries: 0,
                at: 0,
                sum: 0,
                pairs: 0,
            },
        };
        self.check(&tree, &built)?;
        is_of_this_journal(&tree, &built, reader)?;
        match secret.filter(|secret| secret.id() == built.secret) {
            Some(secret) => Ok(Open {
                tree,
                built,
                secret,
            }),
            None => {
                let why = "the secret that its contacts were marked with is not there";
                Err(tree.condemn(why.to_owned()).into())
            }
        }
    }

    /// Reads everything and adds it up.
    fn check(&self, tree: &Tree, built: &Built) -> Result<(), IndexError> {
        let shared = &self.shared;
        shared.to_check.store(built.pairs, Ordering::Relaxed);
        shared.checked.store(0, Ordering::Relaxed);
        let (mut sum, mut pairs, mut wrong) = (0_u128, 0_u64, None);
        let mut stopped = false;
        tree.scan(
            (Bound::Unbounded, Bound::Unbounded),
            false,
            &mut |key, value| {
                if key.first() == Some(&kind::BUILT) {
                    return ControlFlow::Continue(());
                }
                match hash_of(key, value) {
                    Ok(hash) => sum = sum.wrapping_add(hash),
                    Err(failure) => {
                        wrong = Some(failure);
                        return ControlFlow::Break(());
                    }
                }
                pairs += 1;
                shared.checked.store(pairs, Ordering::Relaxed);
                stopped = shared.stop.load(Ordering::Relaxed);
                match stopped {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            },
        )?;
        let why = match wrong {
            Some(Failure::Broken(why)) => why,
            Some(other) => return Err(other.into()),
            None if stopped => return Err(IndexError::Stopped),
            None if (sum, pairs) == (built.sum, built.pairs) => return Ok(()),
            None => format!(
                "it has {pairs} keys and should have {}, or not all that they hold is of one time",
                built.pairs
            ),
        };
        Err(tree.condemn(why).into())
    }

    /// Gives the folder another name, and removes the oldest of such. `None`: there was none.
    fn set_aside(&self, why: String) -> Result<Option<SetAside>, IndexError> {
        let failed = |error: io::Error| IndexError::Io {
            kind: error.kind(),
            why: format!("setting the index aside: {error}"),
        };
        let folder = &self.shared.folder;
        let mut kept = kept_aside(folder).map_err(failed)?;
        let next = kept.last().map_or(1, |(number, _)| number + 1);
        let aside = aside(folder, next);
        match fs::rename(folder, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        }
        kept.push((next, aside.clone()));
        let too_many = kept.len().saturating_sub(KEPT_ASIDE);
        for (_, old) in kept.iter().take(too_many) {
            fs::remove_dir_all(old).map_err(failed)?;
        }
        Ok(Some(SetAside { folder: aside, why }))
    }

    /// Removes the folders that were set aside: their room is needed.
    pub(super) fn remove_set_aside(&self) -> io::Result<()> {
        for (_, old) in kept_aside(&self.shared.folder)? {
            fs::remove_dir_all(old)?;
        }
        Ok(())
    }
}

/// A new secret for contacts, in place of the one that there is.
fn make_secret(reader: &JournalReader) -> Result<Secret, IndexError> {
    let folder = reader.folder().0;
    Secret::make(&**reader.disk(), folder, &system_entropy()).map_err(unmade)
}

fn unmade(error: VaultError) -> IndexError {
    match error {
        VaultError::Io(error) => IndexError::Io {
            kind: error.kind(),
            why: format!("the secret for contacts: {error}"),
        },
        other => IndexError::Keys(other.to_string()),
    }
}

/// The hash of a key and what it holds, for the sum.
pub(super) fn hash_of(key: &[u8], value: &[u8]) -> Result<u128, Failure> {
    match value.is_empty() {
        true => Ok(value::hash(key, &[])),
        false => Ok(value::open(key, value)?.1),
    }
}

fn read_built(tree: &Tree) -> Result<Option<Built>, Failure> {
    let key = Key::built().0;
    let Some(bytes) = tree.get(&key)? else {
        return Ok(None);
    };
    let built = value::open(&key, &bytes).and_then(|(content, _)| {
        let built = postcard::from_bytes(content);
        built.map_err(|error| Failure::Broken(format!("how far it is built: {error}")))
    });
    match built {
        Ok(built) => Ok(Some(built)),
        Err(Failure::Broken(why)) => Err(tree.condemn(why)),
        Err(other) => Err(other),
    }
}

/// Whether what is in it comes from this journal, and the journal goes on from there.
fn is_of_this_journal(
    tree: &Tree,
    built: &Built,
    reader: &JournalReader,
) -> Result<(), IndexError> {
    let base = reader.base();
    let begun = base.map_or(1, |base| base.mark.seq + 1);
    let needed = built.mark.map_or(begun, |mark| mark.seq + 1);
    let oldest = reader.oldest().map_or(1, |(oldest, _)| oldest);
    let foreign = |why: &str| Err(IndexError::from(tree.condemn(why.to_owned())));
    if built.folder != reader.folder() {
        return foreign("it is the index of another data folder");
    }
    if let Some(mark) = built.mark
        && mark.seq >= oldest
    {
        match reader.read(mark.position) {
            Ok(frame) if frame.mark == mark => (),
            Ok(_) | Err(JournalError::NotYet { .. }) => {
                return foreign("the journal was put back to an older state since it was built");
            }
            Err(error) => return Err(error.into()),
        }
    }
    match needed < oldest {
        true if base.is_some() => foreign("the commits that it needs next were removed"),
        true => Err(IndexError::Trimmed { needed, oldest }),
        false => Ok(()),
    }
}

fn aside(folder: &Path, number: u64) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".broken-{number}"));
    folder.with_file_name(name)
}

/// The folders that were set aside, oldest first.
fn kept_aside(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let Some(parent) = folder.parent() else {
        return Ok(Vec::new());
    };
    let mut kept = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let number = path.extension().and_then(|end| end.to_str());
        let number = number.and_then(|end| end.strip_prefix("broken-")?.parse().ok());
        if let Some(number) = number
            && path == aside(folder, number)
        {
            kept.push((number, path));
        }
    }
    kept.sort();
    Ok(kept)
}
