//! `upline migrate`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use upline::core::decide::{MigratedClocks, Migration};
use upline::core::{Actor, Name, Ticket};
use upline::look::{LookError, Plan, Planned, Planning};
use upline::record::File;
use upline_dsl::{did_you_mean, plain, shown};
use upline_lab::render::{Language, Times};

use super::look::{Look, When, failure, not_before, stamp};
use crate::bar::{Bar, Unit};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::language::pick;
use crate::output::Output;

/// Say what moving the open tickets of a data folder to another version of their workflow would change
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, which no engine has open, or a backup
    folder: PathBuf,
    /// The file of the workflow's other version
    workflow: PathBuf,
    /// Only say what would change; tickets are moved by the engine that runs them
    #[arg(long)]
    plan: bool,
    /// Where tickets in a state go that has another name now; the others keep theirs
    #[arg(long = "state", value_name = "OLD=NEW")]
    states: Vec<String>,
    /// What becomes of clocks that run: they keep their due time, begin anew, or count by the new rule from
    /// when they began
    #[arg(long, value_enum, default_value_t = Clocks::Keep, value_name = "HOW")]
    clocks: Clocks,
    /// Only this ticket
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
    #[command(flatten)]
    when: When,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Clocks {
    // Without doc comments the help names them on one line.
    Keep,
    Restart,
    Rebase,
}

impl From<Clocks> for MigratedClocks {
    fn from(clocks: Clocks) -> Self {
        match clocks {
            Clocks::Keep => Self::KeepRemaining,
            Clocks::Restart => Self::Restart,
            Clocks::Rebase => Self::Rebase,
        }
    }
}

/// The answer for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Answer<'a> {
    workflow: &'a Name,
    version: u32,
    now: Timestamp,
    movable: u64,
    stuck: u64,
    there: u64,
    unreadable: u64,
    unused: &'a [Name],
    tickets: Vec<Row>,
}

/// A ticket.
#[derive(Serialize)]
struct Row {
    ticket: Name,
    from: u32,
    /// Why it can't move.
    why: Option<String>,
    positions: Vec<Place>,
}

/// Where a ticket is, and would be.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Place {
    branch: Name,
    from: Name,
    to: Option<Name>,
    answerable: Option<Name>,
    /// When its next clock is due, and would be.
    due: Option<Timestamp>,
    would_be_due: Option<Timestamp>,
}

impl Row {
    fn of(planned: Planned, language: Language) -> Self {
        let Planned { before, after, .. } = planned;
        let (after, why) = match after {
            Ok((_, after)) => (Some(after), None),
            Err(error) => (None, Some(error.told(language))),
        };
        let due = |ticket: &Ticket, branch: &Name| {
            let clocks = ticket.clocks.iter();
            let clocks = clocks.filter(|clock| clock.branch == *branch);
            clocks.map(|clock| clock.due).min()
        };
        let positions = before.positions.iter().map(|(branch, at)| Place {
            branch: branch.clone(),
            from: at.state.clone(),
            to: after
                .as_ref()
                .and_then(|after| Some(after.positions.get(branch)?.state.clone())),
            answerable: at.holder.answerable().cloned(),
            due: due(&before, branch),
            would_be_due: after.as_ref().and_then(|after| due(after, branch)),
        });
        Self {
            ticket: before.id.clone(),
            from: before.version,
            why,
            positions: positions.collect(),
        }
    }
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let language = args.when.language();
    if !args.plan {
        let message = pick(
            language,
            "tickets are moved by the engine that runs them, and not in a folder that lies still",
            "工单由运行它们的引擎迁移，不在静止的文件夹里迁移",
        );
        return Err(Failure::usage(message).help(pick(
            language,
            "`--plan` says what would change; a program with the engine moves them with `Handle::migrate`",
            "`--plan` 说明会有什么变化；带有引擎的程序用 `Handle::migrate` 迁移它们",
        )));
    }
    let migration = migration(args)?;
    let at = args.when.moment()?;
    let file = workflow(args)?;
    let look = Look::into(&args.folder, language)?;
    let Look {
        mut folder, path, ..
    } = look;
    if at.is_none() {
        folder.at(Timestamp::now());
    }
    let failed = |error| failure(&path, &error, language);
    let last = folder.last_commit();
    let planning = folder.with_workflow(file);
    let mut planning =
        planning.map_err(|error| no_workflow(args, &error).unwrap_or_else(|| failed(error)))?;
    known_states(&migration, &planning, language)?;
    if let Some(at) = at {
        planning.at(not_before(last, &at, &planning.zone(), language)?);
    }
    let (what, unit) = pick(language, ("planning", "tickets"), ("计划", "张工单"));
    let bar = Bar::told_in(language, what, Unit::Of(unit));
    let mut rows = Vec::new();
    let by = Actor::System(Name::new("plan"));
    let plan = planning.plan(
        &migration,
        &by,
        args.ticket.as_deref(),
        &mut |one, done, of| {
            rows.push(Row::of(one, language));
            bar.at_of(done, of);
        },
    );
    bar.clear();
    let plan = plan.map_err(failed)?;
    // Most likely it is written in another way.
    let is_used = |state: &Name| {
        let mut places = rows.iter().flat_map(|row: &Row| &row.positions);
        places.any(|place| place.from == *state)
    };
    let states = migration.states.keys();
    let unused: Vec<Name> = states.filter(|state| !is_used(state)).cloned().collect();
    told(&planning, plan, rows, &unused, language, output)?;
    Ok(match plan.stuck + plan.unreadable {
        0 => Exit::Ok,
        _ => Exit::Findings,
    })
}

/// Said of the file as it was named here.
fn no_workflow(args: &Args, error: &LookError) -> Option<Failure> {
    let LookError::Refused(refused) = error else {
        return None;
    };
    let upline::Error::NoSuchWorkflow { .. } = **refused else {
        return None;
    };
    let (path, language) = (shown(&args.workflow), args.when.language());
    let message = pick(
        language,
        format!("`{path}` is a directory of people, and no workflow"),
        format!("`{path}` 是人员目录，不是工作流"),
    );
    let help = ("name the file of a workflow", "请指定一个工作流文件");
    Some(Failure::findings(message).help(pick(language, help.0, help.1)))
}

/// Where tickets are to go must be there, be it that none goes.
fn known_states(
    migration: &Migration,
    planning: &Planning,
    language: Language,
) -> Result<(), Failure> {
    let (workflow, version) = (planning.workflow(), planning.version());
    let is_unknown = |new: &Name| !planning.states().any(|state| state == new);
    let mut states = migration.states.iter();
    let Some((old, new)) = states.find(|(_, new)| is_unknown(new)) else {
        return Ok(());
    };
    let message = pick(
        language,
        format!("`--state '{old}={new}'`: `{workflow}` version {version} has no state `{new}`"),
        format!("`--state '{old}={new}'`：`{workflow}` 第 {version} 版没有状态 `{new}`"),
    );
    let failure = Failure::usage(message);
    Err(
        match did_you_mean(new, planning.states().map(Name::as_str)) {
            Some(near) => failure.help(pick(
                language,
                format!("did you mean `{near}`?"),
                format!("是不是 `{near}`？"),
            )),
            None => failure,
        },
    )
}

/// The workflow's file, as it would be deployed.
fn workflow(args: &Args) -> Result<File, Failure> {
    let path = shown(&args.workflow);
    if args.workflow.is_dir() {
        let message = format!("`{path}` is a folder");
        return Err(Failure::usage(message).help("name a workflow in it"));
    }
    let content = files::read(&args.workflow)?;
    let name = plain(&args.workflow);
    match String::from_utf8(content.bytes) {
        Ok(text) if text.len() as u64 == content.size => Ok(File {
            name: Name::new(name),
            text,
        }),
        Ok(_) => Err(Failure::findings(format!("`{path}` is too large"))),
        Err(_) => Err(Failure::findings(format!("`{path}` is not UTF-8"))),
    }
}

fn migration(args: &Args) -> Result<Migration, Failure> {
    let language = args.when.language();
    let mut migration = Migration {
        clocks: args.clocks.into(),
        ..Migration::default()
    };
    for state in &args.states {
        let parts = state.split_once('=');
        let parts = parts.map(|(old, new)| (Name::new(old.trim()), Name::new(new.trim())));
        let Some((old, new)) = parts.filter(|(old, new)| !old.is_empty() && !new.is_empty()) else {
            let message = pick(
                language,
                format!("`--state '{state}'`: this is not an old state and a new one"),
                format!("`--state '{state}'`：这不是一个旧状态和一个新状态"),
            );
            let help = (
                "write `--state working=busy`",
                "请写 `--state working=busy`",
            );
            return Err(Failure::usage(message).help(pick(language, help.0, help.1)));
        };
        if migration.states.insert(old.clone(), new).is_some() {
            let message = pick(
                language,
                format!("`--state '{state}'`: `{old}` goes somewhere already"),
                format!("`--state '{state}'`：`{old}` 已有去处"),
            );
            return Err(Failure::usage(message));
        }
    }
    Ok(migration)
}

fn told(
    planning: &Planning,
    plan: Plan,
    rows: Vec<Row>,
    unused: &[Name],
    language: Language,
    output: &mut Output,
) -> Result<(), Failure> {
    let (workflow, version) = (planning.workflow(), planning.version());
    let Plan {
        movable,
        stuck,
        there,
        unreadable,
        ..
    } = plan;
    if output.is_json() {
        output.json(&Answer {
            workflow,
            version,
            now: planning.now(),
            movable,
            stuck,
            there,
            unreadable,
            unused,
            tickets: rows,
        })?;
        return Ok(());
    }
    let chinese = language == Language::Chinese;
    let at = stamp(planning.now(), planning.zone(), language);
    output.line(match chinese {
        false => format!("{workflow} version {version}, as of {at}"),
        true => format!("{workflow} 第 {version} 版，截至 {at}"),
    })?;
    let times = Times::new(planning.zone(), language);
    let time = |at: Option<Timestamp>| at.map(|at| times.around(planning.now(), at));
    for row in rows {
        let (ticket, from) = (&row.ticket, row.from);
        if let Some(why) = &row.why {
            output.line(match chinese {
                false => format!("{ticket}: stays in version {from}: {why}"),
                true => format!("{ticket}：留在第 {from} 版：{why}"),
            })?;
            continue;
        }
        output.line(match chinese {
            false => format!("{ticket}: moves from version {from}"),
            true => format!("{ticket}：从第 {from} 版迁移"),
        })?;
        for place in &row.positions {
            output.line(format!("  {}", place.told(&time, chinese)))?;
        }
    }
    summed(workflow, &plan, unused, chinese, output)
}

/// The last lines.
fn summed(
    workflow: &Name,
    plan: &Plan,
    unused: &[Name],
    chinese: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let Plan {
        movable,
        stuck,
        there,
        unreadable,
        ..
    } = *plan;
    output.line(match chinese {
        false => format!("{movable} can move, {stuck} can't, {there} have this version already"),
        true => format!("可迁移 {movable} 个，不可迁移 {stuck} 个，已是此版 {there} 个"),
    })?;
    for state in unused {
        output.line(match chinese {
            false => format!("`--state`: none of these tickets is in a state `{state}`"),
            true => format!("`--state`：这些工单都不在状态 `{state}` 里"),
        })?;
    }
    if movable + stuck + there == 0 {
        output.line(match chinese {
            false => format!("no open ticket here is of a workflow `{workflow}`"),
            true => format!("这里没有属于工作流 `{workflow}` 的未结束工单"),
        })?;
    }
    if unreadable > 0 {
        output.line(match chinese {
            false => format!("{unreadable} can't be read: `upline doctor` says why"),
            true => format!("{unreadable} 个无法读取：`upline doctor` 会说明原因"),
        })?;
    }
    Ok(())
}

impl Place {
    /// `asked → offered, ann, next Fri 17:20 → Fri 17:35`.
    fn told(&self, time: &dyn Fn(Option<Timestamp>) -> Option<String>, chinese: bool) -> String {
        let both = |before: &str, after: Option<&str>| match after {
            Some(after) if after != before => format!("{before} → {after}"),
            _ => before.to_owned(),
        };
        let mut told = match self.branch.is_empty() {
            true => String::new(),
            false => format!("{}: ", self.branch),
        };
        told += &both(&self.from, self.to.as_deref());
        let comma = if chinese { "，" } else { ", " };
        if let Some(who) = &self.answerable {
            told += &format!("{comma}{who}");
        }
        let none = if chinese { "无" } else { "none" };
        let (before, after) = (time(self.due), time(self.would_be_due));
        if before.is_some() || after.is_some() {
            let (before, after) = (before.as_deref(), after.as_deref());
            let next = both(before.unwrap_or(none), Some(after.unwrap_or(none)));
            let word = if chinese {
                "下一时钟 "
            } else {
                "next clock "
            };
            told += &format!("{comma}{word}{next}");
        }
        told
    }
}
