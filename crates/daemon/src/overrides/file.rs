//! The overrides as the data folder keeps them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use upline::core::Name;
use upline::core::schedule::Override;

use crate::keyfile::KeyFileError;
use crate::limits::{KEEP_OVERRIDES, MAX_OVERRIDES};

/// The file in the data folder.
pub(crate) const FILE: &str = "overrides";
/// While it is being written.
const DRAFT: &str = "overrides.new";
/// Of the file's form.
const FORMAT: u32 = 1;

/// An override that somebody has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Made {
    /// Each has a number of its own, in the order in which they came.
    pub(crate) id: u64,
    /// Whose schedule it is laid over.
    pub(crate) schedule: Name,
    /// Its first instant.
    pub(crate) from: Timestamp,
    /// The first instant after it.
    pub(crate) to: Timestamp,
    /// Who comes on.
    pub(crate) on_call: Name,
    /// Whose place he takes.
    pub(crate) instead_of: Option<Name>,
    /// Who made it, and when.
    pub(crate) made: Deed,
    /// Who has removed it, and when.
    pub(crate) removed: Option<Deed>,
    /// The command's id, by which it is recognised if it comes again.
    pub(crate) command: String,
    /// The hash of what was asked for.
    pub(crate) asked: String,
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Deed {
    /// When.
    pub(crate) at: Timestamp,
    /// The token.
    pub(crate) token: Name,
    /// The person that it stands for.
    pub(crate) person: Option<Name>,
}

impl Made {
    /// The first instant after it: one that is removed while it is under way ends then.
    pub(crate) fn end(&self) -> Timestamp {
        let removed = self.removed.as_ref();
        removed.map_or(self.to, |removed| removed.at.clamp(self.from, self.to))
    }

    /// Whether it is over, or was removed.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.removed.is_some() || self.to <= now
    }

    /// Whether it is in the directory: also for a while after it is over, so that who was on call is known.
    pub(crate) fn is_laid(&self, now: Timestamp) -> bool {
        self.from < self.end() && now < later(self.end())
    }

    /// Whether nothing needs it any more.
    fn is_past(&self, now: Timestamp) -> bool {
        let removed = self.removed.as_ref().map(|removed| removed.at);
        let last = [Some(self.end()), Some(self.made.at), removed];
        let last = last.into_iter().flatten().max();
        last.is_none_or(|last| later(last) <= now)
    }

    /// As the language has it. `None`: by the clocks of this zone, which are set back meanwhile, it is
    /// nothing.
    pub(crate) fn written(&self, zone: &TimeZone) -> Option<Override> {
        let (from, to) = (zone.to_datetime(self.from), zone.to_datetime(self.end()));
        (from < to).then(|| Override {
            from,
            to,
            on_call: self.on_call.clone(),
            instead_of: self.instead_of.clone(),
        })
    }
}

fn later(at: Timestamp) -> Timestamp {
    at.saturating_add(KEEP_OVERRIDES).unwrap_or(Timestamp::MAX)
}

/// All that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    format: u32,
    /// The number of the next one.
    pub(crate) next: u64,
    /// By their numbers.
    pub(crate) overrides: Vec<Made>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            format: FORMAT,
            next: 1,
            overrides: Vec::new(),
        }
    }
}

impl Kept {
    /// What the data folder has; nothing, if there is no such file.
    pub(crate) fn read(data: &Path) -> Result<Self, KeyFileError> {
        let path = data.join(FILE);
        let failed = |why: String| KeyFileError::new(path.clone(), &why);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error.to_string())),
        };
        let read: Result<Self, _> = serde_json::from_slice(&text);
        let what_to_do = "put it back from a copy, or remove it: what people have changed of who is \
                          on call is lost then";
        match read {
            Ok(kept) if kept.format == FORMAT => Ok(kept),
            Ok(_) => Err(failed(format!(
                "another version of this program wrote it; {what_to_do}"
            ))),
            Err(error) => Err(failed(format!(
                "it is not what was written ({error}): {what_to_do}"
            ))),
        }
    }

    /// It has its name only when it is whole and synced.
    pub(crate) fn write(&self, data: &Path) -> io::Result<()> {
        let (path, draft) = (data.join(FILE), data.join(DRAFT));
        let text = serde_json::to_vec(self)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o640)
            .open(&draft)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(data)?.sync_all()
    }

    /// Without those that nothing needs any more, and without the oldest of too many that are over.
    pub(crate) fn pruned(&self, now: Timestamp) -> Self {
        let mut kept = self.clone();
        kept.overrides.retain(|one| !one.is_past(now));
        let over = |one: &&Made| one.is_over(now);
        let mut ends: Vec<(Timestamp, u64)> = kept
            .overrides
            .iter()
            .filter(over)
            .map(|one| (one.end(), one.id))
            .collect();
        ends.sort_unstable();
        let many = ends.len().saturating_sub(MAX_OVERRIDES);
        let gone = &ends[..many];
        kept.overrides
            .retain(|one| !gone.contains(&(one.end(), one.id)));
        kept
    }

    /// The one with this number.
    pub(crate) fn get(&self, id: u64) -> Option<&Made> {
        self.overrides.iter().find(|one| one.id == id)
    }
}

/// The file, and where it is.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// Written where others have their turn meanwhile.
    pub(super) async fn write(&self, kept: &Kept) -> io::Result<()> {
        let (data, kept) = (self.0.clone(), kept.clone());
        let written = tokio::task::spawn_blocking(move || kept.write(&data)).await;
        written.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}
