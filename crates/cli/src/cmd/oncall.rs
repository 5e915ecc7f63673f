//! `upline oncall`.

mod overrides;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use upline_core::Directory;
use upline_lab::oncall::{OnCall, Someone, TeamOnCall};
use upline_lab::render::{Language, Times, duration};

use super::server::At;
use super::server::client::{Client, part};
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::moment::Moment;
use crate::output::Output;
use crate::sets;

/// Most gaps that are printed of a team; `--json` has all of them.
const MAX_GAPS: usize = 20;

/// Say who is on call, and change it for a time
///
/// `who`, `next` and `check` go by the directory of a file or folder that is named; else, as the others
/// always do, by the running service.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Who is on duty, until when, and who is then
    Who(Asked),
    /// Who comes on duty when
    Next(Days<14>),
    /// When nobody is there; code 1 if there is such a time
    Check(Check),
    /// Put somebody on call for a time, in somebody's place: "ann takes bob's night"
    Override(overrides::Make),
    /// Who stands in when, and who made it so
    Overrides(overrides::List),
    /// Remove an override, or end one that is under way
    Remove(overrides::Remove),
}

#[derive(clap::Args)]
struct Asked {
    /// A directory, or a workflow or folder that has one [default: the service's]
    path: Option<PathBuf>,
    /// Only this group, or this schedule that no group has
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// For this instant, by this machine's clocks: `2026-03-06 17:20` [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    lang: Lang,
}

#[derive(clap::Args)]
struct Days<const DAYS: u16> {
    #[command(flatten)]
    asked: Asked,
    /// How many days to look ahead
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
}

#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    ahead: Days<366>,
    /// Only within the open time of this calendar of the directory
    #[arg(long, value_name = "NAME")]
    calendar: Option<String>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let (asked, days, calendar) = match &args.what {
        What::Override(one) => return overrides::make(&args.at, one, output),
        What::Overrides(list) => return overrides::list(&args.at, list, output),
        What::Remove(one) => return overrides::remove(&args.at, one, output),
        What::Who(asked) => (asked, 0, None),
        What::Next(next) => (&next.asked, next.days, None),
        What::Check(check) => {
            let ahead = &check.ahead;
            (&ahead.asked, ahead.days, check.calendar.as_deref())
        }
    };
    let at = asked.at.as_deref();
    let at = at.map(|at| Moment::read("--at", at)?.in_zone(&TimeZone::system()));
    let question = Question {
        team: asked.team.as_deref(),
        at: at.transpose()?,
        days,
        calendar,
    };
    let found = match &asked.path {
        Some(path) => question.of_files(path, &asked.lang)?,
        None => question.of_service(&args.at, &asked.lang)?,
    };
    let gaps =
        matches!(args.what, What::Check(_)) && found.teams.iter().any(|one| !one.gaps.is_empty());
    let exit = match gaps {
        true => Exit::Findings,
        false => Exit::Ok,
    };
    if output.is_json() {
        output.json(&found)?;
        return Ok(exit);
    }
    match &args.what {
        What::Who(_) => who(&found, &asked.lang, output)?,
        What::Next(_) => next(&found, &asked.lang, output)?,
        _ => check(&found, &asked.lang, output)?,
    }
    Ok(exit)
}

/// What is asked, of files or of a service.
struct Question<'a> {
    team: Option<&'a str>,
    /// Else now.
    at: Option<Timestamp>,
    days: u16,
    calendar: Option<&'a str>,
}

impl Question<'_> {
    fn of_files(&self, path: &Path, lang: &Lang) -> Result<OnCall, Failure> {
        let directory = directory(path, lang)?;
        let at = self.at.unwrap_or_else(Timestamp::now);
        let calendar = self.calendar.map(|name| {
            let none = || {
                Failure::not_found(lang.pick(
                    format!("the directory has no calendar `{name}`"),
                    format!("通讯录中没有日历 `{name}`"),
                ))
            };
            directory.calendars.get(name).ok_or_else(none)
        });
        let within = SignedDuration::from_hours(i64::from(self.days) * 24);
        let to = at.saturating_add(within).unwrap_or(at);
        let mut found = OnCall::of(&directory, at, to, calendar.transpose()?);
        match self.team {
            Some(team) if !found.only(team) => {
                Err(Failure::not_found(lang.pick(
                    format!(
                        "the directory has no group `{team}`, and no schedule of this name that no group has"
                    ),
                    format!("通讯录中没有组 `{team}`，也没有不属于任何组的同名班表"),
                )))
            }
            _ => Ok(found),
        }
    }

    fn of_service(&self, server: &At, lang: &Lang) -> Result<OnCall, Failure> {
        let mut path = format!("/v1/oncall?days={}", self.days);
        let at = self.at.map(|at| at.to_string());
        for (name, value) in [
            ("team", self.team),
            ("at", at.as_deref()),
            ("calendar", self.calendar),
        ] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", part(value)));
            }
        }
        let answer = Client::new(server)?.get(&path);
        let answer = answer.map_err(|failure| self.refused(failure, lang))?;
        read(answer.body, lang)
    }

    /// The service says in English that there is no such team or calendar.
    fn refused(&self, failure: Failure, lang: &Lang) -> Failure {
        if lang.get() == Language::English || failure.exit != Exit::NotFound {
            return failure;
        }
        let message = match (self.team, self.calendar) {
            (Some(team), None) => {
                format!("服务的通讯录中没有组 `{team}`，也没有不属于任何组的同名班表")
            }
            (None, Some(name)) => format!("服务的通讯录中没有日历 `{name}`"),
            (Some(team), Some(name)) => {
                format!("服务的通讯录中没有组或班表 `{team}`，或者没有日历 `{name}`")
            }
            (None, None) => return failure,
        };
        Failure::not_found(message)
    }
}

/// What a service has answered.
fn read<T: DeserializeOwned>(answer: Value, lang: &Lang) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        let message = lang.pick(
            format!("the answer can't be read: {error}"),
            format!("无法读取回答：{error}"),
        );
        Failure::of(Exit::Unreachable, message).help(lang.pick(
            "is the service's version the same as this program's?",
            "服务的版本与本程序相同吗？",
        ))
    })
}

fn directory(path: &Path, lang: &Lang) -> Result<Directory, Failure> {
    let sets = sets::sets(&[path.to_owned()], None)?;
    let mut mistaken = None;
    for set in sets {
        let found = set.diagnostics();
        let loaded = set.into_loaded();
        match loaded.directory {
            Some(directory) => return Ok(directory.value),
            None if !found.is_empty() => mistaken = Some((loaded.sources, found)),
            None => (),
        }
    }
    let shown = upline_dsl::shown(path);
    Err(match mistaken {
        Some((sources, found)) => {
            let message = lang.pick(
                format!("`{shown}` can't be used as it is"),
                format!("`{shown}` 有错误，无法使用"),
            );
            Failure::findings(message).found(sources, found)
        }
        None => Failure::not_found(lang.pick(
            format!("there is no directory for `{shown}`"),
            format!("`{shown}` 没有通讯录"),
        ))
        .help(lang.pick(
            "name a file that begins with `directory: NAME`",
            "请给出以 `directory: NAME` 开头的文件",
        )),
    })
}

fn zone(team: &TeamOnCall) -> TimeZone {
    let zone = team.zone.as_deref().map(TimeZone::get);
    zone.and_then(Result::ok).unwrap_or_else(TimeZone::system)
}

/// Names, with who stands in.
fn people(people: &[Someone], lang: &Lang) -> String {
    let one = |one: &Someone| {
        let person = &one.person;
        match (&one.stand_in, one.away_until) {
            (_, None) => person.to_string(),
            (Some(other), _) => lang.pick(
                format!("{person} (away: {other})"),
                format!("{person}（不在：{other}）"),
            ),
            (None, _) => lang.pick(format!("{person} (away)"), format!("{person}（不在）")),
        }
    };
    match people {
        [] => lang.pick("nobody", "无人").to_owned(),
        people => {
            let people: Vec<String> = people.iter().map(one).collect();
            people.join(lang.pick(", ", "、"))
        }
    }
}

fn who(found: &OnCall, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    let rows = found.teams.iter().map(|team| {
        let times = Times::new(zone(team), lang.get());
        let until = team.until.map(|until| times.around(found.at, until));
        let then = team.until.map(|_| people(&team.then, lang));
        let leader = |who: &Option<Someone>| match who {
            Some(who) => people(std::slice::from_ref(who), lang),
            None => String::new(),
        };
        vec![
            team.team.to_string(),
            people(&team.on_duty, lang),
            until.unwrap_or_default(),
            then.unwrap_or_default(),
            leader(&team.lead),
            leader(&team.manager),
        ]
    });
    let head = lang.pick(
        ["team", "on duty", "until", "then", "lead", "manager"],
        ["组", "当班", "至", "之后", "组长", "经理"],
    );
    output.table(&head, rows.collect::<Vec<_>>(), &[])?;
    let last = people(std::slice::from_ref(&found.last_resort), lang);
    output.line(lang.pick(
        format!("last resort: {last}"),
        format!("最后负责人：{last}"),
    ))?;
    Ok(())
}

fn next(found: &OnCall, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    let mut changes: Vec<_> = found
        .teams
        .iter()
        .flat_map(|team| team.changes.iter().map(move |change| (change, team)))
        .collect();
    changes.sort_by_key(|(change, _)| change.at);
    if changes.is_empty() {
        output.line(lang.pick("nothing changes in this time", "这段时间内没有变化"))?;
        return Ok(());
    }
    let rows = changes.into_iter().map(|(change, team)| {
        let times = Times::new(zone(team), lang.get());
        vec![
            times.around(found.at, change.at),
            team.team.to_string(),
            people(&change.on_duty, lang),
        ]
    });
    let head = lang.pick(["from", "team", "on duty"], ["从", "组", "当班"]);
    output.table(&head, rows.collect::<Vec<_>>(), &[])?;
    Ok(())
}

fn check(found: &OnCall, lang: &Lang, output: &mut Output) -> Result<(), Failure> {
    for team in &found.teams {
        let times = Times::new(zone(team), lang.get());
        let name = &team.team;
        for gap in team.gaps.iter().take(MAX_GAPS) {
            let (from, to) = (
                times.around(found.at, gap.from),
                times.around(found.at, gap.to),
            );
            let long = long(gap.to.duration_since(gap.from), lang.get());
            output.line(lang.pick(
                format!("{name}: nobody from {from} to {to} ({long})"),
                format!("{name}：{from} 到 {to} 无人（{long}）"),
            ))?;
        }
        if let Some(more) = team.gaps.len().checked_sub(MAX_GAPS + 1) {
            let more = more + 1;
            output.line(lang.pick(
                format!("{name}: and {more} times more"),
                format!("{name}：另外还有 {more} 次"),
            ))?;
        }
    }
    if found.teams.iter().all(|team| team.gaps.is_empty()) {
        output.line(lang.pick("somebody is there at all times", "任何时候都有人"))?;
    }
    Ok(())
}

fn long(span: SignedDuration, language: Language) -> String {
    duration(span.as_secs(), language)
}
