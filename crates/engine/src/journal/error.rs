//! What can go wrong with a journal, and what to do then.

use std::fmt;
use std::io;

use super::mark::{FolderId, Mark, Position};
use super::{FORMAT, MAX_PAYLOAD};
use crate::disk::is_in_the_way;

/// Why a journal can't be opened, read or written. Nothing was acknowledged, and what had been is still
/// there.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk has no room left. The journal is at its last good frame and goes on when there is room again.
    #[error("cannot {doing}: {source}; free some space, then try again")]
    Full {
        /// What was to be done.
        doing: &'static str,
        /// The system's error, with the file in its text.
        source: io::Error,
    },
    /// The disk failed. The journal is at its last good frame; a frame that was being written is there or not
    /// until the next frame is acknowledged, and is then superseded by that.
    #[error("cannot {doing}: {source}; {}, then try again", way_out(source))]
    Io {
        /// What was to be done.
        doing: &'static str,
        /// The system's error, with the file in its text.
        source: io::Error,
    },
    /// Something acknowledged is not as it was written.
    #[error(
        "{0}; nothing was changed: keep a copy of the folder, list all such places with `upline verify`, and \
         restore the last backup"
    )]
    Damaged(Damage),
    /// The journal belongs to another data folder.
    #[error(
        "{path} belongs to the data folder {found}, and this one is {expected}: segments were copied from \
         elsewhere; restore a whole folder instead"
    )]
    Foreign {
        /// The file.
        path: String,
        /// Whose it is.
        found: FolderId,
        /// Whose it should be.
        expected: FolderId,
    },
    /// The journal was written by a newer version.
    #[error(
        "{path} has the format {found}, and this version of Upline reads up to {FORMAT}: run the newer \
         version that wrote it"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
    },
    /// The journal was written by a version so old that its format can't be read any more.
    #[error(
        "{path} has the format {found}, which this version of Upline can't read any more: open it once \
         with a version in between"
    )]
    Older {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
    },
    /// The journal ends before a frame that was once in it.
    #[error(
        "the journal ends with commit {end}, but commit {} was in it: it was cut, or put back from an older \
         copy; nothing was changed: put the newer files back",
        marked.seq
    )]
    RolledBack {
        /// The last frame, 0 if there is none.
        end: u64,
        /// The frame that was in it.
        marked: Box<Mark>,
    },
    /// The file that is written to is not where it was opened any more.
    #[error(
        "{path} is not the file any more that commits are written to: it, or a folder above it, was \
         moved, removed or replaced while an engine works, which writes no more. Put it back in its place, \
         and start the engine again; what was removed can still be copied out of `/proc/PID/fd` while the \
         engine runs"
    )]
    Displaced {
        /// The file.
        path: String,
    },
    /// Old segments were removed, and what is asked for was in them.
    #[error(
        "commits before {oldest} were removed by the retention rule: they are only in a backup"
    )]
    Removed {
        /// The oldest frame that is still there.
        oldest: u64,
    },
    /// There is no synced frame that far.
    #[error("there is no commit at {position} yet: the journal is synced up to {end}")]
    NotYet {
        /// What was asked for.
        position: Position,
        /// Where the next frame will begin.
        end: Position,
    },
    /// The payload is longer than [`MAX_PAYLOAD`].
    #[error("a commit of {bytes} bytes is too large: at most {MAX_PAYLOAD}; split it")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Whoever writes it has moved its beginning or its end on, time and again.
    #[error("the journal moved on while it was read: look again")]
    MovedOn,
    /// The frame before is still being synced.
    #[error("the commit before is still being synced: wait for it")]
    Busy,
}

/// What to do about an error of the system.
fn way_out(error: &io::Error) -> &'static str {
    match is_in_the_way(error) {
        true => "nothing is known to be lost: see to its rights, or to what stands in its place",
        false => "look into the system's log for what is wrong with the disk",
    }
}

impl JournalError {
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full { doing, source },
            _ => Self::Io { doing, source },
        }
    }
}

impl From<Damage> for JournalError {
    fn from(damage: Damage) -> Self {
        match damage.flaw {
            Flaw::Newer { found } => Self::Newer {
                path: damage.path,
                found,
            },
            Flaw::Foreign { found, expected } => Self::Foreign {
                path: damage.path,
                found,
                expected,
            },
            _ => Self::Damaged(damage),
        }
    }
}

/// A place where the journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: String,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// The frame that should be there.
    pub seq: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            offset,
            seq,
            flaw,
        } = self;
        // It is no place of the journal.
        if flaw.is_nowhere() {
            return write!(f, "{flaw}");
        }
        write!(
            f,
            "{path} is damaged at byte {offset}, commit {seq}: {flaw}"
        )
    }
}

/// What is wrong at a place of the journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The disk can't read it.
    #[error("it can't be read ({0})")]
    Unreadable(String),
    /// The segment's header is not whole.
    #[error("the segment's header does not match its check")]
    Header,
    /// The segment belongs to another data folder.
    #[error("the segment belongs to the data folder {found}, not to {expected}")]
    Foreign {
        /// Whose it is.
        found: FolderId,
        /// Whose it should be.
        expected: FolderId,
    },
    /// The segment was given another name.
    #[error("the file's name says commit {named}, and its header says commit {first}")]
    Name {
        /// By its name.
        named: u64,
        /// By its header.
        first: u64,
    },
    /// The segment does not go on where the one before ends.
    #[error("the segment does not begin where the one before ends")]
    Seam,
    /// The file is shorter than it was made.
    #[error("the file has {found} bytes and was made with {made}")]
    Cut {
        /// Its length.
        found: u64,
        /// The length in its header.
        made: u64,
    },
    /// The frame's header is not whole: there is no frame here.
    #[error("there is no commit here")]
    NoFrame,
    /// The frame's header says that it goes on behind the end of the file.
    #[error("the commit is longer than the file")]
    Length,
    /// The frame is not what its hash says.
    #[error("the commit does not match its hash")]
    Content,
    /// A frame with another number is here.
    #[error("commit {found} is here instead")]
    Sequence {
        /// The number of the frame that is here.
        found: u64,
    },
    /// A frame that was written elsewhere is here.
    #[error("the commit at {found} is here instead")]
    Misplaced {
        /// Where it was written.
        found: Position,
    },
    /// The frame was written behind another frame than stands before it.
    #[error("the commit before is not the one that it was written behind")]
    Chain,
    /// The frame has a form of a newer version.
    #[error("the commit has the format {found}, which is newer than {FORMAT}")]
    Newer {
        /// Its form.
        found: u32,
    },
    /// The frame is whole, but not the one that was marked.
    #[error(
        "the commit is not the one whose mark was kept: the journal was put back and written anew"
    )]
    Other,
    /// Frames are missing before this one.
    #[error("the commits from {from} on are missing before it")]
    Missing {
        /// The first of them.
        from: u64,
    },
    /// The journal ends before the frame whose mark was kept.
    #[error(
        "the journal ends before commit {marked}, which was in it: it was cut, or put back from an older copy"
    )]
    RolledBack {
        /// The frame that was once there.
        marked: u64,
    },
    /// There is no journal any more, and the mark of one was kept.
    #[error(
        "the journal is missing, and commit {marked} was in it: put the folder \"journal\" back"
    )]
    Gone {
        /// The frame that was once there.
        marked: u64,
    },
    /// The data folder says that it is another one than the journal was written in.
    #[error(
        "the file \"folder\" is of the data folder {found}, and the journal of {expected}: files of two \
         folders were mixed"
    )]
    Owner {
        /// Whose the file is.
        found: FolderId,
        /// Whose the journal is.
        expected: FolderId,
    },
    /// The data folder does not say whose it is in a way that this program knows.
    #[error("{0}")]
    Identity(String),
}

impl Flaw {
    /// Whether it is no place of the journal that is wrong.
    const fn is_nowhere(&self) -> bool {
        matches!(
            self,
            Self::Owner { .. } | Self::Identity(_) | Self::RolledBack { .. } | Self::Gone { .. }
        )
    }
}
