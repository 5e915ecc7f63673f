//! `upline replay`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_dsl::{Sources, Unreadable, plain, shown};
use upline_lab::replay::{Log, LogError, LogFacts, Mapping, ReplayReport, play, unpack};
use upline_lab::transcript::Setting;

use crate::bar::{Bar, Unit};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;
use crate::sets::{self, DirectoryArg};

/// Play a recorded ticket log against a workflow: what would have happened?
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The log, a CSV file, also packed with gzip; `-` reads stdin
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// What its columns and values mean; see `examples/replay`
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// The workflow's file [default: the log is only counted]
    #[arg(long, value_name = "FILE")]
    workflow: Option<PathBuf>,
    #[command(flatten)]
    directory: DirectoryArg,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let directory = args.directory.directory.as_deref();
    let setting = match &args.workflow {
        None if directory.is_some() => {
            let message = "`--directory` says who works in a workflow, and none is named";
            return Err(Failure::usage(message).help("add `--workflow FILE`"));
        }
        None => None,
        // The log may be older than the shifts of today's directory: it is played in what holds today.
        Some(path) => Some(sets::setting(path, directory, Timestamp::now())?),
    };
    let mapping = mapping(&args.map, setting.as_ref(), output)?;
    let mut bar = Bar::new("reading", Unit::Of("rows"));
    let log = read(&args.log, &mapping, &bar)?;
    let facts = LogFacts::of(&log);
    let play = match &setting {
        None => None,
        Some(setting) => {
            let rows = log.entries.len() as u64;
            bar.begin("playing", rows);
            let played = play(
                &log,
                &mapping,
                &setting.workflows,
                &setting.main,
                &setting.directory,
                &mut |rows| bar.at(rows),
            );
            let help = "see `play` in examples/replay/small.map.yaml";
            Some(played.map_err(|error| Failure::findings(error.to_string()).help(help))?)
        }
    };
    bar.clear();
    let zone = mapping.times.zone.clone();
    let report = ReplayReport {
        log: mapping.title,
        facts,
        problems: log.problems,
        play,
    };
    let zone = zone.or_else(|| setting.as_ref().map(Setting::zone));
    print(&report, &zone.unwrap_or(TimeZone::UTC), output)?;
    Ok(Exit::Ok)
}

fn print(report: &ReplayReport, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.json(report)?;
        return Ok(());
    }
    for (index, table) in report.tables(zone).into_iter().enumerate() {
        if index > 0 {
            output.line("")?;
        }
        output.line(&table.title)?;
        output.table(&table.head, table.rows, &table.right)?;
    }
    Ok(())
}

fn mapping(
    path: &Path,
    setting: Option<&Setting>,
    output: &mut Output,
) -> Result<Mapping, Failure> {
    let mut sources = Sources::new();
    let content = files::read(path)?;
    let (read, mut found) = Mapping::read(&mut sources, content.named(&plain(path)));
    let workflow = setting.and_then(|setting| setting.workflows.newest(&setting.main));
    if let (Some(read), Some(setting), Some(workflow)) = (&read, setting, workflow) {
        found.append(read.value.check(workflow, &setting.directory));
    }
    let wrong = found.has_errors();
    let found = found.into_sorted();
    match read {
        Some(read) if !wrong => {
            output.mistakes(&sources, &found);
            Ok(read.value)
        }
        _ => {
            let message = format!("`{}` can't be used as it is", shown(path));
            Err(Failure::findings(message).found(sources, found))
        }
    }
}

fn read(path: &Path, mapping: &Mapping, bar: &Bar) -> Result<Log, Failure> {
    if path.is_dir() {
        let message = format!("`{}` is a folder, not a log", shown(path));
        return Err(Failure::usage(message).help("name the CSV file in it"));
    }
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| Unreadable::new(path, error))?)
    };
    let read = unpack(source);
    let read = read.and_then(|source| Log::read(source, mapping, &mut |rows| bar.at(rows)));
    read.map_err(|error| match error {
        LogError::Io { .. } => Failure::not_found(format!("`{}`: {error}", shown(path))),
        other => Failure::findings(format!("`{}`: {other}", shown(path))),
    })
}
