//! The rule on old history: what may be gone from a folder, by what `docs/data-folder.md` says and by nothing
//! else. What was committed within the time for which history is kept must be there, and so must the keys of
//! all tickets that were open then or are now.

use std::collections::BTreeMap;

use super::Oracle;
use super::fold::Wrong;
use super::journal::{Files, Frame, Hash, Moved, Reader, firsts, long};

const DAY: i64 = 86_400_000;
/// The header of a snapshot without its hash, and with it.
const CHECKED: usize = 104;
const HEADER: usize = 136;
const MAGIC: &[u8; 8] = b"UPLNSNAP";
/// Keys in a file, and the bytes of one.
const KEYS: u32 = 512;
const SLOT: u64 = 64;
/// The first byte of a key that is there.
const PRESENT: u8 = 1;

/// What was found when the whole folder was read anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    /// Whether something that is no frame stands behind the last one.
    pub torn: bool,
    /// The first frame that is still there.
    pub first: u64,
    /// How many keys are destroyed.
    pub destroyed: usize,
}

/// What must be known of frames and tickets to judge what was removed.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    keep: Option<i64>,
    /// Position and time of each frame.
    frames: Vec<(u64, i64)>,
    keys: BTreeMap<u64, u32>,
    /// With which frame a ticket has ended.
    ended: BTreeMap<u64, u64>,
}

impl Known {
    pub(super) fn under(days: Option<u64>) -> Self {
        let keep = days.map(|days| i64::try_from(days).unwrap_or(i64::MAX / DAY) * DAY);
        Self {
            keep,
            ..Self::default()
        }
    }

    pub(super) fn frame(&mut self, frame: &Frame) {
        self.frames.push((frame.position, frame.commit.at));
    }

    pub(super) fn key(&mut self, moved: &Moved) {
        self.keys.insert(moved.number, moved.key);
    }

    pub(super) fn ended(&mut self, number: u64, seq: u64) {
        self.ended.entry(number).or_insert(seq);
    }

    fn of(&self, seq: u64) -> Option<(u64, i64)> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.frames.get(index).copied()
    }
}

/// The frame of which there is a snapshot that stands for all that was before.
struct Base {
    seq: u64,
    position: u64,
    hash: Hash,
}

impl Base {
    /// The newest one whose header is whole.
    fn of(files: &dyn Files) -> Option<Self> {
        let names = files.names("snapshots");
        let bases = names.iter().rev().filter(|name| name.ends_with(".base"));
        bases.into_iter().find_map(|path| {
            let bytes = files.bytes(path, 0)?;
            let header = bytes.get(..HEADER)?;
            let sum = blake3::hash(&header[..CHECKED]);
            let whole = &header[..8] == MAGIC && sum.as_bytes() == &header[CHECKED..];
            whole.then(|| Self {
                seq: long(header, 32),
                position: long(header, 40),
                hash: std::array::from_fn(|at| header[48 + at]),
            })
        })
    }
}

impl Oracle {
    /// Reads the whole journal anew: it must begin with what was known to be in it, but for what the rule on
    /// old history lets go by `now`, the latest that the engine's time can be: that goes on without commits.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read_again(&self, files: &dyn Files, now: i64) -> Result<Again, Wrong> {
        let first = firsts(files).first().copied().unwrap_or(1);
        let mut reader = self.from(first)?;
        let frames = reader.read(files)?;
        let mut hashes = frames.iter().map(|frame| frame.hash);
        let skipped = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        for (index, known) in self.hashes.iter().enumerate().skip(skipped) {
            match hashes.next() {
                Some(hash) if hash == *known => (),
                Some(_) => return Err(format!("frame {} was rewritten", index + 1)),
                None => return Err(format!("frame {} was on disk and is gone", index + 1)),
            }
        }
        let base = Base::of(files);
        self.may_be_gone(first, base.as_ref(), now)?;
        let destroyed = self.keys_are_there(files, base.map_or(0, |base| base.seq))?;
        Ok(Again {
            torn: reader.torn,
            first,
            destroyed,
        })
    }

    /// Reads from this frame on, which must follow the one before it that is gone.
    fn from(&self, first: u64) -> Result<Reader, Wrong> {
        let Some(before) = first.checked_sub(2) else {
            return Ok(Reader::default());
        };
        let hash = usize::try_from(before)
            .ok()
            .and_then(|at| self.hashes.get(at));
        let position = self.known.of(first).map(|(position, _)| position);
        match (hash, position) {
            (Some(hash), Some(position)) => Ok(Reader::behind(before + 1, position, *hash)),
            _ => Err(format!(
                "the journal begins with frame {first}, which is to come"
            )),
        }
    }

    /// Only what is before the base is gone, and the base is of a frame of this journal that is old enough.
    fn may_be_gone(&self, first: u64, base: Option<&Base>, now: i64) -> Result<(), Wrong> {
        let Some(base) = base else {
            return match first {
                1 => Ok(()),
                _ => Err(format!(
                    "the journal begins with frame {first}, and nothing stands for the rest"
                )),
            };
        };
        let Some(keep) = self.known.keep else {
            return Err(format!("a base of frame {} without a rule", base.seq));
        };
        let seq = base.seq;
        let known = self.known.of(seq);
        let hash = usize::try_from(seq)
            .ok()
            .and_then(|seq| self.hashes.get(seq.checked_sub(1)?));
        match known {
            Some((position, _)) if position != base.position || hash != Some(&base.hash) => {
                Err(format!("the base of frame {seq} is not of this journal"))
            }
            Some((_, at)) if at > now.saturating_sub(keep) => Err(format!(
                "the base of frame {seq} is of {at}, and by {now} that must still be kept"
            )),
            Some(_) if first > seq + 1 => Err(format!(
                "the journal begins with frame {first}, behind its base of frame {seq}"
            )),
            Some(_) => Ok(()),
            None => Err(format!("a base of frame {seq}, which is to come")),
        }
    }

    /// The keys of tickets that were open at the base, or are opened since, are there. How many of the others
    /// are not.
    fn keys_are_there(&self, files: &dyn Files, base: u64) -> Result<usize, Wrong> {
        let mut read: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let mut destroyed = 0;
        for (number, key) in &self.known.keys {
            let first = (key.max(&1) - 1) / KEYS * KEYS + 1;
            let bytes = read.entry(first).or_insert_with(|| {
                let path = format!("keys/{first:010}");
                files.bytes(&path, 0).unwrap_or_default()
            });
            let at = usize::try_from(u64::from(key - first + 1) * SLOT).unwrap_or(usize::MAX);
            if bytes.get(at) == Some(&PRESENT) {
                continue;
            }
            let ended = self.known.ended.get(number);
            if ended.is_none_or(|ended| *ended > base) {
                return Err(format!("the key {key} of ticket number {number} is gone"));
            }
            destroyed += 1;
        }
        Ok(destroyed)
    }
}
