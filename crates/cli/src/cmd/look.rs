//! What `explain`, `forecast` and `migrate` have in common: a data folder that is looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use upline::core::Ticket;
use upline::disk::RealDisk;
use upline::look::{Folder, Found, LookError};
use upline::store::StoreError;
use upline_dsl::shown;
use upline_lab::render::{Language, Times};

use super::backup::{Meant, must_be_there};
use crate::bar::{Bar, Unit};
use crate::exit::Failure;
use crate::language::pick;
use crate::moment::Moment;
use crate::output::Output;

/// For when, and in which language.
#[derive(Default, clap::Args)]
pub(crate) struct When {
    /// The instant that the answer is for, in the time zone of the workflow's calendar: `2026-03-06 17:20`
    /// [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The language of the lines: en, zh [default: en]
    #[arg(long, value_name = "TAG")]
    lang: Option<Language>,
}

/// A data folder that is looked at.
pub(crate) struct Look {
    pub(crate) path: PathBuf,
    pub(crate) folder: Folder,
    pub(crate) language: Language,
}

impl Look {
    /// Reads the folder.
    pub(crate) fn into(path: &Path, language: Language) -> Result<Self, Failure> {
        // A folder that is not there has no file either, and that is not what must be told.
        must_be_there(path, language)?;
        let what = pick(language, "reading", "读取");
        let bar = Bar::told_in(language, what, Unit::Bytes);
        let folder = Folder::open(Arc::new(RealDisk::new(path)), &mut |bytes| bar.at(bytes));
        bar.clear();
        let path = path.to_owned();
        match folder {
            Ok(folder) => Ok(Self {
                path,
                folder,
                language,
            }),
            Err(error) => Err(failure(&path, &LookError::Store(error), language)),
        }
    }

    /// Seeks a ticket, and goes to the instant that is asked for.
    pub(crate) fn find(&mut self, ticket: &str, when: &When) -> Result<Found, Failure> {
        let at = when.moment()?;
        let words = ("reading the journal", "commits");
        let (what, unit) = pick(self.language, words, ("读取日志", "次提交"));
        let bar = Bar::told_in(self.language, what, Unit::Of(unit));
        let found = self
            .folder
            .find(ticket, &mut |done, of| bar.at_of(done, of));
        bar.clear();
        let found = found.map_err(|error| self.failure(&error))?;
        let last = self.folder.last_commit();
        let at = match at {
            Some(at) => not_before(last, &at, &self.zone(&found.ticket), self.language)?,
            None => Timestamp::now(),
        };
        self.folder.at(at);
        Ok(found)
    }

    /// The time zone of the ticket's workflow.
    pub(crate) fn zone(&self, ticket: &Ticket) -> TimeZone {
        self.folder.zone(&ticket.workflow, ticket.version)
    }

    /// What is above an answer: which ticket, and for when.
    pub(crate) fn head(&self, found: &Found, language: Language) -> String {
        let ticket = &found.ticket;
        let (id, workflow, version) = (&ticket.id, &ticket.workflow, ticket.version);
        let at = stamp(self.folder.now(), self.zone(ticket), language);
        match language {
            Language::English => format!("ticket {id}, {workflow} version {version}, as of {at}"),
            Language::Chinese => format!("工单 {id}，{workflow} 第 {version} 版，截至 {at}"),
        }
    }

    /// What was found of a ticket, for programs: with the instant that it was last known to be so.
    pub(crate) fn json<T: Serialize>(
        &self,
        answer: &T,
        output: &mut Output,
    ) -> Result<(), Failure> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Answer<'a, T> {
            #[serde(flatten)]
            answer: &'a T,
            last_commit: Timestamp,
        }
        Ok(output.json(&Answer {
            answer,
            last_commit: self.folder.last_commit(),
        })?)
    }

    /// A look's error as the failure of a command.
    pub(crate) fn failure(&self, error: &LookError) -> Failure {
        failure(&self.path, error, self.language)
    }
}

impl When {
    /// Whether something was said.
    pub(crate) fn is_said(&self) -> bool {
        self.at.is_some() || self.lang.is_some()
    }

    /// The language of the lines.
    pub(crate) fn language(&self) -> Language {
        self.lang.unwrap_or(Language::English)
    }

    /// What `--at` says.
    pub(crate) fn moment(&self) -> Result<Option<Moment>, Failure> {
        let at = self.at.as_deref();
        at.map(|at| Moment::read_in(self.language(), "--at", at))
            .transpose()
    }
}

/// The instant that is asked for, which must not be before the last commit.
pub(crate) fn not_before(
    last: Timestamp,
    at: &Moment,
    zone: &TimeZone,
    language: Language,
) -> Result<Timestamp, Failure> {
    let at = at.in_zone(zone)?;
    if at >= last {
        return Ok(at);
    }
    let last = last.to_zoned(zone.clone());
    let message = pick(
        language,
        format!("`--at`: this is before the last commit, which was at {last}"),
        format!("`--at`：早于最后一次提交，那是在 {last}"),
    );
    let help = pick(
        language,
        "name a later time, or leave `--at` out: how things were before is not kept",
        "请指定更晚的时间，或去掉 `--at`：之前是怎样的没有保存",
    );
    Err(Failure::usage(message).help(help))
}

/// An instant in full, with its zone.
pub(crate) fn stamp(at: Timestamp, zone: TimeZone, language: Language) -> String {
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    let time = Times::new(zone, language).stamp(at);
    format!("{time} {name}")
}

fn is_damage(folder: &Path, error: &StoreError) -> bool {
    match error {
        StoreError::Ticket { .. } => true,
        error => Meant::Either.is_damage(folder, error),
    }
}

/// What a data folder's error means for a command.
pub(crate) fn failure(folder: &Path, error: &LookError, language: Language) -> Failure {
    let (path, told) = (shown(folder), error.told(language));
    let pick = |english: String, chinese: String| pick(language, english, chinese);
    let message = pick(format!("`{path}`: {told}"), format!("`{path}`：{told}"));
    match error {
        LookError::Store(StoreError::Locked) => Failure::not_found(message).help(pick(
            "or copy it with `upline backup`, which may be done while an engine runs, and ask the copy"
                .into(),
            "或用 `upline backup` 复制它（引擎运行时也可以），再查询副本".into(),
        )),
        LookError::Store(error) if is_damage(folder, error) => {
            Failure::findings(message).help(pick(
                format!("`upline doctor {path}` says what to do"),
                format!("`upline doctor {path}` 会说明该怎么做"),
            ))
        }
        LookError::NoSuchTicket { last, .. } => Failure::not_found(message).help(match last {
            0 => pick(
                "no ticket was opened here yet".into(),
                "这里还没有开过工单".into(),
            ),
            1 => pick(
                "the only one that was opened here has the number 1".into(),
                "这里只开过一张工单，编号是 1".into(),
            ),
            last => pick(
                format!("those that were opened here have the numbers 1 to {last}"),
                format!("这里开过的工单编号是 1 到 {last}"),
            ),
        }),
        LookError::Removed { .. } => Failure::not_found(message).help(pick(
            "an engine that keeps an index of all tickets still knows it".into(),
            "保存着全部工单索引的引擎仍然知道它".into(),
        )),
        LookError::Refused(error) => match &**error {
            upline::Error::Files(checked) => Failure::findings(pick(
                "the files can't be used together".into(),
                "这些文件不能一起使用".into(),
            ))
            .found(checked.sources.clone(), checked.diagnostics.clone()),
            _ => Failure::findings(message),
        },
        _ => Failure::not_found(message),
    }
}
