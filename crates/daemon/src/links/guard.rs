//! What is remembered of links while they are tried: wrong numbers, and who presses like a machine.
//!
//! Programs that look at mail open every link in it, and some submit every form. The number that they do not
//! know stops them; this tells them from people before they use up a person's tries.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lru::LruCache;
use upline::record::Millis;

use super::token::{Link, LinkId};

/// The file of the links that wrong numbers have made void, in the data folder: a line each, with the link's
/// id and until when it would have been good.
pub const BURNED_FILE: &str = "links.burned";

/// After so many wrong numbers a link is void.
pub const MAX_WRONG: u8 = 3;

/// A press that comes sooner after the page was opened, in milliseconds, is a machine's.
const SOONEST: Millis = 3_000;

/// Two different links of one message within so many milliseconds are a machine's doing.
const APART: Millis = 10_000;

/// Of how many messages it is remembered what was done with their links. Only links that are ours count, so
/// nobody can push others out who has not had as many messages.
const MAX_WATCHED: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// What to make of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// It may be a person's.
    Fine,
    /// It came too soon after the page was opened.
    TooSoon,
    /// Another link of the same message was used a moment ago.
    Several,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    link: LinkId,
    opened: Option<Millis>,
    touched: Millis,
    wrong: u8,
}

#[derive(Debug)]
struct State {
    /// By message.
    watched: LruCache<u64, Vec<Seen>>,
    burned: BTreeMap<LinkId, i64>,
}

/// What is remembered of links.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    state: Mutex<State>,
}

impl Guard {
    /// Reads which links of this data folder are void.
    pub(super) fn open(data: &Path, now: Timestamp) -> io::Result<Self> {
        let path = data.join(BURNED_FILE);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A line that a crash has cut off is one that was not finished.
        let mut burned: BTreeMap<LinkId, i64> = text.lines().filter_map(read).collect();
        let all = burned.len();
        burned.retain(|_, until| *until > now.as_second());
        if burned.len() < all {
            let text = burned.iter().fold(String::new(), |mut text, (id, until)| {
                text.push_str(&line(id, *until));
                text
            });
            let draft = path.with_extension("new");
            fs::write(&draft, text)?;
            fs::rename(draft, &path)?;
        }
        let watched = LruCache::new(MAX_WATCHED);
        let state = Mutex::new(State { watched, burned });
        Ok(Self { path, state })
    }

    /// Its page was opened.
    pub(super) fn opened(&self, link: &Link, now: Millis) {
        let mut state = self.state();
        let seen = state.seen(link, now);
        seen.opened = Some(now);
        seen.touched = now;
    }

    /// Its button was pressed.
    pub(super) fn pressed(&self, link: &Link, now: Millis) -> Press {
        let mut state = self.state();
        let seen = state.seen(link, now);
        seen.touched = now;
        if seen.opened.is_some_and(|opened| now - opened < SOONEST) {
            return Press::TooSoon;
        }
        let of_message = state.watched.get(&link.aim.message);
        let mut others = of_message.into_iter().flatten();
        match others.any(|other| other.link != link.id && now - other.touched < APART) {
            true => Press::Several,
            false => Press::Fine,
        }
    }

    /// A wrong number was typed: how many tries are left.
    pub(super) fn wrong(&self, link: &Link, now: Millis) -> u8 {
        let mut state = self.state();
        let seen = state.seen(link, now);
        seen.wrong = seen.wrong.saturating_add(1);
        let left = MAX_WRONG.saturating_sub(seen.wrong);
        if left == 0 && state.burned.insert(link.id, link.aim.until).is_none() {
            drop(state);
            // It is void as long as this process lives, whatever comes of writing it down.
            if let Err(error) = self.write_down(link) {
                tracing::warn!(code = "link-burned", error = %error, "a void link is forgotten by a restart");
            }
        }
        left
    }

    /// Whether wrong numbers have made it void.
    pub(super) fn is_burned(&self, link: &Link) -> bool {
        self.state().burned.contains_key(&link.id)
    }

    fn write_down(&self, link: &Link) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true).mode(0o600);
        let mut file = options.open(&self.path)?;
        file.write_all(line(&link.id, link.aim.until).as_bytes())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn seen(&mut self, link: &Link, now: Millis) -> &mut Seen {
        let all = self.watched.get_or_insert_mut(link.aim.message, Vec::new);
        let at = all.iter().position(|seen| seen.link == link.id);
        let at = at.unwrap_or_else(|| {
            all.push(Seen {
                link: link.id,
                opened: None,
                touched: now,
                wrong: 0,
            });
            all.len() - 1
        });
        &mut all[at]
    }
}

fn line(id: &LinkId, until: i64) -> String {
    let mut text = String::new();
    for byte in id {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    let _ = writeln!(text, " {until}");
    text
}

fn read(line: &str) -> Option<(LinkId, i64)> {
    let (id, until) = line.split_once(' ')?;
    let id = u128::from_str_radix(id, 16)
        .ok()
        .filter(|_| id.len() == 32)?;
    Some((id.to_be_bytes(), until.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use upline::core::Branch;

    use super::super::token::{Aim, Deed};
    use super::*;

    const UNTIL: i64 = 1_000_000;

    fn link(id: u8, message: u64) -> Link {
        let aim = Aim {
            ticket: "1".into(),
            branch: Branch::default(),
            person: "ann".into(),
            deed: Deed::Claim,
            visit: 1,
            epoch: 1,
            until: UNTIL,
            message,
        };
        Link {
            aim,
            number: "07".into(),
            id: [id; 16],
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn whoever_presses_at_once_or_several_links_is_a_machine() {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::open(folder.path(), at(0)).unwrap();
        let (one, other, elsewhere) = (link(1, 1), link(2, 1), link(3, 2));
        guard.opened(&one, 0);
        assert_eq!(guard.pressed(&one, 2_999), Press::TooSoon);
        assert_eq!(guard.pressed(&one, 3_000), Press::Fine);
        assert_eq!(guard.pressed(&other, 12_999), Press::Several);
        assert_eq!(guard.pressed(&elsewhere, 12_999), Press::Fine);
        assert_eq!(guard.pressed(&other, 13_000), Press::Fine);
        // Without its page: somebody came back to it, or the daemon was started anew.
        assert_eq!(guard.pressed(&link(9, 9), 0), Press::Fine);
    }

    #[test]
    fn three_wrong_numbers_burn_a_link_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::open(folder.path(), at(0)).unwrap();
        let (one, other) = (link(1, 1), link(2, 1));
        assert_eq!([guard.wrong(&one, 0), guard.wrong(&one, 0)], [2, 1]);
        assert!(!guard.is_burned(&one));
        assert_eq!(guard.wrong(&one, 0), 0);
        assert!(guard.is_burned(&one) && !guard.is_burned(&other));
        let later = Guard::open(folder.path(), at(UNTIL - 1)).unwrap();
        assert!(later.is_burned(&one) && !later.is_burned(&other));
        // It is forgotten when it is void by its age; a line that was cut off is no harm.
        let path = folder.path().join(BURNED_FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}0123")).unwrap();
        assert!(
            !Guard::open(folder.path(), at(UNTIL))
                .unwrap()
                .is_burned(&one)
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }
}
