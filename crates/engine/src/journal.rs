//! The journal: an append-only, hash-chained log of commits, and the only copy that an answer waits for.
//!
//! One commit is one frame. [`Journal::append`] returns when the frame would survive a power cut; whoever
//! was given its [`Mark`] finds the frame again under it, or an error that says what happened to it. It
//! never finds another one.
//!
//! ```
//! use std::sync::Arc;
//!
//! use upline::disk::sim::{Keep, SimDisk};
//! use upline::journal::{FolderId, Journal, JournalError, Options};
//!
//! let disk = SimDisk::new(1);
//! let options = Options::new(FolderId([7; 16]));
//! let mut journal = Journal::open::<JournalError>(Arc::new(disk.clone()), options, None, |_| Ok(()))?;
//! journal.append(b"ticket 17 opened")?;
//! let mark = journal.append(b"ticket 17 accepted")?;
//!
//! // The power goes; all that was acknowledged is read back, in order.
//! let disk = disk.crash(Keep::Nothing);
//! let mut read = Vec::new();
//! let journal = Journal::open::<JournalError>(Arc::new(disk), options, None, |frame| {
//!     read.push(String::from_utf8_lossy(&frame.payload).into_owned());
//!     Ok(())
//! })?;
//! assert_eq!(read, ["ticket 17 opened", "ticket 17 accepted"]);
//! assert_eq!(journal.reader().read(mark.position)?.mark, mark);
//! # Ok::<(), JournalError>(())
//! ```
//!
//! # Files
//!
//! Segments, `journal/<number of the first frame, 20 digits>.log`, each a header of 512 bytes and frames
//! back to back, in room that was reserved and zeroed before. `docs/journal-format.md` has every byte; all
//! numbers are little-endian, all hashes BLAKE3.
//!
//! | segment header | bytes | | frame | bytes |
//! |---|---|---|---|---|
//! | magic | 8 | | version, kind, two zeros | 4 |
//! | format version, length of the header | 4, 4 | | length of the payload | 4 |
//! | folder | 16 | | sequence number | 8 |
//! | first sequence number | 8 | | position | 8 |
//! | position of the first frame | 8 | | hash of the frame before | 32 |
//! | hash of the frame before | 32 | | check of the above | 8 |
//! | length of the file | 8 | | payload | … |
//! | zeros; check of the above | 392, 32 | | hash of all of the above | 32 |
//!
//! # What holds, and why
//!
//! 1. **A segment has its name only after its header and its first frame are synced.** So a `.log` file
//!    without them is damaged, never half made.
//! 2. **One frame at most is not synced, and it is the last.** So what is no whole frame and has a whole
//!    frame behind it is damage. If nothing is behind it, it is the write that a crash cut off; but only if a
//!    sector of it is still zero, as a missing sector is. A last frame that is all there and wrong is damage
//!    too.
//! 3. **What stands behind the last whole frame is zero, or is never written over.** After a failed write or
//!    sync, and after a crash that left part of a frame, the next frame goes to a new segment. Its header
//!    names the last good frame; everything that the older segment has behind that is superseded and never
//!    read.
//! 4. **A sync that failed is not tried again.** Linux calls the pages clean then, and a later success says
//!    nothing about them. Opening writes the last frame once more before it syncs it, because the process
//!    before may have died of just that.
//! 5. **A sector is written whole or not at all** (512 bytes): a frame begins in the sector in which the one
//!    before ends. Disks and SSDs promise this; so does every file system that we know on top of them.

mod copy;
mod error;
mod frame;
mod mark;
mod read;
mod recover;
mod segment;
mod shared;
mod tail;
#[cfg(test)]
mod tests;
mod upkeep;
mod verify;
mod walk;
mod whole;
mod write;

pub use error::{Damage, Flaw, JournalError};
pub use mark::{Base, FolderId, Frame, Hash, Mark, ParseMarkError, Position, Remains};
pub use read::{JournalReader, Scan, SegmentFile};
pub use upkeep::Upkeep;
pub use verify::{Progress, Report, Unread, verify_behind};
pub use whole::{verify, verify_folder};
pub use write::{Journal, Unsynced};

/// The folder of the segments, in the data folder.
pub const FOLDER: &str = "journal";

/// The longest payload of a frame, in bytes.
pub const MAX_PAYLOAD: usize = 64 << 20;

/// How long a segment is unless [`Options`] say otherwise, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The format that is written, and the newest that can be read.
pub const FORMAT: u32 = 1;

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The data folder that the journal belongs to. Another one's segments are refused.
    pub folder: FolderId,
    /// How long a segment is, in bytes; one that begins with a longer frame is as long as that needs.
    pub segment_bytes: u64,
    /// A frame that is known to have been acknowledged, by whatever witness. A journal that ends before it is
    /// refused, and so is one that ends with another frame of its number.
    pub acknowledged: Option<Mark>,
}

impl Options {
    /// The defaults for a data folder.
    #[must_use]
    pub const fn new(folder: FolderId) -> Self {
        Self {
            folder,
            segment_bytes: SEGMENT_BYTES,
            acknowledged: None,
        }
    }
}
