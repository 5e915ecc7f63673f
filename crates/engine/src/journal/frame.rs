//! The bytes of a frame.

use super::mark::{FolderId, Hash};

/// Bytes before the payload.
pub(super) const HEADER: usize = 64;
/// Bytes of a frame besides its payload.
pub(super) const OVERHEAD: usize = HEADER + 32;
/// Bytes of the header that its check covers.
const CHECKED: usize = 56;
const VERSION: u8 = 1;
/// A commit: the only kind there is.
const KIND: u8 = 1;

/// The key of a folder's frames.
///
/// Hashes are keyed so that no payload can contain what is a frame of this journal to somebody who looks for
/// one behind damage, and no segment of another folder fits in: whoever makes payloads doesn't know the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new(folder: FolderId) -> Self {
        Self(blake3::derive_key("upline journal frame 1", &folder.0))
    }

    fn hash(self, bytes: &[u8]) -> Hash {
        Hash(*blake3::keyed_hash(&self.0, bytes).as_bytes())
    }

    fn check(self, header: &[u8]) -> [u8; 8] {
        let hash = self.hash(header).0;
        std::array::from_fn(|index| hash[index])
    }
}

/// What stands before a frame's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) payload: u32,
    pub(super) seq: u64,
    pub(super) position: u64,
    pub(super) before: Hash,
    version: u8,
    kind: u8,
}

impl Header {
    /// Bytes of the whole frame.
    pub(super) fn frame(&self) -> u64 {
        u64::from(self.payload) + OVERHEAD as u64
    }

    /// The form, if it is one of a newer version.
    pub(super) fn newer(&self) -> Option<u32> {
        let known = self.version == VERSION && self.kind == KIND;
        (!known).then(|| u32::from(self.version) << 8 | u32::from(self.kind))
    }
}

/// Appends the frame of a payload, which is at most [`MAX_PAYLOAD`](super::MAX_PAYLOAD), and returns its
/// hash. The position is in it so that a frame in the wrong place is not taken for the one that was there.
pub(super) fn encode(
    key: Key,
    seq: u64,
    position: u64,
    before: Hash,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Hash {
    let start = out.len();
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.reserve(payload.len() + OVERHEAD);
    out.extend([VERSION, KIND, 0, 0]);
    out.extend(length.to_le_bytes());
    out.extend(seq.to_le_bytes());
    out.extend(position.to_le_bytes());
    out.extend(before.0);
    let check = key.check(&out[start..]);
    out.extend(check);
    out.extend(payload);
    let hash = key.hash(&out[start..]);
    out.extend(hash.0);
    hash
}

/// The bytes of a field; zeros where there are too few.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let field = bytes.get(at..at + N);
    field
        .and_then(|field| field.try_into().ok())
        .unwrap_or([0; N])
}

/// Whether a header could begin here: what costs nothing to look at.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    matches!(bytes, [version, kind, 0, 0, ..] if *version != 0 && *kind != 0)
}

/// The header at the beginning of `bytes`, if there is a whole one.
pub(super) fn header(key: Key, bytes: &[u8]) -> Option<Header> {
    if bytes.len() < HEADER || !may_begin(bytes) {
        return None;
    }
    if key.check(&bytes[..CHECKED]) != bytes[CHECKED..HEADER] {
        return None;
    }
    Some(Header {
        payload: u32::from_le_bytes(field(bytes, 4)),
        seq: u64::from_le_bytes(field(bytes, 8)),
        position: u64::from_le_bytes(field(bytes, 16)),
        before: Hash(field(bytes, 24)),
        version: bytes[0],
        kind: bytes[1],
    })
}

/// Payload and hash of the frame that `bytes` are, if they match.
pub(super) fn content(key: Key, bytes: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, stored) = bytes.split_last_chunk::<32>()?;
    let hash = key.hash(rest);
    (hash.0 == *stored).then(|| (rest.get(HEADER..).unwrap_or_default(), hash))
}
