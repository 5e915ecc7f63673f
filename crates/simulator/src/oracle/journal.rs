//! Reads a journal's bytes by what `docs/journal-format.md` says, and by nothing else.

use serde::Deserialize;
use upline_core::Event;

const HEADER: usize = 512;
const FRAME_HEADER: usize = 64;
const HASH: usize = 32;
const MAGIC: &[u8; 8] = b"\x89UPLJRN\x0a";
const CONTEXT: &str = "upline journal frame 1";
const FOLDER: &str = "journal";

/// A hash.
pub type Hash = [u8; HASH];

/// How files are read: the names below a folder, and the bytes of one from some place on.
pub trait Files {
    /// Paths below a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String>;
    /// A file's bytes from `from` on.
    fn bytes(&self, path: &str, from: u64) -> Option<Vec<u8>>;
}

/// A commit as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Commit {
    /// The engine's time.
    pub at: i64,
    /// What the clock on the wall showed.
    pub wall: i64,
    /// What happened.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub enum Entry {
    /// A ticket moved.
    Moved(Moved),
    /// Files hold from now on.
    Files(Vec<File>),
    /// A key was destroyed.
    Erased {
        /// Whose.
        number: u64,
        /// By whom.
        by: String,
    },
    /// A ticket was set aside.
    SetAside {
        /// Which.
        number: u64,
        /// Why.
        why: Option<String>,
    },
    /// It goes on.
    Released {
        /// Which.
        number: u64,
        /// By whom.
        by: String,
    },
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What one command did to one ticket.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Moved {
    /// The ticket.
    pub number: u64,
    /// Its key.
    pub key: u32,
    /// Where the ticket's commit before is.
    pub previous: Option<u64>,
    /// Its revision before.
    pub revision: u64,
    /// Which command.
    pub command: Option<([u8; 16], u64)>,
    /// By which way.
    pub origin: String,
    /// What happened.
    pub events: Vec<Event>,
    /// What is personal in it.
    pub sealed: Vec<u8>,
    /// Messages whose fate is known.
    pub settled: Vec<Settled>,
}

/// A message whose fate is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Settled {
    /// Which.
    pub notice: u32,
    /// What became of it.
    pub fate: Fate,
    /// After how many tries.
    pub tries: u32,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It never will.
    Failed,
    /// It was over.
    Withdrawn,
}

/// A frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its number.
    pub seq: u64,
    /// Its position.
    pub position: u64,
    /// Its hash.
    pub hash: Hash,
    /// What it says.
    pub commit: Commit,
}

#[derive(Debug, Clone)]
struct Segment {
    first: u64,
    at: u64,
}

/// How far a journal was read.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    segment: Option<Segment>,
    seq: u64,
    position: u64,
    hash: Hash,
    key: Hash,
    /// Whether something that is no frame stands behind the last one.
    pub torn: bool,
}

impl Reader {
    /// One that begins with the frame behind this one, where the frames before were removed.
    #[must_use]
    pub fn behind(seq: u64, position: u64, hash: Hash) -> Self {
        Self {
            seq: seq + 1,
            position,
            hash,
            ..Self::default()
        }
    }

    /// Reads on, as far as there are whole frames.
    ///
    /// # Errors
    /// What is wrong with the journal.
    pub fn read(&mut self, files: &dyn Files) -> Result<Vec<Frame>, String> {
        let firsts = firsts(files);
        let mut frames = Vec::new();
        loop {
            let current = self.segment.as_ref().map_or(0, |segment| segment.first);
            let next = firsts.iter().copied().find(|first| *first > current);
            if self.segment.is_some() {
                self.frames(files, next, &mut frames)?;
            }
            match next {
                Some(first) => self.begin(files, first)?,
                None => return Ok(frames),
            }
        }
    }

    fn path(first: u64) -> String {
        format!("{FOLDER}/{first:020}.log")
    }

    fn begin(&mut self, files: &dyn Files, first: u64) -> Result<(), String> {
        let path = Self::path(first);
        let bytes = files.bytes(&path, 0).unwrap_or_default();
        let header = bytes.get(..HEADER).ok_or("a segment without a header")?;
        let sum = blake3::hash(&header[..HEADER - HASH]);
        if &header[..8] != MAGIC || sum.as_bytes() != &header[HEADER - HASH..] {
            return Err(format!("the header of {path} is damaged"));
        }
        if self.segment.is_none() {
            self.key = blake3::derive_key(CONTEXT, &header[16..32]);
            self.seq = self.seq.max(1);
        }
        let same = long(header, 32) == self.seq
            && first == self.seq
            && long(header, 40) == self.position
            && header[48..80] == self.hash;
        if !same {
            return Err(format!("{path} does not follow what stands before it"));
        }
        self.segment = Some(Segment {
            first,
            at: HEADER as u64,
        });
        Ok(())
    }

    fn frames(
        &mut self,
        files: &dyn Files,
        next: Option<u64>,
        frames: &mut Vec<Frame>,
    ) -> Result<(), String> {
        let Some(mut segment) = self.segment.clone() else {
            return Ok(());
        };
        let path = Self::path(segment.first);
        let bytes = files
            .bytes(&path, segment.at)
            .ok_or_else(|| format!("{path} is gone"))?;
        let mut rest = bytes.as_slice();
        while next.is_none_or(|next| self.seq < next) {
            let Some(length) = self.whole(rest) else {
                break;
            };
            let (frame, after) = rest.split_at(length);
            frames.push(self.frame(frame)?);
            segment.at += length as u64;
            rest = after;
        }
        // By chunks, since a search byte by byte took a third of a run.
        let is_empty = |part: &[u8]| part.iter().fold(0, |all, byte| all | byte) == 0;
        self.torn = next.is_none() && !rest.chunks(256).all(is_empty);
        self.segment = Some(segment);
        match next {
            Some(next) if self.seq != next => Err(format!("{path} ends at frame {}", self.seq)),
            _ => Ok(()),
        }
    }

    /// The length of the frame that the bytes begin with, if it is whole and the next of the chain.
    fn whole(&self, bytes: &[u8]) -> Option<usize> {
        let header = bytes.get(..FRAME_HEADER)?;
        let check = blake3::keyed_hash(&self.key, &header[..56]);
        if header[..4] != [1, 1, 0, 0] || check.as_bytes()[..8] != header[56..64] {
            return None;
        }
        let payload = u32::from_le_bytes(header[4..8].try_into().ok()?);
        let end = FRAME_HEADER + payload as usize;
        let hash = bytes.get(end..end + HASH)?;
        (blake3::keyed_hash(&self.key, &bytes[..end]).as_bytes() == hash).then_some(end + HASH)
    }

    fn frame(&mut self, bytes: &[u8]) -> Result<Frame, String> {
        let seq = long(bytes, 8);
        let follows = seq == self.seq && long(bytes, 16) == self.position;
        if !follows || bytes[24..56] != self.hash {
            return Err(format!("frame {seq} does not follow {}", self.seq - 1));
        }
        let (body, hash) = bytes.split_at(bytes.len() - HASH);
        let hash = Hash::try_from(hash).map_err(|_| "a short hash")?;
        let payload = &body[FRAME_HEADER..];
        let commit = match payload.split_first() {
            Some((1, commit)) => postcard::from_bytes(commit).map_err(|error| error.to_string()),
            _ => Err("it has another form".to_owned()),
        };
        let commit = commit.map_err(|why| format!("frame {seq} can't be read: {why}"))?;
        let frame = Frame {
            seq,
            position: self.position,
            hash,
            commit,
        };
        self.seq += 1;
        self.position += bytes.len() as u64;
        self.hash = hash;
        Ok(frame)
    }
}

/// The first frames of the segments that there are.
pub(super) fn firsts(files: &dyn Files) -> Vec<u64> {
    let names = files.names(FOLDER);
    let first = |name: &String| {
        let name = name.strip_prefix("journal/")?.strip_suffix(".log")?;
        name.parse::<u64>().ok()
    };
    names.iter().filter_map(first).collect()
}

/// The caller knows that there are so many bytes.
pub(super) fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]))
}
