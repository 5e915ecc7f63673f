//! Overrides of who is on call that people make while the service runs: kept in the data folder, and laid
//! over whatever directory is deployed.
//!
//! The file is written before the directory is deployed with what is new in it. So whoever has an answer has
//! it for good, and after a crash between the two the next start lays what is in the file.

mod file;
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use upline::core::{Directory, Name};
use upline::dsl::{load, with_overrides};
use upline::record::File;
use upline::{Deployed, Error, Handle};

use crate::alarms::Alarms;
use crate::keyfile::KeyFileError;

pub(crate) use self::file::{Deed, Kept, Made};
use self::file::{FILE, Place};
pub(crate) use self::judge::{Around, Asked, judge, may, may_remove, no_schedule};

/// The alarm of overrides that are not in the directory.
const ALARM: &str = "overrides";

/// All of them. Whoever changes them, or deploys files, is alone: see
/// [`State::deploying`](crate::api::State::deploying).
#[derive(Debug)]
pub(crate) struct Overrides {
    place: Place,
    alarms: Alarms,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    kept: Kept,
    /// What they are laid over; `None`: no directory was deployed since the start.
    base: Option<Arc<Base>>,
    left_out: LeftOut,
    /// What an operator must know of the last change; `None`: it went well.
    doubt: Option<String>,
}

/// The directory as its author wrote it.
#[derive(Debug)]
pub(crate) struct Base {
    file: File,
    /// What it means.
    pub(crate) directory: Directory,
}

/// Those that are not in the directory, and why.
type LeftOut = BTreeMap<u64, String>;

/// The directory's text with the overrides in it.
struct Laid {
    file: File,
    left_out: LeftOut,
    /// Whether any is in it.
    any: bool,
}

/// Why overrides are not changed.
#[derive(Debug)]
pub(crate) enum Unchanged {
    /// There is no directory to lay them over: the files are broken since the start.
    NoDirectory,
    /// The directory can't take it.
    LeftOut(String),
    /// The data folder can't be written.
    Unwritten(std::io::Error),
    /// The engine did not take the directory.
    Refused(Error),
}

impl Overrides {
    /// Those of the data folder.
    pub(crate) fn open(data: &Path, alarms: Alarms) -> Result<Self, KeyFileError> {
        let kept = Kept::read(data)?;
        Ok(Self {
            place: Place::new(data),
            alarms,
            held: Mutex::new(Held {
                kept,
                ..Held::default()
            }),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that are kept.
    pub(crate) fn kept(&self) -> Kept {
        self.held().kept.clone()
    }

    /// The directory without them.
    pub(crate) fn base(&self) -> Option<Arc<Base>> {
        self.held().base.clone()
    }

    /// Why one is not in the directory; `None`: it is.
    pub(crate) fn why_left_out(&self, id: u64) -> Option<String> {
        self.held().left_out.get(&id).cloned()
    }

    /// Deploys files; if the directory is one of them, with the overrides in it.
    ///
    /// # Errors
    /// As [`Handle::deploy`], of the files as they were given. Overrides never keep files from holding: those
    /// that the directory has no schedule or person for are left out, and told.
    pub(crate) async fn deploy(
        &self,
        handle: &Handle,
        files: Vec<File>,
    ) -> Result<Deployed, Error> {
        let (kept, now) = (self.kept(), handle.status().await?.now);
        let given = files.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let base = directory_of(&given)?;
            let laid = lay(&kept, &base, now);
            Some((base, laid))
        });
        let Some((base, mut laid)) = looked.await.map_err(|_| Error::Stopped)? else {
            return handle.deploy(files).await;
        };
        let mut with = files.clone();
        for file in &mut with {
            if file.name == laid.file.name {
                file.clone_from(&laid.file);
            }
        }
        let deployed = match handle.deploy(with).await {
            // It must be told of the files whether the mistake is theirs.
            Err(Error::Files(checked)) if laid.any => {
                let deployed = handle.deploy(files).await?;
                let why = Error::Files(checked).to_string();
                let all = self.kept().overrides;
                let all = all.iter().filter(|one| one.is_laid(now));
                laid.left_out = all.map(|one| (one.id, why.clone())).collect();
                deployed
            }
            other => other?,
        };
        let deployed = Deployed {
            // What is new may be no more than a comment, which the text with overrides does not have.
            directory: deployed.directory || self.base().is_some_and(|held| held.file != base.file),
            ..deployed
        };
        self.hold(None, Some(base), laid.left_out, now);
        Ok(deployed)
    }

    /// Goes on with other ones, of which this one must be in the directory.
    ///
    /// # Errors
    /// [`Unchanged`]. Where it is not known whether the engine has taken them, they are kept, and told as an
    /// alarm until a deployment has gone well.
    pub(crate) async fn change(
        &self,
        handle: &Handle,
        kept: Kept,
        must: Option<u64>,
        now: Timestamp,
    ) -> Result<(), Unchanged> {
        let base = self.base().ok_or(Unchanged::NoDirectory)?;
        let (with, below) = (kept.clone(), Arc::clone(&base));
        let laid = tokio::task::spawn_blocking(move || lay(&with, &below, now)).await;
        let mut laid = laid.map_err(|_| Unchanged::Refused(Error::Stopped))?;
        if let Some(why) = must.and_then(|id| laid.left_out.remove(&id)) {
            return Err(Unchanged::LeftOut(why));
        }
        let before = self.kept();
        let written = self.place.write(&kept).await;
        written.map_err(Unchanged::Unwritten)?;
        match handle.deploy(vec![laid.file]).await {
            Ok(_) => {
                self.hold(Some(kept), None, laid.left_out, now);
                Ok(())
            }
            Err(error @ (Error::Unknown(_) | Error::Stopped)) => {
                self.held().kept = kept;
                let why = format!("it is not known whether they hold: {error}");
                self.doubt(why, now);
                Err(Unchanged::Refused(error))
            }
            Err(error) => {
                if let Err(error) = self.place.write(&before).await {
                    let why = format!("`{FILE}` in the data folder can't be put right: {error}");
                    self.doubt(why, now);
                }
                Err(Unchanged::Refused(error))
            }
        }
    }

    /// This holds from now on.
    fn hold(&self, kept: Option<Kept>, base: Option<Base>, left_out: LeftOut, now: Timestamp) {
        let mut held = self.held();
        if let Some(kept) = kept {
            held.kept = kept;
        }
        if let Some(base) = base {
            held.base = Some(Arc::new(base));
        }
        held.left_out = left_out;
        held.doubt = None;
        drop(held);
        self.tell(now);
    }

    fn doubt(&self, why: String, now: Timestamp) {
        self.held().doubt = Some(why);
        self.tell(now);
    }

    /// An operator learns of those that are not over and are left out.
    pub(crate) fn tell(&self, now: Timestamp) {
        let held = self.held();
        let left_out = held.left_out.iter().filter_map(|(id, why)| {
            let one = held.kept.get(*id).filter(|one| !one.is_over(now))?;
            let (on_call, schedule) = (&one.on_call, &one.schedule);
            Some(format!(
                "override {id}, {on_call} on call by {schedule}, is left out: {why}"
            ))
        });
        let told: Vec<String> = held.doubt.iter().cloned().chain(left_out).collect();
        drop(held);
        match told.is_empty() {
            true => self.alarms.clear(ALARM),
            false => self.alarms.raise(ALARM, &told.join("; ")),
        }
    }
}

/// The directory among these files, if there is one without mistakes.
fn directory_of(files: &[File]) -> Option<Base> {
    let texts = files.iter();
    let texts = texts.map(|file| (file.name.as_str(), file.text.as_bytes()));
    let loaded = load(texts);
    let read = loaded.directory?;
    let name = loaded.sources.name(read.file);
    let file = files.iter().find(|file| file.name == *name)?;
    Some(Base {
        file: file.clone(),
        directory: read.value,
    })
}

fn lay(kept: &Kept, base: &Base, now: Timestamp) -> Laid {
    let (mut more, mut left_out) = (BTreeMap::<Name, Vec<_>>::new(), LeftOut::new());
    let mut ids = BTreeSet::new();
    for one in kept.overrides.iter().filter(|one| one.is_laid(now)) {
        match missing(one, &base.directory) {
            Some(why) => drop(left_out.insert(one.id, why)),
            None => {
                let schedule = base.directory.schedules.get(&one.schedule);
                let zone = schedule.map(|schedule| &schedule.parts().zone);
                if let Some(written) = zone.and_then(|zone| one.written(zone)) {
                    more.entry(one.schedule.clone()).or_default().push(written);
                    ids.insert(one.id);
                }
            }
        }
    }
    let mut file = base.file.clone();
    if more.is_empty() {
        return Laid {
            file,
            left_out,
            any: false,
        };
    }
    let text = with_overrides(file.name.clone(), &file.text, &more);
    let any = text.is_some();
    match text {
        Some(text) => file.text = text,
        None => {
            let why = "the directory would be too large with it";
            left_out.extend(ids.into_iter().map(|id| (id, why.to_owned())));
        }
    }
    Laid {
        file,
        left_out,
        any,
    }
}

/// What the directory does not have of it.
fn missing(one: &Made, directory: &Directory) -> Option<String> {
    let schedule = &one.schedule;
    if !directory.schedules.contains_key(schedule) {
        return Some(format!("the directory has no schedule `{schedule}`"));
    }
    let mut people = [Some(&one.on_call), one.instead_of.as_ref()]
        .into_iter()
        .flatten();
    let gone = people.find(|person| !directory.people.contains_key(*person))?;
    Some(format!("the directory has no person `{gone}`"))
}
