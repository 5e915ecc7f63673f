//! What names a frame.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The data folder that a journal belongs to: sixteen random bytes, made with the folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FolderId(pub [u8; 16]);

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands for the frame before the first.
    pub const ZERO: Self = Self([0; 32]);
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for FolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for FolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// Where a frame begins: bytes of all frames before it. It stays the same when old segments are removed, and
/// grows with the sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One frame of one journal, beyond doubt: its number, its place, and the hash of it and of everything before
/// it.
///
/// A snapshot keeps the mark of the last frame in it, and [`Journal::open`](super::Journal::open) goes on
/// from there. The head's mark, exported to where whoever can write the folder can't, lets
/// [`verify`](super::verify()) find a journal that was cut or put back. Its text can be read again:
///
/// ```
/// use upline::journal::{Hash, Mark, Position};
///
/// let mark = Mark { seq: 17, position: Position(4_711), hash: Hash([0xab; 32]) };
/// let text = mark.to_string();
/// assert!(text.starts_with("17@4711:abab"));
/// assert_eq!(text.parse(), Ok(mark));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The frame's number: 1, 2, 3 and so on.
    pub seq: u64,
    /// Where it is.
    pub position: Position,
    /// Its hash, and so that of the whole chain up to it.
    pub hash: Hash,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.seq, self.position, self.hash)
    }
}

/// Where a journal begins whose older segments were removed by the retention rule: at a commit of which a
/// snapshot is kept. What was before it is in that snapshot, as far as it is still needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Base {
    /// The last frame that is in the snapshot. It is still in the journal.
    pub mark: Mark,
    /// The time of that commit, in milliseconds since 1970.
    pub at: i64,
}

/// A text is no [`Mark`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no head of a journal: one is <number>@<position>:<64 hexadecimal digits>, as `upline verify` \
     and `upline backup` print it"
)]
pub struct ParseMarkError(String);

impl FromStr for Mark {
    type Err = ParseMarkError;

    fn from_str(text: &str) -> Result<Self, ParseMarkError> {
        let read = || {
            let (seq, rest) = text.split_once('@')?;
            let (position, hash) = rest.split_once(':')?;
            if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let mut bytes = [0; 32];
            for (byte, digits) in bytes.iter_mut().zip((0..64).step_by(2)) {
                *byte = u8::from_str_radix(hash.get(digits..digits + 2)?, 16).ok()?;
            }
            Some(Self {
                seq: seq.parse().ok()?,
                position: Position(position.parse().ok()?),
                hash: Hash(bytes),
            })
        };
        read().ok_or_else(|| ParseMarkError(text.to_owned()))
    }
}

/// One frame, checked against its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its name.
    pub mark: Mark,
    /// What was committed.
    pub payload: Cow<'a, [u8]>,
}

/// Bytes behind the last frame of a segment that are no frame: of a write that a crash or an error cut off
/// and nobody was told of, or of a frame that a later segment supersedes. They are never read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// The file.
    pub path: String,
    /// Where in the file they begin.
    pub offset: u64,
    /// How far they reach, in bytes.
    pub bytes: u64,
}

impl fmt::Display for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            offset,
            bytes,
        } = self;
        write!(
            f,
            "{path}: {bytes} bytes from byte {offset} on are of a write that was never acknowledged"
        )
    }
}
